"""Reading never raises, whatever the line holds."""

import json
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from reconciler.annotations.checked import Annotation, Metric, Refused
from reconciler.annotations.rows import Row, decode
from reconciler.annotations.rules import STRICT, Purpose, Rules
from tests.annotations.fitting import checker

GOOD = [
    json.loads(line)["row"]
    for line in (Path(__file__).parent / "rows.jsonl")
    .read_text(encoding="utf-8")
    .splitlines()
] + [
    {
        "dataRow": {"globalKey": "gk"},
        "metricName": "m",
        "metricValue": {"0.1": [1, 2, 3, 4], "0.2": [1, 2, 3, 4]},
        "aggregation": "CONFUSION_MATRIX",
        "featureName": "cat",
        "subclassName": "tabby",
    }
]
FIELDS = [field.encode_name for field in msgspec.structs.fields(Row)]

media_types = st.sampled_from(
    [None, "IMAGE", "TEXT", "VIDEO", "PDF", "CONVERSATIONAL", "AUDIO", "?"]
)
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.sampled_from(["cat", "radio_q", "a", "tabby", "mask", "x", "\ud800"])
)
values: st.SearchStrategy[Any] = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from([*FIELDS, "x", "y", "top", "frame", "keyframes", "value"])
            | st.text(max_size=5),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)


def holds(line: bytes, media_type: str | None, rules: Rules, purpose: Purpose) -> None:
    found = checker(media_type, rules=rules, purpose=purpose).read(line)
    match found:
        case Annotation() | Metric():
            assert decode(line.strip()).data_row == found.row
            assert (found.row.id is None) != (found.row.global_key is None)
        case Refused():
            assert found.problems
            assert all(one.name and one.message for one in found.problems)
            # What is told goes into files, where nothing but text has a place.
            assert msgspec.json.encode(found)


lines = {
    "media_type": media_types,
    "rules": st.sampled_from([Rules(), STRICT]),
    "purpose": st.sampled_from(Purpose),
}


@given(line=st.binary(), **lines)
def test_any_bytes_are_read_or_refused(line: bytes, **how: Any) -> None:
    holds(line, **how)


@given(value=values, **lines)
def test_any_json_is_read_or_refused(value: object, **how: Any) -> None:
    holds(json.dumps(value).encode(), **how)


@given(data=st.data(), **lines)
def test_a_good_row_with_anything_in_it_is_read_or_refused(
    data: st.DataObject, **how: Any
) -> None:
    row = json.loads(json.dumps(data.draw(st.sampled_from(GOOD))))
    for _ in range(data.draw(st.integers(1, 3))):
        row = mutated(row, data)
    text = json.dumps(row).encode()
    end = data.draw(st.sampled_from([len(text), len(text) - 1, len(text) // 2]))

    holds(text[:end], **how)


def mutated(value: Any, data: st.DataObject) -> Any:
    """Change one place at some depth: another value, another field, or none."""
    if isinstance(value, dict) and value and data.draw(st.integers(0, 3)):
        key = data.draw(st.sampled_from(sorted(value)))
        if not data.draw(st.integers(0, 3)):
            return {one: value[one] for one in value if one != key}
        if not data.draw(st.integers(0, 3)):
            return {**value, data.draw(st.sampled_from(FIELDS)): data.draw(values)}
        return {**value, key: mutated(value[key], data)}
    if isinstance(value, list) and value and data.draw(st.integers(0, 3)):
        place = data.draw(st.integers(0, len(value) - 1))
        return [
            mutated(one, data) if n == place else one for n, one in enumerate(value)
        ]
    return data.draw(values)

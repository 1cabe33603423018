"""Canonical JSON, written quickly."""

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from reconciler.annotations.quick import canonical_bytes
from reconciler.state.canonical import JsonValue

numbers = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(
    allow_nan=False, allow_infinity=False
)
texts = st.text(st.characters(exclude_categories=["Cs"])) | st.text("abc9e.,[:")
values = st.recursive(
    st.none() | st.booleans() | numbers | st.floats(-1e5, 1e5) | texts,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
    ),
    max_leaves=8,
)


@given(values)
def test_the_bytes_are_those_of_rfc_8785(value: JsonValue) -> None:
    assert canonical_bytes(value) == rfc8785.dumps(value)


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ({"b": 0.5, "a": ["x", True, None]}, b'{"a":["x",true,null],"b":0.5}'),
        ({"\U0001f600": 1, "\ufb00": 2}, '{"\U0001f600":1,"\ufb00":2}'.encode()),
        ([1e-7, 1e21, 2.0, -0.0, 0.0001], b"[1e-7,1e+21,2,0,0.0001]"),
        (["\x7f\n\u2028/"], '["\x7f\\n\u2028/"]'.encode()),
    ],
    ids=["plain", "keys by UTF-16", "numbers", "texts"],
)
def test_what_writers_differ_in_is_written_as_rfc_8785_has_it(
    value: JsonValue, written: bytes
) -> None:
    assert canonical_bytes(value) == written


@pytest.mark.parametrize("value", [float("nan"), [float("inf")], 2**53, "\ud800"])
def test_what_json_cannot_carry_is_never_written(value: JsonValue) -> None:
    with pytest.raises(rfc8785.CanonicalizationError):
        canonical_bytes(value)

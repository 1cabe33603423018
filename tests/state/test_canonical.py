"""One form for equal values."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.state.canonical import (
    NotCanonicalError,
    canonical_bytes,
    canonicalise,
    digest,
)

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        (1.0, "1"),
        (-0.0, "0"),
        (True, "true"),
        (1e-4, "0.0001"),
        (1e300, "1e+300"),
        ((1, 2), "[1,2]"),
        ({"b": 1, "a": None}, '{"a":null,"b":1}'),
        (2**53 - 1, "9007199254740991"),
    ],
)
def test_a_value_has_one_form(given_: object, expected: str) -> None:
    assert canonical_bytes(canonicalise(given_)).decode() == expected


@given(values)
def test_canonicalising_twice_is_canonicalising_once(value: object) -> None:
    once = canonicalise(value)

    assert canonicalise(once) == once
    assert canonical_bytes(canonicalise(once)) == canonical_bytes(once)


@given(values)
def test_a_value_survives_a_trip_through_json(value: object) -> None:
    once = canonicalise(value)

    assert digest(canonicalise(json.loads(json.dumps(once)))) == digest(once)


def test_a_number_and_a_truth_have_different_digests() -> None:
    assert digest(canonicalise({"a": 1})) == digest(canonicalise({"a": 1.0}))
    assert digest({"a": 1}) != digest({"a": True})


@pytest.mark.parametrize(
    ("given_", "path"),
    [
        ({"a": [0, float("nan")]}, ("a", 1)),
        ({"a": float("inf")}, ("a",)),
        ({"a": {"b": 2**53}}, ("a", "b")),
        ([-(2**53)], (0,)),
        ({"a": "\ud800"}, ("a",)),
        ({"a": {1: 2}}, ("a",)),
        ({"a": b"bytes"}, ("a",)),
        ({"a": object}, ("a",)),
    ],
    ids=["nan", "infinity", "2^53", "-2^53", "surrogate", "key", "bytes", "object"],
)
def test_what_json_cannot_carry_is_refused_with_its_path(
    given_: object, path: tuple[str | int, ...]
) -> None:
    with pytest.raises(NotCanonicalError) as caught:
        canonicalise(given_)

    assert caught.value.path == path

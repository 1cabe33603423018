"""Addresses as they are printed and read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.state.address import Address, Kind, model_address, run_address

names = st.text(
    st.characters(exclude_categories=["Cs"]), min_size=1
)  # what UTF-8 can say


@pytest.mark.parametrize(
    ("address", "text"),
    [
        (model_address("digits"), "model/digits"),
        (run_address("digits", "svm"), "run/digits/svm"),
        (run_address("a/b", "50% *"), "run/a%2Fb/50%25%20%2A"),
        (model_address("Übung"), "model/Übung"),
        (model_address("a\nb"), "model/a%0Ab"),
        (model_address("\u202egnp"), "model/%E2%80%AEgnp"),
        (model_address("a\u200bb"), "model/a%E2%80%8Bb"),
    ],
)
def test_an_address_is_printed_so_that_it_can_be_read_back(
    address: Address, text: str
) -> None:
    assert str(address) == text
    assert Address.parse(text) == address


@given(names, names)
def test_any_name_survives_being_printed(model: str, name: str) -> None:
    address = run_address(model, name)

    assert str(address).isprintable()
    assert Address.parse(str(address)) == address


@pytest.mark.parametrize(
    "text", ["", "digits", "modle/digits", "model", "model/", "run/digits", "run/a/b/c"]
)
def test_what_is_no_address_is_refused_with_the_form(text: str) -> None:
    with pytest.raises(ValueError, match="is no address: "):
        Address.parse(text)


def test_addresses_are_ordered_by_kind_and_name() -> None:
    ordered = sorted([run_address("b", "a"), model_address("z"), run_address("a", "z")])

    assert [str(one) for one in ordered] == ["model/z", "run/a/z", "run/b/a"]
    assert {one.kind for one in ordered} == {Kind.MODEL, Kind.RUN}

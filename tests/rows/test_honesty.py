"""Rows that belong together and are in several splits, and rows that are learned."""

import time
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.rows.honesty import (
    Crossing,
    Crossings,
    Examinations,
    Overlap,
    across_splits,
    trained_on,
)
from reconciler.rows.honesty_large import LargeValues
from reconciler.rows.membership import make_membership
from reconciler.state.resources import Membership, RowIdentity, Split

T, V, E, U = Split

SIZES = pytest.mark.parametrize("large", [1000, 0], ids=["plain", "large"])


def members(
    rows: Mapping[str, Split],
    large: int = 1000,
    by: RowIdentity = RowIdentity.GLOBAL_KEY,
    *,
    assigns_splits: bool = True,
) -> Membership:
    return make_membership(
        dict(rows), by=by, assigns_splits=assigns_splits, large=large
    )


def crossings(
    rows: Mapping[str, Split], values: Mapping[str, str], large: int = 1000
) -> Crossings:
    """Find them in a mapping and in a table, which must agree."""
    membership = members(rows, large)
    found = across_splits(membership, values)
    assert across_splits(membership, LargeValues.load(values.items())) == found
    return found


@SIZES
def test_a_group_in_two_splits_is_found_with_its_first_rows(large: int) -> None:
    rows = {"d": T, "c": T, "b": E, "a": V, "e": T, "x": T}
    values = dict.fromkeys("abcd", "Oslo") | {"e": "Bergen", "x": "Bergen"}

    found = crossings(rows, values, large)

    assert found == Crossings(
        1, 4, (Crossing("Oslo", 4, (("c", T), ("a", V), ("b", E))),)
    )
    assert str(found.samples[0]) == "c (TRAINING), a (VALIDATION), b (TEST) and 1 more"


@SIZES
def test_unassigned_rows_and_rows_without_a_group_are_in_nobodys_way(
    large: int,
) -> None:
    rows = {"a": T, "b": U, "c": E, "d": T, "e": E, "f": T}
    values = {"a": "Oslo", "b": "Oslo", "c": "", "d": "", "x": "Oslo", "y": "Bergen"}

    assert not crossings(rows, values, large)


@SIZES
def test_many_groups_are_counted_and_ten_are_shown(large: int) -> None:
    rows = {f"{n:02}-{split}": split for n in range(12) for split in (E, T)}
    values = {name: f"g{99 - int(name[:2])}" for name in rows}

    found = crossings(rows, values, large)

    assert (found.count, found.rows) == (12, 24)
    assert str(found.samples[0]) == "00-TRAINING (TRAINING), 00-TEST (TEST)"
    assert [one.value for one in found.samples] == [f"g{99 - n}" for n in range(10)]


names = st.sampled_from("abcdef")
splits = st.dictionaries(names, st.sampled_from(Split), min_size=1)


@given(rows=splits, values=st.dictionaries(names, st.sampled_from(["", "g", "h"])))
def test_what_is_found_does_not_depend_on_where_rows_are_kept(
    rows: dict[str, Split], values: dict[str, str]
) -> None:
    assert crossings(rows, values, 0) == crossings(rows, values, 1000)


@SIZES
@pytest.mark.parametrize("other", [1000, 0], ids=["plain", "large"])
def test_rows_that_are_examined_and_learned_are_found(large: int, other: int) -> None:
    evaluation = members({"a": T, "b": E, "c": V, "d": U}, large)
    trained = members({"a": T, "b": T, "c": T, "d": T, "e": T}, other)
    examined_too = members({"b": E, "c": V, "d": U}, other)

    found = trained_on(evaluation=evaluation, trained=trained)

    assert found == Overlap(3, ("b", "c", "d"))
    assert not trained_on(evaluation=evaluation, trained=examined_too)


@SIZES
def test_without_splits_all_rows_are_examined_and_none_is_learned(large: int) -> None:
    evaluation = members({"a": T}, large, assigns_splits=False)
    trained = members({"a": T}, large)

    assert trained_on(evaluation=evaluation, trained=trained) == Overlap(1, ("a",))
    assert not trained_on(evaluation=trained, trained=evaluation)


@SIZES
def test_many_learned_rows_are_counted_and_ten_are_shown(large: int) -> None:
    rows = [f"{n:02}" for n in range(12)]

    found = trained_on(
        evaluation=members(dict.fromkeys(rows, E), large),
        trained=members(dict.fromkeys(rows, T), large),
    )

    assert found == Overlap(12, tuple(rows[:10]))


many = st.lists(st.tuples(splits, st.booleans(), st.booleans()), max_size=12)


@given(evaluations=many, trained=splits)
def test_many_memberships_are_compared_as_each_of_them_is(
    evaluations: list[tuple[dict[str, Split], bool, bool]], trained: dict[str, Split]
) -> None:
    examined = [
        members(
            rows,
            0 if is_large else 1000,
            RowIdentity.DATA_ROW_ID if by_id else RowIdentity.GLOBAL_KEY,
        )
        for rows, is_large, by_id in evaluations
    ]
    learned = members(trained)

    assert [*Examinations(examined).trained_on(learned).items()] == [
        (position, overlap)
        for position, one in enumerate(examined)
        if (overlap := trained_on(evaluation=one, trained=learned))
    ]


def test_many_memberships_are_looked_up_and_not_gone_through() -> None:
    count = 2000
    examined = [members({f"{n}": E, "all": T}) for n in range(count)]
    learned = [members({f"{n + 1}": T, "all": T}) for n in range(count)]
    examinations = Examinations(examined)

    started = time.process_time()
    found = [examinations.trained_on(one) for one in learned]

    assert time.process_time() - started < 0.5
    assert found == [
        *({n + 1: Overlap(1, (f"{n + 1}",))} for n in range(count - 1)),
        {},
    ]


def test_rows_named_in_other_ways_cannot_be_compared() -> None:
    evaluation = members({"a": E}, by=RowIdentity.DATA_ROW_ID)

    assert not trained_on(evaluation=evaluation, trained=members({"a": T}))


@given(evaluation=splits, trained=splits)
def test_what_is_learned_does_not_depend_on_where_rows_are_kept(
    evaluation: dict[str, Split], trained: dict[str, Split]
) -> None:
    expected = trained_on(evaluation=members(evaluation), trained=members(trained))

    assert expected.samples == tuple(
        sorted(n for n in trained if trained[n] is T and evaluation.get(n, T) is not T)
    )
    assert expected == trained_on(
        evaluation=members(evaluation, 0), trained=members(trained, 0)
    )

"""What differs between a membership and the rows a run has."""

import pytest

from reconciler.rows.change import CurrentRow, RowsChange
from reconciler.rows.current import collect
from reconciler.rows.diff import diff_rows
from reconciler.rows.membership import make_membership
from reconciler.state.resources import RowIdentity, Split

WANTED = {
    "b": Split.TRAINING,
    "a": Split.TRAINING,
    "moved": Split.TEST,
    "kept": Split.TEST,
    "new": Split.VALIDATION,
}
THERE = [
    CurrentRow("4", "z-gone", Split.TEST),
    CurrentRow("3", "gone", Split.TRAINING),
    CurrentRow("2", None, Split.TRAINING),
    CurrentRow("1", "kept", Split.TEST),
    CurrentRow("0", "moved", Split.TRAINING),
]

both = pytest.mark.parametrize("large", [100, 0], ids=["plain", "large"])


@both
def test_rows_are_added_moved_and_removed(large: int) -> None:
    desired = make_membership(WANTED, by=RowIdentity.GLOBAL_KEY, large=large)
    current = collect([THERE], large=large)

    change = diff_rows(desired=desired, current=current)

    assert change == RowsChange(
        by=RowIdentity.GLOBAL_KEY,
        added={Split.TRAINING: ("a", "b"), Split.VALIDATION: ("new",)},
        moved={(Split.TRAINING, Split.TEST): ("moved",)},
        removed=(THERE[1], THERE[0], THERE[2]),
        kept=1,
        before=current.digest(RowIdentity.GLOBAL_KEY),
        after=desired.digest(),
    )
    assert list(change.added) == [Split.TRAINING, Split.VALIDATION]


@both
def test_rows_named_by_id_are_compared_by_id(large: int) -> None:
    wanted = {"1": Split.TEST, "2": Split.TEST, "9": Split.TEST}
    desired = make_membership(wanted, by=RowIdentity.DATA_ROW_ID, large=large)

    change = diff_rows(desired=desired, current=collect([THERE], large=large))

    assert change.added == {Split.TEST: ("9",)}
    assert change.moved == {(Split.TRAINING, Split.TEST): ("2",)}
    assert change.removed == (THERE[4], THERE[1], THERE[0])
    assert change.kept == 1


@both
def test_nothing_differs_and_nothing_is_digested(large: int) -> None:
    rows = [row for row in THERE if row.key]
    desired = make_membership(
        {row.key: row.split for row in rows if row.key},
        by=RowIdentity.GLOBAL_KEY,
        large=large,
    )

    change = diff_rows(desired=desired, current=collect([rows], large=large))

    assert change == RowsChange(
        by=RowIdentity.GLOBAL_KEY, added={}, moved={}, removed=(), kept=4
    )


@both
def test_unmanaged_splits_move_nothing_and_add_as_unassigned(large: int) -> None:
    desired = make_membership(
        WANTED, by=RowIdentity.GLOBAL_KEY, assigns_splits=False, large=large
    )

    change = diff_rows(desired=desired, current=collect([THERE], large=large))

    assert change.added == {Split.UNASSIGNED: ("a", "b", "new")}
    assert change.moved == {}
    assert change.kept == 2


@both
def test_an_empty_membership_removes_everything(large: int) -> None:
    desired = make_membership({}, by=RowIdentity.GLOBAL_KEY, large=large)

    change = diff_rows(desired=desired, current=collect([THERE], large=large))

    assert change.removed_count == 5
    assert change.kept == 0


@both
def test_memberships_of_the_same_rows_are_equal(large: int) -> None:
    one = make_membership(WANTED, by=RowIdentity.GLOBAL_KEY, large=large)
    same = make_membership(dict(WANTED), by=RowIdentity.GLOBAL_KEY, large=large)
    other = make_membership(
        {**WANTED, "kept": Split.TRAINING}, by=RowIdentity.GLOBAL_KEY, large=large
    )

    assert one == same
    assert one != other
    assert one.counts() == {Split.TRAINING: 2, Split.VALIDATION: 1, Split.TEST: 2}

"""A membership and the rows a run has to what differs between them."""

from itertools import product

from reconciler.rows.change import CurrentRow, RowsChange
from reconciler.rows.current import CurrentRows, PlainCurrentRows
from reconciler.rows.plain import PlainMembership
from reconciler.state.resources import Membership, RowIdentity, Split


def diff_rows(*, desired: Membership, current: CurrentRows) -> RowsChange:
    """Compare members by name and, where splits are managed, splits by value.

    A row that is in both but in another split is moved. A row of the run that
    has no name of the kind that the membership uses can't be wanted, so it is
    removed. Where splits aren't managed nothing is moved, and what is added
    enters as UNASSIGNED.

    Two small sides are compared as dictionaries, otherwise both are joined in
    DuckDB; the answer is the same, in the same order: splits in their own order,
    names by code point, removed rows by name with the nameless last.
    """
    if isinstance(desired, PlainMembership) and isinstance(current, PlainCurrentRows):
        return _diff_plain(desired, current)

    from reconciler.rows.large import (  # duckdb is slow to import
        LargeCurrentRows,
        LargeMembership,
        diff_large,
    )

    if isinstance(desired, PlainMembership):
        desired = LargeMembership.load(
            desired.rows.items(), by=desired.by, assigns_splits=desired.assigns_splits
        )
    if isinstance(current, PlainCurrentRows):
        current = LargeCurrentRows.load(current.rows)
    assert isinstance(desired, LargeMembership)
    assert isinstance(current, LargeCurrentRows)
    return diff_large(desired=desired, current=current)


def _diff_plain(desired: PlainMembership, current: PlainCurrentRows) -> RowsChange:
    to, of = desired.rows, current.splits(desired.by)
    managed = desired.assigns_splits
    same = to == of if managed else to.keys() == of.keys()
    if same and len(of) == len(current):
        return RowsChange(
            by=desired.by, added={}, moved={}, removed=(), kept=len(current)
        )
    shared = to.keys() & of.keys()
    added: dict[Split, list[str]] = {}
    for name in sorted(to.keys() - shared):
        added.setdefault(to[name], []).append(name)
    moved: dict[tuple[Split, Split], list[str]] = {}
    for name in sorted(shared) if managed else ():
        if of[name] is not to[name]:
            moved.setdefault((of[name], to[name]), []).append(name)
    removed = [row for row in current.rows if _name(row, desired.by) not in to]
    removed.sort(key=lambda row: _removal_order(row, desired.by))
    return RowsChange(
        by=desired.by,
        added={split: tuple(added[split]) for split in Split if split in added},
        moved={
            pair: tuple(moved[pair]) for pair in product(Split, Split) if pair in moved
        },
        removed=tuple(removed),
        kept=len(shared) - sum(map(len, moved.values())),
        before=current.digest(desired.by),
        after=desired.digest(),
    )


def _name(row: CurrentRow, by: RowIdentity) -> str | None:
    match by:
        case RowIdentity.GLOBAL_KEY:
            return row.key
        case RowIdentity.DATA_ROW_ID:
            return row.id


def _removal_order(row: CurrentRow, by: RowIdentity) -> tuple[bool, str, str]:
    name = _name(row, by)
    return name is None, name or "", row.id

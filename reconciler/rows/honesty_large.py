"""Whether splits are honest, of rows that are kept in DuckDB.

Answers are the same as those of the plain checks, which are the reference.
"""

# Every name put into SQL is a table or column name of this package or a number;
# whatever a user wrote is a parameter.
# ruff: noqa: S608

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Self

from reconciler.rows import tables
from reconciler.rows.honesty import SAMPLES, Crossing, Crossings, Overlap, Values
from reconciler.rows.large import LargeMembership
from reconciler.rows.tables import SPLITS, Table
from reconciler.state.resources import Membership, Split

_TRAINING: Final = SPLITS.index(Split.TRAINING)
_UNASSIGNED: Final = SPLITS.index(Split.UNASSIGNED)


@dataclass(frozen=True, eq=False)
class LargeValues:
    """Texts of many rows, in a table `(name, value)`."""

    table: Table

    def __len__(self) -> int:
        with tables.cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {self.table}")
            [(count,)] = cursor.fetchall()
        assert isinstance(count, int)
        return count

    def plain(self) -> dict[str, str]:
        """Take the values out of DuckDB."""
        with tables.cursor() as cursor:
            cursor.execute(f"SELECT name, value FROM {self.table}")
            return {row[0]: row[1] for row in tables.fetched(cursor)}

    @classmethod
    def load(cls, values: Iterable[tuple[str, str]]) -> Self:
        """Bring names and values into DuckDB."""
        table = Table()
        with tables.cursor() as cursor:
            cursor.execute(f"CREATE TABLE {table} (name VARCHAR, value VARCHAR)")
            tables.insert_texts(cursor, table, values)
        return cls(table)


def across_splits_large(membership: Membership, values: Values) -> Crossings:
    """Find values that rows of more than one split have."""
    members = _in_table(membership)
    if isinstance(values, Mapping):
        values = LargeValues.load(values.items())
    joined = (
        f"(SELECT v.value, m.name, m.split FROM {members.table} AS m "
        f"JOIN {values.table} AS v ON m.name = v.name "
        f"WHERE m.split <> {_UNASSIGNED} AND v.value <> '')"
    )
    crossing = Table()
    with tables.cursor() as cursor:
        cursor.execute(
            f"CREATE TABLE {crossing} AS "
            f"SELECT value, count(*) AS rows, min(name) AS first FROM {joined} "
            "GROUP BY value HAVING min(split) <> max(split)"
        )
        cursor.execute(f"SELECT count(*), coalesce(sum(rows), 0) FROM {crossing}")
        [(count, rows)] = cursor.fetchall()
        cursor.execute(
            "SELECT c.value, c.rows, j.split, min(j.name) FROM "
            f"(SELECT * FROM {crossing} ORDER BY first, value LIMIT {SAMPLES}) AS c "
            f"JOIN {joined} AS j ON c.value = j.value "
            "GROUP BY c.first, c.value, c.rows, j.split ORDER BY c.first, c.value, j.split"
        )
        shown: dict[str, Crossing] = {}
        for value, number, code, name in cursor.fetchall():
            before = shown[value].first if value in shown else ()
            shown[value] = Crossing(value, number, (*before, (name, SPLITS[code])))
    return Crossings(count, int(rows), tuple(shown.values()))


def trained_on_large(*, evaluation: Membership, trained: Membership) -> Overlap:
    """Find rows that one membership evaluates, and another one trains on."""
    examined, learned = _in_table(evaluation), _in_table(trained)
    with tables.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) OVER (), e.name FROM {examined.table} AS e "
            f"JOIN {learned.table} AS t ON e.name = t.name "
            f"WHERE e.split <> {_TRAINING} AND t.split = {_TRAINING} "
            f"ORDER BY e.name LIMIT {SAMPLES}"
        )
        found = cursor.fetchall()
    return Overlap(found[0][0] if found else 0, tuple(name for _, name in found))


def _in_table(membership: Membership) -> LargeMembership:
    if isinstance(membership, LargeMembership):
        return membership
    assert isinstance(membership, Iterable)
    return LargeMembership.load(
        membership, by=membership.by, assigns_splits=membership.assigns_splits
    )

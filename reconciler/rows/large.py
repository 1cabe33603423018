"""Memberships and rows of runs that are kept in DuckDB, and their difference.

Answers are the same as those of the plain ones, which are the reference.
"""

# Every name put into SQL is a table or column name of this package or a number;
# whatever a user wrote is a parameter.
# ruff: noqa: S608

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from typing import Self

from reconciler.rows import tables
from reconciler.rows.change import CurrentRow, RowsChange
from reconciler.rows.digest import digest_lines
from reconciler.rows.plain import PlainMembership
from reconciler.rows.tables import LABELS, SPLITS, Table
from reconciler.state.resources import RowIdentity, Split


@dataclass(frozen=True, eq=False)
class LargeCurrentRows:
    """Many rows of a run, in a table `(id, key, split)`."""

    table: Table

    @classmethod
    def load(cls, rows: Iterable[CurrentRow]) -> Self:
        """Bring rows into DuckDB."""
        return cls(tables.current_table(rows))

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[CurrentRow]:
        with tables.cursor() as cursor:
            cursor.execute(f"SELECT id, key, {LABELS}[split + 1] FROM {self.table}")
            for row_id, key, split in tables.fetched(cursor):
                yield CurrentRow(row_id, key, Split(split))

    def digest(self, by: RowIdentity) -> str:
        """See `CurrentRows`."""
        match by:
            case RowIdentity.GLOBAL_KEY:
                return self._digest_by_key
            case RowIdentity.DATA_ROW_ID:
                return self._digest_by_id

    def repeated(self, limit: int) -> list[str]:
        """List some ids, or else global keys, that stand twice."""
        with tables.cursor() as cursor:
            for name in ("id", "key"):
                cursor.execute(
                    f"SELECT {name} FROM {self.table} WHERE {name} IS NOT NULL "
                    f"GROUP BY {name} HAVING count(*) > 1 ORDER BY {name} LIMIT {limit}"
                )
                if found := cursor.fetchall():
                    return [row[0] for row in found]
        return []

    @cached_property
    def _count(self) -> int:
        return _count(self.table)

    @cached_property
    def _digest_by_key(self) -> str:
        return _digest(self.table, "coalesce(key, chr(9) || id)")

    @cached_property
    def _digest_by_id(self) -> str:
        return _digest(self.table, "id")


@dataclass(frozen=True, eq=False)
class LargeMembership:
    """Many rows that a run should have, in a table `(name, split)`."""

    table: Table
    by: RowIdentity
    assigns_splits: bool

    @classmethod
    def load(
        cls, rows: Iterable[tuple[str, Split]], *, by: RowIdentity, assigns_splits: bool
    ) -> Self:
        """Bring names and splits into DuckDB."""
        return cls(tables.membership_table(rows), by, assigns_splits)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[tuple[str, Split]]:
        with tables.cursor() as cursor:
            cursor.execute(f"SELECT name, {LABELS}[split + 1] FROM {self.table}")
            for name, split in tables.fetched(cursor):
                yield name, Split(split)

    def plain(self) -> PlainMembership:
        """Take the rows out of DuckDB."""
        return PlainMembership(dict(self), self.by, self.assigns_splits)

    def counts(self) -> Mapping[Split, int]:
        """See `Membership`."""
        return self._counts

    def digest(self) -> str:
        """See `Membership`."""
        return self._digest

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, LargeMembership):
            return NotImplemented
        return self.table is other.table or (
            (self.by, self.assigns_splits, self._count)
            == (other.by, other.assigns_splits, other._count)
            and self._digest == other._digest
        )

    __hash__ = None  # type: ignore[assignment]  # as plain ones: they hold a mapping

    @cached_property
    def _count(self) -> int:
        return _count(self.table)

    @cached_property
    def _counts(self) -> Mapping[Split, int]:
        with tables.cursor() as cursor:
            cursor.execute(
                f"SELECT split, count(*) FROM {self.table} GROUP BY split ORDER BY split"
            )
            return {SPLITS[code]: count for code, count in cursor.fetchall()}

    @cached_property
    def _digest(self) -> str:
        return _digest(self.table, "name")


def diff_large(*, desired: LargeMembership, current: LargeCurrentRows) -> RowsChange:
    """Compare as `diff_rows` does, with a single join when nothing differs."""
    name = "key" if desired.by is RowIdentity.GLOBAL_KEY else "id"
    differ = "d.split <> c.split" if desired.assigns_splits else "false"
    to = f"{desired.table} AS d"
    of = f"{current.table} AS c"
    on = f"ON d.name = c.{name}"
    with tables.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*), count(*) FILTER ({differ}) FROM {to} JOIN {of} {on}"
        )
        [(shared, moving)] = cursor.fetchall()
        adding, removing = len(desired) - shared, len(current) - shared
        added: dict[Split, tuple[str, ...]] = {}
        moved: dict[tuple[Split, Split], tuple[str, ...]] = {}
        removed: tuple[CurrentRow, ...] = ()
        if adding:
            cursor.execute(
                f"SELECT d.split, d.name FROM {to} ANTI JOIN {of} {on} ORDER BY ALL"
            )
            for code, rows in itertools.groupby(cursor.fetchall(), itemgetter(0)):
                added[SPLITS[code]] = tuple(row[1] for row in rows)
        if moving:
            cursor.execute(
                f"SELECT c.split, d.split, d.name FROM {to} JOIN {of} {on} "
                f"WHERE {differ} ORDER BY ALL"
            )
            for codes, rows in itertools.groupby(cursor.fetchall(), itemgetter(0, 1)):
                moved[SPLITS[codes[0]], SPLITS[codes[1]]] = tuple(r[2] for r in rows)
        if removing:
            cursor.execute(
                f"SELECT c.id, c.key, c.split FROM {of} ANTI JOIN {to} {on} "
                f"ORDER BY c.{name} NULLS LAST, c.id"
            )
            removed = tuple(
                CurrentRow(row_id, key, SPLITS[code])
                for row_id, key, code in cursor.fetchall()
            )
    differs = bool(adding or moving or removing)
    return RowsChange(
        by=desired.by,
        added=added,
        moved=moved,
        removed=removed,
        kept=shared - moving,
        before=current.digest(desired.by) if differs else None,
        after=desired.digest() if differs else None,
    )


def _count(table: Table) -> int:
    with tables.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        [(count,)] = cursor.fetchall()
    assert isinstance(count, int)
    return count


def _digest(table: Table, name: str) -> str:
    with tables.cursor() as cursor:
        cursor.execute(
            f"SELECT {name} || chr(9) || {LABELS}[split + 1] || chr(10) AS line "
            f"FROM {table} ORDER BY line"
        )
        return digest_lines(line for (line,) in tables.fetched(cursor))

"""Data rows as requests name them: by id, by global key, some by either."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, func, select

from reconciler.server.errors import bad_input
from reconciler.server.store.bulk import as_list, listed
from reconciler.server.store.tables import data_rows

SHOWN: Final = 20
"""How many unknown names an error lists."""


@dataclass(frozen=True, slots=True)
class Naming:
    """Data rows by id, by global key, or some by either.

    Attributes:
        ids: Ids of data rows.
        keys: Global keys.
    """

    ids: Sequence[str]
    keys: Sequence[str]

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> "Naming":
        """Read the two lists that most inputs have."""
        return cls(data.get("dataRowIds") or (), data.get("globalKeys") or ())

    @classmethod
    def by_type(cls, identifiers: Mapping[str, Any]) -> "Naming":
        """Read a list that says of which kind its names are.

        Raises:
            ApiError: When it is neither kind.
        """
        match identifiers["idType"]:
            case "ID":
                return cls(identifiers["ids"], ())
            case "GKEY":
                return cls((), identifiers["ids"])
            case other:
                raise bad_input(f"idType must be ID or GKEY, not '{other}'")

    def columns(self) -> Iterator[tuple[ColumnElement[Any], str, str, int]]:
        """Give each way of naming: column, what to call it, names, how many."""
        if self.ids:
            yield (data_rows.c.id, "data row ids", *as_list(self.ids))
        if self.keys:
            yield (data_rows.c.global_key, "global keys", *as_list(self.keys))

    def __bool__(self) -> bool:
        return bool(self.ids or self.keys)


def numbers(column: ColumnElement[Any]) -> Select[Any]:
    """Select the numbers of the data rows that the list `names` names."""
    names = listed("names")
    return select(data_rows.c.pk).join_from(names, data_rows, column == names.c.value)


def unknown(db: Connection, rows: Naming) -> str | None:
    """Say which of these data rows don't exist, or None."""
    for column, kind, text, wanted in rows.columns():
        names = listed("names")
        known = select(func.count()).select_from(
            names.join(data_rows, column == names.c.value)
        )
        found = db.execute(known, {"names": text}).scalar_one()
        if found != wanted:
            absent = select(names.c.value).where(
                ~select(data_rows.c.pk).where(column == names.c.value).exists()
            )
            shown = db.execute(absent.limit(SHOWN), {"names": text}).scalars()
            return complain(f"unknown {kind}", wanted - found, shown.all())
    return None


def strangers(
    db: Connection, rows: Naming, inside: ColumnElement[bool], where: str
) -> str | None:
    """Say which of these data rows are not inside something, or None.

    Args:
        db: The transaction.
        rows: Data rows that exist.
        inside: Holds for the `data_rows` that are inside. An EXISTS and not a
            join: joined, SQLite walks what they shall be in and searches the
            list for each of its rows.
        where: What to call it.
    """
    for column, kind, text, wanted in rows.columns():
        names = listed("names")
        rows_named = names.join(data_rows, column == names.c.value)
        members = select(func.count()).select_from(rows_named).where(inside)
        found = db.execute(members, {"names": text}).scalar_one()
        if found != wanted:
            absent = select(names.c.value).select_from(rows_named).where(~inside)
            shown = db.execute(absent.limit(SHOWN), {"names": text}).scalars()
            return complain(
                f"{kind} that are not in {where}", wanted - found, shown.all()
            )
    return None


def complain(what: str, count: int, shown: Sequence[str]) -> str:
    """Count what is wrong, and show the first of them."""
    more = f" and {count - len(shown)} more" if count > len(shown) else ""
    return f"{count} {what}: {', '.join(shown)}{more}"

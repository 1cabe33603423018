"""The metadata of data rows in the store: many rows are read and written at once."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, select

from reconciler.server.errors import bad_input
from reconciler.server.importing.metadata import Entry, Unfit, merged, told, without
from reconciler.server.store.bulk import as_list, change_all, listed
from reconciler.server.store.database import Store
from reconciler.server.store.metadata import read_schema
from reconciler.server.store.tables import data_rows

_BY: Final = {"ID": data_rows.c.id, "GKEY": data_rows.c.global_key}


def upsert_values(
    db: Connection, store: Store, asked: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Set values of data rows; answers those of `asked` that can't be, and why.

    Args:
        db: The transaction.
        store: The clock.
        asked: `{"dataRowId"? or "globalKey"?, "fields": [{"schemaId", "value"}]}`.
    """
    schema = read_schema(db)

    def change(one: Mapping[str, Any], entries: list[Entry]) -> list[Entry]:
        for given in one["fields"]:
            known = given["schemaId"]
            if known not in schema.by_id and known not in schema.options:
                raise Unfit(f"there is no metadata field '{known}'")
        return merged(entries, schema.entries(one["fields"]))

    rows = _Rows(db, asked, _identify)
    failed = []
    for one in asked:
        error = rows.change(one, change)
        if error is not None:
            failed.append(
                {
                    "globalKey": one.get("globalKey"),
                    "dataRowId": one.get("dataRowId"),
                    "error": error,
                    "fields": [{"value": None, **given} for given in one["fields"]],
                }
            )
    rows.write(store)
    return failed


def delete_values(
    db: Connection, store: Store, asked: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Take values of data rows away; answers what wasn't there.

    Args:
        db: The transaction.
        store: The clock.
        asked: `{"dataRowIdentifier": {"id", "idType"}, "schemaIds"}`.
    """

    def named(one: Mapping[str, Any]) -> tuple[str, str]:
        row = one["dataRowIdentifier"]
        return row["idType"], row["id"]

    rows = _Rows(db, asked, named)
    failed = []
    for one in asked:
        absent: list[str] = []

        def change(
            one: Mapping[str, Any], entries: list[Entry], absent: list[str] = absent
        ) -> list[Entry]:
            left, missing = without(entries, one["schemaIds"])
            absent.extend(missing)
            return left

        error = rows.change(one, change)
        if error is not None or absent:
            schemas = absent if error is None else one["schemaIds"]
            failed.append(
                {
                    "dataRowId": one["dataRowIdentifier"]["id"],
                    "error": error or "Schema did not exist",
                    "fields": [{"schemaId": name, "value": None} for name in schemas],
                }
            )
    rows.write(store)
    return failed


def read_values(
    db: Connection, identifiers: Sequence[str], id_type: str
) -> list[dict[str, Any]]:
    """Read the values of data rows, in the order asked; unknown rows are left out."""
    column = _column(id_type)
    names = listed("names")
    query = select(
        column, data_rows.c.id, data_rows.c.global_key, data_rows.c.metadata_fields
    ).join(names, column == names.c.value)
    found = {
        name: {
            "dataRowId": id_,
            "globalKey": key,
            "fields": told(msgspec.json.decode(text)),
        }
        for name, id_, key, text in db.execute(
            query, {"names": as_list(identifiers)[0]}
        )
    }
    return [found[name] for name in identifiers if name in found]


class _Rows:
    """The metadata of some rows while it is changed."""

    def __init__(
        self,
        db: Connection,
        asked: Iterable[Mapping[str, Any]],
        named: Callable[[Mapping[str, Any]], tuple[str, str]],
    ) -> None:
        self._db = db
        self._named = named
        self._numbers: dict[tuple[str, str], int] = {}
        self._entries: dict[int, list[Entry]] = {}
        self._changed: set[int] = set()
        wanted: dict[str, list[str]] = {}
        for one in asked:
            kind, name = named(one)
            wanted.setdefault(kind, []).append(name)
        for kind, values in wanted.items():
            self._read(kind, values)

    def _read(self, kind: str, values: Sequence[str]) -> None:
        column = _column(kind)
        names = listed("names")
        query = select(column, data_rows.c.pk, data_rows.c.metadata_fields).join(
            names, column == names.c.value
        )
        for name, pk, text in self._db.execute(query, {"names": as_list(values)[0]}):
            self._numbers[kind, name] = pk
            self._entries.setdefault(pk, msgspec.json.decode(text))

    def change(
        self,
        one: Mapping[str, Any],
        change: Callable[[Mapping[str, Any], list[Entry]], list[Entry]],
    ) -> str | None:
        """Change what one item names; answers why it can't be changed."""
        kind, name = self._named(one)
        pk = self._numbers.get((kind, name))
        if pk is None:
            return f"there is no data row '{name}'"
        try:
            self._entries[pk] = change(one, self._entries[pk])
        except Unfit as reason:
            return str(reason)
        self._changed.add(pk)
        return None

    def write(self, store: Store) -> None:
        """Write what was changed."""
        now = store.now()
        change_all(
            self._db,
            data_rows.c.pk,
            (data_rows.c.metadata_fields, data_rows.c.updated_at),
            (
                (msgspec.json.encode(self._entries[pk]).decode(), now, pk)
                for pk in sorted(self._changed)
            ),
        )


def _identify(one: Mapping[str, Any]) -> tuple[str, str]:
    if one.get("dataRowId"):
        return "ID", one["dataRowId"]
    return "GKEY", one.get("globalKey") or ""


def _column(id_type: str) -> Any:
    if id_type not in _BY:
        raise bad_input(f"idType is {id_type!r}; it takes {' or '.join(_BY)}")
    return _BY[id_type]

"""The fields of metadata that an organisation has made, in the store."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, delete, func, insert, select, update

from reconciler.server.errors import (
    ApiError,
    Code,
    not_found,
    unprocessable,
)
from reconciler.server.importing.metadata import (
    OPTION,
    Field,
    Kind,
    MetadataSchema,
    Option,
)
from reconciler.server.store.bulk import change_all
from reconciler.server.store.database import Store
from reconciler.server.store.tables import data_rows, metadata_schemas

NAME_LENGTH: Final = 100
"""The longest name of a field or an option."""


def read_schema(db: Connection) -> MetadataSchema:
    """Read the organisation's fields."""
    rows = db.execute(select(metadata_schemas).order_by(metadata_schemas.c.pk)).all()
    options: dict[int, list[Option]] = {}
    for row in rows:
        if row.parent_pk is not None:
            options.setdefault(row.parent_pk, []).append(Option(row.id, row.name))
    return MetadataSchema(
        Field(row.id, row.name, Kind(row.kind), options=tuple(options.get(row.pk, ())))
        for row in rows
        if row.parent_pk is None
    )


def describe(field: Field) -> dict[str, Any]:
    """Tell a field, with all that the API says of it."""
    return {
        "id": field.id,
        "name": field.name,
        "kind": field.kind,
        "reserved": field.reserved,
        "options": [
            {
                "id": one.id,
                "name": one.name,
                "kind": OPTION,
                "reserved": field.reserved,
            }
            for one in field.options
        ],
    }


def upsert_field(db: Connection, store: Store, asked: Mapping[str, Any]) -> Field:
    """Create a field, or rename one and its options; options are never taken away.

    Rows that hold its values are told by the new names.

    Args:
        db: The transaction.
        store: Where ids come from.
        asked: `{"id"?, "name", "kind", "options"?: [{"id"?, "name"}]}`.

    Raises:
        ApiError: When that can't be.
    """
    schema = read_schema(db)
    old = _own(schema, asked["id"]) if asked.get("id") else None
    name, options = _name(asked["name"]), asked.get("options") or ()
    kind = _kind(asked["kind"], old)
    if options and kind is not Kind.ENUM:
        raise unprocessable(f"a field of the kind {kind} has no options")
    taken = schema.by_name.get(name)
    if taken is not None and taken is not old:
        raise ApiError(
            Code.MALFORMED_REQUEST, f"there is a metadata field named '{name}' already"
        )
    identifier = old.id if old else next(store.ids())
    if old is None:
        _add(db, identifier, name, kind, None)
    elif old.name != name:
        _rename(db, identifier, name)
        _rewrite(db, identifier, "schemaId", {"name": name})
    _set_options(db, store, identifier, old.options if old else (), options)
    return read_schema(db).by_id[identifier]


def delete_field(db: Connection, identifier: str) -> None:
    """Delete a field with its options, and every row's value of it.

    Raises:
        ApiError: When there is none, or it is reserved.
    """
    _own(read_schema(db), identifier)
    pk = select(metadata_schemas.c.pk).where(metadata_schemas.c.id == identifier)
    number = db.execute(pk).scalar_one()
    db.execute(delete(metadata_schemas).where(metadata_schemas.c.pk == number))
    _rewrite(db, identifier, "schemaId", None)


def _own(schema: MetadataSchema, identifier: str) -> Field:
    field = schema.by_id.get(identifier)
    if field is None:
        raise not_found("CustomMetadataSchema", identifier)
    if field.reserved:
        raise unprocessable(f"the metadata field '{field.name}' is reserved")
    return field


def _name(text: str) -> str:
    name = text.strip()
    if not 0 < len(name) <= NAME_LENGTH:
        raise unprocessable(
            f"a name of metadata has between 1 and {NAME_LENGTH} characters"
        )
    return name


def _kind(text: str, old: Field | None) -> Kind:
    if text not in set(Kind):
        known = ", ".join(Kind)
        raise unprocessable(f"there is no kind {text!r} of metadata, only {known}")
    if old is not None and old.kind != text:
        raise unprocessable(f"the kind of '{old.name}' is {old.kind}, and stays so")
    return Kind(text)


def _set_options(
    db: Connection,
    store: Store,
    identifier: str,
    old: Sequence[Option],
    asked: Sequence[Mapping[str, Any]],
) -> None:
    parent = db.execute(
        select(metadata_schemas.c.pk).where(metadata_schemas.c.id == identifier)
    ).scalar_one()
    names = {one.id: one.name for one in old}
    for one in asked:
        known, name = one.get("id"), _name(one["name"])
        if known is None:
            known = next(store.ids())
            _add(db, known, name, OPTION, parent)
        elif known not in names:
            raise not_found("CustomMetadataEnumOption", known)
        elif names[known] != name:
            _rename(db, known, name)
            _rewrite(db, known, "option", {"value": name})
        names[known] = name
    if len(set(names.values())) < len(names):
        raise unprocessable("two options have the same name")


def _add(
    db: Connection, identifier: str, name: str, kind: str, parent: int | None
) -> None:
    db.execute(
        insert(metadata_schemas).values(
            id=identifier, name=name, kind=kind, parent_pk=parent
        )
    )


def _rename(db: Connection, identifier: str, name: str) -> None:
    db.execute(
        update(metadata_schemas)
        .where(metadata_schemas.c.id == identifier)
        .values(name=name)
    )


def _rewrite(
    db: Connection, identifier: str, member: str, values: Mapping[str, str] | None
) -> None:
    """Set members of every row's entries that have an id; None removes them.

    This looks at every row of the store: fields change rarely, rows are read often.
    """
    holding = func.instr(data_rows.c.metadata_fields, identifier) > 0
    rows = db.execute(
        select(data_rows.c.pk, data_rows.c.metadata_fields).where(holding)
    )
    changed = []
    for pk, text in rows:
        entries = [
            {**one, **(values or {})} if one.get(member) == identifier else one
            for one in msgspec.json.decode(text)
            if values is not None or one.get(member) != identifier
        ]
        changed.append((msgspec.json.encode(entries).decode(), pk))
    change_all(db, data_rows.c.pk, (data_rows.c.metadata_fields,), changed)

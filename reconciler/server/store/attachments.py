"""What is attached to data rows."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Select, delete, insert, select, update

from reconciler.server.errors import bad_input, not_found
from reconciler.server.files import Urls
from reconciler.server.store.bulk import listed
from reconciler.server.store.database import Store
from reconciler.server.store.imports import own_files
from reconciler.server.store.tables import attachments, data_rows, files


def read_attachments(
    db: Connection, urls: Urls, row_pks: Sequence[int]
) -> dict[int, list[dict[str, Any]]]:
    """Read the attachments of some data rows, by the row's number."""
    names = listed("names")
    query = (
        _query()
        .join(names, attachments.c.row_pk == names.c.value)
        .order_by(attachments.c.row_pk, attachments.c.pk)
    )
    found: dict[int, list[dict[str, Any]]] = {}
    parameters = {"names": msgspec.json.encode(row_pks).decode()}
    for row in db.execute(query, parameters):
        found.setdefault(row[0], []).append(_told(urls, row))
    return found


def create_attachment(
    db: Connection, store: Store, urls: Urls, asked: Mapping[str, Any]
) -> dict[str, Any]:
    """Attach something to a data row, and tell it.

    Args:
        db: The transaction.
        store: Where ids come from.
        urls: How files are named.
        asked: `{"dataRowId", "type", "value", "name"?}`.

    Raises:
        ApiError: When there is no such row, or there is no value.
    """
    row_pk = db.execute(
        select(data_rows.c.pk).where(data_rows.c.id == asked["dataRowId"])
    ).scalar()
    if row_pk is None:
        raise not_found("DataRow", asked["dataRowId"])
    identifier = next(store.ids())
    db.execute(
        insert(attachments).values(
            id=identifier,
            row_pk=row_pk,
            type=asked["type"],
            name=asked.get("name"),
            **_content(db, store, asked["value"]),
        )
    )
    return _read(db, urls, identifier)


def update_attachment(
    db: Connection,
    store: Store,
    urls: Urls,
    identifier: str,
    asked: Mapping[str, Any],
) -> dict[str, Any]:
    """Change an attachment, and tell it; what is null stays as it is.

    Raises:
        ApiError: When there is none, or its value would be empty.
    """
    values = {name: asked[name] for name in ("type", "name") if asked.get(name)}
    if asked.get("value") is not None:
        values |= _content(db, store, asked["value"])
    if values:
        db.execute(
            update(attachments).where(attachments.c.id == identifier).values(**values)
        )
    return _read(db, urls, identifier)


def delete_attachment(db: Connection, identifier: str) -> None:
    """Delete an attachment.

    Raises:
        ApiError: When there is none.
    """
    gone = db.execute(delete(attachments).where(attachments.c.id == identifier))
    if not gone.rowcount:
        raise not_found("DataRowAttachment", identifier)


def _read(db: Connection, urls: Urls, identifier: str) -> dict[str, Any]:
    row = db.execute(_query().where(attachments.c.id == identifier)).first()
    if row is None:
        raise not_found("DataRowAttachment", identifier)
    return _told(urls, row)


def _content(db: Connection, store: Store, value: str) -> dict[str, Any]:
    if not value:
        raise bad_input("an attachment needs a value")
    text, file_pk = own_files(db, store, [value]).place(value)
    return {"value": text, "file_pk": file_pk}


def _query() -> Select[Any]:
    return (
        select(
            attachments.c.row_pk,
            attachments.c.id,
            attachments.c.type,
            attachments.c.name,
            attachments.c.value,
            files.c.id,
            files.c.name,
        )
        .select_from(attachments)
        .outerjoin(files, attachments.c.file_pk == files.c.pk)
    )


def _told(urls: Urls, row: Any) -> dict[str, Any]:
    _, identifier, kind, name, value, file_id, file_name = row
    url = value if file_id is None else urls.sign(file_id, file_name)
    return {"id": identifier, "type": kind, "name": name, "value": url}

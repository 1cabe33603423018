"""Data rows in the store: looked up, paged, deleted."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Select, select, update

from reconciler.server.errors import ApiError, Code, bad_input, not_found
from reconciler.server.files import Urls
from reconciler.server.importing.data_rows import key_problem, known_media
from reconciler.server.importing.metadata import Unfit, merged, told
from reconciler.server.shapes import Cut, Selected, Shape, cut
from reconciler.server.store import datasets as dataset_store
from reconciler.server.store.attachments import read_attachments
from reconciler.server.store.bulk import as_list, listed
from reconciler.server.store.database import Store
from reconciler.server.store.deletion import delete_selected
from reconciler.server.store.files import keep_named
from reconciler.server.store.imports import own_files
from reconciler.server.store.json_columns import as_json, as_text
from reconciler.server.store.metadata import read_schema
from reconciler.server.store.organization import ORGANIZATION_VIEW, USER_VIEW
from reconciler.server.store.tables import (
    data_rows,
    datasets,
    files,
    import_failures,
    import_successes,
    organizations,
    users,
)
from reconciler.server.store.views import Gathered, Made, View, compile_view
from reconciler.server.store.where import condition, cursor, length, position

_COLUMNS: Final = {
    "id": data_rows.c.id,
    "externalId": data_rows.c.external_id,
    "globalKey": data_rows.c.global_key,
    "rowData": data_rows.c.row_data,
    "createdAt": data_rows.c.created_at,
    "updatedAt": data_rows.c.updated_at,
}


def row_data(urls: Urls) -> Made:
    """Say how row data is read: as it came in, or as the URL of our file."""

    def make(text: str, file_id: str | None, name: str | None) -> str:
        return text if file_id is None else urls.sign(file_id, name or "")

    return Made((data_rows.c.row_data, files.c.id, files.c.name), make)


def view(db: Connection, urls: Urls) -> View:
    """Say how the fields of a data row are read."""

    def attached(selected: Selected, row_pks: Sequence[int]) -> dict[int, list[Any]]:
        shape = selected.shape
        assert shape is not None
        start = position(selected.args.get("skip"))
        stop = start + length(selected.args.get("first"))
        found = read_attachments(db, urls, row_pks)
        return {
            row_pk: cut(found.get(row_pk, [])[start:stop], shape) for row_pk in row_pks
        }

    return {
        "id": data_rows.c.id,
        "globalKey": data_rows.c.global_key,
        "externalId": data_rows.c.external_id,
        "rowData": row_data(urls),
        "mediaAttributes": Made((data_rows.c.media_attributes,), as_json),
        "customMetadata": Made((data_rows.c.metadata_fields,), _metadata, shaped=True),
        "metadataFields": Made((data_rows.c.metadata_fields,), _fields, shaped=True),
        "dataset": dataset_store.VIEW,
        "organization": ORGANIZATION_VIEW,
        "createdBy": USER_VIEW,
        "attachments": Gathered(data_rows.c.pk, attached),
        "createdAt": data_rows.c.created_at,
        "updatedAt": data_rows.c.updated_at,
    }


def joined(query: Select[Any], shape: Shape) -> Select[Any]:
    """Join to data rows what the selected fields of a row need."""
    if shape.has("rowData"):
        query = query.outerjoin(files, data_rows.c.file_pk == files.c.pk)
    if shape.has("dataset"):
        query = query.join(datasets, data_rows.c.dataset_pk == datasets.c.pk)
    dataset = shape.inside("dataset")
    if shape.has("createdBy") or dataset.has("createdBy"):
        query = query.join(users, users.c.pk > 0)
    if shape.has("organization") or dataset.has("organization"):
        query = query.join(organizations, organizations.c.pk > 0)
    return query


def read_rows(
    db: Connection, urls: Urls, shape: Shape, row_pks: Sequence[int]
) -> dict[int, dict[str, Any]]:
    """Read some data rows, by the row's number."""
    columns, project = compile_view(view(db, urls), shape)
    names = listed("names")
    query = joined(select(*columns, data_rows.c.pk).select_from(data_rows), shape)
    query = query.where(data_rows.c.pk.in_(select(names.c.value)))
    parameters = {"names": msgspec.json.encode(row_pks).decode()}
    rows = db.execute(query, parameters).all()
    pks = [row[-1] for row in rows]
    return dict(zip(pks, project.page(rows), strict=True))


def read_data_row(db: Connection, urls: Urls, shape: Shape, identifier: str) -> Cut:
    """Read a data row.

    Raises:
        ApiError: When there is none.
    """
    columns, project = compile_view(view(db, urls), shape)
    query = select(*columns, data_rows.c.pk).select_from(data_rows)
    row = db.execute(joined(query, shape).where(data_rows.c.id == identifier)).first()
    if row is None:
        raise not_found("DataRow", identifier)
    return Cut(project(row))


def page_of_dataset(
    db: Connection,
    urls: Urls,
    shape: Shape,
    dataset: str,
    *,
    after: str | None,
    first: int | None,
    where: Mapping[str, Any] | None,
) -> tuple[Cut, str | None]:
    """Read data rows of a dataset, the newest first, and the next page's cursor.

    Raises:
        ApiError: When there is no such dataset.
    """
    owner = db.execute(
        select(datasets.c.pk).where(
            datasets.c.id == dataset, datasets.c.deleted.is_(False)
        )
    ).scalar()
    if owner is None:
        raise not_found("Dataset", dataset)
    columns, project = compile_view(view(db, urls), shape)
    size = length(first, 500)
    query = (
        joined(select(*columns, data_rows.c.pk).select_from(data_rows), shape)
        .where(data_rows.c.dataset_pk == owner, condition(where, _COLUMNS))
        .order_by(data_rows.c.pk.desc())
        .limit(size + 1)
    )
    start = cursor(after)
    if start is not None:
        query = query.where(data_rows.c.pk < start)
    rows = db.execute(query).all()
    end = str(rows[size - 1][-1]) if len(rows) > size > 0 else None
    return Cut(project.page(rows[:size])), end


def ids_of_external_ids(
    db: Connection, external_ids: Sequence[str]
) -> list[dict[str, str]]:
    """Find the data rows that have one of these external ids."""
    names = listed("names")
    query = (
        select(data_rows.c.id, data_rows.c.external_id)
        .join(names, data_rows.c.external_id == names.c.value)
        .order_by(data_rows.c.pk)
    )
    found = db.execute(query, {"names": as_list(external_ids)[0]})
    return [{"dataRowId": id_, "externalId": external} for id_, external in found]


def update_data_row(
    db: Connection, store: Store, identifier: str, asked: Mapping[str, Any]
) -> None:
    """Change a data row; what is left out or null stays as it is.

    Args:
        db: The transaction.
        store: The clock.
        identifier: The row.
        asked: `{"externalId", "globalKey", "rowData", "metadataFields"}`, any of
            them; metadata is set field by field.

    Raises:
        ApiError: When there is no such row, another has the key, or a value can't
            be one.
    """
    row = db.execute(
        select(data_rows.c.pk, data_rows.c.metadata_fields).where(
            data_rows.c.id == identifier
        )
    ).first()
    if row is None:
        raise not_found("DataRow", identifier)
    values: dict[str, Any] = {"updated_at": store.now()}
    if asked.get("externalId") is not None:
        values["external_id"] = asked["externalId"]
    if (key := asked.get("globalKey")) is not None:
        values["global_key"] = _free_key(db, row.pk, key)
    if (text := asked.get("rowData")) is not None:
        values["row_data"], values["file_pk"] = own_files(db, store, [text]).place(text)
        keep_named(db, store, [text])
        values["media_attributes"] = as_text(known_media(text))
    if (given := asked.get("metadataFields")) is not None:
        try:
            new = read_schema(db).entries(given)
        except Unfit as reason:
            raise bad_input(str(reason)) from reason
        entries = merged(msgspec.json.decode(row.metadata_fields), new)
        values["metadata_fields"] = as_text(entries)
    db.execute(update(data_rows).where(data_rows.c.pk == row.pk).values(**values))


def _free_key(db: Connection, row_pk: int, key: str) -> str:
    if problem := key_problem(key):
        raise bad_input(problem)
    owner = db.execute(
        select(data_rows.c.pk).where(data_rows.c.global_key == key)
    ).scalar()
    if owner not in {None, row_pk}:
        raise ApiError(Code.RESOURCE_CONFLICT, f"Duplicate global key: '{key}'")
    return key


def delete_data_rows(db: Connection, identifiers: Sequence[str]) -> None:
    """Delete data rows, in runs as well; those that are gone already don't matter."""
    names = listed("names")
    doomed = select(data_rows.c.pk).join(names, data_rows.c.id == names.c.value)
    delete_selected(db, doomed, {"names": as_list(identifiers)[0]})


def page_of_successes(
    db: Connection,
    urls: Urls,
    shape: Shape,
    task_pk: int,
    *,
    after: str | None,
    first: int | None,
) -> tuple[Cut, str | None]:
    """Read data rows that an import created or updated, and the next page's cursor."""
    columns, project = compile_view(view(db, urls), shape)
    size = length(first, 5000)
    query = (
        joined(
            select(*columns, data_rows.c.pk)
            .select_from(import_successes)
            .join(data_rows, import_successes.c.row_pk == data_rows.c.pk),
            shape,
        )
        .where(
            import_successes.c.task_pk == task_pk,
            import_successes.c.row_pk > (cursor(after) or 0),
        )
        .order_by(import_successes.c.row_pk)
        .limit(size + 1)
    )
    rows = db.execute(query).all()
    end = str(rows[size - 1][-1]) if len(rows) > size > 0 else None
    return Cut(project.page(rows[:size])), end


def page_of_failures(
    db: Connection, task_pk: int, *, after: str | None, first: int | None
) -> tuple[list[dict[str, Any]], str | None]:
    """Read items that an import refused, and the next page's cursor."""
    size = length(first, 5000)
    rows = db.execute(
        select(import_failures.c.pk, import_failures.c.message, import_failures.c.spec)
        .where(
            import_failures.c.task_pk == task_pk,
            import_failures.c.pk > (cursor(after) or 0),
        )
        .order_by(import_failures.c.pk)
        .limit(size + 1)
    ).all()
    end = str(rows[size - 1][0]) if len(rows) > size > 0 else None
    return [
        {"message": message, "spec": msgspec.json.decode(spec)}
        for _, message, spec in rows[:size]
    ], end


def _metadata(selected: Selected, text: str) -> list[Any]:
    if text == "[]":
        return []
    assert selected.shape is not None
    return [cut(one, selected.shape) for one in told(msgspec.json.decode(text))]


def _fields(selected: Selected, text: str) -> list[Any]:
    if text == "[]":
        return []
    assert selected.shape is not None
    return [cut(one, selected.shape) for one in msgspec.json.decode(text)]

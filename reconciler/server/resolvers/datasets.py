"""Datasets, the files they are filled from, and their data rows."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from reconciler.server.errors import bad_input
from reconciler.server.execution import Info, Resolvers, shape_of
from reconciler.server.importing.data_rows import read_manifest
from reconciler.server.request import Upload, request_of
from reconciler.server.resolvers.identity import describe
from reconciler.server.shapes import Cut
from reconciler.server.store import attachments
from reconciler.server.store import data_rows as row_store
from reconciler.server.store import datasets as store
from reconciler.server.store import tasks as task_store
from reconciler.server.store.files import add_file
from reconciler.server.store.imports import import_items, record_outcome
from reconciler.server.store.metadata import read_schema
from reconciler.server.store.tasks import TaskType


def nothing(_: object, _info: Info) -> list[Any]:
    """Answer that none is defined, which is true of every store."""
    return []


def upload_file(
    _: object,
    info: Info,
    *,
    file: object,
    content_length: int,  # noqa: ARG001  # clients get it wrong, so nobody looks
    sign: bool | None = None,  # noqa: ARG001  # every URL is signed
) -> dict[str, str]:
    if not isinstance(file, Upload):
        raise bad_input("file must be a part of a multipart request")
    request = request_of(info)
    most = request.settings.limits.file_bytes
    if len(file.content) > most:
        raise bad_input(f"the file is longer than {most} bytes")
    written = request.store.files.write([file.content])
    content_type = file.content_type or "application/octet-stream"
    with request.store.write() as db:
        _pk, identifier = add_file(
            db,
            request.store,
            written,
            name=file.filename,
            content_type=content_type,
        )
    return {
        "url": request.urls.sign(identifier, file.filename),
        "filename": file.filename,
    }


def dataset(_: object, info: Info, *, where: Mapping[str, str]) -> Cut:
    with request_of(info).store.read() as db:
        return store.read_dataset(db, shape_of(info), where["id"])


def datasets(
    _: object,
    info: Info,
    *,
    where: Mapping[str, Any] | None = None,
    skip: int | None = None,
    first: int | None = None,
) -> Cut:
    with request_of(info).store.read() as db:
        return store.list_datasets(db, shape_of(info), where, skip=skip, first=first)


def create_dataset(_: object, info: Info, *, data: Mapping[str, Any]) -> Cut:
    request = request_of(info)
    with request.store.write() as db:
        identifier = store.create_dataset(
            db, request.store, data["name"], data.get("description") or ""
        )
        return store.read_dataset(db, shape_of(info), identifier)


def update_dataset(
    _: object,
    info: Info,
    *,
    where: Mapping[str, str],
    data: Mapping[str, Any],
) -> Cut:
    request = request_of(info)
    changes = {name: value for name, value in data.items() if value is not None}
    with request.store.write() as db:
        store.update_dataset(db, request.store, where["id"], changes)
        deleted = bool(changes.get("deleted"))
        return store.read_dataset(db, shape_of(info), where["id"], deleted=deleted)


def upsert_data_rows(
    _: object, info: Info, *, data: Mapping[str, str]
) -> dict[str, Any]:
    request = request_of(info)
    with request.store.read() as db:
        schema = read_schema(db)
    most = request.settings.limits.rows_per_upload
    items = read_manifest(request.store, data["manifestUri"], schema, most=most)
    with request.store.write() as db:
        done, failed = import_items(db, request.store, items)
        record = task_store.add_task(
            db,
            request.store,
            TaskType.UPSERT_DATA_ROWS,
            name="JSON Import",
            detail={"done": len(set(done)), "failed": len(failed)},
        )
        record_outcome(db, record.pk, done, failed)
    return describe(request, record)


def successful_imports(
    _: object, info: Info, *, data: Mapping[str, Any]
) -> dict[str, Any]:
    request = request_of(info)
    with request.store.read() as db:
        record = task_store.find_task(db, data["taskId"], TaskType.UPSERT_DATA_ROWS)
        nodes, after = row_store.page_of_successes(
            db,
            request.urls,
            shape_of(info).inside("nodes"),
            record.pk,
            after=data.get("from"),
            first=data.get("first"),
        )
    return {"nodes": nodes, "after": after, "total": record.detail["done"]}


def failed_imports(_: object, info: Info, *, data: Mapping[str, Any]) -> dict[str, Any]:
    with request_of(info).store.read() as db:
        record = task_store.find_task(db, data["taskId"], TaskType.UPSERT_DATA_ROWS)
        results, after = row_store.page_of_failures(
            db, record.pk, after=data.get("from"), first=data.get("first")
        )
    return {"results": results, "after": after, "total": record.detail["failed"]}


def data_row(_: object, info: Info, *, where: Mapping[str, str]) -> Cut:
    request = request_of(info)
    with request.store.read() as db:
        return row_store.read_data_row(db, request.urls, shape_of(info), where["id"])


def dataset_data_rows(
    _: object,
    info: Info,
    *,
    identifier: str,
    after: str | None = None,
    first: int | None = None,
    where: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    request = request_of(info)
    with request.store.read() as db:
        nodes, end = row_store.page_of_dataset(
            db,
            request.urls,
            shape_of(info).inside("nodes"),
            identifier,
            after=after,
            first=first,
            where=where,
        )
    page_info = {"hasNextPage": end is not None, "startCursor": end}
    return {"nodes": nodes, "pageInfo": page_info}


def update_data_row(
    _: object,
    info: Info,
    *,
    where: Mapping[str, str],
    data: Mapping[str, Any],
) -> Cut:
    request = request_of(info)
    with request.store.write() as db:
        row_store.update_data_row(db, request.store, where["id"], data)
        return row_store.read_data_row(db, request.urls, shape_of(info), where["id"])


def create_attachment(
    _: object, info: Info, *, data: Mapping[str, Any]
) -> dict[str, Any]:
    request = request_of(info)
    with request.store.write() as db:
        return attachments.create_attachment(db, request.store, request.urls, data)


def update_attachment(
    _: object,
    info: Info,
    *,
    where: Mapping[str, str],
    data: Mapping[str, Any],
) -> dict[str, Any]:
    request = request_of(info)
    with request.store.write() as db:
        return attachments.update_attachment(
            db, request.store, request.urls, where["id"], data
        )


def delete_attachment(
    _: object, info: Info, *, where: Mapping[str, str]
) -> Mapping[str, str]:
    with request_of(info).store.write() as db:
        attachments.delete_attachment(db, where["id"])
    return where


def delete_data_rows(
    _: object, info: Info, *, where: Mapping[str, Sequence[str]]
) -> list[dict[str, str]]:
    with request_of(info).store.write() as db:
        row_store.delete_data_rows(db, where["dataRowIds"])
    return [{"id": one} for one in where["dataRowIds"]]


def all_processed(
    _: object,
    _info: Info,
    *,
    data_row_ids: Sequence[str] | None = None,  # noqa: ARG001
    global_keys: Sequence[str] | None = None,  # noqa: ARG001
) -> dict[str, bool]:
    # A row is processed as soon as it is there, and one that isn't never will be:
    # a client that waits for it would not hear that it is unknown.
    return {"allDataRowsHaveBeenProcessed": True}


def external_ids(
    _: object, info: Info, *, external_id_in: Sequence[str]
) -> list[dict[str, str]]:
    with request_of(info).store.read() as db:
        return row_store.ids_of_external_ids(db, external_id_in)


RESOLVERS: Final[Resolvers] = {
    ("Query", "iamIntegrations"): nothing,
    ("Query", "dataset"): dataset,
    ("Query", "datasets"): datasets,
    ("Query", "dataRow"): data_row,
    ("Query", "datasetDataRows"): dataset_data_rows,
    ("Query", "successesfulDataRowImports"): successful_imports,
    ("Query", "failedDataRowImports"): failed_imports,
    ("Query", "queryAllDataRowsHaveBeenProcessed"): all_processed,
    ("Query", "externalIdsToDataRowIds"): external_ids,
    ("Mutation", "uploadFile"): upload_file,
    ("Mutation", "createDataset"): create_dataset,
    ("Mutation", "updateDataset"): update_dataset,
    ("Mutation", "upsertDataRows"): upsert_data_rows,
    ("Mutation", "updateDataRow"): update_data_row,
    ("Mutation", "createDataRowAttachment"): create_attachment,
    ("Mutation", "updateDataRowAttachment"): update_attachment,
    ("Mutation", "deleteDataRowAttachment"): delete_attachment,
    ("Mutation", "deleteDataRows"): delete_data_rows,
}

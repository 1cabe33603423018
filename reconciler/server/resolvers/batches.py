"""Batches of a project, and the queues that their rows wait in."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from reconciler.server.errors import ApiError, Code
from reconciler.server.execution import Info, Resolvers, shape_of
from reconciler.server.request import request_of
from reconciler.server.shapes import Cut
from reconciler.server.store import batches as store
from reconciler.server.store import labels as label_store
from reconciler.server.store import queues as queue_store
from reconciler.server.store import tasks as task_store
from reconciler.server.store.naming import Naming, unknown
from reconciler.server.store.projects import project_number
from reconciler.server.store.tasks import TaskType


def create_batch(
    source: Mapping[str, str], info: Info, *, asked: Mapping[str, Any]
) -> dict[str, Any]:
    request = request_of(info)
    rows = Naming.of(asked)
    with request.store.write() as db:
        project_pk = project_number(db, source["id"])
        if not rows:
            raise ApiError(Code.MALFORMED_REQUEST, "a batch needs data rows")
        if error := unknown(db, rows):
            raise ApiError(Code.MALFORMED_REQUEST, error)
        batch_pk, identifier = store.create_batch(
            db,
            request.store,
            project_pk,
            asked["name"],
            consensus=asked.get("consensusSettings"),
        )
        failed = store.add_rows(
            db,
            project_pk,
            batch_pk,
            rows,
            priority=asked.get("priority"),
            queue_pk=queue_store.initial_queue(db, project_pk),
            limit=request.settings.limits.rows_per_batch,
        )
        created = store.read_batch(db, shape_of(info).inside("batch"), identifier)
    return {"batch": Cut(created), "failedDataRowIds": failed}


def create_empty_batch(
    source: Mapping[str, str], info: Info, *, asked: Mapping[str, Any]
) -> Cut:
    request = request_of(info)
    with request.store.write() as db:
        _, identifier = store.create_batch(
            db,
            request.store,
            project_number(db, source["id"]),
            asked["name"],
            consensus=asked.get("consensusSettings"),
        )
        return Cut(store.read_batch(db, shape_of(info), identifier))


def fill_batch(
    source: Mapping[str, str], info: Info, *, asked: Mapping[str, Any]
) -> dict[str, str]:
    request = request_of(info)
    rows = Naming.of(asked)
    with request.store.write() as db:
        project_pk = project_number(db, source["id"])
        batch_pk = store.batch_number(db, project_pk, asked["batchId"])
        error = unknown(db, rows)
        if error is None:
            try:
                with db.begin_nested():
                    store.add_rows(
                        db,
                        project_pk,
                        batch_pk,
                        rows,
                        priority=asked.get("priority"),
                        queue_pk=queue_store.initial_queue(db, project_pk),
                        limit=request.settings.limits.rows_per_batch,
                    )
            except ApiError as refusal:
                error = refusal.message
        record = task_store.add_task(
            db,
            request.store,
            TaskType.BATCH,
            name=f"Add data rows to batch {asked['batchId']}",
            error=error,
            detail=failed_with(error),
        )
    return {"taskId": record.id}


def failed_with(error: str | None) -> dict[str, str]:
    """Say in a task's detail why it failed, as clients look for it: JSON text."""
    if error is None:
        return {}
    return {"result": msgspec.json.encode({"error": error}).decode()}


def remove_queued(source: Mapping[str, str], info: Info, *, batch_id: str) -> Cut:
    request = request_of(info)
    with request.store.write() as db:
        project_pk = project_number(db, source["id"])
        batch_pk = store.batch_number(db, project_pk, batch_id)
        store.remove_queued(db, project_pk, batch_pk)
        return Cut(store.read_batch(db, shape_of(info), batch_id))


def delete_batch(
    source: Mapping[str, str], info: Info, *, batch_id: str
) -> dict[str, str]:
    with request_of(info).store.write() as db:
        project_pk = project_number(db, source["id"])
        store.delete_batch(db, project_pk, store.batch_number(db, project_pk, batch_id))
    return {"deletedBatchId": batch_id}


def delete_batch_labels(
    source: Mapping[str, str], info: Info, *, batch_id: str, data: Mapping[str, str]
) -> dict[str, Sequence[str]]:
    request = request_of(info)
    with request.store.write() as db:
        project_pk = project_number(db, source["id"])
        doomed = store.labels_of(store.batch_number(db, project_pk, batch_id))
        if data["type"] == "RequeueDataWithLabelAsTemplate":
            label_store.keep_as_templates(db, doomed, {})
        found = label_store.delete_labels(db, request.store, doomed, {})
    return {"deletedLabelIds": found}


def move_rows(
    source: Mapping[str, str], info: Info, *, data: Mapping[str, Any]
) -> dict[str, str]:
    request = request_of(info)
    rows = Naming.by_type(data["dataRowIdentifiers"])
    queue = data.get("queueId")
    with request.store.write() as db:
        project_pk = project_number(db, source["id"])
        queue_pk = queue and queue_store.queue_number(db, project_pk, queue)
        error = queue_store.move_rows(db, project_pk, queue_pk, rows)
        record = task_store.add_task(
            db,
            request.store,
            TaskType.QUEUE,
            name="Send data rows to a task queue",
            error=error,
            detail=failed_with(error),
        )
    return {"taskId": record.id}


RESOLVERS: Final[Resolvers] = {
    ("ProjectChanges", "createBatchV2"): create_batch,
    ("ProjectChanges", "createEmptyBatch"): create_empty_batch,
    ("ProjectChanges", "addDataRowsToBatchAsync"): fill_batch,
    ("ProjectChanges", "removeQueuedDataRowsFromBatch"): remove_queued,
    ("ProjectChanges", "deleteBatch"): delete_batch,
    ("ProjectChanges", "deleteBatchLabels"): delete_batch_labels,
    ("ProjectChanges", "createBulkAddRowsToQueueTask"): move_rows,
}

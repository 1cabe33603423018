"""Data rows of a run or of the catalog are sent to a project."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from sqlalchemy import Connection

from reconciler.server.clauses import read_clauses
from reconciler.server.errors import ApiError, bad_input
from reconciler.server.execution import Info, Resolvers
from reconciler.server.request import Request, request_of
from reconciler.server.resolvers.batches import failed_with
from reconciler.server.store import annotate as store
from reconciler.server.store import tasks as task_store
from reconciler.server.store.annotate import Order, Shipment
from reconciler.server.store.cargo import Source
from reconciler.server.store.tasks import TaskType


def send_from_run(_: object, info: Info, *, asked: Mapping[str, Any]) -> dict[str, str]:
    return _send(
        request_of(info), asked, asked["searchQuery"], asked["sourceModelRunId"]
    )


def send_from_catalog(
    _: object, info: Info, *, asked: Mapping[str, Any]
) -> dict[str, str]:
    search = asked["searchQuery"]
    clauses = search.get("query") if isinstance(search, dict) else search
    return _send(request_of(info), asked, clauses, None)


def _send(
    request: Request, asked: Mapping[str, Any], search: object, run_id: str | None
) -> dict[str, str]:
    while True:
        shipment, error = _prepare(request, asked, search, run_id)
        with request.store.write() as db:
            if shipment is None or store.is_current(db, shipment):
                return {"taskId": _deliver(request, db, asked, shipment, error)}


def _deliver(
    request: Request,
    db: Connection,
    asked: Mapping[str, Any],
    shipment: Shipment | None,
    error: str | None,
) -> str:
    detail: dict[str, str] = {}
    if shipment is not None:
        try:
            with db.begin_nested():
                done = store.send(db, request.store, shipment)
        except ApiError as refusal:
            error = refusal.message
        else:
            detail = {"result": msgspec.json.encode(done).decode()}
    record = task_store.add_task(
        db,
        request.store,
        TaskType.ANNOTATE,
        name=asked["batchInput"]["batchName"],
        error=error,
        detail=failed_with(error) or detail,
    )
    return record.id


def _prepare(
    request: Request, asked: Mapping[str, Any], search: object, run_id: str | None
) -> tuple[Shipment | None, str | None]:
    settings = request.settings
    try:
        order = _order(asked, settings.limits.rows_per_batch)
        limit = asked.get("limit")
        if limit is not None and limit < 0:
            raise bad_input("limit must not be negative")
        clauses = read_clauses(search, of_run=run_id is not None)
        with request.store.read() as db:
            rows, error = store.find_rows(db, clauses, run_id, limit)
            if error is not None and settings.unknown_rows == "fail":
                return None, error
            shipment = store.load(db, order, _sources(asked), rows)
    except ApiError as refusal:
        return None, refusal.message
    return shipment, None if settings.unknown_rows == "ignore" else error


def _order(asked: Mapping[str, Any], rows_per_batch: int | None) -> Order:
    return Order(
        project=asked["destinationProjectId"],
        queue=_queue(asked["destinationTaskQueue"]),
        batch_name=asked["batchInput"]["batchName"],
        priority=asked["batchInput"].get("batchPriority"),
        exclude=bool(asked.get("excludeDataRowsInProject")),
        rows_per_batch=rows_per_batch,
    )


def _queue(destination: Mapping[str, Any]) -> str | None:
    match destination:
        case {"type": "id", "value": str(identifier)}:
            return identifier
        case {"type": "done"}:
            return None
        case _:
            raise bad_input(
                "the task queue of the destination is"
                ' {"type": "id", "value": <its id>} or {"type": "done"}'
            )


def _sources(asked: Mapping[str, Any]) -> list[Source]:
    strategy = asked.get("conflictLabelsResolutionStrategy") or "KEEP_EXISTING"
    sources = []
    if labels := asked.get("annotationsInput"):
        sources.append(
            Source(
                owner=labels["projectId"],
                is_run=False,
                becomes=_mapping(labels),
                confidences=(0.0, 1.0),
                override=strategy == "OVERRIDE_WITH_ANNOTATIONS",
            )
        )
    if predicted := asked.get("predictionsInput"):
        low, high = predicted.get("minConfidence"), predicted.get("maxConfidence")
        sources.append(
            Source(
                owner=predicted["modelRunId"],
                is_run=True,
                becomes=_mapping(predicted),
                confidences=(
                    0.0 if low is None else low,
                    1.0 if high is None else high,
                ),
                override=strategy == "OVERRIDE_WITH_PREDICTIONS",
            )
        )
    return sources


def _mapping(source: Mapping[str, Any]) -> Mapping[str, str]:
    mapping = source.get("featureSchemaIdsMapping") or {}
    if not isinstance(mapping, dict) or not all(
        isinstance(value, str) for value in mapping.values()
    ):
        raise bad_input("featureSchemaIdsMapping must be an object of schema ids")
    return mapping


RESOLVERS: Final[Resolvers] = {
    ("Mutation", "sendToAnnotateFromMea"): send_from_run,
    ("Mutation", "sendToAnnotateFromCatalog"): send_from_catalog,
}

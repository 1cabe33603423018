"""The rows of a run, and the splits that they are in."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection

from reconciler.server.errors import over_quota
from reconciler.server.execution import Info, Resolvers, shape_of
from reconciler.server.request import Request, request_of
from reconciler.server.resolvers.identity import seen
from reconciler.server.store import membership as store
from reconciler.server.store import tasks as task_store
from reconciler.server.store.experiments import run_number
from reconciler.server.store.membership import whole_or_part
from reconciler.server.store.naming import Naming
from reconciler.server.store.tasks import TaskType


def annotation_groups(
    _: object,
    info: Info,
    *,
    where: Mapping[str, Mapping[str, str]],
    after: str | None = None,
    first: int | None = None,
) -> dict[str, Any]:
    request = request_of(info)
    run_id = where["modelRunId"]["id"]
    with request.store.read() as db:
        nodes, end = store.page_of_members(
            db,
            request.urls,
            shape_of(info).inside("nodes"),
            (run_number(db, run_id), run_id),
            after=after,
            first=first,
        )
    return {"nodes": nodes, "pageInfo": {"endCursor": end}}


def register_data_rows(
    _: object,
    info: Info,
    *,
    where: Mapping[str, str],
    data: Mapping[str, Sequence[str] | None],
) -> str:
    request = request_of(info)
    with request.store.write() as db:
        run_pk = run_number(db, where["id"])
        error = whole_or_part(
            db,
            lambda: store.add_members(db, run_pk, Naming.of(data)),
            request.settings.unknown_rows,
        )
        return end_registration(db, request, TaskType.MEMBERSHIP, run_pk, error)


def assign_splits(
    _: object,
    info: Info,
    *,
    model_run: Mapping[str, str],
    data: Mapping[str, Sequence[Mapping[str, Any]]],
) -> str:
    request = request_of(info)
    asked = data["assignments"]
    limit = request.settings.limits.assignments_per_task
    if limit is not None and len(asked) > limit:
        raise over_quota(
            f"a task holds at most {limit} assignments; this one holds {len(asked)}"
        )
    with request.store.write() as db:
        run_pk = run_number(db, model_run["id"])

        def act() -> str | None:
            errors = [
                store.assign_split(db, run_pk, Naming.of(one), one["split"])
                for one in asked
            ]
            return "; ".join(error for error in errors if error) or None

        error = whole_or_part(db, act, request.settings.unknown_rows)
        record = task_store.add_task(db, request.store, TaskType.SPLITS, error=error)
    return record.id


def registration_status(
    _: object, info: Info, *, where: Mapping[str, str]
) -> dict[str, str | None]:
    return task_status(info, where["id"], TaskType.MEMBERSHIP)


def assignment_status(
    _: object, info: Info, *, where: Mapping[str, str]
) -> dict[str, str | None]:
    return task_status(info, where["id"], TaskType.SPLITS)


def delete_model_run_data_rows(
    _: object, info: Info, *, where: Mapping[str, Any]
) -> bool:
    with request_of(info).store.write() as db:
        run_pk = run_number(db, where["modelRunId"])
        store.remove_members(db, run_pk, where["dataRowIds"])
    return True


def end_registration(
    db: Connection, request: Request, kind: TaskType, run_pk: int, error: str | None
) -> str:
    """Record a task that has brought rows into a run, and answer its id.

    Raises:
        ApiError: When the run has too many rows now; nothing is kept then.
    """
    if refusal := store.too_many(db, run_pk, request.settings.limits.rows_per_run):
        raise over_quota(refusal)
    return task_store.add_task(db, request.store, kind, error=error).id


def task_status(info: Info, identifier: str, kind: TaskType) -> dict[str, str | None]:
    """Say how far a task on the rows of a run has come."""
    request = request_of(info)
    with request.store.read() as db:
        record = task_store.find_task(db, identifier, kind)
    now = seen(request, record)
    message = None if now == "IN_PROGRESS" else record.error_message
    return {"status": now, "errorMessage": message}


RESOLVERS: Final[Resolvers] = {
    ("Query", "annotationGroups"): annotation_groups,
    ("Query", "MEADataRowRegistrationTaskStatus"): registration_status,
    ("Query", "assignDataRowsToDataSplitTaskStatus"): assignment_status,
    ("Mutation", "createMEAModelRunDataRowRegistrationTask"): register_data_rows,
    ("Mutation", "createAssignDataRowsToDataSplitTask"): assign_splits,
    ("Mutation", "deleteModelRunDataRows"): delete_model_run_data_rows,
}

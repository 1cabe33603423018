"""Global keys: looked up, given and taken back, each by a job and its result."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from reconciler.server.execution import Info, Resolvers
from reconciler.server.request import request_of
from reconciler.server.resolvers.identity import seen
from reconciler.server.store import global_keys as store
from reconciler.server.store import tasks as task_store
from reconciler.server.store.tasks import TaskType


def start_lookup(
    _: object, info: Info, *, where: Mapping[str, Sequence[str]]
) -> dict[str, str]:
    request = request_of(info)
    with request.store.write() as db:
        task_store.forget_lookups(db, request.store)
        record = task_store.add_task(
            db, request.store, TaskType.LOOKUP, detail={"keys": where["ids"]}
        )
    return {"jobId": record.id}


def lookup_result(
    _: object,
    info: Info,
    *,
    job_id: Mapping[str, str],
) -> dict[str, Any]:
    request = request_of(info)
    with request.store.read() as db:
        record = task_store.find_task(db, job_id["id"], TaskType.LOOKUP)
        keys = record.detail["keys"]
        found = store.ids_of_global_keys(db, keys)
    return {
        "data": {
            "fetchedDataRows": [{"id": found.get(key, "")} for key in keys],
            "notFoundGlobalKeys": [key for key in keys if key not in found],
            "accessDeniedGlobalKeys": [],
        },
        "jobStatus": seen(request, record),
    }


def start_assignment(
    _: object, info: Info, *, data: Mapping[str, Sequence[Mapping[str, str]]]
) -> dict[str, str]:
    request = request_of(info)
    with request.store.write() as db:
        task_store.forget_lookups(db, request.store)
        outcome = store.assign_keys(db, request.store, data["assignInputs"])
        record = task_store.add_task(
            db,
            request.store,
            TaskType.ASSIGN_KEYS,
            detail={
                "sanitizedAssignments": [],
                "invalidGlobalKeyAssignments": outcome.invalid,
                "unmodifiedAssignments": outcome.unmodified,
                "accessDeniedAssignments": [],
            },
        )
    return {"jobId": record.id}


def start_clearing(
    _: object, info: Info, *, where: Mapping[str, Sequence[str]]
) -> dict[str, str]:
    request = request_of(info)
    with request.store.write() as db:
        task_store.forget_lookups(db, request.store)
        outcome = store.clear_keys(db, request.store, where["ids"])
        record = task_store.add_task(
            db,
            request.store,
            TaskType.CLEAR_KEYS,
            detail={
                "clearedGlobalKeys": outcome.cleared,
                "failedToClearGlobalKeys": [],
                "notFoundGlobalKeys": outcome.not_found,
                "accessDeniedGlobalKeys": [],
            },
        )
    return {"jobId": record.id}


def assignment_result(
    _: object, info: Info, *, job_id: Mapping[str, str]
) -> dict[str, Any]:
    return _result(info, job_id["id"], TaskType.ASSIGN_KEYS)


def clearing_result(
    _: object, info: Info, *, job_id: Mapping[str, str]
) -> dict[str, Any]:
    return _result(info, job_id["id"], TaskType.CLEAR_KEYS)


def _result(info: Info, identifier: str, kind: TaskType) -> dict[str, Any]:
    request = request_of(info)
    with request.store.read() as db:
        record = task_store.find_task(db, identifier, kind)
    return {"data": record.detail, "jobStatus": seen(request, record)}


RESOLVERS: Final[Resolvers] = {
    ("Query", "dataRowsForGlobalKeys"): start_lookup,
    ("Query", "dataRowsForGlobalKeysResult"): lookup_result,
    ("Query", "assignGlobalKeysToDataRowsResult"): assignment_result,
    ("Query", "clearGlobalKeysResult"): clearing_result,
    ("Mutation", "assignGlobalKeysToDataRows"): start_assignment,
    ("Mutation", "clearGlobalKeys"): start_clearing,
}

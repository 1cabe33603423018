"""Who the key belongs to, and the tasks that were started with it."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from sqlalchemy import Connection

from reconciler.server.errors import not_found
from reconciler.server.execution import Info, Resolvers
from reconciler.server.exporting.tasks import export_job
from reconciler.server.jobs import Job
from reconciler.server.request import Request, request_of
from reconciler.server.store import export_files as file_store
from reconciler.server.store import tasks as task_store
from reconciler.server.store.export_files import Stream
from reconciler.server.store.organization import read_organization, read_user
from reconciler.server.store.tasks import LISTED, TaskRecord, TaskState, TaskType

JOBS: Final[Mapping[TaskType, Callable[[Request, TaskRecord], Job]]] = {
    TaskType.EXPORT: export_job,
}
"""How tasks that were interrupted are done again."""


def user(
    _: object, info: Info, *, where: Mapping[str, str] | None = None
) -> dict[str, Any]:
    request = request_of(info)
    if where and where["id"] != request.store.identity.user:
        raise not_found("User", where["id"])
    with request.store.read() as db:
        return read_user(db)


def organization(_: object, info: Info) -> dict[str, Any]:
    with request_of(info).store.read() as db:
        return read_organization(db)


def created_tasks(
    _: object,
    info: Info,
    *,
    where: Mapping[str, Any] | None = None,
    skip: int | None = None,
    first: int | None = None,
) -> list[dict[str, Any]]:
    request = request_of(info)
    with request.store.read() as db:
        found = task_store.list_tasks(db, where, skip=skip, first=first)
    return [describe(request, one) for one in found]


def task(
    _: object, info: Info, *, where: Mapping[str, str] | None = None
) -> dict[str, Any]:
    if where is None:
        raise not_found("Task", "")
    request = request_of(info)
    with request.store.read() as db:
        found = task_store.find_task(db, where["id"], *LISTED)
    return describe(request, found)


def export_metadata_header(
    source: Mapping[str, Any], info: Info, *, stream_type: str
) -> dict[str, int] | None:
    if source["type"] != TaskType.EXPORT:
        return None
    request = request_of(info)
    with request.store.read() as db:
        record = _export(db, source)
        found = file_store.extent(db, record.pk, stream_type)
    if found is None or _is_hidden(request, record):
        return None
    return {"totalSize": found.size, "totalLines": found.lines}


def export_file_from_offset(
    source: Mapping[str, Any],
    info: Info,
    *,
    stream_type: str,
    offset: int,
) -> dict[str, Any] | None:
    if source["type"] != TaskType.EXPORT:
        return None
    request = request_of(info)
    with request.store.read() as db:
        record = _export(db, source)
        found = file_store.chunk_at(db, record.pk, stream_type, offset)
    if found is None or _is_hidden(request, record):
        return None
    return {
        "offsets": {"start": found.first_byte, "end": found.last_byte},
        "lines": {"start": found.first_line, "end": found.last_line},
        "file": request.urls.sign(found.file_id, found.file_name),
    }


def describe(request: Request, record: TaskRecord) -> dict[str, Any]:
    """Say what the API says of a task, at this moment.

    Of a task's `detail`, `file` and `errors_file` are ids of files, which become
    URLs; `result` is a text that is its result as it is, and `metadata` what the
    user is told besides. All of that is told once it is over. A task that nobody
    works on any more is begun again.
    """
    if record.state is TaskState.IN_PROGRESS and record.type in JOBS:
        request.jobs.resume(JOBS[record.type](request, record))
    state = seen(request, record)
    running = state is TaskState.IN_PROGRESS
    told = state in {TaskState.COMPLETE, TaskState.FAILED}
    return {
        "id": record.id,
        "type": record.type,
        "name": record.name,
        "status": state,
        "completionPercentage": 0.0 if running else 100.0,
        "result": _result(request, record) if told else None,
        "errors": _url(request, record, Stream.ERRORS) if told else None,
        "metadata": record.detail.get("metadata") if told else None,
        "createdAt": record.created_at,
        "updatedAt": record.created_at if running else record.updated_at,
    }


def _result(request: Request, record: TaskRecord) -> str | None:
    known: str | None = record.detail.get("result")
    return _url(request, record, Stream.RESULT) if known is None else known


def _url(request: Request, record: TaskRecord, stream: Stream) -> str | None:
    identifier = record.detail.get(stream.detail_key)
    if identifier is None:
        return None
    return request.urls.sign(identifier, stream.file_name)


def seen(request: Request, record: TaskRecord) -> TaskState:
    """Say how far a task has come, as far as clients shall know."""
    return record.seen(request.store.clock(), request.settings.task_seconds)


def _export(db: Connection, source: Mapping[str, Any]) -> TaskRecord:
    return task_store.find_task(db, source["id"], TaskType.EXPORT)


def _is_hidden(request: Request, record: TaskRecord) -> bool:
    return seen(request, record) is not TaskState.COMPLETE


RESOLVERS: Final[Resolvers] = {
    ("Query", "user"): user,
    ("Query", "organization"): organization,
    ("Query", "task"): task,
    ("User", "createdTasks"): created_tasks,
    ("Task", "exportMetadataHeader"): export_metadata_header,
    ("Task", "exportFileFromOffset"): export_file_from_offset,
}

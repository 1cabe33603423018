"""Who the key belongs to, and the tasks that were started with it."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection

from reconciler.server.errors import not_found
from reconciler.server.execution import Info, Resolvers
from reconciler.server.request import Request, request_of
from reconciler.server.store import export as export_store
from reconciler.server.store import tasks as task_store
from reconciler.server.store.organization import read_organization, read_user
from reconciler.server.store.tasks import LISTED, TaskRecord, TaskState, TaskType


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
        return describe(request, task_store.find_task(db, where["id"], *LISTED))


def export_metadata_header(
    source: Mapping[str, Any], info: Info, *, stream_type: str
) -> dict[str, int] | None:
    with request_of(info).store.read() as db:
        found = export_store.extent(db, _export(db, source), stream_type)
    if found is None:
        return None
    return {"totalSize": found.size, "totalLines": found.lines}


def export_file_from_offset(
    source: Mapping[str, Any],
    info: Info,
    *,
    stream_type: str,
    offset: int,
) -> dict[str, Any] | None:
    request = request_of(info)
    with request.store.read() as db:
        found = export_store.chunk_at(db, _export(db, source), stream_type, offset)
    if found is None:
        return None
    return {
        "offsets": {"start": found.first_byte, "end": found.last_byte},
        "lines": {"start": found.first_line, "end": found.last_line},
        "file": request.urls.sign(found.file_id, found.file_name),
    }


def describe(request: Request, record: TaskRecord) -> dict[str, Any]:
    """Say what the API says of a task, at this moment."""
    state = seen(request, record)
    running = state is TaskState.IN_PROGRESS
    result = None
    if not running and "file" in record.detail:
        result = request.urls.sign(record.detail["file"], "result.ndjson")
    return {
        "id": record.id,
        "type": record.type,
        "name": record.name,
        "status": state,
        "completionPercentage": 0.0 if running else 100.0,
        "result": result,
        "errors": None,
        "metadata": None,
        "createdAt": record.created_at,
        "updatedAt": record.updated_at,
    }


def seen(request: Request, record: TaskRecord) -> TaskState:
    """Say how far a task has come, as far as clients shall know."""
    return record.seen(request.store.clock(), request.settings.task_seconds)


def _export(db: Connection, source: Mapping[str, Any]) -> int:
    return task_store.find_task(db, source["id"], TaskType.EXPORT).pk


RESOLVERS: Final[Resolvers] = {
    ("Query", "user"): user,
    ("Query", "organization"): organization,
    ("Query", "task"): task,
    ("User", "createdTasks"): created_tasks,
    ("Task", "exportMetadataHeader"): export_metadata_header,
    ("Task", "exportFileFromOffset"): export_file_from_offset,
}

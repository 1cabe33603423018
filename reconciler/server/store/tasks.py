"""Tasks: what was started, and how it ended.

Most tasks are written together with their effect, so they have ended before
anyone can ask; those that take long are written as running first, and worked on
as jobs. Either may be reported as running for a while longer.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from reconciler.server.errors import not_found
from reconciler.server.store.database import Store, moment
from reconciler.server.store.ids import new_uuid
from reconciler.server.store.tables import tasks
from reconciler.server.store.where import condition, page


class TaskType(StrEnum):
    """What a task does; the listed ones are the API's own words."""

    UPSERT_DATA_ROWS = "adv-upsert-data-rows"
    EXPORT = "export-data-rows"
    BATCH = "add-data-rows-to-batch"
    QUEUE = "send-to-task-queue"
    ANNOTATE = "send-to-annotate"
    MEMBERSHIP = "model-run-data-rows"
    LABELS = "model-run-labels"
    SPLITS = "model-run-splits"
    LOOKUP = "global-key-lookup"
    ASSIGN_KEYS = "global-key-assignment"
    CLEAR_KEYS = "global-key-clearing"


class TaskState(StrEnum):
    """How far a task has come, in the API's words."""

    IN_PROGRESS = "IN_PROGRESS"
    COMPLETE = "COMPLETE"
    FAILED = "FAILED"
    CANCELED = "CANCELED"


LISTED = (
    TaskType.UPSERT_DATA_ROWS,
    TaskType.EXPORT,
    TaskType.BATCH,
    TaskType.QUEUE,
    TaskType.ANNOTATE,
)
"""Tasks that a user sees among theirs, with ids as users have them."""

PASSING = tuple(
    kind for kind in TaskType if kind is TaskType.EXPORT or kind not in LISTED
)
"""Tasks that are forgotten after a while: their results are there to be fetched,
and no list of a user's tasks shows the others."""

LOOKUP_SECONDS = 86_400
"""How long the result of a job on global keys can be asked for."""


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """A task as it was written.

    Attributes:
        pk: Its number in the store.
        id: Its id.
        type: What it does.
        name: What the user called it.
        state: How far it has come.
        error_message: Why it failed.
        detail: What only its type can read.
        created_at: When it was started.
        updated_at: When its state changed last.
    """

    pk: int
    id: str
    type: TaskType
    name: str
    state: TaskState
    error_message: str | None
    detail: Mapping[str, Any]
    created_at: str
    updated_at: str

    def seen(self, now: float, task_seconds: float) -> TaskState:
        """Say what state is reported: IN_PROGRESS for so many seconds at least.

        A clock that was set back makes nothing that has ended run again.
        """
        if self.state is TaskState.CANCELED:
            return self.state
        started = datetime.fromisoformat(self.created_at).timestamp()
        if 0 <= now - started < task_seconds:
            return TaskState.IN_PROGRESS
        return self.state


def add_task(
    db: Connection,
    store: Store,
    kind: TaskType,
    *,
    name: str = "",
    error: str | None = None,
    detail: Mapping[str, Any] | None = None,
    running: bool = False,
) -> TaskRecord:
    """Record a task: one that has ended, or one that a job will work on."""
    identifier = next(store.ids()) if kind in LISTED else new_uuid()
    now = store.now()
    state = TaskState.COMPLETE if error is None else TaskState.FAILED
    if running:
        state = TaskState.IN_PROGRESS
    number = db.execute(
        insert(tasks)
        .values(
            id=identifier,
            type=kind,
            name=name,
            state=state,
            error_message=error,
            detail=msgspec.json.encode(detail or {}).decode(),
            created_at=now,
            updated_at=now,
        )
        .returning(tasks.c.pk)
    ).scalar_one()
    return TaskRecord(
        pk=number,
        id=identifier,
        type=kind,
        name=name,
        state=state,
        error_message=error,
        detail=detail or {},
        created_at=now,
        updated_at=now,
    )


def end_task(
    db: Connection,
    store: Store,
    task_pk: int,
    state: TaskState,
    *,
    error: str | None = None,
    detail: Mapping[str, Any] | None = None,
) -> bool:
    """Write down how a running task ended; False when it has ended already.

    Args:
        db: The transaction, which also holds the task's effect.
        store: The store.
        task_pk: The task's number.
        state: How it ended.
        error: Why it failed.
        detail: Replaces the task's detail, if given.
    """
    values: dict[str, Any] = {
        "state": state,
        "error_message": error,
        "updated_at": store.now(),
    }
    if detail is not None:
        values["detail"] = msgspec.json.encode(detail).decode()
    return bool(
        db.execute(
            update(tasks)
            .where(tasks.c.pk == task_pk, tasks.c.state == TaskState.IN_PROGRESS)
            .values(**values)
        ).rowcount
    )


def cancel_task(db: Connection, store: Store, task_pk: int) -> None:
    """Write down that a task was cancelled.

    A job that works on it finds that it has ended, and leaves nothing. The effect
    of a task that only looked as if it were running stays.
    """
    db.execute(
        update(tasks)
        .where(tasks.c.pk == task_pk)
        .values(state=TaskState.CANCELED, updated_at=store.now())
    )


def find_task(db: Connection, identifier: str, *kinds: TaskType) -> TaskRecord:
    """Look up a task of one of these types.

    Raises:
        ApiError: When there is none.
    """
    found = db.execute(
        select(*_COLUMNS).where(tasks.c.id == identifier, tasks.c.type.in_(kinds))
    ).first()
    if found is None:
        raise not_found("Task", identifier)
    return _record(found)


def list_tasks(
    db: Connection,
    where: Mapping[str, Any] | None,
    *,
    skip: int | None,
    first: int | None,
) -> list[TaskRecord]:
    """List a user's imports and exports, the newest first."""
    columns = {
        "id": tasks.c.id,
        "name": tasks.c.name,
        "type": tasks.c.type,
        "createdAt": tasks.c.created_at,
        "updatedAt": tasks.c.updated_at,
    }
    query = (
        select(*_COLUMNS)
        .where(tasks.c.type.in_(LISTED), condition(where, columns))
        .order_by(tasks.c.pk.desc())
    )
    return [_record(row) for row in db.execute(page(query, skip=skip, first=first))]


def forget_lookups(db: Connection, store: Store) -> None:
    """Delete jobs on global keys that nobody will ask for any more."""
    past = moment(store.clock() - LOOKUP_SECONDS)
    for kind in (TaskType.LOOKUP, TaskType.ASSIGN_KEYS, TaskType.CLEAR_KEYS):
        db.execute(delete(tasks).where(tasks.c.type == kind, tasks.c.created_at < past))


_COLUMNS = (
    tasks.c.pk,
    tasks.c.id,
    tasks.c.type,
    tasks.c.name,
    tasks.c.state,
    tasks.c.error_message,
    tasks.c.detail,
    tasks.c.created_at,
    tasks.c.updated_at,
)


def _record(row: Any) -> TaskRecord:
    pk, identifier, kind, name, state, error, detail, created, updated = row
    return TaskRecord(
        pk,
        identifier,
        TaskType(kind),
        name,
        TaskState(state),
        error,
        msgspec.json.decode(detail),
        created,
        updated,
    )

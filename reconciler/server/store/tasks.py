"""Tasks: what was started, and how it ended.

A task is written together with its effect, so it is finished before anyone can
ask. `Progress` may report it as running for a while all the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, insert, select

from reconciler.server.errors import not_found
from reconciler.server.store.database import Store, moment
from reconciler.server.store.ids import new_uuid
from reconciler.server.store.tables import tasks
from reconciler.server.store.where import condition, page


class TaskType(StrEnum):
    """What a task does; the first two are the API's own words."""

    UPSERT_DATA_ROWS = "adv-upsert-data-rows"
    EXPORT = "export-data-rows"
    MEMBERSHIP = "model-run-data-rows"
    SPLITS = "model-run-splits"
    LOOKUP = "global-key-lookup"


LISTED = (TaskType.UPSERT_DATA_ROWS, TaskType.EXPORT)
"""Tasks that a user sees among theirs, with ids as users have them."""

LOOKUP_SECONDS = 86_400
"""How long the result of a look-up can be asked for."""


@dataclass(frozen=True, slots=True)
class TaskRecord:
    """A task as it was written.

    Attributes:
        pk: Its number in the store.
        id: Its id.
        type: What it does.
        name: What the user called it.
        failed: Whether it failed.
        error_message: Why it failed.
        detail: What only its type can read.
        created_at: When it was started, which is also when it ended.
    """

    pk: int
    id: str
    type: TaskType
    name: str
    failed: bool
    error_message: str | None
    detail: Mapping[str, Any]
    created_at: str

    def running(self, now: float, task_seconds: float) -> bool:
        """Say whether it shall look as if it were not finished yet."""
        started = datetime.fromisoformat(self.created_at).timestamp()
        return now < started + task_seconds


def add_task(
    db: Connection,
    store: Store,
    kind: TaskType,
    *,
    name: str = "",
    error: str | None = None,
    detail: Mapping[str, Any] | None = None,
) -> TaskRecord:
    """Record a task that has had its effect, or has failed without one."""
    identifier = next(store.ids()) if kind in LISTED else new_uuid()
    now = store.now()
    number = db.execute(
        insert(tasks)
        .values(
            id=identifier,
            type=kind,
            name=name,
            failed=error is not None,
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
        failed=error is not None,
        error_message=error,
        detail=detail or {},
        created_at=now,
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
    """Delete look-ups that nobody will ask for any more."""
    past = moment(store.clock() - LOOKUP_SECONDS)
    db.execute(
        delete(tasks).where(tasks.c.type == TaskType.LOOKUP, tasks.c.created_at < past)
    )


_COLUMNS = (
    tasks.c.pk,
    tasks.c.id,
    tasks.c.type,
    tasks.c.name,
    tasks.c.failed,
    tasks.c.error_message,
    tasks.c.detail,
    tasks.c.created_at,
)


def _record(row: Any) -> TaskRecord:
    pk, identifier, kind, name, failed, error, detail, created = row
    return TaskRecord(
        pk,
        identifier,
        TaskType(kind),
        name,
        failed,
        error,
        msgspec.json.decode(detail),
        created,
    )

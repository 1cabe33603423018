"""Jobs that import annotations: what was asked for, and how it ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, delete, insert, select, update

from reconciler.server.errors import ApiError, Code, not_found
from reconciler.server.store.database import Store
from reconciler.server.store.experiments import run_number
from reconciler.server.store.names import check_name
from reconciler.server.store.projects import project_number
from reconciler.server.store.tables import (
    annotation_imports,
    files,
    model_runs,
    projects,
)
from reconciler.server.store.targets import Target
from reconciler.server.store.where import page


class ImportType(StrEnum):
    """What an import brings; a name means one of a type in its run or project."""

    PREDICTIONS = "PREDICTIONS"
    LABELS = "LABELS"
    PRELABELS = "PRELABELS"
    RUN_PREDICTIONS = "RUN_PREDICTIONS"


class ImportState(StrEnum):
    """How far an import has come, in the API's words."""

    RUNNING = "RUNNING"
    FINISHED = "FINISHED"
    FAILED = "FAILED"


class ImportFile(NamedTuple):
    """A file of an import.

    Attributes:
        pk: Its number.
        id: Its id.
        name: What it is called.
        sha256: Where its content is.
        size: Length in bytes.
    """

    pk: int
    id: str
    name: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class ImportRecord:
    """An import as it was written.

    Attributes:
        id: Its id.
        type: What it brings.
        owner_id: The id of the run or project that it belongs to.
        name: What the user called it.
        state: How far it has come.
        message: Why it failed.
        url: Where its file is fetched from, if it wasn't uploaded.
        detail: What only its type can read.
        created_at: When it was started.
        input: Its file; None until it is here.
        statuses: What came of each line; None until the end.
        errors: The lines that weren't imported; None until the end.
    """

    id: str
    type: ImportType
    owner_id: str
    name: str
    state: ImportState
    message: str | None
    url: str | None
    detail: Mapping[str, Any]
    created_at: str
    input: ImportFile | None
    statuses: ImportFile | None
    errors: ImportFile | None

    def seen(self, now: float, seconds: float) -> ImportState:
        """Say what state is reported: RUNNING for so many seconds at least.

        A clock that was set back makes nothing that has ended run again.
        """
        started = datetime.fromisoformat(self.created_at).timestamp()
        return ImportState.RUNNING if 0 <= now - started < seconds else self.state


def add_import(
    db: Connection,
    store: Store,
    kind: ImportType,
    target: Target,
    *,
    name: str,
    unique: bool,
    input_pk: int | None = None,
    url: str | None = None,
    detail: Mapping[str, Any] | None = None,
) -> str:
    """Record an import that a job will work on, and answer its id.

    Raises:
        ApiError: When the name is empty, or names must be unique and there is one
            of this name.
    """
    check_name("an import", name)
    owner = _OWNERS[kind]
    taken = select(annotation_imports.c.pk).where(
        owner == target.pk,
        annotation_imports.c.name == name,
        annotation_imports.c.type == kind,
    )
    if unique and db.execute(taken.limit(1)).first():
        raise ApiError(
            Code.RESOURCE_CONFLICT, f"there is an import named '{name}' already"
        )
    identifier, now = next(store.ids()), store.now()
    db.execute(
        insert(annotation_imports).values(
            {
                "id": identifier,
                "type": kind,
                owner.name: target.pk,
                "name": name,
                "state": ImportState.RUNNING,
                "url": url,
                "detail": msgspec.json.encode(detail or {}).decode(),
                "input_pk": input_pk,
                "created_at": now,
                "updated_at": now,
            }
        )
    )
    return identifier


def set_input(db: Connection, identifier: str, input_pk: int) -> None:
    """Say which file an import reads."""
    db.execute(
        update(annotation_imports)
        .where(annotation_imports.c.id == identifier)
        .values(input_pk=input_pk)
    )


def end_import(
    db: Connection,
    store: Store,
    identifier: str,
    state: ImportState,
    *,
    message: str | None = None,
    statuses_pk: int | None = None,
    errors_pk: int | None = None,
) -> bool:
    """Write down how an import ended; False when it has ended or is gone.

    Args:
        db: The transaction, which also holds what was imported.
        store: The store.
        identifier: The import's id.
        state: How it ended.
        message: Why it failed.
        statuses_pk: The file that says what came of each line.
        errors_pk: The file of those that weren't imported.
    """
    return bool(
        db.execute(
            update(annotation_imports)
            .where(
                annotation_imports.c.id == identifier,
                annotation_imports.c.state == ImportState.RUNNING,
            )
            .values(
                state=state,
                message=message,
                statuses_pk=statuses_pk,
                errors_pk=errors_pk,
                updated_at=store.now(),
            )
        ).rowcount
    )


def read_import(db: Connection, identifier: str) -> ImportRecord | None:
    """Read an import by its id; None when it is gone."""
    row = db.execute(_records().where(annotation_imports.c.id == identifier)).first()
    return None if row is None else _record(row)


def running_import(db: Connection, identifier: str) -> ImportRecord | None:
    """Read an import that is still to be done; None when it has ended or is gone."""
    record = read_import(db, identifier)
    if record is None or record.state is not ImportState.RUNNING:
        return None
    return record


def find_import(
    db: Connection, kind: ImportType, owner_id: str, name: str
) -> ImportRecord:
    """Look up the latest import of a name in a run or project.

    Raises:
        ApiError: When there is none, or no such run or project.
    """
    owner_pk = _owner_number(db, kind, owner_id)
    row = db.execute(
        _records()
        .where(
            annotation_imports.c.type == kind,
            _OWNERS[kind] == owner_pk,
            annotation_imports.c.name == name,
        )
        .order_by(annotation_imports.c.pk.desc())
        .limit(1)
    ).first()
    if row is None:
        raise not_found("Import", name)
    return _record(row)


def list_imports(
    db: Connection,
    kind: ImportType,
    owner_id: str,
    *,
    skip: int | None,
    first: int | None,
) -> list[ImportRecord]:
    """List the imports of a run or project, the newest first.

    Raises:
        ApiError: When there is no such run or project.
    """
    owner_pk = _owner_number(db, kind, owner_id)
    query = (
        _records()
        .where(annotation_imports.c.type == kind, _OWNERS[kind] == owner_pk)
        .order_by(annotation_imports.c.pk.desc())
    )
    return [_record(row) for row in db.execute(page(query, skip=skip, first=first))]


def delete_import(db: Connection, kind: ImportType, identifier: str) -> None:
    """Forget an import; what it brought stays.

    Raises:
        ApiError: When there is none.
    """
    deleted = db.execute(
        delete(annotation_imports).where(
            annotation_imports.c.id == identifier, annotation_imports.c.type == kind
        )
    )
    if not deleted.rowcount:
        raise not_found("Import", identifier)


_OWNERS: Final[Mapping[ImportType, ColumnElement[int]]] = {
    ImportType.PREDICTIONS: annotation_imports.c.run_pk,
    ImportType.LABELS: annotation_imports.c.project_pk,
    ImportType.PRELABELS: annotation_imports.c.project_pk,
    ImportType.RUN_PREDICTIONS: annotation_imports.c.project_pk,
}

_FILES: Final = tuple(
    files.alias(f"{name}_file") for name in ("input", "statuses", "errors")
)


def _owner_number(db: Connection, kind: ImportType, owner_id: str) -> int:
    if kind is ImportType.PREDICTIONS:
        return run_number(db, owner_id)
    return project_number(db, owner_id)


def _records() -> Select[Any]:
    record = annotation_imports.c
    query = (
        select(
            record.id,
            record.type,
            record.name,
            record.state,
            record.message,
            record.url,
            record.detail,
            record.created_at,
            model_runs.c.id,
            projects.c.id,
            *(file.c[name] for file in _FILES for name in ImportFile._fields),
        )
        .select_from(annotation_imports)
        .outerjoin(model_runs, record.run_pk == model_runs.c.pk)
        .outerjoin(projects, record.project_pk == projects.c.pk)
    )
    columns = (record.input_pk, record.statuses_pk, record.errors_pk)
    for file, column in zip(_FILES, columns, strict=True):
        query = query.outerjoin(file, column == file.c.pk)
    return query


def _record(row: Sequence[Any]) -> ImportRecord:
    identifier, kind, name, state, message, url, detail, created = row[:8]
    run_id, project_id = row[8:10]
    width = len(ImportFile._fields)
    received, statuses, errors = (
        None if row[start] is None else ImportFile(*row[start : start + width])
        for start in range(10, 10 + 3 * width, width)
    )
    return ImportRecord(
        id=identifier,
        type=ImportType(kind),
        owner_id=project_id if run_id is None else run_id,
        name=name,
        state=ImportState(state),
        message=message,
        url=url,
        detail=msgspec.json.decode(detail),
        created_at=created,
        input=received,
        statuses=statuses,
        errors=errors,
    )

"""Exports as jobs: written down first, then worked on, then read by streams.

An export shows one moment: all of it is read in one transaction. Its files are on
the disk before they are recorded, and they are recorded with the end of the task,
so that a cancelled export leaves nothing and an interrupted one is done again.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from itertools import chain
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection

from reconciler.server.errors import bad_input
from reconciler.server.exporting.files import (
    Chunk,
    Section,
    encode_line,
    make_lines,
    read_wanted,
    row_sections,
    write_chunks,
)
from reconciler.server.exporting.masks import MaskFiles
from reconciler.server.exporting.projects import projects_section
from reconciler.server.exporting.readers import Surroundings
from reconciler.server.exporting.runs import run_section, runs_section
from reconciler.server.exporting.search import Clause, Naming, read_clauses
from reconciler.server.files import Written
from reconciler.server.jobs import Job
from reconciler.server.request import Request
from reconciler.server.store import export as row_store
from reconciler.server.store import export_subjects as subjects
from reconciler.server.store import tasks as task_store
from reconciler.server.store.database import Store
from reconciler.server.store.export import Batches, Columns
from reconciler.server.store.export_files import Stream, add_chunks, add_masks
from reconciler.server.store.export_search import ROWS, Found, absent, find, in_datasets
from reconciler.server.store.files import NDJSON, add_file
from reconciler.server.store.slices import catalog_condition
from reconciler.server.store.tasks import TaskRecord, TaskState, TaskType

SUBJECTS_AT_ONCE: Final = 30
"""How many projects, and how many runs, an export may name (the SDK's limit)."""

_WHOLE: Final = 2**63

_NAMES: Final = {
    Naming.BATCH: ("batch_id", "batch"),
    Naming.DATASET: ("dataset_id", "dataset"),
    Naming.DATA_ROW_ID: ("data_row_id", "data row"),
    Naming.GLOBAL_KEY: ("global_key", "data row with the global key"),
}


class Subject(StrEnum):
    """What is exported."""

    RUN = "run"
    PROJECT = "project"
    CATALOG = "catalog"
    SLICE = "slice"


Asked: TypeAlias = Mapping[str, Any]
"""The input of a mutation that starts an export."""


@dataclass(frozen=True, slots=True)
class Export:
    """What an export reads, looked up in a snapshot of the store.

    Attributes:
        batches: The rows.
        sections: What is said of them beyond the rows themselves.
        clauses: What was searched for.
        project_pk: The project that was searched, if it was one.
    """

    batches: Batches
    sections: Sequence[Section]
    clauses: Sequence[Clause] = ()
    project_pk: int | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """The files of an export, which are on the disk and not yet recorded.

    Attributes:
        streams: The chunks of each stream; one that isn't streamed has one at most.
        masks: Masks by their ids.
    """

    streams: Mapping[Stream, Sequence[Chunk]]
    masks: Mapping[str, Written]

    def count(self, stream: Stream) -> int:
        """Count the lines of a stream."""
        return sum(one.lines for one in self.streams[stream])


def start_export(request: Request, subject: Subject, asked: Asked) -> dict[str, Any]:
    """Write an export down, begin it, and wait for its end a while.

    Raises:
        ApiError: When what is asked for isn't there, or can't be understood.
    """
    store = request.store
    with store.read() as db:
        _look_up(request, db, subject, asked, MaskFiles(store.files, request.urls))
    with store.write() as db:
        record = task_store.add_task(
            db,
            store,
            TaskType.EXPORT,
            name=asked.get("taskName") or "",
            detail={"subject": subject, "asked": asked},
            running=True,
        )
    request.jobs.do(export_job(request, record))
    return {"taskId": record.id, "isStreamable": _is_streamed(asked)}


def export_job(request: Request, record: TaskRecord) -> Job:
    """Say how a running export is done."""
    return Job(
        record.id, partial(_work, request, record), partial(_fail, request, record)
    )


def _work(request: Request, record: TaskRecord) -> None:
    with request.store.read() as db:
        made = _make(request, db, record) if _is_running(db, record) else None
    if made is None:
        return
    with request.store.write() as db:
        # Somebody may have cancelled it meanwhile.
        if _is_running(db, record):
            detail = _record(db, request.store, record, made)
            task_store.end_task(
                db, request.store, record.pk, TaskState.COMPLETE, detail=detail
            )


def _make(request: Request, db: Connection, record: TaskRecord) -> Made:
    files, asked = request.store.files, record.detail["asked"]
    streamed = _is_streamed(asked)
    limit = request.settings.export_chunk_bytes if streamed else _WHOLE
    masks = MaskFiles(files, request.urls)
    subject = Subject(record.detail["subject"])
    export = _look_up(request, db, subject, asked, masks)
    wanted = read_wanted(asked.get("params") or {})
    failures: list[bytes] = []
    lines = make_lines(request.urls, export.batches, wanted, export.sections, failures)
    results = write_chunks(files, lines, limit)
    if not streamed and not results:
        # A result that isn't streamed is a file even when it is empty.
        results = [Chunk(files.write([]), 0)]
    errors = write_chunks(files, chain(failures, _errors(db, export)), limit)
    return Made({Stream.RESULT: results, Stream.ERRORS: errors}, masks.written)


def _record(
    db: Connection, store: Store, record: TaskRecord, made: Made
) -> dict[str, Any]:
    add_masks(db, store, made.masks)
    counts = {
        "lines": made.count(Stream.RESULT),
        "errors": made.count(Stream.ERRORS),
    }
    detail: dict[str, Any] = {"metadata": counts}
    for stream, chunks in made.streams.items():
        recorded = [
            add_file(db, store, one.written, name=stream.file_name, content_type=NDJSON)
            for one in chunks
        ]
        if _is_streamed(record.detail["asked"]):
            sizes = [(one.written.size, one.lines) for one in chunks]
            pks = [pk for pk, _ in recorded]
            add_chunks(db, record.pk, stream, zip(pks, sizes, strict=True))
        elif recorded:
            detail[stream.detail_key] = recorded[0][1]
    return detail


def _fail(request: Request, record: TaskRecord, reason: str) -> None:
    store = request.store
    written = store.files.write([encode_line({"message": reason})])
    with store.write() as db:
        if not _is_running(db, record):
            return
        name = Stream.ERRORS.file_name
        _, identifier = add_file(db, store, written, name=name, content_type=NDJSON)
        detail = {Stream.ERRORS.detail_key: identifier}
        task_store.end_task(
            db, store, record.pk, TaskState.FAILED, error=reason, detail=detail
        )


def _is_running(db: Connection, record: TaskRecord) -> bool:
    found = task_store.find_task(db, record.id, TaskType.EXPORT)
    return found.state is TaskState.IN_PROGRESS


def _is_streamed(asked: Asked) -> bool:
    return bool(asked.get("streamable"))


def _errors(db: Connection, export: Export) -> Iterator[bytes]:
    for naming, name in absent(db, export.clauses, export.project_pk):
        key, kind = _NAMES[naming]
        message = f"there is no {kind} '{name}'{_where(export, naming)}"
        yield encode_line({key: name, "message": message})


def _where(export: Export, naming: Naming) -> str:
    if naming is Naming.DATASET:
        return ""
    if export.project_pk is not None:
        return " in the project"
    return " in the dataset" if naming in ROWS and in_datasets(export.clauses) else ""


def _look_up(
    request: Request, db: Connection, subject: Subject, asked: Asked, masks: MaskFiles
) -> Export:
    params, filters = asked.get("params") or {}, asked["filters"]
    wanted = read_wanted(params)
    around = Surroundings(
        db,
        wanted,
        masks,
        split_key=request.settings.split_export_key,
        uuids=request.settings.export_uuids,
    )
    own = list(row_sections(db, request.urls, wanted))
    columns = Columns(
        details=wanted.details or wanted.label_details, metadata=wanted.metadata
    )
    match subject:
        case Subject.RUN:
            (run,) = subjects.find_runs(db, [filters["modelRunId"]])
            batches = row_store.rows_of_run(db, columns, run.pk)
            return Export(batches, [*own, run_section(around, run)])
        case Subject.PROJECT:
            (project,) = subjects.find_projects(db, [filters["projectId"]])
            clauses = _clauses(filters)
            found = find(clauses, project.pk)
            batches = row_store.rows_of_project(db, columns, project.pk, found)
            section = projects_section(around, [project])
            return Export(batches, [*own, section], clauses, project.pk)
        case Subject.CATALOG:
            clauses = _clauses(filters)
            batches = row_store.rows_of_catalog(db, columns, find(clauses, None))
            return Export(batches, [*own, *_chosen(around, params)], clauses)
        case Subject.SLICE:
            saved = Found([catalog_condition(db, filters["sliceId"])], {})
            batches = row_store.rows_of_catalog(db, columns, saved)
            return Export(batches, [*own, *_chosen(around, params)])


def _clauses(filters: Mapping[str, Any]) -> list[Clause]:
    return read_clauses(filters["searchQuery"].get("query") or ())


def _chosen(around: Surroundings, params: Mapping[str, Any]) -> Iterator[Section]:
    db = around.db
    project_ids = _some(params, "projectIds")
    if params.get("allProjects"):
        yield projects_section(around, subjects.all_projects(db))
    elif project_ids:
        yield projects_section(around, subjects.find_projects(db, project_ids))
    run_ids = _some(params, "modelRunIds")
    if params.get("allModelRuns"):
        yield runs_section(around, subjects.all_runs(db))
    elif run_ids:
        yield runs_section(around, subjects.find_runs(db, run_ids))


def _some(params: Mapping[str, Any], name: str) -> Sequence[str]:
    given: Sequence[str] = params.get(name) or ()
    if len(given) > SUBJECTS_AT_ONCE:
        raise bad_input(
            f"{name} lists {len(given)} items; at most {SUBJECTS_AT_ONCE} go in one "
            "export"
        )
    return given

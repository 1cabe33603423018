"""Exports: started, waited for, fetched piece by piece, and read as lines.

An export is only believed when it is whole: every piece as long as it says, as
many lines as its header says, and no errors beside it.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

import msgspec

from reconciler.api import documents
from reconciler.api.documents import Document
from reconciler.ports import Incomplete, Malformed, NotFound, Unauthorized
from reconciler.remote.errors import Refused
from reconciler.remote.export_payloads import (
    ExportCatalogData,
    ExportFile,
    ExportHeader,
    ExportProjectData,
    ExportRunData,
    FileData,
    HeaderData,
)
from reconciler.remote.row_payloads import TaskData
from reconciler.remote.session import Session
from reconciler.remote.tasks import Progress, progress_of, wait
from reconciler.state.address import RemoteId
from reconciler.state.contents import ExportParams

T = TypeVar("T")

_LISTED_WITHIN: Final = 30.0
"""Seconds after which a task that isn't listed is lost."""

_NOTHING_MORE: Final = ExportParams()

_ASKED: Final = {"taskName": None, "isStreamableReady": True, "streamable": True}

_CODES: Final = frozenset({"OPERATION_NOT_ALLOWED"})


def refused(error: Unauthorized | Refused) -> bool:
    """Whether this key may not start exports, as opposed to anything else."""
    return isinstance(error, Unauthorized) or error.code in _CODES


def start_run_export(
    session: Session, run: RemoteId, wanted: ExportParams = _NOTHING_MORE
) -> str:
    """Start to export the rows of a run with their splits; return the task's id."""
    return session.client.execute(
        documents.EXPORT_RUN,
        ExportRunData,
        input={
            **_ASKED,
            "filters": {"modelRunId": run},
            "params": {
                **_params(wanted),
                "includePredictions": wanted.predictions,
                "includeModelRunDetails": True,
            },
        },
    ).export_data_rows_in_model_run.task_id


def start_project_export(
    session: Session,
    project: RemoteId,
    wanted: ExportParams = _NOTHING_MORE,
    *,
    label_details: bool,
) -> str:
    """Start to export the rows of a project with labels; return the task's id."""
    return session.client.execute(
        documents.EXPORT_PROJECT,
        ExportProjectData,
        input={
            **_ASKED,
            "filters": {
                "projectId": project,
                "searchQuery": {"scope": None, "query": []},
            },
            "params": {
                **_params(wanted),
                "includeProjectDetails": False,
                "includePerformanceDetails": False,
                "includeLabelDetails": label_details,
                "includeInterpolatedFrames": False,
            },
        },
    ).export_data_rows_in_project.task_id


def start_dataset_export(
    session: Session, dataset: RemoteId, wanted: ExportParams = _NOTHING_MORE
) -> str:
    """Start to export the data rows of a dataset; return the task's id."""
    query = [{"ids": [dataset], "operator": "is", "type": "dataset"}]
    return session.client.execute(
        documents.EXPORT_CATALOG,
        ExportCatalogData,
        input={
            **_ASKED,
            "filters": {"searchQuery": {"scope": None, "query": query}},
            "params": {
                **_params(wanted),
                "includeProjectDetails": False,
                "includePerformanceDetails": False,
                "includeLabelDetails": False,
                "includeInterpolatedFrames": False,
                "projectIds": None,
                "modelRunIds": None,
                "allProjects": False,
                "allModelRuns": False,
            },
        },
    ).export_data_rows_in_catalog.task_id


def wait_for_task(session: Session, task: str, document: Document) -> None:
    """Wait until a task of the user is over.

    Args:
        session: The connection.
        task: Its id.
        document: What started it.

    Raises:
        TaskFailed: When it came to nothing.
        InDoubt: When it takes too long.
    """
    timing = session.client.timing
    began = timing.monotonic()

    def check() -> Progress:
        listed = session.client.execute(
            documents.TASK, TaskData, userId=session.user(), taskId=task
        ).user.created_tasks
        if listed:
            node = listed[0]
            return progress_of(node.status, _reason(node.errors), document.root)
        if timing.monotonic() - began > _LISTED_WITHIN:
            raise NotFound(f"task {task} is not listed", operation=document.root)
        return Progress.PENDING

    wait(
        check,
        operation=document.root,
        timing=timing,
        timeout=session.bounds.task_timeout,
    )


def lines(session: Session, task: str, line: type[T]) -> Iterator[list[T]]:
    """Read the lines of a finished export, batch by batch.

    The next piece is fetched while the last one is parsed.

    Raises:
        Incomplete: When it is shorter or longer than it says, or came with
            errors.
        Malformed: When a line has another shape.
    """
    return _parsed(session, task, partial(decoded, msgspec.json.Decoder(line)))


def raw_lines(session: Session, task: str) -> Iterator[list[bytes]]:
    """Read the lines of a finished export as they come, batch by batch.

    Raises:
        Incomplete: As `lines`.
    """
    return _parsed(session, task, _split)


def decoded(
    decoder: msgspec.json.Decoder[T],
    content: bytes,
    operation: str = documents.EXPORT_FILE.root,
) -> list[T]:
    """Read lines of a file that the API made.

    Args:
        decoder: What a line is.
        content: The file, or whole lines of it.
        operation: What it came of.

    Raises:
        Malformed: When a line has another shape.
    """
    try:
        return decoder.decode_lines(content)
    except msgspec.MsgspecError as error:
        raise Malformed(
            f"a line of the file can't be read: {error}", operation=operation
        ) from error


def _split(content: bytes) -> list[bytes]:
    return [line for line in content.split(b"\n") if line]


def _parsed(
    session: Session, task: str, parse: Callable[[bytes], list[T]]
) -> Iterator[list[T]]:
    if (errors := _header(session, task, "ERRORS")) and errors.total_lines:
        raise Incomplete(
            f"the export left out {errors.total_lines:,} rows because of errors",
            operation=documents.EXPORT_HEADER.root,
        )
    header = _header(session, task, "RESULT")
    if header is None:
        return
    count = 0
    rest = b""
    for content in _pieces(session, task, header.total_size):
        whole, _, rest = (rest + content).rpartition(b"\n")
        batch = parse(whole)
        count += len(batch)
        yield batch
    if batch := parse(rest):
        count += len(batch)
        yield batch
    if count != header.total_lines:
        raise Incomplete(
            f"the export has {count:,} lines, and says that it has "
            f"{header.total_lines:,}",
            operation=documents.EXPORT_FILE.root,
        )


def _params(wanted: ExportParams) -> dict[str, object]:
    return {
        "mediaTypeOverride": None,
        "includeAttachments": wanted.attachments,
        "includeEmbeddings": wanted.embeddings,
        "includeMetadata": wanted.metadata_fields,
        "includeDataRowDetails": wanted.data_row_details,
    }


@dataclass(frozen=True, slots=True)
class _Piece:
    content: bytes
    next_offset: int


def _pieces(session: Session, task: str, size: int) -> Iterator[bytes]:
    with ThreadPoolExecutor(1, "export") as ahead:
        coming = ahead.submit(_fetch, session, task, 0) if size else None
        while coming is not None:
            piece = coming.result()
            more = piece.next_offset < size
            coming = (
                ahead.submit(_fetch, session, task, piece.next_offset) if more else None
            )
            yield piece.content


def _fetch(session: Session, task: str, offset: int) -> _Piece:
    found = _file(session, task, offset)
    content = session.client.download(found.file)
    length = found.offsets.end - found.offsets.start + 1
    if found.offsets.start != offset or len(content) != length or not content:
        raise Incomplete(
            f"a piece of the export at {offset:,} has {len(content):,} bytes, and "
            f"says that it has {length:,} at {found.offsets.start:,}",
            operation=documents.EXPORT_FILE.root,
        )
    return _Piece(content, found.offsets.end + 1)


def _file(session: Session, task: str, offset: int) -> ExportFile:
    found = session.client.execute(
        documents.EXPORT_FILE,
        FileData,
        where={"id": task},
        streamType="RESULT",
        offset=str(offset),
    ).task
    if found is None or found.export_file_from_offset is None:
        raise Incomplete(
            f"the export ends at {offset:,} bytes, before its end",
            operation=documents.EXPORT_FILE.root,
        )
    return found.export_file_from_offset


def _header(session: Session, task: str, stream: str) -> ExportHeader | None:
    found = session.client.execute(
        documents.EXPORT_HEADER, HeaderData, where={"id": task}, streamType=stream
    ).task
    if found is None:
        raise NotFound(
            f"there is no task {task}", operation=documents.EXPORT_HEADER.root
        )
    return found.export_metadata_header


def _reason(errors: object) -> str | None:
    """Show what a failed task says of itself; a file's address says nothing."""
    if not errors or (isinstance(errors, str) and "://" in errors):
        return None
    return errors if isinstance(errors, str) else msgspec.json.encode(errors).decode()

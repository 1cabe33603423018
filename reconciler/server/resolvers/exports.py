"""Exports: files are written first, then the task that names them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from reconciler.server.errors import bad_input
from reconciler.server.execution import Info, Resolvers
from reconciler.server.exports import (
    Chunk,
    Wanted,
    catalog_lines,
    run_lines,
    write_chunks,
)
from reconciler.server.request import Request, request_of
from reconciler.server.store import export as export_store
from reconciler.server.store import tasks as task_store
from reconciler.server.store.files import add_file
from reconciler.server.store.tasks import TaskType

CLAUSES: Final = frozenset({"dataset", "data_row_id", "global_key"})
"""What a search of the catalog may ask for."""

NDJSON: Final = "application/x-ndjson"


def export_model_run(
    _: object,
    info: Info,
    *,
    asked: Mapping[str, Any],
) -> dict[str, Any]:
    request = request_of(info)
    settings = request.settings
    with request.store.read() as db:
        run = export_store.find_run(db, asked["filters"]["modelRunId"])
        lines = run_lines(
            db,
            request.urls,
            run,
            _wanted(asked),
            split_key=settings.split_export_key,
        )
        chunks = _write(request, lines, asked)
    return _finish(request, chunks, asked)


def export_catalog(
    _: object,
    info: Info,
    *,
    asked: Mapping[str, Any],
) -> dict[str, Any]:
    request = request_of(info)
    clauses = [_clause(one) for one in asked["filters"]["searchQuery"]["query"]]
    with request.store.read() as db:
        lines = catalog_lines(db, request.urls, clauses, _wanted(asked))
        chunks = _write(request, lines, asked)
    return _finish(request, chunks, asked)


def _clause(clause: Mapping[str, Any]) -> tuple[str, Sequence[str]]:
    kind, operator = clause["type"], clause.get("operator") or "is"
    if kind not in CLAUSES or operator != "is":
        known = ", ".join(sorted(CLAUSES))
        raise bad_input(f"can't search by '{kind}' {operator}, only by {known} is")
    return kind, clause.get("ids") or ()


def _wanted(asked: Mapping[str, Any]) -> Wanted:
    params = asked.get("params") or {}
    return Wanted(
        attachments=bool(params.get("includeAttachments")),
        embeddings=bool(params.get("includeEmbeddings")),
        metadata=bool(params.get("includeMetadata")),
        details=bool(params.get("includeDataRowDetails")),
        predictions=bool(params.get("includePredictions")),
        run_details=bool(params.get("includeModelRunDetails")),
    )


def _write(
    request: Request, lines: Iterator[bytes], asked: Mapping[str, Any]
) -> list[Chunk]:
    files = request.store.files
    if asked.get("streamable"):
        return write_chunks(files, lines, request.settings.export_chunk_bytes)
    whole = write_chunks(files, lines, 2**63)
    # A result that isn't streamed is a file even when it is empty.
    return whole or [Chunk(files.write([]), 0)]


def _finish(
    request: Request, chunks: Sequence[Chunk], asked: Mapping[str, Any]
) -> dict[str, Any]:
    store, streamable = request.store, bool(asked.get("streamable"))
    with store.write() as db:
        recorded = [
            add_file(db, store, one.written, name="result.ndjson", content_type=NDJSON)
            for one in chunks
        ]
        record = task_store.add_task(
            db,
            store,
            TaskType.EXPORT,
            name=asked.get("taskName") or "",
            detail={} if streamable else {"file": recorded[0][1]},
        )
        if streamable:
            export_store.add_chunks(
                db,
                record.pk,
                "RESULT",
                [
                    (pk, one.written.size, one.lines)
                    for (pk, _), one in zip(recorded, chunks, strict=True)
                ],
            )
    return {"taskId": record.id, "isStreamable": streamable}


RESOLVERS: Final[Resolvers] = {
    ("Mutation", "exportDataRowsInModelRun"): export_model_run,
    ("Mutation", "exportDataRowsInCatalog"): export_catalog,
}

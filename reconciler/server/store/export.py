"""Data rows as exports read them: many, and each column once."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, insert, literal, select

from reconciler.server.errors import not_found
from reconciler.server.store.bulk import as_list, listed
from reconciler.server.store.ids import run_row_ids
from reconciler.server.store.membership import SPLITS
from reconciler.server.store.tables import (
    data_rows,
    datasets,
    export_chunks,
    files,
    model_runs,
    models,
    run_rows,
    users,
)

BATCH: Final = 5_000
"""How many rows are in memory at once."""


class ExportedRow(NamedTuple):
    """A data row as the store has it, and its split where it is in a run."""

    pk: int
    id: str
    global_key: str | None
    external_id: str | None
    row_data: str
    file_id: str | None
    file_name: str | None
    media_attributes: str
    metadata_fields: str
    created_at: str
    updated_at: str
    dataset_id: str
    dataset_name: str
    created_by: str
    split: str


class ExportedRun:
    """A run as its export names it."""

    def __init__(
        self, pk: int, run_id: str, name: str, model_id: str, model_name: str
    ) -> None:
        self.pk = pk
        self.id = run_id
        self.name = name
        self.model_id = model_id
        self.model_name = model_name
        self.row_id = run_row_ids(run_id)


class StoredChunk(NamedTuple):
    """A file of an export; both ends of a range are part of it."""

    first_byte: int
    last_byte: int
    first_line: int
    last_line: int
    file_id: str
    file_name: str


@dataclass(frozen=True, slots=True)
class Extent:
    """Bytes and lines of a whole export."""

    size: int
    lines: int


def find_run(db: Connection, identifier: str) -> ExportedRun:
    """Look up a run and its model.

    Raises:
        ApiError: When there is none.
    """
    found = db.execute(
        select(
            model_runs.c.pk,
            model_runs.c.id,
            model_runs.c.name,
            models.c.id,
            models.c.name,
        )
        .join(models, model_runs.c.model_pk == models.c.pk)
        .where(model_runs.c.id == identifier)
    ).first()
    if found is None:
        raise not_found("ModelRun", identifier)
    return ExportedRun(*found)


def rows_of_run(db: Connection, run: ExportedRun) -> Iterator[Sequence[ExportedRow]]:
    """Read the rows of a run in batches."""
    query = _rows(run_rows.c.split).join(run_rows, run_rows.c.row_pk == data_rows.c.pk)
    return _batches(
        db,
        query.where(run_rows.c.run_pk == run.pk).order_by(run_rows.c.row_pk),
    )


def rows_of_catalog(
    db: Connection, clauses: Iterable[tuple[str, Sequence[str]]]
) -> Iterator[Sequence[ExportedRow]]:
    """Read the rows for which all clauses hold, in batches.

    Args:
        db: The transaction.
        clauses: `dataset`, `data_row_id` or `global_key`, and names.
    """
    columns: dict[str, ColumnElement[Any]] = {
        "dataset": datasets.c.id,
        "data_row_id": data_rows.c.id,
        "global_key": data_rows.c.global_key,
    }
    query = _rows(literal(SPLITS.index("UNASSIGNED")))
    parameters = {}
    for number, (kind, names) in enumerate(clauses):
        parameter = f"names_{number}"
        parameters[parameter] = as_list(names)[0]
        query = query.where(columns[kind].in_(select(listed(parameter).c.value)))
    return _batches(db, query.order_by(data_rows.c.pk), parameters)


def add_chunks(
    db: Connection, task_pk: int, stream: str, chunks: Iterable[tuple[int, int, int]]
) -> None:
    """Record the files of a stream: number of the file, bytes, lines."""
    start_byte = start_line = 0
    for file_pk, size, lines in chunks:
        db.execute(
            insert(export_chunks).values(
                task_pk=task_pk,
                stream=stream,
                first_byte=start_byte,
                last_byte=start_byte + size - 1,
                first_line=start_line,
                last_line=start_line + lines - 1,
                file_pk=file_pk,
            )
        )
        start_byte += size
        start_line += lines


def extent(db: Connection, task_pk: int, stream: str) -> Extent | None:
    """Measure a stream; None when it has nothing."""
    found = db.execute(
        select(export_chunks.c.last_byte, export_chunks.c.last_line)
        .where(export_chunks.c.task_pk == task_pk, export_chunks.c.stream == stream)
        .order_by(export_chunks.c.first_byte.desc())
        .limit(1)
    ).first()
    return None if found is None else Extent(found[0] + 1, found[1] + 1)


def chunk_at(
    db: Connection, task_pk: int, stream: str, offset: int
) -> StoredChunk | None:
    """Find the file that holds a byte; None past the end."""
    found = db.execute(
        select(
            export_chunks.c.first_byte,
            export_chunks.c.last_byte,
            export_chunks.c.first_line,
            export_chunks.c.last_line,
            files.c.id,
            files.c.name,
        )
        .join(files, export_chunks.c.file_pk == files.c.pk)
        .where(
            export_chunks.c.task_pk == task_pk,
            export_chunks.c.stream == stream,
            export_chunks.c.first_byte <= offset,
            export_chunks.c.last_byte >= offset,
        )
    ).first()
    return None if found is None else StoredChunk(*found)


def _rows(split: ColumnElement[int]) -> Select[Any]:
    return (
        select(
            data_rows.c.pk,
            data_rows.c.id,
            data_rows.c.global_key,
            data_rows.c.external_id,
            data_rows.c.row_data,
            files.c.id,
            files.c.name,
            data_rows.c.media_attributes,
            data_rows.c.metadata_fields,
            data_rows.c.created_at,
            data_rows.c.updated_at,
            datasets.c.id,
            datasets.c.name,
            users.c.email,
            split,
        )
        .select_from(data_rows)
        .join(datasets, data_rows.c.dataset_pk == datasets.c.pk)
        .outerjoin(files, data_rows.c.file_pk == files.c.pk)
        .join(users, users.c.pk > 0)
    )


def _batches(
    db: Connection, query: Select[Any], parameters: Mapping[str, str] | None = None
) -> Iterator[Sequence[ExportedRow]]:
    found = db.execute(query.execution_options(yield_per=BATCH), parameters)
    for rows in found.partitions():
        yield [ExportedRow._make((*row[:-1], SPLITS[row[-1]])) for row in rows]

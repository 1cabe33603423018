"""The files of exports: streams cut into chunks, and masks."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import Connection, insert, select
from sqlalchemy.dialects import sqlite

from reconciler.server.exporting.masks import NAME
from reconciler.server.files import Written
from reconciler.server.store.database import Store
from reconciler.server.store.tables import export_chunks, files

LARGEST = 2**63 - 1
"""The largest number that SQLite takes."""


class Stream(StrEnum):
    """The two streams of an export, in the API's words."""

    RESULT = "RESULT"
    ERRORS = "ERRORS"

    @property
    def file_name(self) -> str:
        """What a file of the stream is called."""
        return f"{self.lower()}.ndjson"

    @property
    def detail_key(self) -> str:
        """Where the task says which file the whole stream is, when it is one."""
        return "file" if self is Stream.RESULT else "errors_file"


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


def add_chunks(
    db: Connection,
    task_pk: int,
    stream: Stream,
    chunks: Iterable[tuple[int, tuple[int, int]]],
) -> None:
    """Record the files of a stream: number of the file, bytes and lines."""
    rows = []
    start_byte = start_line = 0
    for file_pk, (size, lines) in chunks:
        rows.append(
            {
                "task_pk": task_pk,
                "stream": stream,
                "first_byte": start_byte,
                "last_byte": start_byte + size - 1,
                "first_line": start_line,
                "last_line": start_line + lines - 1,
                "file_pk": file_pk,
            }
        )
        start_byte += size
        start_line += lines
    if rows:
        db.execute(insert(export_chunks), rows)


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
    if offset > LARGEST:
        return None
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


def add_masks(db: Connection, store: Store, masks: Mapping[str, Written]) -> None:
    """Record the files of masks by id; those that are known count as new."""
    if not masks:
        return
    now = store.now()
    db.execute(
        sqlite.insert(files).on_conflict_do_update(
            index_elements=[files.c.id], set_={"created_at": now}
        ),
        [
            {
                "id": identifier,
                "sha256": written.sha256,
                "size": written.size,
                "name": NAME,
                "content_type": "image/png",
                "created_at": now,
            }
            for identifier, written in masks.items()
        ],
    )

"""Data rows become lines of JSON, and lines become files.

Rows are streamed out of one snapshot of the store and into files; only a batch of
them is ever held. Lines are pure ASCII, for a client that cuts text at other line
ends than newlines must not find any.

What a line says of its row comes in sections: each prepares what it says of a
batch, reading it at once, and then says it row by row.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any, Final, TypeAlias

import msgspec
from sqlalchemy import Connection

from reconciler.server.files import Files, Urls, Written
from reconciler.server.store.attachments import read_attachments
from reconciler.server.store.export import Batches, ExportedRow
from reconciler.server.store.export_contents import read_embeddings

BLOCK: Final = 256 * 1024
"""How many bytes are gathered before they are written."""

Say: TypeAlias = Callable[[ExportedRow], Mapping[str, Any]]
"""Says a part of a row's line."""

Section: TypeAlias = Callable[[Sequence[ExportedRow]], Say]
"""Prepares what is said of the rows of a batch."""


class Unsayable(Exception):  # noqa: N818  # a reason, which goes to the errors
    """A row of which a line can't be made, and why."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the lines of an export say beyond their data row.

    Attributes:
        details: Of data rows: dataset, moments, creator.
        run_details: Of rows in runs: the split.
        project_details: Of rows in projects: batch, priority, workflow.
        label_details: Of labels: moments, creator, reviews.
        performance_details: Of labels: how long they took.
        interpolated: Frames of videos between key frames.
        media_type: What all data is read as; None to read it as what it is.
    """

    attachments: bool = False
    embeddings: bool = False
    metadata: bool = False
    details: bool = False
    predictions: bool = False
    run_details: bool = False
    project_details: bool = False
    label_details: bool = False
    performance_details: bool = False
    interpolated: bool = False
    media_type: str | None = None


def read_wanted(params: Mapping[str, Any]) -> Wanted:
    """Understand the parameters of an export; what is absent isn't wanted."""

    def given(name: str) -> bool:
        return bool(params.get(name))

    return Wanted(
        attachments=given("includeAttachments"),
        embeddings=given("includeEmbeddings"),
        metadata=given("includeMetadata"),
        details=given("includeDataRowDetails"),
        predictions=given("includePredictions"),
        run_details=given("includeModelRunDetails"),
        project_details=given("includeProjectDetails"),
        label_details=given("includeLabelDetails"),
        performance_details=given("includePerformanceDetails"),
        interpolated=given("includeInterpolatedFrames"),
        media_type=params.get("mediaTypeOverride"),
    )


@dataclass(frozen=True, slots=True)
class Chunk:
    """A file of an export, with how many lines it has."""

    written: Written
    lines: int


def make_lines(
    urls: Urls,
    batches: Batches,
    wanted: Wanted,
    sections: Sequence[Section],
    failures: list[bytes],
) -> Iterator[bytes]:
    """Make the lines of rows, in their order.

    Args:
        urls: How files are named.
        batches: The rows.
        wanted: What is said of the rows themselves.
        sections: What else is said.
        failures: Where lines go that say which rows are left out, and why.
    """
    for batch in batches:
        parts = [section(batch) for section in sections]
        for row in batch:
            line: dict[str, Any] = {
                "data_row": _data_row(row, urls, details=wanted.details),
                "media_attributes": _snake(row.media_attributes),
            }
            try:
                for say in parts:
                    line.update(say(row))
            except Unsayable as reason:
                failures.append(_failure(row, str(reason)))
                continue
            encoded = _encode(line)
            yield (encoded if encoded.isascii() else _escaped(encoded)) + b"\n"


def encode_line(line: object) -> bytes:
    """Write an object as a line of ASCII."""
    encoded = _encode(line)
    return (encoded if encoded.isascii() else _escaped(encoded)) + b"\n"


def _failure(row: ExportedRow, reason: str) -> bytes:
    line = {"data_row_id": row.id}
    if row.global_key is not None:
        line["global_key"] = row.global_key
    return encode_line({**line, "message": reason})


_encode = msgspec.json.Encoder().encode


def write_chunks(files: Files, lines: Iterable[bytes], limit: int) -> list[Chunk]:
    """Write lines into files, each cut at the first line's end past *limit* bytes."""
    chunks = []
    rest = iter(lines)
    for first in rest:
        with files.writer() as (append, finish):
            count = _fill(append, chain([first], rest), limit)
            chunks.append(Chunk(finish(), count))
    return chunks


def _fill(append: Callable[[bytes], None], lines: Iterator[bytes], limit: int) -> int:
    block: list[bytes] = []
    size, gathered, count = 0, 0, 0
    for line in lines:
        block.append(line)
        gathered += len(line)
        count += 1
        if gathered >= BLOCK or size + gathered >= limit:
            append(b"".join(block))
            size += gathered
            gathered = 0
            block.clear()
        if size >= limit:
            break
    append(b"".join(block))
    return count


def row_sections(db: Connection, urls: Urls, wanted: Wanted) -> Iterator[Section]:
    """Choose what is said of data rows by themselves."""
    if wanted.attachments:
        yield _attachments(db, urls)
    if wanted.metadata:
        yield lambda _: _metadata
    if wanted.embeddings:
        yield _embeddings(db)


def _attachments(db: Connection, urls: Urls) -> Section:
    def prepare(batch: Sequence[ExportedRow]) -> Say:
        attached = read_attachments(db, urls, [row.pk for row in batch])

        def say(row: ExportedRow) -> Mapping[str, Any]:
            found = attached.get(row.pk, ())
            values = [{"type": one["type"], "value": one["value"]} for one in found]
            return {"attachments": values}

        return say

    return prepare


def _metadata(row: ExportedRow) -> Mapping[str, Any]:
    fields = [
        {
            "schema_id": one["schemaId"],
            "schema_name": one["name"],
            "schema_kind": one["kind"],
            "value": one["value"],
        }
        for one in msgspec.json.decode(row.metadata_fields)
    ]
    return {"metadata_fields": fields}


def _embeddings(db: Connection) -> Section:
    def prepare(batch: Sequence[ExportedRow]) -> Say:
        known = read_embeddings(db, [row.pk for row in batch])

        def say(row: ExportedRow) -> Mapping[str, Any]:
            found = [
                {
                    "id": one.id,
                    "name": one.name,
                    "dimensions": len(vector),
                    # This server computes none of its own.
                    "is_custom": True,
                    "values": [{"value": vector}],
                }
                for one in known.get(row.pk, ())
                for vector in [msgspec.json.decode(one.vector)]
            ]
            return {"embeddings": found}

        return say

    return prepare


def _data_row(row: ExportedRow, urls: Urls, *, details: bool) -> dict[str, Any]:
    found: dict[str, Any] = {"id": row.id}
    if row.global_key is not None:
        found["global_key"] = row.global_key
    if row.external_id is not None:
        found["external_id"] = row.external_id
    if row.file_id is None:
        found["row_data"] = row.row_data
    else:
        found["row_data"] = urls.sign(row.file_id, row.file_name or "")
    if details:
        found["details"] = {
            "dataset_id": row.dataset_id,
            "dataset_name": row.dataset_name,
            "created_at": spell(row.created_at),
            "updated_at": spell(row.updated_at),
            "last_activity_at": spell(row.active_at),
            "created_by": row.created_by,
        }
    return found


@lru_cache(maxsize=1024)
def _snake(text: str) -> msgspec.Raw:
    # Nearly all rows of a dataset have the same few media attributes.
    names = {"mimeType": "mime_type", "assetType": "asset_type"}
    known = {names.get(key, key): value for key, value in json.loads(text).items()}
    return msgspec.Raw(msgspec.json.encode(known))


def spell(moment: str) -> str:
    """Spell a moment as exports do: with UTC as an offset, not as Z."""
    return f"{moment[:-1]}+00:00"


def _escaped(line: bytes) -> bytes:
    return json.dumps(msgspec.json.decode(line), separators=(",", ":")).encode()

"""Data rows become files of JSON lines.

Rows are streamed out of one snapshot of the store and into files; only one
chunk's end is ever held back. Lines are pure ASCII, for a client that cuts text
at other line ends than newlines must not find any.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any, Final

import msgspec
from sqlalchemy import Connection

from reconciler.server.files import Files, Urls, Written
from reconciler.server.store import export as export_store
from reconciler.server.store.data_rows import read_attachments
from reconciler.server.store.export import ExportedRun

BLOCK: Final = 256 * 1024
"""How many bytes are gathered before they are written."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the lines of an export say beyond their data row."""

    attachments: bool = False
    embeddings: bool = False
    metadata: bool = False
    details: bool = False
    predictions: bool = False
    run_details: bool = False


@dataclass(frozen=True, slots=True)
class Chunk:
    """A file of an export, with how many lines it has."""

    written: Written
    lines: int


def run_lines(
    db: Connection, urls: Urls, run: ExportedRun, wanted: Wanted, *, split_key: str
) -> Iterator[bytes]:
    """Make the lines of a run's export, in the order of its rows."""
    extras: dict[str, Any] = {"labels": []}
    if wanted.predictions:
        extras["predictions"] = []

    def experiments(row: export_store.ExportedRow) -> dict[str, Any]:
        inside: dict[str, Any] = {
            "name": run.name,
            "run_data_row_id": run.row_id(row.id),
        }
        if wanted.run_details:
            inside[split_key] = row.split
        inside |= extras
        model = {"name": run.model_name, "runs": {run.id: inside}}
        return {"experiments": {run.model_id: model}}

    batches = export_store.rows_of_run(db, run)
    return _lines(db, urls, batches, wanted, experiments)


def catalog_lines(
    db: Connection,
    urls: Urls,
    clauses: Iterable[tuple[str, Sequence[str]]],
    wanted: Wanted,
) -> Iterator[bytes]:
    """Make the lines of an export of the rows for which all clauses hold."""
    batches = export_store.rows_of_catalog(db, clauses)
    return _lines(db, urls, batches, wanted, lambda _: {})


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


def _lines(
    db: Connection,
    urls: Urls,
    batches: Iterable[Sequence[export_store.ExportedRow]],
    wanted: Wanted,
    more: Callable[[export_store.ExportedRow], Mapping[str, Any]],
) -> Iterator[bytes]:
    encode = msgspec.json.Encoder().encode
    for batch in batches:
        attached = (
            read_attachments(db, urls, [row.pk for row in batch])
            if wanted.attachments
            else {}
        )
        for row in batch:
            line = encode(
                {
                    "data_row": _data_row(row, urls, details=wanted.details),
                    "media_attributes": _snake(row.media_attributes),
                    **_asked(row, wanted, attached),
                    **more(row),
                }
            )
            yield (line if line.isascii() else _escaped(line)) + b"\n"


def _data_row(
    row: export_store.ExportedRow, urls: Urls, *, details: bool
) -> dict[str, Any]:
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
            "created_at": _offset(row.created_at),
            "updated_at": _offset(row.updated_at),
            "last_activity_at": _offset(row.updated_at),
            "created_by": row.created_by,
        }
    return found


def _asked(
    row: export_store.ExportedRow,
    wanted: Wanted,
    attached: Mapping[int, Sequence[Mapping[str, Any]]],
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if wanted.attachments:
        found["attachments"] = [
            {"type": one["type"], "value": one["value"]}
            for one in attached.get(row.pk, ())
        ]
    if wanted.metadata:
        found["metadata_fields"] = [
            {
                "schema_id": one["schemaId"],
                "schema_name": one["name"],
                "schema_kind": one["kind"],
                "value": one["value"],
            }
            for one in msgspec.json.decode(row.metadata_fields)
        ]
    if wanted.embeddings:
        found["embeddings"] = []
    return found


@lru_cache(maxsize=1024)
def _snake(text: str) -> msgspec.Raw:
    # Nearly all rows of a dataset have the same few media attributes.
    names = {"mimeType": "mime_type", "assetType": "asset_type"}
    known = {names.get(key, key): value for key, value in json.loads(text).items()}
    return msgspec.Raw(msgspec.json.encode(known))


def _offset(moment: str) -> str:
    # Exports spell UTC as an offset, where the API spells it Z.
    return f"{moment[:-1]}+00:00"


def _escaped(line: bytes) -> bytes:
    return json.dumps(msgspec.json.decode(line), separators=(",", ":")).encode()

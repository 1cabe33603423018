"""Data rows into a dataset: files, chunks, a manifest, a task, and its outcome.

Rows are created, never replaced: a key that exists already makes its row fail
as a duplicate. When an earlier attempt at the same request may have brought the
row into the dataset, that is success. Else somebody else has, since the plan was
made, and nobody knows with what content.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from reconciler.api import documents
from reconciler.diagnostics import counted
from reconciler.plan.steps import UploadDataRows
from reconciler.ports import Malformed, NotFound, RemoteError, Stale
from reconciler.remote.batches import batched
from reconciler.remote.changing import READ_AGAIN
from reconciler.remote.exports import wait_for_task
from reconciler.remote.finding import dataset_by_id
from reconciler.remote.keys import look_up
from reconciler.remote.metadata import MetadataFields, metadata_fields
from reconciler.remote.payloads import UploadData, UpsertDataRowsData
from reconciler.remote.row_payloads import (
    FailedImport,
    FailedImportsData,
    ProcessedData,
)
from reconciler.remote.rows import dataset_keys
from reconciler.remote.session import Session, in_parallel
from reconciler.remote.tasks import Progress, wait
from reconciler.state.address import Address, RemoteId
from reconciler.state.canonical import JsonValue
from reconciler.state.resources import DataRow, GlobalKey, LocalFile

_PAGE: Final = 5_000
_REASONS: Final = 5
_SAMPLES: Final = 3
_DUPLICATE: Final = "Duplicate global key:"


def upload_data_rows(session: Session, step: UploadDataRows, dataset: RemoteId) -> None:
    """Bring data rows into a dataset, and wait until they can be used.

    Raises:
        Stale: When a file is no longer what it was when the manifests were read,
            or the dataset has got rows of these keys from somebody else.
        RemoteError: When rows were refused; with the reasons and some keys of
            each.
        InDoubt: When it takes too long.
    """
    for rows in batched(step.rows, session.bounds.upload_batch):
        _upload(session, step.address, rows, dataset)


def _upload(
    session: Session, address: Address, rows: Sequence[DataRow], dataset: RemoteId
) -> None:
    fields = metadata_fields(session, rows)
    contents = in_parallel([partial(_row_data, session, row) for row in rows])
    items = (
        _item(row, content, fields, dataset)
        for row, content in zip(rows, contents, strict=True)
    )
    task, doubtful = _start(session, items, len(rows))
    wait_for_task(session, task, documents.UPSERT_DATA_ROWS)
    refused, duplicate = _failures(session, task)
    if duplicate:
        refused |= _foreign(session, dataset, duplicate)
    if refused:
        raise RemoteError(
            _grouped(address, refused, len(rows)),
            operation=documents.UPSERT_DATA_ROWS.root,
        )
    if duplicate and not doubtful:
        raise Stale(
            f"data rows of {counted(len(duplicate), 'key')} have appeared in {address} "
            f"since the plan was made: {_some(duplicate)}",
            hint="plan again: they will be taken as they are",
        )
    _settle(session, [row.global_key for row in rows])


def _row_data(session: Session, row: DataRow) -> JsonValue:
    if not isinstance(row.content, LocalFile):
        return row.content
    return _send(
        session,
        _bytes_of(row.content),
        name=Path(row.content.name).name,
        media_type=row.content.media_type,
    )


def _bytes_of(file: LocalFile) -> bytes:
    try:
        content = Path(file.path).read_bytes()
    except OSError as error:
        raise Stale(f"{file.name} can't be read any more: {error.strerror}") from error
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise Stale(f"{file.name} has changed since the manifests were read")
    return content


def _send(session: Session, content: bytes, *, name: str, media_type: str) -> str:
    return session.client.upload(
        documents.UPLOAD_FILE,
        UploadData,
        content,
        file_name=name,
        media_type=media_type,
        sign=False,
    ).upload_file.url


def _item(
    row: DataRow, content: JsonValue, fields: MetadataFields, dataset: RemoteId
) -> bytes:
    payload: dict[str, object] = {
        "row_data": content,
        "global_key": row.global_key,
        "external_id": row.external_id,
        "media_type": row.media_type,
        "metadata_fields": fields.upload(row.metadata) or None,
        "attachments": row.attachments or None,
        "dataset_id": dataset,
    }
    given = {name: value for name, value in payload.items() if value is not None}
    return msgspec.json.encode({"id": {"type": "AUTO", "value": ""}, "payload": given})


def _start(session: Session, items: Iterable[bytes], count: int) -> tuple[str, bool]:
    """Start an upload task; say whether the same may have been started before."""
    send = partial(_send, session, media_type="application/json")
    uris = in_parallel(
        [
            partial(send, chunk, name="data_rows.json")
            for chunk in chunks(items, session.bounds.chunk)
        ]
    )
    manifest = {"source": "SDK", "item_count": count, "chunk_uris": uris}
    uri = send(msgspec.json.encode(manifest), name="manifest.json")
    started, doubtful = session.client.execute_telling_doubt(
        documents.UPSERT_DATA_ROWS, UpsertDataRowsData, manifestUri=uri
    )
    return started.upsert_data_rows.id, doubtful


def chunks(items: Iterable[bytes], most: int) -> Iterator[bytes]:
    """Join encoded items to JSON lists of at most *most* bytes, if they fit at all."""
    kept: list[bytes] = []
    size = 2
    for item in items:
        if kept and size + len(item) + 1 > most:
            yield b"[%b]" % b",".join(kept)
            kept, size = [], 2
        kept.append(item)
        size += len(item) + 1
    if kept:
        yield b"[%b]" % b",".join(kept)


def _failures(
    session: Session, task: str
) -> tuple[dict[GlobalKey, str], set[GlobalKey]]:
    """Part what was refused from what is a duplicate of something."""
    refused: dict[GlobalKey, str] = {}
    duplicate: set[GlobalKey] = set()
    for failure in _failed_imports(session, task):
        key = GlobalKey((failure.spec and failure.spec.global_key) or "")
        message = failure.message or "no reason given"
        if key and message.startswith(_DUPLICATE):
            duplicate.add(key)
        else:
            refused[key] = message
    return refused, duplicate


def _failed_imports(session: Session, task: str) -> Iterator[FailedImport]:
    cursor: str | None = None
    while True:
        found = session.client.execute(
            documents.FAILED_IMPORTS,
            FailedImportsData,
            taskId=task,
            first=_PAGE,
            from_=cursor,
        ).failed_data_row_imports
        if found is None or not found.results:
            return
        yield from found.results
        if not found.after:
            return
        if found.after == cursor:
            raise Malformed(
                "the same page of failures comes again and again",
                operation=documents.FAILED_IMPORTS.root,
            )
        cursor = found.after


def _foreign(
    session: Session, dataset: RemoteId, keys: set[GlobalKey]
) -> dict[GlobalKey, str]:
    """Find the duplicates that are not in the dataset, but elsewhere."""
    found = dataset_by_id(session, dataset)
    if found is None:
        raise NotFound(f"there is no dataset {dataset}")

    def look() -> frozenset[GlobalKey]:
        return frozenset(keys) - dataset_keys(
            session, dataset, row_count=found.row_count
        )

    elsewhere = _until_none(session, look)
    return dict.fromkeys(
        elsewhere, "the global key is already used by a row of another dataset"
    )


def wait_until_processed(session: Session, keys: Sequence[GlobalKey]) -> None:
    """Wait until data rows can be used; keys that nobody knows don't matter.

    Raises:
        InDoubt: When it takes too long.
    """
    client = session.client

    def check(batch: Sequence[GlobalKey]) -> Progress:
        done = client.execute(
            documents.ALL_PROCESSED, ProcessedData, globalKeys=batch
        ).query_all_data_rows_have_been_processed
        complete = done.all_data_rows_have_been_processed
        return Progress.COMPLETE if complete else Progress.PENDING

    for batch in batched(keys, session.bounds.batch):
        wait(
            partial(check, batch),
            operation=documents.ALL_PROCESSED.root,
            timing=client.timing,
            timeout=session.bounds.task_timeout,
        )


def _settle(session: Session, keys: Sequence[GlobalKey]) -> None:
    """Wait until rows can be used, and see that they are all there."""
    wait_until_processed(session, keys)
    if missing := _until_none(session, lambda: look_up(session, keys).missing):
        raise RemoteError(
            f"{len(missing):,} data rows were accepted, but can't be found: "
            f"{_some(missing)}",
            operation=documents.UPSERT_DATA_ROWS.root,
        )


def _until_none(
    session: Session, look: Callable[[], frozenset[GlobalKey]]
) -> frozenset[GlobalKey]:
    """Look for what is wrong until nothing is, or it stays."""
    found = look()
    for pause in READ_AGAIN:
        if not found:
            break
        session.client.timing.sleep(pause)
        found = look()
    return found


def _grouped(address: Address, refused: Mapping[GlobalKey, str], count: int) -> str:
    """Say why rows were refused, the commonest reason first."""
    by_reason: dict[str, list[GlobalKey]] = {}
    for key, reason in refused.items():
        by_reason.setdefault(reason, []).append(key)
    groups = sorted(by_reason.items(), key=lambda group: (-len(group[1]), group[0]))
    said = [
        f"{reason} ({len(keys):,}: {_some(keys)})" for reason, keys in groups[:_REASONS]
    ]
    if more := len(groups) - len(said):
        said.append(f"and {more:,} more reasons")
    return (
        f"{len(refused):,} of {count:,} data rows were not brought into {address}: "
        f"{'; '.join(said)}"
    )


def _some(keys: Iterable[GlobalKey]) -> str:
    ordered = sorted(keys)
    more = ", …" if len(ordered) > _SAMPLES else ""
    return f"{', '.join(ordered[:_SAMPLES])}{more}"

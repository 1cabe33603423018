"""Files of data rows to data rows, with a fingerprint of each.

A fingerprint is the digest of what a data row says, as canonical JSON; of a
file to upload it has the hash of the bytes, not the path. So a file may be
moved without being taken for changed.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Final

from pydantic import ValidationError

from reconciler.diagnostics import Diagnostic, Span
from reconciler.manifest.document import Document
from reconciler.manifest.schema import (
    ColumnsShape,
    DataRowShape,
    DatasetFileShape,
    DatasetManifest,
)
from reconciler.manifest.select import Astray, Files, Located, row_format
from reconciler.rows.names import check_name
from reconciler.rows.problems import Problems, nearest
from reconciler.rows.read import Record, read_records
from reconciler.rows.spec import RowFormat
from reconciler.state.canonical import (
    JsonObject,
    JsonValue,
    NotCanonicalError,
    canonical_object,
    canonicalise,
    digest,
)
from reconciler.state.resources import (
    EMBEDDED,
    DataRow,
    Dataset,
    GlobalKey,
    LocalFile,
    RowIdentity,
)

_READ: Final = frozenset({RowFormat.CSV, RowFormat.NDJSON})

_MEDIA_TYPES: Final = {
    ".bmp": "image/bmp",
    ".csv": "text/csv",
    ".gif": "image/gif",
    ".htm": "text/html",
    ".html": "text/html",
    ".jpeg": "image/jpeg",
    ".jpg": "image/jpeg",
    ".json": "application/json",
    ".m4a": "audio/mp4",
    ".md": "text/markdown",
    ".mov": "video/quicktime",
    ".mp3": "audio/mpeg",
    ".mp4": "video/mp4",
    ".ogg": "audio/ogg",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
    ".txt": "text/plain",
    ".wav": "audio/wav",
    ".webm": "video/webm",
    ".webp": "image/webp",
}
"""MIME types by ending; a table of our own is the same on every machine."""


@dataclass(frozen=True, slots=True)
class _RowFile:
    """A file of data rows that can be opened."""

    located: Located
    format: RowFormat
    shape: DatasetFileShape
    document: Document
    path: tuple[str | int, ...]

    def mention(self, *inner: str) -> Span:
        return self.document.span((*self.path, *inner))


def read_dataset(
    files: Files, document: Document, manifest: DatasetManifest
) -> tuple[Dataset, tuple[Diagnostic, ...]]:
    """Turn a manifest into a dataset, or into a reference to one.

    Returns:
        The dataset, and what is wrong with its files; with problems, the
        dataset lacks rows.
    """
    if manifest.files is None:
        return Dataset(manifest.name, manifest.description), ()
    problems = Problems()
    seen: dict[str, tuple[str, int]] = {}
    rows: dict[GlobalKey, DataRow] = {}
    for number, shape in enumerate(manifest.files):
        found = _open(files, document, ("files", number), shape)
        if isinstance(found, Diagnostic):
            problems.add(found)
            continue
        for record in _records(found, problems):
            row = _read_row(files, found, record, seen, problems)
            if row:
                rows[row.global_key] = row
    return Dataset(manifest.name, manifest.description, rows), tuple(problems)


def _open(
    files: Files,
    document: Document,
    path: tuple[str | int, ...],
    shape: DatasetFileShape,
) -> _RowFile | Diagnostic:
    at = document.span((*path, "file"))
    folder = (files.root / document.source.file).parent
    located = files.locate(folder, shape.file)
    if isinstance(located, Astray):
        return located.at(at)
    how = row_format(shape.file)
    if isinstance(how, Astray):
        return how.at(at)
    if how not in _READ:
        why = f"data rows are read from CSV and NDJSON, not from {shape.file}"
        return Astray("file-format", why).at(at)
    if shape.columns is None and how is not RowFormat.NDJSON:
        why = f"{shape.file} has columns: `columns` is needed"
        return Astray("missing-field", why).at(document.span(path))
    return _RowFile(located, how, shape, document, path)


def _records(file: _RowFile, problems: Problems) -> Iterator[Record]:
    """Go through the rows, unless the file lacks a column that the manifest names."""
    mention = file.mention("file")
    columns = _named_columns(file)
    for record in read_records(
        file.located.path, file.located.name, file.format, problems, mention=mention
    ):
        if file.format is RowFormat.CSV:
            # All rows of a CSV file have the same columns.
            absent = [name for name in columns if name not in record.values]
            for name in absent:
                problems.add(
                    Diagnostic(
                        code="wrong-column",
                        message=f"{file.located.name} has no column {name!r}",
                        span=columns[name],
                        hint=nearest(name, record.values),
                    )
                )
            if absent:
                return
        yield record


def _named_columns(file: _RowFile) -> dict[str, Span]:
    columns = file.shape.columns
    if columns is None:
        return {}
    single = {
        "globalKey": columns.global_key,
        "upload": columns.upload,
        "rowData": columns.row_data,
        "externalId": columns.external_id,
    }
    found = {
        column: file.mention("columns", field)
        for field, column in single.items()
        if column is not None
    }
    for field, column in (columns.metadata or {}).items():
        found[column] = file.mention("columns", "metadata", field)
    return found


class _BadRowError(Exception):
    """A row that can't be read; `column` says where."""

    def __init__(
        self,
        code: str,
        message: str,
        column: str | None = None,
        hint: str | None = None,
    ) -> None:
        self.code = code
        self.message = message
        self.column = column
        self.hint = hint
        super().__init__(message)


def _read_row(
    files: Files,
    file: _RowFile,
    record: Record,
    seen: dict[str, tuple[str, int]],
    problems: Problems,
) -> DataRow | None:
    columns = file.shape.columns
    key_column = columns.global_key if columns else "global_key"
    try:
        row = _parse_row(files, file, record, key_column)
    except _BadRowError as bad:
        problems.add(
            record.problem(bad.code, bad.message, column=bad.column, hint=bad.hint)
        )
        return None
    here = (record.origin.name, record.line)
    before = seen.setdefault(row.global_key, here)
    if before != here:
        problems.add(
            record.problem(
                "row-twice",
                f"the global key {row.global_key!r} is there twice",
                column=key_column,
                related=((Span(*before), "first here"),),
            )
        )
        return None
    return replace(row, fingerprint=_fingerprint(row))


def _parse_row(
    files: Files, file: _RowFile, record: Record, key_column: str
) -> DataRow:
    if file.shape.columns:
        row = _from_columns(files, file, file.shape.columns, record)
    else:
        row = _from_object(file.shape, record)
    if wrong := check_name(row.global_key, RowIdentity.GLOBAL_KEY):
        raise _BadRowError(*wrong, key_column)
    if isinstance(row.content, str) and row.content.startswith(f"{EMBEDDED}/"):
        columns = file.shape.columns
        raise _BadRowError(
            "row-invalid",
            f"{EMBEDDED} is the embedded server of one workspace, and leads nowhere "
            "from another",
            columns.row_data if columns else "row_data",
            "export it again: media are taken along from an embedded server",
        )
    return row


# --- Rows by columns


def _from_columns(
    files: Files, file: _RowFile, columns: ColumnsShape, record: Record
) -> DataRow:
    content: LocalFile | JsonValue
    if columns.upload is not None:
        content = _upload(files, file, record, columns.upload)
    else:
        assert columns.row_data is not None
        content = _row_data(record, columns.row_data)
    external_id = columns.external_id and _text(record, columns.external_id)
    metadata: list[JsonObject] = []
    for name, column in (columns.metadata or {}).items():
        value = _value(record, column)
        if value not in ("", None):
            metadata.append({"name": name, "value": value})
    return DataRow(
        global_key=GlobalKey(_text(record, columns.global_key)),
        content=content,
        external_id=external_id or None,
        media_type=file.shape.media_type,
        metadata=tuple(metadata),
    )


def _value(record: Record, column: str) -> JsonValue:
    if column not in record.values:
        hint = nearest(column, record.values)
        raise _BadRowError("row-invalid", f"there is no field {column!r}", hint=hint)
    try:
        return canonicalise(record.values[column])
    except NotCanonicalError as error:
        raise _BadRowError("row-invalid", error.why, column) from error


def _text(record: Record, column: str) -> str:
    value = _value(record, column)
    if not isinstance(value, str):
        raise _BadRowError("row-invalid", f"{column!r} takes a string", column)
    return value


def _row_data(record: Record, column: str) -> JsonValue:
    value = _value(record, column)
    if not isinstance(value, str | dict):
        why = f"{column!r} takes a URL, a text or an object"
        raise _BadRowError("row-invalid", why, column)
    if not value:
        raise _BadRowError("row-invalid", f"{column!r} is empty", column)
    return value


def _upload(files: Files, file: _RowFile, record: Record, column: str) -> LocalFile:
    path = _text(record, column)
    if not path:
        raise _BadRowError("row-invalid", f"{column!r} is empty", column)
    located = files.locate(file.located.path.parent, path)
    if isinstance(located, Astray):
        raise _BadRowError(located.code, located.message, column, located.hint)
    try:
        sha256 = _hash(located.path)
    except OSError as error:
        why = f"{path} can't be read: {(error.strerror or '').lower()}"
        raise _BadRowError("file-missing", why, column) from error
    return LocalFile(
        path=str(located.path),
        name=located.name,
        sha256=sha256,
        size=located.size,
        media_type=_MEDIA_TYPES.get(
            PurePosixPath(path).suffix.lower(), "application/octet-stream"
        ),
    )


def _hash(path: Path) -> str:
    with path.open("rb", buffering=0) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


# --- Rows as the SDK takes them


def _from_object(shape: DatasetFileShape, record: Record) -> DataRow:
    try:
        read = DataRowShape.model_validate(record.values)
        plain = canonical_object(read.model_dump(exclude_none=True))
    except ValidationError as error:
        raise _objection(error) from error
    except NotCanonicalError as error:
        column = str(error.path[0]) if error.path else None
        raise _BadRowError("row-invalid", error.why, column) from error
    return DataRow(
        global_key=GlobalKey(read.global_key),
        content=plain["row_data"],
        external_id=read.external_id,
        media_type=read.media_type or shape.media_type,
        metadata=tuple(map(_metadata, _objects(plain["metadata_fields"]))),
        attachments=_objects(plain["attachments"]),
    )


def _objects(items: JsonValue) -> tuple[JsonObject, ...]:
    assert isinstance(items, list)
    return tuple(item for item in items if isinstance(item, dict))


def _metadata(item: JsonObject) -> JsonObject:
    # Lines are spelled as the SDK's dictionaries, values as the API does.
    return {"schemaId" if key == "schema_id" else key: item[key] for key in item}


def _objection(error: ValidationError) -> _BadRowError:
    details = error.errors(include_url=False)[0]
    if details["type"] == "string_unicode":
        column = str(details["loc"][0]) if details["loc"] else None
        return _BadRowError("row-invalid", "a lone surrogate is no text", column)
    field, *inner = details["loc"]
    name = str(field)
    if details["type"] == "extra_forbidden" and not inner:
        hint = nearest(name, DataRowShape.model_fields)
        return _BadRowError(
            "row-invalid", f"a data row has no field {name!r}", name, hint
        )
    if details["type"] == "missing" and not inner:
        return _BadRowError("row-invalid", f"a data row needs {name!r}")
    # Names are those of the file, and may hold anything.
    where = ".".join(repr(str(part))[1:-1] for part in (field, *inner))
    message = details["msg"]
    return _BadRowError(
        "row-invalid", f"{where}: {message[:1].lower()}{message[1:]}", name
    )


# --- Fingerprints


def _fingerprint(row: DataRow) -> str:
    said: JsonObject = {
        "globalKey": row.global_key,
        "externalId": row.external_id,
        "mediaType": row.media_type,
        "metadata": list(row.metadata),
        "attachments": list(row.attachments),
    }
    if isinstance(row.content, LocalFile):
        said["sha256"] = row.content.sha256
    else:
        said["rowData"] = row.content
    return digest(said)

"""Exported data rows to files of data rows, as a Dataset takes them."""

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import PurePosixPath
from tempfile import SpooledTemporaryFile
from typing import IO, Final, Self, TypeVar
from urllib.parse import unquote, urlsplit

import msgspec

from reconciler.manifest.dump_documents import document
from reconciler.pipeline.folders import Folder, Sheet
from reconciler.ports import RemoteError
from reconciler.rows.names import check_name
from reconciler.state.canonical import JsonObject, JsonValue
from reconciler.state.contents import RunRow
from reconciler.state.resources import RowIdentity

_T = TypeVar("_T")

_FETCHERS: Final = 8
_AHEAD: Final = 2 * _FETCHERS
_IN_MEMORY: Final = 1 << 20
_PIECE: Final = 1 << 20
_SCHEMES: Final = ("http://", "https://")
_ENDINGS: Final = {
    "application/json": ".json",
    "application/pdf": ".pdf",
    "audio/mp4": ".m4a",
    "audio/mpeg": ".mp3",
    "audio/ogg": ".ogg",
    "audio/wav": ".wav",
    "image/bmp": ".bmp",
    "image/gif": ".gif",
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/svg+xml": ".svg",
    "image/tiff": ".tif",
    "image/webp": ".webp",
    "text/csv": ".csv",
    "text/html": ".html",
    "text/markdown": ".md",
    "text/plain": ".txt",
    "video/mp4": ".mp4",
    "video/quicktime": ".mov",
    "video/webm": ".webm",
}
"""How files are called, so that they are uploaded as what they are."""

_encode = msgspec.json.Encoder().encode


class _Line(msgspec.Struct, frozen=True, gc=False):
    """What of an exported line a dataset is made of; spelled as exports do."""

    media_attributes: dict[str, object] | None = None
    attachments: list[dict[str, object]] | None = None
    metadata_fields: list[dict[str, object]] | None = None


_line = msgspec.json.Decoder(_Line).decode


@dataclass
class _Dataset:
    """The data rows of one dataset.

    Attributes:
        name: Its name.
        plain: File of data rows as the SDK takes them, one a line.
        uploads: Data rows whose content is a file of the bundle.
        metadata: The metadata fields that any of those has.
    """

    name: str
    plain: Sheet
    uploads: list[JsonObject] = field(default_factory=list)
    metadata: dict[str, str] = field(default_factory=dict)


class DataRowFiles:
    """Collects data rows while they are exported, and declares their datasets.

    Args:
        folder: The bundle.
        under: Where its manifests are.
        default: Name of the dataset of rows that don't say theirs.
        fetch: Gets the content of data rows into a file, to be uploaded from the
            bundle; None leaves content at its URL.
        host: Of the remote; its own URLs end.

    Attributes:
        at_urls: How many data rows have content at a URL of somebody else.
        at_home: How many have it at a URL of the remote itself.
        bare: How many attachments can't be declared beside an upload.
        unsaid: How many values of metadata are of a kind that can't be declared.
    """

    def __init__(
        self,
        folder: Folder,
        under: str,
        *,
        default: str,
        fetch: Callable[[str, IO[bytes]], object] | None,
        host: str | None = None,
    ) -> None:
        self.at_urls = 0
        self.at_home = 0
        self.bare = 0
        self.unsaid = 0
        self._folder = folder
        self._under = under
        self._default = default
        self._fetch = fetch
        self._host = host
        self._datasets: dict[str, _Dataset] = {}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def take(self, rows: Sequence[RunRow]) -> None:
        """Keep a batch of rows; those that have no global key are left out.

        Raises:
            RemoteError: When the content of one can't be fetched.
        """
        named = [row for row in rows if row.key is not None and _is_fit(row.key)]
        if self._fetch is None:
            for row in named:
                self._keep(row, None)
            return
        coming: deque[tuple[RunRow, Future[IO[bytes] | None]]] = deque()
        pool = ThreadPoolExecutor(_FETCHERS)
        try:
            for row in named:
                coming.append((row, pool.submit(self._content, row)))
                if len(coming) == _AHEAD:
                    self._keep_next(coming)
            while coming:
                self._keep_next(coming)
        finally:
            pool.shutdown(cancel_futures=True)
            _close(future for _, future in coming)

    def documents(self) -> Iterator[JsonObject]:
        """Declare all datasets, once their data rows were taken."""
        for number, dataset in enumerate(self._datasets.values(), start=1):
            files: list[JsonValue] = []
            if dataset.plain.count:
                files.append({"file": dataset.plain.name.rpartition("/")[2]})
            if dataset.uploads:
                name = f"uploads{_suffix(number)}.ndjson"
                absent = dict.fromkeys(dataset.metadata.values(), "")
                lines = [_encode({**absent, **one}) + b"\n" for one in dataset.uploads]
                self._folder.write(f"{self._under}/{name}", b"".join(lines))
                columns: JsonObject = {
                    "globalKey": "global_key",
                    "upload": "file",
                    "externalId": "external_id",
                }
                if dataset.metadata:
                    columns["metadata"] = dict(dataset.metadata)
                files.append({"file": name, "columns": columns})
            yield document("Dataset", name=dataset.name, files=files)

    def _keep_next(
        self, coming: "deque[tuple[RunRow, Future[IO[bytes] | None]]]"
    ) -> None:
        row, future = coming.popleft()
        with future.result() or nullcontext() as content:
            self._keep(row, content)

    def _content(self, row: RunRow) -> IO[bytes] | None:
        fetch, url = self._fetch, row.data_row.get("row_data")
        if fetch is None or not _is_url(url):
            return None
        with ExitStack() as stack:
            # Beside the others: where the system keeps such files may be in memory.
            file = stack.enter_context(
                SpooledTemporaryFile(_IN_MEMORY, dir=str(self._folder.root))
            )
            what = f"the content of data row {row.key}"
            fetched(lambda url: fetch(url, file), str(url), what)
            stack.pop_all()
        return file

    def _begin(self, name: str) -> _Dataset:
        file = f"{self._under}/rows{_suffix(len(self._datasets) + 1)}.ndjson"
        sheet = self._open.enter_context(self._folder.sheet(file))
        dataset = self._datasets[name] = _Dataset(name, sheet)
        return dataset

    def _keep(self, row: RunRow, content: IO[bytes] | None) -> None:
        line = _line(row.line)
        details = row.data_row.get("details")
        name = details.get("dataset_name") if isinstance(details, dict) else None
        known = name if isinstance(name, str) else self._default
        dataset = self._datasets.get(known) or self._begin(known)
        metadata = [
            entry for one in line.metadata_fields or () if (entry := _metadata(one))
        ]
        self.unsaid += len(line.metadata_fields or ()) - len(metadata)
        attachments = [
            {"type": one.get("type"), "value": one.get("value")}
            for one in line.attachments or ()
        ]
        row_data = row.data_row.get("row_data")
        if content is None:
            if _is_url(row_data):
                if is_at(str(row_data), self._host):
                    self.at_home += 1
                else:
                    self.at_urls += 1
            said: dict[str, object] = {"global_key": row.key, "row_data": row_data}
            if row.data_row.get("external_id") is not None:
                said["external_id"] = row.data_row["external_id"]
            if metadata:
                said["metadata_fields"] = metadata
            if attachments:
                said["attachments"] = attachments
            dataset.plain.write(_encode(said) + b"\n")
            return
        self.bare += len(attachments)
        file = f"media/{_hash(content)}{_ending(row_data, line)}"
        if file not in self._folder.hashes:
            with self._folder.sheet(file) as sheet:
                for piece in _pieces(content):
                    sheet.write(piece)
        upload: JsonObject = {
            "global_key": row.key,
            "file": f"../{file}",
            "external_id": row.data_row.get("external_id") or "",
        }
        for entry in metadata:
            field_name = entry.get("name")
            if isinstance(field_name, str):
                column = dataset.metadata.setdefault(
                    field_name, f"metadata {field_name}"
                )
                upload[column] = entry["value"]
        dataset.uploads.append(upload)


def fetched(fetch: Callable[[str], _T], url: str, what: str) -> _T:
    """Fetch a file; an error says which, but for what may sign the URL."""
    try:
        return fetch(url)
    except RemoteError as error:
        parts = urlsplit(url)
        error.reason = f"{what}, {parts.hostname}{parts.path}: {error.reason}"
        raise


def is_at(url: str, host: str | None) -> bool:
    """Tell whether a URL leads to a host, which may have a port."""
    return host is not None and url.startswith((f"http://{host}/", f"https://{host}/"))


def _close(futures: Iterable[Future[IO[bytes] | None]]) -> None:
    """Close files that came, and that nobody waits for any more."""
    for future in futures:
        if not future.cancelled() and future.exception() is None:
            with future.result() or nullcontext():
                pass


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    yield from iter(partial(file.read, _PIECE), b"")


def _hash(file: IO[bytes]) -> str:
    found = hashlib.sha256()
    for piece in _pieces(file):
        found.update(piece)
    return found.hexdigest()


def _suffix(number: int) -> str:
    return "" if number == 1 else f"-{number}"


def _is_fit(key: str) -> bool:
    return check_name(key, RowIdentity.GLOBAL_KEY) is None


def _is_url(content: object) -> bool:
    return isinstance(content, str) and content.startswith(_SCHEMES)


def _metadata(field_: dict[str, object]) -> JsonObject | None:
    value = field_.get("value")
    if not isinstance(value, str | int | float):
        return None
    name = field_.get("schema_name")
    if isinstance(name, str):
        return {"name": name, "value": value}
    return {"schema_id": str(field_.get("schema_id")), "value": value}


def _ending(row_data: object, line: _Line) -> str:
    mime_type = (line.media_attributes or {}).get("mime_type")
    if found := _ENDINGS.get(str(mime_type)):
        return found
    path = PurePosixPath(unquote(urlsplit(str(row_data)).path))
    ending = path.suffix.lower()
    return ending if ending in _ENDINGS.values() or ending == ".jpeg" else ""

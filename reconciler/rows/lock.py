"""Locks: what a live selection, or the labels of a project, came to.

A lock is text for people to review: a line of what it is, a header, and one row
a line, sorted. Digests in the header are checked when it is read, because a line
that was edited or merged by hand would change data that nobody has resolved.

    # reconciler lock v1; made by "reconciler lock", not by hand
    # {"kind":"rows","rows":2,...}
    night-0001<TAB>TRAINING<TAB>Oslo
    night-0002<TAB>TEST<TAB>Bergen

Locks of rows have `key, split, group`, locks of labels `key, hash of the content,
label id, last change`. What isn't known or asked for is empty.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from types import UnionType
from typing import Final, TypeAlias

from reconciler.rows.digest import digest_lines
from reconciler.rows.names import check_name
from reconciler.state.canonical import (
    JsonObject,
    JsonValue,
    canonical_bytes,
    canonicalise,
)
from reconciler.state.resources import RowIdentity

FIRST: Final = '# reconciler lock v1; made by "reconciler lock", not by hand'
"""The first line of every lock."""

_HEADER: Final = "# "
_LONGEST_HEADER: Final = 1 << 20
SHA256: Final = "sha256:"
"""What digests and hashes begin with."""

_CHUNK: Final = 1 << 20


class LockError(ValueError):
    """A lock isn't as it was made.

    Attributes:
        why: What is wrong.
        line: Where in the lock, from 1.
    """

    def __init__(self, why: str, line: int = 2) -> None:
        self.why = why
        self.line = line
        super().__init__(why)


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsHeader:
    """What a lock of rows says of itself.

    Attributes:
        endpoint: The remote that was asked.
        organisation: Id of the organisation there.
        rows: How many rows there are.
        members: SHA-256 of the sorted keys, a line each.
        lines: SHA-256 of all that stands after the header, with plain line ends.
        select: The selection, as `Selection.to_json` says it.
        splits: The rule that splits were made by; None leaves them unmanaged.
        splits_digest: What `Membership.digest` says; None without splits.
        groups: SHA-256 of the sorted `key<TAB>group` lines; None when nobody
            asks for groups.
        parquet: SHA-256 of the Parquet file that has the rows; None when they
            are in the lock.
    """

    endpoint: str
    organisation: str
    rows: int
    members: str
    lines: str
    select: JsonValue
    splits: JsonValue
    splits_digest: str | None
    groups: str | None
    parquet: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelsHeader:
    """What a lock of labels says of itself.

    Attributes:
        endpoint: The remote that was asked.
        organisation: Id of the organisation there, in which label ids are valid.
        rows: How many rows have a label.
        members: SHA-256 of the sorted keys, a line each.
        lines: SHA-256 of all that stands after the header, with plain line ends.
        project: Address of the project that the labels are of; None for labels
            of no declared project.
        labels: SHA-256 of the sorted `key<TAB>content` lines.
    """

    endpoint: str
    organisation: str
    rows: int
    members: str
    lines: str
    project: str | None
    labels: str


Header: TypeAlias = RowsHeader | LabelsHeader

_KINDS: Final[Mapping[str, type[Header]]] = {
    "rows": RowsHeader,
    "labels": LabelsHeader,
}
_TYPES: Final[Mapping[str, type | UnionType]] = {
    "endpoint": str,
    "organisation": str,
    "rows": int,
    "members": str,
    "lines": str,
    "splits_digest": str | None,
    "groups": str | None,
    "parquet": str | None,
    "project": str | None,
    "labels": str,
}


def head_lines(header: Header) -> Iterator[str]:
    """Write what every lock begins with."""
    kind = next(kind for kind, of in _KINDS.items() if isinstance(header, of))
    said: JsonObject = {"kind": kind, **asdict(header)}
    yield f"{FIRST}\n"
    yield f"{_HEADER}{canonical_bytes(said).decode()}\n"


def read_header(file: Path) -> Header:
    """Read what a lock says of itself, and nothing else of it.

    Raises:
        LockError: When it is no lock, or none of this version.
        OSError: When the file can't be read.
    """
    with file.open("rb") as stream:
        first = stream.readline(_LONGEST_HEADER)
        second = stream.readline(_LONGEST_HEADER)
    if first.rstrip(b"\r\n") != FIRST.encode():
        raise LockError("it doesn't begin as locks of this version do", 1)
    if not second.startswith(_HEADER.encode()):
        raise LockError("the header is missing")
    try:
        return _decode(second[len(_HEADER) :])
    except (ValueError, RecursionError) as error:
        raise LockError(f"the header can't be read: {error}") from error


def _decode(text: bytes) -> Header:
    said = json.loads(text)
    kind = _KINDS.get(str(said.pop("kind", ""))) if isinstance(said, dict) else None
    if kind is None:
        raise ValueError("it is of no kind that there is")
    if said.keys() != {field.name for field in fields(kind)}:
        raise ValueError("its fields aren't those of a lock of its kind")
    odd = [name for name, value in said.items() if not _fits(name, value)]
    if odd:
        raise ValueError(f"{odd[0]!r} has another type")
    return kind(**said)


def _fits(name: str, value: object) -> bool:
    return isinstance(value, _TYPES.get(name, object)) and not isinstance(value, bool)


def says(written: JsonValue, wanted: JsonValue) -> bool:
    """Tell whether a header says what is wanted; 1 is 1.0, and neither is true."""
    expected = json.dumps(canonicalise(wanted), sort_keys=True)
    return json.dumps(written, sort_keys=True) == expected


def check_lines(file: Path, header: Header) -> None:
    """Compare all that stands after the header with what it says.

    Finds also what no other digest is of, such as the ids of labels.

    Raises:
        LockError: When it differs.
        OSError: When the file can't be read.
    """
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        for _ in range(2):
            stream.readline()
        while chunk := stream.read(_CHUNK):
            chunk += stream.readline()  # no line end is cut in two
            digest.update(chunk.replace(b"\r\n", b"\n"))
    compare({"lines": (header.lines, f"{SHA256}{digest.hexdigest()}")})


def compare(said: Mapping[str, tuple[object, object]]) -> None:
    """Compare what a header says, by field, with what was found.

    Raises:
        LockError: When they differ.
    """
    for name, (written, found) in said.items():
        if written != found:
            raise LockError(f"its header says {name} {written}, its rows {found}")


def read_fields(file: Path, count: int) -> Iterator[tuple[int, list[str]]]:
    """Go through the rows with their lines; keys are fit, and sorted.

    Windows' line ends are those of a checkout, and change nothing.
    """
    before = ""
    with file.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            if number <= 2:
                continue
            if not line.endswith(b"\n"):
                raise LockError("the last line is cut", number)
            try:
                text = line.decode()[:-1].removesuffix("\r")
            except UnicodeDecodeError as error:
                raise LockError("the line is not UTF-8", number) from error
            fields = text.split("\t")
            if len(fields) != count:
                raise LockError(
                    f"{count} fields are expected, not {len(fields)}", number
                )
            if wrong := check_name(fields[0], RowIdentity.GLOBAL_KEY):
                raise LockError(wrong[1], number)
            if fields[0] <= before:
                raise LockError(f"{fields[0]!r} isn't where it is sorted to", number)
            before = fields[0]
            yield number, fields


# --- Digests


def digest_keys(keys: Iterable[str]) -> str:
    """Name keys by the hash of their sorted lines."""
    return digest_lines(f"{key}\n" for key in sorted(keys))


def digest_pairs(pairs: Iterable[tuple[str, str]]) -> str:
    """Name pairs by the hash of their sorted lines."""
    return digest_lines(sorted(f"{key}\t{value}\n" for key, value in pairs))


def file_digest(file: Path) -> str:
    """Name a file by `sha256:` and the hash of its bytes."""
    with file.open("rb", buffering=0) as stream:
        return f"{SHA256}{hashlib.file_digest(stream, 'sha256').hexdigest()}"

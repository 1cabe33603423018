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

from reconciler.rows.digest import digest_lines, digest_rows
from reconciler.rows.honesty import Values
from reconciler.rows.membership import LARGE, make_membership
from reconciler.rows.names import check_name
from reconciler.state.address import Address, RemoteId
from reconciler.state.canonical import (
    JsonObject,
    JsonValue,
    canonical_bytes,
    canonicalise,
)
from reconciler.state.labels import ContentHash, PinnedLabel
from reconciler.state.resources import Membership, RowIdentity, Split

FIRST: Final = '# reconciler lock v1; made by "reconciler lock", not by hand'
"""The first line of every lock."""

_HEADER: Final = "# "
_LONGEST_HEADER: Final = 1 << 20
_SHA256: Final = "sha256:"
_HEX: Final = frozenset("0123456789abcdef")


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
        project: Address of the project that the labels are of; None for labels
            of no declared project.
        labels: SHA-256 of the sorted `key<TAB>content` lines.
    """

    endpoint: str
    organisation: str
    rows: int
    members: str
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
    "splits_digest": str | None,
    "groups": str | None,
    "parquet": str | None,
    "project": str | None,
    "labels": str,
}


@dataclass(frozen=True, slots=True)
class LockedRows:
    """The rows of a lock.

    Attributes:
        membership: By global key.
        groups: The group of each row; None when nobody asks for groups.
    """

    membership: Membership
    groups: "Values | None"


# --- Writing


def rows_header(
    *,
    select: JsonObject,
    splits: JsonValue,
    endpoint: str,
    organisation: RemoteId,
    rows: Mapping[str, Split],
    groups: Mapping[str, str] | None,
) -> RowsHeader:
    """Describe resolved rows.

    Args:
        select: The selection, canonical.
        splits: The rule of the splits, canonical; None for none.
        endpoint: The remote that was asked.
        organisation: Whom its key belongs to.
        rows: The splits, by global key.
        groups: The groups, by global key.
    """
    return RowsHeader(
        endpoint=endpoint,
        organisation=organisation,
        rows=len(rows),
        members=_digest_keys(rows),
        select=select,
        splits=splits,
        splits_digest=None if splits is None else digest_rows(rows.items()),
        groups=None
        if groups is None
        else _digest_pairs((key, groups.get(key, "")) for key in rows),
        parquet=None,
    )


def rows_lines(
    header: RowsHeader, rows: Mapping[str, Split], groups: Mapping[str, str] | None
) -> Iterator[str]:
    """Write a lock of rows; of rows in a Parquet file only what says so."""
    yield from _head(header)
    if header.parquet is None:
        for fields in row_fields(header, rows, groups):
            yield "\t".join(fields) + "\n"


def row_fields(
    header: RowsHeader, rows: Mapping[str, Split], groups: Mapping[str, str] | None
) -> Iterator[tuple[str, str, str]]:
    """Go through key, split and group of each row, sorted, as they are written."""
    managed = header.splits is not None
    known = groups or {}
    for key in sorted(rows):
        yield key, rows[key].value if managed else "", known.get(key, "")


def labels_header(
    *,
    project: Address | None,
    endpoint: str,
    organisation: RemoteId,
    labels: Mapping[str, PinnedLabel],
) -> LabelsHeader:
    """Describe labels, by global key."""
    return LabelsHeader(
        endpoint=endpoint,
        organisation=organisation,
        rows=len(labels),
        members=_digest_keys(labels),
        project=None if project is None else str(project),
        labels=_digest_labels(labels),
    )


def labels_lines(
    header: LabelsHeader, labels: Mapping[str, PinnedLabel]
) -> Iterator[str]:
    """Write a lock of labels."""
    yield from _head(header)
    for key in sorted(labels):
        label = labels[key]
        fields = (
            key,
            label.content.removeprefix(_SHA256),
            label.label_id or "",
            label.changed or "",
        )
        yield "\t".join(fields) + "\n"


def _head(header: Header) -> Iterator[str]:
    kind = next(kind for kind, of in _KINDS.items() if isinstance(header, of))
    said: JsonObject = {"kind": kind, **asdict(header)}
    yield f"{FIRST}\n"
    yield f"{_HEADER}{canonical_bytes(said).decode()}\n"


# --- Reading


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


def read_rows(
    file: Path, header: RowsHeader, *, parquet: Path | None = None, large: int = LARGE
) -> LockedRows:
    """Read the rows of a lock, and check them against its header.

    Args:
        file: The lock.
        header: What it says of itself.
        parquet: The Parquet file beside it; None where the header names none.
        large: How many rows are still kept as a mapping.

    Raises:
        LockError: When they aren't the rows that were locked.
        OSError: When a file can't be read.
    """
    if header.rows < 1:
        raise LockError("it has no rows")
    if header.parquet is not None:
        assert parquet is not None
        from reconciler.rows.lock_large import read_parquet  # duckdb is slow

        return read_parquet(parquet, header, large=large)
    if header.rows > large:
        from reconciler.rows.lock_large import read_text  # duckdb is slow

        if found := read_text(file, header):
            return found
    return _read_plain(file, header, large)


def _read_plain(file: Path, header: RowsHeader, large: int) -> LockedRows:
    rows: dict[str, Split] = {}
    groups: dict[str, str] = {}
    for line, (key, word, group) in _fields(file, 3):
        rows[key] = _split(word, header, line)
        groups[key] = group
    check_rows(
        header,
        count=len(rows),
        members=_digest_keys(rows),
        splits=digest_rows(rows.items()),
        groups=_digest_pairs(groups.items()),
        has_groups=any(groups.values()),
    )
    managed = header.splits is not None
    membership = make_membership(
        rows, by=RowIdentity.GLOBAL_KEY, assigns_splits=managed, large=large
    )
    return LockedRows(membership, groups if header.groups is not None else None)


def check_rows(
    header: RowsHeader,
    *,
    count: int,
    members: str,
    splits: str,
    groups: str,
    has_groups: bool,
) -> None:
    """Compare rows that were read with what the header says of them.

    Args:
        header: The header.
        count: How many rows there are.
        members: Digest of the keys.
        splits: Digest of the keys with their splits.
        groups: Digest of the keys with their groups.
        has_groups: Whether any row has a group.

    Raises:
        LockError: When they differ.
    """
    if header.groups is None and has_groups:
        raise LockError("rows have groups, and the header says none")
    said: dict[str, tuple[object, object]] = {
        "rows": (header.rows, count),
        "members": (header.members, members),
        "splits_digest": (
            header.splits_digest,
            None if header.splits is None else splits,
        ),
        "groups": (header.groups, None if header.groups is None else groups),
    }
    _compare(said)


def read_labels(file: Path, header: LabelsHeader) -> dict[str, PinnedLabel]:
    """Read the labels of a lock by global key, and check them against its header.

    Raises:
        LockError: When they aren't the labels that were locked.
        OSError: When the file can't be read.
    """
    labels: dict[str, PinnedLabel] = {}
    for line, (key, content, label_id, changed) in _fields(file, 4):
        if len(content) != 64 or not _HEX.issuperset(content):
            raise LockError(f"{content!r} is no hash of a label's content", line)
        labels[key] = PinnedLabel(
            row=key,
            content=ContentHash(f"{_SHA256}{content}"),
            label_id=RemoteId(label_id) if label_id else None,
            changed=changed or None,
        )
    said: dict[str, tuple[object, object]] = {
        "rows": (header.rows, len(labels)),
        "members": (header.members, _digest_keys(labels)),
        "labels": (header.labels, _digest_labels(labels)),
    }
    _compare(said)
    return labels


def _compare(said: Mapping[str, tuple[object, object]]) -> None:
    for name, (written, found) in said.items():
        if written != found:
            raise LockError(f"its header says {name} {written}, its rows {found}")


def _fields(file: Path, count: int) -> Iterator[tuple[int, list[str]]]:
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


def _split(word: str, header: RowsHeader, line: int) -> Split:
    if header.splits is None:
        if word:
            raise LockError(f"a split is given, {word!r}, and none is managed", line)
        return Split.UNASSIGNED
    try:
        return Split(word)
    except ValueError:
        raise LockError(f"{word!r} is no split", line) from None


# --- Digests


def _digest_keys(keys: Iterable[str]) -> str:
    return digest_lines(f"{key}\n" for key in sorted(keys))


def _digest_pairs(pairs: Iterable[tuple[str, str]]) -> str:
    return digest_lines(sorted(f"{key}\t{value}\n" for key, value in pairs))


def _digest_labels(labels: Mapping[str, PinnedLabel]) -> str:
    return _digest_pairs((key, label.content) for key, label in labels.items())


def file_digest(file: Path) -> str:
    """Name a file by `sha256:` and the hash of its bytes."""
    with file.open("rb", buffering=0) as stream:
        return f"{_SHA256}{hashlib.file_digest(stream, 'sha256').hexdigest()}"

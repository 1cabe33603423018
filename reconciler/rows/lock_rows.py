"""Locks of rows: what a live selection came to, with splits and groups."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from reconciler.rows.digest import digest_lines, digest_rows
from reconciler.rows.honesty import Values
from reconciler.rows.lock import (
    LockError,
    RowsHeader,
    check_lines,
    compare,
    digest_keys,
    digest_pairs,
    head_lines,
    read_fields,
)
from reconciler.rows.membership import LARGE, make_membership
from reconciler.state.address import RemoteId
from reconciler.state.canonical import JsonObject, JsonValue
from reconciler.state.resources import Membership, RowIdentity, Split


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
    described = RowsHeader(
        endpoint=endpoint,
        organisation=organisation,
        rows=len(rows),
        members=digest_keys(rows),
        lines="",
        select=select,
        splits=splits,
        splits_digest=None if splits is None else digest_rows(rows.items()),
        groups=None
        if groups is None
        else digest_pairs((key, groups.get(key, "")) for key in rows),
        parquet=None,
    )
    return replace(described, lines=digest_lines(_lines(described, rows, groups)))


def in_parquet(header: RowsHeader, digest: str) -> RowsHeader:
    """Describe rows that are not in the lock, but in a Parquet file beside it.

    Args:
        header: What describes them in the lock.
        digest: What names the file.
    """
    return replace(header, parquet=digest, lines=digest_lines(()))


def rows_lines(
    header: RowsHeader, rows: Mapping[str, Split], groups: Mapping[str, str] | None
) -> Iterator[str]:
    """Write a lock of rows; of rows in a Parquet file only what says so."""
    yield from head_lines(header)
    if header.parquet is None:
        yield from _lines(header, rows, groups)


def _lines(
    header: RowsHeader, rows: Mapping[str, Split], groups: Mapping[str, str] | None
) -> Iterator[str]:
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


# --- Reading


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
    found = _read(file, header, parquet, large)
    check_lines(file, header)
    return found


def _read(
    file: Path, header: RowsHeader, parquet: Path | None, large: int
) -> LockedRows:
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
    for line, (key, word, group) in read_fields(file, 3):
        rows[key] = _split(word, header, line)
        groups[key] = group
    check_rows(
        header,
        count=len(rows),
        members=digest_keys(rows),
        splits=digest_rows(rows.items()),
        groups=digest_pairs(groups.items()),
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
    compare(said)


def _split(word: str, header: RowsHeader, line: int) -> Split:
    if header.splits is None:
        if word:
            raise LockError(f"a split is given, {word!r}, and none is managed", line)
        return Split.UNASSIGNED
    try:
        return Split(word)
    except ValueError:
        raise LockError(f"{word!r} is no split", line) from None

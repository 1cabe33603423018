"""Locks of many rows: text straight into DuckDB, and Parquet beside the lock.

Text is read here only when it is beyond doubt; at anything else this stands
aside, for the plain reader to find the words.
"""

# Every name put into SQL is a table or column name of this package or a number;
# whatever a user wrote is a parameter.
# ruff: noqa: S608

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import duckdb

from reconciler.rows import tables
from reconciler.rows.digest import digest_lines
from reconciler.rows.honesty_large import LargeValues
from reconciler.rows.large import LargeMembership
from reconciler.rows.lock import LockError, RowsHeader, file_digest
from reconciler.rows.lock_rows import LockedRows, check_rows
from reconciler.rows.names import LONGEST
from reconciler.rows.tables import LABELS, SPLITS, Table
from reconciler.state.resources import RowIdentity, Split

_CHUNK: Final = 1 << 20
_LINES: Final = 10_000
_COLUMNS: Final = ("key", "split", "group")

# Bytes for which readers of lines differ: quotes, and all control characters but
# the tab and the end of a line.
_SIMPLE: Final = bytes(
    byte for byte in range(256) if byte in b"\t\n" or (byte >= 0x20 and byte != 0x22)
)
_UNFIT: Final = r"[\x00-\x1f\x7f-\x{9f}]|^\s|\s$|\s\s"


def write_parquet(rows: Iterable[tuple[str, str, str]], file: Path) -> str:
    """Write rows into a new file, in their order, and give the file's digest.

    Args:
        rows: Key, split and group of each.
        file: Where to write.
    """
    table = Table()
    with tables.cursor() as cursor:
        columns = ", ".join(f'"{column}" VARCHAR' for column in _COLUMNS)
        cursor.execute(f"CREATE TABLE {table} ({columns})")
        tables.insert_texts(cursor, table, rows)
        cursor.execute(
            f"COPY (SELECT * FROM {table} ORDER BY rowid) TO $1 "
            "(FORMAT parquet, COMPRESSION zstd)",
            [str(file)],
        )
    return file_digest(file)


def read_parquet(file: Path, header: RowsHeader, *, large: int) -> LockedRows:
    """Read the rows of a lock that are in a Parquet file; see `lock_rows.read_rows`."""
    if file_digest(file) != header.parquet:
        raise LockError(f"{file.name} isn't the file that it names")
    try:
        with tables.cursor() as cursor:
            table = Table()
            read = f"read_parquet($1, {tables.AS_IT_IS})"
            where = [tables.literal(file)]
            cursor.execute(f"DESCRIBE SELECT * FROM {read}", where)
            types = [(name, of) for name, of, *_ in cursor.fetchall()]
            if types != [(column, "VARCHAR") for column in _COLUMNS]:
                raise LockError(f"{file.name} has other columns than locks have")
            cursor.execute(
                f'CREATE TABLE {table} AS SELECT key, split, "group" FROM {read}', where
            )
            return _locked(cursor, table, header, large)
    except (duckdb.Error, ValueError) as error:
        if isinstance(error, LockError):
            raise
        why = str(error).partition("\n")[0]
        raise LockError(f"{file.name} can't be read: {why}") from error


def read_text(file: Path, header: RowsHeader) -> LockedRows | None:
    """Read the rows of a lock from its text; None when anything may be wrong."""
    try:
        if not _is_simple(file):
            return None
        with tables.cursor() as cursor:
            table = Table()
            types = ", ".join(f"'{column}': 'VARCHAR'" for column in _COLUMNS)
            cursor.execute(
                f"CREATE TABLE {table} AS SELECT * FROM read_csv($1, delim = chr(9), "
                "quote = '', escape = '', nullstr = chr(31), header = false, "
                "auto_detect = false, null_padding = false, strict_mode = true, "
                f"skip = 2, columns = {{{types}}}, {tables.AS_IT_IS})",
                [tables.literal(file)],
            )
            return _locked(cursor, table, header, 0)
    except (duckdb.Error, ValueError):
        return None


def _is_simple(file: Path) -> bool:
    """Make sure that lines can be cut without thinking."""
    last = b""
    with file.open("rb") as stream:
        for _ in range(2):
            stream.readline()
        while chunk := stream.read(_CHUNK):
            if chunk.translate(None, _SIMPLE) or b"\n\n" in last[-1:] + chunk:
                return False
            last = chunk
    return last.endswith(b"\n")


def _locked(
    cursor: duckdb.DuckDBPyConnection, table: Table, header: RowsHeader, large: int
) -> LockedRows:
    """Check rows in a table `(key, split, group)`, and take them over."""
    managed = header.splits is not None
    words = ", ".join(f"'{split}'" for split in SPLITS) if managed else "''"
    cursor.execute(
        f"SELECT count(*), count(*) FILTER (key IS NULL OR length(key) > {LONGEST} "
        f"OR key = '' OR regexp_matches(key, '{_UNFIT}')), "
        f"count(*) FILTER (split IS NULL OR split NOT IN ({words})), "
        'count(*) FILTER ("group" IS NULL OR regexp_matches("group", \'[\\t\\n]\')), '
        "count(*) FILTER (\"group\" <> '') "
        f"FROM {table}"
    )
    [(count, unfit, unknown, ungrouped, grouped)] = cursor.fetchall()
    if unfit or ungrouped:
        raise LockError(f"{unfit or ungrouped:,} of its rows can't be rows of a lock")
    if unknown:
        raise LockError(f"{unknown:,} of its rows have no split that there is")
    cursor.execute(
        "SELECT count(*) FROM (SELECT key, lag(key) OVER (ORDER BY rowid) AS before "
        f"FROM {table}) WHERE key <= before"
    )
    [(misplaced,)] = cursor.fetchall()
    if misplaced:
        raise LockError(f"{misplaced:,} of its rows aren't where they are sorted to")
    written = "split" if managed else f"'{Split.UNASSIGNED}'"
    check_rows(
        header,
        count=count,
        members=_digest(cursor, table, "key || chr(10)"),
        splits=_digest(cursor, table, f"key || chr(9) || {written} || chr(10)"),
        groups=_digest(cursor, table, 'key || chr(9) || "group" || chr(10)'),
        has_groups=bool(grouped),
    )
    members, values = Table(), Table()
    cursor.execute(
        f"CREATE TABLE {members} AS SELECT key AS name, "
        f"(list_position({LABELS}, {written}) - 1)::UTINYINT AS split FROM {table}"
    )
    membership = LargeMembership(members, RowIdentity.GLOBAL_KEY, managed)
    groups = None
    if header.groups is not None:
        cursor.execute(
            f'CREATE TABLE {values} AS SELECT key AS name, "group" AS value FROM {table}'
        )
        groups = LargeValues(values)
    return LockedRows(
        membership if len(membership) > large else membership.plain(), groups
    )


def _digest(cursor: duckdb.DuckDBPyConnection, table: Table, line: str) -> str:
    # Whole batches of lines as one text each: a Python string a line costs more
    # than the hash.
    cursor.execute(
        f"SELECT string_agg({line}, '' ORDER BY rowid) FROM {table} "
        f"GROUP BY rowid // {_LINES} ORDER BY rowid // {_LINES}"
    )
    return digest_lines(text for (text,) in tables.fetched(cursor))

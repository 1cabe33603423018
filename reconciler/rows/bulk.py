"""Large memberships straight from files into DuckDB.

Only what is beyond doubt is read here: files of the simplest form, rows that
are all in order. At anything else this stands aside, for the plain reader to
find the words or to find that nothing is wrong.
"""

# Every name put into SQL is a table or column name of this package or a number;
# whatever a user wrote is a parameter.
# ruff: noqa: S608

import codecs
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import duckdb

from reconciler.rows import tables
from reconciler.rows.assemble import column_beside
from reconciler.rows.honesty_large import LargeValues
from reconciler.rows.large import LargeMembership
from reconciler.rows.listing import Beside, read_entries
from reconciler.rows.names import LONGEST
from reconciler.rows.problems import Problems
from reconciler.rows.spec import (
    InlineRows,
    MembershipSpec,
    RowFile,
    RowFormat,
    RowSource,
    SplitByColumn,
    SplitByHash,
    SplitByLists,
    SplitByPositions,
)
from reconciler.rows.splits import (
    check_positions,
    check_weights,
    hash_bounds,
    position_ranges,
)
from reconciler.rows.tables import SPLITS, Table
from reconciler.state.resources import RowIdentity, Split

_CHUNK: Final = 1 << 20
_CODE: Final = {split: code for code, split in enumerate(SPLITS)}

# Bytes for which readers of CSV and of lines differ: quotes, and all control
# characters but the tab and the ends of lines.
_SIMPLE: Final = bytes(
    byte for byte in range(256) if byte in b"\t\r\n" or (byte >= 0x20 and byte != 0x22)
)

# Names that may be wrong; every one of them that is wrong, and a few that
# aren't. White space beyond ASCII is left to the plain reader.
_DOUBTFUL: Final = (
    r"[\x00-\x1f\x7f-\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}"
    r"\x{3000}]|^ | $|  "
)


class _DoubtfulError(Exception):
    """Something isn't in order, or may not be."""


def load_bulk(spec: MembershipSpec) -> LargeMembership | None:
    """Read a membership in DuckDB; None when anything may be wrong with it."""
    try:
        with tables.cursor() as cursor:
            table = _load(cursor, spec)
    except (_DoubtfulError, UnicodeDecodeError, duckdb.Error, OSError):
        return None
    return LargeMembership(table, spec.by, assigns_splits=spec.splits is not None)


def load_beside(
    sources: Sequence[RowSource], by: RowIdentity, beside: Beside
) -> LargeValues | None:
    """Read what stands beside each row; None when anything may be wrong with it."""
    try:
        with tables.cursor() as cursor:
            return LargeValues(_listed(cursor, sources, by, beside))
    except (_DoubtfulError, UnicodeDecodeError, duckdb.Error, OSError):
        return None


def _load(cursor: duckdb.DuckDBPyConnection, spec: MembershipSpec) -> Table:
    beside = column_beside(spec.splits)
    rows = _listed(cursor, spec.sources, spec.by, beside)
    count = _check(cursor, rows, spec.by)
    split, values, lists = _split(cursor, spec, rows, count)
    joined = f"LEFT JOIN {lists} AS l ON l.name = r.name" if lists else ""
    table = tables.Table()
    cursor.execute(
        f"CREATE TABLE {table} AS SELECT r.name, ({split})::UTINYINT AS split "
        f"FROM {rows} AS r {joined}",
        values,
    )
    _require_none(cursor, f"{table} WHERE split IS NULL")
    return table


def _split(
    cursor: duckdb.DuckDBPyConnection, spec: MembershipSpec, rows: Table, count: int
) -> tuple[str, list[str], Table | None]:
    """Write how a row's split is found: SQL, its parameters, and listed splits."""
    unassigned = _CODE[Split.UNASSIGNED]
    match spec.splits:
        case None:
            return f"{unassigned}", [], None
        case SplitByColumn():
            cases = " ".join(f"WHEN '{s}' THEN {code}" for s, code in _CODE.items())
            return f"CASE value WHEN '' THEN {unassigned} {cases} END", [], None
        case SplitByHash() as rule:
            return _hashed(rule), [f"{rule.salt}\n"], None
        case SplitByPositions() as rule:
            return _placed(rule, count, len(spec.sources)), [], None
        case SplitByLists() as rule:
            lists = _lists(cursor, rule, spec.by, rows)
            return f"coalesce(l.split, {unassigned})", [], lists


def _listed(
    cursor: duckdb.DuckDBPyConnection,
    sources: Sequence[RowSource],
    by: RowIdentity,
    beside: Beside | None,
) -> Table:
    """Bring sources into a table `(name, value)`, in their order."""
    if not sources:
        raise _DoubtfulError
    table = tables.Table()
    cursor.execute(f"CREATE TABLE {table} (name VARCHAR, value VARCHAR)")
    for source in sources:
        before = _count(cursor, f"{table}")
        match source:
            case RowFile(format=RowFormat.CSV | RowFormat.TEXT):
                _from_lines(cursor, table, source, beside)
            case RowFile(format=RowFormat.PARQUET):
                _from_parquet(cursor, table, source, beside)
            case RowFile(format=RowFormat.NDJSON) | InlineRows():
                _from_entries(cursor, table, source, by, beside)
            case _:
                raise _DoubtfulError
        if _count(cursor, f"{table}") == before:
            raise _DoubtfulError
    return table


def _from_lines(
    cursor: duckdb.DuckDBPyConnection,
    table: Table,
    source: RowFile,
    beside: Beside | None,
) -> None:
    header = _scan(source.path, source.format)
    if source.format is RowFormat.TEXT:
        if beside is not None:
            raise _DoubtfulError
        columns, name, value, skipped, delimiter = ["c0"], "c0", "''", 0, "\x1f"
    else:
        wanted = [source.column] if beside is None else [source.column, beside.column]
        if len(set(header)) < len(header) or not set(wanted) <= set(header):
            raise _DoubtfulError
        columns = [f"c{number}" for number in range(len(header))]
        name, *others = (f"c{header.index(column)}" for column in wanted if column)
        value, skipped, delimiter = (others or ["''"])[0], 1, ","
    types = ", ".join(f"'{column}': 'VARCHAR'" for column in columns)
    cursor.execute(
        f"INSERT INTO {table} SELECT {name}, {value} FROM read_csv($1, "
        "delim = $2, quote = '', escape = '', nullstr = chr(31), header = false, "
        "auto_detect = false, null_padding = false, strict_mode = true, "
        f"skip = {skipped}, columns = {{{types}}}, {tables.AS_IT_IS})",
        [_literal(source.path), delimiter],
    )


def _literal(file: Path) -> str:
    try:
        return tables.literal(file)
    except ValueError as error:
        raise _DoubtfulError from error


def _scan(file: Path, row_format: RowFormat) -> list[str]:
    """Make sure that lines can be cut without thinking.

    Returns:
        The fields of the first line.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    lines = ends = returns = 0
    before = b"\n"
    with file.open("rb") as stream:
        first = stream.readline(_CHUNK).removeprefix(codecs.BOM_UTF8)
        starts_with_mark = stream.tell() > len(first)
        stream.seek(0)
        while chunk := stream.read(_CHUNK):
            joined = before + chunk
            if chunk.translate(None, _SIMPLE) or b"\n\n" in joined or b"\n\r" in joined:
                raise _DoubtfulError
            lines += chunk.count(b"\n")
            ends += joined.count(b"\r\n")
            returns += chunk.count(b"\r")
            before = chunk[-1:]
            decoder.decode(chunk)
    decoder.decode(b"", final=True)
    if ends != returns or returns not in (0, lines):
        raise _DoubtfulError
    if starts_with_mark and row_format is RowFormat.TEXT:
        raise _DoubtfulError
    return first.decode().rstrip("\r\n").split(",")


def _from_parquet(
    cursor: duckdb.DuckDBPyConnection,
    table: Table,
    source: RowFile,
    beside: Beside | None,
) -> None:
    path = _literal(source.path)
    read = f"read_parquet($1, {tables.AS_IT_IS})"
    cursor.execute(f"DESCRIBE SELECT * FROM {read}", [path])
    types = {row[0]: row[1] for row in cursor.fetchall()}
    wanted = [source.column] if beside is None else [source.column, beside.column]
    if any(types.get(column) != "VARCHAR" for column in wanted if column):
        raise _DoubtfulError
    name, *others = (f"coalesce({_quoted(c)}, '')" for c in wanted if c)
    value = (others or ["''"])[0]
    cursor.execute(f"INSERT INTO {table} SELECT {name}, {value} FROM {read}", [path])


def _from_entries(
    cursor: duckdb.DuckDBPyConnection,
    table: Table,
    source: RowSource,
    by: RowIdentity,
    beside: Beside | None,
) -> None:
    problems = Problems()
    entries = read_entries([source], by, problems, beside=beside)
    tables.insert_texts(cursor, table, ((e.name, e.value) for e in entries))
    if problems:
        raise _DoubtfulError


def _check(cursor: duckdb.DuckDBPyConnection, rows: Table, by: RowIdentity) -> int:
    """Make sure that names are fit and stand once; count them."""
    longest = LONGEST if by is RowIdentity.GLOBAL_KEY else 2**31
    _require_none(
        cursor,
        f"{rows} WHERE name = '' OR length(name) > {longest} "
        f"OR regexp_matches(name, '{_DOUBTFUL}')",
    )
    cursor.execute(f"SELECT count(*), count(DISTINCT name) FROM {rows}")
    [(count, distinct)] = cursor.fetchall()
    if count != distinct:
        raise _DoubtfulError
    assert isinstance(count, int)
    return count


def _hashed(rule: SplitByHash) -> str:
    """Write the choice of a split by hash; the salt is the first parameter."""
    if any(check_weights(rule)):
        raise _DoubtfulError
    text = "r.name" if rule.group is None else "nullif(r.value, '')"
    # Without a group there is no hash, so no split, and the row is in doubt.
    cases = [f"CASE WHEN {text} IS NULL THEN NULL"]
    for bound, split in hash_bounds(rule.weights):
        if bound is None:
            cases.append(f"ELSE {_CODE[split]} END")
        else:
            cases.append(
                f"WHEN left(sha256($1 || {text}), 16) < '{bound}' THEN {_CODE[split]}"
            )
    return " ".join(cases)


def _placed(rule: SplitByPositions, count: int, sources: int) -> str:
    """Write the choice of a split by position."""
    if sources > 1 or any(check_positions(rule, count)):
        raise _DoubtfulError
    cases = [
        f"WHEN r.rowid >= {positions.start} AND r.rowid < {positions.stop} "
        f"THEN {_CODE[split]}"
        for split, positions in position_ranges(rule, count).items()
    ]
    unassigned = _CODE[Split.UNASSIGNED]
    return f"CASE {' '.join(cases)} ELSE {unassigned} END" if cases else f"{unassigned}"


def _lists(
    cursor: duckdb.DuckDBPyConnection, rule: SplitByLists, by: RowIdentity, rows: Table
) -> Table:
    """Bring the lists of splits into a table `(name, split)` of members."""
    table = tables.Table()
    cursor.execute(f"CREATE TABLE {table} (name VARCHAR, split UTINYINT)")
    for split, sources in rule.lists.items():
        listed = _listed(cursor, sources, by, beside=None)
        cursor.execute(f"INSERT INTO {table} SELECT name, {_CODE[split]} FROM {listed}")
    _check(cursor, table, by)
    _require_none(cursor, f"{table} AS l ANTI JOIN {rows} AS r ON l.name = r.name")
    return table


def _require_none(cursor: duckdb.DuckDBPyConnection, rows: str) -> None:
    if _count(cursor, rows):
        raise _DoubtfulError


def _count(cursor: duckdb.DuckDBPyConnection, rows: str) -> int:
    cursor.execute(f"SELECT count(*) FROM {rows}")
    [(count,)] = cursor.fetchall()
    assert isinstance(count, int)
    return count


def _quoted(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'

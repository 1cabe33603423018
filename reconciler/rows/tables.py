"""Rows too many for Python's own collections, in DuckDB's memory.

One database for the process, so that any two tables can be joined. It lives in
memory up to a limit and spills to a private folder beyond it; the folder goes
with the process. Cursors may be used by several threads, one each.
"""

# Every name put into SQL is a table or column name of this package or a number;
# whatever a user wrote is a parameter.
# ruff: noqa: S608

import atexit
import functools
import itertools
import os
import shutil
import tempfile
import threading
import weakref
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from glob import escape
from pathlib import Path
from typing import Final, TypeVar

import duckdb

from reconciler.rows.change import CurrentRow
from reconciler.state.resources import Split

SPLITS: Final = tuple(Split)
"""Splits are kept as their positions here."""

LABELS: Final = "[" + ", ".join(f"'{split}'" for split in SPLITS) + "]"
"""The splits as a list in SQL; its positions count from 1."""

_CODES: Final = {split: code for code, split in enumerate(SPLITS)}
_MEMORY: Final = "512MB"
_THREADS: Final = 4
_BATCH: Final = 10_000
_SEPARATOR: Final = "\x1f"

_T = TypeVar("_T")

AS_IT_IS: Final = "hive_partitioning = false, union_by_name = false, filename = false"
"""Options for readers: no columns but those of the file, whatever its path says."""

_lock: Final = threading.Lock()
_numbers: Final = itertools.count()
_dropped: Final[deque[str]] = deque()


class Table:
    """A name in the shared database; the table goes when nobody holds it.

    Dropping waits for the next cursor: a finalizer may run anywhere, also
    within a call to DuckDB.
    """

    __slots__ = ("__weakref__", "name")

    def __init__(self) -> None:
        self.name = f"rows_{next(_numbers)}"
        weakref.finalize(self, _dropped.append, self.name)

    def __str__(self) -> str:
        return self.name


def literal(file: Path) -> str:
    """Write a path so that DuckDB takes it for a name, not for a pattern.

    Raises:
        ValueError: For a name that DuckDB can only take for a pattern.
    """
    path = str(file)
    escaped = escape(path)
    # In a pattern, and only there, a backslash separates folders on any system.
    if escaped != path and "\\" in path and os.sep != "\\":
        raise ValueError("its path holds a backslash beside *, ? or [")
    return escaped


def cursor() -> duckdb.DuckDBPyConnection:
    """Open a cursor on the shared database; use it in a `with`."""
    with _lock:
        opened = _database().cursor()
    while _dropped:
        try:
            name = _dropped.popleft()
        except IndexError:  # another thread took the last one
            break
        opened.execute(f"DROP TABLE IF EXISTS {name}")
    return opened


def current_table(rows: Iterable[CurrentRow]) -> Table:
    """Put rows of a run into a table `(id, key, split)`; key is NULL for none."""
    table = Table()
    with cursor() as opened:
        opened.execute(
            f"CREATE TABLE {table} (id VARCHAR, key VARCHAR, split UTINYINT)"
        )
        keyless = len(SPLITS)
        for batch in _batched(rows):
            lists, values = _unnested(
                [row.id for row in batch],
                [row.key or "" for row in batch],
                [
                    str(_CODES[row.split] + (keyless if row.key is None else 0))
                    for row in batch
                ],
            )
            opened.execute(
                f"INSERT INTO {table} "
                f"SELECT a, CASE WHEN c::INT < {keyless} THEN b END, c::INT % {keyless} "
                f"FROM (SELECT {lists})",
                values,
            )
    return table


def membership_table(rows: Iterable[tuple[str, Split]]) -> Table:
    """Put names and splits into a table `(name, split)`."""
    table = Table()
    with cursor() as opened:
        opened.execute(f"CREATE TABLE {table} (name VARCHAR, split UTINYINT)")
        for batch in _batched(rows):
            lists, values = _unnested(
                [name for name, _ in batch], [str(_CODES[split]) for _, split in batch]
            )
            opened.execute(
                f"INSERT INTO {table} SELECT a, b::UTINYINT FROM (SELECT {lists})",
                values,
            )
    return table


def insert_texts(
    opened: duckdb.DuckDBPyConnection, table: Table, rows: Iterable[tuple[str, ...]]
) -> None:
    """Add rows to a table of up to three columns of text, in their order."""
    for batch in _batched(rows):
        lists, values = _unnested(*zip(*batch, strict=True))
        opened.execute(f"INSERT INTO {table} SELECT {lists}", values)


def fetched(opened: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, ...]]:
    """Go through a result without holding all of it as Python objects."""
    while rows := opened.fetchmany(_BATCH):
        yield from rows


@functools.cache
def _database() -> duckdb.DuckDBPyConnection:
    folder = tempfile.mkdtemp(prefix="reconciler-rows-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return duckdb.connect(
        ":memory:",
        config={
            "memory_limit": _MEMORY,
            "temp_directory": folder,
            "threads": min(_THREADS, os.cpu_count() or 1),
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "python_enable_replacements": False,
        },
    )


def _batched(items: Iterable[_T]) -> Iterator[list[_T]]:
    left = iter(items)
    while batch := list(itertools.islice(left, _BATCH)):
        yield batch


def _unnested(*columns: Sequence[str]) -> tuple[str, list[str | list[str]]]:
    """Give columns of text to a query: its SELECT list and its parameters.

    One long text that DuckDB splits costs half as much as a list of Python
    strings, so a list is only given where a value holds the separator.
    """
    lists: list[str] = []
    values: list[str | list[str]] = []
    for number, (name, column) in enumerate(zip("abc", columns, strict=False), 1):
        text = _SEPARATOR.join(column)
        if text.count(_SEPARATOR) == len(column) - 1:
            lists.append(f"unnest(string_split(${number}, chr(31))) AS {name}")
            values.append(text)
        else:
            lists.append(f"unnest(${number}::VARCHAR[]) AS {name}")
            values.append(list(column))
    return ", ".join(lists), values

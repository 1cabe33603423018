"""Locks of many rows, written and read, and what is checked of so many rows."""

import resource
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from reconciler.rows.honesty import across_splits, trained_on
from reconciler.rows.lock import RowsHeader, file_digest, read_header
from reconciler.rows.lock_large import write_parquet
from reconciler.rows.lock_rows import (
    in_parquet,
    read_rows,
    row_fields,
    rows_header,
    rows_lines,
)
from reconciler.rows.membership import LARGE, make_membership
from reconciler.state.address import RemoteId
from reconciler.state.resources import Membership, RowIdentity, Split
from tests.bench.data import key, split
from tests.bench.setting import Setting
from tests.bench.table import at_most, seconds

_GROUP: Final = 7


def locks(setting: Setting) -> None:
    """Compare with writing and reading line by line, and with loops over dicts."""
    table, count = setting.table, setting.sizes.large
    rows = {key(n): Split(split(n)) for n in range(count)}
    groups = {name: f"group {n // _GROUP}" for n, name in enumerate(rows)}
    text, beside = setting.folder / "a.lock", setting.folder / "a.parquet"
    pinned = setting.folder / "b.lock"

    table.head(f"locks: {count:,} rows with splits and groups", other="lines")
    lines = _timed(lambda: _write_lines(setting.folder / "lines", rows, groups))
    took = _timed(lambda: _write(text, _header(rows, groups), rows, groups))
    table.line("write as text", *_beside(took, lines), peak=_peak())
    header = _header(rows, groups)
    took = _timed(lambda: write_parquet(row_fields(header, rows, groups), beside))
    table.line("write as Parquet", *_beside(took, lines), peak=_peak())
    header = in_parquet(header, file_digest(beside))
    _write(pinned, header, rows, groups)
    took = _timed(lambda: _read(text, None))
    other = _timed(lambda: _read(text, None, large=count))
    table.line("read from text", *_beside(took, other), at_most(0.5), peak=_peak())
    took = _timed(lambda: _read(pinned, beside))
    table.line("read from Parquet", *_beside(took, other), at_most(0.5), peak=_peak())

    table.head(f"honesty: {count:,} rows", other="dict")
    large, plain = _members(rows, 0), _members(rows, count)
    contents = {name: f"https://files.invalid/{name}.png" for name in rows}
    for name, values in (("content", contents), ("group", groups)):
        looped = _timed(lambda values=values: across_splits(plain, values))  # type: ignore[misc]
        took = _timed(lambda values=values: across_splits(large, values))  # type: ignore[misc]
        table.line(f"{name} across splits", *_beside(took, looped), peak=_peak())
    looped = _timed(lambda: trained_on(evaluation=plain, trained=plain))
    took = _timed(lambda: trained_on(evaluation=large, trained=large))
    table.line("frozen rows trained on", *_beside(took, looped), peak=_peak())


def _header(rows: Mapping[str, Split], groups: Mapping[str, str]) -> RowsHeader:
    return rows_header(
        select={"source": "dataset/bench"},
        splits={"lists": {}},
        endpoint="local",
        organisation=RemoteId("bench"),
        rows=rows,
        groups=groups,
    )


def _write(
    file: Path,
    header: RowsHeader,
    rows: Mapping[str, Split],
    groups: Mapping[str, str],
) -> None:
    with file.open("w", encoding="utf-8", newline="\n") as lines:
        lines.writelines(rows_lines(header, rows, groups))


def _write_lines(
    file: Path, rows: Mapping[str, Split], groups: Mapping[str, str]
) -> None:
    with file.open("w", encoding="utf-8", newline="\n") as lines:
        lines.writelines(f"{name}\t{of}\t{groups[name]}\n" for name, of in rows.items())


def _read(file: Path, beside: Path | None, *, large: int = LARGE) -> None:
    header = read_header(file)
    assert isinstance(header, RowsHeader)
    read_rows(file, header, parquet=beside, large=large)


def _members(rows: Mapping[str, Split], large: int) -> Membership:
    return make_membership(rows, by=RowIdentity.GLOBAL_KEY, large=large)


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _beside(ours: float, other: float) -> tuple[str, str, float]:
    return seconds(ours), seconds(other), ours / other


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

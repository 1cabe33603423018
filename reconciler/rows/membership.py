"""How a membership is described, and the files it names, to the membership."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from reconciler.rows.assemble import assemble
from reconciler.rows.honesty import Values
from reconciler.rows.listing import Beside, read_entries
from reconciler.rows.plain import PlainMembership
from reconciler.rows.problems import Problems
from reconciler.rows.spec import (
    InlineRows,
    MembershipSpec,
    RowFile,
    RowFormat,
    RowSource,
)
from reconciler.state.resources import Membership, RowIdentity, Split

LARGE: Final = 30_000
"""More rows than this are kept in DuckDB, and read by it where it can."""

_CHUNK: Final = 1 << 20


def load_membership(spec: MembershipSpec, *, large: int = LARGE) -> Membership:
    """Read a membership from where its rows are listed.

    A file without rows, a slice or list that selects nothing, a row named twice
    or put into two splits are errors; only a spec without sources is an empty
    membership. Runs may share what is returned: it never changes, and its
    counts and digest are worked out once.

    Args:
        spec: Where the rows come from, and how they are split.
        large: How many rows are still kept as a mapping.

    Raises:
        InputError: With all problems; of one kind and file at most ten, and
            how many more there are.
    """
    if _may_be_large(spec, large):
        from reconciler.rows.bulk import load_bulk  # duckdb is slow

        if loaded := load_bulk(spec):
            return loaded if len(loaded) > large else loaded.plain()
    return make_membership(
        assemble(spec), by=spec.by, assigns_splits=spec.splits is not None, large=large
    )


def load_values(spec: MembershipSpec, beside: Beside, *, large: int = LARGE) -> Values:
    """Read what stands in a second column, beside each row of a membership.

    Args:
        spec: Where the rows come from, in which nothing is wrong.
        beside: The column.
        large: How many rows are still kept as a mapping.

    Raises:
        InputError: With all problems, such as a source without the column.
    """
    if _may_be_large(spec, large):
        from reconciler.rows.bulk import load_beside  # duckdb is slow

        if loaded := load_beside(spec.sources, spec.by, beside):
            return loaded
    problems = Problems()
    entries = read_entries(spec.sources, spec.by, problems, beside=beside)
    values = {entry.name: entry.value for entry in entries}
    problems.raise_if_any()
    return values


def make_membership(
    rows: Mapping[str, Split],
    *,
    by: RowIdentity,
    assigns_splits: bool = True,
    large: int = LARGE,
) -> Membership:
    """Make a membership of rows that are known to be right.

    Args:
        rows: Splits by name; not changed afterwards.
        by: What the names are.
        assigns_splits: Whether splits are managed; if not, all are UNASSIGNED.
        large: How many rows are still kept as a mapping.
    """
    if not assigns_splits:
        rows = dict.fromkeys(rows, Split.UNASSIGNED)
    if len(rows) <= large:
        return PlainMembership(rows, by, assigns_splits)

    from reconciler.rows.large import LargeMembership  # duckdb is slow

    return LargeMembership.load(rows.items(), by=by, assigns_splits=assigns_splits)


def names_of(rows: Membership) -> frozenset[str]:
    """List the names of the rows, to look them up in."""
    return frozenset(name for name, _ in rows)


def _may_be_large(spec: MembershipSpec, large: int) -> bool:
    rows = 0
    for source in spec.sources:
        rows += _most_rows(source, large - rows)
        if rows > large:
            return True
    return False


def _most_rows(source: RowSource, enough: int) -> int:
    """Count rows without reading them: too many rather than too few."""
    match source:
        case InlineRows():
            return len(source.names)
        case RowFile(format=RowFormat.PARQUET):
            return enough + 1
        case RowFile():
            return _lines(source.path, enough)


def _lines(file: Path, enough: int) -> int:
    count = 1
    try:
        with file.open("rb") as stream:
            while count <= enough and (chunk := stream.read(_CHUNK)):
                count += chunk.count(b"\n")
    except OSError:
        return 0  # whoever reads the rows says what is wrong
    return count

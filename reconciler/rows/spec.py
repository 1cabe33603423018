"""How a membership is described: where its rows come from, and its splits.

Paths are already resolved and checked by whoever builds a spec; nothing here
touches the disk.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

from reconciler.diagnostics import Span
from reconciler.state.resources import RowIdentity, Split


class RowFormat(StrEnum):
    """The formats that rows are read from, by the ending of the file's name."""

    CSV = "csv"
    NDJSON = "ndjson"
    TEXT = "txt"
    PARQUET = "parquet"


@dataclass(frozen=True, slots=True)
class InlineRows:
    """Rows written out in a manifest.

    Attributes:
        names: Global keys or data row ids, in the order of the text.
        spans: The place of each name; as long as `names`.
    """

    names: Sequence[str]
    spans: Sequence[Span]


@dataclass(frozen=True, slots=True)
class RowFile:
    """Rows listed by a file.

    Attributes:
        path: Where to open it.
        name: What to call it in messages: relative to the workspace, with `/`.
        format: How to read it.
        column: The column, or field of a line, that holds the row's name; None
            for text files, which are one name a line.
        span: Where the manifest mentions the file.
        column_span: Where the manifest mentions the column.
    """

    path: Path
    name: str
    format: RowFormat
    column: str | None
    span: Span
    column_span: Span


RowSource: TypeAlias = InlineRows | RowFile


@dataclass(frozen=True, slots=True)
class SplitByColumn:
    """The split stands in a column of the same file, spelled as the API does.

    An empty value means UNASSIGNED. All sources must be files that have it.
    """

    column: str
    span: Span


@dataclass(frozen=True, slots=True)
class SplitByLists:
    """Each split lists its rows; rows in no list are UNASSIGNED."""

    lists: Mapping[Split, tuple[RowSource, ...]]
    span: Span


@dataclass(frozen=True, slots=True)
class SplitByPositions:
    """Each split is a slice over the one list or file, in its order.

    Bounds count from 0 and are half open, as Python's; None is open. A bound
    beyond the end selects what there is, but a slice that selects nothing is
    an error. Rows in no slice are UNASSIGNED.
    """

    slices: Mapping[Split, tuple[int | None, int | None]]
    spans: Mapping[Split, Span]


@dataclass(frozen=True, slots=True)
class SplitByHash:
    """A row's split follows from the SHA-256 of its group or key, for ever.

    Attributes:
        weights: Percent, two decimals at most; they sum to exactly 100.
        salt: Prefixed to what is hashed, with a newline between.
        group: Column whose value is hashed in place of the key, so that rows
            of a group stay together; None hashes the key.
        span: Where the manifest says so.
    """

    weights: Mapping[Split, Decimal]
    salt: str
    group: str | None
    span: Span


SplitRule: TypeAlias = SplitByColumn | SplitByLists | SplitByPositions | SplitByHash


@dataclass(frozen=True, slots=True)
class MembershipSpec:
    """A whole membership.

    Attributes:
        by: What the names are.
        sources: Where they come from, in order; empty only for the literal
            `rows: []`, which means a run without rows.
        splits: How they are split; None leaves splits unmanaged.
        span: Where the manifest says so.
    """

    by: RowIdentity
    sources: tuple[RowSource, ...]
    splits: SplitRule | None
    span: Span

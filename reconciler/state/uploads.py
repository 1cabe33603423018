"""Annotations and metrics on their way to the remote, slot by slot.

The API takes imports and gives nothing back: what was imported can't be listed,
only replaced. So what is to be sent is cut into slots by a hash of the data row's
name, each slot goes as one job, and the inventory remembers what was sent last.
A slot that is the same is left alone; one that differs is sent again, whole.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol

from reconciler.state.address import RemoteId
from reconciler.state.labels import ContentHash
from reconciler.state.resources import RowIdentity


class Family(StrEnum):
    """What is sent; each family has slots of its own."""

    LABELS = "labels"
    PREDICTIONS = "predictions"
    METRICS = "metrics"


class Slot(NamedTuple):
    """One of the equal parts that rows are dealt into.

    Attributes:
        number: Which, from 0.
        of: How many there are: a power of two.
    """

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}of{self.of}"

    @classmethod
    def holding(cls, row: str, of: int) -> "Slot":
        """Find the slot of a row: the first bits of the SHA-256 of its name."""
        first = int.from_bytes(hashlib.sha256(row.encode()).digest()[:8], "big")
        return cls(first * of >> 64, of)


class Lines(Protocol):
    """The lines of a slot, kept where there is room for them."""

    def __iter__(self) -> Iterator[bytes]:
        """Go through the lines, without their ends, in the order of sending."""

    def read(self) -> bytes:
        """Give all of them, each with a newline after it."""


@dataclass(frozen=True, eq=False)
class Chunk:
    """What a slot should hold.

    Attributes:
        slot: Which slot.
        digest: Hex of the SHA-256 of its lines; names its content.
        count: How many lines.
        rows: How many data rows they are for.
        lines: The lines, as imports take them; all annotations have a uuid.
        marks: What is in it, for finding out later what is there no more: see
            `annotations.marks`.
        names: For labels: the global keys of the data rows, sorted; they are
            brought into the project first. Empty for what goes to a run, whose
            rows are there.
    """

    slot: Slot
    digest: str
    count: int
    rows: int
    lines: Lines
    marks: bytes
    names: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Uploads:
    """All that one object should be sent of one family.

    Attributes:
        family: What it is.
        by: How the lines name their rows.
        slots: How many slots there are.
        chunks: Those slots that hold anything, in their order.
        contents: For labels: what the label of each row says.
    """

    family: Family
    by: RowIdentity
    slots: int
    chunks: tuple[Chunk, ...]
    contents: Mapping[str, ContentHash] | None = None

    @property
    def count(self) -> int:
        """How many lines there are."""
        return sum(chunk.count for chunk in self.chunks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploaded:
    """What the inventory remembers of a slot.

    Attributes:
        digest: Of the content that was last sent, or was about to be.
        generation: Counts the times that the slot was sent, from 1; part of the
            job's name, so that going back to an older content is a new job.
        finished: Whether the job is known to have ended, with every line taken.
        refused: How many lines the remote refused; all of them when the job as a
            whole is known to have come to nothing.
        job: Name of the import, as it was sent; empty for what was there already.
        parent: Id of the run or project it was sent to; None until there is one.
        marks: Of all that was ever sent to it and may still be there.
    """

    digest: str
    generation: int
    finished: bool
    refused: int = 0
    job: str = ""
    parent: RemoteId | None = None
    marks: bytes = b""


class LineRefusal(NamedTuple):
    """Why the remote refused a line.

    Attributes:
        row: Id or global key of its data row, as the remote or the line says.
        uuid: Of the annotation; None for metrics.
        reason: The remote's own words.
    """

    row: str | None
    uuid: str | None
    reason: str

"""Lines that were checked, put aside until all lines of their rows are there.

Beside each line stands what is known of it, so that it needn't be read again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import msgspec

from reconciler.annotations.findings import At
from reconciler.rows.spool import Spool
from reconciler.state.uploads import Slot

PARTS: Final = 1024
"""Into how many parts lines are dealt before it is known how many slots there are.

A power of two, so that a slot is some parts, or a part some slots.
"""


class Kept(msgspec.Struct, frozen=True, gc=False, array_like=True, omit_defaults=True):
    """What is known of a line, put aside beside it.

    Attributes:
        row: The data row, by the only kind of name that is in use.
        source: Position of its source.
        line: Its number there.
        uuid: Canonical; None where it has none.
        feature: Position among the features in use; -1 for none.
        whole: Whether it answers a classification of the whole row.
        ends: What a relationship relates; see `checked.Ends`.
        metric: What a metric is of; None for annotations.
        text: Of a table's line; see `findings.At`.
    """

    row: str
    source: int
    line: int
    uuid: str | None = None
    feature: int = -1
    whole: bool = False
    ends: tuple[str | None, str] | None = None
    metric: tuple[str | None, str | None, str | None] | None = None
    text: str = ""


class Entry(NamedTuple):
    """A line that was put aside, with what is known of it."""

    kept: Kept
    raw: bytes

    @property
    def at(self) -> At:
        """Where it stands."""
        return At(self.kept.source, self.kept.line, self.raw, self.kept.text)


_encode: Final = msgspec.json.Encoder().encode
_decode_all: Final = msgspec.json.Decoder(list[Kept]).decode


def part_of(row: str) -> int:
    """Find the part that the lines of a row go to."""
    return Slot.holding(row, PARTS).number


def put_aside(spool: Spool, part: int, kept: Kept, raw: bytes) -> None:
    """Put a line into the part of a spool that is that of its row."""
    spool.add(part, b"%b\n%b\n" % (_encode(kept), raw))


@dataclass(frozen=True, eq=False)
class SpooledLines:
    """The lines of a slot, in a spool; see `state.uploads.Lines`."""

    spool: Spool
    part: int

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.read().split(b"\n")[:-1])

    def read(self) -> bytes:
        """Give all of them, each with a newline after it."""
        return self.spool.read(self.part)


def entries(spool: Spool, part: int) -> Iterator[Entry]:
    """Take the lines of a part, in the order in which they were put aside."""
    pieces = spool.read(part).split(b"\n")
    raws = pieces[1::2]
    heads = pieces[0 : 2 * len(raws) : 2]
    return map(Entry, _decode_all(b"[" + b",".join(heads) + b"]"), raws)

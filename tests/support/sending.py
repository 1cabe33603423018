"""Lines of imports, and chunks of them, for whoever sends them."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.plan.steps import SendChunk
from reconciler.state.address import Address
from reconciler.state.uploads import Chunk, Family, Slot


@dataclass(frozen=True)
class PlainLines:
    """Lines in memory."""

    lines: Sequence[bytes]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.lines)

    def read(self) -> bytes:
        return b"".join(line + b"\n" for line in self.lines)


def chunk(*rows: dict[str, Any]) -> Chunk:
    """Put lines into the only slot that there is."""
    lines = PlainLines(sorted(json.dumps(row).encode() for row in rows))
    keys = sorted({row["dataRow"]["globalKey"] for row in rows})
    return Chunk(
        slot=Slot(0, 1),
        digest=hashlib.sha256(lines.read()).hexdigest(),
        count=len(rows),
        rows=len(keys),
        lines=lines,
        marks=b"",
    )


def sending(
    address: Address,
    family: Family,
    *rows: dict[str, Any],
    generation: int = 1,
    may_exist: bool = False,
) -> SendChunk:
    """Send lines to a project or run, as a job whose name says what is in it."""
    made = chunk(*rows)
    return SendChunk(
        address=address,
        family=family,
        chunk=made,
        job=f"reconciler {family} {made.slot} {made.digest[:16]} {generation}",
        generation=generation,
        may_exist=may_exist,
    )

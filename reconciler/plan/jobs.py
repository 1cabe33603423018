"""The names of imports and batches: what is in them, told by the name.

A name says which slot it is of, what the slot held, and how often it was sent. So a
job that was started by an apply that didn't live to see its end is found again, and
the same content sent once more, after another one, is a job of its own.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from reconciler.state.uploads import Family, Slot

_LABEL_JOB: Final = re.compile(
    r"reconciler labels ([0-9]{1,9})of([0-9]{1,9}) ([0-9a-f]{16}) ([0-9]{1,9})"
)
_SHOWN: Final = 16  # hex digits: enough to tell contents apart


@dataclass(frozen=True, slots=True)
class LabelJob:
    """What the name of an import of labels says.

    Attributes:
        slot: Which slot it is of.
        content: The first 16 hex digits of the content's digest.
        generation: How often the slot was sent, with that time.
    """

    slot: Slot
    content: str
    generation: int

    def holds(self, digest: str) -> bool:
        """Tell whether it was made for a content of that digest."""
        return digest[:_SHOWN] == self.content


def label_job(slot: Slot, digest: str, generation: int) -> str:
    """Name an import of labels into a project.

    A project lists its imports, whoever made them, so there is no lineage in it.
    """
    return f"reconciler labels {slot} {digest[:_SHOWN]} {generation}"


def parse_label_job(name: str) -> LabelJob | None:
    """Read the name of an import of labels; None when it isn't one of ours."""
    found = _LABEL_JOB.fullmatch(name)
    if found is None:
        return None
    slot = Slot(int(found[1]), int(found[2]))
    return LabelJob(slot, found[3], int(found[4]))


def run_job(
    lineage: str, family: Family, slot: Slot, digest: str, generation: int
) -> str:
    """Name an import of predictions or metrics into a run.

    Args:
        lineage: Of the session that names it.
        family: What is sent.
        slot: Which slot.
        digest: Of what it holds.
        generation: How often it was sent, with this time.
    """
    return f"reconciler {lineage} {family} {slot} {digest[:_SHOWN]} {generation}"


def batch_name(slot: Slot, rows: Iterable[str], part: int) -> str:
    """Name a batch of data rows after all rows of the slot's labels.

    Args:
        slot: The slot that the labels are of.
        rows: Global keys of all its rows, sorted.
        part: Which batch of them, from 1; the first has no number.
    """
    found = hashlib.sha256()
    for row in rows:
        found.update(f"{row}\n".encode())
    name = f"reconciler {slot} {found.hexdigest()[:_SHOWN]}"
    return name if part == 1 else f"{name} {part}"

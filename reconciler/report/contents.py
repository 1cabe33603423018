"""What hangs on the rows of a run or project, in words: labels, uploads, refusals."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from reconciler.diagnostics import counted
from reconciler.plan.changes import LabelsChange, UploadsChange
from reconciler.plan.uploads import left_behind
from reconciler.state.labels import PinnedLabel
from reconciler.state.uploads import LineRefusal

_QUOTED: Final = re.compile(r"""(['"]).*?\1""")

REFUSED: Final = 3
"""How many lines are named of those that were refused for one reason."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happens, in words.

    Attributes:
        rune: `+` for what comes, `~` for what replaces, empty for what stays.
        text: What happens.
        names: Some of the rows or ids that it is about.
        total: How many it is about.
    """

    rune: str
    text: str
    names: tuple[str, ...] = ()
    total: int = 0


@dataclass(frozen=True, slots=True)
class RefusedLines:
    """Lines that were refused for one reason.

    Attributes:
        reason: The remote's own words; where they differ in what they quote, as
            in the name of a row, `...` stands for that.
        count: How many.
        sample: Some of them.
    """

    reason: str
    count: int
    sample: tuple[LineRefusal, ...]


def label_lines(labels: LabelsChange, *, shown: int) -> Iterator[Line]:
    """Say what happens to the labels of a run.

    Args:
        labels: What happens.
        shown: How many rows to name of a kind.
    """
    source = "" if labels.project is None else f" from {labels.project}"
    for rune, verb, pins in (
        ("~", "replace", labels.replaced),
        ("+", "add", labels.added),
    ):
        if pins:
            text = f"{verb} {counted(len(pins), 'label')}{source}"
            yield Line(rune, text, _rows(pins, shown), len(pins))
    if labels.ids:
        text = f"add {counted(len(labels.ids), 'label')} by id"
        yield Line("+", text, labels.ids[:shown], len(labels.ids))
    if labels.kept:
        yield Line("", f"keep {counted(labels.kept, 'label')} as they are")


def upload_lines(uploads: UploadsChange) -> Iterator[Line]:
    """Say what is sent of a family, what is there, and what stays behind."""
    thing = uploads.family.value.removesuffix("s")
    if uploads:
        jobs = counted(len(uploads.sent), "job")
        yield Line("+", f"send {counted(uploads.count, thing)} in {jobs}")
    if uploads and uploads.kept:
        yield Line("", f"keep {counted(uploads.kept, thing)} as they are")
    if uploads.stale:
        yield Line("", left_behind(uploads))


def by_reason(refusals: Iterable[LineRefusal]) -> list[RefusedLines]:
    """Group refused lines by the reason, most frequent first.

    A reason may quote the row or the uuid, and is the same reason all the same.
    """
    found: dict[str, list[LineRefusal]] = {}
    for one in refusals:
        found.setdefault(_QUOTED.sub(r"\1...\1", one.reason), []).append(one)
    groups = [
        RefusedLines(
            those[0].reason if len({one.reason for one in those}) == 1 else reason,
            len(those),
            tuple(those[:REFUSED]),
        )
        for reason, those in found.items()
    ]
    return sorted(groups, key=lambda group: (-group.count, group.reason))


def refused_name(refusal: LineRefusal) -> str:
    """Name a refused line: its row, or else its uuid."""
    return refusal.row or refusal.uuid or "a line without a name"


def _rows(pins: Iterable[PinnedLabel], shown: int) -> tuple[str, ...]:
    return tuple(pin.row for pin in islice(pins, shown))

"""Events to progress: bars on a terminal, a line now and then in a log.

Both pass every event on, so that they can stand anywhere in the chain.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler.apply.events import (
    Done,
    Event,
    Failed,
    Finished,
    Skipped,
    Started,
    Unknown,
    Waiting,
)
from reconciler.diagnostics import counted
from reconciler.plan.lower import Work
from reconciler.plan.steps import Step, describe, size
from reconciler.report.contents import by_reason, refused_name
from reconciler.report.summary import plain, shortened
from reconciler.state.address import Address
from reconciler.state.uploads import LineRefusal

if TYPE_CHECKING:
    from rich.console import Console


_REASONS: Final = 10
"""How many reasons are shown for which lines of an object were refused."""


def log_lines(
    events: Iterable[Event], work: Sequence[Work], write: Callable[[str], None]
) -> Iterator[Event]:
    """Write a line for every step that ends, and one when nothing does."""
    total, ended = sum(1 for _ in _steps(work)), 0
    for event in events:
        match event:
            case Finished(step=step, outcome=outcome):
                ended += 1
                write(f"[{ended}/{total}] {describe(step)}: {_said(outcome)}")
            case Waiting(steps=steps):
                flying = ", ".join(describe(step) for step in steps[:3])
                more = f" and {len(steps) - 3} more" if len(steps) > 3 else ""
                write(f"[{ended}/{total}] still waiting for: {flying}{more}")
            case Started():
                pass
        yield event


def bars(
    events: Iterable[Event], work: Sequence[Work], console: "Console"
) -> Iterator[Event]:
    """Draw a bar of steps and one of rows while events go by."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    steps = list(_steps(work))
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    ) as progress:
        of_steps = progress.add_task("Steps", total=len(steps))
        of_rows = progress.add_task("Rows", total=sum(map(size, steps)) or None)
        for event in events:
            if isinstance(event, Finished):
                progress.advance(of_steps)
                progress.advance(of_rows, size(event.step))
                if not isinstance(event.outcome, Done):
                    console.print(
                        f"{describe(event.step)}: {_said(event.outcome)}",
                        markup=False,
                        highlight=False,
                    )
            yield event


def render_outcomes(
    finished: Iterable[Finished], *, refused: Path | None = None
) -> str:
    """Sum up how the steps of an apply ended, naming each that wasn't done.

    Args:
        finished: The steps.
        refused: The folder where all refused lines are written down.
    """
    listed = tuple(finished)
    done = sum(isinstance(one.outcome, Done) for one in listed)
    lines = [f"Done: {done} of {counted(len(listed), 'step')}."]
    for one in listed:
        match one.outcome:
            case Failed(hint=hint):
                lines.append(f"  {describe(one.step)}: {_said(one.outcome)}")
                if hint:
                    lines.append(f"    Hint: {plain(hint)}")
            case Skipped() | Unknown():
                lines.append(f"  {describe(one.step)}: {_said(one.outcome)}")
            case Done():
                pass
    lines += _refusals(listed, refused)
    return "\n".join(lines) + "\n"


def _refusals(finished: Iterable[Finished], folder: Path | None) -> Iterator[str]:
    """Say what lines were refused, by object and reason: many jobs fail alike."""
    found: dict[Address, list[LineRefusal]] = {}
    for one in finished:
        if isinstance(one.outcome, Failed) and one.outcome.refusals:
            found.setdefault(one.step.address, []).extend(one.outcome.refusals)
    for address, refusals in found.items():
        yield f"Refused by the remote for {address}:"
        groups = by_reason(refusals)
        for group in groups[:_REASONS]:
            names = shortened([refused_name(one) for one in group.sample], group.count)
            yield f"  {counted(group.count, 'line')}: {plain(group.reason)}: {names}"
        if len(groups) > _REASONS:
            yield f"  and {counted(len(groups) - _REASONS, 'other reason')}"
    if found and folder is not None:
        yield f"All of them are in {plain(str(folder))}"


def _said(outcome: Done | Failed | Skipped | Unknown) -> str:
    match outcome:
        case Done():
            return "done"
        case Failed(reason=reason):
            return f"failed: {plain(reason)}"
        case Skipped(blocked_by=None):
            return "skipped: the apply was stopped"
        case Skipped(blocked_by=address):
            return f"skipped: {address} failed"
        case Unknown(reason=reason):
            return f"unknown: {plain(reason)}"


def _steps(work: Iterable[Work]) -> Iterator[Step]:
    return (step for one in work for phase in one.phases for step in phase)

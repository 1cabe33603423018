"""`reconciler apply`."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Final

import click

from reconciler.apply.events import Event, Finished
from reconciler.apply.executor import PARALLELISM
from reconciler.cli.common import (
    MANIFESTS,
    allow_change_option,
    allow_remove_option,
    allowances,
    color_option,
    failures,
    path_argument,
    use_color,
)
from reconciler.cli.exits import Exit
from reconciler.cli.outcomes import exit_of, step_entry
from reconciler.diagnostics import ReconcilerError
from reconciler.ledger.lines import LedgerError
from reconciler.pipeline import applying, planning, sessions, workspaces
from reconciler.plan.build import Plan
from reconciler.plan.codec import SavedPlan, read_plan
from reconciler.plan.compare import PlanDifference, compare_plans
from reconciler.report import progress
from reconciler.report.machine import difference_list, document, plan_fields
from reconciler.report.summary import plain
from reconciler.report.text import render_differences, render_plan
from reconciler.settings import Settings
from reconciler.state.address import Address
from reconciler.state.canonical import JsonValue

_STDERR: Final = 2
_STOPPING: Final = b"Stopping: what is in flight ends first. Once more stops at once.\n"

HEARTBEAT: Final = 15.0
"""Seconds of silence in a log before a line says what is in flight."""


@click.command("apply")
@path_argument
@click.option(
    "--auto-approve",
    is_flag=True,
    help="Don't ask before changing anything.",
)
@click.option(
    "--parallelism",
    type=click.IntRange(1, 64),
    default=PARALLELISM,
    show_default=True,
    help="How many steps may be in flight.",
)
@click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How to print the result; json needs --auto-approve.",
)
@allow_remove_option
@allow_change_option
@color_option
def command(
    path: Path,
    output: str,
    parallelism: int,
    removable: tuple[Address, ...],
    changeable: tuple[Address, ...],
    *,
    auto_approve: bool,
    color: bool | None,
) -> int:
    """Make the remote what the manifests say.

    PATH is the workspace, a folder or file in it to narrow the apply to, or a
    plan file that `reconciler plan --out` saved: then exactly that is done, and
    nothing if the remote or the manifests have changed since.
    """
    if output == "json" and not auto_approve:
        raise click.UsageError("--output json can't ask; add --auto-approve")
    with failures("apply", output=output, color=color) as settings:
        telling = _Telling(output, settings, color=color)
        saved = _saved(path)
        if saved is None:
            specification = workspaces.specify(path)
            allowed = allowances(
                specification, removable=removable, changeable=changeable
            )
        else:
            if removable or changeable:
                option = "--allow-remove" if removable else "--allow-change"
                raise click.UsageError(
                    "a saved plan says itself what is allowed; make it with "
                    f"`plan {option}`"
                )
            allowed = saved.allowed
            selection = saved.selection or "."
            specification = workspaces.specify(Path.cwd(), selection=selection)
        with (
            sessions.open_session(specification, settings, read_only=False) as session,
            session.ledger.exclusive(),
        ):
            plan = planning.make_plan(session, allowed=allowed)
            telling.plan, telling.refused = plan, session.ledger.refused
            if saved is not None and (found := _overtaken(saved, plan, session)):
                return telling.stale(found)
            telling.show_plan()
            if plan.blocked:
                return telling.end(Exit.BLOCKED)
            if not plan:
                session.ledger.adopt(plan)
                return telling.end(Exit.DONE)
            if not auto_approve and not _approved():
                click.echo("Nothing was changed.", err=True)
                return Exit.ERROR  # what was asked for wasn't done, as in Terraform
            code = _carry_out(session, plan, telling, parallelism=parallelism)
            if code is Exit.DONE:
                try:
                    session.ledger.finish(saved.digest if saved else plan.digest)
                except LedgerError as error:
                    telling.unwritten = str(error)
                    code = Exit.PARTIAL
            return telling.end(code)


def _overtaken(
    saved: SavedPlan, plan: Plan, session: sessions.Session
) -> tuple[PlanDifference, ...]:
    """Say why a saved plan may not be carried out, if it may not."""
    since = session.ledger.carried_out()[saved.after :]
    if plan and saved.digest in since:
        again = (
            "it was carried out already, and there is something to do again: the "
            "remote, the manifests or their files have changed since"
        )
        return (PlanDifference(None, again),)
    return compare_plans(saved=saved, fresh=plan)


def _carry_out(
    session: sessions.Session, plan: Plan, telling: "_Telling", *, parallelism: int
) -> Exit:
    with _signals() as stopped:
        events = applying.carry_out(
            session,
            plan,
            parallelism=parallelism,
            heartbeat=HEARTBEAT,
            stopped=lambda: stopped() is not None,
        )
        try:
            for event in telling.progress(events):
                if isinstance(event, Finished):
                    telling.finished.append(event)
        except LedgerError as error:
            # What is in flight has ended, and can't be written down: the next
            # plan finds it on the remote, and adopts what it finds.
            telling.unwritten = str(error)
            return Exit.PARTIAL
        code = exit_of(telling.finished, stopped())
    if code is Exit.DONE:
        try:
            telling.rest = planning.converged(
                session, allowed=plan.allowed, sleep=time.sleep
            )
        except ReconcilerError as error:
            # Everything was done; that it can't be checked must not hide it.
            telling.unchecked = str(error)
        code = Exit.DONE if telling.converged else Exit.UNCONVERGED
    return code


class _Telling:
    """What a person or a program is told, in the form that was asked for."""

    def __init__(self, output: str, settings: Settings, *, color: bool | None) -> None:
        self._json = output == "json"
        self._settings = settings
        self._color = color
        self.plan: Plan | None = None
        self.finished: list[Finished] = []
        self.rest: Plan | None = None
        self.unchecked: str | None = None
        self.unwritten: str | None = None
        self.refused: Path | None = None

    @property
    def converged(self) -> bool:
        """Whether a new plan was made, and is empty and not blocked."""
        return self.rest is not None and self.rest.settled

    def show_plan(self) -> None:
        """Show the plan before anything is done; a program gets it at the end."""
        if not self._json and self.plan is not None:
            color = use_color(self._color, self._settings, err=False)
            click.echo(render_plan(self.plan, color=color), nl=False, color=color)

    def progress(self, events: Iterator[Event]) -> Iterator[Event]:
        """Show events as they come, and pass them on."""
        assert self.plan is not None
        if self._json or self._settings.ci or not sys.stderr.isatty():
            return progress.log_lines(events, self.plan.work, _log)
        from rich.console import Console

        color = use_color(self._color, self._settings, err=True)
        console = Console(stderr=True, no_color=not color)
        return progress.bars(events, self.plan.work, console)

    def stale(self, differences: tuple[PlanDifference, ...]) -> Exit:
        """Say why a saved plan isn't carried out."""
        if self._json:
            self._document(Exit.STALE, differences=difference_list(differences))
        else:
            click.echo(render_differences(differences), nl=False)
        return Exit.STALE

    def end(self, code: Exit) -> Exit:
        """Say how it ended."""
        if self._json:
            self._document(
                code,
                steps=[step_entry(one) for one in self.finished],
                remaining=None if self.rest is None else plan_fields(self.rest),
                unchecked=self.unchecked,
                unwritten=self.unwritten,
            )
            return code
        if self.finished:
            click.echo(
                progress.render_outcomes(self.finished, refused=self.refused), nl=False
            )
        if self.unwritten is not None:
            click.echo(f"What was done is not written down: {plain(self.unwritten)}")
        if self.converged:
            click.echo("A new plan finds nothing to do.")
        elif self.unchecked is not None:
            click.echo(f"A new plan could not be made: {plain(self.unchecked)}")
        elif self.rest is not None:
            held = "blocked" if self.rest.blocked else "to do"
            click.echo(f"After the apply there is still something {held}:")
            click.echo(render_plan(self.rest), nl=False)
        elif self.finished or self.unwritten is not None:
            click.echo("Run apply again: what was done is not done twice.")
        return code

    def _document(self, code: Exit, **fields: JsonValue) -> None:
        plan = None if self.plan is None else plan_fields(self.plan)
        click.echo(document("apply", exit_code=code, plan=plan, **fields))


def _log(line: str) -> None:
    # An apply goes on when nobody reads its log any longer.
    with suppress(OSError):
        click.echo(line, err=True)


def _saved(path: Path) -> SavedPlan | None:
    if path.is_dir() or path.suffix in MANIFESTS or not path.exists():
        return None
    with path.open("rb") as file:
        return read_plan(file, name=str(path))


def _approved() -> bool:
    if not sys.stdin.isatty():
        raise click.UsageError(
            "there is no terminal to ask on; review the plan, then add --auto-approve"
        )
    answer = click.prompt(
        "Apply this plan? Only 'yes' is taken", default="", show_default=False, err=True
    )
    return str(answer).strip() == "yes"


@contextmanager
def _signals() -> Iterator[Callable[[], Exit | None]]:
    """Turn the first signal into a wish to stop, and the second into an end."""
    asked: list[Exit] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        code = Exit.INTERRUPTED if number == signal.SIGINT else Exit.TERMINATED
        if asked:
            # Nothing is lost: whatever is in flight is found at the next plan.
            # An exception would wait for the threads, so the process just ends.
            os._exit(code)
        asked.append(code)
        # Not by way of sys.stderr: the signal may have come while that is written.
        with suppress(OSError):
            os.write(_STDERR, _STOPPING)

    before = {one: signal.signal(one, stop) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: asked[0] if asked else None
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)

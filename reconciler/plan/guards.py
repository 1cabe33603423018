"""What needs a yes, or more room: changes held back by thresholds and limits."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from reconciler.plan.changes import Action, Blocked, Change
from reconciler.state.address import Address, model_address
from reconciler.state.resources import Run, RunStatus, Status
from reconciler.state.snapshot import Current, CurrentModel


class Guard(StrEnum):
    """A guard that one address at a time may be allowed to pass.

    The value is the code of what it blocks.
    """

    ROWS_REMOVED = "rows-removed"
    RUN_COMPLETE = "run-complete"

    @property
    def option(self) -> str:
        """The option of the command line that allows it."""
        return {
            Guard.ROWS_REMOVED: "--allow-remove",
            Guard.RUN_COMPLETE: "--allow-change",
        }[self]


@dataclass(frozen=True, slots=True, order=True)
class Allowance:
    """What somebody allowed: one guard, for one object."""

    guard: Guard
    address: Address

    def __str__(self) -> str:
        return f"{self.guard} {self.address}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an allowance as it is printed.

        Raises:
            ValueError: When it isn't one.
        """
        guard, _, address = text.partition(" ")
        return cls(Guard(guard), Address.parse(address))


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A number that may be reached, and a share; beyond both it takes a yes.

    Attributes:
        count: How many may go.
        percent: What share of the run's rows may go, 0 to 100.
    """

    count: int = 100
    percent: float = 10.0

    def exceeded_by(self, number: int, *, of: int) -> bool:
        """Tell whether *number* of *of* is more than the count and the share."""
        return number > self.count and number * 100 > self.percent * of


@dataclass(frozen=True, slots=True, kw_only=True)
class Guards:
    """The thresholds of a workspace."""

    rows_removed: Threshold = Threshold()


def guard(
    changes: Iterable[Change],
    *,
    guards: Guards,
    statuses: Mapping[Address, RunStatus | None],
    allowed: Collection[Allowance],
) -> Iterator[Blocked]:
    """Find the changes that a guard holds back and that nobody allowed.

    Args:
        changes: What would change.
        guards: Thresholds.
        statuses: How far runs have come on the remote.
        allowed: What somebody allowed.
    """
    for change in changes:
        found = (
            _rows_removed(change, guards),
            _run_complete(change, statuses.get(change.address)),
        )
        for held in found:
            if held and Allowance(Guard(held.code), change.address) not in allowed:
                yield held


def guard_limit(
    changes: Iterable[Change], *, current: Current, limit: int | None
) -> Iterator[Blocked]:
    """Find the runs that a model has no room for: the last ones of those to create.

    A model that nobody counted the runs of is taken to have room.

    Args:
        changes: What would change.
        current: What the remote has; models with their numbers of runs.
        limit: How many runs a model may have; None for any number.
    """
    if limit is None:
        return
    created = Counter[Address]()
    for change in changes:
        if not isinstance(change.desired, Run) or change.action is not Action.CREATE:
            continue
        model = model_address(change.desired.model)
        there = current.resources.get(model)
        used = 0
        if isinstance(there, CurrentModel):
            if there.run_count is None:
                continue
            used = there.run_count
        created[model] += 1
        if used + created[model] > limit:
            yield Blocked(
                code="run-limit",
                address=change.address,
                message=f"{used} of {limit} used: {model} has no room for this run",
                allow="delete runs that nobody needs, or raise limits.runsPerModel "
                "in reconciler.yaml if the organisation may have more",
            )


def _rows_removed(change: Change, guards: Guards) -> Blocked | None:
    # A run that would lose every row is held back whatever the thresholds say.
    rows = change.rows
    if rows is None or not rows.removed:
        return None
    removed, there = rows.removed_count, rows.current_count
    if removed == there:
        message = f"the run would lose all its rows ({there:,})"
    elif guards.rows_removed.exceeded_by(removed, of=there):
        message = (
            f"the run would lose {removed:,} of {there:,} rows, more than "
            f"{guards.rows_removed.count:,} and "
            f"{guards.rows_removed.percent:g}%"
        )
    else:
        return None
    return _held(
        Guard.ROWS_REMOVED, change, f"{message}; what hangs on them there goes too"
    )


def _run_complete(change: Change, status: RunStatus | None) -> Blocked | None:
    if status is None or status.status is not Status.COMPLETE:
        return None
    parts = [
        name
        for name, changes in (
            ("config", any(one.path[0] == "config" for one in change.fields)),
            ("rows", change.rows and (change.rows.added or change.rows.removed)),
            ("splits", change.rows and change.rows.moved),
            ("labels", change.labels),
        )
        if changes
    ]
    if not parts:
        return None
    return _held(
        Guard.RUN_COMPLETE,
        change,
        f"the run is COMPLETE, and its {_listed(parts)} would change: what it was "
        "trained with would no longer be told",
    )


def _held(by: Guard, change: Change, message: str) -> Blocked:
    return Blocked(
        code=by.value,
        address=change.address,
        message=message,
        allow=f"{by.option} {change.address}",
    )


def _listed(parts: list[str]) -> str:
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last

"""What needs a yes: changes that a threshold holds back, allowed per address."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from reconciler.plan.changes import Blocked, Change
from reconciler.state.address import Address


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
    changes: Iterable[Change], *, guards: Guards, allowed: Iterable[Address]
) -> Iterator[Blocked]:
    """Find the changes that go beyond a threshold and that nobody allowed.

    A run that would lose every row is held back whatever the thresholds say.
    """
    permitted = frozenset(allowed)
    for change in changes:
        rows = change.rows
        if rows is None or not rows.removed or change.address in permitted:
            continue
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
            continue
        yield Blocked(
            code="rows-removed",
            address=change.address,
            message=f"{message}; what hangs on them there goes too",
            allow=f"--allow-remove {change.address}",
        )

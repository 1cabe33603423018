"""Jobs that the API carries out later: asked about until they are over."""

from collections.abc import Callable
from enum import Enum, auto
from typing import Final

from reconciler.ports import InDoubt
from reconciler.remote.errors import TaskFailed
from reconciler.remote.timing import Timing

TIMEOUT: Final = 3600.0
"""How long a job may take, in seconds."""

_SHORTEST: Final = 0.05
_LONGEST: Final = 2.0
_SHARE: Final = 0.1


class Progress(Enum):
    """How far a job is."""

    PENDING = auto()
    COMPLETE = auto()


def progress_of(status: str | None, reason: str | None, operation: str) -> Progress:
    """Read the status of a job as the API spells it.

    Raises:
        TaskFailed: When it came to nothing; with the reason word for word.
    """
    match status:
        case "COMPLETE":
            return Progress.COMPLETE
        case "FAILED" | "CANCELED" | "CANCELLED":
            said = reason or f"the task ended as {status} without a reason"
            raise TaskFailed(said, operation=operation)
        case _:
            return Progress.PENDING


def wait(
    check: Callable[[], Progress],
    *,
    operation: str,
    timing: Timing,
    timeout: float = TIMEOUT,
) -> None:
    """Ask until a job is complete.

    It is asked about at once, so one that is already over costs no wait. After
    that the pauses are a tenth of the time passed, so that the end is noticed
    about a tenth late, but no longer than two seconds.

    Raises:
        TaskFailed: When *check* finds that it came to nothing.
        InDoubt: When it isn't over after *timeout* seconds; it may still be
            carried out.
    """
    began = timing.monotonic()
    while check() is Progress.PENDING:
        elapsed = timing.monotonic() - began
        if elapsed >= timeout:
            raise InDoubt(
                f"the task is not over after {timeout:g} seconds, and may still be "
                "carried out",
                operation=operation,
            )
        timing.sleep(min(max(elapsed * _SHARE, _SHORTEST), _LONGEST))

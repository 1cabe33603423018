"""When to send a request again, as arithmetic: nothing here waits."""

import math
from collections import Counter
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

from reconciler.remote.timing import Timing

LONGEST_TOLD: Final = 300.0
"""The longest that a remote may make us wait at a time, in seconds."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Growing pauses between attempts.

    Attributes:
        first: The pause after the first failure, in seconds.
        cap: The longest pause.
        attempts: How many times a request is sent in all.
        budget: Seconds after which no further attempt is begun.
    """

    first: float
    cap: float
    attempts: int
    budget: float

    def pause(
        self,
        failures: int,
        *,
        elapsed: float,
        jitter: float,
        told: float | None = None,
    ) -> float | None:
        """Say how long to wait before the next attempt; None to give up.

        The pause doubles with every failure, and is shortened by up to a half
        by chance, so that clients that failed together don't come back
        together. What the remote told is never undercut.

        Args:
            failures: How many attempts have failed, at least 1.
            elapsed: Seconds since the first attempt began.
            jitter: From 0 up to 1.
            told: Seconds that the remote asked for.
        """
        if failures >= self.attempts:
            return None
        pause = min(self.cap, self.first * 2.0 ** (failures - 1)) * (1 - jitter / 2)
        pause = max(pause, told or 0.0)
        return None if elapsed + pause > self.budget else pause


UNREACHABLE: Final = Schedule(first=0.25, cap=2.0, attempts=4, budget=60.0)
"""Nothing listens, or the name isn't known: soon over, or it won't be soon."""

BROKEN: Final = Schedule(first=0.5, cap=30.0, attempts=7, budget=180.0)
"""Server errors, time-outs and lost connections."""

LIMITED: Final = Schedule(first=2.0, cap=60.0, attempts=12, budget=900.0)
"""Too many requests: the remote's minutes, not ours."""


def retry_after(text: str | None, *, now: float) -> float | None:
    """Read a `Retry-After` header as seconds from now; None when it says nothing.

    It may hold seconds or a date; more than `LONGEST_TOLD` is cut.
    """
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(text).timestamp() - now
        except ValueError:
            return None
    if not math.isfinite(seconds):
        return None
    return min(max(seconds, 0.0), LONGEST_TOLD)


class Attempts:
    """The attempts at one request, counted for each kind of failure apart.

    Attributes:
        doubtful: Whether one of them may have been carried out.
    """

    def __init__(self, timing: Timing) -> None:
        self.doubtful = False
        self._timing = timing
        self._began = timing.monotonic()
        self._failures: Counter[Schedule] = Counter()

    def pause(self, schedule: Schedule, told: float | None = None) -> float | None:
        """Count a failure, and say how long to wait; None to give up."""
        self._failures[schedule] += 1
        return schedule.pause(
            self._failures[schedule],
            elapsed=self._timing.monotonic() - self._began,
            jitter=self._timing.jitter(),
            told=told,
        )

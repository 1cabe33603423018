"""How many requests a minute are sent: as many as allowed, and as few as told.

A bucket that holds a minute's worth of requests. When the remote says "too
many", everybody waits and the rate is halved; it grows by a quarter for every
twenty seconds without another word of it.
"""

from collections import deque
from threading import Lock
from typing import Final

from reconciler.remote.timing import Timing

_RECOVERY: Final = 20.0  # seconds
_GROWTH: Final = 1.25
_SLOWEST: Final = 60.0  # requests a minute
_FASTEST: Final = 100_000.0
_SHORTEST_WAIT: Final = 0.001  # so that rounding can't make a wait of nothing
_MINUTE: Final = 60.0


class Limiter:
    """A gate that every request passes; shared by all threads.

    Args:
        per_minute: Requests allowed a minute; None until the remote objects.
        timing: The clock it goes by.
    """

    def __init__(self, per_minute: int | None, timing: Timing) -> None:
        self._allowed = _FASTEST if per_minute is None else float(per_minute)
        self._rate = None if per_minute is None else self._allowed
        self._tokens = self._rate or 0.0
        self._timing = timing
        now = timing.monotonic()
        self._filled = self._grown = self._halved = self._paused_until = now
        self._sent: deque[float] = deque(maxlen=20_000)
        self._lock = Lock()

    @property
    def rate(self) -> float | None:
        """Requests a minute at present; None when unlimited."""
        return self._rate

    def acquire(self) -> float:
        """Wait for a turn; return the moment it came."""
        while (wait := self._wait()) > 0:
            self._timing.sleep(max(wait, _SHORTEST_WAIT))
        return self._timing.monotonic()

    def slow_down(self, pause: float, *, sent: float) -> None:
        """Make everybody wait, and halve the rate.

        Args:
            pause: Seconds in which nobody sends anything.
            sent: When the refused request got its turn. Requests that were on
                their way when the rate was halved don't halve it once more.
        """
        with self._lock:
            now = self._timing.monotonic()
            self._paused_until = max(self._paused_until, now + pause)
            if sent < self._halved:
                return
            rate = self._rate if self._rate is not None else self._observed(now)
            self._rate = max(rate / 2, min(_SLOWEST, self._allowed))
            self._tokens = 0.0
            self._filled = self._paused_until
            self._halved = self._grown = now

    def _wait(self) -> float:
        with self._lock:
            now = self._timing.monotonic()
            if now < self._paused_until:
                return self._paused_until - now
            self._recover(now)
            if self._rate is not None:
                self._fill(now, self._rate)
                if self._tokens < 1:
                    return (1 - self._tokens) * _MINUTE / self._rate
                self._tokens -= 1
            self._sent.append(now)
            return 0.0

    def _fill(self, now: float, rate: float) -> None:
        gained = max(now - self._filled, 0.0) * rate / _MINUTE
        self._tokens = min(rate, self._tokens + gained)
        self._filled = max(now, self._filled)

    def _recover(self, now: float) -> None:
        while self._rate and now - self._grown >= _RECOVERY:
            self._grown += _RECOVERY
            self._rate = min(self._rate * _GROWTH, self._allowed)

    def _observed(self, now: float) -> float:
        return float(sum(1 for sent in self._sent if now - sent <= _MINUTE))

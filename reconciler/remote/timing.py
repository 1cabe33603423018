"""The clock, the sleep and the chance that the client goes by, as arguments."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """What time is, and how it passes; tests bring their own.

    Attributes:
        monotonic: Seconds from some moment on; never goes back.
        sleep: Waits for some seconds.
        now: Seconds since 1970, for dates that a remote names.
        jitter: A number from 0 up to 1.
    """

    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    now: Callable[[], float] = time.time
    jitter: Callable[[], float] = random.random

"""When requests are sent: retries, the limiter, and asking about jobs."""

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.ports import InDoubt
from reconciler.remote.errors import TaskFailed
from reconciler.remote.limit import Limiter
from reconciler.remote.retry import Schedule, retry_after
from reconciler.remote.tasks import Progress, progress_of, wait
from reconciler.remote.timing import Timing
from tests.remote.wire import Clock

SCHEDULE = Schedule(first=1.0, cap=5.0, attempts=5, budget=100.0)
NOW = 784_111_777.0  # 1994-11-06 08:49:37 UTC


@pytest.mark.parametrize(
    ("failures", "pause"), [(1, 1.0), (2, 2.0), (3, 4.0), (4, 5.0), (5, None)]
)
def test_pauses_double_up_to_a_cap_and_end(failures: int, pause: float | None) -> None:
    assert SCHEDULE.pause(failures, elapsed=0, jitter=0) == pause


def test_chance_shortens_a_pause_by_up_to_a_half() -> None:
    assert SCHEDULE.pause(2, elapsed=0, jitter=0.5) == 1.5


def test_what_the_remote_told_is_never_undercut() -> None:
    assert SCHEDULE.pause(1, elapsed=0, jitter=0.9, told=7.0) == 7.0


def test_no_attempt_is_begun_after_the_budget() -> None:
    assert SCHEDULE.pause(1, elapsed=99.5, jitter=0) is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("12", 12.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("86400", 300.0),
        ("nan", None),
        ("inf", None),
        ("soon", None),
        ("Sun, 06 Nov 1994 08:50:07 GMT", 30.0),
        ("Sun, 06 Nov 1994 08:00:00 GMT", 0.0),
    ],
)
def test_retry_after_holds_seconds_or_a_date(
    text: str | None, seconds: float | None
) -> None:
    assert retry_after(text, now=NOW) == seconds


@given(st.text())
def test_any_retry_after_is_understood_or_ignored(text: str) -> None:
    found = retry_after(text, now=NOW)

    assert found is None or 0 <= found <= 300


def turns(limiter: Limiter, count: int) -> list[float]:
    return [limiter.acquire() for _ in range(count)]


def test_without_a_limit_nobody_waits() -> None:
    clock = Clock()

    turns(Limiter(None, clock.timing), 5_000)

    assert clock.slept == []


def test_a_minutes_worth_may_be_sent_at_once_and_then_at_the_rate() -> None:
    clock = Clock(time=0.0)
    limiter = Limiter(60, clock.timing)

    assert turns(limiter, 60) == [0.0] * 60
    assert turns(limiter, 3) == pytest.approx([1.0, 2.0, 3.0])


def test_a_refusal_stops_everybody_and_halves_the_rate() -> None:
    clock = Clock(time=0.0)
    limiter = Limiter(600, clock.timing)
    sent = limiter.acquire()

    limiter.slow_down(10.0, sent=sent)

    assert limiter.rate == 300
    assert turns(limiter, 2) == pytest.approx([10.2, 10.4], abs=0.01)


def test_refusals_of_requests_sent_before_the_halving_halve_only_once() -> None:
    clock = Clock(time=0.0)
    limiter = Limiter(800, clock.timing)
    sent = turns(limiter, 8)
    clock.time = 1.0

    for turn in sent:
        limiter.slow_down(1.0, sent=turn)

    assert limiter.rate == 400


def test_a_later_refusal_makes_everybody_wait_longer() -> None:
    clock = Clock(time=0.0)
    limiter = Limiter(600, clock.timing)
    sent = turns(limiter, 2)
    clock.time = 0.5

    limiter.slow_down(5.0, sent=sent[0])
    limiter.slow_down(30.0, sent=sent[1])

    assert limiter.acquire() >= 30.5


def test_the_rate_grows_back_slowly_and_not_beyond_what_is_allowed() -> None:
    clock = Clock(time=0.0)
    limiter = Limiter(800, clock.timing)
    limiter.slow_down(0.0, sent=limiter.acquire())

    clock.time = 19.0
    limiter.acquire()
    assert limiter.rate == 400
    clock.time = 21.0
    limiter.acquire()
    assert limiter.rate == 500
    clock.time = 500.0
    limiter.acquire()
    assert limiter.rate == 800


def test_without_a_limit_the_rate_is_learnt_from_what_was_refused() -> None:
    clock = Clock(time=0.0)
    limiter = Limiter(None, clock.timing)
    sent = turns(limiter, 1_000)

    limiter.slow_down(1.0, sent=sent[-1])

    assert limiter.rate == 500


def test_the_rate_never_falls_to_a_standstill() -> None:
    clock = Clock(time=0.0)
    limiter = Limiter(100, clock.timing)
    for _ in range(10):
        clock.time += 1
        limiter.slow_down(0.0, sent=clock.time)

    assert limiter.rate == 60


def test_threads_get_no_more_turns_than_there_are() -> None:
    clock = Clock(time=0.0)
    limiter = Limiter(100, clock.timing)

    with ThreadPoolExecutor(8) as pool:
        given_at = sorted(pool.map(lambda _: limiter.acquire(), range(160)))

    assert given_at[99] < 0.7
    assert given_at[-1] >= 59 * 0.6


@pytest.mark.parametrize(
    ("status", "progress"),
    [
        ("COMPLETE", Progress.COMPLETE),
        ("IN_PROGRESS", Progress.PENDING),
        ("CANCELLING", Progress.PENDING),
        (None, Progress.PENDING),
    ],
)
def test_a_status_is_read_as_the_api_spells_it(
    status: str | None, progress: Progress
) -> None:
    assert progress_of(status, None, "x") is progress


def test_a_failed_job_is_told_word_for_word() -> None:
    with pytest.raises(TaskFailed) as caught:
        progress_of("FAILED", "Data row 'x' is gone.", "addRows")

    assert str(caught.value) == "addRows: Data row 'x' is gone."


def finishing_at(clock: Clock, moment: float) -> Iterator[float]:
    """Wait for a job that ends at *moment*, and tell how late it was noticed."""
    began = clock.time

    def check() -> Progress:
        over = clock.time - began >= moment
        return Progress.COMPLETE if over else Progress.PENDING

    wait(check, operation="x", timing=clock.timing)
    yield clock.time - began - moment


def test_a_job_that_is_over_costs_no_wait() -> None:
    clock = Clock()

    list(finishing_at(clock, 0))

    assert clock.slept == []


@pytest.mark.parametrize("seconds", [0.5, 1.0, 3.0, 10.0, 19.0])
def test_the_end_of_a_job_is_noticed_about_a_tenth_late(seconds: float) -> None:
    (late,) = finishing_at(Clock(time=0.0), seconds)

    assert 0 <= late <= max(0.1 * seconds, 0.05) + 1e-9


def test_a_long_job_is_asked_about_every_two_seconds() -> None:
    clock = Clock(time=0.0)

    list(finishing_at(clock, 300.0))

    assert clock.slept[-1] == 2.0
    assert all(one <= other for one, other in pairwise(clock.slept))


def test_a_job_that_never_ends_is_in_doubt() -> None:
    clock = Clock(time=0.0)

    with pytest.raises(InDoubt, match="not over after 60 seconds") as caught:
        wait(
            lambda: Progress.PENDING,
            operation="addRows",
            timing=clock.timing,
            timeout=60,
        )

    assert caught.value.operation == "addRows"
    assert 60 <= clock.time < 63


def test_real_time_passes_by_itself() -> None:
    timing = Timing()

    assert timing.monotonic() <= timing.monotonic()
    assert math.isfinite(timing.now())
    assert 0 <= timing.jitter() < 1

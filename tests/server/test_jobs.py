"""Jobs: done once, by whoever is there, and never left hanging."""

import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from reconciler.server.errors import bad_input, busy
from reconciler.server.jobs import AT_ONCE, PREPARED_AT_ONCE, Job, Jobs

SOON = 20
"""Seconds after which a test has failed."""


def job(name: str, work: Callable[[], None], failed: list[str]) -> Job:
    return Job(identifier=name, work=work, fail=failed.append)


def test_a_quick_job_has_ended_when_it_was_waited_for(tmp_path: Path) -> None:
    done: list[str] = []

    Jobs(tmp_path, SOON).do(job("one", lambda: done.append("one"), []))

    assert done == ["one"]
    assert list(tmp_path.iterdir()) == []


def test_a_long_job_goes_on_while_nobody_waits(tmp_path: Path) -> None:
    go, done = threading.Event(), threading.Event()

    def work() -> None:
        assert go.wait(SOON)
        done.set()

    Jobs(tmp_path, 0.01).do(job("one", work, []))

    assert not done.is_set()
    go.set()
    assert done.wait(SOON)


def test_a_job_is_worked_on_once_at_a_time(tmp_path: Path) -> None:
    go, begun = threading.Event(), threading.Semaphore(0)

    def work() -> None:
        begun.release()
        assert go.wait(SOON)

    # Two processes that share a store.
    ours, theirs = Jobs(tmp_path, 0), Jobs(tmp_path, 0)
    ours.do(job("one", work, []))
    assert begun.acquire(timeout=SOON)
    theirs.resume(job("one", work, []))
    ours.resume(job("one", work, []))

    assert not begun.acquire(timeout=0.1)
    go.set()


def test_so_many_jobs_are_worked_on_at_once(tmp_path: Path) -> None:
    go, begun = threading.Event(), threading.Semaphore(0)

    def work() -> None:
        begun.release()
        assert go.wait(SOON)

    jobs = Jobs(tmp_path, 0)
    for number in range(AT_ONCE + 1):
        jobs.do(job(f"job-{number}", work, []))

    for _ in range(AT_ONCE):
        assert begun.acquire(timeout=SOON)
    assert not begun.acquire(timeout=0.1)
    go.set()
    assert begun.acquire(timeout=SOON)


def test_a_job_whose_worker_died_is_done_by_who_asks_next(tmp_path: Path) -> None:
    (tmp_path / "one.lock").touch()  # what a killed process leaves behind
    done = threading.Event()

    Jobs(tmp_path, 0).resume(job("one", done.set, []))

    assert done.wait(SOON)


def test_a_refusal_says_why_a_job_has_failed(tmp_path: Path) -> None:
    failed: list[str] = []

    def work() -> None:
        raise bad_input("the file has no lines")

    Jobs(tmp_path, SOON).do(job("one", work, failed))

    assert failed == ["the file has no lines"]


def test_a_bug_fails_its_job_and_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    failed: list[str] = []

    def work() -> None:
        raise ZeroDivisionError

    Jobs(tmp_path, SOON).do(job("one", work, failed))

    assert failed == ["Internal server error"]
    assert "a bug in the job one" in caplog.text


def test_jobs_that_wait_keep_no_other_from_being_worked_on(tmp_path: Path) -> None:
    go, done = threading.Event(), threading.Event()
    jobs, failed = Jobs(tmp_path, 0), list[str]()
    for number in range(PREPARED_AT_ONCE + AT_ONCE):
        waiting = Job(
            identifier=f"download-{number}",
            work=lambda: None,
            fail=failed.append,
            prepare=lambda: assert_soon(go),
        )
        jobs.do(waiting)

    jobs.do(job("quick", done.set, []))

    assert done.wait(SOON)
    assert failed == []
    go.set()


def test_so_many_jobs_are_prepared_at_once_and_the_others_queue(
    tmp_path: Path,
) -> None:
    go, begun = threading.Event(), threading.Semaphore(0)
    jobs, failed = Jobs(tmp_path, 0), list[str]()

    def download() -> None:
        begun.release()
        assert_soon(go)

    for number in range(PREPARED_AT_ONCE + 1):
        waiting = Job(
            identifier=f"download-{number}",
            work=lambda: None,
            fail=failed.append,
            prepare=download,
        )
        jobs.do(waiting)

    for _ in range(PREPARED_AT_ONCE):
        assert begun.acquire(timeout=SOON)
    assert not begun.acquire(timeout=0.1)
    go.set()
    assert begun.acquire(timeout=SOON)
    assert failed == []


def assert_soon(event: threading.Event) -> None:
    assert event.wait(SOON)


def test_a_job_that_must_download_first_is_not_waited_for(tmp_path: Path) -> None:
    go, done = threading.Event(), threading.Event()
    waiting = Job(
        identifier="download",
        work=done.set,
        fail=list[str]().append,
        prepare=lambda: assert_soon(go),
    )

    begun = time.monotonic()
    Jobs(tmp_path, SOON).do(waiting)

    assert time.monotonic() - begun < SOON / 2
    go.set()
    assert done.wait(SOON)


def test_no_more_requests_wait_for_jobs_than_may(tmp_path: Path) -> None:
    seats = threading.BoundedSemaphore(1)
    jobs, failed = Jobs(tmp_path, SOON, waiting=seats), list[str]()
    go, done = threading.Event(), threading.Event()

    def work() -> None:
        assert_soon(go)
        done.set()

    with seats:  # somebody waits for another job
        jobs.do(job("one", work, failed))
        assert failed == []
        assert not done.is_set()
    go.set()
    assert done.wait(SOON)

    # Whoever has waited makes room for the next.
    ended: list[str] = []
    for name in ("two", "three"):
        jobs.do(job(name, partial(ended.append, name), failed))
    assert ended == ["two", "three"]


def test_a_job_that_finds_the_store_busy_is_done_by_who_asks_next(
    tmp_path: Path,
) -> None:
    failed, done = list[str](), list[str]()
    jobs = Jobs(tmp_path, SOON)

    def work() -> None:
        raise busy()

    jobs.do(job("one", work, failed))
    jobs.do(job("one", lambda: done.append("one"), failed))

    assert (failed, done) == ([], ["one"])

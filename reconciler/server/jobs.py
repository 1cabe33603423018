"""Work that may outlast the request that asked for it, done by whoever is there.

A job is written down as running before its work begins, and the work ends with
writing down how it ended. Who works on a job holds a lock on a file named after
it, which the operating system lets go of when the process dies. So a job that
is running while nobody holds its lock was interrupted, and whoever asks for it
next does it again: no job hangs.
"""

import fcntl
import logging
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reconciler.server.errors import ApiError, Code

AT_ONCE: Final = 2
"""How many jobs of a store a process works on at once; the others queue."""

PREPARED_AT_ONCE: Final = 8
"""How many jobs of a store a process prepares at once; the others queue."""

log = logging.getLogger("reconciler.server")


def nothing_before() -> None:
    """Prepare a job that needs nothing first, which then needn't queue for it."""


@dataclass(frozen=True, slots=True)
class Job:
    """Something to do once.

    Attributes:
        identifier: Unique in the store.
        work: Does it, and writes down that it is done, in one transaction. It
            does nothing when the job has ended meanwhile.
        fail: Writes down why it can't be done.
        prepare: What comes before and mostly waits, such as for a download: it
            keeps no other job from being worked on, only from being prepared.
    """

    identifier: str
    work: Callable[[], None]
    fail: Callable[[str], None]
    prepare: Callable[[], None] = nothing_before


class Jobs:
    """The jobs of one store that this process works on."""

    def __init__(
        self,
        folder: Path,
        patience: float,
        then: Callable[[], None] = lambda: None,
        *,
        waiting: threading.Semaphore | None = None,
    ) -> None:
        """Work on jobs.

        Args:
            folder: Where locks are kept; created with the first of them.
            patience: How many seconds `do` waits for an end.
            then: Called after each job that this process has worked on.
            waiting: How many may wait in `do` at once, which may be shared with
                other stores; without it any number.
        """
        self._folder = folder
        self._patience = patience
        self._then = then
        self._waiting = waiting
        self._turns = threading.Semaphore(AT_ONCE)
        self._preparing = threading.Semaphore(PREPARED_AT_ONCE)

    def do(self, job: Job) -> None:
        """Begin a job unless somebody is at it, and wait for its end a while.

        Nobody waits for a download, nor where too many wait already: whoever has
        asked finds the job running.
        """
        thread = self._begin(job)
        if thread is None or job.prepare is not nothing_before:
            return
        if self._waiting is None:
            thread.join(self._patience)
        elif self._waiting.acquire(blocking=False):
            try:
                thread.join(self._patience)
            finally:
                self._waiting.release()

    def resume(self, job: Job) -> None:
        """Begin a job that was found running, unless somebody is at it."""
        self._begin(job)

    def _begin(self, job: Job) -> threading.Thread | None:
        path = self._folder / f"{job.identifier}.lock"
        lock = _try_lock(path)
        if lock is None:
            return None
        thread = threading.Thread(
            target=self._run, args=(job, path, lock), daemon=True, name="job"
        )
        thread.start()
        return thread

    def _run(self, job: Job, path: Path, lock: int) -> None:
        try:
            self._work(job)
        finally:
            # Who opened the file meanwhile may lock it now, and finds that the
            # job has ended.
            path.unlink(missing_ok=True)
            os.close(lock)
        # In a busy store it comes after the next job.
        with suppress(ApiError):
            self._then()

    def _work(self, job: Job) -> None:
        try:
            if job.prepare is not nothing_before:
                with self._preparing:
                    job.prepare()
            with self._turns:
                job.work()
        except ApiError as refusal:
            # Of a busy store the job's end can't be written either: it stays
            # running, and whoever asks for it next does it again.
            if refusal.code is not Code.SERVICE_UNAVAILABLE:
                job.fail(refusal.message)
        except Exception:
            # Nobody else would hear of it: the request may be long over.
            log.exception("a bug in the job %s", job.identifier)
            job.fail("Internal server error")


def _try_lock(path: Path) -> int | None:
    path.parent.mkdir(0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle

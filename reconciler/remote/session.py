"""What the parts of the client share: a connection, bounds, and what was learnt."""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock
from typing import TypeVar

from reconciler.api import documents
from reconciler.plan.changes import Notice
from reconciler.remote.graphql import THREADS, GraphQLClient
from reconciler.remote.payloads import UserData
from reconciler.remote.tasks import TIMEOUT
from reconciler.state.address import RemoteId
from reconciler.state.labels import CurrentLabel

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much is asked for at a time.

    Attributes:
        export_above: Runs that should have more rows are read by an export.
        export_dataset_above: So are datasets that have more.
        page: Rows of a run on a page.
        smaller_pages: The same, for a remote that refuses the larger one, in
            the order in which they are tried.
        batch: Ids or keys in a request.
        upload_batch: Data rows in one upload task.
        chunk: Bytes of data rows in one uploaded file.
        task_timeout: Seconds that a job may take.
    """

    export_above: int = 10_000
    export_dataset_above: int = 20_000
    page: int = 5_000
    smaller_pages: tuple[int, ...] = (1_000, 100)
    batch: int = 10_000
    upload_batch: int = 100_000
    chunk: int = 10_000_000
    task_timeout: float = TIMEOUT


@dataclass
class Learnt:
    """What this remote turned out not to do; told once, then gone by."""

    page: int | None = None
    no_exports: bool = False
    no_export_splits: bool = False
    one_assignment: bool = False
    user: str | None = None
    notices: list[Notice] = field(default_factory=list)
    _lock: Lock = field(default_factory=Lock)

    def tell(self, code: str, message: str) -> None:
        """Keep a notice, once."""
        notice = Notice(code=code, message=message)
        with self._lock:
            if notice not in self.notices:
                self.notices.append(notice)


@dataclass
class Kept:
    """What many steps and many runs ask of the same project.

    Attributes:
        batches: Names of the batches of projects, with those made meanwhile.
    """

    batches: dict[RemoteId, set[str]] = field(default_factory=dict)
    _labels: dict[RemoteId, tuple[float, Sequence[CurrentLabel]]] = field(
        default_factory=dict
    )
    _changes: Counter[RemoteId] = field(default_factory=Counter)
    _reading: dict[RemoteId, Lock] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def labels(
        self,
        project: RemoteId,
        read: Callable[[], Sequence[CurrentLabel]],
        *,
        now: float,
        within: float | None = None,
    ) -> Sequence[CurrentLabel]:
        """Give the labels of a project, which are read at most once at a time.

        Args:
            project: The project.
            read: Reads them.
            now: The monotonic clock, in seconds.
            within: How old they may be, in seconds; None is any age.
        """
        with self._lock:
            reading = self._reading.setdefault(project, Lock())
        with reading:
            known = self._labels.get(project)
            if known is not None and (within is None or now - known[0] <= within):
                return known[1]
            before = self._changes[project]
            found = read()
            with self._lock:
                if self._changes[project] == before:
                    self._labels[project] = now, found
            return found

    def forget(self, project: RemoteId) -> None:
        """Have the labels of a project read again, for they are being changed."""
        with self._lock:
            self._changes[project] += 1
            self._labels.pop(project, None)


@dataclass(frozen=True, slots=True)
class Session:
    """A connection with its bounds; shared by all threads."""

    client: GraphQLClient
    bounds: Bounds
    learnt: Learnt
    kept: Kept = field(default_factory=Kept)

    def user(self) -> str:
        """Say whose key it is; jobs are listed under their user."""
        if self.learnt.user is None:
            self.learnt.user = self.client.execute(documents.USER, UserData).user.id
        return self.learnt.user


def in_parallel(work: Sequence[Callable[[], T]]) -> list[T]:
    """Do independent things at the same time, and give their results in order.

    When one fails, those not yet begun are left out, and its error is raised.
    """
    if len(work) <= 1:
        return [do() for do in work]
    pool = ThreadPoolExecutor(min(THREADS, len(work)), "remote")
    try:
        futures = [pool.submit(do) for do in work]
        return [future.result() for future in futures]
    finally:
        pool.shutdown(wait=True, cancel_futures=True)

"""What the parts of the client share: a connection, bounds, and what was learnt."""

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


@dataclass(frozen=True, slots=True)
class Session:
    """A connection with its bounds; shared by all threads."""

    client: GraphQLClient
    bounds: Bounds
    learnt: Learnt

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

"""What planning needs of a remote, what apply needs of it, and how it fails.

Two ports, so that whoever is given a Reader can't write. The errors a port may
raise live here too:

    RemoteError          refused or failed, with the remote's own reason
    ├── Unauthorized     the key is wrong, expired, or not allowed to
    ├── NotFound         the object is gone, or not visible to this key
    ├── RateLimited      still too many requests after waiting
    ├── Unavailable      no answer, or only 5xx, after retrying
    ├── Malformed        an answer that isn't what the API promises
    ├── Incomplete       a read that can't be shown to be whole
    ├── LinesRefused     an import ended, but not every line was taken
    ├── Stale            the object is no longer as the plan saw it
    └── InDoubt          can't tell whether a change was made
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, ClassVar, Protocol

from reconciler.diagnostics import ReconcilerError, counted
from reconciler.plan.changes import Notice
from reconciler.plan.steps import Step
from reconciler.rows.current import CurrentRows
from reconciler.state.address import Address, RemoteId
from reconciler.state.contents import ExportParams, RunRow, Survey
from reconciler.state.labels import CurrentLabel
from reconciler.state.resources import GlobalKey, RunStatus
from reconciler.state.selection import SelectedRow, Selection
from reconciler.state.snapshot import Current, Desired
from reconciler.state.uploads import LineRefusal


class RemoteError(ReconcilerError):
    """The remote refused or failed.

    Attributes:
        reason: What it said, word for word where it said anything.
        operation: What was asked of it, such as `createModelRun`.
        request_id: The remote's own id of the request, when it tells one.
        hint: What to try.
        job_failed: Whether a job that was accepted is known to have come to
            nothing, so that another one must be started.
    """

    job_failed: ClassVar[bool] = False

    def __init__(
        self,
        reason: str,
        *,
        operation: str | None = None,
        request_id: str | None = None,
        hint: str | None = None,
    ) -> None:
        self.reason = reason
        self.operation = operation
        self.request_id = request_id
        self.hint = hint
        super().__init__(reason)

    def __str__(self) -> str:
        where = f"{self.operation}: " if self.operation else ""
        request = f" (request {self.request_id})" if self.request_id else ""
        return f"{where}{self.reason}{request}"


class Unauthorized(RemoteError):  # noqa: N818  # the tree reads better without
    """The key is wrong, expired, or not allowed to do this."""


class NotFound(RemoteError):  # noqa: N818
    """The object is gone, or not visible to this key."""


class RateLimited(RemoteError):  # noqa: N818
    """Still too many requests after waiting as long as we were told."""


class Unavailable(RemoteError):  # noqa: N818
    """No answer, or only server errors, after retrying."""


class Malformed(RemoteError):  # noqa: N818
    """An answer that isn't what the API promises."""


class Incomplete(RemoteError):  # noqa: N818
    """A read that can't be shown to be whole; nothing may follow from it."""


class LinesRefused(RemoteError):  # noqa: N818
    """An import ended, and some of its lines were refused.

    Attributes:
        refusals: Every one of them.
        of: How many lines the import had.
    """

    def __init__(
        self, refusals: Sequence[LineRefusal], *, of: int, operation: str
    ) -> None:
        self.refusals = tuple(refusals)
        self.of = of
        super().__init__(
            f"{len(self.refusals):,} of {counted(of, 'line')} were refused",
            operation=operation,
        )


class Stale(RemoteError):  # noqa: N818
    """The object is no longer as the plan saw it."""


class InDoubt(RemoteError):  # noqa: N818
    """Can't tell whether a change was made."""


@dataclass(frozen=True, slots=True)
class Organisation:
    """Whom the key belongs to."""

    id: RemoteId
    name: str


class Reader(Protocol):
    """What planning asks of a remote; nothing here changes anything."""

    def organisation(self) -> Organisation:
        """Say whom the key belongs to."""

    def read(self, desired: Desired) -> Current:
        """Find everything that the manifests name, except the rows of runs.

        Objects are found by exact name, or by the id they are pinned to; a
        dataset with managed data rows has its global keys read.

        Raises:
            InputError: When a name is ambiguous or a pin is wrong: all of them.
            RemoteError: When anything can't be read whole.
        """

    def read_rows(self, run: RemoteId, *, expected: int) -> CurrentRows:
        """Read the rows of a run, whole.

        Args:
            run: The run.
            expected: How many rows the manifests want, to choose between pages
                and an export.

        Raises:
            Incomplete: When the read can't be shown to be whole.
        """

    def read_labels(self, run: RemoteId) -> Sequence[CurrentLabel]:
        """Read the labels that the rows of a run have, whole; one a row.

        Raises:
            Incomplete: When the read can't be shown to be whole.
        """

    def read_project_labels(self, project: RemoteId) -> Sequence[CurrentLabel]:
        """Read the labels of a project as they are now; a row may have several.

        Raises:
            Incomplete: When the read can't be shown to be whole.
        """

    def read_status(self, run: RemoteId) -> RunStatus | None:
        """Read how far a run's training has come; None when nobody has said."""

    def select(
        self, selection: Selection, source: RemoteId
    ) -> Iterator[Sequence[SelectedRow]]:
        """Read the data rows that a live selection chooses from, unfiltered.

        Args:
            selection: What is asked for; its source is a dataset or a project,
                and its conditions say which metadata are needed.
            source: Id of that dataset or project; of a project only data rows
                with a label count.

        Raises:
            Incomplete: When the read can't be shown to be whole.
        """

    def run_contents(
        self, run: RemoteId, wanted: ExportParams
    ) -> Iterator[Sequence[RunRow]]:
        """Export a run with everything in it, batch by batch.

        Raises:
            Incomplete: When the read can't be shown to be whole.
        """

    def survey(self, address: Address) -> Survey:
        """Find a model or a run that no manifest speaks of yet.

        Args:
            address: A model, with all its runs, or one run.

        Raises:
            InputError: When there is none of the name, or several.
        """

    def download(self, url: str) -> bytes:
        """Fetch a file that an export names, without the key; a bounded one."""

    def download_to(self, url: str, file: IO[bytes]) -> None:
        """Do as `download` into an open file, which is empty, to hold a large one."""

    def notices(self) -> tuple[Notice, ...]:
        """List what the remote turned out not to do, and what was done instead."""

    def unknown_keys(self, keys: Iterable[GlobalKey]) -> frozenset[GlobalKey]:
        """Find the keys that no data row of the organisation answers to."""


class Writer(Protocol):
    """What apply asks of a remote."""

    def perform(
        self, step: Step, *, ids: Mapping[Address, RemoteId]
    ) -> RemoteId | None:
        """Carry out one step; doing it twice is doing it once.

        What a step would create or upload and somebody else has brought about
        since the plan is taken where it is no different, and is Stale otherwise.

        Args:
            step: What to do.
            ids: Ids of the objects that exist by now; every address that the
                step speaks of is there, except the one it creates.

        Returns:
            The id of the object that a creating step made or found, else None.

        Raises:
            InDoubt: When it can't be told whether the step was carried out.
            Stale: When a check finds the object changed.
            RemoteError: When the step failed.
        """

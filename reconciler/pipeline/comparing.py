"""What runs have on the remote, read and compared, run by run."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeAlias, TypeVar

from reconciler.plan.changes import RowChanges
from reconciler.plan.diffing.projects import project_destination
from reconciler.plan.fields import diff_fields
from reconciler.plan.labels import LabelsFound, compare_labels
from reconciler.plan.uploads import compare_uploads, contents_sent
from reconciler.ports import Reader
from reconciler.rows.change import RowsChange
from reconciler.rows.current import collect
from reconciler.rows.diff import diff_rows
from reconciler.rows.membership import names_of
from reconciler.state.address import Address, RemoteId
from reconciler.state.inventory import Inventory
from reconciler.state.labels import ContentHash, CurrentLabel, LabelPins
from reconciler.state.resources import Run, RunStatus
from reconciler.state.snapshot import Current, CurrentProject, CurrentRun, Desired
from reconciler.state.uploads import Uploads

READERS: Final = 8
"""Runs that are read and compared at the same time."""

LARGE: Final = 100_000
"""Rows beyond which a run is read alone, so that memory holds one at a time."""

AllUploads: TypeAlias = Mapping[Address, tuple[Uploads, ...]]
"""What each project and run should be sent."""

_T = TypeVar("_T")


def compare_all_rows(desired: Desired, current: Current, reader: Reader) -> RowChanges:
    """Compare the rows of each run that manages them."""

    def compare(run: Run) -> RowsChange:
        assert run.rows is not None
        found = current.id_of(run.address)
        there = (
            collect(())
            if found is None
            else reader.read_rows(found, expected=len(run.rows))
        )
        return diff_rows(desired=run.rows, current=there)

    runs = [run for run in desired.runs() if run.rows is not None]
    return _each(runs, compare)


def compare_all_labels(
    desired: Desired,
    current: Current,
    reader: Reader,
    *,
    uploads: AllUploads,
    inventory: Inventory,
    organisation: RemoteId,
) -> Mapping[Address, LabelsFound]:
    """Compare the labels of each run that manages them with what they should be.

    A project is read once, however many runs have their labels from it.
    """
    runs = [run for run in desired.runs() if run.labels is not None]
    sources = {
        run.labels.project
        for run in runs
        if isinstance(run.labels, LabelPins) and run.labels.project is not None
    }
    upstream = _upstream(sorted(sources), current, reader)
    coming = {one: _coming(one, current, uploads, inventory) for one in sources}

    def compare(run: Run) -> LabelsFound:
        assert run.labels is not None
        found = current.id_of(run.address)
        project = run.labels.project if isinstance(run.labels, LabelPins) else None
        return compare_labels(
            run.labels,
            address=run.address,
            current=() if found is None else reader.read_labels(found),
            members=None if run.rows is None else names_of(run.rows),
            upstream=None if project is None else upstream.get(project),
            coming={} if project is None else coming[project],
            organisation=organisation,
        )

    return _each(runs, compare)


def read_statuses(
    desired: Desired,
    current: Current,
    reader: Reader,
    *,
    rows: RowChanges,
    labels: Mapping[Address, LabelsFound],
) -> Mapping[Address, RunStatus | None]:
    """Read the status of each run for which it matters.

    Those are the runs that declare one, and those that would change: a run that
    is complete isn't changed without a yes.
    """

    def matters(run: Run) -> bool:
        there = current.resources.get(run.address)
        if not isinstance(there, CurrentRun):
            return False
        found = labels.get(run.address)
        return (
            run.status is not None
            or bool(rows.get(run.address))
            or (found is not None and bool(found.change))
            or (run.config is not None and bool(diff_fields(there.config, run.config)))
        )

    def read(run: Run) -> RunStatus | None:
        found = current.id_of(run.address)
        assert found is not None
        return reader.read_status(found)

    return _in_parallel([run for run in desired.runs() if matters(run)], read)


def _upstream(
    projects: Sequence[Address], current: Current, reader: Reader
) -> Mapping[Address, Sequence[CurrentLabel]]:
    found = {}
    for project in projects:
        there = current.id_of(project)
        if there is not None:
            found[project] = reader.read_project_labels(there)
    return found


def _coming(
    project: Address, current: Current, uploads: AllUploads, inventory: Inventory
) -> Mapping[str, ContentHash]:
    """Say what the plan is going to make labels of a project say, row by row."""
    there = current.resources.get(project)
    to = project_destination(there if isinstance(there, CurrentProject) else None)
    coming: dict[str, ContentHash] = {}
    for wanted in uploads.get(project, ()):
        change = compare_uploads(
            wanted,
            to=to,
            recorded=inventory.uploads.get((project, wanted.family), {}),
            lineage=inventory.lineage,
        )
        coming |= contents_sent(wanted, change)
    return coming


def _each(runs: Iterable[Run], do: Callable[[Run], _T]) -> dict[Address, _T]:
    """Do something for each run: small ones side by side, large ones alone."""
    small: list[Run] = []
    large: list[Run] = []
    for run in runs:
        is_large = run.rows is not None and len(run.rows) > LARGE
        (large if is_large else small).append(run)
    found = _in_parallel(small, do)
    return found | {run.address: do(run) for run in large}


def _in_parallel(runs: Sequence[Run], do: Callable[[Run], _T]) -> dict[Address, _T]:
    with ThreadPoolExecutor(max_workers=READERS) as pool:
        done = pool.map(do, runs)
        return {run.address: one for run, one in zip(runs, done, strict=True)}

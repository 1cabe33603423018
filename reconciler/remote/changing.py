"""What existing objects are given and lose. Done twice is done once."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final, TypeVar

from reconciler.api import documents
from reconciler.api.documents import Document
from reconciler.plan.steps import (
    AddRows,
    AssignSplits,
    CheckRun,
    DescribeDataset,
    RemoveRows,
    SetConfig,
)
from reconciler.ports import NotFound, RemoteError, Stale
from reconciler.remote.batches import batched, halving
from reconciler.remote.errors import Refused, TaskFailed
from reconciler.remote.payloads import (
    AddRowsData,
    Anything,
    AssignSplitsData,
    ConfigData,
    canonical_config,
)
from reconciler.remote.row_payloads import (
    AddRowsStatusData,
    AssignSplitsStatusData,
    RegistrationStatus,
)
from reconciler.remote.rows import read_rows, run_pages
from reconciler.remote.session import Session
from reconciler.remote.tasks import Progress, progress_of, wait
from reconciler.state.address import RemoteId
from reconciler.state.canonical import JsonObject, digest
from reconciler.state.resources import RowIdentity, Split

T = TypeVar("T")

READ_AGAIN: Final = (0.2, 0.5, 1.0, 2.0)
"""Seconds between the reads after a write that don't show it yet."""

_CHECK_AGAIN: Final = (0.5, 1.5)


def describe_dataset(
    session: Session, step: DescribeDataset, dataset: RemoteId
) -> None:
    """Replace the description of a dataset."""
    session.client.execute(
        documents.DESCRIBE_DATASET, Anything, id=dataset, description=step.description
    )


def set_config(session: Session, step: SetConfig, run: RemoteId) -> None:
    """Replace the config of a run, and read it back.

    Raises:
        RemoteError: When what is read back is not what was sent; says which
            keys differ. Some ways of the API change the spelling of keys.
    """
    if step.config:
        session.client.execute(
            documents.UPDATE_CONFIG,
            Anything,
            modelRunId=run,
            data={"config": step.config},
        )
    else:
        session.client.execute(documents.RESET_CONFIG, Anything, modelRunId=run)
    found = read_until(
        session,
        lambda: canonical_config(read_config(session, run), step.address),
        lambda got: _same(got, step.config),
    )
    if not _same(found, step.config):
        raise RemoteError(
            f"the config of {step.address} was set, but reads back with other keys or "
            f"values: {', '.join(_different(found, step.config))}",
            operation=documents.UPDATE_CONFIG.root,
        )


def read_config(session: Session, run: RemoteId) -> Mapping[str, object]:
    """Read the config of a run as it is written there; null is empty.

    Raises:
        NotFound: When there is no such run.
    """
    found = session.client.execute(
        documents.RUN_CONFIG, ConfigData, modelRunId=run
    ).model_run
    if found is None:
        raise NotFound(f"there is no run {run}", operation=documents.RUN_CONFIG.root)
    return found.training_metadata or {}


def check_run(session: Session, step: CheckRun, run: RemoteId) -> None:
    """Make sure that a run is as planned.

    A difference is only believed when it stays: what was written a moment ago
    may not be readable yet.

    Raises:
        Stale: When it isn't; says what has changed.
    """
    try:
        changed = read_until(
            session,
            partial(_changes, session, step, run),
            lambda found: not found,
            pauses=_CHECK_AGAIN,
        )
    except NotFound as error:
        raise Stale(f"{step.address} is no longer there") from error
    if changed:
        raise Stale(
            f"{' and '.join(changed)} of {step.address} changed since the plan was "
            "made",
            hint="plan again, and look at what changed",
        )


def add_rows(session: Session, step: AddRows, run: RemoteId) -> None:
    """Add data rows to a run, and wait until they are there."""

    def send(names: Sequence[str]) -> None:
        task = session.client.execute(
            documents.ADD_ROWS, AddRowsData, modelRunId=run, **_named(step.by, names)
        ).task
        wait_registered(session, documents.ADD_ROWS, lambda: _adding(session, task))

    for batch in batched(step.names, session.bounds.batch):
        halving(batch, send)


def assign_splits(session: Session, step: AssignSplits, run: RemoteId) -> None:
    """Put members of a run into splits, and wait until they are there.

    All splits go into one task, unless the remote turns out to take only one
    split a task.
    """
    several = len(step.assignments) > 1 and not session.learnt.one_assignment
    if several and sum(map(len, step.assignments.values())) <= session.bounds.batch:
        try:
            _assign(session, step.by, run, step.assignments)
        except (Refused, TaskFailed):
            # Whatever was wrong with it: if it isn't that there are several, one
            # of them fails again, and with a better reason.
            _assign_singly(session, step, run)
            session.learnt.one_assignment = True
    else:
        _assign_singly(session, step, run)


def remove_rows(session: Session, step: RemoveRows, run: RemoteId) -> None:
    """Remove members from a run by their ids; those already gone are done."""
    for batch in batched(step.ids, session.bounds.batch):
        try:
            _remove(session, run, batch)
        except NotFound:
            # Some are gone already, or the run is. What is left tells.
            members = {row.id for page in run_pages(session, run) for row in page}
            left = [row_id for row_id in batch if row_id in members]
            if left:
                _remove(session, run, left)


def _remove(session: Session, run: RemoteId, ids: Sequence[RemoteId]) -> None:
    def send(part: Sequence[RemoteId]) -> None:
        session.client.execute(
            documents.REMOVE_ROWS, Anything, modelRunId=run, dataRowIds=part
        )

    halving(ids, send)


def _assign_singly(session: Session, step: AssignSplits, run: RemoteId) -> None:
    def send(split: Split, names: Sequence[str]) -> None:
        _assign(session, step.by, run, {split: names})

    for split, names in step.assignments.items():
        for batch in batched(names, session.bounds.batch):
            halving(batch, partial(send, split))


def _assign(
    session: Session,
    by: RowIdentity,
    run: RemoteId,
    assignments: Mapping[Split, Sequence[str]],
) -> None:
    task = session.client.execute(
        documents.ASSIGN_SPLITS,
        AssignSplitsData,
        modelRunId=run,
        data={
            "assignments": [
                {"split": split.value, **_named(by, names)}
                for split, names in assignments.items()
                if names
            ]
        },
    ).task
    wait_registered(session, documents.ASSIGN_SPLITS, lambda: _assigning(session, task))


def _named(by: RowIdentity, names: Sequence[str]) -> dict[str, Sequence[str] | None]:
    match by:
        case RowIdentity.GLOBAL_KEY:
            return {"dataRowIds": None, "globalKeys": names}
        case RowIdentity.DATA_ROW_ID:
            return {"dataRowIds": names, "globalKeys": None}


def _adding(session: Session, task: str) -> RegistrationStatus:
    return session.client.execute(
        documents.ADD_ROWS_STATUS, AddRowsStatusData, where={"id": task}
    ).task


def _assigning(session: Session, task: str) -> RegistrationStatus:
    return session.client.execute(
        documents.ASSIGN_SPLITS_STATUS, AssignSplitsStatusData, id=task
    ).task


def wait_registered(
    session: Session, document: Document, look: Callable[[], RegistrationStatus]
) -> None:
    """Wait until a job on a run is over.

    Args:
        session: The connection.
        document: What started it.
        look: Asks how far it is.

    Raises:
        TaskFailed: When it came to nothing.
        InDoubt: When it takes too long.
    """

    def check() -> Progress:
        found = look()
        return progress_of(found.status, found.error_message, document.root)

    wait(
        check,
        operation=document.root,
        timing=session.client.timing,
        timeout=session.bounds.task_timeout,
    )


def _changes(session: Session, step: CheckRun, run: RemoteId) -> tuple[str, ...]:
    changed = []
    if step.config is not None:
        config = canonical_config(read_config(session, run), step.address)
        if digest(config) != step.config:
            changed.append("the config")
    if step.rows is not None:
        rows = read_rows(session, run, expected=step.expected)
        if rows.digest(step.by) != step.rows:
            changed.append("the rows")
    return tuple(changed)


def read_until(
    session: Session,
    read: Callable[[], T],
    good: Callable[[T], bool],
    pauses: tuple[float, ...] = READ_AGAIN,
) -> T:
    """Read until what is read is good, or stays as it is; give the last of it."""
    found = read()
    for pause in pauses:
        if good(found):
            break
        session.client.timing.sleep(pause)
        found = read()
    return found


def _same(one: JsonObject, other: JsonObject) -> bool:
    return digest(one) == digest(other)


def _different(one: JsonObject, other: JsonObject) -> list[str]:
    return [
        key
        for key in sorted(one.keys() | other.keys())
        if key not in one or key not in other or digest(one[key]) != digest(other[key])
    ]

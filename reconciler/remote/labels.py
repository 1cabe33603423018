"""Labels of runs and projects by what they say, and labels for the rows of runs.

Only exports tell what a label says. The ids of labels mean something in one
organisation and for a while; so what a run should have is looked up by content,
when it is added.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from reconciler.annotations.content import label_hash
from reconciler.annotations.exported import CannotReadError, exported_content
from reconciler.api import documents
from reconciler.diagnostics import counted
from reconciler.plan.steps import AddLabelIds, AddLabels
from reconciler.ports import Incomplete, Malformed, Stale
from reconciler.remote import exports
from reconciler.remote.batches import batched, halving
from reconciler.remote.changing import wait_registered
from reconciler.remote.export_payloads import (
    ExportedDataRow,
    ExportedProjectRow,
    ExportedRunLabels,
    ExportedRunRow,
)
from reconciler.remote.payloads import AddLabelsData
from reconciler.remote.row_payloads import AddLabelsStatusData, RegistrationStatus
from reconciler.remote.session import Session
from reconciler.state.address import Address, RemoteId
from reconciler.state.labels import CurrentLabel, PinnedLabel, is_as_pinned

_FRESH: Final = 60.0
"""Seconds for which labels of a project are believed when some are added."""

_READ_AGAIN: Final = (0.5, 1.5)
"""Seconds between the reads of a project that doesn't show a label yet."""

_SAMPLES: Final = 3


def read_labels(session: Session, run: RemoteId) -> tuple[CurrentLabel, ...]:
    """Read the labels that the rows of a run have; see `ports.Reader.read_labels`."""
    task = exports.start_run_export(session, run)
    exports.wait_for_task(session, task, documents.EXPORT_RUN)
    found: list[CurrentLabel] = []
    for batch in exports.lines(session, task, ExportedRunRow[ExportedRunLabels]):
        for row in batch:
            details = row.details(run)
            entries = details.labels if details else []
            if len(entries) > 1:
                raise Malformed(
                    f"data row {row.data_row.id} has {len(entries)} labels in run "
                    f"{run}, where it should have one at most",
                    operation=documents.EXPORT_RUN.root,
                )
            found += (_label(row.data_row, one) for one in entries)
    return _once(found, [label.row_id for label in found], f"run {run}")


def read_project_labels(
    session: Session, project: RemoteId, *, within: float | None = None
) -> Sequence[CurrentLabel]:
    """Read the labels of a project; see `ports.Reader.read_project_labels`.

    They are read once a session, until labels are imported there.

    Args:
        session: The connection.
        project: Its id.
        within: How old what was read may be, in seconds; None is any age.
    """
    return session.kept.labels(
        project,
        lambda: _read_project_labels(session, project),
        now=session.client.timing.monotonic(),
        within=within,
    )


def add_labels(
    session: Session, step: AddLabels, run: RemoteId, project: RemoteId | None
) -> None:
    """Give rows of a run their labels, by what the labels say.

    Args:
        session: The connection.
        step: What is wanted.
        run: The run.
        project: Where labels are looked for; None goes by their ids.

    Raises:
        Stale: When a label can't be found; nothing was added then.
    """
    if project is None:
        ids: Mapping[PinnedLabel, RemoteId] = {
            pin: pin.label_id for pin in step.labels if pin.label_id
        }
        _all_found(step, ids, "have no id, and no project to find them in")
    else:
        ids = _resolved(session, step.labels, project)
        _all_found(step, ids, f"are not in {step.project} any more")
    _register(session, run, sorted(ids.values()))


def add_label_ids(session: Session, step: AddLabelIds, run: RemoteId) -> None:
    """Give a run labels by their ids, with the data rows they are of."""
    _register(session, run, step.ids)


def _read_project_labels(
    session: Session, project: RemoteId
) -> tuple[CurrentLabel, ...]:
    task = exports.start_project_export(session, project, label_details=True)
    exports.wait_for_task(session, task, documents.EXPORT_PROJECT)
    found = [
        _label(row.data_row, one)
        for batch in exports.lines(session, task, ExportedProjectRow[dict[str, Any]])
        for row in batch
        for one in row.labels(project)
    ]
    return _once(found, [label.label_id for label in found], f"project {project}")


def _label(row: ExportedDataRow, entry: Mapping[str, Any]) -> CurrentLabel:
    label_id = entry.get("id")
    if not isinstance(label_id, str):
        raise Malformed(f"a label of data row {row.id} has no id")
    try:
        contents = exported_content(entry, media_type=None, marks=False)
    except CannotReadError as error:
        raise Malformed(
            f"label {label_id} of data row {row.id} can't be read: {error}"
        ) from error
    details = entry.get("label_details") or {}
    masked = any("mask" in one or "masks" in one for one in contents)
    return CurrentLabel(
        row_id=row.id,
        row=row.global_key,
        label_id=RemoteId(label_id),
        content=label_hash(contents),
        changed=details.get("content_last_updated_at") if masked else None,
        benchmark=details.get("is_benchmark_reference") is True,
    )


def _once(
    found: Sequence[CurrentLabel], names: Sequence[str], owner: str
) -> tuple[CurrentLabel, ...]:
    if len(set(names)) < len(names):
        raise Incomplete(
            f"the labels of {owner} shifted while they were read",
            hint="somebody else is changing it; try again later",
        )
    return tuple(found)


def _resolved(
    session: Session, pins: Sequence[PinnedLabel], project: RemoteId
) -> Mapping[PinnedLabel, RemoteId]:
    """Find labels that say what is wanted, as far as there are any."""
    labels = read_project_labels(session, project, within=_FRESH)
    found = _fitting(pins, labels)
    for pause in _READ_AGAIN:
        if len(found) == len(pins):
            break
        session.client.timing.sleep(pause)
        session.kept.forget(project)
        found = _fitting(pins, read_project_labels(session, project))
    return found


def _fitting(
    pins: Iterable[PinnedLabel], labels: Iterable[CurrentLabel]
) -> dict[PinnedLabel, RemoteId]:
    wanted = {(pin.row, pin.content): pin for pin in pins}
    best: dict[PinnedLabel, CurrentLabel] = {}
    for label in labels:
        pin = wanted.get((label.row or "", label.content))
        if pin is not None and is_as_pinned(label, pin):
            best[pin] = min(best.get(pin, label), label, key=lambda o: _rank(o, pin))
    return {pin: label.label_id for pin, label in best.items()}


def _rank(label: CurrentLabel, pin: PinnedLabel) -> tuple[bool, bool, str]:
    return label.label_id != pin.label_id, not label.benchmark, label.label_id


def _all_found(step: AddLabels, ids: Mapping[PinnedLabel, RemoteId], why: str) -> None:
    missing = [pin.row for pin in step.labels if pin not in ids]
    if missing:
        more = ", …" if len(missing) > _SAMPLES else ""
        raise Stale(
            f"{counted(len(missing), 'label')} of {counted(len(step.labels), 'label')} "
            f"that {step.address} pins {why}: "
            f"{', '.join(missing[:_SAMPLES])}{more}",
            operation=documents.ADD_LABELS.root,
            hint=_hint(step.address),
        )


def _hint(run: Address) -> str:
    return f"lock again: `reconciler lock --update {run}`, and review what changed"


def _register(session: Session, run: RemoteId, ids: Sequence[RemoteId]) -> None:
    def send(part: Sequence[RemoteId]) -> None:
        task = session.client.execute(
            documents.ADD_LABELS, AddLabelsData, modelRunId=run, labelIds=part
        ).task
        wait_registered(session, documents.ADD_LABELS, lambda: _adding(session, task))

    for batch in batched(ids, session.bounds.batch):
        halving(batch, send)


def _adding(session: Session, task: str) -> RegistrationStatus:
    return session.client.execute(
        documents.ADD_LABELS_STATUS, AddLabelsStatusData, where={"id": task}
    ).task

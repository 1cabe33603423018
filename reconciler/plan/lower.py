"""Changes to Steps, in the API's grain, batched and ordered by need.

    ontology ──▶ model ──▶ run: create or check ▸ config ▸ add ▸ labels ▸ splits
                                ▸ remove ▸ predictions and metrics ▸ status
    dataset: create ▸ data rows ──▶ (projects and runs that take some of those rows)
    ontology ──▶ project: create ▸ connect ▸ batches ▸ imports of labels
                                ──▶ (runs that take labels from it)

The steps of one phase may overlap; the phases of an object follow each other.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from reconciler.plan.changes import Action, Change, LabelsChange
from reconciler.plan.jobs import batch_name
from reconciler.plan.steps import (
    AddLabelIds,
    AddLabels,
    AddRows,
    AssignSplits,
    BatchRows,
    CheckRun,
    ConnectOntology,
    CreateDataset,
    CreateModel,
    CreateOntology,
    CreateProject,
    CreateRun,
    DescribeDataset,
    RemoveRows,
    SendChunk,
    SetConfig,
    SetStatus,
    Step,
    UploadDataRows,
)
from reconciler.rows.change import RowsChange
from reconciler.state.address import Address, Kind, RemoteId, model_address
from reconciler.state.resources import (
    Dataset,
    GlobalKey,
    Model,
    Ontology,
    Project,
    RowIdentity,
    Run,
    Split,
)

BATCH_SIZE = 10_000
"""Ids in one request, unless the workspace says otherwise."""

UPLOAD_BATCH = 1_000
"""Data rows in one upload task: small enough that an interrupted apply loses
little, large enough that tasks don't dominate."""

PROJECT_BATCH = 999
"""Data rows in one batch of a project; the API takes a thousand or more in another,
slower way."""

_LEVELS = (Kind.ONTOLOGY, Kind.DATASET, Kind.PROJECT, Kind.MODEL, Kind.RUN)
_T = TypeVar("_T")
_Phases: TypeAlias = Iterator[tuple[Step, ...]]


@dataclass(frozen=True, slots=True)
class Work:
    """Everything that is done to one object.

    Attributes:
        address: The object.
        needs: Objects whose work must have succeeded before.
        phases: Steps; those of one phase may overlap, phases don't.
    """

    address: Address
    needs: frozenset[Address]
    phases: tuple[tuple[Step, ...], ...]


def lower(
    changes: Iterable[Change], *, batch_size: int = BATCH_SIZE
) -> tuple[Work, ...]:
    """Turn changes into work, in an order in which each finds what it needs."""
    effective = [change for change in changes if change.effective]
    working = {change.address for change in effective}
    uploads = {
        change.address: frozenset(row.global_key for row in change.data_rows.created)
        for change in effective
        if change.data_rows
    }
    works = [
        Work(
            change.address,
            frozenset(_needs(change, uploads)) & working,
            tuple(phase for phase in _phases(change, batch_size) if phase),
        )
        for change in effective
    ]
    return _ordered(works)


def _needs(
    change: Change, uploads: Mapping[Address, frozenset[GlobalKey]]
) -> Iterator[Address]:
    match change.desired:
        case Model(ontology=ontology):
            yield ontology
        case Project(ontology=ontology):
            if ontology is not None:
                yield ontology
            yield from _bringing(_batched_rows(change), uploads)
        case Run(model=model):
            yield model_address(model)
            if change.rows and change.rows.by is RowIdentity.GLOBAL_KEY:
                yield from _bringing(change.rows.added_names(), uploads)
            if change.labels and change.labels.project is not None:
                yield change.labels.project
        case Ontology() | Dataset():
            return


def _bringing(
    keys: Iterable[str], uploads: Mapping[Address, frozenset[GlobalKey]]
) -> Iterator[Address]:
    wanted = frozenset(keys)
    for dataset, brought in uploads.items():
        if not brought.isdisjoint(wanted):
            yield dataset


def _phases(change: Change, batch_size: int) -> _Phases:
    match change.desired:
        case Ontology(media_type=media_type, schema=schema):
            assert schema is not None, "references are never created"
            yield (CreateOntology(change.address, media_type, schema),)
        case Dataset():
            yield from _dataset_phases(change, change.desired)
        case Project():
            yield from _project_phases(change, change.desired)
        case Model(ontology=ontology):
            yield (CreateModel(change.address, ontology),)
        case Run():
            yield from _run_phases(change, change.desired, batch_size)


def _dataset_phases(change: Change, wanted: Dataset) -> _Phases:
    address = change.address
    if change.action is Action.CREATE:
        yield (CreateDataset(address, wanted.description),)
    elif change.fields and wanted.description is not None:
        yield (DescribeDataset(address, wanted.description),)
    rows = change.data_rows.created if change.data_rows else ()
    yield tuple(
        UploadDataRows(address, batch) for batch in _batches(rows, UPLOAD_BATCH)
    )


def _project_phases(change: Change, wanted: Project) -> _Phases:
    address = change.address
    assert wanted.ontology is not None, "references are never changed"
    if change.action is Action.CREATE and change.media_type is not None:
        yield (CreateProject(address, change.media_type),)
    if change.fields:
        yield (ConnectOntology(address, wanted.ontology),)
    yield tuple(
        BatchRows(address, batch_name(chunk.slot, chunk.names, part), rows)
        for one in change.uploads
        for chunk in (planned.chunk for planned in one.sent)
        for part, rows in enumerate(_batches(chunk.names, PROJECT_BATCH), start=1)
    )
    yield _sending(change)


def _batched_rows(change: Change) -> Iterator[str]:
    for one in change.uploads:
        for planned in one.sent:
            yield from planned.chunk.names


def _run_phases(change: Change, wanted: Run, batch_size: int) -> _Phases:
    address = change.address
    changed = {one.path[0] for one in change.fields}
    if change.action is Action.CREATE:
        yield (CreateRun(address),)
    else:
        yield _check(change)
    if "config" in changed:
        yield (SetConfig(address, wanted.config or {}),)
    if change.rows:
        yield _adding(address, change.rows, batch_size)
    if change.labels:
        # Before splits: that adding labels leaves them alone is promised nowhere.
        yield tuple(_labelling(address, change.labels, batch_size))
    if change.rows:
        yield _placing(address, change.rows, batch_size)
        ids = sorted(RemoteId(row.id) for row in change.rows.removed)
        yield tuple(RemoveRows(address, batch) for batch in _batches(ids, batch_size))
    yield _sending(change)
    if "status" in changed and wanted.status is not None:
        yield (SetStatus(address, wanted.status),)


def _check(change: Change) -> tuple[Step, ...]:
    # Labels and imports aren't checked: to send what is there already is harmless.
    rows = change.rows
    if not rows and change.config_before is None:
        return ()
    return (
        CheckRun(
            change.address,
            config=change.config_before,
            rows=rows.before if rows else None,
            by=rows.by if rows else RowIdentity.GLOBAL_KEY,
            expected=rows.current_count if rows else 0,
        ),
    )


def _adding(address: Address, rows: RowsChange, size: int) -> tuple[Step, ...]:
    added = sorted(rows.added_names())
    return tuple(AddRows(address, rows.by, batch) for batch in _batches(added, size))


def _placing(address: Address, rows: RowsChange, size: int) -> tuple[Step, ...]:
    placed: list[tuple[Split, str]] = [
        (split, name)
        for split, names in rows.added.items()
        if split is not Split.UNASSIGNED  # where a new row is anyway
        for name in names
    ]
    placed += [
        (after, name) for (_, after), names in rows.moved.items() for name in names
    ]
    placed.sort()
    return tuple(
        AssignSplits(address, rows.by, _by_split(batch))
        for batch in _batches(placed, size)
    )


def _labelling(address: Address, labels: LabelsChange, size: int) -> Iterator[Step]:
    pinned = sorted((*labels.added, *labels.replaced), key=lambda pin: pin.row)
    for pins in _batches(pinned, size):
        yield AddLabels(address, labels.project, pins)
    for ids in _batches(labels.ids, size):
        yield AddLabelIds(address, ids)


def _sending(change: Change) -> tuple[Step, ...]:
    return tuple(
        SendChunk(
            change.address,
            one.family,
            planned.chunk,
            job=planned.job,
            generation=planned.generation,
            may_exist=planned.may_exist,
            left=planned.left,
        )
        for one in change.uploads
        for planned in one.sent
    )


def _by_split(
    placed: Iterable[tuple[Split, str]],
) -> Mapping[Split, tuple[str, ...]]:
    names: dict[Split, list[str]] = {}
    for split, name in placed:
        names.setdefault(split, []).append(name)
    return {split: tuple(those) for split, those in names.items()}


def _batches(items: Sequence[_T], size: int) -> Iterator[tuple[_T, ...]]:
    for start in range(0, len(items), size):
        yield tuple(items[start : start + size])


def _ordered(works: Iterable[Work]) -> tuple[Work, ...]:
    # A few levels at most (see the picture), so no general sort is needed:
    # ontologies and datasets need nothing, projects and models those, runs the rest.
    return tuple(sorted(works, key=lambda work: (_level(work), work.address)))


def _level(work: Work) -> int:
    return _LEVELS.index(work.address.kind)

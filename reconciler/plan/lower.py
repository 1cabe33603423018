"""Changes to Steps, in the API's grain, batched and ordered by need.

    ontology ──▶ model ──▶ run: create or check ▸ config ▸ add ▸ splits ▸ remove
    dataset: create ▸ data rows ──▶ (runs that add some of those rows)

The steps of one phase may overlap; the phases of an object follow each other.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from reconciler.plan.changes import Action, Change
from reconciler.plan.steps import (
    AddRows,
    AssignSplits,
    CheckRun,
    CreateDataset,
    CreateModel,
    CreateOntology,
    CreateRun,
    DescribeDataset,
    RemoveRows,
    SetConfig,
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
    RowIdentity,
    Run,
    Split,
)

BATCH_SIZE = 10_000
"""Ids in one request, unless the workspace says otherwise."""

UPLOAD_BATCH = 1_000
"""Data rows in one upload task: small enough that an interrupted apply loses
little, large enough that tasks don't dominate."""

_LEVELS = (Kind.ONTOLOGY, Kind.DATASET, Kind.MODEL, Kind.RUN)
_T = TypeVar("_T")


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
        case Run(model=model):
            yield model_address(model)
            if change.rows and change.rows.by is RowIdentity.GLOBAL_KEY:
                for dataset, keys in uploads.items():
                    if not keys.isdisjoint(change.rows.added_names()):
                        yield dataset
        case Ontology() | Dataset():
            return


def _phases(change: Change, batch_size: int) -> Iterator[tuple[Step, ...]]:
    address = change.address
    create = change.action is Action.CREATE
    match change.desired:
        case Ontology(media_type=media_type, schema=schema):
            assert schema is not None, "references are never created"
            yield (CreateOntology(address, media_type, schema),)
        case Dataset(description=description):
            if create:
                yield (CreateDataset(address, description),)
            elif change.fields and description is not None:
                yield (DescribeDataset(address, description),)
            rows = change.data_rows.created if change.data_rows else ()
            yield tuple(
                UploadDataRows(address, batch) for batch in _batches(rows, UPLOAD_BATCH)
            )
        case Model(ontology=ontology):
            yield (CreateModel(address, ontology),)
        case Run(config=config):
            if create:
                yield (CreateRun(address),)
            else:
                yield _check(change)
            if change.fields:
                yield (SetConfig(address, config or {}),)
            if change.rows:
                yield from _row_phases(address, change.rows, batch_size)


def _check(change: Change) -> tuple[Step, ...]:
    rows = change.rows
    return (
        CheckRun(
            change.address,
            config=change.config_before,
            rows=rows.before if rows else None,
            by=rows.by if rows else RowIdentity.GLOBAL_KEY,
            expected=rows.current_count if rows else 0,
        ),
    )


def _row_phases(
    address: Address, rows: RowsChange, batch_size: int
) -> Iterator[tuple[Step, ...]]:
    added = sorted(rows.added_names())
    yield tuple(
        AddRows(address, rows.by, batch) for batch in _batches(added, batch_size)
    )
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
    yield tuple(
        AssignSplits(address, rows.by, _by_split(batch))
        for batch in _batches(placed, batch_size)
    )
    ids = sorted(RemoteId(row.id) for row in rows.removed)
    yield tuple(RemoveRows(address, batch) for batch in _batches(ids, batch_size))


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
    # Three levels at most (see the picture), so no general sort is needed:
    # ontologies and datasets need nothing, models ontologies, runs the rest.
    return tuple(sorted(works, key=lambda work: (_level(work), work.address)))


def _level(work: Work) -> int:
    return _LEVELS.index(work.address.kind)

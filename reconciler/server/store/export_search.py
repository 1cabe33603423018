"""The clauses of an export's search become SQL."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, func, select

from reconciler.server.exporting.search import (
    Clause,
    During,
    Moment,
    Named,
    Naming,
    Standing,
    Workflow,
)
from reconciler.server.store.bulk import as_list, listed
from reconciler.server.store.queues import INITIAL, REVIEW, REWORK
from reconciler.server.store.tables import (
    batches,
    data_rows,
    datasets,
    labels,
    project_rows,
    task_queues,
)

_QUEUES: Final[Mapping[Workflow, str]] = {
    Workflow.TO_LABEL: INITIAL,
    Workflow.IN_REVIEW: REVIEW,
    Workflow.IN_REWORK: REWORK,
}
_WORKFLOWS: Final = {kind: workflow for workflow, kind in _QUEUES.items()}


ROWS: Final = frozenset({Naming.DATA_ROW_ID, Naming.GLOBAL_KEY})
"""Names of data rows themselves."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search finds, as conditions on data rows.

    Attributes:
        conditions: All of them hold.
        parameters: What they are bound to.
    """

    conditions: Sequence[ColumnElement[bool]]
    parameters: Mapping[str, str]


def workflow_of(queue_type: str | None) -> Workflow:
    """Say how far a row in a queue has come; without a queue it is done."""
    return Workflow.DONE if queue_type is None else _WORKFLOWS[queue_type]


def find(clauses: Sequence[Clause], project_pk: int | None) -> Found:
    """Turn clauses into conditions.

    Args:
        clauses: What must hold.
        project_pk: The project that is meant; None for any.
    """
    conditions: list[ColumnElement[bool]] = []
    parameters: dict[str, str] = {}
    for number, clause in enumerate(clauses):
        match clause:
            case Named():
                parameter = f"names_{number}"
                parameters[parameter] = as_list(clause.names)[0]
                conditions.append(_named(clause.naming, parameter, project_pk))
            case During(moment=Moment.ACTIVE):
                conditions.append(_between(last_activity(), clause))
            case During():
                labeled = _labels(project_pk, _between(labels.c.created_at, clause))
                conditions.append(labeled)
            case Standing():
                conditions.append(_standing(clause.workflow, project_pk))
    return Found(conditions, parameters)


def last_activity() -> ColumnElement[str]:
    """Say when something happened last to a row: to itself, or to a label of it."""
    latest = (
        select(func.coalesce(func.max(labels.c.updated_at), ""))
        .where(_of_row(labels))
        .correlate(data_rows)
        .scalar_subquery()
    )
    # Of two values, `max` is SQLite's word for the greater.
    return func.max(latest, data_rows.c.updated_at)


def absent(
    db: Connection, clauses: Sequence[Clause], project_pk: int | None
) -> Iterator[tuple[Naming, str]]:
    """List what clauses name and nothing has, in alphabetical order.

    Args:
        db: The transaction.
        clauses: What was searched for.
        project_pk: The project whose rows and batches count; None for all.

    Where datasets are named, only their rows count.
    """
    parameters: dict[str, str] = {}
    inside: list[ColumnElement[bool]] = []
    for number, one in enumerate(in_datasets(clauses)):
        parameters[f"datasets_{number}"] = as_list(one.names)[0]
        inside.append(_named(one.naming, f"datasets_{number}", project_pk))
    for clause in clauses:
        if isinstance(clause, Named):
            names = listed("names")
            known = _known(clause.naming, names.c.value, project_pk, inside)
            query = select(names.c.value).where(~known)
            given = {"names": as_list(clause.names)[0]}
            if clause.naming in ROWS:
                given |= parameters
            for name in db.execute(query, given).scalars():
                yield clause.naming, name


def in_datasets(clauses: Sequence[Clause]) -> list[Named]:
    """Give the clauses that name datasets."""
    return [
        one
        for one in clauses
        if isinstance(one, Named) and one.naming is Naming.DATASET
    ]


def _named(
    naming: Naming, parameter: str, project_pk: int | None
) -> ColumnElement[bool]:
    names = select(listed(parameter).c.value)
    match naming:
        case Naming.DATASET:
            chosen = select(datasets.c.pk).where(datasets.c.id.in_(names))
            return data_rows.c.dataset_pk.in_(chosen)
        case Naming.DATA_ROW_ID:
            return data_rows.c.id.in_(names)
        case Naming.GLOBAL_KEY:
            return data_rows.c.global_key.in_(names)
        case Naming.BATCH:
            chosen = select(batches.c.pk).where(batches.c.id.in_(names))
            rows = select(project_rows.c.row_pk).where(
                project_rows.c.batch_pk.in_(chosen), *_in_project(project_pk)
            )
            return data_rows.c.pk.in_(rows)


def _known(
    naming: Naming,
    name: ColumnElement[Any],
    project_pk: int | None,
    inside: Sequence[ColumnElement[bool]],
) -> ColumnElement[bool]:
    match naming:
        case Naming.DATASET:
            query = select(datasets.c.pk).where(
                datasets.c.id == name, datasets.c.deleted.is_(False)
            )
        case Naming.BATCH:
            query = select(batches.c.pk).where(batches.c.id == name)
            if project_pk is not None:
                query = query.where(batches.c.project_pk == project_pk)
        case _:
            by_id = naming is Naming.DATA_ROW_ID
            column = data_rows.c.id if by_id else data_rows.c.global_key
            query = select(data_rows.c.pk).where(column == name, *inside)
            if project_pk is not None:
                query = query.join(project_rows, _of_row(project_rows)).where(
                    *_in_project(project_pk)
                )
    return query.exists()


def _standing(workflow: Workflow, project_pk: int | None) -> ColumnElement[bool]:
    if workflow is Workflow.DONE:
        stands = project_rows.c.queue_pk.is_(None)
    else:
        queues = select(task_queues.c.pk).where(task_queues.c.type == _QUEUES[workflow])
        stands = project_rows.c.queue_pk.in_(queues)
    rows = select(project_rows.c.row_pk).where(stands, *_in_project(project_pk))
    return data_rows.c.pk.in_(rows)


def _labels(
    project_pk: int | None, condition: ColumnElement[bool]
) -> ColumnElement[bool]:
    rows = select(labels.c.row_pk).where(condition)
    if project_pk is not None:
        rows = rows.where(labels.c.project_pk == project_pk)
    return data_rows.c.pk.in_(rows)


def _between(column: ColumnElement[str], clause: During) -> ColumnElement[bool]:
    bounds = []
    if clause.first is not None:
        bounds.append(column >= clause.first)
    if clause.last is not None:
        bounds.append(column <= clause.last)
    return and_(*bounds)


def _in_project(project_pk: int | None) -> list[ColumnElement[bool]]:
    return [] if project_pk is None else [project_rows.c.project_pk == project_pk]


def _of_row(table: Any) -> ColumnElement[bool]:
    condition: ColumnElement[bool] = table.c.row_pk == data_rows.c.pk
    return condition

"""The steps of a project's workflow, and which rows wait in which.

A row waits in one queue; without a queue it is done.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    func,
    insert,
    select,
    update,
)

from reconciler.server.errors import bad_input, not_found
from reconciler.server.shapes import Selected
from reconciler.server.store.bulk import as_list, listed
from reconciler.server.store.database import Store
from reconciler.server.store.naming import Naming, numbers, strangers, unknown
from reconciler.server.store.tables import (
    batches,
    data_rows,
    labels,
    project_rows,
    task_queues,
)
from reconciler.server.store.views import Made, View, compile_view

INITIAL: Final = "INITIAL_LABELING_QUEUE"
REVIEW: Final = "MANUAL_REVIEW_QUEUE"
REWORK: Final = "MANUAL_REWORK_QUEUE"

QUEUES: Final = (
    (INITIAL, "Initial labeling task", "Rows to be labelled"),
    (REVIEW, "Initial review task", "Labelled rows to be reviewed"),
    (REWORK, "Rework (all rejected)", "Rejected rows to be labelled again"),
)
"""What every project has: type, name and description, in the order of the work."""


def create_queues(db: Connection, store: Store, project_pk: int) -> None:
    """Give a new project its queues."""
    ids = store.ids()
    db.execute(
        insert(task_queues),
        [
            {
                "id": next(ids),
                "project_pk": project_pk,
                "name": name,
                "description": description,
                "type": kind,
            }
            for kind, name, description in QUEUES
        ],
    )


def initial_queue(db: Connection, project_pk: int) -> int:
    """Find the queue that rows of a project begin in."""
    query = select(task_queues.c.pk).where(
        task_queues.c.project_pk == project_pk, task_queues.c.type == INITIAL
    )
    return int(db.execute(query).scalar_one())


def queue_number(db: Connection, project_pk: int, identifier: str) -> int:
    """Find the number of a queue of a project.

    Raises:
        ApiError: When the project has no such queue.
    """
    query = select(task_queues.c.pk).where(
        task_queues.c.project_pk == project_pk, task_queues.c.id == identifier
    )
    found = db.execute(query).scalar()
    if found is None:
        raise not_found("TaskQueue", identifier)
    return int(found)


def read_queues(db: Connection, selected: Selected, project_pk: int) -> list[Any]:
    """Read the queues of a project, as much as is selected of them."""
    assert selected.shape is not None

    def waiting(field: Selected, queue_pk: int) -> int:
        return _count(
            db,
            project_pk,
            _batches_of(field.args.get("input")),
            project_rows.c.queue_pk == queue_pk,
        )

    view: View = {
        "id": task_queues.c.id,
        "name": task_queues.c.name,
        "description": task_queues.c.description,
        "queueType": task_queues.c.type,
        "dataRowCount": Made((task_queues.c.pk,), waiting, shaped=True),
    }
    columns, project = compile_view(view, selected.shape)
    query = (
        select(*columns, task_queues.c.pk)
        .where(task_queues.c.project_pk == project_pk)
        .order_by(task_queues.c.pk)
    )
    return project.page(db.execute(query).all())


def count_states(
    db: Connection, project_pk: int, batch_ids: Sequence[str] | None
) -> list[dict[str, Any]]:
    """Count the rows of a project by how far they are.

    Args:
        db: The transaction.
        project_pk: The project.
        batch_ids: Counts rows of these batches only, if given.
    """

    def count(*conditions: ColumnElement[bool]) -> int:
        return _count(db, project_pk, batch_ids, *conditions)

    def queued(kind: str) -> int:
        queue = select(task_queues.c.pk).where(
            task_queues.c.project_pk == project_pk, task_queues.c.type == kind
        )
        return count(project_rows.c.queue_pk == queue.scalar_subquery())

    counts = {
        "All": count(),
        "Unlabeled": queued(INITIAL),
        "Labeled": count(labelled()),
        "InReview": queued(REVIEW),
        "InRework": queued(REWORK),
        # Nobody skips rows here.
        "Skipped": 0,
        "Done": count(project_rows.c.queue_pk.is_(None)),
    }
    return [{"state": state, "count": found} for state, found in counts.items()]


def move_rows(
    db: Connection, project_pk: int, queue_pk: int | None, rows: Naming
) -> str | None:
    """Put rows of a project into a queue, or have them done where there is none.

    Answers why nothing was moved, or None.
    """
    inside = in_project(project_pk)
    if error := unknown(db, rows) or strangers(db, rows, inside, "the project"):
        return error
    for column, _, text, _ in rows.columns():
        db.execute(
            update(project_rows)
            .where(
                project_rows.c.project_pk == project_pk,
                project_rows.c.row_pk.in_(numbers(column)),
            )
            .values(queue_pk=queue_pk),
            {"names": text},
        )
    return None


def in_project(project_pk: int) -> ColumnElement[bool]:
    """Make the condition that a data row is in a project."""
    return (
        select(project_rows.c.row_pk)
        .where(
            project_rows.c.project_pk == project_pk,
            project_rows.c.row_pk == data_rows.c.pk,
        )
        .correlate(data_rows)
        .exists()
    )


def labelled() -> ColumnElement[bool]:
    """Make the condition that a row of a project has a label there."""
    return (
        select(1)
        .where(
            labels.c.project_pk == project_rows.c.project_pk,
            labels.c.row_pk == project_rows.c.row_pk,
        )
        .correlate(project_rows)
        .exists()
    )


def _count(
    db: Connection,
    project_pk: int,
    batch_ids: Sequence[str] | None,
    *conditions: ColumnElement[bool],
) -> int:
    query = (
        select(func.count())
        .select_from(project_rows)
        .where(project_rows.c.project_pk == project_pk, *conditions)
    )
    if batch_ids is None:
        return int(db.execute(query).scalar_one())
    names = listed("names")
    chosen = select(batches.c.pk).join_from(
        names, batches, batches.c.id == names.c.value
    )
    narrowed = query.where(project_rows.c.batch_pk.in_(chosen))
    return int(db.execute(narrowed, {"names": as_list(batch_ids)[0]}).scalar_one())


def _batches_of(asked: Mapping[str, Any] | None) -> Sequence[str] | None:
    search = (asked or {}).get("searchQuery")
    clauses = search.get("query") if isinstance(search, dict) else None
    if not clauses:
        return None
    match clauses:
        case [{"type": "batch", "operator": "is", "ids": list(ids)}] if all(
            isinstance(one, str) for one in ids
        ):
            return ids
        case _:
            raise bad_input(
                "rows of a queue are counted by one clause at most:"
                ' {"type": "batch", "operator": "is", "ids": [...]}'
            )

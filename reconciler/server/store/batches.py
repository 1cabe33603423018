"""Batches: data rows that come into a project together."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    Connection,
    Select,
    delete,
    func,
    insert,
    literal,
    select,
)

from reconciler.server.errors import ApiError, Code, not_found, over_quota
from reconciler.server.shapes import Cut, Selected, Shape, cut
from reconciler.server.store.bulk import as_numbers, insert_new, listed
from reconciler.server.store.database import Store
from reconciler.server.store.json_columns import as_json, as_text
from reconciler.server.store.names import check_name
from reconciler.server.store.naming import Naming
from reconciler.server.store.queues import in_project, initial_queue, labelled
from reconciler.server.store.tables import (
    batches,
    data_rows,
    labels,
    prelabels,
    project_rows,
)
from reconciler.server.store.views import Made, View, compile_view
from reconciler.server.store.where import cursor, length

VIEW: View = {
    "id": batches.c.id,
    "name": batches.c.name,
    "size": select(func.count())
    .where(project_rows.c.batch_pk == batches.c.pk)
    .correlate(batches)
    .scalar_subquery(),
    "consensusSettingsJson": Made((batches.c.consensus_settings,), as_json),
    "createdAt": batches.c.created_at,
    "updatedAt": batches.c.updated_at,
}


def create_batch(
    db: Connection,
    store: Store,
    project_pk: int,
    name: str,
    *,
    consensus: object = None,
) -> tuple[int, str]:
    """Create an empty batch, and answer its number and its id.

    Raises:
        ApiError: When the name is empty, or the project has a batch of that name.
    """
    check_name("a batch", name)
    taken = select(batches.c.id).where(
        batches.c.project_pk == project_pk, batches.c.name == name
    )
    if db.execute(taken).first() is not None:
        raise ApiError(
            Code.RESOURCE_CONFLICT, f"the project has a batch named '{name}' already"
        )
    identifier, now = next(store.ids()), store.now()
    settings = None if consensus is None else as_text(consensus)
    number = db.execute(
        insert(batches)
        .values(
            id=identifier,
            project_pk=project_pk,
            name=name,
            consensus_settings=settings,
            created_at=now,
            updated_at=now,
        )
        .returning(batches.c.pk)
    ).scalar_one()
    return number, identifier


def rank(priority: int | None) -> int:
    """Give the priority of the rows of a batch that names none: the lowest."""
    return 5 if priority is None else priority


def batch_number(db: Connection, project_pk: int, identifier: str) -> int:
    """Find the number of a batch of a project.

    Raises:
        ApiError: When the project has no such batch.
    """
    query = select(batches.c.pk).where(
        batches.c.project_pk == project_pk, batches.c.id == identifier
    )
    found = db.execute(query).scalar()
    if found is None:
        raise not_found("Batch", identifier)
    return int(found)


def add_rows(
    db: Connection,
    project_pk: int,
    batch_pk: int,
    rows: Naming,
    *,
    priority: int | None,
    queue_pk: int | None,
    limit: int | None,
) -> list[str]:
    """Bring data rows into a batch; answers the ids of those it can't take.

    These were in the project before. A row is in a project once.

    Raises:
        ApiError: When the batch becomes too large.
    """
    names = listed("names")
    lists = [
        (names.join(data_rows, column == names.c.value), {"names": text})
        for column, _, text, _ in rows.columns()
    ]
    # All are looked for before any comes, for both lists may name one row.
    stayed: dict[str, None] = {}
    for named, given in lists:
        there = (
            select(data_rows.c.id)
            .select_from(named)
            .where(in_project(project_pk))
            .order_by(data_rows.c.pk)
        )
        stayed.update(dict.fromkeys(db.execute(there, given).scalars()))
    for named, given in lists:
        coming = (
            select(
                literal(project_pk),
                data_rows.c.pk,
                literal(batch_pk),
                literal(queue_pk),
                literal(rank(priority)),
            )
            .select_from(named)
            .where(literal(value=True))
        )
        columns = ["project_pk", "row_pk", "batch_pk", "queue_pk", "priority"]
        db.execute(insert_new(project_rows, columns, coming), given)
    check_size(db, batch_pk, limit)
    return list(stayed)


def check_size(db: Connection, batch_pk: int, limit: int | None) -> None:
    """Refuse a batch that is too large.

    Raises:
        ApiError: Naming the limit, and how much there is.
    """
    size = select(func.count()).where(project_rows.c.batch_pk == batch_pk)
    if limit is not None and (found := db.execute(size).scalar_one()) > limit:
        raise over_quota(
            f"a batch holds at most {limit} data rows; this one would hold {found}"
        )


def read_batch(db: Connection, shape: Shape, identifier: str) -> dict[str, Any]:
    """Read a batch.

    Raises:
        ApiError: When there is none.
    """
    columns, project = compile_view(VIEW, shape)
    query = select(*columns, batches.c.pk).where(batches.c.id == identifier)
    row = db.execute(query).first()
    if row is None:
        raise not_found("Batch", identifier)
    return project(row)


def page_of_batches(db: Connection, selected: Selected, project_pk: int) -> Any:
    """Read batches of a project, the oldest first, as far as they are selected."""
    shape, arguments = selected.shape, selected.args
    assert shape is not None
    columns, project = compile_view(VIEW, shape.inside("nodes"))
    size = length(arguments.get("first"))
    query = (
        select(*columns, batches.c.pk)
        .where(
            batches.c.project_pk == project_pk,
            batches.c.pk > (cursor(arguments.get("after")) or 0),
        )
        .order_by(batches.c.pk)
    )
    where: Mapping[str, Any] | None = arguments.get("where")
    if where:
        query = query.where(batches.c.id == where["id"])
    rows = db.execute(query.limit(size + 1)).all()
    end = str(rows[size - 1][-1]) if len(rows) > size > 0 else None
    nodes = Cut(project.page(rows[:size]))
    return cut({"nodes": nodes, "pageInfo": {"endCursor": end}}, shape)


def remove_queued(db: Connection, project_pk: int, batch_pk: int) -> None:
    """Take the rows of a batch out of the project that wait to be labelled."""
    waiting = select(project_rows.c.row_pk).where(
        project_rows.c.batch_pk == batch_pk,
        project_rows.c.queue_pk == initial_queue(db, project_pk),
        ~labelled(),
    )
    _leave(db, project_pk, db.execute(waiting).scalars().all())


def delete_batch(db: Connection, project_pk: int, batch_pk: int) -> None:
    """Delete a batch, and take its rows out of the project.

    Raises:
        ApiError: While rows of it have labels.
    """
    done = (
        select(func.count())
        .select_from(project_rows)
        .where(project_rows.c.batch_pk == batch_pk, labelled())
    )
    if found := db.execute(done).scalar_one():
        raise ApiError(
            Code.RESOURCE_CONFLICT,
            f"a batch with labels can't be deleted: {found} of its data rows have"
            " one; delete the labels of the batch first",
        )
    rows = select(project_rows.c.row_pk).where(project_rows.c.batch_pk == batch_pk)
    _leave(db, project_pk, db.execute(rows).scalars().all())
    db.execute(delete(batches).where(batches.c.pk == batch_pk))


def labels_of(batch_pk: int) -> Select[Any]:
    """Select the labels of a batch's rows."""
    return (
        select(labels.c.pk)
        .join_from(
            project_rows,
            labels,
            (labels.c.project_pk == project_rows.c.project_pk)
            & (labels.c.row_pk == project_rows.c.row_pk),
        )
        .where(project_rows.c.batch_pk == batch_pk)
    )


def _leave(db: Connection, project_pk: int, rows: Sequence[int]) -> None:
    numbers = listed("numbers")
    for table in (prelabels, project_rows):
        db.execute(
            delete(table).where(
                table.c.project_pk == project_pk,
                table.c.row_pk.in_(select(numbers.c.value)),
            ),
            {"numbers": as_numbers(rows)},
        )

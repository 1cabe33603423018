"""Data rows are sent to a project, with what is known of them elsewhere.

What comes along is read and translated first (`cargo`); writing it is short.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, and_, delete, select, update

from reconciler.server.clauses import Clause, DataRowId, GlobalKey
from reconciler.server.errors import ApiError
from reconciler.server.lines import Line, Merge, body_of, count_kept, line_of, uuid_of
from reconciler.server.store.batches import create_batch, rank
from reconciler.server.store.bulk import as_numbers, given, put_all
from reconciler.server.store.cargo import Cargo, Source, load_cargo
from reconciler.server.store.database import Store
from reconciler.server.store.experiments import run_number
from reconciler.server.store.labels import NewLabel, put_labels, touch
from reconciler.server.store.membership import in_run
from reconciler.server.store.naming import Naming, strangers, unknown
from reconciler.server.store.prelabels import put_prelabels
from reconciler.server.store.projects import project_number
from reconciler.server.store.queues import queue_number
from reconciler.server.store.searches import matching
from reconciler.server.store.tables import (
    data_rows,
    prelabels,
    project_rows,
    run_rows,
)
from reconciler.server.store.targets import project_target


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for.

    Attributes:
        project: Id of the project that rows go to.
        queue: Id of the queue there; None is done.
        batch_name: Name of the batch they come in; see `send`.
        priority: Of the batch.
        exclude: Leave out rows that the project has already.
        rows_per_batch: How many rows a batch may have.
    """

    project: str
    queue: str | None
    batch_name: str
    priority: int | None
    exclude: bool
    rows_per_batch: int | None


@dataclass(frozen=True, slots=True)
class Shipment:
    """What is about to be written.

    Attributes:
        order: What is asked for.
        rows: Ids of data rows by number.
        cargoes: Their annotations, by source.
    """

    order: Order
    rows: Mapping[int, str]
    cargoes: Sequence[Cargo]


def find_rows(
    db: Connection, clauses: Sequence[Clause], run_id: str | None, limit: int | None
) -> tuple[dict[int, str], str | None]:
    """Find the data rows that are to be sent, and which names are wrong.

    Answers ids by number.

    Args:
        db: The transaction.
        clauses: All of them hold.
        run_id: The run that the rows are in, if they must be in one.
        limit: The most to send.
    """
    run_pk = None if run_id is None else run_number(db, run_id)
    query = select(data_rows.c.pk, data_rows.c.id)
    if run_pk is not None:
        query = query.join_from(
            data_rows,
            run_rows,
            and_(run_rows.c.row_pk == data_rows.c.pk, run_rows.c.run_pk == run_pk),
        )
    condition = matching(clauses, in_run=run_pk is not None)
    found = db.execute(query.where(condition).order_by(data_rows.c.pk).limit(limit))
    wrong = [
        unknown(db, rows)
        or (run_pk and strangers(db, rows, in_run(run_pk), "the model run"))
        for rows in map(_naming, clauses)
        if rows
    ]
    return dict(found.all()), "; ".join(one for one in wrong if one) or None


def load(
    db: Connection, order: Order, sources: Iterable[Source], rows: Mapping[int, str]
) -> Shipment:
    """Read annotations of data rows, and make them what the project understands.

    Raises:
        ApiError: When a source or the project doesn't exist, or a mapping names
            what isn't in their ontologies.
    """
    done = order.queue is None
    cargoes = (
        load_cargo(db, source, list(rows), project=order.project, as_labels=done)
        for source in sources
    )
    return Shipment(order, rows, [one for one in cargoes if one is not None])


def is_current(db: Connection, shipment: Shipment) -> bool:
    """Tell whether the project is what annotations were made fit for."""
    if not shipment.cargoes:
        return True
    try:
        goal = project_target(db, shipment.order.project)
    except ApiError:
        return False
    return all(cargo.goal == goal for cargo in shipment.cargoes)


def send(db: Connection, store: Store, shipment: Shipment) -> dict[str, Any]:
    """Bring data rows into a project, and say what was done.

    New rows come in a batch of the given name; where they need several, the
    others are called `NAME_1`, `NAME_2`. Rows that were there go to the queue.
    Those that have been deleted since they were found are left out, and what was
    known of them.

    Raises:
        ApiError: When project or queue don't exist, or a batch has the name.
    """
    order, rows = shipment.order, shipment.rows
    project_pk = project_number(db, order.project)
    queue_pk = None
    if order.queue is not None:
        queue_pk = queue_number(db, project_pk, order.queue)
    # The store may have given out the number of a deleted row again.
    known = {pk for pk, identifier in _ids(db, rows) if rows[pk] == identifier}
    mine = project_rows.c.project_pk == project_pk
    there = _among(db, project_rows.c.row_pk, rows, mine)
    new = [pk for pk in rows if pk in known and pk not in there]
    old = [] if order.exclude else [pk for pk in rows if pk in known and pk in there]
    batch_ids = _fill_batches(
        db, store, order, new, project_pk=project_pk, queue_pk=queue_pk
    )
    chosen = project_rows.c.row_pk.in_(given(as_numbers(old)))
    db.execute(update(project_rows).where(mine, chosen).values(queue_pk=queue_pk))
    sent = {*new, *old}
    kept = 0
    for cargo in shipment.cargoes:
        lines = {pk: found for pk, found in cargo.lines.items() if pk in sent and found}
        write = _write_labels if queue_pk is None else _write_prelabels
        kept += write(db, store, project_pk, lines, cargo.merge)
    touch(db, store, project_pk)
    return {
        "batchIds": batch_ids,
        "dataRows": len(sent),
        "annotations": kept,
        "leftOut": sum(
            cargo.left_out
            + sum(len(found) for pk, found in cargo.lines.items() if pk not in known)
            for cargo in shipment.cargoes
        ),
    }


def _fill_batches(
    db: Connection,
    store: Store,
    order: Order,
    rows: Sequence[int],
    *,
    project_pk: int,
    queue_pk: int | None,
) -> list[str]:
    identifiers = []
    size = order.rows_per_batch or max(len(rows), 1)
    for number, start in enumerate(range(0, len(rows), size)):
        batch_pk, identifier = create_batch(
            db,
            store,
            project_pk,
            f"{order.batch_name}_{number}" if number else order.batch_name,
        )
        identifiers.append(identifier)
        priority = rank(order.priority)
        put_all(
            db,
            project_rows,
            (
                (project_pk, pk, batch_pk, queue_pk, priority)
                for pk in rows[start : start + size]
            ),
        )
    return identifiers


def _naming(clause: Clause) -> Naming:
    match clause:
        case DataRowId(ids=ids):
            return Naming(ids, ())
        case GlobalKey(ids=keys):
            return Naming((), keys)
        case _:
            return Naming((), ())


def _write_labels(
    db: Connection,
    store: Store,
    project_pk: int,
    lines: Mapping[int, Sequence[Line]],
    merge: Merge,
) -> int:
    new = [
        NewLabel(row_pk, [body_of(one).encode() for one in found], benchmark=False)
        for row_pk, found in lines.items()
    ]
    return put_labels(db, store, project_pk, new, merge)


def _write_prelabels(
    db: Connection,
    _store: Store,
    project_pk: int,
    lines: Mapping[int, Sequence[Line]],
    merge: Merge,
) -> int:
    there = (
        prelabels.c.project_pk == project_pk,
        prelabels.c.row_pk.in_(given(as_numbers(lines))),
    )
    query = select(prelabels.c.row_pk, prelabels.c.uuid, prelabels.c.body)
    old: dict[int, list[Line]] = {}
    for row_pk, uuid, body in db.execute(query.where(*there)):
        old.setdefault(row_pk, []).append(line_of(body, uuid))
    db.execute(delete(prelabels).where(*there))
    merged = {pk: merge(old.get(pk, ()), found) for pk, found in lines.items()}
    put_prelabels(
        db,
        project_pk,
        (
            (row_pk, uuid_of(one), body_of(one))
            for row_pk, kept in merged.items()
            for one in kept
        ),
    )
    return sum(count_kept(found, merged[pk]) for pk, found in lines.items())


def _ids(db: Connection, rows: Iterable[int]) -> Iterable[tuple[int, str]]:
    query = select(data_rows.c.pk, data_rows.c.id).where(
        data_rows.c.pk.in_(given(as_numbers(rows)))
    )
    return ((pk, identifier) for pk, identifier in db.execute(query))


def _among(db: Connection, column: Any, rows: Iterable[int], *more: Any) -> set[int]:
    query: Select[Any] = select(column).where(
        column.in_(given(as_numbers(rows))), *more
    )
    return set(db.execute(query).scalars())

"""Slices: saved searches, evaluated whenever they are read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, delete, func, insert, select

from reconciler.server.clauses import Clause, read_clauses
from reconciler.server.errors import bad_input, not_found, over_quota
from reconciler.server.store.database import Store
from reconciler.server.store.names import check_name
from reconciler.server.store.searches import matching
from reconciler.server.store.tables import (
    data_rows,
    model_runs,
    models,
    ontologies,
    run_rows,
    slices,
)

NAME_LENGTH: Final = (3, 30)
"""How many characters the name of a slice has, at least and at most."""


@dataclass(frozen=True, slots=True)
class SavedSlice:
    """A slice as it is kept.

    Attributes:
        pk: Its number.
        model_pk: The model whose runs it searches; None for the catalog.
        clauses: What must hold.
        described: What the API says of it.
    """

    pk: int
    model_pk: int | None
    clauses: Sequence[Clause]
    described: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Identifiers:
    """A page of a slice.

    Attributes:
        total: How many rows the whole slice has; None past the first page.
        nodes: Ids and global keys.
        end: Number of the last row, where others follow.
    """

    total: int | None
    nodes: Sequence[dict[str, str | None]]
    end: int | None


def create_slice(
    db: Connection,
    store: Store,
    *,
    name: str,
    description: str | None,
    model: str | None,
    given: object,
    limit: int | None,
) -> SavedSlice:
    """Save a search.

    Args:
        db: The transaction.
        store: The store.
        name: Its name.
        description: What it is for.
        model: Id of the model whose runs it searches; None for the catalog.
        given: Its clauses, as JSON has them.
        limit: How many slices of the kind there may be.

    Raises:
        ApiError: When its name or filter can't be, there are enough slices, or
            there is no such model.
    """
    check_name("a slice", name)
    shortest, longest = NAME_LENGTH
    if not shortest <= len(name) <= longest:
        raise bad_input(
            f"the name of a slice has {shortest} to {longest} characters;"
            f" this one has {len(name)}"
        )
    read_clauses(given, of_run=model is not None)
    model_pk = None if model is None else _model(db, model)
    kind = slices.c.model_pk.is_(None) if model is None else slices.c.model_pk > 0
    count = select(func.count()).select_from(slices).where(kind)
    if limit is not None and (found := db.execute(count).scalar_one()) >= limit:
        where = "the catalog" if model is None else "models"
        raise over_quota(
            f"there are at most {limit} slices of {where}, and {found} now"
        )
    identifier, now = next(store.ids()), store.now()
    db.execute(
        insert(slices).values(
            id=identifier,
            model_pk=model_pk,
            name=name,
            description=description,
            filter=msgspec.json.encode(given).decode(),
            created_at=now,
            updated_at=now,
        )
    )
    return find_slice(db, identifier)


def find_slice(db: Connection, identifier: str) -> SavedSlice:
    """Look up a slice.

    Raises:
        ApiError: When there is none.
    """
    found = db.execute(select(slices).where(slices.c.id == identifier)).first()
    if found is None:
        raise not_found("Slice", identifier)
    return _saved(found)


def catalog_slices(db: Connection) -> list[SavedSlice]:
    """List the slices of the catalog, the newest first."""
    query = select(slices).where(slices.c.model_pk.is_(None))
    return [_saved(row) for row in db.execute(query.order_by(slices.c.pk.desc()))]


def delete_slice(db: Connection, identifier: str) -> None:
    """Forget a slice.

    Raises:
        ApiError: When there is none.
    """
    if not db.execute(delete(slices).where(slices.c.id == identifier)).rowcount:
        raise not_found("Slice", identifier)


def catalog_condition(db: Connection, identifier: str) -> ColumnElement[bool]:
    """Make the condition on `data_rows` that a slice of the catalog is.

    Raises:
        ApiError: When there is none, or it is of a model.
    """
    found = find_slice(db, identifier)
    if found.model_pk is not None:
        raise bad_input(
            f"the slice '{identifier}' is of a model; only a run of it has its rows"
        )
    return matching(found.clauses, in_run=False)


def page_of_catalog(
    db: Connection, identifier: str, *, after: int | None, size: int
) -> Identifiers:
    """Read rows of a slice of the catalog.

    Args:
        db: The transaction.
        identifier: The slice.
        after: Number of the last row of the page before.
        size: How many.

    Raises:
        ApiError: When there is no such slice.
    """
    condition = catalog_condition(db, identifier)
    query = select(data_rows.c.pk, data_rows.c.id, data_rows.c.global_key)
    return _page(db, query.where(condition), data_rows.c.pk, after, size)


def page_of_run(
    db: Connection, identifier: str, run_id: str, *, after: int | None, size: int
) -> Identifiers:
    """Read rows of a run that are in a slice of its model.

    Args:
        db: The transaction.
        identifier: The slice.
        run_id: The run.
        after: Number of the last row of the page before.
        size: How many.

    Raises:
        ApiError: When there is no such slice or run, or they don't belong together.
    """
    found = find_slice(db, identifier)
    if found.model_pk is None:
        raise bad_input(
            f"the slice '{identifier}' is of the catalog; a run has none of its rows"
        )
    query = select(model_runs.c.pk, model_runs.c.model_pk).where(
        model_runs.c.id == run_id
    )
    run = db.execute(query).first()
    if run is None:
        raise not_found("ModelRun", run_id)
    run_pk, model_pk = run
    if model_pk != found.model_pk:
        raise bad_input(
            f"the slice '{identifier}' is of another model than the run '{run_id}'"
        )
    condition = matching(
        found.clauses,
        in_run=True,
        features=lambda name: _schemas(db, model_pk, name),
    )
    rows = (
        select(run_rows.c.row_pk, data_rows.c.id, data_rows.c.global_key)
        .select_from(run_rows)
        .join(data_rows, run_rows.c.row_pk == data_rows.c.pk)
        .where(run_rows.c.run_pk == run_pk, condition)
    )
    return _page(db, rows, run_rows.c.row_pk, after, size)


def number_of(db: Connection, row_id: str) -> int:
    """Find the number of the data row that a page has ended with.

    Raises:
        ApiError: When it is gone, and nobody knows where it was.
    """
    query = select(data_rows.c.pk).where(data_rows.c.id == row_id)
    found = db.execute(query).scalar()
    if found is None:
        raise bad_input(
            f"the cursor names the data row '{row_id}', which is gone;"
            " read the slice from its start"
        )
    return int(found)


def _page(
    db: Connection,
    query: Select[Any],
    number: ColumnElement[int],
    after: int | None,
    size: int,
) -> Identifiers:
    total = None
    if after is None:
        total = db.execute(select(func.count()).select_from(query.subquery())).scalar()
    rows = db.execute(
        query.where(number > (after or 0)).order_by(number).limit(size + 1)
    ).all()
    return Identifiers(
        total,
        [{"id": id_, "globalKey": key} for _, id_, key in rows[:size]],
        rows[size - 1][0] if len(rows) > size > 0 else None,
    )


def _model(db: Connection, identifier: str) -> int:
    query = select(models.c.pk).where(models.c.id == identifier)
    found = db.execute(query).scalar()
    if found is None:
        raise not_found("Model", identifier)
    return int(found)


def _schemas(db: Connection, model_pk: int, name: str) -> list[str]:
    query = (
        select(ontologies.c.normalized)
        .join(models, models.c.ontology_pk == ontologies.c.pk)
        .where(models.c.pk == model_pk)
    )
    normalized = msgspec.json.decode(db.execute(query).scalar_one())
    return [
        node[key]
        for kind in ("tools", "classifications")
        for node in normalized.get(kind, ())
        if name in {node.get("name"), node.get("instructions")}
        for key in ("featureSchemaId", "schemaNodeId")
        if node.get(key)
    ]


def _saved(row: Any) -> SavedSlice:
    given = msgspec.json.decode(row.filter)
    return SavedSlice(
        row.pk,
        row.model_pk,
        read_clauses(given, of_run=row.model_pk is not None),
        {
            "id": row.id,
            "name": row.name,
            "description": row.description,
            "filter": given,
            "createdAt": row.created_at,
            "updatedAt": row.updated_at,
        },
    )

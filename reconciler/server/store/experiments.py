"""Models and their runs in the store."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    delete,
    func,
    insert,
    select,
    update,
)

from reconciler.server.errors import ApiError, Code, not_found, over_quota
from reconciler.server.shapes import Cut, Shape
from reconciler.server.store.contents import forget_unused
from reconciler.server.store.database import Store
from reconciler.server.store.ids import new_uuid
from reconciler.server.store.json_columns import as_json, as_text
from reconciler.server.store.names import check_name
from reconciler.server.store.tables import (
    labels,
    model_runs,
    models,
    ontologies,
    run_rows,
)
from reconciler.server.store.views import Made, View, compile_view
from reconciler.server.store.where import condition, page

RUN_VIEW: View = {
    "id": model_runs.c.id,
    "name": model_runs.c.name,
    "trainingMetadata": Made((model_runs.c.config,), as_json),
    "modelId": models.c.id,
    "modelAppId": Made((), lambda: None),
    "createdBy": model_runs.c.created_by,
    "createdAt": model_runs.c.created_at,
    "updatedAt": model_runs.c.updated_at,
}
_RUN_COLUMNS = {
    "id": model_runs.c.id,
    "name": model_runs.c.name,
    "modelId": models.c.id,
    "createdBy": model_runs.c.created_by,
    "createdAt": model_runs.c.created_at,
    "updatedAt": model_runs.c.updated_at,
}
_MODEL_COLUMNS = {
    "id": models.c.id,
    "name": models.c.name,
    "ontologyId": ontologies.c.id,
}


def list_models(
    db: Connection,
    where: Mapping[str, Any] | None,
    *,
    skip: int | None,
    first: int | None,
) -> list[dict[str, Any]]:
    """List models, the newest first."""
    query = (
        select(models.c.id, models.c.name, ontologies.c.id)
        .join(ontologies, models.c.ontology_pk == ontologies.c.pk)
        .where(condition(where, _MODEL_COLUMNS))
        .order_by(models.c.pk.desc())
    )
    return [
        {"id": id_, "name": name, "ontologyId": ontology}
        for id_, name, ontology in db.execute(page(query, skip=skip, first=first))
    ]


def read_model(db: Connection, identifier: str) -> dict[str, Any]:
    """Read a model.

    Raises:
        ApiError: When there is none.
    """
    found = list_models(db, {"id": identifier}, skip=0, first=1)
    if not found:
        raise not_found("Model", identifier)
    return found[0]


def create_model(db: Connection, store: Store, name: str, ontology: str) -> str:
    """Create a model and answer its id.

    Raises:
        ApiError: When its name is empty, or there is no such ontology.
    """
    check_name("a model", name)
    owner = db.execute(
        select(ontologies.c.pk).where(ontologies.c.id == ontology)
    ).scalar()
    if owner is None:
        raise not_found("Ontology", ontology)
    identifier = new_uuid()
    db.execute(
        insert(models).values(
            id=identifier, name=name, ontology_pk=owner, created_at=store.now()
        )
    )
    return identifier


def list_runs(
    db: Connection,
    shape: Shape,
    model: str,
    where: Mapping[str, Any] | None,
    *,
    order: str | None,
    skip: int | None,
    first: int | None,
) -> Cut:
    """List the runs of a model, the newest first unless ordered otherwise."""
    columns, project = compile_view(RUN_VIEW, shape)
    newest = model_runs.c.pk.desc()
    if order is None:
        ranks = [newest]
    else:
        name, _, direction = order.rpartition("_")
        column = _RUN_COLUMNS[name]
        ranks = [column.asc() if direction == "ASC" else column.desc(), newest]
    query = (
        select(*columns, model_runs.c.pk)
        .select_from(model_runs)
        .join(models, model_runs.c.model_pk == models.c.pk)
        .where(models.c.id == model, condition(where, _RUN_COLUMNS))
        .order_by(*ranks)
    )
    rows = db.execute(page(query, skip=skip, first=first))
    return Cut(project.page(rows.all()))


def read_run(db: Connection, shape: Shape, identifier: str) -> Cut:
    """Read a run.

    Raises:
        ApiError: When there is none.
    """
    columns, project = compile_view(RUN_VIEW, shape)
    row = db.execute(
        select(*columns, model_runs.c.pk)
        .select_from(model_runs)
        .join(models, model_runs.c.model_pk == models.c.pk)
        .where(model_runs.c.id == identifier)
    ).first()
    if row is None:
        raise not_found("ModelRun", identifier)
    return Cut(project(row))


def run_number(db: Connection, identifier: str) -> int:
    """Find the number of a run.

    Raises:
        ApiError: When there is none.
    """
    found = db.execute(
        select(model_runs.c.pk).where(model_runs.c.id == identifier)
    ).scalar()
    if found is None:
        raise not_found("ModelRun", identifier)
    return int(found)


def create_run(
    db: Connection,
    store: Store,
    *,
    model: str,
    name: str,
    config: object,
    unique: bool,
    limit: int | None,
) -> str:
    """Create a run and answer its id.

    Args:
        db: The transaction.
        store: The store.
        model: Id of its model.
        name: Its name.
        config: Its config, if it has one.
        unique: Whether the model may have no other run of that name.
        limit: How many runs a model may have.

    Raises:
        ApiError: When there is no such model, its name is empty or taken, or the
            model has enough of them.
    """
    check_name("a run", name)
    owner = db.execute(select(models.c.pk).where(models.c.id == model)).scalar()
    if owner is None:
        raise not_found("Model", model)
    if unique:
        taken = select(model_runs.c.pk).where(
            model_runs.c.model_pk == owner, model_runs.c.name == name
        )
        if db.execute(taken).first() is not None:
            raise ApiError(
                Code.RESOURCE_CONFLICT, f"the model has a run named '{name}' already"
            )
    count = select(func.count()).where(model_runs.c.model_pk == owner)
    if limit is not None and (found := db.execute(count).scalar_one()) >= limit:
        raise over_quota(f"a model holds at most {limit} runs; this one holds {found}")
    identifier, now = new_uuid(), store.now()
    db.execute(
        insert(model_runs).values(
            id=identifier,
            model_pk=owner,
            name=name,
            config=_text(config),
            created_by=store.identity.user,
            created_at=now,
            updated_at=now,
        )
    )
    return identifier


def set_config(db: Connection, store: Store, identifier: str, config: object) -> None:
    """Replace the config of a run; None takes it away.

    Raises:
        ApiError: When there is no such run.
    """
    changed = db.execute(
        update(model_runs)
        .where(model_runs.c.id == identifier)
        .values(config=_text(config), updated_at=store.now())
    )
    if not changed.rowcount:
        raise not_found("ModelRun", identifier)


def delete_runs(db: Connection, identifiers: Sequence[str]) -> None:
    """Delete runs with all that is in them: all of these, or none.

    Raises:
        ApiError: When one of them doesn't exist.
    """
    for identifier in dict.fromkeys(identifiers):
        contents = _contents(db, model_runs.c.id == identifier)
        if not db.execute(
            delete(model_runs).where(model_runs.c.id == identifier)
        ).rowcount:
            raise not_found("ModelRun", identifier)
        forget_unused(db, contents)


def delete_models(db: Connection, identifiers: Sequence[str]) -> None:
    """Delete models with their runs: all of these, or none.

    Raises:
        ApiError: When one of them doesn't exist.
    """
    for identifier in dict.fromkeys(identifiers):
        contents = _contents(db, models.c.id == identifier)
        if not db.execute(delete(models).where(models.c.id == identifier)).rowcount:
            raise not_found("Model", identifier)
        forget_unused(db, contents)


def _contents(db: Connection, chosen: ColumnElement[bool]) -> Sequence[int]:
    runs = select(model_runs.c.pk).join(models).where(chosen)
    query = select(run_rows.c.content_pk).where(
        run_rows.c.run_pk.in_(runs),
        run_rows.c.content_pk.is_not(None),
        # What a label says stays anyway.
        ~select(1).where(labels.c.content_pk == run_rows.c.content_pk).exists(),
    )
    return db.execute(query).scalars().all()


def _text(config: object) -> str | None:
    return None if config is None else as_text(config)

"""Ontologies in the store."""

from typing import Any

import msgspec
from sqlalchemy import Connection, delete, insert, select

from reconciler.server.errors import ApiError, Code, not_found
from reconciler.server.shapes import Cut, Shape
from reconciler.server.store import feature_schemas as feature_store
from reconciler.server.store.database import Store
from reconciler.server.store.names import check_name
from reconciler.server.store.tables import (
    label_contents,
    models,
    ontologies,
    projects,
)
from reconciler.server.store.views import Made, View, compile_view

VIEW: View = {
    "id": ontologies.c.id,
    "name": ontologies.c.name,
    "description": ontologies.c.description,
    "mediaType": ontologies.c.media_type,
    "normalized": Made(
        (ontologies.c.normalized,), lambda text: msgspec.Raw(text.encode())
    ),
    "objectSchemaCount": ontologies.c.object_count,
    "classificationSchemaCount": ontologies.c.classification_count,
    "createdAt": ontologies.c.created_at,
    "updatedAt": ontologies.c.updated_at,
}


def create_ontology(
    db: Connection,
    store: Store,
    *,
    name: str,
    description: str | None,
    media_type: str | None,
    normalized: dict[str, Any],
) -> str:
    """Create an ontology, its schema nodes named already, and answer its id.

    Raises:
        ApiError: When its name is empty.
    """
    check_name("an ontology", name)
    identifier, now = next(store.ids()), store.now()
    db.execute(
        insert(ontologies).values(
            id=identifier,
            name=name,
            description=description,
            media_type=media_type,
            normalized=msgspec.json.encode(normalized).decode(),
            object_count=len(normalized["tools"]),
            classification_count=len(normalized["classifications"]),
            created_at=now,
            updated_at=now,
        )
    )
    roots = [*normalized["tools"], *normalized["classifications"]]
    feature_store.add_missing(db, store, roots)
    return identifier


def read_ontology(db: Connection, shape: Shape, identifier: str) -> Cut:
    """Read an ontology.

    Raises:
        ApiError: When there is none.
    """
    columns, project = compile_view(VIEW, shape)
    row = db.execute(
        select(*columns, ontologies.c.pk).where(ontologies.c.id == identifier)
    ).first()
    if row is None:
        raise not_found("Ontology", identifier)
    return Cut(project(row))


def read_schema(db: Connection, identifier: str) -> dict[str, Any]:
    """Read what an ontology is made of.

    Raises:
        ApiError: When there is none.
    """
    text = db.execute(
        select(ontologies.c.normalized).where(ontologies.c.id == identifier)
    ).scalar()
    if text is None:
        raise not_found("Ontology", identifier)
    schema: dict[str, Any] = msgspec.json.decode(text)
    return schema


def delete_unused(db: Connection, identifier: str) -> None:
    """Delete an ontology; its feature schemas stay.

    Raises:
        ApiError: When there is none, or a model or a project has it, or labels
            were made with it.
    """
    pk = db.execute(
        select(ontologies.c.pk).where(ontologies.c.id == identifier)
    ).scalar()
    if pk is None:
        raise not_found("Ontology", identifier)
    for kind, table in (("model", models), ("project", projects)):
        name = db.execute(
            select(table.c.name).where(table.c.ontology_pk == pk).limit(1)
        ).scalar()
        if name is not None:
            raise ApiError(
                Code.RESOURCE_CONFLICT, f"the ontology is used by the {kind} '{name}'"
            )
    said = select(label_contents.c.pk).where(label_contents.c.ontology_pk == pk)
    if db.execute(said.limit(1)).first() is not None:
        raise ApiError(
            Code.RESOURCE_CONFLICT, "the ontology is used by labels made with it"
        )
    db.execute(delete(ontologies).where(ontologies.c.pk == pk))

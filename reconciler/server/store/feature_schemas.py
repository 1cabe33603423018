"""Root schema nodes in the store: tools and classifications, known by their feature."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects.sqlite import insert

from reconciler.server.errors import ApiError, Code, not_found
from reconciler.server.normalized import title
from reconciler.server.shapes import Cut, Shape
from reconciler.server.store.database import Store
from reconciler.server.store.tables import feature_schemas, ontologies
from reconciler.server.store.views import Made, View, compile_view

VIEW: View = {
    "id": feature_schemas.c.id,
    "name": feature_schemas.c.name,
    "normalized": Made(
        (feature_schemas.c.normalized,), lambda text: msgspec.Raw(text.encode())
    ),
}


def add_missing(
    db: Connection, store: Store, nodes: Sequence[Mapping[str, Any]]
) -> None:
    """Keep the nodes of an ontology that weren't there before."""
    if nodes:
        statement = insert(feature_schemas).on_conflict_do_nothing()
        db.execute(statement, [_row(store, node) for node in nodes])


def upsert_node(db: Connection, store: Store, node: Mapping[str, Any]) -> str:
    """Create a node, or give it a new state, and answer the id of its feature.

    Ontologies that were made with its old state keep that.
    """
    row = _row(store, node)
    changes = {name: row[name] for name in ("name", "normalized", "updated_at")}
    db.execute(
        insert(feature_schemas)
        .values(**row)
        .on_conflict_do_update(index_elements=["feature_schema_id"], set_=changes)
    )
    identifier: str = row["feature_schema_id"]
    return identifier


def read_node(db: Connection, shape: Shape, feature: str) -> Cut:
    """Read a node by the id of its feature.

    Raises:
        ApiError: When there is none.
    """
    columns, project = compile_view(VIEW, shape)
    row = db.execute(
        select(*columns, feature_schemas.c.pk).where(
            feature_schemas.c.feature_schema_id == feature
        )
    ).first()
    if row is None:
        raise not_found("FeatureSchema", feature)
    return Cut(project(row))


def delete_unused(db: Connection, feature: str) -> None:
    """Delete a node by the id of its feature.

    Raises:
        ApiError: When there is none, or an ontology has it.
    """
    owner = db.execute(
        select(ontologies.c.name)
        .where(func.instr(ontologies.c.normalized, f'"{feature}"') > 0)
        .limit(1)
    ).scalar()
    if owner is not None:
        raise ApiError(
            Code.RESOURCE_CONFLICT,
            f"the feature schema is used by the ontology '{owner}'",
        )
    gone = db.execute(
        delete(feature_schemas).where(feature_schemas.c.feature_schema_id == feature)
    )
    if not gone.rowcount:
        raise not_found("FeatureSchema", feature)


def _row(store: Store, node: Mapping[str, Any]) -> dict[str, Any]:
    now = store.now()
    return {
        "id": node["schemaNodeId"],
        "feature_schema_id": node["featureSchemaId"],
        "name": title(node),
        "normalized": msgspec.json.encode(node).decode(),
        "created_at": now,
        "updated_at": now,
    }

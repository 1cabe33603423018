"""Ontologies, and the features that they are made of."""

from collections.abc import Mapping
from typing import Any, Final

from reconciler.server.execution import Info, Resolvers, shape_of
from reconciler.server.normalized import name_node, name_nodes
from reconciler.server.request import request_of
from reconciler.server.shapes import Cut
from reconciler.server.store import feature_schemas as feature_store
from reconciler.server.store import ontologies as store
from reconciler.server.store.by_name import page_by_name
from reconciler.server.store.tables import feature_schemas, ontologies


def upsert_ontology(_: object, info: Info, *, data: Mapping[str, Any]) -> Cut:
    request = request_of(info)
    normalized = name_nodes(data["normalized"], request.store.ids())
    with request.store.write() as db:
        identifier = store.create_ontology(
            db,
            request.store,
            name=data["name"],
            description=data.get("description"),
            media_type=data.get("mediaType"),
            normalized=normalized,
        )
        return store.read_ontology(db, shape_of(info), identifier)


def ontology(_: object, info: Info, *, where: Mapping[str, str]) -> Cut:
    with request_of(info).store.read() as db:
        return store.read_ontology(db, shape_of(info), where["id"])


def list_ontologies(
    _: object,
    info: Info,
    *,
    where: Mapping[str, Any] | None = None,
    after: str | None = None,
    first: int | None = None,
) -> dict[str, Any]:
    with request_of(info).store.read() as db:
        nodes, end = page_by_name(
            db,
            ontologies,
            store.VIEW,
            shape_of(info).inside("nodes"),
            search=(where or {}).get("search"),
            after=after,
            first=first,
        )
    return {"nodes": nodes, "nextCursor": end}


def upsert_node(_: object, info: Info, *, data: Mapping[str, str]) -> Cut:
    request = request_of(info)
    node = name_node(data["normalized"], request.store.ids())
    with request.store.write() as db:
        feature = feature_store.upsert_node(db, request.store, node)
        return feature_store.read_node(db, shape_of(info), feature)


def node(_: object, info: Info, *, where: Mapping[str, str]) -> Cut:
    with request_of(info).store.read() as db:
        return feature_store.read_node(db, shape_of(info), where["featureSchemaId"])


def list_nodes(
    _: object,
    info: Info,
    *,
    where: Mapping[str, Any] | None = None,
    after: str | None = None,
    first: int | None = None,
) -> dict[str, Any]:
    with request_of(info).store.read() as db:
        nodes, end = page_by_name(
            db,
            feature_schemas,
            feature_store.VIEW,
            shape_of(info).inside("nodes"),
            search=(where or {}).get("search"),
            after=after,
            first=first,
        )
    return {"nodes": nodes, "nextCursor": end}


RESOLVERS: Final[Resolvers] = {
    ("Query", "ontology"): ontology,
    ("Query", "ontologies"): list_ontologies,
    ("Query", "rootSchemaNode"): node,
    ("Query", "rootSchemaNodes"): list_nodes,
    ("Mutation", "upsertOntology"): upsert_ontology,
    ("Mutation", "upsertRootSchemaNode"): upsert_node,
}

"""Ontologies, and the features that they are made of."""

from collections.abc import Mapping
from typing import Any, Final

from reconciler.server.execution import Info, Resolvers, shape_of
from reconciler.server.normalized import name_nodes
from reconciler.server.request import request_of
from reconciler.server.shapes import Cut
from reconciler.server.store import ontologies as store


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
        nodes, end = store.page_of_ontologies(
            db,
            shape_of(info).inside("nodes"),
            search=(where or {}).get("search"),
            after=after,
            first=first,
        )
    return {"nodes": nodes, "nextCursor": end}


RESOLVERS: Final[Resolvers] = {
    ("Query", "ontology"): ontology,
    ("Query", "ontologies"): list_ontologies,
    ("Mutation", "upsertOntology"): upsert_ontology,
}

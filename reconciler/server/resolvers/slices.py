"""Slices of models and of the catalog, and the rows in them."""

from collections.abc import Mapping
from typing import Any, Final

from reconciler.server.errors import bad_input
from reconciler.server.execution import Info, Resolvers
from reconciler.server.request import request_of
from reconciler.server.store import slices as store
from reconciler.server.store.where import cursor, length


def create_slice(_: object, info: Info, *, data: Mapping[str, Any]) -> dict[str, Any]:
    request = request_of(info)
    with request.store.write() as db:
        saved = store.create_slice(
            db,
            request.store,
            name=data["name"],
            description=data.get("description"),
            model=data.get("modelId"),
            given=data["filter"],
            limit=request.settings.limits.slices,
        )
    return saved.described


def delete_slice(_: object, info: Info, *, where: Mapping[str, str]) -> dict[str, str]:
    with request_of(info).store.write() as db:
        store.delete_slice(db, where["id"])
    return {"id": where["id"]}


def saved_query(_: object, info: Info, *, identifier: str) -> dict[str, Any]:
    with request_of(info).store.read() as db:
        return store.find_slice(db, identifier).described


def catalog_queries(_: object, info: Info) -> list[dict[str, Any]]:
    with request_of(info).store.read() as db:
        return [one.described for one in store.catalog_slices(db)]


def rows_of_catalog(
    _: object, info: Info, *, asked: Mapping[str, Any]
) -> dict[str, Any]:
    with request_of(info).store.read() as db:
        found = store.page_of_catalog(
            db,
            asked["savedQueryId"],
            after=cursor(asked.get("after")),
            size=length(asked["first"]),
        )
    end = None if found.end is None else str(found.end)
    return {
        "totalCount": found.total,
        "nodes": found.nodes,
        "pageInfo": {"endCursor": end, "hasNextPage": end is not None},
    }


def rows_of_run(_: object, info: Info, *, asked: Mapping[str, Any]) -> dict[str, Any]:
    run_id = asked.get("modelRunId")
    if run_id is None:
        raise bad_input("a slice of a model has rows in a run only; name a modelRunId")
    after = (asked.get("after") or {}).get("dataRowId")
    with request_of(info).store.read() as db:
        found = store.page_of_run(
            db,
            asked["savedQueryId"],
            run_id,
            after=None if after is None else store.number_of(db, after),
            size=length(asked["first"]),
        )
    # The whole cursor is null at the end: clients go on while there is an object.
    end = None
    if found.end is not None:
        last = found.nodes[-1]
        end = {"dataRowId": last["id"], "globalKey": last["globalKey"]}
    return {
        "totalCount": found.total,
        "nodes": found.nodes,
        "pageInfo": {"endCursor": end, "hasNextPage": end is not None},
    }


RESOLVERS: Final[Resolvers] = {
    ("Query", "getSavedQuery"): saved_query,
    ("Query", "catalogSavedQueries"): catalog_queries,
    ("Query", "getDataRowIdentifiersBySavedModelQuery"): rows_of_run,
    ("Query", "getDataRowIdentifiersBySavedQuery"): rows_of_catalog,
    ("Mutation", "createSlice"): create_slice,
    ("Mutation", "deleteSlice"): delete_slice,
}

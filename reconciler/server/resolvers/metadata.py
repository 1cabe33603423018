"""Metadata: which fields there are, and the values of data rows."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from reconciler.server.execution import Info, Resolvers
from reconciler.server.request import request_of
from reconciler.server.store import metadata as store
from reconciler.server.store import metadata_values as value_store


def fields(_: object, info: Info) -> list[dict[str, Any]]:
    with request_of(info).store.read() as db:
        return [store.describe(one) for one in store.read_schema(db).fields]


def upsert_field(_: object, info: Info, *, data: Mapping[str, Any]) -> dict[str, Any]:
    request = request_of(info)
    with request.store.write() as db:
        return store.describe(store.upsert_field(db, request.store, data))


def delete_field(
    _: object, info: Info, *, schema: Mapping[str, str]
) -> dict[str, bool]:
    with request_of(info).store.write() as db:
        store.delete_field(db, schema["id"])
    return {"success": True}


def values(
    _: object, info: Info, *, where: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    asked = (where or {}).get("dataRowIdentifiers") or {"ids": (), "idType": "ID"}
    with request_of(info).store.read() as db:
        return value_store.read_values(db, asked["ids"], asked["idType"])


def upsert_values(
    _: object, info: Info, *, data: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    request = request_of(info)
    with request.store.write() as db:
        return value_store.upsert_values(db, request.store, data)


def delete_values(
    _: object,
    info: Info,
    *,
    data_row_identifiers: Sequence[Mapping[str, Any]] | None = None,
) -> list[dict[str, Any]]:
    request = request_of(info)
    with request.store.write() as db:
        failed = value_store.delete_values(
            db, request.store, data_row_identifiers or ()
        )
    return [{"globalKey": None, **one} for one in failed]


RESOLVERS: Final[Resolvers] = {
    ("Query", "customMetadataOntology"): fields,
    ("Query", "dataRowCustomMetadata"): values,
    ("Mutation", "upsertCustomMetadataSchema"): upsert_field,
    ("Mutation", "deleteCustomMetadataSchema"): delete_field,
    ("Mutation", "upsertDataRowCustomMetadata"): upsert_values,
    ("Mutation", "deleteDataRowCustomMetadata"): delete_values,
}

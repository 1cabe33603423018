"""The few calls that clients make without GraphQL: ontologies, and what is unused.

Unlike the API proper, these calls tell how they ended by their HTTP status.
"""

import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final

from reconciler.server.errors import ApiError, Code
from reconciler.server.request import Request
from reconciler.server.store import feature_schemas as feature_store
from reconciler.server.store import ontologies as store

PREFIX: Final = "/api/v1/"

STATUSES: Final[Mapping[Code, HTTPStatus]] = {
    Code.AUTHENTICATION_ERROR: HTTPStatus.UNAUTHORIZED,
    Code.AUTHORIZATION_ERROR: HTTPStatus.FORBIDDEN,
    Code.RESOURCE_CONFLICT: HTTPStatus.CONFLICT,
    Code.RESOURCE_NOT_FOUND: HTTPStatus.NOT_FOUND,
    Code.SERVICE_UNAVAILABLE: HTTPStatus.TOO_MANY_REQUESTS,
}
"""How a refusal is told; every other one is a bad request."""

Answer = tuple[HTTPStatus, dict[str, Any] | None]
"""A status, and the body where there is one."""


def answer(request: Request, method: str, path: str) -> Answer:
    """Answer a call.

    Args:
        request: Its surroundings.
        method: The HTTP method.
        path: With the prefix.

    Raises:
        ApiError: When it is refused, or there is no such call.
    """
    for (known, pattern), call in CALLS.items():
        match = re.fullmatch(pattern, path.removeprefix(PREFIX))
        if match and known == method:
            return call(request, match[1])
    raise ApiError(Code.RESOURCE_NOT_FOUND, "there is nothing here")


def _read_ontology(request: Request, identifier: str) -> Answer:
    with request.store.read() as db:
        schema = store.read_schema(db, identifier)
    nodes = {
        member: [{**node, "archived": False} for node in schema.get(member, ())]
        for member in ("tools", "classifications", "relationships")
    }
    return HTTPStatus.OK, {"featureSchemaNodes": nodes}


def _delete_ontology(request: Request, identifier: str) -> Answer:
    with request.store.write() as db:
        store.delete_unused(db, identifier)
    return HTTPStatus.NO_CONTENT, None


def _delete_feature(request: Request, feature: str) -> Answer:
    with request.store.write() as db:
        feature_store.delete_unused(db, feature)
    return HTTPStatus.NO_CONTENT, None


CALLS: Final[Mapping[tuple[str, str], Callable[[Request, str], Answer]]] = {
    ("GET", r"ontologies/([^/]+)"): _read_ontology,
    ("DELETE", r"ontologies/([^/]+)"): _delete_ontology,
    ("DELETE", r"feature-schemas/([^/]+)"): _delete_feature,
}
"""By method and path, the prefix left out."""

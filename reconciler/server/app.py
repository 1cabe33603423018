"""HTTP requests become answers: the twin as a WSGI application.

Every refusal of the API is HTTP 200 with a code in its body, because clients
retry a 5xx for minutes and read the body of nothing else. Headers and body
leave in one piece.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import msgspec

from reconciler import api
from reconciler.server import rest
from reconciler.server.access import (
    Access,
    Keys,
    Organization,
    Organizations,
    RateExceeded,
    fingerprint,
)
from reconciler.server.errors import ApiError, Code, bad_input
from reconciler.server.execution import Api, Schemas, failure, problem
from reconciler.server.files import PIECE, Urls
from reconciler.server.multipart import read_multipart
from reconciler.server.request import Request
from reconciler.server.resolvers.table import RESOLVERS
from reconciler.server.settings import ServerSettings
from reconciler.server.store.database import Store, open_store
from reconciler.server.store.files import StoredFile, find_file
from reconciler.server.variant import build_schemas

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

GRAPHQL_PATHS: Final = frozenset({"/graphql", "/_gql"})
"""Where the API is; the second is where clients send what they call experimental."""

_HOST = re.compile(r"[A-Za-z0-9.\-_]+(:\d+)?|\[[0-9A-Fa-f:.]+\](:\d+)?")
_MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+(\s*;\s*[\w-]+=[\w.\"-]+)*", re.ASCII)


def make_app(
    store: Store, settings: ServerSettings, keys: Collection[str] | Mapping[str, Access]
) -> "App":
    """Make the application that serves a store; it may be called by many threads.

    Args:
        store: An open store; whoever opened it closes it.
        settings: The server's choices.
        keys: API keys that are let in, all of them as the store's one user unless
            they say what they open.

    Raises:
        ValueError: Without a key: nobody could get in; or when an organisation
            can't have its name.
    """
    known = keys if isinstance(keys, Mapping) else dict.fromkeys(keys, Access())
    return _assemble(store, settings, {fingerprint(key): known[key] for key in known})


def _assemble(store: Store, settings: ServerSettings, keys: Keys) -> "App":
    if not keys:
        msg = "a server needs at least one key"
        raise ValueError(msg)
    names = {one.organization for one in keys.values() if one.organization is not None}
    return App(
        settings=settings,
        keys=keys,
        api=Api(_schemas(), settings.limits),
        organizations=Organizations(store, settings, sorted(names)),
    )


@dataclass(frozen=True, slots=True)
class App:
    """The application: a WSGI callable that can be made again elsewhere.

    Attributes:
        settings: The server's choices.
        keys: What keys open.
        api: The schema with its resolvers.
        organizations: What it serves.
    """

    settings: ServerSettings
    keys: Keys
    api: Api
    organizations: Organizations

    def recipe(self) -> "Callable[[], App]":
        """Say how to make the same application in another process."""
        store = self.organizations.default.store
        return partial(_reopen, store.path, self.settings, self.keys)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "/")
        if path in GRAPHQL_PATHS and method == "POST":
            return self._graphql(environ, start_response)
        if path.startswith("/files/") and method in {"GET", "HEAD"}:
            return self._file(environ, start_response)
        if path.startswith(rest.PREFIX):
            return self._rest(environ, start_response)
        if path in GRAPHQL_PATHS:
            return _say(start_response, HTTPStatus.METHOD_NOT_ALLOWED, "use POST")
        return _say(start_response, HTTPStatus.NOT_FOUND, "there is nothing here")

    def _graphql(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        try:
            answer = self._answer(environ)
        except ApiError as error:
            answer = failure([problem(error.code, error.message)])
        except RateExceeded as exceeded:
            return _say_exceeded(start_response, exceeded)
        return _send(start_response, HTTPStatus.OK, msgspec.json.encode(answer))

    def _rest(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        try:
            access, organization = self._enter(environ)
            if method != "GET":
                access.allow([f"{method} {environ['PATH_INFO']}"], self.settings)
            request = self._request(environ, organization)
            status, body = rest.answer(request, method, environ["PATH_INFO"])
        except ApiError as error:
            status = rest.STATUSES.get(error.code, HTTPStatus.BAD_REQUEST)
            return _say(start_response, status, error.message)
        except RateExceeded as exceeded:
            return _say_exceeded(start_response, exceeded)
        return _send(
            start_response, status, b"" if body is None else msgspec.json.encode(body)
        )

    def _answer(self, environ: "WSGIEnvironment") -> dict[str, Any]:
        access, organization = self._enter(environ)
        body = self._body(environ)
        content_type = environ.get("CONTENT_TYPE", "")
        if content_type.startswith("multipart/form-data"):
            operation = read_multipart(body, content_type)
        else:
            operation = _read_json(body)
        query, variables = operation.get("query"), operation.get("variables")
        name = operation.get("operationName")
        if not isinstance(query, str):
            raise ApiError(Code.MALFORMED_REQUEST, "the request has no query")
        if not isinstance(variables, dict | None):
            raise ApiError(Code.MALFORMED_REQUEST, "variables must be an object")
        return self.api.execute(
            query,
            variables or {},
            operation=name if isinstance(name, str) else None,
            request=self._request(environ, organization),
            allow=partial(access.allow, settings=self.settings),
        )

    def _enter(self, environ: "WSGIEnvironment") -> tuple[Access, Organization]:
        scheme, _, key = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        access = self.keys.get(fingerprint(key.strip()))
        if scheme.lower() != "bearer" or access is None:
            raise ApiError(Code.AUTHENTICATION_ERROR, "Invalid API key")
        organization = self.organizations.named(access.organization)
        organization.quota.take()
        return access, organization

    def _request(
        self, environ: "WSGIEnvironment", organization: Organization
    ) -> Request:
        store = organization.store
        return Request(
            store, self.settings, self._urls(environ, store), organization.jobs
        )

    def _body(self, environ: "WSGIEnvironment") -> bytes:
        limit = self.settings.limits.request_bytes
        length = environ.get("CONTENT_LENGTH") or ""
        source: BinaryIO = environ["wsgi.input"]
        if length.isascii() and length.isdigit():
            # Not a byte more: some servers hand over the socket itself.
            body = source.read(int(length)) if int(length) <= limit else None
        else:
            body = source.read(limit + 1) if _is_chunked(environ) else b""
        if body is None or len(body) > limit:
            raise bad_input(f"the request is longer than {limit} bytes")
        return body

    def _urls(self, environ: "WSGIEnvironment", store: Store) -> Urls:
        host = environ.get("HTTP_HOST", "")
        if not _HOST.fullmatch(host):
            host = f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
        return Urls(
            base=f"{environ['wsgi.url_scheme']}://{host}",
            secret=store.identity.secret,
            expires=int(store.clock()) + self.settings.url_seconds,
        )

    def _file(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        url = f"{environ['PATH_INFO']}?{environ.get('QUERY_STRING', '')}"
        signed = self.organizations.signer(url)
        if signed is None:
            return _say(start_response, HTTPStatus.FORBIDDEN, "the URL is not ours")
        store, identifier, expires = signed
        if expires < store.clock():
            return _say(start_response, HTTPStatus.FORBIDDEN, "the URL has expired")
        with store.read() as db:
            found = find_file(db, identifier)
        if found is None:
            return _say(start_response, HTTPStatus.NOT_FOUND, "the file is gone")
        start_response("200 OK", _file_headers(found))
        if environ["REQUEST_METHOD"] == "HEAD":
            return []
        if found.size <= PIECE:
            return [store.files.path(found.sha256).read_bytes()]
        return _pieces(store.files.open(found.sha256))


@cache
def _schemas() -> Schemas:
    return build_schemas(api.SCHEMA, RESOLVERS)


def _reopen(path: Path, settings: ServerSettings, keys: Keys) -> App:
    return _assemble(open_store(path), settings, keys)


def _is_chunked(environ: "WSGIEnvironment") -> bool:
    return bool(environ.get("HTTP_TRANSFER_ENCODING"))


def _read_json(body: bytes) -> dict[str, Any]:
    try:
        operation = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        message = f"the request is not JSON: {error}"
        raise ApiError(Code.MALFORMED_REQUEST, message) from error
    except RecursionError as error:
        raise bad_input("the variables nest too deep") from error
    if not isinstance(operation, dict):
        raise ApiError(Code.MALFORMED_REQUEST, "the request must be an object")
    return operation


def _file_headers(found: StoredFile) -> list[tuple[str, str]]:
    known = _MEDIA_TYPE.fullmatch(found.content_type)
    return [
        ("Content-Type", found.content_type if known else "application/octet-stream"),
        ("Content-Length", str(found.size)),
        # Whatever was uploaded is shown, never run, in a browser.
        ("Content-Security-Policy", "sandbox"),
        ("X-Content-Type-Options", "nosniff"),
    ]


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while piece := file.read(PIECE):
            yield piece


def _say_exceeded(
    start_response: "StartResponse", exceeded: RateExceeded
) -> list[bytes]:
    message = (
        f"You have exceeded {exceeded.limit} requests a minute; "
        f"try again in {exceeded.seconds} s"
    )
    return _say(
        start_response,
        HTTPStatus.TOO_MANY_REQUESTS,
        message,
        ("Retry-After", str(exceeded.seconds)),
    )


def _say(
    start_response: "StartResponse",
    status: HTTPStatus,
    message: str,
    *more: tuple[str, str],
) -> list[bytes]:
    return _send(
        start_response, status, msgspec.json.encode({"message": message}), *more
    )


def _send(
    start_response: "StartResponse",
    status: HTTPStatus,
    body: bytes,
    *more: tuple[str, str],
) -> list[bytes]:
    headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        *more,
    ]
    start_response(f"{status.value} {status.phrase}", headers)
    return [body]

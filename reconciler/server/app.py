"""HTTP requests become answers: the twin as a WSGI application.

Every refusal of the API is HTTP 200 with a code in its body, because clients
retry a 5xx for minutes and read the body of nothing else. Headers and body
leave in one piece.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import msgspec

from reconciler import api
from reconciler.server.errors import ApiError, Code, bad_input
from reconciler.server.execution import Api, Schemas, build_schemas, failure, problem
from reconciler.server.files import PIECE, Urls, signed_file
from reconciler.server.jobs import Jobs
from reconciler.server.multipart import read_multipart
from reconciler.server.request import Request
from reconciler.server.resolvers.table import RESOLVERS
from reconciler.server.settings import ServerSettings
from reconciler.server.store.database import Store, open_store
from reconciler.server.store.files import StoredFile, find_file

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

GRAPHQL_PATHS: Final = frozenset({"/graphql", "/_gql"})
"""Where the API is; the second is where clients send what they call experimental."""

_HOST = re.compile(r"[A-Za-z0-9.\-_]+(:\d+)?|\[[0-9A-Fa-f:.]+\](:\d+)?")
_MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+(\s*;\s*[\w-]+=[\w.\"-]+)*", re.ASCII)


def make_app(store: Store, settings: ServerSettings, keys: frozenset[str]) -> "App":
    """Make the application that serves a store; it may be called by many threads.

    Args:
        store: An open store; whoever opened it closes it.
        settings: The server's choices.
        keys: API keys that are let in, all of them as the store's one user.

    Raises:
        ValueError: Without a key: nobody could get in.
    """
    if not keys:
        msg = "a server needs at least one key"
        raise ValueError(msg)
    return App(
        store=store,
        settings=settings,
        keys=keys,
        fingerprints=frozenset(_fingerprint(key) for key in keys),
        api=Api(
            _schemas(),
            max_bytes=settings.limits.document_bytes,
            max_depth=settings.limits.document_depth,
        ),
        jobs=Jobs(
            store.path.with_name(f"{store.path.name}.jobs"), settings.answer_seconds
        ),
    )


@dataclass(frozen=True, slots=True)
class App:
    """The application: a WSGI callable that can be made again elsewhere.

    Attributes:
        store: What it serves.
        settings: The server's choices.
        keys: API keys that are let in.
        fingerprints: Their hashes.
        api: The schema with its resolvers.
        jobs: What is worked on in the background.
    """

    store: Store
    settings: ServerSettings
    keys: frozenset[str]
    fingerprints: frozenset[bytes]
    api: Api
    jobs: Jobs

    def recipe(self) -> "Callable[[], App]":
        """Say how to make the same application in another process."""
        return partial(_reopen, self.store.path, self.settings, self.keys)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "/")
        if path in GRAPHQL_PATHS and method == "POST":
            return self._graphql(environ, start_response)
        if path.startswith("/files/") and method in {"GET", "HEAD"}:
            return self._file(environ, start_response)
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
        return _send(start_response, HTTPStatus.OK, msgspec.json.encode(answer))

    def _answer(self, environ: "WSGIEnvironment") -> dict[str, Any]:
        self._authenticate(environ.get("HTTP_AUTHORIZATION", ""))
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
            request=Request(self.store, self.settings, self._urls(environ), self.jobs),
        )

    def _authenticate(self, header: str) -> None:
        scheme, _, key = header.partition(" ")
        if (
            scheme.lower() != "bearer"
            or _fingerprint(key.strip()) not in self.fingerprints
        ):
            raise ApiError(Code.AUTHENTICATION_ERROR, "Invalid API key")

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

    def _urls(self, environ: "WSGIEnvironment") -> Urls:
        host = environ.get("HTTP_HOST", "")
        if not _HOST.fullmatch(host):
            host = f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
        return Urls(
            base=f"{environ['wsgi.url_scheme']}://{host}",
            secret=self.store.identity.secret,
            expires=int(self.store.clock()) + self.settings.url_seconds,
        )

    def _file(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        url = f"{environ['PATH_INFO']}?{environ.get('QUERY_STRING', '')}"
        signed = signed_file(url, self.store.identity.secret)
        if signed is None:
            return _say(start_response, HTTPStatus.FORBIDDEN, "the URL is not ours")
        identifier, expires = signed
        if expires < self.store.clock():
            return _say(start_response, HTTPStatus.FORBIDDEN, "the URL has expired")
        with self.store.read() as db:
            found = find_file(db, identifier)
        if found is None:
            return _say(start_response, HTTPStatus.NOT_FOUND, "the file is gone")
        start_response("200 OK", _file_headers(found))
        if environ["REQUEST_METHOD"] == "HEAD":
            return []
        if found.size <= PIECE:
            return [self.store.files.path(found.sha256).read_bytes()]
        return _pieces(self.store.files.open(found.sha256))


@cache
def _schemas() -> Schemas:
    return build_schemas(api.SCHEMA, RESOLVERS)


def _reopen(path: Path, settings: ServerSettings, keys: frozenset[str]) -> App:
    return make_app(open_store(path), settings, keys)


def _is_chunked(environ: "WSGIEnvironment") -> bool:
    return bool(environ.get("HTTP_TRANSFER_ENCODING"))


def _fingerprint(key: str) -> bytes:
    # Hashes are looked up, so that no comparison's time tells how much was right.
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()


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


def _say(
    start_response: "StartResponse", status: HTTPStatus, message: str
) -> list[bytes]:
    return _send(start_response, status, msgspec.json.encode({"message": message}))


def _send(
    start_response: "StartResponse", status: HTTPStatus, body: bytes
) -> list[bytes]:
    headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
    ]
    start_response(f"{status.value} {status.phrase}", headers)
    return [body]

"""HTTP requests become answers: the twin as a WSGI application.

Every refusal of the API is HTTP 200 with a code in its body, because clients
retry a 5xx for minutes and read the body of nothing else. Headers and body
leave in one piece.
"""

import logging
import os
import re
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final
from urllib.parse import quote

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
from reconciler.server.files import Pieces, Urls
from reconciler.server.multipart import read_multipart
from reconciler.server.replies import SOON, say, say_exceeded, send
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

WHOLE: Final = 16 * 1024 * 1024
"""Files up to so many bytes are handed over in one piece, so that no thread waits
for whoever reads them; chunks of exports are shorter."""

BUG: Final = "Internal server error"
GONE: Final = "the file is gone"

log = logging.getLogger("reconciler.server")

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
        streams=threading.BoundedSemaphore(max(1, settings.threads // 4)),
    )


@dataclass(frozen=True, slots=True)
class App:
    """The application: a WSGI callable that can be made again elsewhere.

    Attributes:
        settings: The server's choices.
        keys: What keys open.
        api: The schema with its resolvers.
        organizations: What it serves.
        streams: How many more large files may be read at once: a quarter of the
            threads, while another half may wait for jobs.
    """

    settings: ServerSettings
    keys: Keys
    api: Api
    organizations: Organizations
    streams: threading.Semaphore

    def recipe(self) -> "Callable[[], App]":
        """Say how to make the same application in another process."""
        store = self.organizations.default.store
        return partial(_reopen, store.path, self.settings, self.keys)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        try:
            return self._respond(environ, start_response)
        except Exception:
            # Nobody else would hear of it, and a 5xx would be asked for again.
            path = environ.get("PATH_INFO", "/")
            log.exception("a bug in the answer to %s", path)
            if path in GRAPHQL_PATHS:
                answer = failure([problem(Code.INTERNAL_SERVER_ERROR, BUG)])
                return send(start_response, HTTPStatus.OK, msgspec.json.encode(answer))
            if path.startswith("/files/"):
                return say(start_response, HTTPStatus.NOT_FOUND, GONE)
            return say(start_response, HTTPStatus.BAD_REQUEST, BUG)

    def _respond(
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
            return say(start_response, HTTPStatus.METHOD_NOT_ALLOWED, "use POST")
        return say(
            start_response,
            HTTPStatus.NOT_FOUND,
            "there is nothing here; the API is at /graphql",
        )

    def _graphql(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        try:
            answer = self._answer(environ)
        except ApiError as error:
            answer = failure([problem(error.code, error.message)])
        except RateExceeded as exceeded:
            return say_exceeded(start_response, exceeded)
        return send(start_response, HTTPStatus.OK, msgspec.json.encode(answer))

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
            more = [SOON] if status is HTTPStatus.TOO_MANY_REQUESTS else []
            return say(start_response, status, error.message, *more)
        except RateExceeded as exceeded:
            return say_exceeded(start_response, exceeded)
        return send(
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
        # Quoted again: the name at its end may hold a question mark.
        url = f"{quote(environ['PATH_INFO'])}?{environ.get('QUERY_STRING', '')}"
        signed = self.organizations.signer(url)
        if signed is None:
            return say(start_response, HTTPStatus.FORBIDDEN, "the URL is not ours")
        store, identifier, expires = signed
        if expires < store.clock():
            return say(start_response, HTTPStatus.FORBIDDEN, "the URL has expired")
        with store.read() as db:
            found = find_file(db, identifier)
        if found is None:
            return say(start_response, HTTPStatus.NOT_FOUND, GONE)
        headers = _file_headers(found)
        if environ["REQUEST_METHOD"] == "HEAD":
            start_response("200 OK", headers)
            return []
        return self._content(store.files.path(found.sha256), headers, start_response)

    def _content(
        self,
        path: Path,
        headers: list[tuple[str, str]],
        start_response: "StartResponse",
    ) -> Iterable[bytes]:
        try:
            file = path.open("rb")
        except FileNotFoundError:
            return say(start_response, HTTPStatus.NOT_FOUND, GONE)
        if os.fstat(file.fileno()).st_size <= WHOLE:
            with file:
                content = file.read()
            start_response("200 OK", headers)
            return [content]
        # A thread waits for whoever reads this, however slowly.
        if not self.streams.acquire(blocking=False):
            file.close()
            message = "too many large files are read at the moment; try again"
            return say(start_response, HTTPStatus.TOO_MANY_REQUESTS, message, SOON)
        start_response("200 OK", headers)
        return Pieces(file, self.streams.release)


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

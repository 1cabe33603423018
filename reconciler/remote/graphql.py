"""One request, one answer: documents out, typed data back.

The only module that knows httpx. The key leaves it in one header, to one
address: redirects are not followed with it, and files are fetched by a second
client that has never seen it. Errors of the library end here. They are turned
into our own outside of the handler that caught them, without the original
attached, because its frames hold the request with the key in its header.
"""

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from platform import python_version
from threading import Lock
from typing import TYPE_CHECKING, Final, Self, TypeVar, assert_never

import httpx
import msgspec

from reconciler import __version__
from reconciler.api.documents import Document, RequestClass
from reconciler.ports import (
    InDoubt,
    Malformed,
    RateLimited,
    RemoteError,
    Unavailable,
)
from reconciler.remote.answers import (
    Answered,
    Broken,
    Denied,
    Garbled,
    Limited,
    Reply,
    Result,
    Unsent,
    understand,
    understand_file,
)
from reconciler.remote.connection import ConnectionSettings, host_of
from reconciler.remote.limit import Limiter
from reconciler.remote.retry import (
    BROKEN,
    LIMITED,
    UNREACHABLE,
    Attempts,
    retry_after,
)
from reconciler.remote.timing import Timing

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

T = TypeVar("T")

THREADS: Final = 8
"""How many requests are in flight at most."""


class ReadOnlyError(AssertionError):
    """A bug: a client that may only read was given something to change."""


@dataclass(frozen=True, slots=True)
class _Ask:
    """A request that may be sent several times."""

    operation: str
    request: RequestClass
    changes: bool
    host: str
    client: httpx.Client
    limiter: Limiter
    build: Callable[[], httpx.Request]
    understand: Callable[[Reply], Result]


@dataclass(frozen=True, slots=True)
class _Delivered:
    """An answer, still as text."""

    data: msgspec.Raw
    request_id: str | None
    doubtful: bool


class GraphQLClient:
    """A connection to the API; safe to use from several threads.

    Args:
        settings: Where to, and with which key.
        read_only: Refuse all that changes the remote, save starting exports.
        transport: What carries requests in place of the network.
        timing: The clock, the sleep and the chance.
    """

    def __init__(
        self,
        settings: ConnectionSettings,
        *,
        read_only: bool = False,
        transport: httpx.BaseTransport | None = None,
        timing: Timing | None = None,
    ) -> None:
        self._settings = settings
        self._read_only = read_only
        self._transport = transport
        self._timing = timing or Timing()
        self._limiter = Limiter(settings.requests_per_minute, self._timing)
        self._files_limiter = Limiter(None, self._timing)
        # Reading all certificates takes 20 ms, which http needs none of.
        plain = settings.url.startswith("http://")
        self._http = self._client(
            trust=_no_trust() if plain else _trust(settings.ca_bundle),
            headers={
                "Authorization": settings.api_key.bearer(),
                "Accept": "application/json",
                "User-Agent": f"reconciler/{__version__}",
                "X-User-Agent": f"reconciler {__version__}",
                "X-Python-Version": python_version(),
            },
            follow_redirects=False,
        )
        self._files: httpx.Client | None = None
        self._files_lock = Lock()

    @property
    def timing(self) -> Timing:
        """The clock and the sleep that everything on this connection uses."""
        return self._timing

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()
        if self._files is not None:
            self._files.close()

    def execute(self, document: Document, answer: type[T], /, **variables: object) -> T:
        """Send a document and read its data.

        Args:
            document: What to send.
            answer: The shape of the `data` in the answer.
            **variables: By their names in the document; `from_` is `from`.

        Raises:
            ReadOnlyError: When a client that may only read is asked to change.
            InDoubt: When the remote may or may not have changed.
            RemoteError: When it refused or failed; see `ports`.
        """
        return self.execute_telling_doubt(document, answer, **variables)[0]

    def execute_telling_doubt(
        self, document: Document, answer: type[T], /, **variables: object
    ) -> tuple[T, bool]:
        """Do as `execute`, and say whether it may have been carried out before.

        It may when an earlier attempt at this very request got no clear answer.
        """
        body = msgspec.json.encode(
            {
                "query": document.text,
                "variables": {
                    name.rstrip("_"): value for name, value in variables.items()
                }
                or None,
            }
        )
        return self._ask(
            document,
            answer,
            lambda: self._http.build_request(
                "POST",
                self._url(document),
                content=body,
                headers={"Content-Type": "application/json"},
            ),
        )

    def upload(
        self,
        document: Document,
        answer: type[T],
        content: bytes,
        *,
        file_name: str,
        media_type: str,
        **variables: object,
    ) -> T:
        """Send a file as GraphQL's multipart request, and read the answer.

        Args:
            document: What takes the file, as `$file` and `$contentLength`.
            answer: The shape of the `data` in the answer.
            content: The file.
            file_name: What the file is called.
            media_type: What it is.
            **variables: The document's other variables.

        Raises:
            RemoteError: As `execute`.
        """
        operations = msgspec.json.encode(
            {
                "variables": {
                    "file": None,
                    "contentLength": len(content),
                    **variables,
                },
                "query": document.text,
            }
        )
        return self._ask(
            document,
            answer,
            lambda: self._http.build_request(
                "POST",
                self._url(document),
                data={"operations": operations, "map": b'{"1": ["variables.file"]}'},
                files={"1": (file_name, content, media_type)},
            ),
        )[0]

    def download(self, url: str) -> bytes:
        """Fetch a file that the API named, without the key.

        Raises:
            RemoteError: As `execute`; the URL, which may be signed, isn't told.
        """
        client = self._files_client()
        found = self._deliver(
            _Ask(
                operation="download",
                request=RequestClass.READ,
                changes=False,
                host=host_of(url),
                client=client,
                limiter=self._files_limiter,
                build=lambda: client.build_request("GET", url),
                understand=understand_file,
            )
        )
        if isinstance(found, RemoteError):
            raise found
        return bytes(found.data)

    def _ask(
        self, document: Document, answer: type[T], build: Callable[[], httpx.Request]
    ) -> tuple[T, bool]:
        if self._read_only and document.changes:
            raise ReadOnlyError(f"{document.root} on a connection that may only read")
        ask = _Ask(
            operation=document.root,
            request=document.request,
            changes=document.changes,
            host=self._settings.host,
            client=self._http,
            limiter=self._limiter,
            build=build,
            understand=understand,
        )
        found = self._deliver(ask)
        if isinstance(found, RemoteError):
            raise found
        try:
            return msgspec.json.decode(found.data, type=answer), found.doubtful
        except msgspec.MsgspecError as error:
            garbled = _garbled(ask, str(error))
            raise self._signed(garbled, ask, found.request_id) from error

    def _deliver(self, ask: _Ask) -> _Delivered | RemoteError:
        """Send a request until it is answered, or until it is no use.

        The error is given back, not raised: a traceback would hold this frame,
        with whatever the remote said before the key was taken out of it.
        """
        attempts = Attempts(self._timing)
        while True:
            turn = ask.limiter.acquire()
            reply = self._send(ask)
            request_id = reply.request_id if isinstance(reply, Reply) else None
            result = ask.understand(reply) if isinstance(reply, Reply) else reply
            match result:
                case Answered():
                    return _Delivered(result.data, request_id, attempts.doubtful)
                case Limited():
                    told = retry_after(result.told, now=self._timing.now())
                    pause = attempts.pause(LIMITED, told)
                    if pause is not None:
                        ask.limiter.slow_down(pause, sent=turn)
                        continue
                case Unsent():
                    pause = attempts.pause(UNREACHABLE) if result.again else None
                case Broken() if ask.request is not RequestClass.CREATE:
                    attempts.doubtful = True
                    told = retry_after(result.told, now=self._timing.now())
                    pause = attempts.pause(BROKEN, told)
                case Broken() | Garbled() | Denied():
                    pause = None
                case _:
                    assert_never(result)
            if pause is None:
                failure = _failure(ask, result, doubtful=attempts.doubtful)
                return self._signed(failure, ask, request_id)
            self._timing.sleep(pause)

    def _send(self, ask: _Ask) -> Reply | Unsent | Broken | Garbled:
        try:
            response = ask.client.send(ask.build())
        except _LIBRARY_ERRORS as error:
            found = trouble(error, ask.host)
        else:
            return Reply(
                status=response.status_code,
                headers={name.lower(): text for name, text in response.headers.items()},
                content=response.content,
            )
        return found

    def _signed(
        self, error: RemoteError, ask: _Ask, request_id: str | None
    ) -> RemoteError:
        """Say what was asked, and make sure that nobody echoes the key."""
        error.reason = self._settings.api_key.hide(error.reason)
        error.args = (error.reason,)
        error.operation = ask.operation
        error.request_id = request_id and self._settings.api_key.hide(request_id)
        return error

    def _url(self, document: Document) -> str:
        settings = self._settings
        return settings.experimental_url if document.experimental else settings.url

    def _files_client(self) -> httpx.Client:
        with self._files_lock:
            if self._files is None:
                self._files = self._client(
                    trust=_trust(self._settings.ca_bundle),
                    headers={"User-Agent": f"reconciler/{__version__}"},
                    follow_redirects=True,
                )
            return self._files

    def _client(
        self, *, trust: ssl.SSLContext, headers: dict[str, str], follow_redirects: bool
    ) -> httpx.Client:
        settings = self._settings
        return httpx.Client(
            headers=headers,
            follow_redirects=follow_redirects,
            verify=trust,
            transport=self._transport,
            timeout=httpx.Timeout(
                settings.read_timeout, connect=settings.connect_timeout, pool=None
            ),
            limits=httpx.Limits(
                max_connections=THREADS,
                max_keepalive_connections=THREADS,
                keepalive_expiry=15.0,
            ),
        )


_LIBRARY_ERRORS: Final = (
    httpx.HTTPError,
    httpx.InvalidURL,
    httpx.CookieConflict,
    httpx.StreamError,
)
"""The roots of everything that the library raises."""


def trouble(error: Exception, host: str) -> Unsent | Broken | Garbled:
    """Tell what an error of the library means for the request."""
    said = str(error) or type(error).__name__
    match error:
        case httpx.ConnectError() if _is_about_trust(error):
            return Unsent(
                f"no trusted connection to {host}: {said}",
                again=False,
                hint="name the certificates to trust with SSL_CERT_FILE or "
                "REQUESTS_CA_BUNDLE",
            )
        case (
            httpx.ConnectError()
            | httpx.ConnectTimeout()
            | httpx.PoolTimeout()
            | httpx.ProxyError()
        ):
            return Unsent(f"{host} can't be reached: {said}", again=True)
        case httpx.UnsupportedProtocol() | httpx.InvalidURL():
            return Unsent(f"{host} can't be reached: {said}", again=False)
        case httpx.TimeoutException():
            return Broken(f"{host} did not answer in time: {said}")
        case (
            httpx.DecodingError()
            | httpx.TooManyRedirects()
            | httpx.CookieConflict()
            | httpx.StreamError()
        ):
            return Garbled(f"the answer of {host} can't be read: {said}")
        case _:
            return Broken(f"the connection to {host} was lost: {said}")


def _failure(ask: _Ask, result: Result, *, doubtful: bool) -> RemoteError:
    """Turn what became of the last attempt into an error."""
    match result:
        case Denied():
            return result.error
        case Garbled():
            return _garbled(ask, result.reason)
        case Broken() if ask.changes and ask.request is not RequestClass.UPLOAD:
            return InDoubt(result.reason)
        case Broken():
            return Unavailable(result.reason)
        case Unsent():
            if doubtful and ask.changes:
                return InDoubt(result.reason, hint=result.hint)
            return Unavailable(result.reason, hint=result.hint)
        case Limited():
            return RateLimited(result.reason)
        case Answered():
            raise AssertionError("an answer is no failure")
        case _:
            assert_never(result)


def _garbled(ask: _Ask, reason: str) -> RemoteError:
    if ask.request is RequestClass.CREATE:
        return InDoubt(reason)
    return Malformed(reason)


def _is_about_trust(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _no_trust() -> ssl.SSLContext:
    """Make a context that trusts nobody, for connections without TLS."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _trust(ca_bundle: str | None) -> ssl.SSLContext:
    if ca_bundle is None:
        return httpx.create_ssl_context()
    folder = Path(ca_bundle).is_dir()
    try:
        return ssl.create_default_context(
            cafile=None if folder else ca_bundle, capath=ca_bundle if folder else None
        )
    except OSError as error:
        raise Unavailable(
            f"the certificates in {ca_bundle} can't be read: {error}",
            hint="check SSL_CERT_FILE and REQUESTS_CA_BUNDLE",
        ) from error


def in_process(application: "WSGIApplication") -> httpx.BaseTransport:
    """Carry requests to an application in this process, without a socket."""
    return httpx.WSGITransport(app=application)

"""One request, one answer: documents out, typed data back.

The only module that knows httpx. The key leaves it in one header, to one
address: redirects are not followed with it, and files are fetched by a second
client that has never seen it. Errors of the library end here. They are turned
into our own outside of the handler that caught them, without the original
attached, because its frames hold the request with the key in its header.
"""

import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from platform import python_version
from threading import Lock
from typing import IO, TYPE_CHECKING, Final, Self, TypeVar, assert_never

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
from reconciler.remote.addresses import Trail, addresses_of
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
from reconciler.remote.downloads import DOWNLOAD_SECONDS, HELD, STORED, Download
from reconciler.remote.errors import Refused
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

_MAX_REDIRECTS: Final = 10


class ReadOnlyError(AssertionError):
    """A bug: a client that may only read was given something to change."""


@dataclass(frozen=True, slots=True)
class _Ask:
    """A request that may be sent several times."""

    operation: str
    request: RequestClass
    changes: bool
    host: str
    limiter: Limiter
    send: Callable[[], "Reply | Result"]
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
        transport: What carries requests to the remote in place of the network.
        outside: What carries those for files of other hosts.
        resolve: Looks up the numeric addresses of a host.
        timing: The clock, the sleep and the chance.
    """

    def __init__(
        self,
        settings: ConnectionSettings,
        *,
        read_only: bool = False,
        transport: httpx.BaseTransport | None = None,
        outside: httpx.BaseTransport | None = None,
        resolve: Callable[[str], Sequence[str]] = addresses_of,
        timing: Timing | None = None,
    ) -> None:
        self._settings = settings
        self._read_only = read_only
        self._transport = transport
        self._outside = outside
        self._resolve = resolve
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
            transport=transport,
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
            RemoteError: As `execute`, and when it has more than `HELD` bytes, takes
                too long, or leads where it must not; see `addresses`. The URL,
                which may be signed, isn't told.
        """
        held = BytesIO()
        self.download_to(url, held, limit=HELD)
        return held.getvalue()

    def download_to(self, url: str, file: IO[bytes], *, limit: int = STORED) -> None:
        """Fetch a file that the API named into one that is open, and empty.

        Args:
            url: Where it is.
            file: Where it goes; may be read and written at any place.
            limit: How many bytes it may have, unpacked.

        Raises:
            RemoteError: As `download`.
        """
        clock = self._timing.monotonic
        end = clock() + DOWNLOAD_SECONDS
        wanted = Download(file, limit, lambda: clock() > end)
        found = self._deliver(
            _Ask(
                operation="download",
                request=RequestClass.READ,
                changes=False,
                host=host_of(url),
                limiter=self._files_limiter,
                send=lambda: self._fetch(url, wanted),
                understand=understand_file,
            )
        )
        if isinstance(found, RemoteError):
            raise found

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
            limiter=self._limiter,
            send=lambda: self._send(build),
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
            reply = ask.send()
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

    def _send(self, build: Callable[[], httpx.Request]) -> Reply | Result:
        try:
            response = self._http.send(build())
        except _LIBRARY_ERRORS as error:
            found = trouble(error, self._settings.host)
        else:
            return _reply(response, response.content)
        return found

    def _fetch(self, url: str, wanted: Download) -> Reply | Result:
        """Fetch a file, after all redirects, each of which is looked at."""
        client = self._files_client()
        names, peers = Trail(), Trail()
        host = host_of(url)
        try:
            request = client.build_request("GET", url)
            for _ in range(_MAX_REDIRECTS + 1):
                host = host_of(str(request.url))
                if wanted.is_late():
                    return wanted.late(host)
                own = host == self._settings.host
                if request.url.scheme not in ("http", "https"):
                    return Unsent(f"{host} can't be reached: no http(s)", again=False)
                name = request.url.raw_host.decode("ascii")
                if not names.may_go_on(() if own else self._resolve(name), trusted=own):
                    return _astray(host)
                with closing(client.send(request, stream=True)) as response:
                    # A name may have got other addresses since it was looked up.
                    if not peers.may_go_on(_peer(response), trusted=own):
                        return _astray(host)
                    if response.next_request is None:
                        return wanted.take(_reply(response), response.iter_raw(), host)
                    request = response.next_request
            found: Result = Garbled(f"{host} redirects too often")
        except _LIBRARY_ERRORS as error:
            found = trouble(error, host)
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
                own = f"all://{self._settings.host}"
                self._files = self._client(
                    trust=_trust(self._settings.ca_bundle),
                    headers={
                        "Accept-Encoding": "gzip",
                        "User-Agent": f"reconciler/{__version__}",
                    },
                    transport=self._outside,
                    mounts={own: self._transport} if self._transport else None,
                )
            return self._files

    def _client(
        self,
        *,
        trust: ssl.SSLContext,
        headers: dict[str, str],
        transport: httpx.BaseTransport | None,
        mounts: Mapping[str, httpx.BaseTransport] | None = None,
    ) -> httpx.Client:
        settings = self._settings
        return httpx.Client(
            headers=headers,
            follow_redirects=False,
            verify=trust,
            transport=transport,
            mounts=mounts,
            timeout=httpx.Timeout(
                settings.read_timeout, connect=settings.connect_timeout, pool=None
            ),
            limits=httpx.Limits(
                max_connections=THREADS,
                max_keepalive_connections=THREADS,
                keepalive_expiry=15.0,
            ),
        )


def _peer(response: httpx.Response) -> Sequence[str]:
    """Say which address an answer came from; nothing when not by the network."""
    stream = response.extensions.get("network_stream")
    try:
        found = stream and stream.get_extra_info("server_addr")
    except OSError as error:
        raise httpx.ReadError(str(error)) from error
    return [str(found[0])] if found else ()


def _astray(host: str) -> Denied:
    return Denied(
        Refused(
            f"{host} is not asked: its address is one of a cloud's own services, or a "
            "public address redirects to it and its own is not public",
        )
    )


def _reply(response: httpx.Response, content: bytes = b"") -> Reply:
    return Reply(
        status=response.status_code,
        headers={name.lower(): text for name, text in response.headers.items()},
        content=content,
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

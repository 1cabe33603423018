"""A URL that isn't ours becomes a file, if it may be asked and answers in time.

A server can reach what its users can't. So only HTTP is spoken, no credentials
are sent, and addresses at which clouds tell machines their secrets are never
connected to, whatever name or redirect leads there.
"""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import cache
from http.client import (
    HTTPConnection,
    HTTPException,
    HTTPResponse,
    HTTPSConnection,
    IncompleteRead,
)
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from threading import Timer
from typing import Final
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from reconciler.server.errors import ApiError, bad_input
from reconciler.server.files import PIECE

FETCH_SECONDS: Final = 300.0
"""How long it may take to fetch a file."""

IDLE_SECONDS: Final = 30.0
"""How long the other side may be silent."""

MAX_REDIRECTS: Final = 5

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_SECRETIVE: Final = frozenset(
    map(
        ip_address,
        [
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
            "fd00:c1::a9fe:a9fe",
            "fd00:ec2::254",
            "fd20:ce::254",
        ],
    )
)
_NAT64: Final = IPv6Network("64:ff9b::/96")
_COMPATIBLE: Final = IPv6Network("::/96")
_PATH: Final = "/%:@!$&'()*+,;=~-._"


def check_url(url: str) -> SplitResult:
    """Take a URL apart that may be fetched.

    Raises:
        ApiError: When it isn't one of HTTP with a host.
    """
    try:
        parts = urlsplit(url)
        if parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0:
            return parts
    except ValueError:
        pass
    raise bad_input("a file is fetched by a URL that begins with http or https")


def fetch(
    url: str,
    append: Callable[[bytes], None],
    *,
    limit: int,
    seconds: float = FETCH_SECONDS,
) -> None:
    """Fetch a file piece by piece.

    Args:
        url: Where it is.
        append: Called with every piece.
        limit: How many bytes it may have.
        seconds: How long it may take.

    Raises:
        ApiError: Saying why it can't be had.
    """
    end = time.monotonic() + seconds
    for _ in range(MAX_REDIRECTS + 1):
        parts = check_url(url)
        try:
            onward = _ask(parts, append, limit, end)
            if onward is None:
                return
            url = urljoin(url, onward)
        except (OSError, HTTPException, ValueError) as error:
            late = time.monotonic() >= end
            reason = f"it took longer than {seconds:g} s" if late else _reason(error)
            raise _failure(parts, reason) from error
    raise bad_input(f"the URL redirects more than {MAX_REDIRECTS} times")


def _ask(
    parts: SplitResult, append: Callable[[bytes], None], limit: int, end: float
) -> str | None:
    """Answer where the file is instead, if it isn't here."""
    host = (parts.hostname or "").encode("idna").decode()
    kind = _Secure if parts.scheme == "https" else _Plain
    with closing(kind(host, parts.port, timeout=IDLE_SECONDS)) as connection:
        connection.connect()
        with _cut(connection.sock, end):
            connection.request("GET", _target(parts))
            with connection.getresponse() as response:
                if response.status in _REDIRECTS:
                    return response.headers.get("Location", "")
                _copy(parts, response, append, limit)
            if time.monotonic() >= end:
                raise TimeoutError
    return None


def _copy(
    parts: SplitResult,
    response: HTTPResponse,
    append: Callable[[bytes], None],
    limit: int,
) -> None:
    if response.status != 200:
        raise _failure(parts, f"the answer is {response.status} {response.reason}")
    # Unpacked, a small answer could become any size.
    if encoding := response.headers.get("Content-Encoding"):
        raise _failure(parts, f"it is encoded as {encoding!r}")
    # As the header says: the response counts its own down to nothing.
    announced, size = response.length, 0
    while (announced or 0) <= limit and (piece := response.read1(PIECE)):
        size += len(piece)
        if size > limit:
            break
        append(piece)
    if max(size, announced or 0) > limit:
        raise _failure(parts, f"it is longer than {limit} bytes")
    if announced is not None and size < announced:
        raise IncompleteRead(b"", announced - size)


class _Plain(HTTPConnection):
    def connect(self) -> None:
        self.sock = _reach(self.host, self.port)


class _Secure(HTTPSConnection):
    def connect(self) -> None:
        self.sock = _tls().wrap_socket(
            _reach(self.host, self.port), server_hostname=self.host
        )


def _reach(host: str, port: int) -> socket.socket:
    """Connect to an address that was looked at, so that no other is reached."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    if any(_is_private_to_machine(str(address[0])) for *_, address in found):
        raise bad_input(f"{host} has an address that is never connected to")
    problem: OSError | None = None
    for family, kind, protocol, _, address in found:
        connection = socket.socket(family, kind, protocol)
        connection.settimeout(IDLE_SECONDS)
        try:
            connection.connect(address)
        except OSError as error:
            connection.close()
            problem = error
        else:
            return connection
    assert problem is not None, "a host that resolves has an address"
    raise problem


def _is_private_to_machine(text: str) -> bool:
    address = ip_address(text)
    forms = [address]
    if isinstance(address, IPv6Address):
        forms += _embedded(address)
    return any(one.is_link_local or one in _SECRETIVE for one in forms)


def _embedded(address: IPv6Address) -> Iterator[IPv4Address]:
    """Name the IPv4 addresses that packets to this one may end at."""
    if address in _NAT64 or address in _COMPATIBLE:
        yield IPv4Address(int(address) & 0xFFFF_FFFF)
    for one in (address.ipv4_mapped, address.sixtofour):
        if one is not None:
            yield one


@contextmanager
def _cut(connection: socket.socket, end: float) -> Iterator[None]:
    """End the connection in time, even while the other side sends byte by byte."""
    timer = Timer(max(0.0, end - time.monotonic()), _shut, [connection])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _shut(connection: socket.socket) -> None:
    # Not the method of a TLS connection, which pulls it away from who reads it.
    with suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _target(parts: SplitResult) -> str:
    path = quote(parts.path or "/", safe=_PATH)
    return f"{path}?{quote(parts.query, safe=_PATH + '?')}" if parts.query else path


def _failure(parts: SplitResult, reason: str) -> ApiError:
    # Without credentials, and without the query, which may hold a signature.
    host = parts.netloc.rpartition("@")[2]
    shown = f"{parts.scheme}://{host}{parts.path}"
    return bad_input(f"{shown} can't be fetched: {reason}")


def _reason(error: Exception) -> str:
    match error:
        case TimeoutError():
            return f"it was silent for {IDLE_SECONDS:g} s"
        case IncompleteRead():
            return "it ended before its end"
        case OSError(strerror=str(text)):
            return text
        case _:
            return str(error) or type(error).__name__

"""Files that anybody's URL leads to: where from, how large, and how long."""

import gzip
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from ipaddress import ip_address
from itertools import count
from tempfile import TemporaryFile
from typing import Any

import httpx
import pytest

from reconciler.ports import Malformed, RemoteError
from reconciler.remote.connection import ApiKey, ConnectionSettings
from reconciler.remote.errors import Refused
from reconciler.remote.graphql import GraphQLClient, in_process
from tests.remote.wire import KEY, PUBLIC, Clock, Wire
from tests.support.listening import listening

URL = "https://files.test/a?sig=s3cr3t"
MEGABYTE = 1 << 20


def to(url: str) -> httpx.Response:
    return httpx.Response(302, headers={"location": url})


def embedding(
    outside: Callable[[httpx.Request], httpx.Response] | None = None,
    *,
    resolve: Callable[[str], Sequence[str]] = lambda _: ["127.0.0.1"],
    clock: Clock | None = None,
) -> GraphQLClient:
    """Have a client of a remote in this process, which answers to any path."""
    return GraphQLClient(
        ConnectionSettings(endpoint="http://embedded.invalid", api_key=ApiKey(KEY)),
        transport=in_process(saying(b"inside")),
        outside=None if outside is None else httpx.MockTransport(outside),
        resolve=resolve,
        timing=(clock or Clock()).timing,
    )


SECRETIVE = [
    "169.254.169.254",
    "169.254.170.2",
    "100.100.100.200",
    "168.63.129.16",
    "fe80::1",
    "fd00:ec2::254",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
]
INWARD = ["127.0.0.1", "10.0.0.1", "192.168.1.1", "100.64.0.1", "::1", "fd12::1"]


@pytest.mark.parametrize("address", SECRETIVE)
def test_the_secrets_of_a_machine_are_never_asked_for(address: str) -> None:
    wire = Wire()
    wire.addresses["files.test"] = [PUBLIC, address]

    with pytest.raises(Refused, match=r"download: files\.test is not asked") as caught:
        wire.client().download(URL)

    assert not wire.requests
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize("address", INWARD)
def test_a_public_address_sends_nobody_behind_the_firewall(address: str) -> None:
    wire = Wire()
    wire.addresses["inside.test"] = [address]
    wire.files = {
        URL: to("http://inside.test/b"),
        "http://inside.test/b": httpx.Response(200, content=b"secret"),
        "http://inside.test/c": to("http://inside.test/b"),
    }

    with pytest.raises(Refused, match=r"inside\.test is not asked"):
        wire.client().download(URL)

    assert [request.url.host for request in wire.requests] == ["files.test"]
    assert wire.client().download("http://inside.test/c") == b"secret"


def test_the_remote_itself_may_be_anywhere() -> None:
    wire = Wire()
    wire.addresses["api.example.test"] = ["127.0.0.1"]
    wire.files = {
        URL: to("https://api.example.test/b"),
        "https://api.example.test/b": httpx.Response(200, content=b"mine"),
    }

    assert wire.client().download(URL) == b"mine"
    wire.files[URL] = to("https://api.example.test:1/b")
    with pytest.raises(Refused, match=r"api\.example\.test:1 is not asked"):
        wire.client().download(URL)


@pytest.mark.parametrize("url", ["ftp://files.test/a", "file:///etc/passwd", "data:,a"])
def test_only_http_is_spoken(url: str) -> None:
    wire = Wire()
    wire.files = {URL: to(url)}

    with pytest.raises(RemoteError):
        wire.client().download(url)
    assert not wire.requests
    with pytest.raises(RemoteError):
        wire.client().download(URL)


def test_a_circle_of_redirects_ends() -> None:
    wire = Wire()
    wire.files = {URL: to(URL)}

    with pytest.raises(Malformed, match="redirects too often"):
        wire.client().download(URL)


def saying(said: bytes) -> Any:
    def app(_: object, start: Callable[[str, list[tuple[str, str]]], object]) -> Any:
        start("200 OK", [("Content-Length", str(len(said)))])
        return [said]

    return app


def test_what_answers_is_looked_at_too_for_names_change_their_addresses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = frozenset({ip_address("127.0.0.1")})
    monkeypatch.setattr("reconciler.remote.addresses._SECRETIVE", own)
    with listening(saying(b"secret")) as url:
        client = embedding(resolve=lambda _: [PUBLIC])
        with client, pytest.raises(Refused, match="is not asked"):
            client.download(url)


def test_an_embedded_remote_does_not_answer_for_the_rest_of_the_world() -> None:
    with listening(saying(b"outside")) as url, embedding() as client:
        assert client.download(f"{url}/a") == b"outside"
        assert client.download("http://embedded.invalid/a") == b"inside"


def test_a_file_has_an_end_even_when_its_sender_has_none() -> None:
    wire, file = Wire(), BytesIO()
    sent = iter(lambda: b"x" * 1000, b"")
    client = embedding(lambda _: httpx.Response(200, content=sent))

    with pytest.raises(Refused, match=r"files\.test has 11,000 or more bytes, and may"):
        client.download_to(URL, file, limit=10_000)

    assert len(file.getvalue()) == 10_000
    wire.files = {URL: httpx.Response(200, content=b"x" * 10_000)}
    wire.client().download_to(URL, file, limit=10_000)
    with pytest.raises(Refused, match="has 10,000 bytes, and may have 9,999"):
        wire.client().download_to(URL, file, limit=9_999)


def packed(content: bytes, coding: str = "gzip") -> Callable[[object], httpx.Response]:
    half = len(content) // 2
    return lambda _: httpx.Response(
        200,
        headers={"content-encoding": coding},
        content=iter([content[:half], content[half:]]),
    )


def test_what_is_packed_counts_unpacked() -> None:
    bomb = gzip.compress(bytes(300 * MEGABYTE), 1)

    tracemalloc.start()
    try:
        with TemporaryFile() as file, pytest.raises(Refused, match="or more bytes"):
            embedding(packed(bomb)).download_to(URL, file, limit=200 * MEGABYTE)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 20 * MEGABYTE


def test_a_packed_file_comes_whole_or_not_at_all() -> None:
    whole = gzip.compress(b"a" * 3_000_000) + gzip.compress(b"b")

    assert embedding(packed(whole)).download(URL) == b"a" * 3_000_000 + b"b"
    with pytest.raises(Malformed, match="ends before its end"):
        embedding(packed(whole[:-4])).download(URL)
    with pytest.raises(Malformed, match="can't be unpacked"):
        embedding(packed(b"no gzip")).download(URL)
    with pytest.raises(Malformed, match="is encoded as br"):
        embedding(packed(whole, "br")).download(URL)
    assert embedding(packed(b"plain", "identity")).download(URL) == b"plain"


@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_a_file_that_drips_is_given_up(coding: str) -> None:
    clock = Clock()

    def drip() -> Iterator[bytes]:
        # The name of a file in gzip's header has no end, and unpacks to nothing.
        yield b"\x1f\x8b\x08\x08" + bytes(6)
        while True:
            clock.sleep(59)
            yield b"x"

    client = embedding(
        lambda _: httpx.Response(
            200, headers={"content-encoding": coding}, content=drip()
        ),
        clock=clock,
    )
    started = clock.time

    with pytest.raises(Refused, match="isn't there after 30 minutes"):
        client.download(URL)

    assert 1800 <= clock.time - started < 1900


def test_a_file_that_broke_off_begins_anew() -> None:
    attempts = count()

    def breaking() -> Iterator[bytes]:
        yield b"half" if next(attempts) else b"the first half"
        if next(attempts) < 2:
            raise httpx.ReadError("gone")

    client = embedding(lambda _: httpx.Response(200, content=breaking()))

    assert client.download(URL) == b"half"


def test_what_an_endless_error_says_is_cut() -> None:
    endless = iter(lambda: b"no " * 100, b"")
    client = embedding(lambda _: httpx.Response(404, content=endless))

    with pytest.raises(Refused, match="404 Not Found: no no"):
        client.download(URL)

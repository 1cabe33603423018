"""Files that are fetched: from where, how much, and for how long."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from reconciler.server.errors import ApiError
from reconciler.server.importing.fetching import fetch
from reconciler.server.settings import ServerSettings

Gql = Callable[..., Any]

CREATE = (
    "mutation C($m: ID!, $url: String!) { createModelErrorAnalysisPredictionImport("
    'data: {modelRunId: $m name: "by url" fileUrl: $url})'
    " { state errorMessage inputFileUrl statusFileUrl } }"
)

FIND = (
    "query F($m: ID!) { modelErrorAnalysisPredictionImport("
    'where: {modelRunId: $m, name: "by url"})'
    " { state errorMessage inputFileUrl statusFileUrl } }"
)


class Site(BaseHTTPRequestHandler):
    """A server that has a file, and all sorts of trouble."""

    seen: list[dict[str, str]]

    def do_GET(self) -> None:
        self.seen.append({"path": self.path, **dict(self.headers)})
        name = self.path.partition("?")[0].lstrip("/").replace("-", "_")
        getattr(self, f"give_{name}", self.give_nothing)()

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def begin(self, status: int, *headers: tuple[str, object]) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, str(value))
        self.end_headers()

    def give_nothing(self) -> None:
        self.begin(404, ("Content-Length", 0))

    def give_file(self) -> None:
        self.begin(200, ("Content-Length", 10))
        self.wfile.write(b"0123456789")

    def give_unannounced(self) -> None:
        self.begin(200)
        self.wfile.write(b"0123456789")

    def give_half(self) -> None:
        self.begin(200, ("Content-Length", 20))
        self.wfile.write(b"0123456789")

    def give_packed(self) -> None:
        self.begin(200, ("Content-Length", 1), ("Content-Encoding", "gzip"))
        self.wfile.write(b"x")

    def give_moved(self) -> None:
        self.begin(302, ("Location", "/file?a=b c"), ("Content-Length", 0))

    def give_loop(self) -> None:
        self.begin(302, ("Location", "/loop"), ("Content-Length", 0))

    def give_away(self) -> None:
        self.begin(302, ("Location", "file:///etc/passwd"), ("Content-Length", 0))

    def give_nowhere(self) -> None:
        self.begin(302, ("Location", "http://["), ("Content-Length", 0))

    def give_inside(self) -> None:
        location = "http://169.254.169.254/latest/meta-data"
        self.begin(302, ("Location", location), ("Content-Length", 0))

    def give_drops(self) -> None:
        self.begin(200, ("Content-Length", 1000))
        try:
            while True:
                self.wfile.write(b".")
                self.wfile.flush()
                time.sleep(0.01)
        except OSError:
            return


@contextmanager
def listening() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Serve the site; gives its URL, and the requests that it gets."""
    seen: list[dict[str, str]] = []
    handler = type("Here", (Site,), {"seen": seen})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", seen
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def site() -> Iterator[str]:
    with listening() as (url, _):
        yield url


def fetched(url: str, *, limit: int = 100, seconds: float = 10) -> bytes:
    pieces: list[bytes] = []
    fetch(url, pieces.append, limit=limit, seconds=seconds)
    return b"".join(pieces)


@pytest.mark.parametrize("name", ["file", "unannounced", "moved"])
def test_a_file_is_fetched_whole(site: str, name: str) -> None:
    assert fetched(f"{site}/{name}") == b"0123456789"


def test_no_credentials_are_sent() -> None:
    with listening() as (url, seen):
        fetched(url.replace("//", "//user:secret@") + "/moved?signature=x")

    assert [one["path"] for one in seen] == ["/moved?signature=x", "/file?a=b%20c"]
    assert set(seen[0]) == {"path", "Host", "Accept-Encoding"}
    assert set(seen[1]) == {"path", "Host", "Accept-Encoding"}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("none", "/none can't be fetched: the answer is 404 Not Found"),
        ("half", "/half can't be fetched: it ended before its end"),
        ("packed", "/packed can't be fetched: it is encoded as 'gzip'"),
        ("loop", "the URL redirects more than 5 times"),
        ("away", "a file is fetched by a URL that begins with http or https"),
        ("nowhere", "/nowhere can't be fetched: Invalid IPv6 URL"),
        ("inside", "169.254.169.254 has an address that is never connected to"),
    ],
)
def test_what_cannot_be_had_is_told(site: str, name: str, reason: str) -> None:
    with pytest.raises(ApiError) as error:
        fetched(f"{site}/{name}?signature=secret")

    assert error.value.message.removeprefix(site) == reason


@pytest.mark.parametrize("name", ["file", "unannounced"])
def test_a_file_that_is_too_long_is_left(site: str, name: str) -> None:
    assert fetched(f"{site}/{name}", limit=10) == b"0123456789"
    with pytest.raises(ApiError, match="it is longer than 9 bytes"):
        fetched(f"{site}/{name}", limit=9)


def test_a_file_that_says_that_it_is_too_long_is_not_read(site: str) -> None:
    begun = time.monotonic()

    with pytest.raises(ApiError, match="it is longer than 500 bytes"):
        fetched(f"{site}/drops", limit=500)

    assert time.monotonic() - begun < 3


def test_a_file_that_comes_drop_by_drop_is_left_in_time(site: str) -> None:
    begun = time.monotonic()

    with pytest.raises(ApiError, match=r"it took longer than 0\.2 s"):
        fetched(f"{site}/drops", limit=2000, seconds=0.2)

    assert time.monotonic() - begun < 5


def test_nobody_there_is_told(site: str) -> None:
    with pytest.raises(ApiError, match="can't be fetched: Connection refused"):
        fetched("http://127.0.0.1:1/")


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "fe80::1",
        "::ffff:169.254.169.254",
        "fd00:ec2::254",
        "fd20:ce::254",
        "fd00:c1::a9fe:a9fe",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "::ffff:100.100.100.200",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b::100.100.100.200",
        "2002:a9fe:a9fe::1",
        "::169.254.169.254",
    ],
)
def test_a_name_of_an_address_that_tells_secrets_is_not_connected_to(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look_up(host: str, port: int, **_: object) -> list[Any]:
        assert host == "files.example"
        near = ("127.0.0.1", port)
        return [(2, 1, 6, "", near), (10, 1, 6, "", (address, port, 0, 0))]

    monkeypatch.setattr("socket.getaddrinfo", look_up)

    with pytest.raises(ApiError, match=r"files\.example has an address"):
        fetched("https://files.example/a")


@pytest.mark.parametrize(
    "url", ["ftp://e.test/a", "file:///etc/passwd", "http:///a", "http://[", "a"]
)
def test_only_http_is_spoken(url: str) -> None:
    with pytest.raises(ApiError, match="begins with http or https"):
        fetched(url)


def ended(gql: Gql, run: str, url: str) -> Any:
    """Begin an import and wait for its end, as clients do."""
    made = gql(CREATE, m=run, url=url)["createModelErrorAnalysisPredictionImport"]
    end = time.monotonic() + 20
    while made["state"] == "RUNNING" and time.monotonic() < end:
        time.sleep(0.01)
        made = gql(FIND, m=run)["modelErrorAnalysisPredictionImport"]
    return made


def test_an_import_that_must_be_fetched_is_running_at_first(
    gql: Gql, run: str, site: str
) -> None:
    begun = time.monotonic()
    made = gql(CREATE, m=run, url=f"{site}/drops")

    assert made["createModelErrorAnalysisPredictionImport"]["state"] == "RUNNING"
    assert time.monotonic() - begun < 10


def test_an_import_by_url_keeps_what_was_fetched(
    gql: Gql, http: httpx.Client, run: str, site: str
) -> None:
    made = ended(gql, run, f"{site}/file")

    assert made["state"] == "FINISHED"
    assert http.get(made["inputFileUrl"]).content == b"0123456789"
    (status,) = http.get(made["statusFileUrl"]).text.splitlines()
    assert json.loads(status)["status"] == "FAILURE"


def test_an_import_that_cannot_be_fetched_has_failed(
    gql: Gql, run: str, site: str
) -> None:
    assert ended(gql, run, f"{site}/none") == {
        "state": "FAILED",
        "errorMessage": f"{site}/none can't be fetched: the answer is 404 Not Found",
        "inputFileUrl": f"{site}/none",
        "statusFileUrl": None,
    }


class TestAlone:
    """Where nothing is fetched."""

    @pytest.fixture
    def settings(self) -> ServerSettings:
        return ServerSettings(fetch_urls=False)

    def test_a_url_of_somebody_else_is_refused(self, refused: Gql, run: str) -> None:
        assert refused(CREATE, m=run, url="http://e.test/a") == (
            "BAD_USER_INPUT",
            "this server fetches no files; upload it instead",
        )

    def test_a_file_that_was_uploaded_here_is_read(
        self,
        gql: Gql,
        http: httpx.Client,
        run: str,
        upload: Callable[..., str],
    ) -> None:
        url = upload(b"{}\n", "p.ndjson")

        made = gql(CREATE, m=run, url=url)["createModelErrorAnalysisPredictionImport"]

        assert made["state"] == "FINISHED"
        assert http.get(made["inputFileUrl"]).content == b"{}\n"

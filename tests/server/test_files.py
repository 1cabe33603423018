"""Files of the store and their URLs."""

import hashlib
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from reconciler.server.app import WHOLE, make_app
from reconciler.server.files import Files, Urls, signed_file
from reconciler.server.jobs import Job, Jobs
from reconciler.server.settings import ServerSettings
from reconciler.server.store.database import Store, open_store
from reconciler.server.store.files import add_file, own_file

Gql = Callable[..., Any]


def test_a_file_is_read_without_a_key(http: httpx.Client, upload: Gql) -> None:
    url = upload(b"pixels", "a b.png", "image/png")

    response = http.get(url, headers={"Authorization": ""})

    assert url.startswith("http://twin.test/files/c")
    assert response.content == b"pixels"
    assert response.headers["content-length"] == "6"
    assert response.headers["content-type"] == "image/png"


def test_a_large_file_comes_whole(http: httpx.Client, upload: Gql) -> None:
    content = bytes(range(256)) * 10_000

    response = http.get(upload(content))

    assert response.headers["content-length"] == "2560000"
    assert response.content == content


def test_head_says_how_long_a_file_is(http: httpx.Client, upload: Gql) -> None:
    response = http.head(upload(b"pixels"))

    assert response.status_code == 200
    assert response.headers["content-length"] == "6"
    assert response.content == b""


def test_the_host_of_a_url_is_the_one_that_the_client_used(
    http: httpx.Client, upload: Gql
) -> None:
    http.headers["Host"] = "other.test:81"

    assert upload(b"x").startswith("http://other.test:81/files/")


def test_a_url_ends_after_a_day(http: httpx.Client, upload: Gql, clock: Any) -> None:
    url = upload(b"pixels")
    clock.seconds += 86_399
    before = http.get(url).status_code
    clock.seconds += 2

    assert before == 200
    assert http.get(url).status_code == 403


@pytest.mark.parametrize(
    "change",
    [
        lambda url: url[:-1] + ("0" if url[-1] != "0" else "1"),
        lambda url: url.replace("expires=1", "expires=2"),
        lambda url: url.split("?")[0],
        lambda url: url.replace("/files/c", "/files/d"),
    ],
    ids=["signature", "end", "unsigned", "path"],
)
def test_a_url_that_was_tampered_with_is_refused(
    http: httpx.Client, upload: Gql, change: Callable[[str], str]
) -> None:
    assert http.get(change(upload(b"pixels"))).status_code == 403


def test_only_the_stores_own_urls_are_its_own(store: Store) -> None:
    for url in ["", "https://e.test/a.png", "http://[", "/files/x?expires=a"]:
        assert signed_file(url, store.identity.secret) is None


def test_equal_content_is_kept_once(tmp_path: Path) -> None:
    files = Files(tmp_path / "files")

    first, second = files.write([b"a", b"b"]), files.write([b"ab"])

    assert first == second
    assert first.sha256 == hashlib.sha256(b"ab").hexdigest()
    assert [kept.name for kept in files.root.glob("??/*")] == [first.sha256]


def test_a_writer_that_is_stopped_leaves_nothing(tmp_path: Path) -> None:
    files = Files(tmp_path / "files")

    def stopped() -> None:
        with files.writer() as (append, _finish):
            append(b"half of")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()

    assert [p for p in files.root.rglob("*") if p.is_file()] == []


@pytest.mark.parametrize(
    "name", ["photo #1?.png", "a/b.png", "..", ".", "", "a%2Fb", "a;b&c=d", "\\\n\x7f"]
)
def test_a_file_is_read_whatever_it_is_called(
    http: httpx.Client, store: Store, name: str
) -> None:
    written = store.files.write([b"pixels"])
    with store.write() as db:
        _, identifier = add_file(
            db, store, written, name=name, content_type="image/png"
        )
    end = int(store.clock()) + 60
    url = Urls("http://twin.test", store.identity.secret, end).sign(identifier, name)

    assert http.get(url).content == b"pixels"
    with store.read() as db:
        assert own_file(db, store, url)


def test_a_file_whose_content_is_gone_is_not_found(
    http: httpx.Client, upload: Gql, store: Store
) -> None:
    url = upload(b"pixels")
    for file in store.files.root.glob("??/*"):
        file.unlink()

    response = http.get(url)

    assert response.status_code == 404
    assert response.json() == {"message": "the file is gone"}


def test_so_many_large_files_are_read_at_once(store: Store) -> None:
    app = make_app(store, ServerSettings(threads=8), ["sesame"])
    written = store.files.write([b"x" * (WHOLE + 1)])
    with store.write() as db:
        _, identifier = add_file(db, store, written, name="a", content_type="a/b")
    path, _, query = (
        Urls("", store.identity.secret, int(store.clock()) + 60)
        .sign(identifier, "a")
        .partition("?")
    )
    told: list[tuple[str, dict[str, str]]] = []

    def tell(status: str, headers: list[tuple[str, str]], *_: object) -> Any:
        told.append((status, dict(headers)))

    def read() -> Any:
        asked = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": query}
        return app(asked, tell)

    first, second, third = read(), read(), read()
    first.close()
    fourth = read()

    assert [status for status, _ in told] == [
        "200 OK",
        "200 OK",
        "429 Too Many Requests",
        "200 OK",
    ]
    assert told[2][1]["Retry-After"] == "1"
    assert sum(map(len, second)) == WHOLE + 1
    assert b"try again" in b"".join(third)
    # What was read to its end leaves room as well.
    assert sum(map(len, read())) == WHOLE + 1
    fourth.close()


def test_only_its_user_reads_a_store(tmp_path: Path) -> None:
    with open_store(tmp_path / "home" / "store.db") as store:
        store.files.write([b"pixels"])
        Jobs(tmp_path / "home" / "jobs", 10).do(Job("one", lambda: None, print))
        modes = {
            str(one.relative_to(tmp_path)): stat.S_IMODE(one.stat().st_mode)
            for one in tmp_path.rglob("*")
        }

    assert {modes["home"], modes["home/jobs"], modes["home/store.db.files"]} == {0o700}
    assert {modes["home/store.db"], modes["home/store.db-wal"]} == {0o600}
    assert not any(mode & 0o077 for mode in modes.values())

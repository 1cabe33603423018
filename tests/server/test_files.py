"""Files of the store and their URLs."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from reconciler.server.files import Files, signed_file
from reconciler.server.store.database import Store

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

"""Keys, organisations and how often they may ask."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from reconciler.server.access import Access, Organizations, Quota, RateExceeded
from reconciler.server.app import make_app
from reconciler.server.settings import Limits, ServerSettings
from reconciler.server.store.database import Store, open_store
from tests.server.conftest import Clock

KEYS = {"ours": Access(), "theirs": Access("vision")}


@pytest.fixture
def ask(store: Store, settings: ServerSettings) -> Iterator[Any]:
    app = make_app(store, settings, KEYS)
    transport = httpx.WSGITransport(app=app)
    with httpx.Client(transport=transport, base_url="http://twin.test") as client:

        def send(key: str) -> httpx.Response:
            return client.post(
                "/graphql",
                json={"query": "{ organization { name } }"},
                headers={"Authorization": f"Bearer {key}"},
            )

        yield send
    app.organizations.close()


def test_a_quota_begins_again_after_a_minute(clock: Clock) -> None:
    quota = Quota(2, clock)
    quota.take()
    clock.seconds += 59.5
    quota.take()

    with pytest.raises(RateExceeded) as exceeded:
        quota.take()

    assert (exceeded.value.seconds, exceeded.value.limit) == (1, 2)
    clock.seconds += 0.5
    quota.take()


def test_a_clock_that_was_set_back_locks_nobody_out(clock: Clock) -> None:
    quota = Quota(1, clock)
    quota.take()
    clock.seconds -= 3600

    quota.take()


@pytest.mark.parametrize(
    "settings", [ServerSettings(limits=Limits(requests_per_minute=1))]
)
def test_who_asks_too_often_is_told_when_to_come_back(ask: Any, clock: Clock) -> None:
    ask("ours")
    clock.seconds += 20
    answer = ask("ours")

    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "40"
    assert answer.json() == {
        "message": "You have exceeded 1 requests a minute; try again in 40 s"
    }
    assert ask("theirs").status_code == 200


def test_a_store_is_made_when_its_organization_is_first_asked_for(
    ask: Any, store: Store
) -> None:
    other = store.path.with_name("store.vision.db")
    ask("ours")
    assert not other.exists()

    assert ask("theirs").json()["data"] == {"organization": {"name": "vision"}}

    assert other.exists()


def test_a_stranger_with_a_url_makes_no_store(ask: Any, store: Store) -> None:
    organizations = Organizations(store, ServerSettings(), ["vision"])

    assert organizations.signer("/files/c/x?expires=1&signature=x") is None

    assert not store.path.with_name("store.vision.db").exists()


def test_a_store_that_is_broken_harms_its_own_organization_only(
    ask: Any, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    store.path.with_name("store.vision.db").write_text("dear diary, " * 200)

    broken = ask("theirs")

    assert broken.status_code == 200
    assert broken.json()["errors"] == [
        {
            "message": "the organization can't be served at the moment",
            "extensions": {
                "code": "INTERNAL_SERVER_ERROR",
                "exception": {"status": 500},
            },
        }
    ]
    assert "file is not a database" in caplog.text
    assert ask("ours").json()["data"]


def test_a_store_without_a_suffix_gives_no_name_of_its_folders_away(
    tmp_path: Path,
) -> None:
    with open_store(tmp_path / "store") as store:
        organizations = Organizations(store, ServerSettings(), ["files", "jobs"])
        organizations.named("files")
        organizations.close()

    assert (tmp_path / "store.files.db").is_file()


@pytest.mark.parametrize("name", ["", "Vision", "../x", "a/b", "-a", "a" * 41, "a.b"])
def test_a_name_that_cant_be_one_of_a_file_is_refused(store: Store, name: str) -> None:
    with pytest.raises(ValueError, match="can't be the name of an organization"):
        make_app(store, ServerSettings(), {"k": Access(name)})


def test_an_organization_keeps_its_name(tmp_path: Path) -> None:
    open_store(tmp_path / "store.db", organization="vision").close()

    with open_store(tmp_path / "store.db", organization="other") as store:
        app = make_app(store, ServerSettings(), {"k"})
        with httpx.Client(
            transport=httpx.WSGITransport(app=app), base_url="http://twin.test"
        ) as client:
            answer = client.post(
                "/graphql",
                json={"query": "{ organization { name } }"},
                headers={"Authorization": "Bearer k"},
            )

    assert answer.json()["data"]["organization"]["name"] == "vision"


@pytest.mark.parametrize(
    ("document", "allowed"),
    [
        ("query { organization { id } }", True),
        ('mutation { createDataset(data: {name: "s"}) { id } }', False),
        ("mutation { ...M } fragment M on Mutation {"
         ' createDataset(data: {name: "s"}) { id } }', False),
        ("mutation { ... on Mutation {"
         ' createDataset(data: {name: "s"}) { id } } }', False),
        ("query A { organization { id } }"
         ' mutation B { createDataset(data: {name: "s"}) { id } }', False),
    ],
    ids=["query", "mutation", "fragment", "inline", "beside a query"],
)  # fmt: skip
def test_a_mutation_is_found_wherever_it_stands(
    store: Store, document: str, allowed: bool
) -> None:
    app = make_app(store, ServerSettings(), {"k": Access(read_only=True)})
    with httpx.Client(
        transport=httpx.WSGITransport(app=app), base_url="http://twin.test"
    ) as client:
        answer = client.post(
            "/graphql",
            json={
                "query": document,
                "operationName": "A" if "query A" in document else None,
            },
            headers={"Authorization": "Bearer k"},
        ).json()

    if allowed:
        assert "errors" not in answer
    else:
        assert answer["errors"][0]["extensions"]["code"] == "AUTHORIZATION_ERROR"


def test_a_store_that_opens_slowly_holds_up_its_own_organization_only(
    ask: Any, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    organizations = Organizations(store, ServerSettings(), ["slow", "quick"])
    go, begun = threading.Event(), threading.Event()

    def opened(path: Path, **named: Any) -> Store:
        if named["organization"] == "slow":
            begun.set()
            assert go.wait(20)
        return open_store(path, **named)

    monkeypatch.setattr("reconciler.server.access.open_store", opened)
    slow = [
        threading.Thread(target=organizations.named, args=["slow"], daemon=True)
        for _ in range(2)
    ]
    for one in slow:
        one.start()
    assert begun.wait(20)
    quick = threading.Thread(target=organizations.named, args=["quick"], daemon=True)
    quick.start()
    quick.join(5)
    held_up = quick.is_alive()
    go.set()
    for one in slow:
        one.join(20)
    organizations.close()

    assert not held_up

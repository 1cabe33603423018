"""The real client against the real server, with no socket between them."""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from reconciler.api.documents import Document
from reconciler.remote.connection import ApiKey, ConnectionSettings
from reconciler.remote.graphql import GraphQLClient, in_process
from reconciler.remote.labelbox import Labelbox
from reconciler.remote.session import Bounds
from reconciler.remote.timing import Timing
from reconciler.server.app import make_app
from reconciler.server.settings import STRICT, ServerSettings
from reconciler.server.store.database import open_store
from tests.contract.twin import Connect, Remote
from tests.support.fakes import FakeRemote


class Lossy(httpx.BaseTransport):
    """Passes requests on, and loses the first answer to one document."""

    def __init__(self, inner: httpx.BaseTransport, lose: Document | None) -> None:
        self._inner = inner
        self._lose = lose

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._inner.handle_request(request)
        if self._lose is not None and self._lose.name.encode() in request.read():
            self._lose = None
            raise httpx.ReadError("reset")
        return response


@pytest.fixture(params=[ServerSettings(), STRICT], ids=["usual", "strict"])
def usual(request: pytest.FixtureRequest) -> ServerSettings:
    """Say what a server's settings are where a test says nothing."""
    settings: ServerSettings = request.param
    return settings


@pytest.fixture
def connect(tmp_path: Path, usual: ServerSettings) -> Iterator[Connect]:
    """Make clients of one server; its settings are those of the first call."""
    store = open_store(tmp_path / "store")
    opened: list[Labelbox] = []

    def connect(
        bounds: Bounds | None = None,
        *,
        read_only: bool = False,
        settings: ServerSettings | None = None,
        key: str = "a-key",
        lose: Document | None = None,
    ) -> Labelbox:
        app = make_app(store, settings or usual, frozenset({"a-key"}))
        client = GraphQLClient(
            ConnectionSettings(endpoint="http://twin.test", api_key=ApiKey(key)),
            read_only=read_only,
            transport=Lossy(in_process(app), lose),
            timing=Timing(sleep=lambda seconds: time.sleep(min(seconds, 0.01))),
        )
        opened.append(Labelbox(client, bounds))
        return opened[-1]

    yield connect
    for labelbox in opened:
        labelbox.close()
    store.close()


@pytest.fixture(params=["twin", "fake"])
def remote(request: pytest.FixtureRequest, connect: Connect) -> Remote:
    """Give what answers to the ports: the client of a server, and the fake."""
    return connect() if request.param == "twin" else FakeRemote()

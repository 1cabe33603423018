"""The real client against the real server, with no socket between them."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.remote.graphql import (
    ApiKey,
    ConnectionSettings,
    GraphQLClient,
    in_process,
)
from reconciler.remote.labelbox import Labelbox
from reconciler.remote.session import Bounds
from reconciler.remote.timing import Timing
from reconciler.server.app import make_app
from reconciler.server.settings import ServerSettings
from reconciler.server.store.database import open_store
from tests.contract.twin import Connect


@pytest.fixture
def connect(tmp_path: Path) -> Iterator[Connect]:
    """Make clients of one server; its settings are those of the first call."""
    store = open_store(tmp_path / "store")
    opened: list[Labelbox] = []

    def connect(
        bounds: Bounds | None = None,
        *,
        read_only: bool = False,
        settings: ServerSettings | None = None,
        key: str = "a-key",
    ) -> Labelbox:
        app = make_app(store, settings or ServerSettings(), frozenset({"a-key"}))
        client = GraphQLClient(
            ConnectionSettings(endpoint="http://twin.test", api_key=ApiKey(key)),
            read_only=read_only,
            transport=in_process(app),
            timing=Timing(sleep=lambda seconds: time.sleep(min(seconds, 0.01))),
        )
        opened.append(Labelbox(client, bounds))
        return opened[-1]

    yield connect
    for labelbox in opened:
        labelbox.close()
    store.close()

"""The real client against the real server, with no socket between them."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from reconciler.ledger.directory import DirectoryLedger
from reconciler.pipeline import sessions, workspaces
from reconciler.plan.build import Target
from reconciler.remote.connection import ApiKey, ConnectionSettings
from reconciler.remote.graphql import GraphQLClient, in_process
from reconciler.remote.labelbox import Labelbox
from reconciler.remote.session import Bounds
from reconciler.server.app import make_app
from reconciler.server.settings import ServerSettings
from reconciler.server.store.database import open_store
from tests.support.fast import no_waiting

KEY = "test-key"

USUAL = ServerSettings()
"""The settings of a twin that a test says nothing about."""


@dataclass
class Tap(httpx.BaseTransport):
    """Passes requests on, remembers them, and may interfere.

    Attributes:
        inner: Where requests go.
        before: Called with the request's number (from 1) before it is sent.
        after: Called with it after it was answered.
        requests: Every request in order.
    """

    inner: httpx.BaseTransport
    before: Callable[[int], None] = lambda _: None
    after: Callable[[int], None] = lambda _: None
    requests: list[httpx.Request] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        with self._lock:
            self.requests.append(request)
            number = len(self.requests)
        self.before(number)
        response = self.inner.handle_request(request)
        self.after(number)
        return response

    def mutations(self) -> list[str]:
        """List the documents of the mutations that went through, by first line."""
        documents = [
            json.loads(request.content)["query"]
            for request in self.requests
            if request.headers.get("content-type") == "application/json"
        ]
        return [text for text in documents if text.lstrip().startswith("mutation")]


@contextmanager
def twin(
    folder: Path, settings: ServerSettings | None = None
) -> Iterator[Callable[[], Tap]]:
    """Have a server on a store in a folder; each call is a new way to it."""
    with open_store(folder / "store.db") as store:
        app = make_app(store, settings or USUAL, frozenset({KEY}))
        yield lambda: Tap(in_process(app))


@contextmanager
def session_on(
    tap: httpx.BaseTransport,
    workspace: Path,
    *,
    read_only: bool = False,
    bounds: Bounds | None = None,
    specification: workspaces.Specification | None = None,
) -> Iterator[sessions.Session]:
    """Open a session of a workspace on a server; what it says may be given."""
    client = GraphQLClient(
        ConnectionSettings(endpoint="http://twin.test/graphql", api_key=ApiKey(KEY)),
        read_only=read_only,
        transport=tap,
        timing=no_waiting(),
    )
    with Labelbox(client, bounds) as remote:
        organisation = remote.organisation()
        target = Target("http://twin.test/graphql", organisation.id, "Twin")
        yield sessions.Session(
            specification or workspaces.specify(workspace),
            remote,
            None if read_only else remote,
            target,
            DirectoryLedger(workspace / ".reconciler", target),
        )

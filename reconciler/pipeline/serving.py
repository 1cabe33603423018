"""The store of the embedded server, and the server for others."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.pipeline.workspaces import settle
from reconciler.ports import Unavailable
from reconciler.settings import ServerKey

if TYPE_CHECKING:
    from reconciler.server.store.database import Store

# The server is imported by the functions that need it: it is slow to load.


def serve(
    home: Path,
    *,
    db: str | None,
    keys: Mapping[str, ServerKey],
    host: str,
    port: int,
    task_seconds: float,
    strict: bool,
    fetch: bool,
    on_ready: Callable[[str], object],
) -> None:
    """Serve a store until the process is told to stop.

    Args:
        home: Folder with the tool's own files; its store is the one of
            `remote: local`.
        db: Another store to serve.
        keys: API keys to let in, and what they open.
        host: Address to listen at.
        port: Port to listen at; 0 for any.
        task_seconds: How long tasks are reported as in progress.
        strict: Read everything that is open about the API as harshly as possible.
        fetch: Fetch files of imports from URLs that clients name.
        on_ready: Called with the URL when connections are accepted.

    Raises:
        OSError: When the address can't be listened at.
        Unavailable: When the store can't be opened.
    """
    from reconciler.server.access import Access
    from reconciler.server.app import make_app
    from reconciler.server.settings import STRICT, ServerSettings
    from reconciler.server.web import serve as serve_app

    settle()
    choices = replace(
        STRICT if strict else ServerSettings(),
        task_seconds=task_seconds,
        fetch_urls=fetch,
    )
    opened = {key: Access(one.organization, one.read_only) for key, one in keys.items()}
    with opened_store(db or store_in(home)) as store:
        serve_app(make_app(store, choices, opened), host, port, on_ready)


def store_in(home: Path) -> Path:
    return home / "server" / "store.db"


def opened_store(where: Path | str) -> "Store":
    from reconciler.server.errors import StoreError
    from reconciler.server.store.database import open_store

    try:
        return open_store(where)
    except StoreError as error:
        raise Unavailable(str(error)) from error

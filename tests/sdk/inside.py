"""The official SDK at a server with settings of the test's own."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from labelbox import Client  # type: ignore[import-untyped]  # publishes no types

from reconciler.server.access import Access
from reconciler.server.app import make_app
from reconciler.server.settings import ServerSettings
from reconciler.server.store.database import open_store
from tests.sdk.site import KEY
from tests.support.listening import listening


@contextmanager
def inside(
    folder: Path,
    settings: ServerSettings | None = None,
    keys: Mapping[str, Access] | None = None,
) -> Iterator[str]:
    """Serve a store in a folder from this process; gives the server's URL."""
    folder.mkdir(exist_ok=True)
    with open_store(folder / "store.db") as store:
        app = make_app(store, settings or ServerSettings(), keys or {KEY: Access()})
        try:
            with listening(app) as url:
                yield url
        finally:
            app.organizations.close()


def client_of(url: str, key: str = KEY) -> Client:
    """Make a client of the official SDK."""
    return Client(
        api_key=key,
        endpoint=f"{url}/graphql",
        rest_endpoint=f"{url}/api/v1",
        app_url=url,
        enable_experimental=True,
    )

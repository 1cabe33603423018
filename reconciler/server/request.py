"""What one request may use: the store, the settings, and its own time and host."""

from dataclasses import dataclass
from typing import cast

from reconciler.server.execution import Info
from reconciler.server.files import Urls
from reconciler.server.jobs import Jobs
from reconciler.server.settings import ServerSettings
from reconciler.server.store.database import Store


@dataclass(frozen=True, slots=True)
class Request:
    """The surroundings of a request.

    Attributes:
        store: Where everything is.
        settings: The server's choices.
        urls: File URLs that this client can reach.
        jobs: What is worked on in the background.
    """

    store: Store
    settings: ServerSettings
    urls: Urls
    jobs: Jobs


@dataclass(frozen=True, slots=True)
class Upload:
    """A file part of a multipart request.

    Attributes:
        filename: As the client calls it.
        content_type: As the client says; None when it says nothing.
        content: The bytes, which may be a view of the whole request.
    """

    filename: str
    content_type: str | None
    content: memoryview


def request_of(info: Info) -> Request:
    """Tell a resolver which request it works for."""
    return cast("Request", info.context.request)

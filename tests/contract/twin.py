"""How the tests ask for a client of the twin."""

from typing import Protocol

from reconciler.api.documents import Document
from reconciler.ports import Reader, Writer
from reconciler.remote.labelbox import Labelbox
from reconciler.remote.session import Bounds
from reconciler.server.settings import ServerSettings


class Connect(Protocol):
    """Makes a client of the one server of a test."""

    def __call__(
        self,
        bounds: Bounds | None = None,
        *,
        read_only: bool = False,
        settings: ServerSettings | None = None,
        key: str = "a-key",
        lose: Document | None = None,
    ) -> Labelbox: ...


class Remote(Reader, Writer, Protocol):
    """Both ports."""

"""A workspace, connected to its remote."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from reconciler.ledger.directory import DirectoryLedger
from reconciler.manifest.workspace import Workspace
from reconciler.pipeline.serving import opened_store, store_in
from reconciler.pipeline.uploading import Prepared
from reconciler.pipeline.workspaces import Specification, home_of
from reconciler.plan.build import LOCAL, Target
from reconciler.ports import Reader, Unauthorized, Writer
from reconciler.settings import DEFAULT_ENDPOINT, Settings
from reconciler.state.resources import EMBEDDED

if TYPE_CHECKING:
    from reconciler.remote.connection import ConnectionSettings
    from reconciler.remote.labelbox import Labelbox

# The remote and the server are imported by the functions that need them:
# `validate` talks to neither, and their libraries are slow to load.

_EMBEDDED: Final = f"{EMBEDDED}/graphql"


@dataclass(frozen=True, slots=True)
class Session:
    """A specification, the remote it is for, and what was done there from here.

    Attributes:
        specification: What should be.
        reader: Reads the remote.
        writer: Changes the remote; None where only a plan was asked for.
        target: Which remote.
        ledger: What this workspace owns there.
        prepared: What was made ready to be sent, for the plan after an apply.
    """

    specification: Specification
    reader: Reader
    writer: Writer | None
    target: Target
    ledger: DirectoryLedger
    prepared: Prepared = field(default_factory=Prepared)


@contextmanager
def open_session(
    specification: Specification, settings: Settings, *, read_only: bool
) -> Iterator[Session]:
    """Connect to the workspace's remote, and ask whom the key belongs to.

    Args:
        specification: What should be.
        settings: Key and endpoint.
        read_only: Refuse, at the transport, to send anything that changes.

    Raises:
        RemoteError: When the remote can't be reached, or refuses the key.
    """
    workspace = specification.workspace
    with _connect(workspace, settings, read_only=read_only) as (remote, endpoint):
        organisation = remote.organisation()
        target = Target(endpoint, organisation.id, organisation.name)
        ledger = DirectoryLedger(home_of(workspace, settings), target)
        yield Session(
            specification, remote, None if read_only else remote, target, ledger
        )


@contextmanager
def _connect(
    workspace: Workspace, settings: Settings, *, read_only: bool
) -> Iterator[tuple["Labelbox", str]]:
    from reconciler.remote.connection import ApiKey, ConnectionSettings
    from reconciler.remote.graphql import GraphQLClient, in_process
    from reconciler.remote.labelbox import Labelbox
    from reconciler.remote.session import Bounds

    limits = workspace.limits
    bounds = Bounds(
        export_above=limits.export_above,
        page=limits.page_size,
        batch=limits.batch_size,
    )
    if workspace.remote == "labelbox":
        connection = _labelbox(settings, limits.requests_per_minute)
        client = GraphQLClient(connection, read_only=read_only)
        with Labelbox(client, bounds) as remote:
            yield remote, connection.url
        return
    from reconciler.server.app import make_app
    from reconciler.server.settings import ServerSettings

    with opened_store(store_in(home_of(workspace, settings))) as store:
        key = secrets.token_urlsafe()
        client = GraphQLClient(
            ConnectionSettings(endpoint=_EMBEDDED, api_key=ApiKey(key)),
            read_only=read_only,
            transport=in_process(make_app(store, ServerSettings(), frozenset({key}))),
        )
        with Labelbox(client, bounds) as remote:
            yield remote, LOCAL


def _labelbox(
    settings: Settings, requests_per_minute: int | None
) -> "ConnectionSettings":
    from reconciler.remote.connection import ApiKey, ConnectionSettings

    if settings.api_key is None:
        raise Unauthorized(
            "the workspace's remote is labelbox, and LABELBOX_API_KEY is not set",
            hint="set it to a key of yours, or write `remote: local` to use the "
            "embedded server",
        )
    return ConnectionSettings(
        endpoint=settings.endpoint or DEFAULT_ENDPOINT,
        api_key=ApiKey(settings.api_key),
        read_timeout=settings.timeout,
        requests_per_minute=requests_per_minute,
        ca_bundle=None if settings.ca_bundle is None else str(settings.ca_bundle),
    )

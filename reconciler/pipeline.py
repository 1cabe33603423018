"""The way of the data, one function a stage: what every command is made of."""

import atexit
import gc
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler.apply.events import Event
from reconciler.apply.executor import PARALLELISM, execute
from reconciler.diagnostics import Diagnostic, InputError, counted
from reconciler.ledger.directory import DirectoryLedger
from reconciler.manifest.load import find_workspace, load, select_addresses
from reconciler.manifest.workspace import Workspace
from reconciler.plan.build import LOCAL, Plan, Target, build
from reconciler.plan.changes import Notice, RowChanges
from reconciler.ports import Reader, Unauthorized, Unavailable, Writer
from reconciler.rows.change import RowsChange
from reconciler.rows.current import collect
from reconciler.rows.diff import diff_rows
from reconciler.settings import DEFAULT_ENDPOINT, ServerKey, Settings
from reconciler.state.address import Address, Kind, model_address
from reconciler.state.resources import GlobalKey, RowIdentity, Run
from reconciler.state.snapshot import Current, Desired

if TYPE_CHECKING:
    from reconciler.remote.connection import ConnectionSettings
    from reconciler.remote.labelbox import Labelbox
    from reconciler.server.store.database import Store

# The remote and the server are imported by the functions that need them:
# `validate` talks to neither, and their libraries are slow to load.

READERS: Final = 8
"""Runs whose rows are read and compared at the same time."""

HOME: Final = ".reconciler"
"""Folder of a workspace for the tool's own files."""

_OWN_FILES: Final = (
    "",
    "/*",
    "/server/*",
    "/inventory/*",
    "/inventory/*/*",
    "/inventory/*/*/*",
)

LARGE: Final = 100_000
"""Rows beyond which a run is read alone, so that memory holds one at a time."""

_EMBEDDED: Final = "http://embedded.invalid/graphql"


@dataclass(frozen=True, slots=True)
class Specification:
    """A workspace, what it declares, and what of it was asked for.

    Attributes:
        workspace: The workspace.
        desired: What its manifests say, all of them.
        selected: The addresses that a path narrows to; None for all.
        selection: The path, relative to the workspace; None for all.
    """

    workspace: Workspace
    desired: Desired
    selected: frozenset[Address] | None
    selection: str | None


@dataclass(frozen=True, slots=True)
class Session:
    """A specification, the remote it is for, and what was done there from here.

    Attributes:
        specification: What should be.
        reader: Reads the remote.
        writer: Changes the remote; None where only a plan was asked for.
        target: Which remote.
        ledger: What this workspace owns there.
    """

    specification: Specification
    reader: Reader
    writer: Writer | None
    target: Target
    ledger: DirectoryLedger


def specify(path: Path, *, selection: str | None = None) -> Specification:
    """Load the workspace that a path belongs to, and narrow it to the path.

    Args:
        path: A workspace, or a folder or file in one.
        selection: Narrow to this path, relative to the workspace, instead.

    Raises:
        InputError: With every problem of every manifest.
    """
    workspace = find_workspace(path)
    narrowed = path if selection is None else workspace.root / selection
    desired = load(workspace)
    selected = select_addresses(desired, workspace, narrowed)
    if selected is not None:
        inside = narrowed.resolve().relative_to(workspace.root.resolve())
        selection = inside.as_posix()
    _settle()
    return Specification(
        workspace, desired, selected, selection if selected is not None else None
    )


def _settle() -> None:
    """Take all that was loaded so far out of the garbage collector's hands.

    It lives as long as the process. `cli.main` switches the collector off until
    here, because loading makes no garbage; together that is a sixth of the time
    of a small plan.
    """
    gc.freeze()
    gc.enable()
    # Libraries take stock of what they leave when the interpreter ends.
    atexit.unregister(gc.unfreeze)
    atexit.register(gc.unfreeze)


def home_of(workspace: Workspace, settings: Settings) -> Path:
    """Name the folder for the tool's own files.

    Raises:
        InputError: When it, or a file of its own, is a link: whoever may change
            manifests doesn't choose where this machine's files are written.
    """
    if settings.home is not None:
        return settings.home
    home = workspace.root / HOME
    linked = [
        entry
        for pattern in _OWN_FILES
        for entry in workspace.root.glob(f"{HOME}{pattern}")
        if entry.is_symlink()
    ]
    if linked:
        raise InputError(
            [
                Diagnostic(
                    code="file-outside",
                    message=f"{linked[0].relative_to(workspace.root)} is a link",
                    hint="remove the link, or name a folder with RECONCILER_HOME",
                )
            ]
        )
    return home


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

    with _open_store(_store_in(home_of(workspace, settings))) as store:
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

    _settle()
    choices = replace(
        STRICT if strict else ServerSettings(),
        task_seconds=task_seconds,
        fetch_urls=fetch,
    )
    opened = {key: Access(one.organization, one.read_only) for key, one in keys.items()}
    with _open_store(db or _store_in(home)) as store:
        serve_app(make_app(store, choices, opened), host, port, on_ready)


def home_here(folder: Path, settings: Settings) -> Path:
    """Name the folder for the tool's own files, in a workspace or outside."""
    try:
        workspace = find_workspace(folder)
    except InputError as error:
        if {one.code for one in error.diagnostics} != {"no-workspace"}:
            raise
        return settings.home or folder / HOME
    return home_of(workspace, settings)


def _store_in(home: Path) -> Path:
    return home / "server" / "store.db"


def _open_store(where: Path | str) -> "Store":
    from reconciler.server.errors import StoreError
    from reconciler.server.store.database import open_store

    try:
        return open_store(where)
    except StoreError as error:
        raise Unavailable(str(error)) from error


def make_plan(session: Session, *, allowed: Iterable[Address] = ()) -> Plan:
    """Read what is there, compare it, and say what to do; change nothing.

    Raises:
        InputError: For what only the remote can tell is wrong with the
            manifests: all of it.
        RemoteError: When anything can't be read whole.
    """
    given = session.specification
    desired = _needed(given.desired, given.selected)
    current = session.reader.read(desired)
    rows = _compare_rows(desired, current, session.reader)
    problems = [
        *_elsewhere(desired, current),
        *_unknown_keys(desired, rows, session.reader),
    ]
    if problems:
        raise InputError(problems)
    workspace = given.workspace
    return build(
        workspace=workspace.name,
        target=session.target,
        desired=desired,
        current=current,
        rows=rows,
        inventory=session.ledger.recall(),
        guards=workspace.guards,
        allowed=allowed,
        batch_size=workspace.limits.batch_size,
        selected=given.selected,
        selection=given.selection,
        notices=(*session.reader.notices(), *_unchecked_ids(rows)),
    )


def carry_out(
    session: Session,
    plan: Plan,
    *,
    parallelism: int = PARALLELISM,
    heartbeat: float | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> Iterator[Event]:
    """Do what a plan says, writing down what it brings about as it goes."""
    assert session.writer is not None, "the session was opened to read only"
    session.ledger.adopt(plan)
    events = execute(
        plan.work,
        session.writer,
        ids=plan.ids,
        parallelism=parallelism,
        heartbeat=heartbeat,
        stopped=stopped,
    )
    return session.ledger.record(events)


def converged(
    session: Session,
    *,
    allowed: Iterable[Address] = (),
    sleep: Callable[[float], None],
    pauses: Sequence[float] = (0.5, 1.0, 2.0, 4.0),
) -> Plan:
    """Plan again after an apply; the plan is empty if all went as it should.

    A remote may answer from before a write for a moment, so a plan that isn't
    empty is made again after each of the pauses before it is believed.
    """
    permitted = tuple(allowed)
    plan = make_plan(session, allowed=permitted)
    for pause in pauses:
        if not plan:
            break
        sleep(pause)
        plan = make_plan(session, allowed=permitted)
    return plan


def _needed(desired: Desired, selected: frozenset[Address] | None) -> Desired:
    # What isn't selected is read only where something selected leans on it.
    if selected is None:
        return desired
    needed = set(selected)
    for address in selected:
        if address.kind is Kind.RUN:
            needed.add(model_address(address.path[0]))
            needed.update(one.address for one in desired.datasets())
    for model in desired.models():
        if model.address in needed:
            needed.add(model.ontology)
    return replace(
        desired,
        resources={
            address: resource
            for address, resource in desired.resources.items()
            if address in needed
        },
    )


def _compare_rows(desired: Desired, current: Current, reader: Reader) -> RowChanges:
    def compare(run: Run) -> tuple[Address, RowsChange]:
        assert run.rows is not None
        found = current.id_of(run.address)
        there = (
            collect(())
            if found is None
            else reader.read_rows(found, expected=len(run.rows))
        )
        return run.address, diff_rows(desired=run.rows, current=there)

    small: list[Run] = []
    large: list[Run] = []
    for run in desired.runs():
        if run.rows is not None:
            (large if len(run.rows) > LARGE else small).append(run)
    with ThreadPoolExecutor(max_workers=READERS) as pool:
        changes = dict(pool.map(compare, small))
    changes.update(map(compare, large))
    return changes


def _elsewhere(desired: Desired, current: Current) -> Iterator[Diagnostic]:
    for address, keys in current.elsewhere.items():
        if keys:
            yield Diagnostic(
                code="row-in-other-dataset",
                message=f"{address}: another dataset already has "
                f"{counted(len(keys), 'global key')} of this one",
                span=desired.origins.get(address),
                hint="a global key is unique in an organisation: rename these, or "
                "declare the dataset they are in",
                details=tuple(sorted(keys)),
            )


def _unchecked_ids(rows: RowChanges) -> Iterator[Notice]:
    for address, change in rows.items():
        if change.by is RowIdentity.DATA_ROW_ID and change.added:
            yield Notice(
                code="row-ids-unchecked",
                address=address,
                message=f"{counted(change.added_count, 'data row id')} to add can't "
                "be looked up beforehand: if one doesn't exist, adding fails",
            )


def _unknown_keys(
    desired: Desired, rows: RowChanges, reader: Reader
) -> Iterator[Diagnostic]:
    declared: set[str] = set()
    for dataset in desired.datasets():
        declared.update(dataset.data_rows or ())
    added = {
        address: frozenset(change.added_names()) - declared
        for address, change in rows.items()
        if change.by is RowIdentity.GLOBAL_KEY
    }
    asked = frozenset[str]().union(*added.values())
    if not asked:
        return
    unknown = reader.unknown_keys(map(GlobalKey, asked))
    missing: dict[frozenset[str], list[Address]] = {}
    for address, names in added.items():
        if lacking := names & unknown:
            missing.setdefault(lacking, []).append(address)
    for keys, addresses in missing.items():
        yield Diagnostic(
            code="unknown-global-keys",
            message=f"{', '.join(map(str, addresses))}: no data row on the remote answers to "
            f"{counted(len(keys), 'global key')}",
            span=desired.origins.get(addresses[0]),
            hint="correct them, or declare a Dataset whose files bring these data rows",
            details=tuple(sorted(keys)),
        )

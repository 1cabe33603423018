"""From a path to what its workspace declares, and where the tool keeps its files."""

import atexit
import gc
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reconciler.diagnostics import Diagnostic, InputError
from reconciler.manifest.load import (
    find_workspace,
    load,
    load_to_lock,
    select_addresses,
)
from reconciler.manifest.workspace import Workspace
from reconciler.pipeline.uploading import check_uploads
from reconciler.settings import Settings
from reconciler.state.address import Address, Kind
from reconciler.state.snapshot import Desired

HOME: Final = ".reconciler"
"""Folder of a workspace for the tool's own files."""

_OWN_FILES: Final = (
    "",
    "/*",
    "/server/*",
    "/inventory/*",
    "/inventory/*/*",
    "/inventory/*/*/*",
    "/inventory/*/*/*/*",
    "/inventory/*/*/*/*/*",
)

_LOCKS_TO_COME: Final = frozenset({"lock-missing", "lock-outdated"})


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
    desired, selected = _load(workspace, narrowed)
    if selected is not None:
        inside = narrowed.resolve().relative_to(workspace.root.resolve())
        selection = inside.as_posix()
    settle()
    return Specification(
        workspace, desired, selected, selection if selected is not None else None
    )


def _load(
    workspace: Workspace, narrowed: Path
) -> tuple[Desired, frozenset[Address] | None]:
    try:
        desired = load(workspace)
    except InputError as error:
        if any(found.code not in _LOCKS_TO_COME for found in error.diagnostics):
            raise
        # What a lock is made of may have to be applied before: a dataset, for the
        # rows that are to be selected of it. No run can do without its locks.
        desired, _ = load_to_lock(workspace)
        selected = select_addresses(desired, workspace, narrowed)
        if selected is None or any(one.kind is Kind.RUN for one in selected):
            raise error from None
        return desired, selected
    return desired, select_addresses(desired, workspace, narrowed)


def check_imports(specification: Specification) -> None:
    """Check annotations and metrics as far as it can be done without a remote.

    Raises:
        InputError: With what is wrong in any of the files.
    """
    check_uploads(specification.desired, specification.workspace)


def settle() -> None:
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


def home_here(folder: Path, settings: Settings) -> Path:
    """Name the folder for the tool's own files, in a workspace or outside."""
    try:
        workspace = find_workspace(folder)
    except InputError as error:
        if {one.code for one in error.diagnostics} != {"no-workspace"}:
            raise
        return settings.home or folder / HOME
    return home_of(workspace, settings)


def specify_remote(path: Path) -> Specification:
    """Find the workspace that a path belongs to, for its remote alone.

    Its manifests aren't read: it is as if there were none.

    Raises:
        InputError: When there is none, or its own file is wrong.
    """
    workspace = find_workspace(path)
    settle()
    return Specification(workspace, Desired(resources={}), None, None)

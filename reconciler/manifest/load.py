"""A folder of manifests to what they want: all files, all problems at once.

Manifests are data. Nothing is executed, no variable is looked up, and no file
outside of the workspace is opened.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from reconciler.diagnostics import Diagnostic, InputError, Span, in_order
from reconciler.manifest.declared import Declared, declare
from reconciler.manifest.document import Document, Source, with_excerpts
from reconciler.manifest.locks import Locks
from reconciler.manifest.resolve import Resolved, resolve
from reconciler.manifest.schema import WorkspaceManifest
from reconciler.manifest.select import Astray, Files, Located, escaped, real_path
from reconciler.manifest.source import decode, parse
from reconciler.manifest.workspace import (
    FILE_NAME,
    Checks,
    Limits,
    Severity,
    Workspace,
)
from reconciler.plan.guards import Guards, Threshold
from reconciler.rows.problems import More, Problems
from reconciler.state.address import Address
from reconciler.state.snapshot import Desired

_ENDINGS: Final = frozenset({".yaml", ".yml"})


@dataclass(slots=True)
class _Read:
    """What was read, and what is wrong with it."""

    sources: dict[str, Source] = field(default_factory=dict)
    declared: list[Declared] = field(default_factory=list)
    problems: list[Diagnostic] = field(default_factory=list)
    complete: bool = True

    def raise_if_any(self) -> None:
        if self.problems:
            raise InputError(with_excerpts(_bounded(self.problems), self.sources))


def _bounded(found: Iterable[Diagnostic]) -> Problems:
    """Leave out what is wrong again and again, counting it."""
    problems = Problems()
    # What was left out already is only counted, so it comes last.
    for each in sorted(in_order(found), key=lambda each: isinstance(each, More)):
        problems.add(each)
    return problems


def find_workspace(start: Path) -> Workspace:
    """Find the workspace that a file or folder belongs to, and read its settings.

    It is the folder of the nearest `reconciler.yaml`, here or above.

    Raises:
        InputError: When there is none, or it is wrong.
    """
    here = real_path(start)
    if not here.exists():
        why = Diagnostic(code="file-missing", message=f"there is no {start}")
        raise InputError([why])
    for folder in (here, *here.parents):
        # Also a broken link or a pipe: nobody means a workspace further up.
        if os.path.lexists(folder / FILE_NAME):
            return _read_workspace(folder)
    why = Diagnostic(
        code="no-workspace",
        message=f"neither {start} nor a folder above has a {FILE_NAME}",
        hint=f"create {FILE_NAME} with `kind: Workspace` and a name",
    )
    raise InputError([why])


def load(workspace: Workspace, *, today: date | None = None) -> Desired:
    """Read all manifests of a workspace, all files that they name, and all locks.

    Files are read in the order of their paths. Hidden files and folders are
    left out.

    Args:
        workspace: The workspace.
        today: The day that waivers are compared with; of UTC, and now, unless given.

    Raises:
        InputError: With the problems of all files, in order.
    """
    read, resolved = _load(workspace, today)
    read.problems.extend((*resolved.findings, *resolved.locks.problems))
    read.raise_if_any()
    shown = with_excerpts(resolved.desired.warnings, read.sources)
    return replace(resolved.desired, warnings=tuple(shown))


def load_to_lock(workspace: Workspace) -> tuple[Desired, Locks]:
    """Read all manifests, whatever is wrong with locks, and with data.

    Returns:
        What the manifests want, without what only locks can say; and what must be
        locked, with what is wrong there.

    Raises:
        InputError: With what no lock can mend.
    """
    read, resolved = _load(workspace, None)
    read.raise_if_any()
    return resolved.desired, resolved.locks


def _load(workspace: Workspace, today: date | None) -> tuple[_Read, Resolved]:
    read = _Read()
    files = Files(workspace.root)
    for located in _manifest_files(workspace, files, read):
        _read_file(read, located)
    if not read.declared and not read.problems:
        folders = ", ".join(workspace.folders)
        why = Diagnostic(
            code="no-manifests",
            message=f"there are no manifests in {folders}",
            hint=f"manifests end in .yaml; `folders` of {FILE_NAME} says where they are",
        )
        read.problems.append(why)
    read.problems.extend(_misplaced(read.declared))
    resolved = resolve(
        read.declared,
        files,
        complete=read.complete,
        checks=workspace.checks,
        today=today or datetime.now(UTC).date(),
    )
    read.problems.extend(resolved.problems)
    return read, resolved


def select_addresses(
    desired: Desired, workspace: Workspace, path: Path
) -> frozenset[Address] | None:
    """Find what is declared in a file, or in the files under a folder.

    Returns:
        The addresses; None when the path covers the whole workspace.

    Raises:
        InputError: When nothing is declared there.
    """
    # A link in the workspace is meant as what it is called there.
    at = real_path(path.parent) / path.name
    if not path.is_symlink():
        at = real_path(path)
    folders = [workspace.root / folder for folder in workspace.folders]
    if all(folder.is_relative_to(at) for folder in folders):
        return None
    found = frozenset(
        address
        for address, origin in desired.origins.items()
        if (workspace.root / origin.file).is_relative_to(at)
    )
    if not found:
        why = Diagnostic(
            code="no-manifests",
            message=f"{path} declares nothing that can be planned",
            hint=f"the folders of manifests are {', '.join(workspace.folders)}",
        )
        raise InputError([why])
    return found


# --- The workspace's own file


def _read_workspace(root: Path) -> Workspace:
    read = _Read()
    located = Files(root).locate(root, FILE_NAME)
    if isinstance(located, Astray):
        raise InputError([located.at(Span(FILE_NAME))])
    _read_file(read, replace(located, name=FILE_NAME))
    found: list[tuple[Document, WorkspaceManifest]] = []
    for each in read.declared:
        if isinstance(each.manifest, WorkspaceManifest):
            found.append((each.document, each.manifest))
        elif each.kind != "Workspace":
            why = Diagnostic(
                code="misplaced-workspace",
                message=f"{FILE_NAME} holds the Workspace alone",
                span=each.document.span(("kind",)),
                hint="move the document to a folder of manifests",
            )
            read.problems.append(why)
    for document, _ in found[1:]:
        why = Diagnostic(
            code="repeated-name",
            message="a second Workspace is declared",
            span=document.span(("name",)),
            related=((found[0][0].span(("name",)), "declared here first"),),
        )
        read.problems.append(why)
    for document, manifest in found[:1]:
        read.problems.extend(_check_folders(root, document, manifest))
    read.raise_if_any()
    return _workspace(root, found[0][1])


def _workspace(root: Path, manifest: WorkspaceManifest) -> Workspace:
    removed, limits = manifest.guards.rows_removed, manifest.limits
    checks = manifest.checks
    return Workspace(
        root=root,
        name=manifest.name,
        remote=manifest.remote,
        folders=tuple(
            Path(os.path.normpath(folder)).as_posix() for folder in manifest.folders
        ),
        guards=Guards(
            rows_removed=Threshold(count=removed.count, percent=removed.percent)
        ),
        limits=Limits(
            requests_per_minute=limits.requests_per_minute,
            batch_size=limits.batch_size,
            page_size=limits.page_size,
            export_above=limits.export_above,
            runs_per_model=limits.runs_per_model,
            predictions_per_job=limits.predictions_per_job,
            lock_rows=limits.lock_rows,
        ),
        checks=Checks(
            content_across_splits=Severity(checks.content_across_splits),
            group_across_splits=Severity(checks.group_across_splits),
            frozen_trained_on=Severity(checks.frozen_trained_on),
        ),
    )


def _check_folders(
    root: Path, document: Document, manifest: WorkspaceManifest
) -> Iterator[Diagnostic]:
    if "folders" not in manifest.model_fields_set:
        return
    files = Files(root)
    for number, folder in enumerate(manifest.folders):
        if wrong := files.check_folder(folder):
            yield wrong.at(document.span(("folders", number)))


# --- Files


def _manifest_files(
    workspace: Workspace, files: Files, read: _Read
) -> Iterator[Located]:
    root = workspace.root
    found: set[Path] = set()
    for folder in workspace.folders:
        if os.path.isdir(root / folder):  # noqa: PTH112  # Path's raises
            found.update(_walk(root / folder, root, frozenset(), read))
    found.discard(root / FILE_NAME)
    for name in sorted(path.relative_to(root).as_posix() for path in found):
        located = files.locate(root, name)
        if isinstance(located, Astray):
            read.problems.append(located.at(Span(escaped(name))))
        else:
            # A link is called what it is called in the folder.
            yield replace(located, name=name)


def _walk(
    folder: Path, root: Path, above: frozenset[Path], read: _Read
) -> Iterator[Path]:
    """Go through the manifests under a folder, and links that leave the workspace."""
    real = real_path(folder)
    if real in above:
        return
    try:
        inside = list(folder.iterdir())
    except OSError as error:
        read.problems.append(_unreadable(folder.relative_to(root).as_posix(), error))
        return
    for path in inside:
        if path.name.startswith("."):
            continue
        if os.path.isdir(path):  # noqa: PTH112  # Path's raises
            if real_path(path).is_relative_to(root):
                yield from _walk(path, root, above | {real}, read)
            else:
                yield path
        elif path.suffix in _ENDINGS:
            yield path


def _unreadable(name: str, error: OSError) -> Diagnostic:
    name = escaped(name)
    why = (error.strerror or "it can't be read").lower()
    return Diagnostic(
        code="file-missing", message=f"{name} can't be opened: {why}", span=Span(name)
    )


def _read_file(read: _Read, located: Located) -> None:
    name = located.name
    try:
        source = decode(name, located.path.read_bytes())
    except OSError as error:
        source = _unreadable(name, error)
    if isinstance(source, Diagnostic):
        read.problems.append(source)
        read.complete = False
        return
    read.sources[name] = source
    parsed = parse(source)
    read.problems.extend(parsed.diagnostics)
    read.complete = read.complete and parsed.complete
    blamed = {problem.span for problem in parsed.diagnostics}
    for document in parsed.documents:
        declared, problems = declare(document)
        # A value that the text's reader refused is null by now.
        read.problems.extend(each for each in problems if each.span not in blamed)
        read.declared.append(declared)


def _misplaced(declared: Iterable[Declared]) -> Iterator[Diagnostic]:
    for each in declared:
        if each.kind == "Workspace":
            yield Diagnostic(
                code="misplaced-workspace",
                message=f"a Workspace is declared in {FILE_NAME} only",
                span=each.document.span(("kind",)),
                hint=f"move it to {FILE_NAME}, or delete it",
            )

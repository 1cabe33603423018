"""Live selections, and labels of projects, to locks that are committed.

The only thing that decides which rows and labels there are: plans read locks.
Nothing is written before everything is resolved.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Final

from reconciler.diagnostics import Diagnostic, InputError
from reconciler.manifest.load import find_workspace, load_to_lock
from reconciler.manifest.locks import (
    Locks,
    Wanted,
    WantedLabels,
    WantedRows,
    read_rows_lock,
)
from reconciler.pipeline.answers import (
    Content,
    Facts,
    Labels,
    Rows,
    ask,
    expect,
    held,
    is_written,
    stage,
)
from reconciler.pipeline.sessions import Session
from reconciler.pipeline.staging import Staged
from reconciler.pipeline.uploading import declared_schemas, prepare_uploads
from reconciler.pipeline.workspaces import Specification, settle
from reconciler.rows.problems import Problems
from reconciler.state.address import Address, Kind, RemoteId
from reconciler.state.labels import ContentHash
from reconciler.state.resources import Dataset, Project, Resource, Run
from reconciler.state.snapshot import Current, Desired

_SAMPLES: Final = 10


class Mode(StrEnum):
    """What is done with locks."""

    MISSING = "missing"
    """Make those that are missing."""
    CHECK = "check"
    """Compare all with what they would be now, and write nothing."""
    UPDATE = "update"
    """Make all of them again."""


class Fate(StrEnum):
    """What became of a lock."""

    MADE = "made"
    KEPT = "kept"
    UPDATED = "updated"
    DIFFERS = "differs"
    """It would be another one now; nothing was written."""
    OUTDATED = "outdated"
    """It can't be used, and only an update may replace it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What differs between a lock and what it would be now.

    Attributes:
        added: How many rows come.
        removed: How many rows go.
        changed: How many rows stay with another split, group or label.
        samples: The first of them, by key, after `+`, `-` or `~`.
    """

    added: int
    removed: int
    changed: int
    samples: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """A lock, and what became of it.

    Attributes:
        addresses: Whose lock it is.
        name: The lock, relative to the workspace.
        fate: What became of it.
        rows: How many rows it must have now; None when nobody asked the remote.
        change: What differs; None when nobody asked, or there was no lock that
            could be read.
        problem: Why the lock can't be used; None when it can, or was made.
        digest: What the manifest must say that the rows are, and doesn't.
    """

    addresses: tuple[Address, ...]
    name: str
    fate: Fate
    rows: int | None = None
    change: Change | None = None
    problem: Diagnostic | None = None
    digest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A lock that was asked for.

    Attributes:
        wanted: What is to be locked.
        addresses: Whose lock it is.
        problem: What is wrong with it.
        resolve: Whether the remote must be asked.
    """

    wanted: Wanted
    addresses: tuple[Address, ...]
    problem: Diagnostic | None
    resolve: bool

    @property
    def is_usable(self) -> bool:
        """Whether nothing is wrong with the lock; the manifest may lack its digest."""
        return self.problem is None or self.problem.code == "digest-missing"


def specify_to_lock(path: Path) -> tuple[Specification, Locks]:
    """Load the workspace that a path belongs to, and find what must be locked.

    Raises:
        InputError: With what is wrong with manifests, except with their locks.
    """
    workspace = find_workspace(path)
    desired, locks = load_to_lock(workspace)
    settle()
    return Specification(workspace, desired, None, None), locks


def due(locks: Locks, *, only: Collection[Address], mode: Mode) -> tuple[Due, ...]:
    """Find the locks that are asked for, each once, and how they are.

    Args:
        locks: What the workspace wants locked.
        only: Whose locks; empty for all.
        mode: What is to be done with them.
    """
    owners: dict[str, list[Wanted]] = {}
    for wanted in locks.wanted.values():
        owners.setdefault(wanted.file.name, []).append(wanted)
    found: list[Due] = []
    for shared in owners.values():
        addresses = tuple(each.address for each in shared)
        if only and not set(only) & set(addresses):
            continue
        problem = _problem(shared[0], locks)
        missing = problem is not None and problem.code == "lock-missing"
        resolve = missing or mode is not Mode.MISSING
        found.append(
            Due(wanted=shared[0], addresses=addresses, problem=problem, resolve=resolve)
        )
    return tuple(found)


def _problem(wanted: Wanted, locks: Locks) -> Diagnostic | None:
    match wanted:
        case WantedRows():
            rows = read_rows_lock(wanted)
            return rows if isinstance(rows, Diagnostic) else None
        case WantedLabels(file=file, project=project, span=span):
            pins = locks.pins(file, project, address=wanted.address, span=span)
            return pins if isinstance(pins, Diagnostic) else None


def unresolved(asked: Iterable[Due]) -> Iterator[Locked]:
    """Tell how the locks are that no remote must be asked for."""
    for each in asked:
        if not each.resolve:
            yield Locked(
                addresses=each.addresses,
                name=each.wanted.file.name,
                fate=Fate.KEPT if each.is_usable else Fate.OUTDATED,
                problem=each.problem,
            )


def lock(
    session: Session, desired: Desired, asked: Sequence[Due], *, mode: Mode
) -> tuple[Locked, ...]:
    """Ask the remote what locks must hold, and write them unless they are checked.

    Args:
        session: The remote; its workspace says when rows go to a Parquet file.
        desired: What the manifests declare.
        asked: The locks; those are resolved that must be.
        mode: What is to be done.

    Raises:
        InputError: With all that can't be locked; then nothing is written.
        RemoteError: When anything can't be read whole.
    """
    wanted = [each for each in asked if each.resolve]
    current = session.reader.read(_sources(desired, wanted))
    to_come = _labels_to_come(session, desired, current, wanted)
    problems = Problems()
    found: list[Locked] = []
    with Staged() as staged:
        for each in wanted:
            source = _source(each.wanted)
            try:
                content = _ask(session, each.wanted, current.id_of(source), to_come)
                found.append(_lock(session, each, content, staged, mode=mode))
            except InputError as error:
                for wrong in error.diagnostics:
                    problems.add(wrong)
        problems.raise_if_any()
        staged.commit()
    return tuple(found)


def _labels_to_come(
    session: Session, desired: Desired, current: Current, asked: Iterable[Due]
) -> Mapping[Address, Mapping[str, ContentHash]]:
    """Say what the labels of projects will be that are declared, and not there yet.

    So the first lock of an experiment doesn't have to wait for its first apply.
    """
    absent = {
        source
        for each in asked
        if isinstance(each.wanted, WantedLabels)
        and current.id_of(source := each.wanted.project) is None
    }
    if not absent:
        return {}
    projects = replace(
        desired,
        resources={
            address: resource
            for address, resource in desired.resources.items()
            if address in absent or not isinstance(resource, Project | Run)
        },
    )
    uploads = prepare_uploads(
        projects,
        declared_schemas(projects),
        session.specification.workspace.limits.predictions_per_job,
    )
    return {
        address: one.contents
        for address, those in uploads.items()
        for one in those
        if one.contents
    }


def _ask(
    session: Session,
    wanted: Wanted,
    source: RemoteId | None,
    to_come: Mapping[Address, Mapping[str, ContentHash]],
) -> Content:
    if source is not None:
        return ask(wanted, source, session.reader, session.target)
    contents = to_come.get(_source(wanted))
    if contents is None or not isinstance(wanted, WantedLabels):
        raise InputError([_absent(wanted)])
    return expect(wanted, contents, session.target)


def _lock(
    session: Session, each: Due, content: Content, staged: Staged, *, mode: Mode
) -> Locked:
    wanted = each.wanted
    before = held(wanted)
    change = None if before is None else compare(*_comparable(before, content))
    is_same = before is not None and not change and each.is_usable
    limit = session.specification.workspace.limits.lock_rows
    if mode is not Mode.CHECK and not (is_same and is_written(content, before, limit)):
        stage(content, wanted, staged, lock_rows=limit)
    return Locked(
        addresses=each.addresses,
        name=wanted.file.name,
        fate=_fate(mode, is_same=is_same, is_there=before is not None),
        rows=len(content.facts),
        change=change,
        problem=each.problem if mode is Mode.CHECK and not each.is_usable else None,
        digest=_digest_to_say(content, wanted, limit),
    )


def _comparable(before: Content, after: Content) -> tuple[Facts, Facts]:
    if not (isinstance(before, Labels) and isinstance(after, Labels)):
        return before.facts, after.facts
    # A lock that was made before its project doesn't know when anything changed.
    known = {
        key: (content, changed if before.facts.get(key, (content, ""))[1] else "")
        for key, (content, changed) in after.facts.items()
    }
    return before.facts, known


def _fate(mode: Mode, *, is_same: bool, is_there: bool) -> Fate:
    if is_same:
        return Fate.KEPT
    if mode is Mode.CHECK:
        return Fate.DIFFERS
    return Fate.UPDATED if is_there else Fate.MADE


def _digest_to_say(content: Content, wanted: Wanted, limit: int) -> str | None:
    match content, wanted:
        case Rows(), WantedRows(digest=said):
            needed = said is not None or len(content.rows) > limit
            return content.digest if needed and content.digest != said else None
        case _:
            return None


def _sources(desired: Desired, asked: Iterable[Due]) -> Desired:
    """Refer to datasets, and ask for projects, which may still have to be made."""
    resources: dict[Address, Resource] = {}
    for each in asked:
        address = _source(each.wanted)
        resources[address] = (
            desired.resources[address]
            if address.kind is Kind.PROJECT
            else Dataset(address.name)
        )
    return Desired(
        resources=resources,
        origins={one: desired.origins[one] for one in resources},
        pins={one: desired.pins[one] for one in resources if one in desired.pins},
    )


def _source(wanted: Wanted) -> Address:
    match wanted:
        case WantedRows():
            return wanted.selection.source
        case WantedLabels():
            return wanted.project


def _absent(wanted: Wanted) -> Diagnostic:
    return Diagnostic(
        code="not-found",
        message=f"{_source(wanted)} does not exist on the remote",
        span=wanted.span,
        hint="apply what declares it first",
    )


# --- What differs


def compare(before: Facts, after: Facts) -> Change:
    """Find out what differs between what a lock says and what it would say now."""
    added = sorted(after.keys() - before.keys())
    removed = sorted(before.keys() - after.keys())
    changed = sorted(
        key for key, facts in after.items() if before.get(key, facts) != facts
    )
    samples = (
        *(f"+ {key}" for key in added[:_SAMPLES]),
        *(f"- {key}" for key in removed[:_SAMPLES]),
        *(f"~ {key}{_became(before[key], after[key])}" for key in changed[:_SAMPLES]),
    )
    return Change(
        added=len(added),
        removed=len(removed),
        changed=len(changed),
        samples=samples[:_SAMPLES],
    )


def _became(before: Sequence[str], after: Sequence[str]) -> str:
    """Say what became of facts; a hash says nothing to anybody."""
    if after[0].startswith("sha256:"):
        return ""
    pairs = zip(before, after, strict=True)
    said = [f"{old or 'none'} -> {new or 'none'}" for old, new in pairs if old != new]
    return f" ({', '.join(said)})"

"""What must be locked, where its lock is, and what the lock says.

A problem with a lock stops a plan, but not `reconciler lock`, which is there to
mend it: such problems are kept apart from all others.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias
from urllib.parse import quote

from reconciler.diagnostics import Diagnostic, Span
from reconciler.manifest.document import Document
from reconciler.manifest.schema import LabelsShape
from reconciler.manifest.select import Astray, Files
from reconciler.rows.lock import LabelsHeader, LockError, RowsHeader, read_header, says
from reconciler.rows.lock_labels import read_labels
from reconciler.rows.lock_rows import LockedRows, read_rows
from reconciler.rows.selecting import SelectedSplit
from reconciler.state.address import Address, RemoteId, project_address
from reconciler.state.canonical import JsonValue
from reconciler.state.labels import LabelPins
from reconciler.state.selection import Selection

PathInDocument: TypeAlias = tuple[str | int, ...]

ENDING: Final = ".lock"
"""How the name of a lock ends."""

_PARQUET: Final = ".parquet"
_LONGEST: Final = 200
_SEPARATING: Final = frozenset('/\\%:*?"<>|')


@dataclass(frozen=True, slots=True)
class LockFile:
    """Where a lock is, or will be.

    Attributes:
        path: Absolute, inside of the workspace, without symbolic links.
        name: What to call it: relative to the workspace, with `/`.
    """

    path: Path
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedRows:
    """Rows that must be locked.

    Attributes:
        address: The DataRows.
        file: Their lock.
        parquet: Where the rows of a large lock are; a link is followed.
        selection: Which rows are meant.
        rule: How they are split; None leaves splits unmanaged.
        splits: The rule, as locks say it.
        span: Where the manifest selects.
        digest: What the manifest says the rows are; None when it doesn't.
    """

    address: Address
    file: LockFile
    parquet: LockFile
    selection: Selection
    rule: SelectedSplit | None
    splits: JsonValue
    span: Span
    digest: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedLabels:
    """Labels that must be locked.

    Attributes:
        address: The run.
        file: Their lock, which several runs may share.
        project: Where the project is declared that has the labels.
        span: Where the manifest names the project.
    """

    address: Address
    file: LockFile
    project: Address
    span: Span


Wanted: TypeAlias = WantedRows | WantedLabels


@dataclass(frozen=True, slots=True)
class Locks:
    """What the documents of a workspace want locked.

    Attributes:
        wanted: In the order of the documents.
        problems: What is wrong with locks, and what only a lock can mend.
    """

    wanted: dict[Address, Wanted] = field(default_factory=dict)
    problems: list[Diagnostic] = field(default_factory=list)
    _by_file: dict[str, Wanted] = field(default_factory=dict)
    _pins: dict[tuple[str, Address | None], LabelPins | Diagnostic] = field(
        default_factory=dict
    )

    def add(self, wanted: Wanted) -> Diagnostic | None:
        """Remember what is wanted; says so when another one takes the same lock."""
        self.wanted.setdefault(wanted.address, wanted)
        other = self._by_file.setdefault(wanted.file.name, wanted)
        if _content(other) == _content(wanted):
            return None
        return Diagnostic(
            code="lock-shared",
            message=f"{wanted.file.name} would be the lock of {wanted.address} and "
            f"of {other.address}, which want something else",
            span=wanted.span,
            hint="give one of them another `lock`",
            related=((other.span, "the other one"),),
        )

    def pins(
        self, file: LockFile, project: Address | None, *, address: Address, span: Span
    ) -> LabelPins | Diagnostic:
        """Read locked labels, if they are of the project; each file only once."""
        at = (file.name, project)
        if at not in self._pins:
            self._pins[at] = _read_pins(file, project, address=address, span=span)
        return self._pins[at]


def _content(wanted: Wanted) -> object:
    match wanted:
        case WantedRows():
            return wanted.selection, wanted.splits
        case WantedLabels():
            return wanted.project


# --- Where locks are


def place_lock(
    files: Files,
    span: Span,
    document: Document,
    *,
    given: str | None,
    folder: str,
    names: Sequence[str],
) -> tuple[LockFile, LockFile] | Diagnostic:
    """Find where a lock is or will be, and the Parquet file beside it.

    Args:
        files: The files of the workspace.
        span: Where it is named, or else what wants it.
        document: The document that wants it.
        given: The path that is written, relative to the document; None for the
            default.
        folder: The folder of the default, below `locks`.
        names: What the default is called after.
    """
    if given is not None and not given.endswith(ENDING):
        return Diagnostic(
            code="wrong-value",
            message=f"{given} can't be a lock",
            span=span,
            hint=f"the names of locks end in {ENDING}",
        )
    text = given or f"locks/{folder}/{'/'.join(map(file_name, names))}{ENDING}"
    at = (files.root / document.source.file).parent
    found: list[LockFile] = []
    for each in (text, text.removesuffix(ENDING) + _PARQUET):
        placed = files.place(at, each)
        if isinstance(placed, Astray):
            return placed.at(span)
        found.append(LockFile(placed, placed.relative_to(files.root).as_posix()))
    return found[0], found[1]


def file_name(name: str) -> str:
    """Write a name as one segment of a path: percent-encoded where it must be.

    Names that file systems have no room for are cut, and told apart by a hash.
    """
    encoded = "".join(
        quote(character, safe="")
        if character in _SEPARATING or not character.isprintable()
        else character
        for character in name
    )
    if encoded.startswith("."):
        encoded = f"%2E{encoded[1:]}"
    whole = encoded.encode()
    if len(whole) <= _LONGEST:
        return encoded
    kept = whole[: _LONGEST - 17].decode(errors="ignore").rstrip("%")
    return f"{kept}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"


# --- What locks say


def read_rows_lock(wanted: WantedRows) -> LockedRows | Diagnostic:
    """Read locked rows, if they are those that the manifest wants."""
    at = _At(wanted.file, wanted.address, wanted.span)
    try:
        header = read_header(wanted.file.path)
        if not isinstance(header, RowsHeader):
            return at.outdated("labels, not for rows")
        if not says(header.select, wanted.selection.to_json()):
            return at.outdated("another selection")
        if not says(header.splits, wanted.splits):
            return at.outdated("other splits")
        found = read_rows(wanted.file.path, header, parquet=wanted.parquet.path)
    except LockError as error:
        return at.edited(error)
    except OSError as error:
        return at.unreadable(error)
    if header.parquet is not None and wanted.digest is None:
        return Diagnostic(
            code="digest-missing",
            message=f"{wanted.file.name} keeps its {header.rows:,} rows in a Parquet "
            "file, and nothing in the manifest says which they are",
            span=wanted.span,
            hint=f"add `digest: {found.membership.digest()}`",
        )
    return found


def read_label_lock(
    files: Files,
    document: Document,
    path: PathInDocument,
    shape: LabelsShape,
    *,
    run: Address,
    locks: Locks,
) -> tuple[LabelPins | None, tuple[Diagnostic, ...]]:
    """Read the labels of a run from their lock.

    Args:
        files: The files of the workspace.
        document: The document of the run.
        path: Where its labels are declared.
        shape: What is declared: a project, a lock, or both.
        run: The run.
        locks: Takes what must be locked, and what is wrong with locks.

    Returns:
        The labels, if nothing is wrong; and what is wrong but for locks.
    """
    span = document.span((*path, "lock" if shape.project is None else "project"))
    placed = place_lock(
        files, span, document, given=shape.lock, folder="labels", names=run.path
    )
    if isinstance(placed, Diagnostic):
        return None, (placed,)
    file, _ = placed
    project = None if shape.project is None else project_address(shape.project)
    if project is not None:
        wanted = WantedLabels(address=run, file=file, project=project, span=span)
        if shared := locks.add(wanted):
            return None, (shared,)
    found = locks.pins(file, project, address=run, span=span)
    if isinstance(found, LabelPins):
        return found, ()
    if project is None:
        return None, (found,)
    locks.problems.append(found)
    return None, ()


def _read_pins(
    file: LockFile, project: Address | None, *, address: Address, span: Span
) -> LabelPins | Diagnostic:
    at = _At(file, address, span, can_lock=project is not None)
    try:
        header = read_header(file.path)
        if not isinstance(header, LabelsHeader):
            return at.outdated("rows, not for labels")
        if project is not None and header.project != str(project):
            return at.outdated("another project")
        return LabelPins(
            project=project,
            organisation=RemoteId(header.organisation),
            labels=read_labels(file.path, header),
            digest=header.labels,
            name=file.name,
        )
    except LockError as error:
        return at.edited(error)
    except OSError as error:
        return at.unreadable(error)


@dataclass(frozen=True, slots=True)
class _At:
    """Says what is wrong with a lock, and how to mend it.

    Attributes:
        file: The lock.
        address: What it is for.
        span: What wants it.
        can_lock: Whether `reconciler lock` can make it again.
    """

    file: LockFile
    address: Address
    span: Span
    can_lock: bool = True

    def outdated(self, what: str) -> Diagnostic:
        return Diagnostic(
            code="lock-outdated",
            message=f"{self.file.name} was made for {what}",
            span=self.span,
            hint=self._advice("--update "),
        )

    def edited(self, error: LockError) -> Diagnostic:
        return Diagnostic(
            code="lock-edited",
            message=f"{self.file.name} isn't as it was made: {error.why}",
            span=Span(self.file.name, error.line),
            hint=self._advice("--update "),
            related=((self.span, "wanted here"),),
        )

    def unreadable(self, error: OSError) -> Diagnostic:
        if isinstance(error, FileNotFoundError):
            return Diagnostic(
                code="lock-missing",
                message=f"{self.address} has no lock: there is no {self._named(error)}",
                span=self.span,
                hint=self._advice(""),
            )
        why = (error.strerror or "it can't be read").lower()
        return Diagnostic(
            code="file-missing",
            message=f"{self._named(error)} can't be opened: {why}",
            span=self.span,
        )

    def _named(self, error: OSError) -> str:
        # The Parquet file may be what is missing.
        is_beside = error.filename and str(error.filename).endswith(_PARQUET)
        return self.file.name.removesuffix(ENDING) + (_PARQUET if is_beside else ENDING)

    def _advice(self, option: str) -> str:
        if not self.can_lock:
            return "name the project it is of, or bring back the lock as it was"
        return f"run `reconciler lock {option}{self.address}`, review, and commit it"

"""What manifests say of rows and files, to specs of files that are safe to open.

No path leaves the workspace: not by being absolute, not by `..`, not through a
symbolic link.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import groupby, islice
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from stat import S_ISLNK, S_ISREG
from typing import Final, TypeAlias

from reconciler.diagnostics import Diagnostic, Span
from reconciler.manifest.document import Document
from reconciler.manifest.fields import read_slice
from reconciler.manifest.schema import (
    DataRowsManifest,
    MembersShape,
    RowFileShape,
    RowNames,
    SplitsShape,
)
from reconciler.rows.problems import Advice
from reconciler.rows.spec import (
    InlineRows,
    MembershipSpec,
    RowFile,
    RowFormat,
    RowSource,
    SplitByColumn,
    SplitByHash,
    SplitByLists,
    SplitByPositions,
    SplitRule,
)
from reconciler.state.resources import RowIdentity, Split

FORMATS: Final = {
    ".csv": RowFormat.CSV,
    ".ndjson": RowFormat.NDJSON,
    ".jsonl": RowFormat.NDJSON,
    ".txt": RowFormat.TEXT,
    ".parquet": RowFormat.PARQUET,
}
"""The format of a row file, by the ending of its name."""

PathInDocument: TypeAlias = tuple[str | int, ...]

_ADVISED_OF: Final = 10_000
"""How many names of a folder are looked at for the one that was meant."""

# Control characters, what breaks lines or turns them around, and bytes of a
# name that are no UTF-8: any of them can make a message look like another one.
_UNFIT = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


# --- Files


@dataclass(frozen=True, slots=True)
class Located:
    """A regular file inside of the workspace.

    Attributes:
        path: Where to open it: absolute, without symbolic links.
        name: What to call it: relative to the workspace, with `/`.
        size: Length in bytes.
    """

    path: Path
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Astray:
    """A path that can't be used."""

    code: str
    message: str
    hint: str | None = None

    def at(self, span: Span) -> Diagnostic:
        """Say so, at the place that names the path."""
        return Diagnostic(
            code=self.code, message=self.message, span=span, hint=self.hint
        )


@dataclass(frozen=True, slots=True)
class Files:
    """The files of a workspace.

    Attributes:
        root: Folder of the workspace: absolute, without symbolic links.
    """

    root: Path
    _real: dict[Path, Path] = field(default_factory=dict, repr=False)
    _advice: Advice = field(default_factory=Advice, repr=False, compare=False)

    def locate(self, folder: Path, text: str) -> Located | Astray:
        """Find a file by its path relative to a folder of the workspace.

        Args:
            folder: Absolute; the folder that *text* is relative to.
            text: The path as it was written, with `/`.
        """
        path = self._inside(folder, text)
        if isinstance(path, Astray):
            return path
        try:
            status = path.lstat()
        except OSError as error:
            why = (error.strerror or "it can't be read").lower()
            return Astray(
                "file-missing", f"{text} can't be opened: {why}", self._advise(path)
            )
        if not S_ISREG(status.st_mode):
            return Astray("file-missing", f"{text} is no file")
        name = path.relative_to(self.root).as_posix()
        return Located(path, name, status.st_size)

    def place(self, folder: Path, text: str) -> Path | Astray:
        """Find where a file is, or would be, by its path; see `locate`."""
        return self._inside(folder, text)

    def check_folder(self, text: str) -> Astray | None:
        """Say what is wrong with a folder's path relative to the workspace."""
        path = self._inside(self.root, text)
        if isinstance(path, Astray):
            return path
        if not os.path.isdir(path):  # noqa: PTH112  # Path's raises
            why = f"there is no folder {text}"
            return Astray("file-missing", why, self._advise(path))
        return None

    def _inside(self, folder: Path, text: str) -> Path | Astray:
        if wrong := _check_name(text):
            return wrong
        if PurePosixPath(text).is_absolute() or PureWindowsPath(text).drive:
            return Astray(
                "file-outside",
                f"{text} is an absolute path",
                "give it relative to the file that names it",
            )
        path = self._follow(folder / text)
        if not path.is_relative_to(self.root):
            return Astray("file-outside", f"{text} is outside of the workspace")
        # Links may lead to other names than those that were written.
        inside = path.relative_to(self.root)
        if hidden := _hidden(PurePosixPath(text)) or _hidden(inside):
            return Astray(
                "file-outside",
                f"{text} is hidden by {hidden!r}: "
                "what begins with a dot is no part of the workspace",
            )
        return _check_name(inside.as_posix()) or path

    def _advise(self, path: Path) -> str | None:
        if not os.path.isdir(path.parent):  # noqa: PTH112  # Path's raises
            return f"there is no folder {path.parent.name!r}"
        return self._advice.nearest(path.name, _names(path.parent))

    def _follow(self, path: Path) -> Path:
        """Resolve symbolic links; remembers folders, for there are many files."""
        if path.name in ("", ".."):
            return real_path(path)
        parent = self._real.get(path.parent)
        if parent is None:
            parent = self._real[path.parent] = real_path(path.parent)
        followed = parent / path.name
        try:
            is_link = S_ISLNK(followed.lstat().st_mode)
        except OSError:
            return followed
        return real_path(followed) if is_link else followed


def real_path(path: Path) -> Path:
    """Make a path absolute and free of symbolic links, as far as it exists."""
    # Path.resolve raises for a loop of links, before Python 3.13.
    return Path(os.path.realpath(path))


def escaped(name: str) -> str:
    """Write a file's name so that it stays on its line, as itself."""
    return _UNFIT.sub(lambda it: it[0].encode("unicode_escape").decode(), name)


def _check_name(name: str) -> Astray | None:
    found = _UNFIT.search(name)
    if not found:
        return None
    is_byte = "\ud800" <= found[0] <= "\udfff"
    character = escaped(found[0])
    why = "isn't UTF-8" if is_byte else f"holds the control character {character}"
    return Astray("file-name", f"the name {escaped(name)} {why}", "rename the file")


def _hidden(path: PurePath) -> str | None:
    return next(
        (part for part in path.parts if part.startswith(".") and part != ".."), None
    )


def _names(folder: Path) -> Iterator[str]:
    """Go through what may be named of a folder; nothing of an unreadable one."""
    try:
        with os.scandir(folder) as inside:
            names = sorted(each.name for each in islice(inside, _ADVISED_OF))
    except OSError:
        return
    for name in names:
        if not name.startswith(".") and not _UNFIT.search(name):
            yield name


def row_format(name: str) -> RowFormat | Astray:
    """Tell a row file's format by its ending."""
    found = FORMATS.get(PurePosixPath(name).suffix.lower())
    if found is None:
        endings = ", ".join(FORMATS)
        return Astray(
            "file-format",
            f"{name} isn't of a format that rows are read from",
            f"the endings are {endings}",
        )
    return found


# --- Memberships


def _decimal(number: float) -> Decimal:
    """Take a number for what was written, not for its nearest fraction of twos."""
    whole = number.is_integer() and abs(number) <= 100
    return Decimal(int(number)) if whole else Decimal(repr(number))


class SpecBuilder:
    """Builds the spec of one membership, and collects what is wrong with it.

    Attributes:
        problems: What is wrong; a spec counts only while there is nothing.
    """

    def __init__(self, files: Files, document: Document) -> None:
        self.problems: list[Diagnostic] = []
        self._files = files
        self._document = document
        self._folder = (files.root / document.source.file).parent

    def build(
        self, shape: DataRowsManifest | MembersShape, path: PathInDocument
    ) -> MembershipSpec:
        """Turn the membership that stands at *path* into a spec."""
        if shape.global_keys is not None:
            by, names, key = RowIdentity.GLOBAL_KEY, shape.global_keys, "globalKeys"
        else:
            assert shape.data_row_ids is not None
            by, names, key = RowIdentity.DATA_ROW_ID, shape.data_row_ids, "dataRowIds"
        return MembershipSpec(
            by=by,
            sources=self.sources(names, (*path, key)),
            splits=self.rule(shape.splits, (*path, "splits")) if shape.splits else None,
            span=self._document.key_span((*path, key)),
        )

    def sources(self, names: RowNames, path: PathInDocument) -> tuple[RowSource, ...]:
        """Find the lists of names, and the files of them, that stand at *path*."""
        if isinstance(names, RowFileShape):
            return self._file(names, path)
        if not names:
            why = Astray(
                "selects-nothing",
                f"`{path[-1]}` names no rows",
                "only `rows: []` in a ModelRun means a run without rows",
            )
            self.problems.append(self._say(path, why))
        sources: list[RowSource] = []
        for kind, group in groupby(enumerate(names), lambda item: type(item[1])):
            items = list(group)
            if kind is str:
                inline = [name for _, name in items if isinstance(name, str)]
                positions = range(items[0][0], items[-1][0] + 1)
                spans = self._document.spans(path, positions)
                sources.append(InlineRows(inline, spans))
            for position, item in items:
                if isinstance(item, RowFileShape):
                    sources.extend(self._file(item, (*path, position)))
        return tuple(sources)

    def _file(self, shape: RowFileShape, path: PathInDocument) -> tuple[RowFile, ...]:
        found = self._open(shape, path)
        if isinstance(found, RowFile):
            return (found,)
        self.problems.append(found)
        return ()

    def _open(self, shape: RowFileShape, path: PathInDocument) -> RowFile | Diagnostic:
        at = (*path, "file")
        located = self._files.locate(self._folder, shape.file)
        if isinstance(located, Astray):
            return self._say(at, located)
        how = row_format(shape.file)
        if isinstance(how, Astray):
            return self._say(at, how)
        if how is RowFormat.TEXT and shape.column is not None:
            why = f"{shape.file} is a text file, which has no columns"
            return self._say((*path, "column"), Astray("wrong-value", why))
        if how is not RowFormat.TEXT and shape.column is None:
            why = f"{shape.file} has columns: `column` is needed"
            return self._say(path, Astray("missing-field", why))
        return RowFile(
            path=located.path,
            name=located.name,
            format=how,
            column=shape.column,
            span=self._document.span(at),
            column_span=self._document.span((*path, "column")),
        )

    def rule(self, shape: SplitsShape, path: PathInDocument) -> SplitRule:
        """Turn the rule of splits that stands at *path* into a value."""
        span = self._document.span
        if shape.column is not None:
            return SplitByColumn(shape.column, span((*path, "column")))
        if shape.lists is not None:
            at = (*path, "lists")
            lists = {
                Split(split): self.sources(names, (*at, split))
                for split, names in shape.lists.items()
            }
            return SplitByLists(lists, self._document.key_span(at))
        if shape.positions is not None:
            at = (*path, "positions")
            slices = {
                Split(split): read_slice(text)
                for split, text in shape.positions.items()
            }
            return SplitByPositions(
                slices, {split: span((*at, str(split))) for split in slices}
            )
        assert shape.hash is not None
        return SplitByHash(
            weights={
                Split(split): _decimal(weight)
                for split, weight in shape.hash.weights.items()
            },
            salt=shape.hash.salt,
            group=shape.hash.group,
            span=span((*path, "hash", "weights")),
        )

    def _say(self, path: PathInDocument, found: Astray) -> Diagnostic:
        return found.at(self._document.span(path))

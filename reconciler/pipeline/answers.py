"""What a remote says that locks must hold, and how it is written down."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeAlias

from reconciler.diagnostics import Diagnostic, InputError, Span, counted
from reconciler.manifest.locks import Wanted, WantedLabels, WantedRows
from reconciler.pipeline.staging import Staged
from reconciler.plan.build import Target
from reconciler.ports import Reader
from reconciler.rows.digest import digest_rows
from reconciler.rows.lock import (
    LabelsHeader,
    LockError,
    RowsHeader,
    file_digest,
    read_header,
)
from reconciler.rows.lock_labels import labels_header, labels_lines, read_labels
from reconciler.rows.lock_rows import (
    in_parquet,
    read_rows,
    row_fields,
    rows_header,
    rows_lines,
)
from reconciler.rows.names import check_name
from reconciler.rows.selecting import choose
from reconciler.state.address import RemoteId
from reconciler.state.labels import ContentHash, CurrentLabel, PinnedLabel
from reconciler.state.resources import RowIdentity, Split

_SAMPLES: Final = 10

Facts: TypeAlias = Mapping[str, tuple[str, ...]]
"""What a lock says of each row, by global key."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows that a lock holds, or must hold.

    Attributes:
        header: What the lock says of itself.
        rows: Splits by global key.
        groups: Groups by global key; None when nobody asks.
    """

    header: RowsHeader
    rows: Mapping[str, Split]
    groups: Mapping[str, str] | None

    @property
    def facts(self) -> Facts:
        """What is said of each row: split and group."""
        known = self.groups or {}
        return {key: (split, known.get(key, "")) for key, split in self.rows.items()}

    @property
    def digest(self) -> str:
        """What a manifest may say that the rows are."""
        return digest_rows(self.rows.items())


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels that a lock holds, or must hold, by global key."""

    header: LabelsHeader
    labels: Mapping[str, PinnedLabel]

    @property
    def facts(self) -> Facts:
        """What is said of each row: the content of its label, and its last change."""
        return {
            key: (label.content, label.changed or "")
            for key, label in self.labels.items()
        }


Content: TypeAlias = Rows | Labels


def ask(wanted: Wanted, source: RemoteId, reader: Reader, target: Target) -> Content:
    """Ask a remote what a lock must hold.

    Args:
        wanted: What is to be locked.
        source: Id of the dataset or project that it is of.
        reader: The remote.
        target: Which remote.

    Raises:
        InputError: With all that can't be locked.
        RemoteError: When it can't be read whole.
    """
    match wanted:
        case WantedRows():
            select = wanted.selection
            batches = reader.select(select, source)
            chosen = choose(batches, select, wanted.rule, span=wanted.span)
            rows = rows_header(
                select=select.to_json(),
                splits=wanted.splits,
                endpoint=target.endpoint,
                organisation=target.organisation,
                rows=chosen.rows,
                groups=chosen.groups,
            )
            return Rows(rows, chosen.rows, chosen.groups)
        case WantedLabels():
            return _labels(
                wanted, pin(reader.read_project_labels(source), wanted.span), target
            )


def expect(
    wanted: WantedLabels, contents: Mapping[str, ContentHash], target: Target
) -> Labels:
    """Say what a lock must hold of a project that is declared, and not there yet.

    Args:
        wanted: What is to be locked.
        contents: What the declared ground truth says, by global key.
        target: Which remote.
    """
    pinned = {key: PinnedLabel(key, content) for key, content in contents.items()}
    return _labels(wanted, pinned, target)


def _labels(
    wanted: WantedLabels, pinned: Mapping[str, PinnedLabel], target: Target
) -> Labels:
    header = labels_header(
        project=wanted.project,
        endpoint=target.endpoint,
        organisation=target.organisation,
        labels=pinned,
    )
    return Labels(header, pinned)


def pin(labels: Iterable[CurrentLabel], span: Span) -> dict[str, PinnedLabel]:
    """Choose the label of each row: its only one, or else the benchmark.

    Args:
        labels: All labels of a project.
        span: Where the manifest names the project.

    Raises:
        InputError: When there is none, when rows have several, or can't be named.
    """
    by_row: dict[str, list[CurrentLabel]] = {}
    for label in labels:
        by_row.setdefault(label.row_id, []).append(label)
    pinned: dict[str, PinnedLabel] = {}
    several: list[str] = []
    nameless: list[str] = []
    for row_id, found in by_row.items():
        key = found[0].row
        if key is None or check_name(key, RowIdentity.GLOBAL_KEY):
            nameless.append(row_id)
            continue
        chosen = [one for one in found if one.benchmark] if len(found) > 1 else found
        if len(chosen) == 1:
            [label] = chosen
            pinned[key] = PinnedLabel(key, label.content, label.label_id, label.changed)
        else:
            several.append(key)
    problems = list(_objections(several, nameless, span))
    if not by_row:
        problems.append(
            Diagnostic(
                code="selects-nothing",
                message="the project has no labels",
                span=span,
                hint="`labels: none` means a run without labels",
            )
        )
    if problems:
        raise InputError(problems)
    return pinned


def _objections(
    several: list[str], nameless: list[str], span: Span
) -> Iterable[Diagnostic]:
    if several:
        yield Diagnostic(
            code="several-labels",
            message=f"{counted(len(several), 'data row')} with several labels, of "
            "which not exactly one is the benchmark",
            span=span,
            hint="make one label of each the benchmark, or name labels by `labelIds`; "
            "the first rows are below",
            details=tuple(sorted(several)[:_SAMPLES]),
        )
    if nameless:
        yield Diagnostic(
            code="row-without-key",
            message=f"{counted(len(nameless), 'labelled data row')} without a global "
            "key that a lock can hold",
            span=span,
            hint="give them global keys, or name labels by `labelIds`; the first ids "
            "are below",
            details=tuple(sorted(nameless)[:_SAMPLES]),
        )


def held(wanted: Wanted) -> Content | None:
    """Read what a lock holds, for whatever it was made; None when it can't be."""
    try:
        header = read_header(wanted.file.path)
        match header, wanted:
            case RowsHeader(), WantedRows(parquet=beside):
                found = read_rows(wanted.file.path, header, parquet=beside.path)
                groups = found.groups
                if groups is not None and not isinstance(groups, Mapping):
                    groups = groups.plain()
                return Rows(header, dict(found.membership), groups)
            case LabelsHeader(), WantedLabels():
                return Labels(header, read_labels(wanted.file.path, header))
            case _:
                return None
    except (LockError, OSError):
        return None


def is_written(content: Content, before: Content | None, lock_rows: int) -> bool:
    """Tell whether a lock would be written again as it is.

    Args:
        content: What it must hold.
        before: What it holds; None when there is none.
        lock_rows: How many rows a lock has at most as text.
    """
    match content, before:
        case Rows(), Rows(header=header):
            beside = header.parquet is not None
            here = content.header
            return beside is (len(content.rows) > lock_rows) and here == replace(
                header, parquet=None, lines=here.lines
            )
        case Labels(), Labels():
            return content == before
        case _:
            return False


def stage(content: Content, wanted: Wanted, staged: Staged, *, lock_rows: int) -> None:
    """Write a lock, and the Parquet file beside it where there are many rows.

    Args:
        content: What it must hold.
        wanted: Where it goes.
        staged: Takes the files.
        lock_rows: How many rows a lock has at most as text.

    Raises:
        InputError: When something else is in the Parquet file's place.
    """
    file = wanted.file.path
    match content:
        case Rows(header=header, rows=rows, groups=groups):
            assert isinstance(wanted, WantedRows)
            beside = wanted.parquet
            is_ours = _names(file, beside.path)
            if len(rows) <= lock_rows:
                if is_ours:
                    staged.remove(beside.path)
            elif beside.path.exists() and not is_ours:
                raise InputError([_taken(beside.name, wanted.span)])
            else:
                header = _with_parquet(content, beside.path, staged)
            staged.write(file, rows_lines(header, rows, groups))
        case Labels():
            staged.write(file, labels_lines(content.header, content.labels))


def _with_parquet(content: Rows, beside: Path, staged: Staged) -> RowsHeader:
    from reconciler.rows.lock_large import write_parquet  # duckdb is slow

    fields = row_fields(content.header, content.rows, content.groups)
    digest = staged.make(beside, lambda file: write_parquet(fields, file))
    return in_parquet(content.header, digest)


def _names(lock: Path, beside: Path) -> bool:
    """Tell whether a lock that there is has its rows in the file beside it."""
    try:
        header = read_header(lock)
        return isinstance(header, RowsHeader) and header.parquet == file_digest(beside)
    except (LockError, OSError):
        return False


def _taken(name: str, span: Span) -> Diagnostic:
    return Diagnostic(
        code="file-exists",
        message=f"the lock has so many rows that they go to {name}, which is there "
        "and not the lock's",
        span=span,
        hint="move the file away, or give another `lock`",
    )

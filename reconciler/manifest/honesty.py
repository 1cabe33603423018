"""Whether what runs learn from is also what they are examined with.

Looked at offline, as far as the manifests bring the data: what data rows are is
known of datasets with files, what belongs together of columns, locks and metadata.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Final, TypeAlias

from reconciler.diagnostics import Diagnostic, Span, counted
from reconciler.manifest.document import Document
from reconciler.manifest.memberships import Members
from reconciler.manifest.schema import DataRowsManifest, ModelRunManifest, WaiverShape
from reconciler.manifest.workspace import Checks, Severity
from reconciler.rows.honesty import Examinations, Overlap, Values, across_splits
from reconciler.rows.selecting import group_text
from reconciler.state.canonical import canonical_bytes
from reconciler.state.resources import DataRow, Dataset, LocalFile, RowIdentity

CONTENT: Final = "content-across-splits"
GROUP: Final = "group-across-splits"
FROZEN: Final = "frozen-trained-on"


@dataclass(frozen=True, slots=True)
class DeclaredRows:
    """A DataRows document.

    Attributes:
        document: The document.
        manifest: Its content.
        members: Its membership; None when that can't be read.
    """

    document: Document
    manifest: DataRowsManifest
    members: Members | None

    @property
    def is_read(self) -> bool:
        """Whether it is known which rows there are."""
        return self.members is not None


@dataclass(frozen=True, slots=True)
class DeclaredRun:
    """A ModelRun document, which may declare several runs of the same rows.

    Attributes:
        document: The document.
        manifest: Its content.
        members: The membership that is written in it; None when it has none.
    """

    document: Document
    manifest: ModelRunManifest
    members: Members | None

    @property
    def is_read(self) -> bool:
        """Whether it is known which rows are written in it."""
        return self.members is not None or isinstance(self.manifest.rows, str)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found.

    Attributes:
        problems: What is an error.
        warnings: What is only said.
    """

    problems: tuple[Diagnostic, ...]
    warnings: tuple[Diagnostic, ...]


Owner: TypeAlias = DeclaredRows | DeclaredRun


def check_honesty(
    *,
    rows: Sequence[DeclaredRows],
    runs: Sequence[DeclaredRun],
    datasets: Iterable[Dataset],
    checks: Checks,
    today: date,
) -> Verdict:
    """Check all memberships of a workspace, and who trains on frozen ones.

    Args:
        rows: Every DataRows document.
        runs: Every ModelRun document.
        datasets: Every dataset that is declared.
        checks: How strict to be.
        today: The day of UTC that waivers are compared with.
    """
    severities = {
        CONTENT: checks.content_across_splits,
        GROUP: checks.group_across_splits,
        FROZEN: checks.frozen_trained_on,
    }
    strict = {code: one for code, one in severities.items() if one is not Severity.OFF}
    known = _Known(tuple(datasets))
    trained = _trained(rows, runs) if FROZEN in strict else {}
    problems: list[Diagnostic] = []
    warnings: list[Diagnostic] = []
    owners: tuple[Owner, ...] = (*rows, *runs)
    for owner in owners:
        found = [*_crossings(owner, known, strict), *trained.get(id(owner), ())]
        warnings.extend(_unknown_groups(owner, known, strict))
        for severity, each in _judged(owner, found, strict, today):
            (problems if severity is Severity.ERROR else warnings).append(each)
    return Verdict(tuple(problems), tuple(warnings))


def _judged(
    owner: Owner,
    found: Sequence[Diagnostic],
    strict: Mapping[str, Severity],
    today: date,
) -> Iterator[tuple[Severity, Diagnostic]]:
    """Say what is found unless a waiver accepts it, and what waivers are for nothing."""
    waivers = owner.manifest.waivers
    valid = {one.check for one in waivers if _is_valid(one, today)}
    for each in found:
        if each.code not in valid:
            yield strict[each.code], each
    codes = {each.code for each in found}
    for number, waiver in enumerate(waivers):
        span = owner.document.span(("waivers", number))
        if waiver.check in codes and not _is_valid(waiver, today):
            if waiver.check not in valid:
                yield strict[waiver.check], _expired(waiver, span)
        elif waiver.check in strict and waiver.check not in codes and owner.is_read:
            yield Severity.WARNING, _unused(waiver, span)


def _is_valid(waiver: WaiverShape, today: date) -> bool:
    return today <= date.fromisoformat(waiver.expires)


def _expired(waiver: WaiverShape, span: Span) -> Diagnostic:
    return Diagnostic(
        code="waiver-expired",
        message=f"what is accepted of {waiver.check} was so until {waiver.expires}",
        span=span,
        hint="put the data right; or look at it again, and give a later day",
    )


def _unused(waiver: WaiverShape, span: Span) -> Diagnostic:
    return Diagnostic(
        code="waiver-unused",
        message=f"nothing is found of {waiver.check}, which is waived",
        span=span,
        hint="remove the waiver",
    )


# --- One membership


def _crossings(
    owner: Owner, known: "_Known", strict: Mapping[str, Severity]
) -> Iterator[Diagnostic]:
    members = owner.members
    if members is None or not members.rows.assigns_splits:
        return
    if CONTENT in strict and _is_by_key(members):
        found = across_splits(members.rows, known.contents)
        if found:
            yield Diagnostic(
                code=CONTENT,
                message=f"{counted(found.count, 'content')} in more than one split, "
                f"of {counted(found.rows, 'row')}",
                span=members.span,
                hint="keep one row of each, or put its rows into one split; the first "
                "are below",
                details=tuple(map(str, found.samples)),
            )
    groups = known.groups_of(members)
    if GROUP in strict and groups is not None:
        found = across_splits(members.rows, groups)
        if found:
            yield Diagnostic(
                code=GROUP,
                message=f"{counted(found.count, 'group')} in more than one split, "
                f"of {counted(found.rows, 'row')}",
                span=members.span,
                hint="split by a hash of the group, or put its rows into one split; "
                "the first are below",
                details=tuple(f"{one.value}: {one}" for one in found.samples),
            )


def _unknown_groups(
    owner: Owner, known: "_Known", strict: Mapping[str, Severity]
) -> Iterator[Diagnostic]:
    members = owner.members
    if members is None or members.group is None or GROUP not in strict:
        return
    groups = known.groups_of(members) or {}
    assert isinstance(groups, Mapping)
    if any(name in groups for name, _ in members.rows):
        return
    why = f"no data row of a declared Dataset says its {members.group!r}"
    hint = "declare a Dataset whose files have the metadata field, or name a `column`"
    if not _is_by_key(members):
        why = "rows are named by data row ids here, and by global keys in Datasets"
        hint = "name them by global keys, or name a `column` of the group"
    yield Diagnostic(
        code="group-unknown",
        message=f"{why}: groups aren't checked",
        span=owner.document.span(("group",)),
        hint=hint,
    )


class _Known:
    """What manifests say of data rows, by global key; found out when it is asked."""

    def __init__(self, datasets: Sequence[Dataset]) -> None:
        self._rows = [dataset.data_rows or {} for dataset in datasets]
        self._groups: dict[str, Mapping[str, str]] = {}

    @cached_property
    def contents(self) -> Mapping[str, str]:
        """What the content of each data row is; equal for equal contents."""
        return {key: _content(row) for rows in self._rows for key, row in rows.items()}

    def groups_of(self, members: Members) -> "Values | None":
        """Find the groups of rows, wherever they are said; None for none."""
        field = members.group
        if field is None or not _is_by_key(members):
            return members.groups
        if field not in self._groups:
            self._groups[field] = {
                key: group
                for rows in self._rows
                for key, row in rows.items()
                if (group := _metadata(row, field))
            }
        return self._groups[field]


def _is_by_key(members: Members) -> bool:
    return members.rows.by is RowIdentity.GLOBAL_KEY


def _content(row: DataRow) -> str:
    match row.content:
        case LocalFile(sha256=sha256):
            return f"file {sha256}"
        case str() as text:
            return f"text {text}"
        case other:
            return f"data {canonical_bytes(other).decode()}"


def _metadata(row: DataRow, field: str) -> str:
    values = (one["value"] for one in row.metadata if one.get("name") == field)
    return group_text(next(values, None))


# --- Memberships together


def _trained(
    rows: Sequence[DeclaredRows], runs: Sequence[DeclaredRun]
) -> Mapping[int, Sequence[Diagnostic]]:
    """Find who trains on frozen rows that the same model is examined with.

    Returns:
        What is found, by the identity of the run's document.
    """
    by_name = {each.manifest.name: each for each in rows}
    frozen = [
        (each, each.members.rows)
        for each in rows
        if each.manifest.frozen and each.members is not None
    ]
    examined_with: dict[str, set[str]] = {}
    for run in runs:
        if isinstance(run.manifest.rows, str):
            examined_with.setdefault(run.manifest.model, set()).add(run.manifest.rows)
    places = {each.manifest.name: n for n, (each, _) in enumerate(frozen)}
    examined = {
        model: tuple(sorted(places[name] for name in names if name in places))
        for model, names in examined_with.items()
    }
    # Models that are examined with the same rows share an index.
    indices = {
        positions: Examinations([frozen[position][1] for position in positions])
        for positions in examined.values()
        if positions
    }
    found: dict[int, list[Diagnostic]] = {}
    for run in runs:
        learned = _members_of(run, by_name)
        positions = examined.get(run.manifest.model, ())
        if learned is None or not positions:
            continue
        for at, overlap in indices[positions].trained_on(learned.rows).items():
            each, _ = frozen[positions[at]]
            found.setdefault(id(run), []).append(_trains(run, each, overlap))
    return found


def _members_of(run: DeclaredRun, rows: Mapping[str, DeclaredRows]) -> Members | None:
    if isinstance(run.manifest.rows, str):
        named = rows.get(run.manifest.rows)
        return named.members if named else None
    return run.members


def _trains(run: DeclaredRun, frozen: DeclaredRows, overlap: Overlap) -> Diagnostic:
    return Diagnostic(
        code=FROZEN,
        message=f"{counted(overlap.count, 'row')} in TRAINING that "
        f"{frozen.manifest.name!r} examines runs of {run.manifest.model!r} with",
        span=run.document.span(("rows",)),
        hint="leave these rows out, or put them into another split; the first are below",
        related=((frozen.document.span(("frozen",)), "frozen here"),),
        details=overlap.samples,
    )

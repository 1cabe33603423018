"""What documents say of data rows, to memberships: from sources, or from a lock."""

from dataclasses import dataclass
from typing import TypeAlias

from reconciler.diagnostics import Diagnostic, InputError, Span
from reconciler.manifest.document import Document
from reconciler.manifest.locks import (
    Locks,
    WantedRows,
    place_lock,
    read_rows_lock,
)
from reconciler.manifest.schema import ConditionShape, DataRowsManifest, MembersShape
from reconciler.manifest.select import Files, SpecBuilder
from reconciler.rows.honesty import Values
from reconciler.rows.listing import Beside
from reconciler.rows.membership import load_membership, load_values
from reconciler.rows.problems import Problems
from reconciler.rows.selecting import SelectedSplit, split_json
from reconciler.rows.spec import MembershipSpec, SplitByHash, SplitByLists
from reconciler.rows.splits import check_weights
from reconciler.state.address import Address, Kind, project_address
from reconciler.state.canonical import JsonValue, canonicalise
from reconciler.state.resources import Membership
from reconciler.state.selection import Condition, Selection

PathInDocument: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Members:
    """A membership that is declared.

    Attributes:
        rows: The membership.
        span: Where its splits are declared, or else its rows.
        groups: The group of each row; None when nobody asks, or when `group` says
            where to find it.
        group: Metadata field of declared data rows that says it; None for another
            place or none.
    """

    rows: Membership
    span: Span
    groups: "Values | None" = None
    group: str | None = None


def read_members(
    files: Files,
    document: Document,
    shape: DataRowsManifest | MembersShape,
    path: PathInDocument,
    locks: Locks,
) -> tuple[Members | None, tuple[Diagnostic, ...]]:
    """Read the rows that stand at *path*, from their sources or from their lock.

    Args:
        files: The files of the workspace.
        document: The document.
        shape: What is declared there.
        path: Where it is declared.
        locks: Takes what must be locked, and what is wrong with locks.

    Returns:
        The membership, unless anything is wrong; and what is wrong but for locks.
    """
    builder = SpecBuilder(files, document)
    if isinstance(shape, DataRowsManifest) and shape.select is not None:
        return _selected(files, document, shape, builder, locks)
    spec = builder.build(shape, path)
    if builder.problems:
        return None, tuple(builder.problems)
    try:
        rows = load_membership(spec)
        members = _with_group(document, shape, spec, rows, path)
    except InputError as error:
        return None, tuple(error.diagnostics)
    wrong = _check_digest(document, shape, rows)
    return (None, (wrong,)) if wrong else (members, ())


def _with_group(
    document: Document,
    shape: DataRowsManifest | MembersShape,
    spec: MembershipSpec,
    rows: Membership,
    path: PathInDocument,
) -> Members:
    span = _place(document, shape, path)
    group = shape.group if isinstance(shape, DataRowsManifest) else None
    if group is None or group.column is None:
        return Members(rows, span, group=None if group is None else group.metadata)
    beside = Beside(group.column, document.span(("group", "column")))
    return Members(rows, span, groups=load_values(spec, beside))


def _place(
    document: Document, shape: DataRowsManifest | MembersShape, path: PathInDocument
) -> Span:
    fields = {
        "splits": shape.splits,
        "globalKeys": shape.global_keys,
        "dataRowIds": shape.data_row_ids,
    }
    named = next(
        (name for name, value in fields.items() if value is not None), "select"
    )
    return document.key_span((*path, named))


# --- Selections


def _selected(
    files: Files,
    document: Document,
    manifest: DataRowsManifest,
    builder: SpecBuilder,
    locks: Locks,
) -> tuple[Members | None, tuple[Diagnostic, ...]]:
    problems = Problems()
    rule = _rule(builder, manifest, problems)
    splits = split_json(rule, problems)
    span = document.key_span(("select",))
    address = Address(Kind.ROWS, (manifest.name,))
    placed = place_lock(
        files,
        span if manifest.lock is None else document.span(("lock",)),
        document,
        given=manifest.lock,
        folder="rows",
        names=(manifest.name,),
    )
    if isinstance(placed, Diagnostic):
        problems.add(placed)
    if problems or isinstance(placed, Diagnostic):
        return None, tuple(problems)
    wanted = WantedRows(
        address=address,
        file=placed[0],
        parquet=placed[1],
        selection=selection(manifest),
        rule=rule,
        splits=splits,
        span=span,
        digest=manifest.digest,
    )
    if shared := locks.add(wanted):
        return None, (shared,)
    found = read_rows_lock(wanted)
    if isinstance(found, Diagnostic):
        locks.problems.append(found)
        return None, ()
    rows, groups = found.membership, found.groups
    if wrong := _check_digest(document, manifest, rows):
        locks.problems.append(wrong)
        return None, ()
    return Members(rows, _place(document, manifest, ()), groups=groups), ()


def _rule(
    builder: SpecBuilder, manifest: DataRowsManifest, problems: Problems
) -> SelectedSplit | None:
    if manifest.splits is None:
        return None
    rule = builder.rule(manifest.splits, ("splits",))
    for wrong in builder.problems:
        problems.add(wrong)
    if isinstance(rule, SplitByHash):
        for wrong in check_weights(rule):
            problems.add(wrong)
    assert isinstance(rule, SplitByHash | SplitByLists), "the schema lets no other pass"
    return rule


def selection(manifest: DataRowsManifest) -> Selection:
    """Say which rows a document selects, in the one form that plans and locks know."""
    shape = manifest.select
    assert shape is not None
    if shape.project is not None:
        source = project_address(shape.project)
    else:
        assert shape.dataset is not None
        source = Address(Kind.DATASET, (shape.dataset,))
    group = manifest.group.metadata if manifest.group else None
    if manifest.splits and manifest.splits.hash:
        group = group or manifest.splits.hash.group
    return Selection(
        source=source,
        keys=shape.keys,
        metadata=tuple(map(_condition, shape.metadata or ())),
        group=group,
    )


def _condition(shape: ConditionShape) -> Condition:
    equals: JsonValue = canonicalise(shape.equals)
    match equals:
        case None:
            values: tuple[JsonValue, ...] = ()
        case list():
            values = tuple(equals)
        case _:
            values = (equals,)
    return Condition(
        field=shape.field, equals=values, minimum=shape.min, maximum=shape.max
    )


# --- Digests


def _check_digest(
    document: Document, manifest: DataRowsManifest | MembersShape, rows: Membership
) -> Diagnostic | None:
    if not isinstance(manifest, DataRowsManifest) or manifest.digest is None:
        return None
    found = rows.digest()
    if manifest.digest == found:
        return None
    span = document.span(("digest",))
    if manifest.frozen:
        return Diagnostic(
            code="frozen-changed",
            message=f"{manifest.name!r} is frozen as {manifest.digest}, and its rows "
            f"are {found}",
            span=span,
            hint="bring the rows back; or review what changed, then set the digest to "
            "what they are",
        )
    return Diagnostic(
        code="digest-differs",
        message=f"the rows of {manifest.name!r} are {found}",
        span=span,
        hint="bring the rows back, or set the digest to what they are",
    )

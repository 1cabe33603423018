"""What a remote offers, to the rows that a selection chooses, with their splits.

A selection is resolved once, by `reconciler lock`; what is decided here ends in a
lock, and no plan decides it again.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from reconciler.diagnostics import Diagnostic, Span, counted
from reconciler.rows.assemble import assemble
from reconciler.rows.conditions import identity, key_filter, meets
from reconciler.rows.digest import digest_lines
from reconciler.rows.listing import read_entries
from reconciler.rows.names import check_name
from reconciler.rows.problems import Problems
from reconciler.rows.spec import (
    InlineRows,
    MembershipSpec,
    SplitByHash,
    SplitByLists,
)
from reconciler.rows.splits import check_weights, hash_bounds, hashed_split
from reconciler.state.canonical import JsonValue, canonicalise
from reconciler.state.resources import RowIdentity, Split
from reconciler.state.selection import SelectedRow, Selection

SelectedSplit: TypeAlias = SplitByHash | SplitByLists
"""How selected rows are split: they have neither columns nor an order."""

_SAMPLES: Final = 10

# What would break a line of a lock, or make it look like another one.
_UNFIT: Final = re.compile(
    "[\\\\\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The rows of a selection.

    Attributes:
        rows: Splits by global key; all UNASSIGNED where splits aren't managed.
        groups: The group of each row that has one; None when nobody asks.
    """

    rows: Mapping[str, Split]
    groups: Mapping[str, str] | None


def choose(
    batches: Iterable[Sequence[SelectedRow]],
    selection: Selection,
    rule: SelectedSplit | None,
    *,
    span: Span,
) -> Chosen:
    """Filter what a remote offers by a selection, and split what is left.

    Args:
        batches: What there is to choose from.
        selection: What is asked for; a hash by group goes by its group.
        rule: How rows are split; None leaves splits unmanaged.
        span: Where the manifest selects.

    Raises:
        InputError: When nothing is chosen, when rows can't be named or split,
            or when the rule is wrong: all of it.
    """
    found = _Found()
    matching = key_filter(selection.keys, span)
    conditions = [meets(condition) for condition in selection.metadata]
    for batch in batches:
        meeting = [row for row in batch if all(met(row.metadata) for met in conditions)]
        matched = matching([row.key or "" for row in meeting])
        for row, fits in zip(meeting, matched, strict=True):
            if fits:
                found.add(row, selection.group)
    problems = Problems()
    for wrong in found.problems(selection, span):
        problems.add(wrong)
    if isinstance(rule, SplitByHash):
        for wrong in _check_hash(rule, found.groups, span):
            problems.add(wrong)
    problems.raise_if_any()
    known = {key: group for key, group in found.groups.items() if group}
    return Chosen(
        _split(found.groups, rule, span), None if selection.group is None else known
    )


@dataclass(slots=True)
class _Found:
    """What was chosen so far: groups by key, and what can't be named."""

    groups: dict[str, str] = field(default_factory=dict)
    keyless: set[str] = field(default_factory=set)
    unfit: set[str] = field(default_factory=set)

    def add(self, row: SelectedRow, group: str | None) -> None:
        if row.key is None:
            self.keyless.add(row.id)
        elif check_name(row.key, RowIdentity.GLOBAL_KEY):
            self.unfit.add(row.key)
        else:
            value = None if group is None else row.metadata.get(group)
            self.groups[row.key] = group_text(value)

    def problems(self, selection: Selection, span: Span) -> Iterator[Diagnostic]:
        if self.keyless:
            yield Diagnostic(
                code="row-without-key",
                message=f"{counted(len(self.keyless), 'selected data row')} "
                "without a global key",
                span=span,
                hint="give them global keys, or leave them out with `keys`; the first "
                "ids are below",
                details=_samples(self.keyless),
            )
        if self.unfit:
            yield Diagnostic(
                code="row-invalid",
                message=f"{counted(len(self.unfit), 'selected data row')} with a "
                "global key that no lock can hold",
                span=span,
                hint="it may have 200 characters, no control characters, and no "
                "leading, trailing or doubled white space",
                details=tuple(repr(key) for key in _samples(self.unfit)),
            )
        if not (self.groups or self.keyless or self.unfit):
            yield Diagnostic(
                code="selects-nothing",
                message=f"no data row of {selection.source} is selected",
                span=span,
                hint="loosen `keys` and `metadata`, or see what the source holds",
            )


def group_text(value: JsonValue) -> str:
    """Write the value of a metadata field as a group; nothing is an empty text.

    Control characters and backslashes are escaped, so that a group stays on its
    line, and different values stay different.
    """
    match value:
        case None:
            return ""
        case str():
            return _UNFIT.sub(lambda found: f"\\u{ord(found[0]):04x}", value)
        case _:
            return group_text(identity(value).decode())


def _samples(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(names)[:_SAMPLES])


# --- Splits


def _check_hash(
    rule: SplitByHash, groups: Mapping[str, str], span: Span
) -> Iterator[Diagnostic]:
    yield from check_weights(rule)
    lacking = (
        [] if rule.group is None else [k for k, group in groups.items() if not group]
    )
    if lacking:
        yield Diagnostic(
            code="split-group",
            message=f"{counted(len(lacking), 'selected data row')} without the "
            f"metadata field {rule.group!r}, which splits are made by",
            span=span,
            hint="fill the field in, or leave these rows out; the first are below",
            details=_samples(lacking),
        )


def _split(
    groups: Mapping[str, str], rule: SelectedSplit | None, span: Span
) -> Mapping[str, Split]:
    match rule:
        case None:
            return dict.fromkeys(groups, Split.UNASSIGNED)
        case SplitByHash():
            bounds = hash_bounds(rule.weights)
            return {
                key: hashed_split(
                    key if rule.group is None else group, rule.salt, bounds
                )
                for key, group in groups.items()
            }
        case SplitByLists():
            names = tuple(groups)
            listed = InlineRows(names, [span] * len(names))
            spec = MembershipSpec(RowIdentity.GLOBAL_KEY, (listed,), rule, span)
            return assemble(spec)


def split_json(rule: SelectedSplit | None, problems: Problems) -> JsonValue:
    """Say a rule in the one form that equal rules share; None for none.

    Lists are told by the SHA-256 of their sorted names, a line each.

    Args:
        rule: How selected rows are split.
        problems: What is wrong with lists.
    """
    match rule:
        case None:
            return None
        case SplitByHash():
            said: dict[str, JsonValue] = {
                "weights": {
                    split.value: canonicalise(float(weight))
                    for split, weight in rule.weights.items()
                },
                "salt": rule.salt,
                "group": rule.group,
            }
            return {"hash": said}
        case SplitByLists():
            lists: dict[str, JsonValue] = {}
            for split, sources in rule.lists.items():
                entries = read_entries(sources, RowIdentity.GLOBAL_KEY, problems)
                names = sorted({entry.name for entry in entries})
                lists[split.value] = digest_lines(f"{name}\n" for name in names)
            return {"lists": lists}

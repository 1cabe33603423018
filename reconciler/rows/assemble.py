"""A membership's description to its rows and their splits, with every problem.

The reference for whoever does the same in DuckDB.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from reconciler.diagnostics import Diagnostic, Span
from reconciler.rows.listing import Beside, Entry, read_entries
from reconciler.rows.problems import Problems
from reconciler.rows.spec import (
    InlineRows,
    MembershipSpec,
    RowSource,
    SplitByColumn,
    SplitByHash,
    SplitByLists,
    SplitByPositions,
    SplitRule,
)
from reconciler.rows.splits import (
    check_positions,
    check_weights,
    hash_bounds,
    hashed_split,
    position_ranges,
    split_hint,
    split_of,
)
from reconciler.state.resources import Split

_Put: TypeAlias = tuple[Entry, Split]
_Repeat: TypeAlias = tuple[str, Entry, Split, Split]

_ROW_KNOWN = frozenset({"row-twice", "row-in-two-splits", "unknown-split"})
"""Problems in spite of which it is known which rows there are."""


def assemble(spec: MembershipSpec) -> dict[str, Split]:
    """Read the rows of a membership, in order, each with its split.

    Checks that need all rows (is a listed row a member, does a slice select
    anything) are made only when all rows could be read.

    Raises:
        InputError: With all problems.
    """
    problems = Problems()
    if isinstance(spec.splits, SplitByHash):
        for wrong in check_weights(spec.splits):
            problems.add(wrong)
    _check_inline(spec.sources, spec, problems)
    beside = column_beside(spec.splits)
    members = read_entries(spec.sources, spec.by, problems, beside=beside)
    rule = None if problems.codes & {"split-weights"} else spec.splits
    rows, repeats = _collected(_put(members, rule, problems), problems)
    firsts = read_entries(spec.sources, spec.by, Problems(), beside=beside)
    _report(repeats, firsts, problems)
    match spec.splits:
        case SplitByLists():
            whole = problems.codes <= _ROW_KNOWN
            rows |= _by_lists(spec, spec.splits, rows if whole else None, problems)
        case SplitByPositions():
            _check_sources(spec, spec.splits, problems)
            if not problems:
                rows |= _by_positions(list(rows), spec.splits, problems)
        case _:
            pass
    problems.raise_if_any()
    return rows


def _put(
    members: Iterable[Entry], rule: SplitRule | None, problems: Problems
) -> Iterator[_Put]:
    """Give each row the split that follows from what stands beside it."""
    match rule:
        case SplitByColumn():
            return _by_column(members, rule, problems)
        case SplitByHash():
            return _by_hash(members, rule, problems)
        case SplitByLists() | SplitByPositions() | None:
            return ((entry, Split.UNASSIGNED) for entry in members)


def column_beside(rule: SplitRule | None) -> Beside | None:
    """Tell which column a rule needs beside the names."""
    match rule:
        case SplitByColumn():
            return Beside(rule.column, rule.span)
        case SplitByHash(group=str() as group):
            return Beside(group, rule.span)
        case _:
            return None


def _check_inline(
    sources: Sequence[RowSource], spec: MembershipSpec, problems: Problems
) -> None:
    for source in sources:
        if isinstance(source, InlineRows) and not source.names:
            problems.add(
                Diagnostic("selects-nothing", "the list names no rows", spec.span)
            )


def _check_sources(
    spec: MembershipSpec, rule: SplitByPositions, problems: Problems
) -> None:
    if len(spec.sources) > 1:
        problems.add(
            Diagnostic(
                "split-position",
                "positions need one list or file of rows; "
                f"there are {len(spec.sources)}",
                next(iter(rule.spans.values()), spec.span),
            )
        )


def _by_column(
    members: Iterable[Entry], rule: SplitByColumn, problems: Problems
) -> Iterator[_Put]:
    for entry in members:
        split = split_of(entry.value)
        if split is None:
            problems.add(
                entry.problem(
                    "unknown-split",
                    f"{entry.value!r} is no split",
                    column=rule.column,
                    hint=split_hint(entry.value),
                )
            )
        yield entry, split or Split.UNASSIGNED


def _by_hash(
    members: Iterable[Entry], rule: SplitByHash, problems: Problems
) -> Iterator[_Put]:
    bounds = hash_bounds(rule.weights)
    for entry in members:
        if rule.group is not None and not entry.value:
            problems.add(
                entry.problem(
                    "split-group",
                    f"the group {rule.group!r} of {entry.name!r} is empty",
                    column=rule.group,
                )
            )
        text = entry.name if rule.group is None else entry.value
        yield entry, hashed_split(text, rule.salt, bounds)


def _by_lists(
    spec: MembershipSpec,
    rule: SplitByLists,
    members: dict[str, Split] | None,
    problems: Problems,
) -> dict[str, Split]:
    for split, sources in rule.lists.items():
        _check_inline(sources, spec, problems)
        if not sources:
            what = f"the list of {split} names no rows"
            problems.add(Diagnostic("selects-nothing", what, rule.span))

    def puts(into: Problems) -> Iterator[_Put]:
        for split, sources in rule.lists.items():
            for entry in read_entries(sources, spec.by, into):
                yield entry, split

    rows, repeats = _collected(_members(puts(problems), members, problems), problems)
    _report(repeats, (entry for entry, _ in puts(Problems())), problems)
    return rows


def _members(
    puts: Iterable[_Put], members: dict[str, Split] | None, problems: Problems
) -> Iterator[_Put]:
    for entry, split in puts:
        if members is not None and entry.name not in members:
            what = f"{entry.name!r} is in {split}, but is none of the rows"
            problems.add(entry.problem("row-not-member", what))
        yield entry, split


def _by_positions(
    names: Sequence[str], rule: SplitByPositions, problems: Problems
) -> dict[str, Split]:
    for wrong in check_positions(rule, len(names)):
        problems.add(wrong)
    return {
        names[position]: split
        for split, positions in position_ranges(rule, len(names)).items()
        for position in positions
    }


def _collected(
    puts: Iterable[_Put], problems: Problems
) -> tuple[dict[str, Split], list[_Repeat]]:
    """Put rows into a mapping; keep the repeated ones that are to be shown."""
    rows: dict[str, Split] = {}
    repeats: list[_Repeat] = []
    for entry, split in puts:
        count = len(rows)
        before = rows.setdefault(entry.name, split)
        if len(rows) == count:
            code = "row-twice" if before is split else "row-in-two-splits"
            if problems.expect(code, entry.file):
                repeats.append((code, entry, before, split))
            else:
                problems.add_beyond(Diagnostic(code, "", entry.span))
    return rows, repeats


def _report(
    repeats: Sequence[_Repeat], again: Iterable[Entry], problems: Problems
) -> None:
    """Say which rows are repeated, and where each stood first.

    Places of first mentions aren't kept while reading, which would cost more
    than the rows; they are looked up by reading *again* until all are found.
    """
    missing = {entry.name for _, entry, _, _ in repeats}
    firsts: dict[str, Span] = {}
    for entry in again if missing else ():
        if entry.name in missing:
            missing.remove(entry.name)
            firsts[entry.name] = entry.span
            if not missing:
                break
    for code, entry, before, split in repeats:
        what = (
            f"{entry.name!r} is named twice"
            if before is split
            else f"{entry.name!r} is put into {before} and {split}"
        )
        first = firsts.get(entry.name)
        related = ((first, "first named here"),) if first else ()
        problems.add_expected(entry.problem(code, what, related=related))

"""Which labels a run has to be given, and which can't be had or got rid of."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

from reconciler.diagnostics import counted
from reconciler.plan.changes import Blocked, LabelsChange, Notice
from reconciler.rows.digest import digest_lines
from reconciler.state.address import Address, RemoteId
from reconciler.state.labels import (
    ContentHash,
    CurrentLabel,
    LabelIds,
    LabelPins,
    Labels,
    PinnedLabel,
    is_as_pinned,
)


@dataclass(frozen=True, slots=True)
class LabelsFound:
    """What comparing the labels of a run found.

    Attributes:
        change: What it has to be given.
        notices: What is worth saying.
        blocked: What must not happen as it stands.
    """

    change: LabelsChange
    notices: tuple[Notice, ...] = ()
    blocked: tuple[Blocked, ...] = ()


def compare_labels(
    wanted: Labels,
    *,
    address: Address,
    current: Sequence[CurrentLabel],
    members: Container[str] | None,
    upstream: Sequence[CurrentLabel] | None,
    coming: Mapping[str, ContentHash],
    organisation: RemoteId,
) -> LabelsFound:
    """Compare the labels that a run should have with those it has.

    Args:
        wanted: What is declared.
        address: The run.
        current: The labels that its rows have, at most one a row.
        members: Names of the rows that it should have; None when that isn't
            managed.
        upstream: The labels of the project that they come from, as they are now;
            None without a project, and for one that doesn't exist yet.
        coming: What the same plan makes labels of the project say, by global key;
            rows that it sends nothing for aren't in it.
        organisation: The one that the key belongs to; ids of labels are valid in
            the one they were locked in.
    """
    there = [one for one in current if _belongs(one, members)]
    match wanted:
        case LabelPins():
            sources = _Sources(wanted, upstream, coming, organisation)
            return _compare_pins(sources, address, there, members)
        case LabelIds():
            outside = [one for one in current if not _belongs(one, members)]
            return _compare_ids(wanted, address, there, outside)


def labels_digest(labels: Iterable[CurrentLabel]) -> str:
    """Name the labels of a run by the SHA-256 of their sorted lines."""
    return digest_lines(
        sorted(f"{one.row_id}\t{one.label_id}\t{one.content}\n" for one in labels)
    )


@dataclass(frozen=True, slots=True)
class _Sources:
    pins: LabelPins
    upstream: Sequence[CurrentLabel] | None
    coming: Mapping[str, ContentHash]
    organisation: RemoteId


def _belongs(label: CurrentLabel, members: Container[str] | None) -> bool:
    return members is None or label.row in members or label.row_id in members


def _compare_pins(
    sources: _Sources,
    address: Address,
    current: Sequence[CurrentLabel],
    members: Container[str] | None,
) -> LabelsFound:
    pins = [
        sources.pins.labels[row]
        for row in sorted(sources.pins.labels)
        # A lock may serve several runs, and pin rows that this one doesn't have.
        if members is None or row in members
    ]
    by_row = {one.row: one for one in current if one.row is not None}
    added = tuple(pin for pin in pins if pin.row not in by_row)
    replaced = tuple(
        pin
        for pin in pins
        if pin.row in by_row and not is_as_pinned(by_row[pin.row], pin)
    )
    pinned = {pin.row for pin in pins}
    surplus = [one for one in current if one.row not in pinned]
    notices = [
        *_surplus_notice(address, surplus),
        *_upstream_notice(address, sources, pins, members),
    ]
    return LabelsFound(
        LabelsChange(
            project=sources.pins.project,
            added=added,
            replaced=replaced,
            kept=len(pins) - len(added) - len(replaced),
            surplus=len(surplus),
            before=labels_digest(current),
        ),
        notices=tuple(notices),
        blocked=tuple(_unavailable(address, sources, (*added, *replaced))),
    )


def _surplus_notice(
    address: Address, surplus: Sequence[CurrentLabel]
) -> Iterable[Notice]:
    if surplus:
        yield Notice(
            code="labels-surplus",
            address=address,
            message=f"{counted(len(surplus), 'row')} {_have(surplus)} a label that the "
            f"lock doesn't pin, such as {_name(surplus[0])!r}; a label can't be taken "
            "from a row alone: remove the row, and add it again",
        )


def _upstream_notice(
    address: Address,
    sources: _Sources,
    pins: Sequence[PinnedLabel],
    members: Container[str] | None,
) -> Iterable[Notice]:
    if sources.upstream is None:
        return
    now = _by_row(sources.upstream)
    changed = [
        pin.row
        for pin in pins
        if sources.coming.get(pin.row) != pin.content
        and not any(is_as_pinned(one, pin) for one in now.get(pin.row, ()))
    ]
    pinned = {pin.row for pin in pins}
    new = (
        []
        if members is None
        else [row for row in sorted(now) if row in members and row not in pinned]
    )
    if not changed and not new:
        return
    parts = []
    if changed:
        parts.append(
            f"{counted(len(changed), 'label')} changed or vanished, such as that of "
            f"{changed[0]!r}"
        )
    if new:
        parts.append(
            f"{counted(len(new), 'more row')} {'has' if len(new) == 1 else 'have'} "
            f"one, such as {new[0]!r}"
        )
    yield Notice(
        code="labels-changed-upstream",
        address=address,
        message=f"in {sources.pins.project} since they were locked: "
        f"{'; '.join(parts)}; to take them as they are now: "
        f"reconciler lock --update {address}",
    )


def _unavailable(
    address: Address, sources: _Sources, needed: Sequence[PinnedLabel]
) -> Iterable[Blocked]:
    project = sources.pins.project
    now = _by_row(sources.upstream or ())
    missing = [pin for pin in needed if not _available(pin, sources, now)]
    if not missing:
        return
    allow = f"reconciler lock --update {address}, and a review of what it changes"
    if project is None:
        why = "the lock names no project, and its label ids mean nothing here"
    elif any(is_as_pinned(one, missing[0]) for one in now.get(missing[0].row, ())):
        why = f"the same plan replaces it in {project}"
        allow = f"apply {project} alone, then {allow}"
    else:
        why = f"{project} has no label that says what was locked"
    yield Blocked(
        code="label-unavailable",
        address=address,
        message=f"{counted(len(missing), 'pinned label')} can't be had, such as that "
        f"of {missing[0].row!r}: {why}",
        allow=allow,
    )


def _available(
    pin: PinnedLabel, sources: _Sources, now: Mapping[str, Sequence[CurrentLabel]]
) -> bool:
    pins = sources.pins
    if pins.project is None:
        return pin.label_id is not None and pins.organisation == sources.organisation
    there = now.get(pin.row, ())
    coming = sources.coming.get(pin.row)
    if coming is None or any(one.content == coming for one in there):
        return any(is_as_pinned(one, pin) for one in there)
    # The label is about to change: it keeps its id, and gets another time.
    redrawn = pin.changed is not None and any(
        one.label_id == pin.label_id for one in there
    )
    return coming == pin.content and not redrawn


def _by_row(labels: Iterable[CurrentLabel]) -> Mapping[str, Sequence[CurrentLabel]]:
    found: dict[str, list[CurrentLabel]] = {}
    for one in labels:
        if one.row is not None:
            found.setdefault(one.row, []).append(one)
    return found


def _compare_ids(
    wanted: LabelIds,
    address: Address,
    current: Sequence[CurrentLabel],
    others: Sequence[CurrentLabel],
) -> LabelsFound:
    there = {one.label_id for one in current}
    outside = [one for one in others if one.label_id in wanted.ids]
    missing = tuple(sorted(wanted.ids - there - {one.label_id for one in outside}))
    surplus = [one for one in current if one.label_id not in wanted.ids]
    change = LabelsChange(
        project=None,
        ids=missing,
        kept=len(there & wanted.ids),
        surplus=len(surplus),
        before=labels_digest(current),
    )
    blocked = [*_outside_rows(address, outside)]
    # Nobody knows which rows the missing ones are of, but each replaces at most one.
    if len(surplus) > len(missing):
        blocked.append(_not_removable(address, surplus))
    return LabelsFound(change, blocked=tuple(blocked))


def _outside_rows(
    address: Address, outside: Sequence[CurrentLabel]
) -> Iterable[Blocked]:
    # A label comes with its row: to add it would bring back what rows takes out.
    if outside:
        one = outside[0]
        yield Blocked(
            code="label-outside-rows",
            address=address,
            message=f"{counted(len(outside), 'declared label')} "
            f"{'is' if len(outside) == 1 else 'are'} of data rows that the run should "
            f"not have, such as {one.label_id} of {_name(one)!r}",
            allow="name those rows in rows, or take the labels out of labelIds",
        )


def _not_removable(address: Address, surplus: Sequence[CurrentLabel]) -> Blocked:
    return Blocked(
        code="labels-not-removable",
        address=address,
        message=f"{counted(len(surplus), 'row')} {_have(surplus)} a label that "
        f"is not declared, such as {_name(surplus[0])!r}, and a label can't be "
        "taken from a row alone",
        allow="take the rows out of the run, apply, and add them again; or "
        "declare the labels they have",
    )


def _have(those: Sequence[CurrentLabel]) -> str:
    return "has" if len(those) == 1 else "have"


def _name(label: CurrentLabel) -> str:
    return label.row if label.row is not None else label.row_id

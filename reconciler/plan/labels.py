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
    declared: Mapping[str, ContentHash] | None,
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
        declared: What the project's declared ground truth says, by global key;
            None when none is declared.
        organisation: The one that the key belongs to; ids of labels are valid in
            the one they were locked in.
    """
    there = [one for one in current if _belongs(one, members)]
    match wanted:
        case LabelPins():
            sources = _Sources(wanted, upstream, declared, organisation)
            return _compare_pins(sources, address, there, members)
        case LabelIds():
            return _compare_ids(wanted, address, there)


def labels_digest(labels: Iterable[CurrentLabel]) -> str:
    """Name the labels of a run by the SHA-256 of their sorted lines."""
    return digest_lines(
        sorted(f"{one.row_id}\t{one.label_id}\t{one.content}\n" for one in labels)
    )


@dataclass(frozen=True, slots=True)
class _Sources:
    pins: LabelPins
    upstream: Sequence[CurrentLabel] | None
    declared: Mapping[str, ContentHash] | None
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
        pin for pin in pins if pin.row in by_row and not _says(by_row[pin.row], pin)
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


def _says(label: CurrentLabel, pin: PinnedLabel) -> bool:
    if label.content != pin.content:
        return False
    # The pixels of masks aren't in the content; the time of a change stands for them.
    return None in (label.changed, pin.changed) or label.changed == pin.changed


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
    coming = sources.declared or {}
    changed = [
        pin.row
        for pin in pins
        if coming.get(pin.row) != pin.content
        and not any(_says(one, pin) for one in now.get(pin.row, ()))
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
    if project is None:
        why = "the lock names no project, and its label ids mean nothing here"
    else:
        why = f"{project} has no label that says what was locked"
    yield Blocked(
        code="label-unavailable",
        address=address,
        message=f"{counted(len(missing), 'pinned label')} can't be had, such as that "
        f"of {missing[0].row!r}: {why}",
        allow=f"reconciler lock --update {address}, and a review of what it changes",
    )


def _available(
    pin: PinnedLabel, sources: _Sources, now: Mapping[str, Sequence[CurrentLabel]]
) -> bool:
    pins = sources.pins
    if pins.project is None:
        return pin.label_id is not None and pins.organisation == sources.organisation
    if (sources.declared or {}).get(pin.row) == pin.content:
        return True
    return any(_says(one, pin) for one in now.get(pin.row, ()))


def _by_row(labels: Iterable[CurrentLabel]) -> Mapping[str, Sequence[CurrentLabel]]:
    found: dict[str, list[CurrentLabel]] = {}
    for one in labels:
        if one.row is not None:
            found.setdefault(one.row, []).append(one)
    return found


def _compare_ids(
    wanted: LabelIds, address: Address, current: Sequence[CurrentLabel]
) -> LabelsFound:
    there = {one.label_id for one in current}
    missing = tuple(sorted(wanted.ids - there))
    surplus = [one for one in current if one.label_id not in wanted.ids]
    change = LabelsChange(
        project=None,
        ids=missing,
        kept=len(there & wanted.ids),
        surplus=len(surplus),
        before=labels_digest(current),
    )
    # Nobody knows which rows the missing ones are of, but each replaces at most one.
    if len(surplus) <= len(missing):
        return LabelsFound(change)
    return LabelsFound(
        change,
        blocked=(
            Blocked(
                code="labels-not-removable",
                address=address,
                message=f"{counted(len(surplus), 'row')} {_have(surplus)} a label that "
                f"is not declared, such as {_name(surplus[0])!r}, and a label can't be "
                "taken from a row alone",
                allow="take the rows out of the run, apply, and add them again; or "
                "declare the labels they have",
            ),
        ),
    )


def _have(those: Sequence[CurrentLabel]) -> str:
    return "has" if len(those) == 1 else "have"


def _name(label: CurrentLabel) -> str:
    return label.row if label.row is not None else label.row_id

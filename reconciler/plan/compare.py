"""Whether a plan made now does nothing that a saved one didn't say.

What was already done since is fine (an apply that was cut short, and is done
again); anything else is a difference, and is named.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from reconciler.diagnostics import counted
from reconciler.plan.build import Plan
from reconciler.plan.changes import Action, Change, LabelsChange
from reconciler.plan.codec import SavedPlan
from reconciler.plan.operations import Operation, SentSlots, declared_by
from reconciler.rows.change import RowsChange
from reconciler.state.address import Address
from reconciler.state.canonical import digest
from reconciler.state.resources import Dataset, Resource, Split

_NO_CONFIG = digest({})


@dataclass(frozen=True, slots=True)
class PlanDifference:
    """One way in which a plan made now is not the plan that was saved.

    Attributes:
        address: The object; None for the plan as a whole.
        message: What differs: lower case, no full stop.
    """

    address: Address | None
    message: str


def compare_plans(*, saved: SavedPlan, fresh: Plan) -> tuple[PlanDifference, ...]:
    """List what *fresh* does, or expects, that *saved* didn't say."""
    whole = tuple(_whole(saved, fresh))
    if whole:
        return whole
    agreed = {operation.address: operation for operation in saved.operations}
    changes = {change.address: change for change in fresh.changes}
    new = (
        PlanDifference(one.address, f"{one.action} was not in the saved plan")
        for one in fresh.operations
        if one.address not in agreed
    )
    gone = (
        PlanDifference(address, "is no longer declared by the manifests")
        for address in agreed
        if address not in changes
    )
    now = {operation.address: operation for operation in fresh.operations}
    differing = (
        PlanDifference(address, message)
        for address, operation in agreed.items()
        if address in changes
        for message in _differences(operation, now.get(address), changes[address])
    )
    return (*new, *gone, *differing)


def _whole(saved: SavedPlan, fresh: Plan) -> Iterator[PlanDifference]:
    if saved.workspace != fresh.workspace:
        yield PlanDifference(
            None,
            f"the plan was made in the workspace {saved.workspace!r}, "
            f"this is {fresh.workspace!r}",
        )
    target = fresh.target.to_json()
    for key in sorted(target):
        if saved.target.get(key) != target[key]:
            yield PlanDifference(
                None,
                f"the plan was made for the {key} {saved.target.get(key)!r}, "
                f"this is {target[key]!r}",
            )
    if saved.allowed != fresh.allowed:
        yield PlanDifference(None, "other addresses are allowed to pass guards")


def _differences(
    agreed: Operation, now: Operation | None, change: Change
) -> Iterator[str]:
    declared = declared_by(change)
    for name, value in agreed.after.items():
        if declared.get(name) != value:
            yield f"the manifests say something else of its {name} by now"
    if agreed.data_rows and not _same_content(agreed, change.desired):
        yield "the manifests name other data rows by now"
    if now is None:
        return
    if now.action is Action.CREATE and agreed.action is Action.UPDATE:
        yield "no longer exists on the remote"
        return
    made_since = agreed.action is Action.CREATE and now.action is Action.UPDATE
    if not made_since and agreed.before.get("id") != now.before.get("id"):
        yield "is another object on the remote by now"
    if "parent" in agreed.before and agreed.before["parent"] != now.before["parent"]:
        yield "what it belongs to is another object on the remote by now"
    if made_since and now.before.get("config", _NO_CONFIG) != _NO_CONFIG:
        yield "somebody else has made it since, with a config of its own"
    for part in ("config", "description", "status"):
        if not made_since and _moved_on(agreed, now, part):
            yield f"its {part} on the remote is not the one that was planned with"
    if set(now.after) - set(agreed.after):
        yield f"{', '.join(sorted(set(now.after) - set(agreed.after)))} would change"
    if now.rows:
        yield from _more_rows(agreed.rows, now.rows)
    more = (now.data_rows or {}).keys() - (agreed.data_rows or {}).keys()
    if more:
        yield f"{counted(len(more), 'more data row')} would be uploaded"
    if now.labels:
        yield from _more_labels(agreed.labels, now.labels)
    for family, slots in now.uploads.items():
        if more_slots := _more_slots(agreed.uploads.get(family), slots):
            yield f"{family} of {counted(more_slots, 'more slot')} would be sent"


def _same_content(agreed: Operation, resource: Resource) -> bool:
    assert isinstance(resource, Dataset)
    declared = resource.data_rows or {}
    return all(
        key in declared and declared[key].fingerprint == fingerprint
        for key, fingerprint in (agreed.data_rows or {}).items()
    )


def _moved_on(agreed: Operation, now: Operation, part: str) -> bool:
    return part in now.before and now.before[part] != agreed.before.get(part)


def _more_rows(agreed: RowsChange | None, now: RowsChange) -> Iterator[str]:
    targets = _targets(agreed)
    added = sum(
        (name, None, split) not in targets
        for split, names in now.added.items()
        for name in names
    )
    if added:
        yield f"{counted(added, 'more row')} would be added"
    moved = sum(
        (name, before, after) not in targets
        # Added since, but not yet put into its split.
        and not (before is Split.UNASSIGNED and (name, None, after) in targets)
        for (before, after), names in now.moved.items()
        for name in names
    )
    if moved:
        yield f"{counted(moved, 'more row')} would change split"
    agreed_removals = (
        {(row.id, row.split) for row in agreed.removed} if agreed else set()
    )
    removed = sum((row.id, row.split) not in agreed_removals for row in now.removed)
    if removed:
        yield f"{counted(removed, 'more row')} would be removed"


def _more_labels(agreed: LabelsChange | None, now: LabelsChange) -> Iterator[str]:
    before = agreed or LabelsChange(project=now.project)
    added = {(pin.row, pin.content) for pin in now.added}
    added -= {(pin.row, pin.content) for pin in (*before.added, *before.replaced)}
    more = len(added) + len(set(now.ids) - set(before.ids))
    if more:
        yield f"{counted(more, 'more label')} would be added"
    replaced = {(pin.row, pin.content) for pin in now.replaced}
    replaced -= {(pin.row, pin.content) for pin in before.replaced}
    if replaced:
        yield f"{counted(len(replaced), 'more label')} would be replaced"


def _more_slots(agreed: SentSlots | None, now: SentSlots) -> int:
    if agreed is None or agreed.slots != now.slots:
        return len(now.chunks)
    return len(now.chunks.items() - agreed.chunks.items())


def _targets(rows: RowsChange | None) -> set[tuple[str, Split | None, Split]]:
    if rows is None:
        return set()
    added = {
        (name, None, split) for split, names in rows.added.items() for name in names
    }
    return added | {
        (name, before, after)
        for (before, after), names in rows.moved.items()
        for name in names
    }

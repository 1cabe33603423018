"""Differences, guards, work: a Plan."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from reconciler.plan.changes import Action, Blocked, Change, Notice, RowChanges
from reconciler.plan.diff import NONE, diff
from reconciler.plan.guards import Allowance, Guards, guard, guard_limit
from reconciler.plan.labels import LabelsFound
from reconciler.plan.lower import BATCH_SIZE, Work, lower
from reconciler.plan.operations import Operation, operation_of, plan_digest
from reconciler.state.address import Address, RemoteId, model_address
from reconciler.state.canonical import JsonObject
from reconciler.state.inventory import Inventory
from reconciler.state.labels import LabelPins
from reconciler.state.resources import (
    Dataset,
    Model,
    Ontology,
    Project,
    Resource,
    Run,
    RunStatus,
)
from reconciler.state.snapshot import Current, Desired
from reconciler.state.uploads import Uploads

LOCAL: Final = "local"
"""The endpoint of the embedded server, as plans and ledgers call it."""


@dataclass(frozen=True, slots=True)
class Target:
    """The remote that a plan is for.

    Attributes:
        endpoint: Where the API is; `local` for the embedded server.
        organisation: Id of the organisation that the key belongs to.
        name: Its name, for people.
    """

    endpoint: str
    organisation: RemoteId
    name: str

    def to_json(self) -> JsonObject:
        """Say what identifies it; the name doesn't."""
        return {"endpoint": self.endpoint, "organisation": self.organisation}


@dataclass(frozen=True)
class Plan:
    """What to do, with what is known and what holds it back.

    A plan is true when there is anything to do; an adoption alone isn't.

    Attributes:
        workspace: Name of the workspace.
        target: The remote it is for.
        changes: One a declared object, in the order of the manifests.
        work: The steps, grouped by object and in order.
        notices: What is worth saying.
        blocked: What a guard holds back; nothing is done while there is any.
        ids: Ids of the objects that exist.
        allowed: What the caller allowed to pass a guard.
        selection: The path that narrowed the plan; None for the workspace.
    """

    workspace: str
    target: Target
    changes: tuple[Change, ...]
    work: tuple[Work, ...]
    notices: tuple[Notice, ...] = ()
    blocked: tuple[Blocked, ...] = ()
    ids: Mapping[Address, RemoteId] = field(default_factory=dict)
    allowed: tuple[Allowance, ...] = ()
    selection: str | None = None

    def __bool__(self) -> bool:
        return any(change.effective for change in self.changes)

    @property
    def settled(self) -> bool:
        """Whether there is nothing to do, and nothing held back either."""
        return not self and not self.blocked

    @cached_property
    def operations(self) -> tuple[Operation, ...]:
        """What will be done, as a reviewer agrees to it; sorted by address."""
        return tuple(
            operation_of(change)
            for change in sorted(self.changes, key=lambda change: change.address)
            if change.effective
        )

    @cached_property
    def digest(self) -> str:
        """Name the plan: the same operations on the same remote, any machine."""
        return plan_digest(
            self.operations, target=self.target.to_json(), allowed=self.allowed
        )

    @property
    def adoptions(self) -> tuple[Change, ...]:
        """Objects that exist and that the workspace is about to own."""
        return tuple(
            change
            for change in self.changes
            if change.action is Action.ADOPT
            or (change.action is Action.UPDATE and change.reason.adopts)
        )


def build(
    *,
    workspace: str,
    target: Target,
    desired: Desired,
    current: Current,
    rows: RowChanges,
    inventory: Inventory,
    guards: Guards,
    labels: Mapping[Address, LabelsFound] = NONE,
    uploads: Mapping[Address, tuple[Uploads, ...]] = NONE,
    statuses: Mapping[Address, RunStatus | None] = NONE,
    run_limit: int | None = None,
    allowed: Iterable[Allowance] = (),
    batch_size: int = BATCH_SIZE,
    selected: frozenset[Address] | None = None,
    selection: str | None = None,
    notices: Iterable[Notice] = (),
) -> Plan:
    """Make a plan of what is desired, what is there, and what is owned.

    Args:
        workspace: Name of the workspace.
        target: The remote.
        desired: What the manifests say.
        current: What the remote has of it.
        rows: For each run that manages rows, what happens to them.
        inventory: What this workspace owns already.
        guards: Thresholds.
        labels: For each run that manages labels, what comparing them found.
        uploads: What projects and runs should be sent.
        statuses: How far runs have come on the remote: those that declare a
            status or would change.
        run_limit: How many runs a model may have; None for any number.
        allowed: What may pass a guard.
        batch_size: Ids in one request.
        selected: Only these objects, and those they can't do without; None for
            all.
        selection: How the user named the selection.
        notices: What else is worth saying, about the remote as a whole.
    """
    found = diff(
        desired=desired,
        current=current,
        inventory=inventory,
        rows=rows,
        labels=labels,
        uploads=uploads,
        statuses=statuses,
    )
    changes = found.changes
    if selected is not None:
        changes = _narrowed(changes, selected)
    kept = {change.address for change in changes}
    permitted = tuple(sorted(set(allowed)))
    return Plan(
        workspace=workspace,
        target=target,
        changes=tuple(changes),
        work=lower(changes, batch_size=batch_size),
        notices=(
            *notices,
            *(one for one in found.notices if one.address in kept),
        ),
        blocked=(
            *(
                one
                for one in found.blocked
                if one.address in kept | _above(changes, found.changes)
            ),
            *guard(changes, guards=guards, statuses=statuses, allowed=permitted),
            *guard_limit(changes, current=current, limit=run_limit),
        ),
        ids={
            address: there.id
            for address, there in current.resources.items()
            if address in desired.resources
        },
        allowed=permitted,
        selection=selection,
    )


def _above(kept: Iterable[Change], all_changes: Iterable[Change]) -> set[Address]:
    # What is narrowed away may still be what the rest stands on.
    declared = {change.address: change.desired for change in all_changes}
    found: set[Address] = set()
    waiting = [change.address for change in kept]
    while waiting:
        address = waiting.pop()
        if address not in found and address in declared:
            found.add(address)
            waiting += _stands_on(declared[address])
    return found


def _stands_on(resource: Resource) -> Iterator[Address]:
    match resource:
        case Run(model=model, labels=labels):
            yield model_address(model)
            if isinstance(labels, LabelPins) and labels.project is not None:
                yield labels.project
        case Model(ontology=ontology):
            yield ontology
        case Project(ontology=ontology):
            if ontology is not None:
                yield ontology
        case Ontology() | Dataset():
            return


def _narrowed(changes: list[Change], selected: frozenset[Address]) -> list[Change]:
    # As Terraform's -target: what the selected objects need comes with them,
    # if it isn't there yet.
    needed = set(selected)
    effective = [change for change in changes if change.effective]
    # In the order of work each comes after what it needs.
    for work in reversed(lower(effective)):
        if work.address in needed:
            needed |= work.needs
    return [change for change in changes if change.address in needed]

"""Desired and Current to Changes: one a resource, in the order of the manifests.

What a guard must hold back by its nature (an ontology that differs, a model on
another ontology, changed content under an old key) is found here; what depends
on thresholds is found in `guards`.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from reconciler.plan.changes import Action, Change, Notice, Reason, RowChanges
from reconciler.plan.diffing.datasets import diff_dataset
from reconciler.plan.diffing.given import Differences, Given
from reconciler.plan.diffing.ontologies import diff_model, diff_ontology
from reconciler.plan.diffing.projects import diff_project
from reconciler.plan.diffing.runs import diff_run
from reconciler.plan.labels import LabelsFound
from reconciler.plan.uploads import left_behind
from reconciler.state.address import Address
from reconciler.state.inventory import Inventory
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

NONE: Final[Mapping[Address, Any]] = MappingProxyType({})
"""Of no object is there anything to compare."""


def diff(
    *,
    desired: Desired,
    current: Current,
    inventory: Inventory,
    rows: RowChanges = NONE,
    labels: Mapping[Address, LabelsFound] = NONE,
    uploads: Mapping[Address, tuple[Uploads, ...]] = NONE,
    statuses: Mapping[Address, RunStatus | None] = NONE,
) -> Differences:
    """Compare what should be with what is.

    Args:
        desired: What the manifests say.
        current: What the remote has of it.
        inventory: What this workspace owns already.
        rows: For each run that manages rows, what happens to them.
        labels: For each run that manages labels, what comparing them found.
        uploads: What projects and runs should be sent.
        statuses: How far runs have come on the remote; absent is as None.
    """
    given = Given(
        desired=desired,
        current=current,
        inventory=inventory,
        rows=rows,
        labels=labels,
        uploads=uploads,
        statuses=statuses,
    )
    found = Differences()
    for address, resource in desired.resources.items():
        change = _change(resource, given, found)
        found.changes.append(change)
        if change.reason.adopts:
            found.notices.append(_adoption(address, change))
        found.notices.extend(_left(change))
    return found


def _change(resource: Resource, given: Given, found: Differences) -> Change:
    match resource:
        case Ontology():
            return diff_ontology(resource, given, found)
        case Dataset():
            return diff_dataset(resource, given, found)
        case Project():
            return diff_project(resource, given, found)
        case Model():
            return diff_model(resource, given, found)
        case Run():
            return diff_run(resource, given, found)


def _adoption(address: Address, change: Change) -> Notice:
    how = "by its name" if change.reason is Reason.FOUND_BY_NAME else "by its id"
    return Notice(
        code="adoption",
        address=address,
        message=f"exists already and was found {how} ({change.id}); "
        "from now on this workspace manages it",
    )


def _left(change: Change) -> Iterator[Notice]:
    # Where the object is shown anyway, it is said there.
    if change.action is Action.KEEP:
        for one in change.uploads:
            if one.stale:
                yield Notice(
                    code="uploads-left",
                    address=change.address,
                    message=left_behind(one),
                )

"""What a comparison is given, what it finds, and how a change begins."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.plan.changes import (
    Action,
    Blocked,
    Change,
    DataRowsChange,
    FieldChange,
    LabelsChange,
    Notice,
    Reason,
    RowChanges,
    UploadsChange,
)
from reconciler.plan.labels import LabelsFound
from reconciler.rows.change import RowsChange
from reconciler.state.address import Address, RemoteId, model_address
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What is compared.

    Attributes:
        desired: What the manifests say.
        current: What the remote has of it.
        inventory: What this workspace owns already.
        rows: For each run that manages rows, what happens to them.
        labels: For each run that manages labels, what comparing them found.
        uploads: What projects and runs should be sent.
        statuses: How far runs have come on the remote.
    """

    desired: Desired
    current: Current
    inventory: Inventory
    rows: RowChanges
    labels: Mapping[Address, LabelsFound]
    uploads: Mapping[Address, tuple[Uploads, ...]]
    statuses: Mapping[Address, RunStatus | None]


@dataclass(slots=True)
class Differences:
    """What a diff found.

    Attributes:
        changes: One a declared resource, in the order of the manifests.
        notices: What is worth saying.
        blocked: What must not happen as it stands.
    """

    changes: list[Change] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    blocked: list[Blocked] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Differing:
    """In what an object differs; see `Change`."""

    fields: tuple[FieldChange, ...] = ()
    rows: RowsChange | None = None
    data_rows: DataRowsChange | None = None
    labels: LabelsChange | None = None
    uploads: tuple[UploadsChange, ...] = ()
    config_before: str | None = None
    media_type: str | None = None

    def __bool__(self) -> bool:
        return bool(
            self.fields
            or self.rows
            or self.data_rows
            or self.labels
            or any(self.uploads)
        )


NOTHING = Differing()
"""No difference."""


def created(wanted: Resource, given: Given, found: Differing) -> Change:
    """Make the change of an object that doesn't exist."""
    return _change(
        wanted, given, found, action=Action.CREATE, reason=Reason.NOT_FOUND, there=None
    )


def existing(
    wanted: Resource,
    given: Given,
    there: RemoteId,
    found: Differing = NOTHING,
    *,
    reference: bool = False,
) -> Change:
    """Make the change of an object that exists: kept, adopted or updated."""
    owned = given.inventory.owned.get(wanted.address) == there
    if reference:
        action, reason = Action.KEEP, Reason.REFERENCE
    elif owned:
        action = Action.UPDATE if found else Action.KEEP
        reason = Reason.DIFFERS if found else Reason.IN_SYNC
    else:
        action = Action.UPDATE if found else Action.ADOPT
        reason = (
            Reason.PINNED
            if wanted.address in given.desired.pins
            else Reason.FOUND_BY_NAME
        )
    return _change(wanted, given, found, action=action, reason=reason, there=there)


def _change(
    wanted: Resource,
    given: Given,
    found: Differing,
    *,
    action: Action,
    reason: Reason,
    there: RemoteId | None,
) -> Change:
    return Change(
        address=wanted.address,
        action=action,
        reason=reason,
        desired=wanted,
        id=there,
        parent=_parent(wanted, given),
        origin=given.desired.origins.get(wanted.address),
        fields=found.fields,
        config_before=found.config_before,
        rows=found.rows,
        data_rows=found.data_rows,
        labels=found.labels,
        uploads=found.uploads,
        media_type=found.media_type,
    )


def _parent(wanted: Resource, given: Given) -> RemoteId | None:
    match wanted:
        case Run(model=model):
            return given.current.id_of(model_address(model))
        case Model(ontology=ontology):
            return given.current.id_of(ontology)
        case Ontology() | Dataset() | Project():
            return None

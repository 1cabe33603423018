"""Desired and Current to Changes: one a resource, in the order of the manifests.

What a guard must hold back by its nature (an ontology that differs, a model on
another ontology, changed content under an old key) is found here; what depends
on thresholds is found in `guards`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from reconciler.diagnostics import counted
from reconciler.plan.changes import (
    Action,
    Blocked,
    Change,
    DataRowsChange,
    FieldChange,
    Notice,
    Reason,
    RowChanges,
)
from reconciler.plan.fields import diff_fields
from reconciler.rows.change import RowsChange
from reconciler.state.address import Address, RemoteId, model_address
from reconciler.state.canonical import JsonObject, digest
from reconciler.state.inventory import Inventory
from reconciler.state.resources import (
    Dataset,
    GlobalKey,
    Model,
    Ontology,
    Resource,
    Run,
)
from reconciler.state.snapshot import (
    Current,
    CurrentDataset,
    CurrentModel,
    CurrentOntology,
    CurrentRun,
    Desired,
)

NO_ROW_CHANGES: RowChanges = {}


@dataclass(frozen=True, slots=True)
class _Given:
    desired: Desired
    current: Current
    rows: RowChanges
    inventory: Inventory


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


def diff(
    *,
    desired: Desired,
    current: Current,
    rows: RowChanges = NO_ROW_CHANGES,
    inventory: Inventory,
) -> Differences:
    """Compare what should be with what is.

    Args:
        desired: What the manifests say.
        current: What the remote has of it.
        rows: For each run that manages rows, what happens to them.
        inventory: What this workspace owns already.
    """
    given = _Given(desired, current, rows, inventory)
    found = Differences()
    for address, resource in desired.resources.items():
        change = _change(resource, given, found)
        found.changes.append(change)
        if change.reason.adopts:
            found.notices.append(_adoption(address, change))
    return found


def _change(resource: Resource, given: _Given, found: Differences) -> Change:
    match resource:
        case Ontology():
            return _ontology(resource, given, found)
        case Dataset():
            return _dataset(resource, given, found)
        case Model():
            return _model(resource, given, found)
        case Run():
            return _run(resource, given)


def _ontology(
    wanted: Ontology,
    given: _Given,
    found: Differences,
) -> Change:
    address = wanted.address
    there = given.current.resources.get(address)
    if there is None:
        fields = diff_fields({}, _ontology_fields(wanted.media_type, wanted.schema))
        return _created(wanted, given, fields)
    assert isinstance(there, CurrentOntology)
    media_type = there.media_type if wanted.media_type else None
    schema = None if wanted.schema is None else there.schema
    before = _ontology_fields(media_type, schema)
    differing = diff_fields(before, _ontology_fields(wanted.media_type, wanted.schema))
    if differing:
        where = ", ".join(_dotted(one) for one in differing[:3])
        more = f" and {len(differing) - 3} more" if len(differing) > 3 else ""
        found.blocked.append(
            Blocked(
                code="ontology-differs",
                address=address,
                message=f"the ontology on the remote differs at {where}{more}; "
                "models and labels depend on it, so it is never edited from here",
                allow="make the manifest say what the remote has, or declare an "
                "ontology of another name",
            )
        )
    return _existing(wanted, given, there.id, reference=wanted.schema is None)


def _dataset(
    wanted: Dataset,
    given: _Given,
    found: Differences,
) -> Change:
    address = wanted.address
    there = given.current.resources.get(address)
    if there is None:
        assert wanted.data_rows is not None, "a missing reference ends the read"
        created = tuple(wanted.data_rows[key] for key in sorted(wanted.data_rows))
        description: JsonObject = (
            {} if wanted.description is None else {"description": wanted.description}
        )
        return _created(
            wanted,
            given,
            diff_fields({}, description),
            data_rows=DataRowsChange(created=created, kept=0),
        )
    assert isinstance(there, CurrentDataset)
    if wanted.data_rows is None:
        return _existing(wanted, given, there.id, reference=True)
    keys: frozenset[GlobalKey] = there.keys or frozenset()
    known = given.inventory.fingerprints.get(address, {})
    kept = wanted.data_rows.keys() & keys
    changed = sorted(
        key
        for key in kept & known.keys()
        if known[key] != wanted.data_rows[key].fingerprint
    )
    if changed:
        found.blocked.append(
            Blocked(
                code="data-row-content",
                address=address,
                message=f"{counted(len(changed), 'data row')} changed content under "
                f"an old key, such as {changed[0]!r}; runs and labels refer to "
                "the content they were made with",
                allow="give the new content new global keys",
            )
        )
    data_rows = DataRowsChange(
        created=tuple(
            wanted.data_rows[key] for key in sorted(wanted.data_rows.keys() - keys)
        ),
        kept=len(kept),
        left=len(keys - wanted.data_rows.keys()),
        unchecked=len(kept - known.keys()),
    )
    found.notices.extend(_data_row_notices(address, data_rows))
    fields: tuple[FieldChange, ...] = ()
    if wanted.description is not None and wanted.description != there.description:
        fields = (FieldChange(("description",), there.description, wanted.description),)
    return _existing(wanted, given, there.id, fields=fields, data_rows=data_rows)


def _model(
    wanted: Model,
    given: _Given,
    found: Differences,
) -> Change:
    there = given.current.resources.get(wanted.address)
    if there is None:
        fields = diff_fields({}, {"ontology": wanted.ontology.name})
        return _created(wanted, given, fields)
    assert isinstance(there, CurrentModel)
    if there.ontology_id != given.current.id_of(wanted.ontology):
        found.blocked.append(
            Blocked(
                code="model-ontology",
                address=wanted.address,
                message=f"the model exists on another ontology than "
                f"{wanted.ontology.name!r}, and a model's ontology can't change",
                allow="refer to the ontology it has, or declare a model of "
                "another name",
            )
        )
    return _existing(wanted, given, there.id)


def _run(
    wanted: Run,
    given: _Given,
) -> Change:
    there = given.current.resources.get(wanted.address)
    change = given.rows.get(wanted.address) if wanted.rows is not None else None
    if there is None:
        fields = _config_fields({}, wanted.config or {})
        return _created(wanted, given, fields, rows=change)
    assert isinstance(there, CurrentRun)
    fields = (
        () if wanted.config is None else _config_fields(there.config, wanted.config)
    )
    return _existing(
        wanted,
        given,
        there.id,
        fields=fields,
        rows=change,
        config_before=digest(there.config) if fields else None,
    )


def _created(
    wanted: Resource,
    given: _Given,
    fields: tuple[FieldChange, ...],
    *,
    rows: RowsChange | None = None,
    data_rows: DataRowsChange | None = None,
) -> Change:
    return Change(
        address=wanted.address,
        action=Action.CREATE,
        reason=Reason.NOT_FOUND,
        desired=wanted,
        parent=_parent(wanted, given),
        origin=given.desired.origins.get(wanted.address),
        fields=fields,
        rows=rows,
        data_rows=data_rows,
    )


def _existing(
    wanted: Resource,
    given: _Given,
    found_id: RemoteId,
    *,
    reference: bool = False,
    fields: tuple[FieldChange, ...] = (),
    rows: RowsChange | None = None,
    data_rows: DataRowsChange | None = None,
    config_before: str | None = None,
) -> Change:
    address = wanted.address
    owned = given.inventory.owned.get(address) == found_id
    differs = bool(fields or rows or data_rows)
    if reference:
        action, reason = Action.KEEP, Reason.REFERENCE
    elif owned:
        action = Action.UPDATE if differs else Action.KEEP
        reason = Reason.DIFFERS if differs else Reason.IN_SYNC
    else:
        action = Action.UPDATE if differs else Action.ADOPT
        reason = (
            Reason.PINNED if address in given.desired.pins else Reason.FOUND_BY_NAME
        )
    return Change(
        address=address,
        action=action,
        reason=reason,
        desired=wanted,
        id=found_id,
        parent=_parent(wanted, given),
        origin=given.desired.origins.get(address),
        fields=fields,
        config_before=config_before,
        rows=rows,
        data_rows=data_rows,
    )


def _parent(wanted: Resource, given: _Given) -> RemoteId | None:
    match wanted:
        case Run(model=model):
            return given.current.id_of(model_address(model))
        case Model(ontology=ontology):
            return given.current.id_of(ontology)
        case Ontology() | Dataset():
            return None


def _config_fields(before: JsonObject, after: JsonObject) -> tuple[FieldChange, ...]:
    return tuple(
        FieldChange(("config", *one.path), one.before, one.after)
        for one in diff_fields(before, after)
    )


def _ontology_fields(media_type: str | None, schema: JsonObject | None) -> JsonObject:
    fields: JsonObject = dict(schema or {})
    if media_type is not None:
        fields["mediaType"] = media_type
    return fields


def _adoption(address: Address, change: Change) -> Notice:
    how = "by its name" if change.reason is Reason.FOUND_BY_NAME else "by its id"
    return Notice(
        code="adoption",
        address=address,
        message=f"exists already and was found {how} ({change.id}); "
        "from now on this workspace manages it",
    )


def _data_row_notices(address: Address, rows: DataRowsChange) -> Iterator[Notice]:
    if rows.left:
        yield Notice(
            code="data-rows-left",
            address=address,
            message="the dataset holds "
            f"{counted(rows.left, 'data row')} that none of its files name; data rows "
            "are never deleted",
        )
    if rows.unchecked:
        yield Notice(
            code="data-rows-unchecked",
            address=address,
            message=f"the content of {counted(rows.unchecked, 'data row')} can't be compared, "
            "having been uploaded from elsewhere",
        )


def _dotted(change: FieldChange) -> str:
    return ".".join(map(str, change.path))

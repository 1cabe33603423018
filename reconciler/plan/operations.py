"""What a plan does, in the form that is agreed to: compared, hashed, saved.

An operation leaves out what doesn't matter to a reviewer's yes: reasons,
samples, places, batches, the order of work. It keeps what does: the object,
what it becomes, and what it must still be beforehand.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from reconciler.plan.changes import Action, Change, LabelsChange, Missing, UploadsChange
from reconciler.plan.guards import Allowance
from reconciler.rows.change import RowsChange
from reconciler.rows.digest import digest_lines
from reconciler.state.address import Address
from reconciler.state.canonical import JsonObject, JsonValue, digest
from reconciler.state.labels import LabelIds, LabelPins, Labels, PinnedLabel
from reconciler.state.resources import (
    Dataset,
    GlobalKey,
    Membership,
    Model,
    Ontology,
    Project,
    Resource,
    Run,
)
from reconciler.state.uploads import Family


@dataclass(frozen=True, slots=True)
class SentSlots:
    """What is sent of one family.

    Attributes:
        slots: How many slots there are.
        chunks: Digests of what is sent, by the number of the slot.
    """

    slots: int
    chunks: Mapping[int, str]

    def to_json(self) -> JsonObject:
        """Say it as plan files do."""
        chunks: JsonObject = {
            str(number): self.chunks[number] for number in sorted(self.chunks)
        }
        return {"slots": self.slots, "chunks": chunks}


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One object's part of a plan.

    Attributes:
        address: The object.
        action: Whether it is created or updated.
        before: Preconditions: its own `id` and its `parent`'s, as far as they
            exist, and what changes as it was: digests of `config`, `rows` and
            `labels`, the `description`, and what is managed of the `status`.
        after: What it becomes, as far as it changes: `config`, `rows` and
            `labels` (what they are, not which change), `schema`, `mediaType`,
            `description`, `ontology`, `status`; of predictions and so on the
            digest of all that it should be sent.
        rows: What happens to a run's rows.
        data_rows: Fingerprints of the data rows that are uploaded, by key.
        labels: What happens to a run's labels.
        uploads: What is sent, by family.
    """

    address: Address
    action: Action
    before: JsonObject
    after: JsonObject
    rows: RowsChange | None = None
    data_rows: Mapping[GlobalKey, str] | None = None
    labels: LabelsChange | None = None
    uploads: Mapping[Family, SentSlots] = field(default_factory=dict)


def operation_of(change: Change) -> Operation:
    """Reduce a change to what is agreed to."""
    before: JsonObject = {}
    if change.id is not None:
        before["id"] = change.id
    if change.parent is not None:
        before["parent"] = change.parent
    for one in change.fields:
        if one.path == ("description",) and not isinstance(one.before, Missing):
            before["description"] = one.before
    if status := _status_before(change):
        before["status"] = status
    if change.config_before is not None:
        before["config"] = change.config_before
    if change.rows and change.id is not None:
        before["rows"] = change.rows.before
    if change.labels and change.id is not None:
        before["labels"] = change.labels.before
    return Operation(
        address=change.address,
        action=change.action,
        before=before,
        after=_after(change),
        rows=change.rows or None,
        data_rows=(
            {row.global_key: row.fingerprint for row in change.data_rows.created}
            if change.data_rows
            else None
        ),
        labels=change.labels or None,
        uploads={one.family: _sent(one) for one in change.uploads if one},
    )


def _status_before(change: Change) -> list[JsonValue]:
    return [
        {"path": list(one.path), "value": one.before}
        for one in change.fields
        if one.path[0] == "status" and not isinstance(one.before, Missing)
    ]


def _sent(uploads: UploadsChange) -> SentSlots:
    chunks = {one.chunk.slot.number: one.chunk.digest for one in uploads.sent}
    return SentSlots(uploads.slots, chunks)


def _after(change: Change) -> JsonObject:
    changes = {str(one.path[0]) for one in change.fields}
    if change.rows:
        changes.add("rows")
    if change.labels:
        changes.add("labels")
    changes.update(one.family.value for one in change.uploads if one)
    return {
        name: value
        for name, value in declared_by(change).items()
        if value is not None and (change.id is None or name in changes)
    }


def declared_by(change: Change) -> JsonObject:
    """Say what a change wants its object to be; None where it is unmanaged.

    What should be sent is known by its digest, under the name of the family.
    """
    declared = declared_fields(change.desired)
    if isinstance(change.desired, Project):
        declared["mediaType"] = change.media_type
    for one in change.uploads:
        declared[one.family.value] = {"slots": one.slots, "digest": one.after}
    return declared


def declared_fields(resource: Resource) -> JsonObject:
    """Say what a resource declares; None where it is unmanaged."""
    match resource:
        case Ontology(media_type=media_type, schema=schema):
            return {"mediaType": media_type, "schema": schema}
        case Dataset(description=description):
            return {"description": description}
        case Model(ontology=ontology):
            return {"ontology": str(ontology)}
        case Project(ontology=ontology):
            return {"ontology": None if ontology is None else str(ontology)}
        case Run(config=config, rows=rows, labels=labels, status=status):
            return {
                "config": config,
                "rows": None if rows is None else _members(rows),
                "labels": None if labels is None else _labels(labels),
                "status": None if status is None else status.to_json(),
            }


def _labels(labels: Labels) -> JsonObject:
    match labels:
        case LabelPins(project=project, digest=pinned):
            return {
                "project": None if project is None else str(project),
                "digest": pinned,
            }
        case LabelIds(ids=ids):
            return {"ids": len(ids), "digest": digest_lines(_id_lines(ids))}


def _id_lines(ids: Iterable[str]) -> list[str]:
    return sorted(f"{one}\n" for one in ids)


def _members(rows: Membership) -> JsonObject:
    return {
        "by": rows.by.value,
        "splits": rows.assigns_splits,
        "digest": rows.digest(),
    }


def plan_digest(
    operations: Sequence[Operation], *, target: JsonObject, allowed: Iterable[Allowance]
) -> str:
    """Hash operations, preconditions, remote and allowances; see RFC 8785.

    Sets of rows and of labels enter by the SHA-256 of their sorted lines, so that
    the digest of a plan of a million rows is as cheap to compare as any. What is
    sent enters by slot and content, never by the names of the jobs, which differ
    from machine to machine.
    """
    agreed: JsonObject = {
        "operations": [
            _hashable(one) for one in sorted(operations, key=lambda one: one.address)
        ],
        "target": target,
        "allowed": [str(one) for one in sorted(set(allowed))],
    }
    return digest(agreed)


def _hashable(operation: Operation) -> JsonObject:
    done: JsonObject = {
        "address": str(operation.address),
        "action": operation.action.value,
        "before": operation.before,
        "after": operation.after,
    }
    if operation.rows:
        done["rows"] = _row_digests(operation.rows)
    if operation.data_rows:
        done["dataRows"] = _lines_digest(operation.data_rows.items())
    if operation.labels:
        done["labels"] = _label_digests(operation.labels)
    if operation.uploads:
        done["uploads"] = uploads_json(operation.uploads)
    return done


def uploads_json(uploads: Mapping[Family, SentSlots]) -> JsonObject:
    """Say what is sent: `{family: {slots, chunks: {slot: digest}}}`."""
    return {family.value: uploads[family].to_json() for family in sorted(uploads)}


def _label_digests(labels: LabelsChange) -> JsonValue:
    return {
        "project": None if labels.project is None else str(labels.project),
        "added": _pins_digest(labels.added),
        "replaced": _pins_digest(labels.replaced),
        "ids": digest_lines(_id_lines(labels.ids)) if labels.ids else None,
    }


def _pins_digest(pins: Iterable[PinnedLabel]) -> str | None:
    return _lines_digest(
        (pin.row, f"{pin.content}\t{pin.label_id or ''}\t{pin.changed or ''}")
        for pin in pins
    )


def _row_digests(rows: RowsChange) -> JsonValue:
    return {
        "by": rows.by.value,
        "added": _lines_digest(
            (name, split) for split, names in rows.added.items() for name in names
        ),
        "moved": _lines_digest(
            (name, f"{before}\t{after}")
            for (before, after), names in rows.moved.items()
            for name in names
        ),
        "removed": _lines_digest((row.id, row.split) for row in rows.removed),
    }


def _lines_digest(pairs: Iterable[tuple[str, str]]) -> str | None:
    lines = sorted(f"{name}\t{value}\n" for name, value in pairs)
    return digest_lines(lines) if lines else None

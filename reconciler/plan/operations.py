"""What a plan does, in the form that is agreed to: compared, hashed, saved.

An operation leaves out what doesn't matter to a reviewer's yes: reasons,
samples, places, batches, the order of work. It keeps what does: the object,
what it becomes, and what it must still be beforehand.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from reconciler.plan.changes import Action, Change, Missing
from reconciler.rows.change import RowsChange
from reconciler.rows.digest import digest_lines
from reconciler.state.address import Address
from reconciler.state.canonical import JsonObject, JsonValue, digest
from reconciler.state.resources import (
    Dataset,
    GlobalKey,
    Membership,
    Model,
    Ontology,
    Resource,
    Run,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One object's part of a plan.

    Attributes:
        address: The object.
        action: Whether it is created or updated.
        before: Preconditions: its own `id` and its `parent`'s, as far as they
            exist, and what changes as it was: digests of `config` and `rows`,
            and the `description`.
        after: What it becomes, as far as it changes: `config`, `rows` (what the
            members are, not which change), `schema`, `mediaType`,
            `description`, `ontology`.
        rows: What happens to a run's rows.
        data_rows: Fingerprints of the data rows that are uploaded, by key.
    """

    address: Address
    action: Action
    before: JsonObject
    after: JsonObject
    rows: RowsChange | None = None
    data_rows: Mapping[GlobalKey, str] | None = None


def operation_of(change: Change) -> Operation:
    """Reduce a change to what is agreed to."""
    before: JsonObject = {}
    if change.id is not None:
        before["id"] = change.id
    if change.parent is not None:
        before["parent"] = change.parent
    for field in change.fields:
        if field.path == ("description",) and not isinstance(field.before, Missing):
            before["description"] = field.before
    if change.config_before is not None:
        before["config"] = change.config_before
    if change.rows and change.id is not None:
        before["rows"] = change.rows.before
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
    )


def _after(change: Change) -> JsonObject:
    changes = {"rows"} if change.rows else set()
    if change.fields:
        changes |= {"config", "description"}
    return {
        name: value
        for name, value in declared_fields(change.desired).items()
        if value is not None and (change.id is None or name in changes)
    }


def declared_fields(resource: Resource) -> JsonObject:
    """Say what a resource declares; None where it is unmanaged."""
    match resource:
        case Ontology(media_type=media_type, schema=schema):
            return {"mediaType": media_type, "schema": schema}
        case Dataset(description=description):
            return {"description": description}
        case Model(ontology=ontology):
            return {"ontology": str(ontology)}
        case Run(config=config, rows=rows):
            return {"config": config, "rows": None if rows is None else _members(rows)}


def _members(rows: Membership) -> JsonObject:
    return {
        "by": rows.by.value,
        "splits": rows.assigns_splits,
        "digest": rows.digest(),
    }


def plan_digest(
    operations: Sequence[Operation], *, target: JsonObject, allowed: Iterable[Address]
) -> str:
    """Hash operations, preconditions, remote and allowances; see RFC 8785.

    Sets of rows enter by the SHA-256 of their sorted lines, so that the digest
    of a plan of a million rows is as cheap to compare as any.
    """
    agreed: JsonObject = {
        "operations": [
            _hashable(one) for one in sorted(operations, key=lambda one: one.address)
        ],
        "target": target,
        "allowed": [str(address) for address in sorted(set(allowed))],
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
    return done


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

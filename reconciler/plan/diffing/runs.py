"""Runs: config, rows, labels, predictions, metrics and status."""

from collections.abc import Iterable

from reconciler.plan.changes import Change, FieldChange, LabelsChange, Notice
from reconciler.plan.diffing.given import (
    Differences,
    Differing,
    Given,
    created,
    existing,
)
from reconciler.plan.diffing.sending import diff_uploads
from reconciler.plan.diffing.statuses import StatusFound, compare_status
from reconciler.plan.fields import diff_fields
from reconciler.plan.labels import LabelsFound
from reconciler.plan.uploads import Destination
from reconciler.rows.change import RowsChange
from reconciler.state.address import RemoteId
from reconciler.state.canonical import JsonObject, digest
from reconciler.state.resources import RowIdentity, Run
from reconciler.state.snapshot import CurrentRun
from reconciler.state.uploads import Family, Uploads


def diff_run(wanted: Run, given: Given, found: Differences) -> Change:
    """Compare a run; only what it declares counts."""
    there = given.current.resources.get(wanted.address)
    status = _status(wanted, given, exists=there is not None)
    if status.notice:
        found.notices.append(status.notice)
    if status.blocked:
        found.blocked.append(status.blocked)
    labels = given.labels.get(wanted.address) if wanted.labels is not None else None
    if labels is not None:
        found.notices.extend(labels.notices)
        found.blocked.extend(labels.blocked)
    rows = given.rows.get(wanted.address) if wanted.rows is not None else None
    there_id = None if there is None else there.id
    to = _destination(wanted, there_id, rows, labels, given)
    if there is not None and (unknown := _unknown(wanted, there.id, given)):
        found.notices.append(unknown)
    if there is None:
        config = _config_fields({}, wanted.config or {})
        before = None
    else:
        assert isinstance(there, CurrentRun)
        config = (
            () if wanted.config is None else _config_fields(there.config, wanted.config)
        )
        before = digest(there.config) if config else None
    differing = Differing(
        fields=(*config, *status.fields),
        rows=rows,
        labels=None if labels is None else labels.change,
        uploads=diff_uploads(wanted.address, to, given),
        config_before=before,
    )
    if there_id is None:
        return created(wanted, given, differing)
    return existing(wanted, given, there_id, differing)


def _destination(
    wanted: Run,
    run: RemoteId | None,
    rows: RowsChange | None,
    labels: LabelsFound | None,
    given: Given,
) -> Destination:
    labelled: frozenset[str] | None = frozenset()
    if wanted.rows is None and labels is not None:
        # Labels bring their rows with them, where no row list does.
        labelled = _labelled(labels.change, given.uploads.get(wanted.address, ()))
    return Destination(
        id=run,
        members=wanted.rows,
        added=frozenset(rows.added_names()) if rows else frozenset(),
        labelled=labelled,
    )


def _labelled(
    labels: LabelsChange, uploads: Iterable[Uploads]
) -> frozenset[str] | None:
    by_key = all(one.by is RowIdentity.GLOBAL_KEY for one in uploads)
    if labels.ids or (labels.added and not by_key):
        return None
    return frozenset(pin.row for pin in labels.added)


def _unknown(wanted: Run, run: RemoteId, given: Given) -> Notice | None:
    """Say that nobody knows what a run was sent, where that is so."""
    address, inventory = wanted.address, given.inventory
    families = given.uploads.get(address, ())
    if not any(one.chunks for one in families):
        return None
    recorded = (
        sent
        for one in Family
        for sent in inventory.uploads.get((address, one), {}).values()
    )
    if inventory.owned.get(address) == run or any(
        sent.parent in (None, run) for sent in recorded
    ):
        return None
    return Notice(
        code="uploads-unknown",
        address=address,
        message="the run exists, and this workspace doesn't know what was sent to it "
        "before: everything is sent again, and what has left the files since can't be "
        "counted",
    )


def _status(wanted: Run, given: Given, *, exists: bool) -> StatusFound:
    if wanted.status is None:
        return StatusFound()
    now = given.statuses.get(wanted.address) if exists else None
    return compare_status(wanted.status, address=wanted.address, current=now)


def _config_fields(before: JsonObject, after: JsonObject) -> tuple[FieldChange, ...]:
    return tuple(
        FieldChange(("config", *one.path), one.before, one.after)
        for one in diff_fields(before, after)
    )

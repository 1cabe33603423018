"""How far a run's training has come: it only moves forward."""

from dataclasses import dataclass

from reconciler.plan.changes import Blocked, FieldChange, Notice
from reconciler.plan.fields import diff_fields
from reconciler.state.address import Address
from reconciler.state.canonical import JsonObject
from reconciler.state.resources import RunStatus


@dataclass(frozen=True, slots=True)
class StatusFound:
    """What comparing the status of a run found.

    Attributes:
        fields: What differs, by path, all of them under `status`.
        notice: What is worth saying.
        blocked: What must not happen as it stands.
    """

    fields: tuple[FieldChange, ...] = ()
    notice: Notice | None = None
    blocked: Blocked | None = None


def compare_status(
    wanted: RunStatus, *, address: Address, current: RunStatus | None
) -> StatusFound:
    """Compare the declared status of a run with the one it has.

    Args:
        wanted: What is declared.
        address: The run.
        current: What it has; None when nobody has said.
    """
    if current is None:
        return StatusFound(_fields({}, wanted.to_json()))
    if current.status is wanted.status or current.status.comes_before(wanted.status):
        return StatusFound(_fields(_managed(wanted, current), wanted.to_json()))
    if current.status.is_final and wanted.status.is_final:
        return StatusFound(
            blocked=Blocked(
                code="status-final",
                address=address,
                message=f"the run is {current.status}, and nothing comes after that: "
                f"it can't become {wanted.status}",
                allow="declare the status that it has, or a run of another name",
            )
        )
    return StatusFound(
        notice=Notice(
            code="status-ahead",
            address=address,
            message=f"the run is {current.status} already, further along than the "
            f"declared {wanted.status}; a status only moves forward",
        )
    )


def _managed(wanted: RunStatus, current: RunStatus) -> JsonObject:
    """Say what a run has of what is declared.

    What is declared is merged into the metadata that are there, key by key at the
    top, so that other keys are nobody's business.
    """
    managed: JsonObject = {"status": current.status.value}
    if wanted.metadata:
        managed["metadata"] = {
            key: value
            for key, value in current.metadata.items()
            if key in wanted.metadata
        }
    if wanted.error_message is not None and current.error_message is not None:
        managed["errorMessage"] = current.error_message
    return managed


def _fields(before: JsonObject, after: JsonObject) -> tuple[FieldChange, ...]:
    changed = (
        FieldChange(
            # The status of a status is the status.
            ("status",) if one.path == ("status",) else ("status", *one.path),
            one.before,
            one.after,
        )
        for one in diff_fields(before, after)
    )
    return tuple(sorted(changed, key=lambda one: one.path != ("status",)))

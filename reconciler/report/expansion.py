"""The runs that manifests declare, a line each, with what each one sets."""

from collections.abc import Container, Iterator, Sequence

from reconciler.plan.changes import FieldChange, Missing
from reconciler.plan.fields import diff_fields
from reconciler.report.machine import field_entry
from reconciler.report.summary import dotted, shown
from reconciler.state.address import Address
from reconciler.state.canonical import JsonValue
from reconciler.state.resources import Run
from reconciler.state.snapshot import Desired


def render_runs(desired: Desired, selected: Container[Address] | None) -> str:
    """Show the address of every run, and how its config differs from its base."""
    return "".join(
        f"{run.address}{'  ' if fields else ''}{', '.join(map(_field, fields))}\n"
        for run, fields in _runs(desired, selected)
    )


def _field(field: FieldChange) -> str:
    if isinstance(field.before, Missing):
        return f"{dotted(field)}: {shown(field.after)}"
    return f"{dotted(field)}: {shown(field.before)} -> {shown(field.after)}"


def run_list(desired: Desired, selected: Container[Address] | None) -> list[JsonValue]:
    """Say the same for programs."""
    return [
        {"address": str(run.address), "fields": [field_entry(one) for one in fields]}
        for run, fields in _runs(desired, selected)
    ]


def _runs(
    desired: Desired, selected: Container[Address] | None
) -> Iterator[tuple[Run, Sequence[FieldChange]]]:
    for run in desired.runs():
        if selected is None or run.address in selected:
            base = desired.bases.get(run.address)
            if base is None or run.config is None:
                yield run, ()
            else:
                yield run, diff_fields(base, run.config)

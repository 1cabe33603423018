"""Plans, outcomes and failures for programs: one JSON document each.

`format_version` is `MAJOR.MINOR`: a minor version adds fields, which readers
must ignore when they don't know them; a major one changes their meaning.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from reconciler.diagnostics import Diagnostic, Span
from reconciler.plan.build import Plan
from reconciler.plan.changes import (
    Change,
    FieldChange,
    LabelsChange,
    Missing,
    UploadsChange,
)
from reconciler.plan.compare import PlanDifference
from reconciler.report.contents import by_reason
from reconciler.report.summary import SAMPLES, sample_names, summarise
from reconciler.rows.change import RowsChange
from reconciler.state.canonical import JsonObject, JsonValue
from reconciler.state.labels import PinnedLabel
from reconciler.state.resources import Split
from reconciler.state.uploads import LineRefusal

FORMAT_VERSION: Final = "1.1"

_DETAILS: Final = 1000


def document(command: str, **fields: JsonValue) -> str:
    """Write the one JSON document that a command leaves on stdout."""
    return json.dumps(
        {"format_version": FORMAT_VERSION, "command": command, **fields},
        indent=2,
        ensure_ascii=False,
    )


def plan_fields(plan: Plan) -> JsonObject:
    """Say all of a plan but the whole of large sets: counts and samples."""
    sums = summarise(plan)
    return {
        "workspace": plan.workspace,
        "target": {**plan.target.to_json(), "name": plan.target.name},
        "selection": plan.selection,
        "digest": plan.digest,
        "changed": bool(plan),
        "summary": {name: getattr(sums, name) for name in sums.__slots__},
        "changes": [_change(change) for change in plan.changes],
        "blocked": [
            {
                "code": one.code,
                "address": str(one.address),
                "message": one.message,
                "allow": one.allow,
            }
            for one in plan.blocked
        ],
        "notices": [
            {
                "code": one.code,
                "address": None if one.address is None else str(one.address),
                "message": one.message,
            }
            for one in plan.notices
        ],
    }


def _left_out(details: int) -> Iterator[str]:
    if details > _DETAILS:
        yield f"and {details - _DETAILS:,} more"


def diagnostic_list(diagnostics: Iterable[Diagnostic]) -> list[JsonValue]:
    """Say problems with their places."""
    return [
        {
            "code": one.code,
            "message": one.message,
            "hint": one.hint,
            "span": _span(one.span),
            "details": [*one.details[:_DETAILS], *_left_out(len(one.details))],
            "related": [
                {"span": _span(span), "message": message}
                for span, message in one.related
            ],
        }
        for one in diagnostics
    ]


def difference_list(differences: Iterable[PlanDifference]) -> list[JsonValue]:
    """Say how a plan made now differs from the saved one."""
    return [
        {
            "address": None if one.address is None else str(one.address),
            "message": one.message,
        }
        for one in differences
    ]


def refusal_list(refusals: Iterable[LineRefusal]) -> list[JsonValue]:
    """Say which lines of an import were refused, by the reason: counts and samples."""
    return [
        {
            "reason": group.reason,
            "count": group.count,
            "sample": [{"row": one.row, "uuid": one.uuid} for one in group.sample],
        }
        for group in by_reason(refusals)
    ]


def _change(change: Change) -> JsonObject:
    done: JsonObject = {
        "address": str(change.address),
        "action": change.action.value,
        "reason": change.reason.value,
        "id": change.id,
        "origin": _span(change.origin),
        "fields": [field_entry(field) for field in change.fields],
    }
    if change.rows is not None:
        done["rows"] = _rows(change.rows)
    if change.data_rows is not None:
        done["data_rows"] = {
            "created": len(change.data_rows.created),
            "kept": change.data_rows.kept,
            "left": change.data_rows.left,
            "unchecked": change.data_rows.unchecked,
            "sample": [row.global_key for row in change.data_rows.created[:10]],
        }
    if change.labels is not None:
        done["labels"] = _labels(change.labels)
    if change.uploads:
        done["uploads"] = [_uploads(one) for one in change.uploads]
    return done


def _labels(labels: LabelsChange) -> JsonObject:
    return {
        "project": None if labels.project is None else str(labels.project),
        "added": _pins(labels.added),
        "replaced": _pins(labels.replaced),
        "ids": {"count": len(labels.ids), "sample": [*labels.ids[:SAMPLES]]},
        "kept": labels.kept,
        "surplus": labels.surplus,
        "before": labels.before,
    }


def _pins(pins: Sequence[PinnedLabel]) -> JsonObject:
    return {"count": len(pins), "sample": [pin.row for pin in pins[:SAMPLES]]}


def _uploads(uploads: UploadsChange) -> JsonObject:
    return {
        "family": uploads.family.value,
        "slots": uploads.slots,
        "sent": uploads.count,
        "jobs": len(uploads.sent),
        "kept": uploads.kept,
        "stale": uploads.stale,
    }


def field_entry(field: FieldChange) -> JsonObject:
    """Say what differs in one place; a side that has nothing there is left out."""
    done: JsonObject = {"path": list(field.path)}
    if not isinstance(field.before, Missing):
        done["before"] = field.before
    if not isinstance(field.after, Missing):
        done["after"] = field.after
    return done


def _rows(rows: RowsChange) -> JsonObject:
    samples = sample_names(rows)
    return {
        "by": rows.by.value,
        "kept": rows.kept,
        "added": {
            "count": rows.added_count,
            "by_split": _counts({s: len(n) for s, n in rows.added.items()}),
            "sample": list(samples["added"]),
        },
        "moved": {
            "count": rows.moved_count,
            "by_split": [
                {"before": before.value, "after": after.value, "count": len(names)}
                for (before, after), names in sorted(rows.moved.items())
            ],
            "sample": list(samples["moved"]),
        },
        "removed": {
            "count": rows.removed_count,
            "sample": list(samples["removed"]),
        },
        "before": rows.before,
        "after": rows.after,
    }


def _counts(counts: dict[Split, int]) -> JsonObject:
    return {split.value: counts[split] for split in sorted(counts)}


def _span(span: Span | None) -> JsonValue:
    if span is None:
        return None
    return {
        "file": span.file,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }

"""What a plan comes to: counts, and samples of what is too long to show."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from reconciler.diagnostics import counted
from reconciler.plan.build import Plan
from reconciler.plan.changes import MISSING, Action, Change, FieldChange, Missing
from reconciler.rows.change import CurrentRow, RowsChange
from reconciler.state.canonical import JsonValue
from reconciler.state.uploads import Family

SAMPLES: Final = 10
"""How many rows are named of a set that is counted."""

_VALUE_WIDTH: Final = 72


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Counts over a whole plan."""

    created: int
    updated: int
    adopted: int
    unchanged: int
    rows_added: int
    rows_moved: int
    rows_removed: int
    data_rows_uploaded: int
    labels_added: int
    labels_sent: int
    predictions_sent: int
    metrics_sent: int
    blocked: int


def summarise(plan: Plan) -> Summary:
    """Count what a plan does, by kind of change."""
    actions = [change.action for change in plan.changes]
    rows = [change.rows for change in plan.changes if change.rows]
    sent = Counter[Family]()
    for change in plan.changes:
        for uploads in change.uploads:
            sent[uploads.family] += uploads.count
    return Summary(
        created=actions.count(Action.CREATE),
        updated=actions.count(Action.UPDATE),
        adopted=len(plan.adoptions),
        unchanged=actions.count(Action.KEEP),
        rows_added=sum(one.added_count for one in rows),
        rows_moved=sum(one.moved_count for one in rows),
        rows_removed=sum(one.removed_count for one in rows),
        data_rows_uploaded=sum(
            len(change.data_rows.created) for change in plan.changes if change.data_rows
        ),
        labels_added=sum(
            change.labels.count for change in plan.changes if change.labels
        ),
        labels_sent=sent[Family.LABELS],
        predictions_sent=sent[Family.PREDICTIONS],
        metrics_sent=sent[Family.METRICS],
        blocked=len(plan.blocked),
    )


def contents_words(sums: Summary) -> str:
    """Say how much comes onto rows, as far as anything does; empty if nothing."""
    counts = (
        ("label", "add", sums.labels_added),
        ("label", "send", sums.labels_sent),
        ("prediction", "send", sums.predictions_sent),
        ("metric", "send", sums.metrics_sent),
    )
    return ", ".join(
        f"{counted(count, thing)} to {verb}" for thing, verb, count in counts if count
    )


def in_reading_order(changes: Iterable[Change]) -> list[Change]:
    """Put what takes something away first; keep the order otherwise."""
    return sorted(changes, key=lambda change: not (change.rows and change.rows.removed))


def sample_names(rows: RowsChange) -> dict[str, list[str]]:
    """Name the first rows that are added, moved and removed."""
    moved = (name for names in rows.moved.values() for name in names)
    return {
        "added": list(islice(rows.added_names(), SAMPLES)),
        "moved": list(islice(moved, SAMPLES)),
        "removed": [row_name(row) for row in rows.removed[:SAMPLES]],
    }


def row_name(row: CurrentRow) -> str:
    """Name a row by its key, or by its id when it has none."""
    return row.key if row.key is not None else row.id


def shortened(names: Sequence[str], total: int) -> str:
    """List some names of *total*, and say how many more there are."""
    listed = ", ".join(map(plain, names))
    rest = total - len(names)
    return f"{listed} and {rest:,} more" if rest > 0 else listed


def dotted(field: FieldChange) -> str:
    """Write a path as `config.layers[0].units`."""
    text = ""
    for part in field.path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return plain(text)


def shown(value: JsonValue | Missing) -> str:
    """Write a value on one line, cut where it gets long."""
    if value is MISSING or isinstance(value, Missing):
        return "(none)"
    text = plain(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= _VALUE_WIDTH else f"{text[: _VALUE_WIDTH - 1]}…"


def plain(text: str) -> str:
    r"""Make text safe to print: nothing that moves a cursor or turns a line.

    Control characters, terminal escapes, line breaks and the characters that
    reorder or hide text (bidi controls, zero widths) become `\u…` escapes.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_safe(text))


def _safe(text: str) -> Iterator[str]:
    for character in text:
        if character.isprintable():
            yield character
        else:
            yield json.dumps(character)[1:-1]

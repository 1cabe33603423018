"""Files of annotations and metrics, prepared for sending."""

import json
from collections.abc import Container, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from reconciler.annotations.rules import Rules
from reconciler.annotations.uploads import prepare
from reconciler.diagnostics import InputError, Span
from reconciler.rows.spool import SHARED, Room
from reconciler.state.resources import (
    LineFile,
    MetricSource,
    MetricTable,
    RowIdentity,
    WrittenMetric,
)
from reconciler.state.uploads import Family, Uploads
from tests.annotations.fitting import FEATURES

MENTION: Final = Span("run.yaml", 3, 5)
RUN: Final = ("run", "model", "first")


def uuid(number: int) -> str:
    """Make a uuid that can be told from others."""
    return f"00000000-0000-4000-8000-{number:012}"


def box(row: str = "a", number: int | None = None, **more: Any) -> dict[str, Any]:
    """Draw a cat."""
    named = {} if number is None else {"uuid": uuid(number)}
    size = {"top": 1, "left": 2, "height": 3, "width": 4}
    return {
        **named,
        "dataRow": {"globalKey": row},
        "name": "cat",
        "bbox": size,
        **more,
    }


def radio(row: str = "a", answer: str = "a", **more: Any) -> dict[str, Any]:
    """Answer the radio of a whole row."""
    return {
        "dataRow": {"globalKey": row},
        "name": "radio_q",
        "answer": {"name": answer},
        **more,
    }


def metric(row: str = "a", name: str = "m", **more: Any) -> dict[str, Any]:
    """Measure a row."""
    return {
        "dataRow": {"globalKey": row},
        "metricName": name,
        "metricValue": 0.5,
        **more,
    }


def file(path: Path, *rows: object) -> LineFile:
    """Write lines: texts as they are, bytes too, all else as JSON."""
    lines = [
        one
        if isinstance(one, bytes)
        else one.encode()
        if isinstance(one, str)
        else json.dumps(one).encode()
        for one in rows
    ]
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return LineFile(str(path), path.name, MENTION)


def table(
    path: Path, text: str, *, by: RowIdentity = RowIdentity.GLOBAL_KEY, **columns: str
) -> MetricTable:
    """Write a table of metrics; columns are called as what they hold."""
    path.write_text(text, encoding="utf-8")
    header = text.partition("\n")[0].split(",")
    return MetricTable(
        str(path), path.name, MENTION, columns or {one: one for one in header}, by
    )


def written(line: Mapping[str, Any]) -> WrittenMetric:
    """Write a metric into a manifest."""
    return WrittenMetric(dict(line), Span("run.yaml", 20, 7))


def prepared(
    predictions: Sequence[MetricSource] | None = None,
    metrics: Sequence[MetricSource] | None = None,
    *,
    labels: Sequence[MetricSource] | None = None,
    owner: tuple[str, ...] = RUN,
    media_type: str | None = None,
    rules: Rules | None = None,
    by: RowIdentity | None = None,
    members: Container[str] | None = None,
    per_job: int = 1000,
    room: Room = SHARED,
) -> tuple[Uploads, ...]:
    """Prepare what is declared."""
    given = {
        Family.LABELS: labels,
        Family.PREDICTIONS: predictions,
        Family.METRICS: metrics,
    }
    return prepare(
        owner=owner,
        sources={family: one for family, one in given.items() if one is not None},
        features=FEATURES,
        media_type=media_type,
        rules=rules or Rules(),
        by=by,
        members=members,
        per_job=per_job,
        room=room,
    )


def refused(*args: Any, **named: Any) -> InputError:
    """Prepare what can't be sent."""
    try:
        prepared(*args, **named)
    except InputError as error:
        return error
    raise AssertionError("nothing was refused")


def said(error: InputError) -> list[str]:
    """Say each problem in a line."""
    return [str(one) for one in error.diagnostics]


def pointed(error: InputError) -> list[str | None]:
    """Show what each caret is under."""
    return [
        one.excerpt[one.span.column - 1 : one.span.end_column - 1]
        if one.excerpt is not None and one.span
        else None
        for one in error.diagnostics
    ]


def sent(*uploads: Uploads) -> list[dict[str, Any]]:
    """Read all lines that would be sent, slot by slot."""
    return [
        json.loads(line)
        for one in uploads
        for chunk in one.chunks
        for line in chunk.lines
    ]


def chunks(*uploads: Uploads) -> list[tuple[object, ...]]:
    """Sum up what would be sent."""
    return [
        (one.family, chunk.slot, chunk.digest, chunk.count, chunk.rows, chunk.marks)
        for one in uploads
        for chunk in one.chunks
    ]

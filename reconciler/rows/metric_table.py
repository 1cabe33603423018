"""Tables of metrics to the lines that an import takes, one a metric.

A table has one value a line. With a column of confidences the lines of one
metric, wherever they stand, become a single value that is keyed by confidence.
"""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

import msgspec

from reconciler.diagnostics import Diagnostic, Span
from reconciler.rows.places import JsonPath
from reconciler.rows.problems import Problems, nearest
from reconciler.rows.read import Origin, Record, read_records
from reconciler.rows.spec import RowFormat
from reconciler.rows.spool import Room, Spool
from reconciler.state.resources import MetricTable, RowIdentity

COUNTS: Final = ("tp", "fp", "tn", "fn")
"""The fields that make the counts of a confusion matrix, in the API's order."""

_MATRIX: Final = "CONFUSION_MATRIX"
_FIELDS: Final = {
    "name": "metricName",
    "feature": "featureName",
    "subclass": "subclassName",
    "aggregation": "aggregation",
}
_BY_FIELD: Final = {"dataRow": "row"} | {name: one for one, name in _FIELDS.items()}
_IDENTITY: Final = ("dataRow", "metricName", "featureName", "subclassName")
_ROW_FIELDS: Final = {
    RowIdentity.GLOBAL_KEY: "globalKey",
    RowIdentity.DATA_ROW_ID: "id",
}
_PARTS: Final = 256

_Value: TypeAlias = float | list[int]

_number: Final = msgspec.json.Decoder(float).decode
_count: Final = msgspec.json.Decoder(int).decode
_encode: Final = msgspec.json.Encoder().encode


class TableMetric(NamedTuple):
    """A metric as a table gives it.

    Attributes:
        line: As the SDK's imports take it.
        records: The lines of the table that it is made of, in their order; only
            a metric that is keyed by confidence has several.
    """

    line: bytes
    records: tuple[Record, ...]


class _Point(NamedTuple):
    """One line of a table, read.

    Attributes:
        record: The line.
        head: Everything but its value, as an import has it.
        value: The value.
        confidence: The confidence as it is written; "" for none.
    """

    record: Record
    head: dict[str, object]
    value: _Value
    confidence: str


def read_metrics(
    table: MetricTable, problems: Problems, room: Room
) -> Iterator[TableMetric]:
    """Go through the metrics of a table; what is unfit goes to *problems*.

    Values and confidences are numbers as JSON writes them, counts whole ones. An
    empty field means that the line says nothing of it. Counts are those of a
    confusion matrix where no aggregation is given.

    Args:
        table: The file, and what its columns hold.
        problems: Collects those of the reader, `wrong-column`, `row-invalid`, and
            `metric-twice` for two values of one metric at one confidence.
        room: Where lines wait for others of their metric.
    """
    points = _points(table, problems)
    if "confidence" not in table.columns:
        for point in points:
            yield _metric(point.head, point.value, (point.record,))
        return
    for group in _grouped(points, table, room):
        if metric := _keyed(group, table, problems):
            yield metric


def column_of(table: MetricTable, path: JsonPath) -> str | None:
    """Find the column that a place in an import's line comes from."""
    match path:
        case ["metricValue", *_]:
            field = "value" if "value" in table.columns else COUNTS[0]
        case [str(first), *_]:
            field = _BY_FIELD.get(first, "")
        case _:
            field = ""
    return table.columns.get(field)


def record_at(table: MetricTable, metric: TableMetric, path: JsonPath) -> Record:
    """Find the line of the table that a place in an import's line comes from."""
    match path:
        case ["metricValue", str(confidence), *_] if len(metric.records) > 1:
            column = table.columns["confidence"]
            for record in metric.records:
                if str(record.values[column]).strip() == confidence:
                    return record
        case _:
            pass
    return metric.records[0]


def _points(table: MetricTable, problems: Problems) -> Iterator[_Point]:
    first = True
    for record in read_records(
        Path(table.path), table.name, RowFormat.CSV, problems, mention=table.span
    ):
        if first:
            wrong = list(_wrong_columns(record, table))
            for found in wrong:
                problems.add(found)
            if wrong:
                return
            first = False
        if point := _point(record, table, problems):
            yield point


def _wrong_columns(record: Record, table: MetricTable) -> Iterator[Diagnostic]:
    for column in table.columns.values():
        if column not in record.values:
            known = ", ".join(map(repr, record.values))
            yield Diagnostic(
                code="wrong-column",
                message=f"{table.name} has no column {column!r}; it has {known}",
                span=table.span,
                hint=nearest(column, record.values),
                related=((Span(table.name), "read here"),),
            )


def _point(record: Record, table: MetricTable, problems: Problems) -> _Point | None:
    cells = {
        field: str(record.values[column]) for field, column in table.columns.items()
    }
    value = _value(cells, record, table, problems)
    confidence = cells.get("confidence", "").strip()
    if confidence:
        wrong = _read_number(confidence, record, table.columns["confidence"], problems)
        if wrong is None:
            return None
    if value is None:
        return None
    head: dict[str, object] = {"dataRow": {_ROW_FIELDS[table.by]: cells["row"]}}
    head |= {
        _FIELDS[field]: cells[field]
        for field in _FIELDS
        if cells.get(field) or (field == "name" and field in cells)
    }
    if isinstance(value, list):
        head.setdefault(_FIELDS["aggregation"], _MATRIX)
    return _Point(record, head, value, confidence)


def _value(
    cells: Mapping[str, str], record: Record, table: MetricTable, problems: Problems
) -> _Value | None:
    if "value" in cells:
        column = table.columns["value"]
        return _read_number(cells["value"], record, column, problems)
    counts: list[int] = []
    for field in COUNTS:
        column = table.columns[field]
        try:
            counts.append(_count(cells[field]))
        except msgspec.DecodeError:
            what = f"{column!r} is {cells[field]!r}, which is no whole number"
            problems.add(record.problem("row-invalid", what, column=column))
    return counts if len(counts) == len(COUNTS) else None


def _read_number(
    text: str, record: Record, column: str, problems: Problems
) -> float | None:
    try:
        return _number(text)
    except msgspec.DecodeError:
        what = f"{column!r} is {text!r}, which is no number"
        problems.add(record.problem("row-invalid", what, column=column))
        return None


def _grouped(
    points: Iterator[_Point], table: MetricTable, room: Room
) -> Iterator[list[_Point]]:
    """Bring the lines of each metric together, those of a row side by side."""
    spool = Spool(room)
    origin = Origin(table.name, RowFormat.CSV, table.span)
    columns: Sequence[str] = ()
    for record, head, value, confidence in points:
        columns = list(record.values)
        cells = list(record.values.values())
        part = zlib.crc32(str(record.values[table.columns["row"]]).encode()) % _PARTS
        kept = (
            _identity(head),
            record.line,
            record.text,
            cells,
            head,
            value,
            confidence,
        )
        spool.add(part, _encode(kept) + b"\n")
    for part in spool.parts():
        lines = [_read_kept(line) for line in spool.read(part).split(b"\n")[:-1]]
        lines.sort(key=lambda kept: kept[:2])
        for _, same in groupby(lines, key=lambda kept: kept[0]):
            yield [
                _Point(
                    Record(origin, line, dict(zip(columns, cells, strict=True)), text),
                    head,
                    value,
                    confidence,
                )
                for _, line, text, cells, head, value, confidence in same
            ]


_read_kept: Final = msgspec.json.Decoder(
    tuple[str, int, str, list[str], dict[str, object], float | list[int], str]
).decode


def _identity(head: Mapping[str, object]) -> str:
    return _encode([head.get(field) for field in _IDENTITY]).decode()


def _keyed(
    points: list[_Point], table: MetricTable, problems: Problems
) -> TableMetric | None:
    column = table.columns["confidence"]
    first = points[0]
    seen: dict[float | None, _Point] = {}
    fits = True
    for point in points:
        if point.head.get("aggregation") != first.head.get("aggregation"):
            fits = False
            problems.add(_two_aggregations(first, point, table))
        here = _number(point.confidence) if point.confidence else None
        earlier = seen.get(here)
        if earlier is None and None in (seen.keys() | {here}) and seen:
            earlier = first  # a value for all confidences, and one for some
        if earlier is None:
            seen[here] = point
            continue
        fits = False
        at = "without a confidence" if here is None else f"at confidence {here:g}"
        problems.add(
            point.record.problem(
                "metric-twice",
                f"the metric has another value already; this one is {at}",
                column=column,
                related=((earlier.record.span(column), "the other value"),),
            )
        )
    if not fits:
        return None
    records = tuple(point.record for point in points)
    if None in seen:
        return _metric(first.head, first.value, records)
    keyed = {
        point.confidence: point.value
        for _, point in sorted(seen.items(), key=lambda one: one[0] or 0.0)
    }
    return _metric(first.head, keyed, records)


def _two_aggregations(first: _Point, point: _Point, table: MetricTable) -> Diagnostic:
    column = table.columns.get("aggregation")
    return point.record.problem(
        "metric-aggregation",
        "the metric has another aggregation at another confidence",
        column=column,
        related=((first.record.span(column), "the other aggregation"),),
    )


def _metric(
    head: Mapping[str, object],
    value: _Value | Mapping[str, _Value],
    records: tuple[Record, ...],
) -> TableMetric:
    return TableMetric(_encode({**head, "metricValue": value}), records)

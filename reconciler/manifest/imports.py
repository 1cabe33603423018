"""What manifests say of annotations and metrics, to files that are safe to open."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import PurePosixPath
from typing import Final, TypeAlias

from reconciler.diagnostics import Diagnostic, Span
from reconciler.manifest.document import Document
from reconciler.manifest.schema import (
    LineFileShape,
    MetricColumnsShape,
    MetricFileShape,
    MetricValue,
    WrittenMetricShape,
)
from reconciler.manifest.select import Astray, Files, Located
from reconciler.manifest.variants import Values, fill
from reconciler.rows.places import excerpt
from reconciler.state.canonical import JsonObject, canonical_object
from reconciler.state.resources import (
    LineFile,
    MetricSource,
    MetricTable,
    RowIdentity,
    WrittenMetric,
)

PathInDocument: TypeAlias = tuple[str | int, ...]

_LINES: Final = (".ndjson", ".jsonl")
_TABLE: Final = ".csv"
_WRITTEN: Final[Mapping[str | int, str]] = {
    "metricName": "name",
    "metricValue": "value",
    "featureName": "feature",
    "subclassName": "subclass",
    "aggregation": "aggregation",
}
"""What the fields of a line are called in a manifest, but for the data row."""


class ImportBuilder:
    """Finds the files of one document, and collects what is wrong with them.

    Attributes:
        problems: What is wrong; what was built counts only while there is nothing.
    """

    def __init__(self, files: Files, document: Document) -> None:
        self.problems: list[Diagnostic] = []
        self._files = files
        self._document = document
        self._folder = (files.root / document.source.file).parent

    def line_files(
        self, shapes: Sequence[LineFileShape], field: str, values: Values
    ) -> tuple[LineFile, ...]:
        """Find files with one annotation a line.

        Args:
            shapes: As they are written.
            field: The field of the document that they stand in.
            values: What stands for the axes in their names.
        """
        found = [
            lines
            for position, shape in enumerate(shapes)
            for lines in self._lines(shape, (field, position), values)
        ]
        self._refuse_repeated(found, field)
        return tuple(found)

    def metrics(
        self,
        shapes: Sequence[MetricFileShape | WrittenMetricShape],
        values: Values,
    ) -> tuple[MetricSource, ...]:
        """Find files of metrics, and read those that are written out."""
        found: list[MetricSource] = []
        for position, shape in enumerate(shapes):
            path = ("metrics", position)
            if isinstance(shape, WrittenMetricShape):
                line = written_line(shape)
                locate = partial(_located, self._document, path)
                span = self._document.span(path)
                found.append(WrittenMetric(line, span, locate))
            elif _ending(shape.file) == _TABLE:
                found.extend(self._table(shape, path, values))
            else:
                found.extend(self._lines(shape, path, values, other=_TABLE))
                if shape.columns is not None:
                    why = f"{shape.file} has no columns: its lines are metrics already"
                    self._say((*path, "columns"), Astray("wrong-value", why))
        self._refuse_repeated(
            [one for one in found if isinstance(one, LineFile)], "metrics"
        )
        return tuple(found)

    def _lines(
        self,
        shape: LineFileShape | MetricFileShape,
        path: PathInDocument,
        values: Values,
        *,
        other: str | None = None,
    ) -> Iterator[LineFile]:
        endings = (*_LINES, other) if other else _LINES
        located = self._locate(shape.file, (*path, "file"), values, endings)
        if located:
            span = self._document.span((*path, "file"))
            yield LineFile(str(located.path), located.name, span)

    def _table(
        self, shape: MetricFileShape, path: PathInDocument, values: Values
    ) -> Iterator[MetricTable]:
        located = self._locate(shape.file, (*path, "file"), values, (_TABLE,))
        if shape.columns is None:
            why = f"{shape.file} has columns: `columns` is needed"
            self._say(path, Astray("missing-field", why))
        elif located:
            columns = shape.columns
            yield MetricTable(
                path=str(located.path),
                name=located.name,
                span=self._document.span((*path, "file")),
                columns=_columns(columns),
                by=RowIdentity.DATA_ROW_ID
                if columns.global_key is None
                else RowIdentity.GLOBAL_KEY,
            )

    def _locate(
        self,
        text: str,
        path: PathInDocument,
        values: Values,
        endings: Sequence[str],
    ) -> Located | None:
        name = fill(text, values)
        located: Located | Astray = self._files.locate(self._folder, name)
        if isinstance(located, Located) and _ending(name) not in endings:
            located = Astray(
                "file-format",
                f"{name} isn't of a format that is read here",
                f"the endings are {', '.join(endings)}",
            )
        if isinstance(located, Located):
            return located
        self._say(path, located)
        return None

    def _refuse_repeated(self, found: Sequence[LineFile], field: str) -> None:
        """Refuse a file that is named twice: its annotations would be doubled."""
        first: dict[str, LineFile] = {}
        for each in found:
            before = first.setdefault(each.path, each)
            if before is not each:
                problem = Diagnostic(
                    "wrong-value",
                    f"`{field}` names {each.name} twice",
                    each.span,
                    "take one of the two out",
                    related=((before.span, "named here first"),),
                )
                self.problems.append(problem)

    def _say(self, path: PathInDocument, found: Astray) -> None:
        self.problems.append(found.at(self._document.span(path)))


def _ending(name: str) -> str:
    return PurePosixPath(name).suffix.lower()


def _columns(shape: MetricColumnsShape) -> dict[str, str]:
    """Name columns as `MetricTable` does."""
    row = shape.data_row_id if shape.global_key is None else shape.global_key
    named = {
        "row": row,
        **shape.model_dump(exclude={"global_key", "data_row_id"}),
    }
    return {name: column for name, column in named.items() if column is not None}


def _located(
    document: Document, metric: PathInDocument, steps: Sequence[str | int]
) -> tuple[Span, str | None]:
    """Find a value of a line where the metric is written."""
    inside: PathInDocument = ()
    match steps:
        case ["dataRow", "id", *_]:
            inside = ("dataRowId",)
        case ["dataRow", *_]:
            inside = ("globalKey",)
        case [name, *rest] if name in _WRITTEN:
            inside = (_WRITTEN[name], *rest)
        case _:
            pass
    span = document.span((*metric, *inside))
    return span, excerpt(document.source.line(span.line), span.column)


def written_line(shape: WrittenMetricShape) -> JsonObject:
    """Write a metric as a line of an import."""
    row = (
        {"dataRow": {"id": shape.data_row_id}}
        if shape.global_key is None
        else {"dataRow": {"globalKey": shape.global_key}}
    )
    aggregation = shape.aggregation
    if aggregation is None and _has_counts(shape.value):
        aggregation = "CONFUSION_MATRIX"
    said = {
        "metricName": shape.name,
        "metricValue": shape.value,
        "featureName": shape.feature,
        "subclassName": shape.subclass,
        "aggregation": aggregation,
    }
    given = {name: value for name, value in said.items() if value is not None}
    return canonical_object({**row, **given})


def _has_counts(value: MetricValue) -> bool:
    if isinstance(value, dict):
        return any(isinstance(one, list) for one in value.values())
    return isinstance(value, list)

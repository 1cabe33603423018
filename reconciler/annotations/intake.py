"""Sources of annotations and metrics, read line by line, checked and put aside."""

from bisect import bisect
from collections.abc import Container, Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeAlias

from reconciler.annotations.aside import Kept, part_of, put_aside
from reconciler.annotations.checked import Aggregation, Annotation, Metric, Refused
from reconciler.annotations.checking import Checker
from reconciler.annotations.features import Feature, Features
from reconciler.annotations.findings import NOT_JSON, At, Finding, Findings
from reconciler.annotations.kinds import Kind
from reconciler.annotations.places import steps_of
from reconciler.annotations.problems import show
from reconciler.annotations.rows import RowName
from reconciler.annotations.rules import Purpose, Rules
from reconciler.diagnostics import Span
from reconciler.rows.lines import read_lines
from reconciler.rows.metric_table import TableMetric, read_metrics, record_at
from reconciler.rows.problems import Advice
from reconciler.rows.read import Origin
from reconciler.rows.spec import RowFormat
from reconciler.rows.spool import Room, Spool
from reconciler.state.canonical import canonical_bytes
from reconciler.state.resources import (
    LineFile,
    MetricSource,
    MetricTable,
    RowIdentity,
    WrittenMetric,
)
from reconciler.state.uploads import Family

_WHOLE: Final = frozenset({Kind.RADIO, Kind.CHECKLIST, Kind.TEXT})
_NEAR: Final = 500
"""How many names before and after an unknown one are looked at for a slip."""


@dataclass(slots=True)
class Pile:
    """The lines of a family, put aside.

    Attributes:
        spool: Where they are.
        count: How many there are.
    """

    spool: Spool
    count: int = 0


class _Line(NamedTuple):
    """A line of a source, before anything is known of it.

    Attributes:
        source: Position of the source.
        number: Its number there.
        raw: As it is written, or made of a table.
        metric: Of which lines of a table it was made.
    """

    source: int
    number: int
    raw: bytes
    metric: TableMetric | None = None


class _Row(NamedTuple):
    """A data row that there is, and where its lines are put."""

    name: str
    part: int


_First: TypeAlias = tuple[Aggregation, Span]


@dataclass(slots=True, kw_only=True)
class Intake:
    """Reads the sources of one object, one family after the other.

    Attributes:
        features: What the ontology has.
        media_type: What the data is, as the API spells it; None if unknown.
        rules: Limits.
        by: How lines name their rows; None until the first has named one.
        members: The data rows that lines may be for; None takes any.
        whose: Who has those rows, in words.
        findings: Where problems go; its sources are those that are read, in
            their order.
        room: How much memory lines may take.
        used: Features of the lines that were taken, by their positions.
    """

    features: Features
    media_type: str | None
    rules: Rules
    by: RowIdentity | None
    members: Container[str] | None
    whose: str
    findings: Findings
    room: Room
    used: list[Feature] = field(default_factory=list)
    _positions: dict[Feature, int] = field(default_factory=dict)
    _piles: dict[Family, Pile] = field(default_factory=dict)
    _aggregations: dict[str | None, _First] = field(default_factory=dict)
    _source: int = 0
    _advice: Advice = field(default_factory=Advice)
    _sorted: list[str] | None = None
    _last: "_Row | None" = None

    def piles(self) -> Iterator[tuple[Family, Pile]]:
        """Go through the families that were read, or came with another."""
        return (
            (family, self._piles[family]) for family in Family if family in self._piles
        )

    def read(self, family: Family, sources: Iterable[MetricSource]) -> None:
        """Read the next sources, which are all those of a family."""
        labels = family is Family.LABELS
        checker = Checker(
            self.features,
            self.media_type,
            self.rules,
            Purpose.LABEL if labels else Purpose.PREDICTION,
        )
        self._pile(family)
        for source in sources:
            for line in self._lines(source):
                match checker.read(line.raw):
                    case Annotation() as one if family is not Family.METRICS:
                        self._keep_annotation(family, one, line)
                    case Metric() as one:
                        self._keep_metric(one, line)
                    case Refused(problems=problems):
                        for problem in problems:
                            self._find(
                                line,
                                "annotation-invalid",
                                problem.message,
                                problem.path,
                                no_json=problem.name == NOT_JSON,
                            )
                    case Annotation():
                        message = "the line is no metric; annotations are predictions"
                        self._find(line, "annotation-invalid", message)
            self._source += 1

    def _lines(self, source: MetricSource) -> Iterator[_Line]:
        position, reading = self._source, self.findings.reading
        match source:
            case LineFile():
                origin = Origin(source.name, RowFormat.NDJSON, source.span)
                for number, raw in read_lines(source.path, origin, reading):
                    yield _Line(position, number, raw)
            case MetricTable():
                for metric in read_metrics(source, reading, self.room):
                    first = metric.records[0]
                    if position not in self.findings.columns:
                        self.findings.columns[position] = list(first.values)
                    yield _Line(position, first.line, metric.line, metric)
            case WrittenMetric():
                yield _Line(position, 0, canonical_bytes(source.line))

    def _keep_annotation(self, family: Family, one: Annotation, line: _Line) -> None:
        row = self._row(one.row, line)
        if row is None:
            return
        position = -1
        if one.feature is not None:
            position = self._positions.get(one.feature, -1)
            if position < 0:
                position = self._positions[one.feature] = len(self.used)
                self.used.append(one.feature)
        ends = (one.ends.source, one.ends.target) if one.ends else None
        whole = one.kind in _WHOLE
        kept = Kept(row.name, line.source, line.number, one.uuid, position, whole, ends)
        self._keep(family, row, kept, line.raw)

    def _keep_metric(self, one: Metric, line: _Line) -> None:
        row = self._row(one.row, line)
        name = one.key.name
        first = self._aggregations.get(name)
        if first is None:
            place = self.findings.place(line.source, line.number)
            self._aggregations[name] = (one.aggregation, place)
        elif first[0] is not one.aggregation:
            said = "without a name" if name is None else show(name)
            self._find(
                line,
                "metric-aggregation",
                f"the metric {said} has the aggregation {one.aggregation}; "
                f"others of it have {first[0]}",
                "aggregation",
                related=((first[1], f"{first[0]} here"),),
            )
        if row is None:
            return
        kept = Kept(
            row.name,
            line.source,
            line.number,
            metric=(name, one.key.feature, one.key.subclass),
            text=line.metric.records[0].text if line.metric else "",
        )
        self._keep(Family.METRICS, row, kept, line.raw)

    def _keep(self, family: Family, row: _Row, kept: Kept, raw: bytes) -> None:
        pile = self._pile(family)
        pile.count += 1
        put_aside(pile.spool, row.part, kept, raw.rstrip())

    def _pile(self, family: Family) -> Pile:
        if family not in self._piles:
            self._piles[family] = Pile(Spool(self.room))
        return self._piles[family]

    def _row(self, name: RowName, line: _Line) -> _Row | None:
        """Take the row that is meant; None when it is not to be had."""
        if name.global_key is not None:
            row, by, path = name.global_key, RowIdentity.GLOBAL_KEY, "dataRow.globalKey"
        else:
            assert name.id is not None
            row, by, path = name.id, RowIdentity.DATA_ROW_ID, "dataRow.id"
        if self.by is not by:
            if self.by is not None:
                message = f"the data row is named by {_WORDS[by]}, and must be by "
                self._find(line, "wrong-row-name", message + _WORDS[self.by], path)
                return None
            self.by = by
        if self._last is not None and self._last.name == row:
            return self._last
        if self.members is not None and row not in self.members:
            message = f"{self.whose} has no data row {show(row)}"
            near = self._advice.nearest(row, self._near(row))
            self._find(line, "row-not-in-run", message, path, hint=near)
            return None
        self._last = _Row(row, part_of(row))
        return self._last

    def _near(self, row: str) -> Iterator[str]:
        """Go through the members that would stand near a name that is none."""
        if self._sorted is None:
            members = self.members
            self._sorted = sorted(members) if isinstance(members, Set) else []
        at = bisect(self._sorted, row)
        yield from self._sorted[max(0, at - _NEAR) : at + _NEAR]

    def _find(
        self,
        line: _Line,
        code: str,
        message: str,
        path: str = "",
        *,
        hint: str | None = None,
        related: Sequence[tuple[Span, str]] = (),
        no_json: bool = False,
    ) -> None:
        number, text = line.number, ""
        if line.metric:
            source = self.findings.sources[line.source]
            assert isinstance(source, MetricTable)
            record = record_at(source, line.metric, steps_of(path))
            number, text = record.line, record.text
        self.findings.add(
            Finding(
                code=code,
                message=message,
                at=At(line.source, number, line.raw, text),
                path=path,
                hint=hint,
                related=tuple(related),
                no_json=no_json,
            )
        )


_WORDS: Final = {
    RowIdentity.GLOBAL_KEY: "global key",
    RowIdentity.DATA_ROW_ID: "data row id",
}

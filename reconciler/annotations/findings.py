"""What is wrong with annotations and metrics, said where it is written.

Of very many problems only the first of the text are put into words, in whatever
order they are found.
"""

from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Final, TypeAlias

from reconciler.annotations.places import SPELLINGS, steps_of
from reconciler.diagnostics import Diagnostic, Span
from reconciler.rows.lines import broken_line, line_problem
from reconciler.rows.metric_table import column_of
from reconciler.rows.problems import SHOWN, More, Problems
from reconciler.rows.read import Origin, Record
from reconciler.rows.spec import RowFormat
from reconciler.state.resources import (
    LineFile,
    MetricSource,
    MetricTable,
    WrittenMetric,
)

NOT_JSON: Final = "NotJson"
"""The name of the problem of a line that is no JSON at all."""


@dataclass(frozen=True, slots=True)
class At:
    """A line of a source, as it is written.

    Attributes:
        source: Position of the source among all.
        line: Its number, from 1; 0 for what is written in a manifest.
        raw: The line, with the white space in front of it.
        text: For tables: the line as the table has it.
    """

    source: int
    line: int
    raw: bytes
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A problem that isn't in words yet.

    Attributes:
        code: Of `CATALOGUE`.
        message: What is wrong.
        at: The line.
        path: The place in the line, as a `Problem` says it.
        hint: What to try.
        related: Other lines, with a word on each.
        no_json: Whether the line is no JSON.
    """

    code: str
    message: str
    at: At
    path: str = ""
    hint: str | None = None
    related: tuple[tuple[Span, str], ...] = ()
    no_json: bool = False


_Group: TypeAlias = list[Finding]
_line_of = attrgetter("at.line")


@dataclass(slots=True)
class Findings:
    """Problems found so far.

    Attributes:
        sources: What is read.
        reading: What readers of files found.
        columns: Columns of the tables among the sources, in their order.
    """

    sources: Sequence[MetricSource]
    reading: Problems = field(default_factory=Problems)
    columns: dict[int, Sequence[str]] = field(default_factory=dict)
    _kept: dict[tuple[int, str], _Group] = field(default_factory=dict)
    _counts: dict[tuple[int, str], int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self._kept or self.reading)

    def add(self, found: Finding) -> None:
        """Remember a problem, or only count it when enough stand before it."""
        like = (found.at.source, found.code)
        kept = self._kept.setdefault(like, [])
        self._counts[like] = self._counts.get(like, 0) + 1
        if len(kept) > SHOWN:
            if found.at.line >= kept[-1].at.line:
                return
            kept.pop()
        insort(kept, found, key=_line_of)

    def place(self, source: int, line: int) -> Span:
        """Say where a line begins."""
        of = self.sources[source]
        match of:
            case LineFile() | MetricTable():
                return Span(of.name, line)
            case _:
                return of.span

    def raise_if_any(self) -> None:
        """End with everything that was found, if anything was.

        Raises:
            InputError: With all problems, as `Problems` bounds them.
        """
        problems = self.reading
        for like, kept in self._kept.items():
            for found in kept[:SHOWN]:
                problems.add(self._said(found))
            if more := self._counts[like] - len(kept[:SHOWN]):
                problems.add(
                    More(
                        code=like[1],
                        message="",
                        span=self.place(like[0], kept[-1].at.line),
                        number=more,
                    )
                )
        problems.raise_if_any()

    def _said(self, found: Finding) -> Diagnostic:
        source, at = self.sources[found.at.source], found.at
        match source:
            case LineFile():
                origin = Origin(source.name, RowFormat.NDJSON, source.span)
                if found.no_json:
                    return broken_line(
                        origin, at.line, at.raw, found.code, found.message
                    )
                return line_problem(
                    origin,
                    at.line,
                    at.raw,
                    found.code,
                    found.message,
                    path=steps_of(found.path),
                    spellings=SPELLINGS,
                    hint=found.hint,
                    related=found.related,
                )
            case MetricTable():
                origin = Origin(source.name, RowFormat.CSV, source.span)
                values: dict[str, object] = dict.fromkeys(self.columns[at.source], "")
                return Record(origin, at.line, values, at.text).problem(
                    found.code,
                    found.message,
                    column=column_of(source, steps_of(found.path)),
                    hint=found.hint,
                    related=found.related,
                )
            case WrittenMetric(span=span, locate=locate):
                place = (span, None) if locate is None else locate(steps_of(found.path))
                return Diagnostic(
                    found.code,
                    found.message,
                    place[0],
                    found.hint,
                    related=found.related,
                    excerpt=place[1],
                )

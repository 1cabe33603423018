"""Row sources to names, one by one, saying what is wrong with each.

The reference: a quicker reader must come to the same rows or stand aside.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from reconciler.diagnostics import Diagnostic, Span
from reconciler.rows.names import check_label_id, check_name
from reconciler.rows.problems import Problems, mentioned, nearest
from reconciler.rows.read import TEXT_COLUMN, Record, read_records
from reconciler.rows.spec import InlineRows, RowFile, RowFormat, RowSource
from reconciler.state.resources import RowIdentity


class Inlined(NamedTuple):
    """Where a name stands in a manifest, found only when it is asked for."""

    spans: Sequence[Span]
    position: int


class Entry(NamedTuple):
    """A row as a source lists it.

    Attributes:
        name: Its global key or data row id; a fit one.
        value: What stands in the column read beside it, or nothing.
        place: Where it is listed.
        column: The column of the name, for records.
    """

    name: str
    value: str
    place: Record | Inlined
    column: str = ""

    @property
    def span(self) -> Span:
        """The place of the name."""
        if isinstance(self.place, Inlined):
            return self.place.spans[self.place.position]
        return self.place.span(self.column)

    @property
    def file(self) -> str:
        """The file that lists it."""
        if isinstance(self.place, Inlined):
            return self.span.file
        return self.place.origin.name

    def problem(
        self,
        code: str,
        message: str,
        *,
        column: str | None = None,
        hint: str | None = None,
        related: tuple[tuple[Span, str], ...] = (),
    ) -> Diagnostic:
        """Say what is wrong with it, or with what stands in another column."""
        if isinstance(self.place, Inlined):
            return Diagnostic(code, message, self.span, hint, related=related)
        return self.place.problem(
            code, message, column=column or self.column, hint=hint, related=related
        )


@dataclass(frozen=True, slots=True)
class Beside:
    """A second column, read beside the names.

    Attributes:
        column: Its name.
        span: Where the manifest mentions it.
    """

    column: str
    span: Span


def read_entries(
    sources: Sequence[RowSource],
    by: RowIdentity,
    problems: Problems,
    *,
    beside: Beside | None = None,
) -> Iterator[Entry]:
    """Go through what sources list, in order; what is unfit goes to *problems*."""
    for source in sources:
        for entry in _entries(source, problems, beside):
            if wrong := check_name(entry.name, by):
                problems.add(entry.problem(*wrong))
            else:
                yield entry


def read_label_ids(sources: Sequence[RowSource], problems: Problems) -> Iterator[Entry]:
    """Go through the label ids that sources list, as `read_entries` does."""
    for source in sources:
        for entry in _entries(source, problems, None):
            if wrong := check_label_id(entry.name):
                problems.add(entry.problem(*wrong))
            else:
                yield entry


def _entries(
    source: RowSource, problems: Problems, beside: Beside | None
) -> Iterator[Entry]:
    match source:
        case InlineRows():
            return _inline(source, problems, beside)
        case RowFile():
            return _listed(source, problems, beside)


def _inline(
    source: InlineRows, problems: Problems, beside: Beside | None
) -> Iterator[Entry]:
    if beside:
        problems.add(
            Diagnostic(
                "wrong-column",
                f"rows written in the manifest have no column {beside.column!r}",
                beside.span,
            )
        )
        return
    for position, name in enumerate(source.names):
        yield Entry(name, "", Inlined(source.spans, position))


def _listed(
    source: RowFile, problems: Problems, beside: Beside | None
) -> Iterator[Entry]:
    column = TEXT_COLUMN if source.column is None else source.column
    if source.format is RowFormat.TEXT and beside:
        problems.add(
            Diagnostic(
                "wrong-column",
                f"{source.name} is a text file, which has no column {beside.column!r}",
                beside.span,
                related=mentioned(source.span),
            )
        )
        return
    wanted = [(column, source.column_span)]
    if beside:
        wanted.append((beside.column, beside.span))
    first = True
    for record in read_records(
        source.path, source.name, source.format, problems, mention=source.span
    ):
        if first:
            wrong = list(_wrong_columns(record, wanted))
            for found in wrong:
                problems.add(found)
            if wrong:
                return
            first = False
        values = [_text(record, name, problems) for name, _ in wanted]
        if None not in values:
            texts = [value or "" for value in values]
            yield Entry(texts[0], texts[1] if beside else "", record, column)


def _wrong_columns(
    record: Record, wanted: Sequence[tuple[str, Span]]
) -> Iterator[Diagnostic]:
    for column, span in wanted:
        if column not in record.values:
            what = "field" if record.origin.format is RowFormat.NDJSON else "column"
            known = ", ".join(map(repr, record.values)) or "none"
            yield Diagnostic(
                code="wrong-column",
                message=f"{record.origin.name} has no {what} {column!r}; it has {known}",
                span=span,
                hint=nearest(column, record.values),
                related=((Span(record.origin.name), "read here"),),
            )


def _text(record: Record, column: str, problems: Problems) -> str | None:
    """Take a text; nothing (null) is an empty one, anything else is a problem."""
    if column not in record.values:
        problems.add(record.problem("row-invalid", f"the field {column!r} is missing"))
        return None
    value = record.values[column]
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    problems.add(
        record.problem(
            "row-invalid",
            f"{column!r} is {_kind(value)}, not a text",
            column=column,
            hint=f'write "{value}"' if type(value) is int else None,
        )
    )
    return None


def _kind(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return f"the number {value}"
        case list():
            return "a list"
        case dict():
            return "an object"
        case _:
            return f"a {type(value).__name__}"

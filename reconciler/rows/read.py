"""Row files to records: one for each row, knowing where it stands.

The plain readers: they go line by line, say exactly what is wrong where, and
go on behind it. What larger files are read with must agree with them.
"""

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple, NoReturn

from reconciler.diagnostics import Diagnostic, Span
from reconciler.rows import parquet
from reconciler.rows.places import csv_place, excerpt, json_place
from reconciler.rows.problems import Problems, mentioned
from reconciler.rows.spec import RowFormat

TEXT_COLUMN: Final = "name"
"""What the one value of a text file's line is called."""

DEEPEST: Final = 64
"""How deep objects and lists of a line may be nested, as those of a manifest."""

_BOM: Final = "\ufeff"
_BLANK: Final = " \t\r\n"
_TOO_DEEP: Final = "no JSON that can be read: nested too deeply"


class Origin(NamedTuple):
    """A file that records come from.

    Attributes:
        name: What to call it in messages: relative to the workspace, with `/`.
        format: How it is read.
        mention: Where the manifest names it; None when no manifest does.
    """

    name: str
    format: RowFormat
    mention: Span | None = None


class Record(NamedTuple):
    """One row of a file.

    Attributes:
        origin: The file.
        line: The line it starts on, from 1; for Parquet the row, from 1.
        values: By column or field, in the order of the file. Of CSV and text
            files every value is a string, never stripped; of NDJSON it is what
            JSON gives; of Parquet what the column's type gives.
        text: The row as it is written, line ends included; empty for Parquet.
    """

    origin: Origin
    line: int
    values: dict[str, object]
    text: str

    def span(self, column: str | None = None) -> Span:
        """Find a value's place, or the whole row's.

        Args:
            column: Whose value; the row's place answers for a column that the
                row doesn't have.
        """
        if column in self.values:
            match self.origin.format:
                case RowFormat.CSV:
                    index = list(self.values).index(column)
                    return csv_place(self.origin.name, self.line, self.text, index)
                case RowFormat.NDJSON:
                    return json_place(self.origin.name, self.line, self.text, column)
                case RowFormat.TEXT | RowFormat.PARQUET:
                    pass
        length = len(self.text.split("\n", 1)[0].rstrip("\r"))
        return Span(self.origin.name, self.line, 1, self.line, length + 1)

    def problem(
        self,
        code: str,
        message: str,
        *,
        column: str | None = None,
        hint: str | None = None,
        related: tuple[tuple[Span, str], ...] = (),
    ) -> Diagnostic:
        """Say what is wrong with the row, or with the value of one column.

        The place where the manifest names the file is added to *related*.
        """
        place = self.span(column)
        lines = self.text.split("\n")
        return Diagnostic(
            code=code,
            message=message,
            span=place,
            hint=hint,
            related=(*related, *mentioned(self.origin.mention)),
            excerpt=excerpt(lines[place.line - self.line], place.column),
        )


def read_records(
    file: Path,
    name: str,
    row_format: RowFormat,
    problems: Problems,
    *,
    mention: Span | None = None,
) -> Iterator[Record]:
    """Go through the rows of a file, in its order.

    Nothing is raised for what is wrong with the file: it goes to *problems*,
    and the rows that can be read are still given, so that whoever reads can add
    what it finds wrong with them and then call `problems.raise_if_any()`. A file
    without rows is a problem.

    CSV has a header and is read by RFC 4180: fields may be quoted, and then
    hold line ends; blank lines are skipped. NDJSON is one object a line; blank
    lines are skipped. Text is one name a line, under `TEXT_COLUMN`; only the
    blank lines before the first and after the last are skipped. All are UTF-8,
    with or without a byte order mark.

    Args:
        file: Where to open it; already known to lie inside the workspace.
        name: What to call it in messages.
        row_format: How to read it.
        problems: Collects `file-missing`, `not-utf8`, `file-format`,
            `empty-file` and `row-invalid`.
        mention: Where the manifest names the file.
    """
    origin = Origin(name, row_format, mention)
    before = len(problems)
    found = 0
    try:
        for record in _records(file, origin, problems):
            found += 1
            yield record
    except _UnreadableError as stop:
        problems.add(stop.diagnostic)
    else:
        if not found and len(problems) == before:
            problems.add(no_rows(file, origin))


class _UnreadableError(Exception):
    """The rest of the file can't be read; says why."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        self.diagnostic = diagnostic
        super().__init__(str(diagnostic))


def _records(file: Path, origin: Origin, problems: Problems) -> Iterator[Record]:
    match origin.format:
        case RowFormat.CSV:
            return _csv(_lines(file, origin), origin, problems)
        case RowFormat.NDJSON:
            return _ndjson(_lines(file, origin), origin, problems)
        case RowFormat.TEXT:
            return _text(_lines(file, origin), origin)
        case RowFormat.PARQUET:
            return _parquet(file, origin)


def missing(origin: Origin, error: OSError) -> Diagnostic:
    """Say that a file can't be opened, where the manifest names it."""
    why = (error.strerror or "it can't be read").lower()
    return Diagnostic(
        code="file-missing",
        message=f"{origin.name} can't be opened: {why}",
        span=origin.mention or Span(origin.name),
    )


def _lines(file: Path, origin: Origin) -> Iterator[str]:
    try:
        with file.open("rb") as stream:
            for number, line in enumerate(stream, 1):
                try:
                    text = line.decode()
                except UnicodeDecodeError as error:
                    raise _UnreadableError(not_utf8(origin, number, error)) from error
                yield text.removeprefix(_BOM) if number == 1 else text
    except OSError as error:
        raise _UnreadableError(missing(origin, error)) from error


def _csv(lines: Iterator[str], origin: Origin, problems: Problems) -> Iterator[Record]:
    read: list[str] = []
    reader = csv.reader(_remembering(lines, read), strict=True)
    header: list[str] = []
    while True:
        read.clear()
        line = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            problems.add(_invalid(origin, line, read, f"{error}"))
            if not header:
                return
            continue
        if not fields:
            continue
        if not header:
            header = fields
            if twice := sorted(
                column for column, count in Counter(header).items() if count > 1
            ):
                what = ", ".join(map(repr, twice))
                problems.add(_invalid(origin, line, read, f"repeated columns: {what}"))
                return
        elif len(fields) != len(header):
            what = f"{len(header)} fields expected, as in the header, not {len(fields)}"
            problems.add(_invalid(origin, line, read, what))
        else:
            values: dict[str, object] = dict(zip(header, fields, strict=True))
            yield Record(origin, line, values, "".join(read))


def _remembering(lines: Iterator[str], read: list[str]) -> Iterator[str]:
    for line in lines:
        read.append(line)
        yield line


def _ndjson(
    lines: Iterator[str], origin: Origin, problems: Problems
) -> Iterator[Record]:
    for number, text in enumerate(lines, 1):
        if not text.strip(_BLANK):
            continue
        column = 1
        try:
            values = _JSON.decode(text)
        except json.JSONDecodeError as error:
            what, column = f"no JSON: {error.msg.lower()}", error.pos + 1
        except RecursionError:
            what = _TOO_DEEP
        except ValueError as error:
            what = f"no JSON that can be read: {error}"
        else:
            if not isinstance(values, dict):
                what = "no JSON object"
            elif _is_deep(text, values):
                what = _TOO_DEEP
            else:
                yield Record(origin, number, values, text)
                continue
        problems.add(_invalid(origin, number, [text], what, column))


def _is_deep(text: str, values: dict[str, object]) -> bool:
    # Few lines have brackets enough to be deep, whatever texts they hold.
    if text.count("{") + text.count("[") <= DEEPEST:
        return False
    level: list[object] = [values]
    for _ in range(DEEPEST):
        level = [
            inner
            for outer in level
            for inner in _items(outer)
            if isinstance(inner, dict | list)
        ]
    return bool(level)


def _items(outer: object) -> Iterable[object]:
    match outer:
        case dict():
            return outer.values()
        case list():
            return outer
        case _:
            return ()


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        twice = next(name for name, count in counts.items() if count > 1)
        raise ValueError(f"the field {twice!r} stands twice")
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number")


_JSON: Final = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse)


def _text(lines: Iterator[str], origin: Origin) -> Iterator[Record]:
    blank: list[Record] = []
    started = False
    for number, text in enumerate(lines, 1):
        name = text.removesuffix("\n").removesuffix("\r")
        record = Record(origin, number, {TEXT_COLUMN: name}, text)
        if name.strip(_BLANK):
            yield from blank
            blank.clear()
            started = True
            yield record
        elif started:
            blank.append(record)


def _parquet(file: Path, origin: Origin) -> Iterator[Record]:
    try:
        for number, values in enumerate(parquet.rows(file), 1):
            yield Record(origin, number, values, "")
    except OSError as error:
        raise _UnreadableError(missing(origin, error)) from error
    except parquet.NotParquetError as error:
        raise _UnreadableError(not_parquet(origin, error)) from error


def not_parquet(origin: Origin, error: parquet.NotParquetError) -> Diagnostic:
    """Say that a file's ending promises another format than it has."""
    return Diagnostic(
        code="file-format",
        message=f"{origin.name} is no Parquet file: {error}",
        span=Span(origin.name),
        related=mentioned(origin.mention),
    )


def _invalid(
    origin: Origin, line: int, read: list[str], what: str, column: int = 1
) -> Diagnostic:
    return Diagnostic(
        code="row-invalid",
        message=what,
        span=Span(origin.name, line, column),
        related=mentioned(origin.mention),
        excerpt=excerpt(read[0], column) if read else None,
    )


def not_utf8(origin: Origin, line: int, error: UnicodeDecodeError) -> Diagnostic:
    """Say where the bytes of a line stop being text; *error* is from all of it."""
    before = error.object[: error.start].decode()
    column = len(before if line > 1 else before.removeprefix(_BOM)) + 1
    return Diagnostic(
        code="not-utf8",
        message=f"{origin.name} is not UTF-8 text: byte 0x{error.object[error.start]:02x}",
        span=Span(origin.name, line, column),
        hint="save the file as UTF-8",
        related=mentioned(origin.mention),
    )


def no_rows(file: Path, origin: Origin) -> Diagnostic:
    """Say that there is nothing in a file."""
    what = "has no rows" if file.stat().st_size else "is empty"
    return Diagnostic(
        code="empty-file",
        message=f"{origin.name} {what}",
        span=Span(origin.name),
        related=mentioned(origin.mention),
    )

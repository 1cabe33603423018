"""Rows as they are written to the place of one value in them.

Asked only when something is wrong, so the readers themselves stay fast.
"""

import json
import re
from typing import Final

from reconciler.diagnostics import Span

WIDTH: Final = 160
"""How much of a long line is shown."""

_SPACE: Final = re.compile(r"[ \t\r\n]*")
_DECODER: Final = json.JSONDecoder()


def excerpt(line: str, column: int) -> str | None:
    """Cut a line for showing; None when the place lies behind the cut.

    Only the end is cut, so that a caret stays under its column.
    """
    line = line.rstrip("\r\n")
    if len(line) <= WIDTH:
        return line
    return f"{line[: WIDTH - 1]}…" if column < WIDTH else None


def csv_place(file: str, line: int, text: str, index: int) -> Span:
    """Find the field of a CSV row that has the position *index*, from 0.

    Args:
        file: For the span.
        line: The line the row starts on.
        text: The row as written; quoted fields may hold line ends.
        index: Which field.
    """
    start, quoted = 0, False
    for at, character in enumerate(text):
        if character == '"' and (quoted or at == start):
            # A doubled quote closes and opens again, which comes to the same.
            quoted = not quoted
        elif character == '"' and text[at - 1] == '"' and text[start] == '"':
            quoted = True
        elif not quoted and character in ",\r\n":
            if index == 0 or character != ",":
                return _span(file, line, text, start, at)
            index -= 1
            start = at + 1
    return _span(file, line, text, start, len(text))


def json_place(file: str, line: int, text: str, field: str) -> Span:
    """Find the value of a field of the JSON object that stands on a line."""
    at = text.index("{") + 1
    while True:
        at = _skip(text, at)
        name, at = _DECODER.raw_decode(text, at)
        at = _skip(text, _skip(text, at) + 1)
        _, end = _DECODER.raw_decode(text, at)
        if name == field:
            return _span(file, line, text, at, end)
        at = _skip(text, end) + 1


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _span(file: str, line: int, text: str, start: int, end: int) -> Span:
    first, last = text.count("\n", 0, start), text.count("\n", 0, end)
    return Span(
        file,
        line + first,
        start - text.rfind("\n", 0, start),
        line + last,
        end - text.rfind("\n", 0, end),
    )

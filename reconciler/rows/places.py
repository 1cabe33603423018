"""Rows as they are written to the place of one value in them.

Asked only when something is wrong, so the readers themselves stay fast.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from reconciler.diagnostics import Span

JsonPath: TypeAlias = Sequence[str | int]
"""Fields and positions that lead from a JSON value to one within it."""

Spellings: TypeAlias = Mapping[str, Sequence[str]]
"""The names a field may have in the text, the one that counts first."""

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


def path_place(
    file: str, line: int, text: str, path: JsonPath, spellings: Spellings
) -> Span:
    """Find a value within the JSON that stands on a line.

    Where the path leads to nothing, the nearest value that encloses it answers;
    where the text is no JSON, all of it. A single value and a list of one are the
    same to a path. Of a repeated field the last counts.

    Args:
        file: For the span.
        line: The line the text is on.
        text: The whole line.
        path: The way to the value.
        spellings: The other names of fields; one that isn't here has but its own.
    """
    start = _skip(text, 0)
    end = len(text.rstrip())
    try:
        for step in path:
            if isinstance(step, str) and text[start] == "[":
                start, end = _items(text, start)[0]
            match step, text[start]:
                case str(), "{":
                    fields = _fields(text, start)
                    names = spellings.get(step, (step,))
                    start, end = next(fields[one] for one in names if one in fields)
                case int(), "[":
                    start, end = _items(text, start)[step]
                case 0, "{":
                    continue
                case _:
                    break
    except (ValueError, RecursionError, IndexError, StopIteration):
        pass  # this far, and no further
    return _span(file, line, text, start, end)


def _fields(text: str, at: int) -> dict[str, tuple[int, int]]:
    found = {}
    at = _skip(text, at + 1)
    while text[at] != "}":
        name, at = _DECODER.raw_decode(text, at)
        start = _skip(text, _skip(text, at) + 1)
        _, end = _DECODER.raw_decode(text, start)
        found[name] = (start, end)
        at = _skip(text, end)
        at = _skip(text, at + 1) if text[at] == "," else at
    return found


def _items(text: str, at: int) -> list[tuple[int, int]]:
    found = []
    at = _skip(text, at + 1)
    while text[at] != "]":
        _, end = _DECODER.raw_decode(text, at)
        found.append((at, end))
        at = _skip(text, end)
        at = _skip(text, at + 1) if text[at] == "," else at
    return found


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

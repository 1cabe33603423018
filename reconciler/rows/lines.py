"""Files of JSON lines to their lines, as bytes that nobody has read yet.

For files of which every line is read by something faster than a general reader,
and which may hold more lines than memory.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from reconciler.diagnostics import Diagnostic, Span, counted
from reconciler.rows.places import JsonPath, Spellings, excerpt, path_place
from reconciler.rows.problems import Problems, mentioned
from reconciler.rows.read import Origin, missing, no_rows, not_utf8

LONGEST: Final = 64 << 20
"""How many bytes a line may have; images within one take the most."""

_BLOCK: Final = 1 << 20
_BOM: Final = b"\xef\xbb\xbf"
_BYTE: Final = re.compile(r"\(byte (\d+)\)")


def read_lines(
    path: str, origin: Origin, problems: Problems, *, longest: int = LONGEST
) -> Iterator[tuple[int, bytes]]:
    r"""Go through the lines of a file, each with its number, from 1.

    Lines end with `\n`, and nothing else ends one; a carriage return before it
    stays, and so does white space around a line. A byte order mark in front of
    the first is left out. A blank line counts, and is given as an empty one where
    another comes after it. Nobody looks whether lines are UTF-8.

    Args:
        path: Where to open it.
        origin: What to call it.
        problems: Collects `file-missing`, `empty-file`, and `row-invalid` for
            lines that are too long, which are left out.
        longest: How many bytes a line may have.
    """
    file = Path(path)
    after = 0  # the last line that isn't blank
    found = False
    try:
        for number, line in _lines(file, longest):
            if line is not None and (not line or line.isspace()):
                continue
            for blank in range(after + 1, number):
                yield blank, b""
            after, found = number, True
            if line is None:
                problems.add(_too_long(origin, number, longest))
            else:
                yield number, line
    except OSError as error:
        problems.add(missing(origin, error))
    else:
        if not found:
            problems.add(no_rows(file, origin))


def line_problem(
    origin: Origin,
    number: int,
    line: bytes,
    code: str,
    message: str,
    *,
    path: JsonPath = (),
    spellings: Spellings | None = None,
    hint: str | None = None,
    related: tuple[tuple[Span, str], ...] = (),
) -> Diagnostic:
    """Say what is wrong with a line, or with one value in it.

    Args:
        origin: The file.
        number: The line, from 1.
        line: The line.
        code: Of the problem.
        message: What is wrong.
        path: Fields and positions that lead to the value.
        spellings: Other names of fields on that way; see `places.path_place`.
        hint: What to try.
        related: Other places.
    """
    text = line.decode(errors="replace")
    place = path_place(origin.name, number, text, path, spellings or {})
    return Diagnostic(
        code=code,
        message=message,
        span=place,
        hint=hint,
        related=(*related, *mentioned(origin.mention)),
        excerpt=excerpt(text, place.column),
    )


def broken_line(
    origin: Origin, number: int, line: bytes, code: str, message: str
) -> Diagnostic:
    """Say that a line is no JSON, or isn't even UTF-8, where the reader gave up.

    Args:
        origin: The file.
        number: The line, from 1.
        line: The line.
        code: Of the problem.
        message: What msgspec said of the line, without white space around it.
    """
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        return not_utf8(origin, number, error)
    body = line.strip()
    told = _BYTE.search(message)
    at = int(told[1]) if told else len(body) if "truncated" in message else 0
    before = len(line) - len(line.lstrip()) + at
    column = len(line[:before].decode(errors="ignore")) + 1
    place = Span(origin.name, number, column, number, column + 1)
    return Diagnostic(
        code=code,
        message=message,
        span=place,
        related=mentioned(origin.mention),
        excerpt=excerpt(text, column),
    )


def _lines(file: Path, longest: int) -> Iterator[tuple[int, bytes | None]]:
    """Cut a file into lines; None for one that is too long."""
    number, rest, too_long = 1, b"", False
    with file.open("rb") as stream:
        block = stream.read(_BLOCK).removeprefix(_BOM)
        while block:
            *lines, last = block.split(b"\n")
            for line in lines:
                whole = rest + line if rest else line
                fits = not too_long and len(whole) <= longest
                yield number, whole if fits else None
                number, rest, too_long = number + 1, b"", False
            rest += last
            if len(rest) > longest:
                rest, too_long = b"", True
            block = stream.read(_BLOCK)
    if rest or too_long:
        yield number, None if too_long else rest


def _too_long(origin: Origin, number: int, longest: int) -> Diagnostic:
    return Diagnostic(
        code="row-invalid",
        message=f"the line has more than {counted(longest, 'byte')}",
        span=Span(origin.name, number),
        related=mentioned(origin.mention),
    )

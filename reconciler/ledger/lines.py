"""Files of JSON lines: appended, on the disk before anyone goes on, read whole.

A line that was cut short by a kill is dropped, when it is read or written after.
"""

import fcntl
import json
import os
import zlib
from collections.abc import Callable, Hashable, Iterable, Iterator
from pathlib import Path
from typing import IO, Final, TypeVar

from reconciler.diagnostics import Diagnostic, InputError, ReconcilerError, Span
from reconciler.state.canonical import JsonObject

_T = TypeVar("_T")

_BLOCK: Final = 1 << 16
_UNREADABLE: Final = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    OverflowError,  # of an infinity, which Python reads as a number
    RecursionError,
    zlib.error,
)

_WORTH: Final = 4
"""A file is written anew when it has more lines than that for one that holds."""


class LedgerError(ReconcilerError):
    """What was brought about can't be written down."""


def append(file: Path, lines: Iterable[JsonObject]) -> None:
    """Add lines to a file, which is made if need be; nobody sees half of them.

    Raises:
        LedgerError: When that can't be written.
    """
    text = "".join(f"{json.dumps(line, sort_keys=True)}\n" for line in lines)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("ab+") as opened:
            # Closing lets go of it: nobody else may see half a line meanwhile.
            fcntl.flock(opened, fcntl.LOCK_EX)
            opened.truncate(_whole(opened))
            opened.write(text.encode())
            opened.flush()
            os.fsync(opened.fileno())
    except OSError as error:
        raise unwritable(file, error) from error


def replace(file: Path, lines: Iterable[JsonObject]) -> None:
    """Write a file anew, as a whole or not at all.

    Raises:
        LedgerError: When that can't be written.
    """
    text = "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines)
    _put(file, text.encode())


def _put(file: Path, content: bytes) -> None:
    new = file.with_name(f"{file.name}.new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with new.open("wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
        new.replace(file)
    except OSError as error:
        raise unwritable(file, error) from error


def entries(file: Path, read: Callable[[JsonObject], _T]) -> Iterator[_T]:
    """Read the lines of a file; there are none when there is no file.

    Raises:
        InputError: When a line is damaged other than by a kill.
    """
    for number, line in enumerate(_lines(file), start=1):
        yield _read(file, number, line, read)


def latest(
    file: Path,
    about: Callable[[JsonObject], Hashable],
    read: Callable[[JsonObject], _T],
) -> Iterator[_T]:
    """Read the last line about each thing, in their order in the file.

    Args:
        file: The file; there are no lines when there is none.
        about: Says what a line is about.
        read: Reads a line; others than the last ones aren't given to it.

    Raises:
        InputError: When a line is damaged other than by a kill.
    """
    for number, line in _holding(file, _lines(file), about):
        yield _read(file, number, line, read)


def compact(file: Path, about: Callable[[JsonObject], Hashable]) -> None:
    """Drop the lines that no longer hold, when they are most of a file.

    Nobody may append meanwhile.

    Args:
        file: The file, of which the last line about each thing holds.
        about: Says what a line is about.

    Raises:
        InputError: When a line is damaged other than by a kill.
        LedgerError: When the file can't be written.
    """
    lines = _lines(file)
    holding = _holding(file, lines, about)
    if len(holding) * _WORTH < len(lines):
        _put(file, b"".join(line + b"\n" for _, line in holding))


def _lines(file: Path) -> list[bytes]:
    try:
        text = file.read_bytes()
    except FileNotFoundError:
        return []
    return text.split(b"\n")[:-1]  # what follows the last newline was cut short


def _holding(
    file: Path, lines: list[bytes], about: Callable[[JsonObject], Hashable]
) -> list[tuple[int, bytes]]:
    """Find the last line about each thing, with its number."""
    last: dict[Hashable, tuple[int, bytes]] = {}
    for number, line in enumerate(lines, start=1):
        last[_read(file, number, line, about)] = number, line
    return sorted(last.values())


def _read(file: Path, number: int, line: bytes, read: Callable[[JsonObject], _T]) -> _T:
    try:
        return read(json.loads(line))
    except _UNREADABLE:
        raise InputError(
            [
                Diagnostic(
                    code="inventory-damaged",
                    message="the line is no inventory entry",
                    span=Span(str(file), number, 1),
                    hint="restore the file, or remove it: objects are then "
                    "adopted again by name, and nothing is deleted",
                )
            ]
        ) from None


def unwritable(file: Path, error: OSError) -> LedgerError:
    """Say which file can't be written, and why."""
    return LedgerError(f"{file} can't be written: {error.strerror or error}")


def _whole(opened: IO[bytes]) -> int:
    """Measure the file up to its last newline; a kill can leave half a line."""
    end = opened.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - _BLOCK)
        opened.seek(start)
        found = opened.read(end - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0

"""Files of JSON lines: appended, on the disk before anyone goes on, read whole.

A line that was cut short by a kill is dropped, when it is read or written after.
"""

import fcntl
import json
import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Final, TypeVar

from reconciler.diagnostics import Diagnostic, InputError, ReconcilerError, Span
from reconciler.state.canonical import JsonObject

_T = TypeVar("_T")

_BLOCK: Final = 1 << 16


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
    new = file.with_name(f"{file.name}.new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with new.open("wb") as opened:
            opened.write(text.encode())
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
    try:
        text = file.read_bytes()
    except FileNotFoundError:
        return
    lines = text.split(b"\n")[:-1]  # what follows the last newline was cut short
    for number, line in enumerate(lines, start=1):
        try:
            yield read(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError, zlib.error):
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

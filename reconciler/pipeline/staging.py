"""Files that take the place of others together, once all of them are written."""

import os
import secrets
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Self


class Staged:
    """Writes files under other names, and gives them their own at the end.

    Each of them is whole or not there, whenever the process ends. What was not
    committed is removed.
    """

    def __init__(self) -> None:
        self._files: list[tuple[Path, Path]] = []
        self._gone: list[Path] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        for temporary, _file in self._files:
            with suppress(OSError):  # nobody is helped by a second error
                temporary.unlink(missing_ok=True)

    def write(self, file: Path, lines: Iterable[str]) -> None:
        """Write a text."""
        with self._new(file).open("x", encoding="utf-8", newline="\n") as opened:
            opened.writelines(lines)
            opened.flush()
            os.fsync(opened.fileno())

    def make(self, file: Path, write: Callable[[Path], str]) -> str:
        """Have a file written by someone else; gives what they give."""
        temporary = self._new(file)
        answer = write(temporary)
        with temporary.open("rb") as opened:
            os.fsync(opened.fileno())
        return answer

    def remove(self, file: Path) -> None:
        """Have a file go, if it is there."""
        self._gone.append(file)

    def commit(self) -> None:
        """Give all files their names, in the order in which they were written."""
        for temporary, file in self._files:
            temporary.replace(file)
        for file in self._gone:
            file.unlink(missing_ok=True)
        self._files.clear()

    def _new(self, file: Path) -> Path:
        file.parent.mkdir(parents=True, exist_ok=True)
        temporary = file.with_name(f".{secrets.token_hex(8)}.new")
        self._files.append((temporary, file))
        return temporary

"""Bytes that are put aside in many parts, in memory while there is room for them.

All spools share one room: thousands of small ones, or a large one, take no more
memory than it has. What doesn't fit goes to a file in a private folder, which
goes with the process; a spool's file goes with the spool.
"""

import atexit
import functools
import itertools
import shutil
import tempfile
import threading
import weakref
from collections import defaultdict
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

_MEBIBYTE: Final = 1 << 20
_SHARE: Final = 8
"""A spool looks for room whenever it has grown by this part of it: the fewer
times it is emptied, the fewer pieces a part is in."""

_numbers: Final = itertools.count()


class Room:
    """How much memory several spools may take together.

    Attributes:
        limit: Bytes; what a spool gains before it looks again comes on top.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._spools: weakref.WeakSet[Spool] = weakref.WeakSet()
        self._lock = threading.Lock()

    def enter(self, spool: "Spool") -> None:
        """Count a spool from now on, until nobody holds it."""
        with self._lock:
            self._spools.add(spool)

    def is_full(self) -> bool:
        """Tell whether one of the spools should leave memory."""
        with self._lock:
            return sum(spool.in_memory for spool in self._spools) > self.limit


SHARED: Final = Room(64 * _MEBIBYTE)
"""The room of the process."""


class Spool:
    """Parts by number, each of which only grows.

    Parts may be read by several threads once nothing is added any more.

    Attributes:
        in_memory: How many bytes are held in memory.
        on_disk: How many bytes went to the file.
    """

    def __init__(self, room: Room = SHARED) -> None:
        self.in_memory = 0
        self.on_disk = 0
        self._room = room
        self._parts: defaultdict[int, bytearray] = defaultdict(bytearray)
        self._pieces: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
        self._file: Path | None = None
        self._step = max(1, room.limit // _SHARE)
        self._look_at = self._step
        room.enter(self)

    def add(self, part: int, content: bytes) -> None:
        """Put bytes at the end of a part.

        Raises:
            OSError: When there is no room on the disk either.
        """
        self._parts[part] += content
        self.in_memory += len(content)
        if self.in_memory >= self._look_at:
            self.settle()

    def settle(self) -> None:
        """Leave memory if there is too little of it for all.

        Raises:
            OSError: When there is no room on the disk either.
        """
        if self.in_memory and self._room.is_full():
            self._leave_memory()
        self._look_at = self.in_memory + self._step

    def parts(self) -> Collection[int]:
        """List the parts that hold anything, in their order."""
        return sorted(self._parts.keys() | self._pieces.keys())

    def read(self, part: int) -> bytes:
        """Give a part whole; nothing for one that nothing was added to.

        Raises:
            OSError: When the file can't be read.
        """
        return b"".join((*self._from_disk(part), self._parts.get(part, b"")))

    def _from_disk(self, part: int) -> Iterator[bytes]:
        if part not in self._pieces:
            return
        assert self._file
        with self._file.open("rb") as file:
            for start, length in self._pieces[part]:
                file.seek(start)
                yield file.read(length)

    def _leave_memory(self) -> None:
        if self._file is None:
            self._file = _folder() / str(next(_numbers))
            weakref.finalize(self, self._file.unlink, missing_ok=True)
        with self._file.open("ab") as file:
            for part, content in self._parts.items():
                file.write(content)
                self._pieces[part].append((self.on_disk, len(content)))
                self.on_disk += len(content)
        self._parts.clear()
        self.in_memory = 0


@functools.cache
def _folder() -> Path:
    folder = tempfile.mkdtemp(prefix="reconciler-spool-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)

"""A file of lines, read where it lies: only where each line is stays in memory."""

import mmap
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Self


class LineFile:
    """A file whose lines are gone through, and then found by their place.

    Use it as a context manager. Lines that hold nothing don't count.

    Attributes:
        numbers: The number of each line in the file, from 1.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._data: mmap.mmap | bytes = b""
        self._starts = array("Q")
        self._stops = array("Q")
        self.numbers = array("Q")

    def __enter__(self) -> Self:
        with self._path.open("rb") as file:
            # An empty file can't be mapped.
            if self._path.stat().st_size:
                self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        return self

    def __exit__(self, *_: object) -> None:
        if isinstance(self._data, mmap.mmap):
            self._data.close()

    def __iter__(self) -> Iterator[bytes]:
        """Go through the lines, without the white space around them."""
        for known in (self._starts, self._stops, self.numbers):
            del known[:]
        start, number, size = 0, 0, len(self._data)
        while start < size:
            number += 1
            stop = self._data.find(b"\n", start)
            stop = size if stop < 0 else stop
            text = self._data[start:stop]
            line = text.strip()
            if line:
                first = start + text.find(line[:1])
                self._starts.append(first)
                self._stops.append(first + len(line))
                self.numbers.append(number)
                yield line
            start = stop + 1

    def __getitem__(self, place: int) -> bytes:
        """Read a line again, by its place among those that there were."""
        return self._data[self._starts[place] : self._stops[place]]

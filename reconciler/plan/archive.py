"""A zip whose members say nothing of when or where they were written.

The same content gives the same bytes, on any machine; large members are written and
read line by line.
"""

import csv
import hashlib
import io
import zipfile
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import IO, Final

from reconciler.state.canonical import JsonObject

_CHUNK: Final = 1 << 20
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say


class PlanArchive:
    """A plan file that is being written.

    Attributes:
        hashes: Of every member that was added, by name.
    """

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.hashes: JsonObject = {}

    def add_lines(
        self, name: str, columns: tuple[str, ...], lines: Iterable[tuple[str, ...]]
    ) -> str:
        """Write a member as CSV, line by line, and say its name."""
        found = hashlib.sha256()
        buffer = io.StringIO(newline="")
        writer = csv.writer(buffer, lineterminator="\n")
        with self._archive.open(_member(name), "w", force_zip64=True) as raw:
            for line in chain([columns], lines):
                writer.writerow(line)
                if buffer.tell() > _CHUNK:
                    _drain(buffer, raw, found)
            _drain(buffer, raw, found)
        self.hashes[name] = f"sha256:{found.hexdigest()}"
        return name

    def add_text(self, name: str, text: str) -> None:
        """Write a member whose hash isn't told: the one that tells the others'."""
        self._archive.writestr(_member(name), text)


def read_lines(archive: zipfile.ZipFile, name: str) -> Iterator[list[str]]:
    """Read a member that is CSV, without its heading."""
    with (
        archive.open(name) as raw,
        io.TextIOWrapper(raw, encoding="utf-8", newline="") as text,
    ):
        lines = csv.reader(text)
        next(lines)
        yield from lines


def _drain(buffer: io.StringIO, raw: IO[bytes], found: "hashlib._Hash") -> None:
    content = buffer.getvalue().encode()
    raw.write(content)
    found.update(content)
    buffer.seek(0)
    buffer.truncate()


def _member(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, date_time=_EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    return info

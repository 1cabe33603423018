"""The body of an answer to a file: unpacked, and no longer or slower than it may be."""

import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import IO, Final

from reconciler.remote.answers import Denied, Garbled, Reply, Result
from reconciler.remote.errors import Refused

HELD: Final = 256 << 20
"""How many bytes a file may have that is held in memory."""

STORED: Final = 64 << 30
"""How many bytes a file may have that goes to the disk."""

DOWNLOAD_SECONDS: Final = 1800.0
"""How long it may take to fetch a file, with all attempts."""

_SAID: Final = 1 << 16
_PIECE: Final = 1 << 20
_GZIP: Final = 16 + zlib.MAX_WBITS
_NO_CODINGS: Final = frozenset({"", "identity", "aws-chunked"})
"""A file is as it is sent; storages name the last one of how it was uploaded."""


@dataclass(frozen=True, slots=True)
class Download:
    """A file that is wanted.

    Attributes:
        file: Where it goes; is emptied when it is sent once more.
        limit: How many bytes it may have, unpacked.
        is_late: Whether it has taken too long.
    """

    file: IO[bytes]
    limit: int
    is_late: Callable[[], bool]

    def take(self, head: Reply, pieces: Iterable[bytes], host: str) -> Reply | Result:
        """Copy the body of an answer, when that is a file.

        Args:
            head: The answer, without its body.
            pieces: The body, piece by piece, as it is sent.
            host: Whom to name.

        Returns:
            The answer; with the beginning of its body when it is no file.
        """
        codings = _codings(head)
        if head.status != HTTPStatus.OK:
            said = b"" if codings else b"".join(_beginning(pieces))
            return replace(head, content=said)
        if not codings:
            length = head.headers.get("content-length", "")
            if length.isdecimal() and int(length) > self.limit:
                return self._too_large(host, f"{int(length):,}")
            return self._copy(head, pieces, host)
        if codings not in (["gzip"], ["x-gzip"]):
            return Garbled(f"the file of {host} is encoded as {', '.join(codings)}")
        try:
            return self._copy(head, _unpacked(pieces), host)
        except zlib.error as error:
            found = Garbled(f"the file of {host} can't be unpacked: {error}")
        return found

    def late(self, host: str, size: int = 0) -> Denied:
        """Say that it has taken too long."""
        limit = f"{DOWNLOAD_SECONDS / 60:g} minutes"
        return Denied(
            Refused(
                f"the file of {host} isn't there after {limit}: {size:,} bytes came"
            )
        )

    def _copy(self, head: Reply, pieces: Iterable[bytes], host: str) -> Reply | Result:
        self.file.seek(0)
        self.file.truncate()
        size = 0
        for piece in pieces:
            size += len(piece)
            if size > self.limit:
                return self._too_large(host, f"{size:,} or more")
            if self.is_late():
                return self.late(host, size)
            self.file.write(piece)
        return head

    def _too_large(self, host: str, size: str) -> Denied:
        reason = f"the file of {host} has {size} bytes, and may have {self.limit:,}"
        return Denied(Refused(reason))


def _codings(head: Reply) -> list[str]:
    said = head.headers.get("content-encoding", "").lower().split(",")
    return [one for name in said if (one := name.strip()) not in _NO_CODINGS]


def _beginning(pieces: Iterable[bytes]) -> Iterator[bytes]:
    size = 0
    for piece in pieces:
        yield piece
        size += len(piece)
        if size >= _SAID:
            return


def _unpacked(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Unpack gzip, in pieces of a bounded size; empty ones are among them."""
    unpacker = zlib.decompressobj(_GZIP)
    for piece in pieces:
        rest = piece
        while rest:
            if unpacker.eof:
                unpacker = zlib.decompressobj(_GZIP)
            yield unpacker.decompress(rest, _PIECE)
            rest = unpacker.unconsumed_tail or unpacker.unused_data
    yield unpacker.flush()
    if not unpacker.eof:
        raise zlib.error("it ends before its end")

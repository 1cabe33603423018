"""Bytes become files named by their SHA-256, and files become signed URLs.

A file is whole or not there: it is written under another name, brought to the
disk, and renamed. Equal content is kept once, whatever it is called.
"""

import fcntl
import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, TypeAlias
from urllib.parse import parse_qs, quote, urlsplit

PIECE: Final = 1024 * 1024
"""How many bytes of a file are read at once."""

Append: TypeAlias = Callable[[bytes | memoryview], None]
"""Adds a piece to what is written."""

_PATH = re.compile(r"/files/(?P<id>c[0-9a-z]{24})/.*", re.DOTALL)
_HARMFUL = re.compile(r"[\x00-\x1f\x7f/\\?#%]")


@dataclass(frozen=True, slots=True)
class Written:
    """What is known of a file from its bytes."""

    sha256: str
    size: int


class Files:
    """The folder of files, two levels deep.

    Attributes:
        root: The folder; created with the first file.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, sha256: str) -> Path:
        """Say where the content of that hash is."""
        return self.root / sha256[:2] / sha256

    def write(self, pieces: Iterable[bytes | memoryview]) -> Written:
        """Keep content; done when it is on the disk."""
        with self.writer() as (append, finish):
            for piece in pieces:
                append(piece)
            return finish()

    @contextmanager
    def writer(self) -> Iterator[tuple[Append, Callable[[], Written]]]:
        """Keep content that comes bit by bit.

        Yields a function that appends, and one that brings the file to the disk
        and names it. Without the second nothing stays.
        """
        self.root.mkdir(0o700, parents=True, exist_ok=True)
        draft = self.root / f"{secrets.token_hex(16)}.part"
        digest, size = hashlib.sha256(), 0
        with open(draft, "xb", opener=_privately) as file:

            def append(piece: bytes | memoryview) -> None:
                nonlocal size
                digest.update(piece)
                size += file.write(piece)

            def finish() -> Written:
                file.flush()
                os.fsync(file.fileno())
                name = digest.hexdigest()
                self._settle(draft, self.path(name))
                return Written(name, size)

            try:
                yield append, finish
            finally:
                draft.unlink(missing_ok=True)

    def _settle(self, draft: Path, final: Path) -> None:
        with self._lock(fcntl.LOCK_SH):
            if final.exists():
                os.utime(final)
                return
            final.parent.mkdir(0o700, exist_ok=True)
            draft.replace(final)
        _sync(final.parent)
        _sync(self.root)

    def renew(self, sha256: str) -> bool:
        """Have content count as new; False when there is none of that hash."""
        with self._lock(fcntl.LOCK_SH):
            try:
                os.utime(self.path(sha256))
            except FileNotFoundError:
                return False
            return True

    def sweep(
        self, before: float, known: Callable[[Sequence[str]], Collection[str]]
    ) -> None:
        """Remove what is old and of no use: drafts, and content that nobody knows.

        Args:
            before: What was written since isn't looked at, in seconds since 1970:
                it may be about to be recorded.
            known: Says which of some hashes are recorded.
        """
        for draft in self.root.glob("*.part"):
            if _older(draft, before):
                draft.unlink(missing_ok=True)
        for folder in self.root.glob("[0-9a-f][0-9a-f]"):
            old = [file.name for file in folder.iterdir() if _older(file, before)]
            for name in set(old).difference(known(old)):
                # Nobody settles the same content meanwhile.
                with self._lock(fcntl.LOCK_EX):
                    if _older(folder / name, before):
                        (folder / name).unlink()

    @contextmanager
    def _lock(self, how: int) -> Iterator[None]:
        handle = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, how)
            yield
        finally:
            os.close(handle)

    def open(self, sha256: str) -> BinaryIO:
        """Open content for reading.

        Raises:
            FileNotFoundError: When there is none of that hash.
        """
        return self.path(sha256).open("rb")


class Pieces:
    """The content of a file, piece by piece; closes the file after the last."""

    def __init__(self, file: BinaryIO, done: Callable[[], None]) -> None:
        """Read a file.

        Args:
            file: Open for reading.
            done: Called once, when nothing more will be read.
        """
        self._file = file
        self._done = done

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if not self._file.closed and (piece := self._file.read(PIECE)):
            return piece
        self.close()
        raise StopIteration

    def close(self) -> None:
        """Stop reading, as servers do when the client has gone."""
        if not self._file.closed:
            self._file.close()
            self._done()

    def __del__(self) -> None:
        self.close()


def _older(file: Path, moment: float) -> bool:
    try:
        return file.stat().st_mtime < moment
    except FileNotFoundError:
        return False


def _privately(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _sync(folder: Path) -> None:
    # A rename is on the disk only once its folder is.
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@dataclass(frozen=True, slots=True)
class Urls:
    """URLs of files as one request may give them out.

    Attributes:
        base: Scheme and host that the client used, such as `http://host:8080`.
        secret: What URLs are signed with.
        expires: When the URLs end, in seconds since 1970.
    """

    base: str
    secret: bytes
    expires: int

    def sign(self, file_id: str, name: str) -> str:
        """Make the URL of a file, which needs no key.

        The name is for people, and isn't read again.
        """
        signature = _signature(self.secret, file_id, self.expires)
        return (
            f"{self.base}/files/{file_id}/{quote(_harmless(name), safe='')}"
            f"?expires={self.expires}&signature={signature}"
        )


def _harmless(name: str) -> str:
    """Spell a name so that no client or proxy takes it for a path or a query."""
    return _HARMFUL.sub("_", name) if name.strip(".") else "file"


def signed_file(url: str, secret: bytes) -> tuple[str, int] | None:
    """Find out which file a URL of ours means and when it ends, whatever the host.

    None for every other URL, and for one that wasn't signed with *secret*.
    """
    try:
        parts = urlsplit(url)
        query = parse_qs(parts.query)
        expires = int(query.get("expires", [""])[0])
    except ValueError:
        return None
    match = _PATH.fullmatch(parts.path)
    if match is None:
        return None
    given = query.get("signature", [""])[0]
    wanted = _signature(secret, match["id"], expires)
    if not hmac.compare_digest(given.encode(), wanted.encode()):
        return None
    return match["id"], expires


def _signature(secret: bytes, file_id: str, expires: int) -> str:
    return hmac.digest(secret, f"{file_id}\n{expires}".encode(), "sha256").hex()[:32]

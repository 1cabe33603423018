"""Files that come to be together, hashed while they are written."""

import hashlib
import os
import secrets
import shutil
import unicodedata
from collections.abc import Container, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from reconciler.diagnostics import Diagnostic, InputError
from reconciler.manifest.locks import file_name


class Folder:
    """A folder that files are written into; none is ever written over.

    Attributes:
        root: The folder.
        hashes: Hex SHA-256 of each finished file, by its name with `/`.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.hashes: dict[str, str] = {}
        self._made: list[Path] = []

    @contextmanager
    def sheet(self, name: str) -> Iterator["Sheet"]:
        """Write a file piece by piece; it is there once something is in it.

        Raises:
            InputError: When a file of the name is there already.
        """
        sheet = Sheet(self, name)
        with sheet:
            yield sheet

    def write(self, name: str, content: bytes) -> None:
        """Write a file at once; see `sheet`."""
        with self.sheet(name) as sheet:
            sheet.write(content)

    def drop(self, name: str) -> None:
        """Remove a file that was written here, if it was."""
        if self.hashes.pop(name, None) is not None:
            (self.root / name).unlink()

    def undo(self) -> None:
        """Remove all that was made here, files and folders."""
        for path in reversed(self._made):
            with suppress(OSError):  # somebody may have put more into a folder
                path.rmdir() if path.is_dir() else path.unlink()
        self.hashes.clear()

    def open(self, name: str) -> IO[bytes]:
        """Create a file, with the folders that it is in."""
        path = self.root / name
        missing = [one for one in path.parents if not one.exists()]
        for one in reversed(missing):
            one.mkdir()
            self._made.append(one)
        try:
            opened = path.open("xb")
        except FileExistsError:
            raise there_already(path) from None
        self._made.append(path)
        return opened


class Sheet:
    """A file that is being written.

    Attributes:
        name: Its name in the folder.
        count: How many pieces were written.
    """

    def __init__(self, folder: Folder, name: str) -> None:
        self.name = name
        self.count = 0
        self._folder = folder
        self._hash = hashlib.sha256()
        self._file: IO[bytes] | None = None

    def __enter__(self) -> "Sheet":
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()
            self._folder.hashes[self.name] = self._hash.hexdigest()

    def write(self, piece: bytes) -> None:
        """Write a piece, such as a line with its end."""
        if self._file is None:
            self._file = self._folder.open(self.name)
        self._file.write(piece)
        self._hash.update(piece)
        self.count += 1


@contextmanager
def whole_folder(target: Path) -> Iterator[Folder]:
    """Make a folder under another name, and give it its own once it is complete.

    Args:
        target: Must not exist, or be empty.

    Raises:
        InputError: When there is something.
    """
    place = Path(os.path.abspath(target))  # noqa: PTH100  # links stay what they are
    if place == Path.cwd() or (place.exists() and not _is_empty(place)):
        raise there_already(target)
    place.parent.mkdir(parents=True, exist_ok=True)
    building = place.parent / f".{place.name}.{secrets.token_hex(4)}"
    building.mkdir()
    try:
        yield Folder(building)
        try:
            building.rename(place)
        except OSError as error:
            raise there_already(target) from error
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise


@contextmanager
def added_files(root: Path) -> Iterator[Folder]:
    """Add files to a folder that there is: all of them, or none."""
    folder = Folder(root)
    try:
        yield folder
    except BaseException:
        folder.undo()
        raise


def there_already(path: Path) -> InputError:
    """Say that nothing is written over."""
    return InputError(
        [
            Diagnostic(
                code="file-exists",
                message=f"{path} is there already, and nothing is written over",
                hint="name another place with --to, or move it away",
            )
        ]
    )


def told_apart(name: str, taken: Container[str]) -> str:
    """Name a file after an object, unlike others on any file system.

    Args:
        name: Of the object.
        taken: Names of files that are taken, as `folded`.
    """
    file = file_name(name)
    if folded(file) not in taken:
        return file
    return f"{file}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"


def folded(file: str) -> str:
    """Write the name of a file as systems see it that know no case."""
    return unicodedata.normalize("NFC", file).casefold()


def _is_empty(path: Path) -> bool:
    return path.is_dir() and not any(path.iterdir())

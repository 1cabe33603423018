"""Which files the store has, and what they are called."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, insert, select, update

from reconciler.server.files import Written, signed_file
from reconciler.server.store.bulk import as_list, listed
from reconciler.server.store.database import Store
from reconciler.server.store.tables import files

NDJSON: Final = "application/x-ndjson"
"""The content type of lines of JSON."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that was uploaded or made.

    Attributes:
        pk: Its number in the store.
        sha256: Where its content is.
        size: Length in bytes.
        content_type: As the uploader said.
    """

    pk: int
    sha256: str
    size: int
    content_type: str


def add_file(
    db: Connection, store: Store, written: Written, *, name: str, content_type: str
) -> tuple[int, str]:
    """Record content that is on the disk; answers its number and id."""
    identifier = next(store.ids())
    number = db.execute(
        insert(files)
        .values(
            id=identifier,
            sha256=written.sha256,
            size=written.size,
            name=name,
            content_type=content_type,
            created_at=store.now(),
        )
        .returning(files.c.pk)
    ).scalar_one()
    return number, identifier


def find_file(db: Connection, identifier: str) -> StoredFile | None:
    """Look a file up by its id."""
    found = db.execute(
        select(files.c.pk, files.c.sha256, files.c.size, files.c.content_type).where(
            files.c.id == identifier
        )
    ).first()
    return None if found is None else StoredFile(*found)


def own_file(db: Connection, store: Store, url: object) -> StoredFile | None:
    """Look up which of our files a URL means; None for every other value.

    A URL of ours stays one when it has expired or the host has changed.
    """
    if not isinstance(url, str):
        return None
    signed = signed_file(url, store.identity.secret)
    return None if signed is None else find_file(db, signed[0])


def keep_files(db: Connection, identifiers: Iterable[str]) -> None:
    """Keep files for as long as the store: a text that stays names them.

    Which texts still do isn't followed: they are copied from runs to projects and
    back, and a file that stays too long only takes room.
    """
    text, count = as_list(identifiers)
    if not count:
        return
    names = listed("names")
    chosen = files.c.id.in_(select(names.c.value))
    db.execute(update(files).where(chosen).values(kept=True), {"names": text})


def keep_named(db: Connection, store: Store, texts: Iterable[str | None]) -> None:
    """Keep files whose URLs are values in objects or lists of JSON."""
    urls = (url for text in texts if text for url in _urls_in(text))
    signed = (signed_file(url, store.identity.secret) for url in urls)
    keep_files(db, {found[0] for found in signed if found})


def _urls_in(text: str) -> Iterator[str]:
    if "files" not in text or not text.lstrip().startswith(("{", "[")):
        return
    try:
        left: list[Any] = [msgspec.json.decode(text)]
    except (msgspec.DecodeError, RecursionError):
        return  # any text may be row data
    while left:
        match left.pop():
            case dict() as members:
                left.extend(members.values())
            case list() as items:
                left.extend(items)
            case str() as value:
                yield value
            case _:
                pass

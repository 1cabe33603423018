"""Which files the store has, and what they are called."""

from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from reconciler.server.files import Written, signed_file
from reconciler.server.store.database import Store
from reconciler.server.store.tables import files


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

"""A path becomes an open store: a database, its folder of files, its identity.

Several threads read at once; one writes at a time. Every write is one
transaction that is on the disk when it ends, so a killed process leaves either
all of it or nothing.
"""

import os
import secrets as random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    QueuePool,
    create_engine,
    event,
    insert,
    make_url,
    select,
)
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from reconciler.server import migrations
from reconciler.server.errors import ApiError, StoreError, busy
from reconciler.server.files import Files
from reconciler.server.store.ids import cuids
from reconciler.server.store.tables import organizations, secrets, users

BUSY_SECONDS = 30
"""How long a write waits for another process that writes."""


def moment(seconds: float) -> str:
    """Spell a time as the API does, in UTC with milliseconds."""
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
    return f"{text[:-3]}Z"


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose store it is; keys all belong to its one user.

    Attributes:
        user: Id of the user.
        organization: Id of the organisation.
        secret: What file URLs are signed with.
    """

    user: str
    organization: str
    secret: bytes


class Store:
    """An open store; close it, or use it as a context manager.

    Attributes:
        path: The database file.
        files: The folder of files beside it.
        identity: Whose store it is.
        clock: Seconds since 1970, as the store's moments tell them.
    """

    def __init__(
        self,
        path: Path,
        engine: Engine,
        clock: Callable[[], float],
        organization: str,
    ) -> None:
        self.path = path
        self.files = Files(path.with_name(f"{path.name}.files"))
        self.clock = clock
        self._engine = engine
        self._writer_engine = engine.execution_options(writes=True)
        self._writing = threading.Lock()
        self.identity = self._prepare(organization)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()

    def disconnect(self) -> None:
        """Close idle connections before a fork; the next use opens new ones.

        A child that inherits an open SQLite file would undo its own locks when
        it closes it.
        """
        self._engine.dispose()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a transaction that sees one state of the store and changes none.

        Raises:
            ApiError: When another process keeps the store for itself.
        """
        with _telling_busy(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Open the one transaction that may write, and commit it at the end.

        Raises:
            ApiError: When another process writes for longer than `BUSY_SECONDS`.
        """
        with (
            _telling_busy(),
            self._writing,
            self._writer_engine.begin() as connection,
        ):
            yield connection

    def now(self) -> str:
        """Spell the present moment as the API does."""
        return moment(self.clock())

    def ids(self) -> Iterator[str]:
        """Make ids for what is created now."""
        return cuids(int(self.clock() * 1000))

    def _prepare(self, organization: str) -> Identity:
        with self.read() as connection:
            if migrations.revision(connection) == migrations.HEAD:
                return _identity(connection)
        with self.write() as connection:
            # Another process may have been first: `upgrade` looks again.
            migrations.upgrade(connection)
            if connection.execute(select(users.c.id)).first() is None:
                self._found(connection, organization)
            return _identity(connection)

    def _found(self, connection: Connection, organization: str) -> None:
        ids, now = self.ids(), self.now()
        moments = {"created_at": now, "updated_at": now}
        connection.execute(
            insert(organizations).values(id=next(ids), name=organization, **moments)
        )
        connection.execute(
            insert(users).values(
                id=next(ids), name="Owner", email="owner@reconciler.invalid", **moments
            )
        )
        connection.execute(
            insert(secrets).values(name="files", value=random.token_hex(32))
        )


def open_store(
    where: str | Path,
    *,
    clock: Callable[[], float] = time.time,
    organization: str = "Reconciler",
) -> Store:
    """Open a store, creating it and its folders when it isn't there.

    Args:
        where: Path of a SQLite file, or its URL, `sqlite:///path`.
        clock: Seconds since 1970.
        organization: What the organisation of a new store is called.

    Raises:
        StoreError: When it can't be opened, is no store, or a later version of
            the tool has written it.
    """
    path = _path(where)
    try:
        path.parent.mkdir(0o700, parents=True, exist_ok=True)
        _touch(path)
    except OSError as error:
        msg = f"{path} can't be created: {error.strerror}"
        raise StoreError(msg) from error
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        poolclass=QueuePool,
        pool_size=16,
        max_overflow=64,
        connect_args={"check_same_thread": False, "timeout": BUSY_SECONDS},
    )
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    try:
        return Store(path, engine, clock, organization)
    except ApiError as error:
        engine.dispose()
        msg = f"{path} can't be opened as a store: {error.message}"
        raise StoreError(msg) from error
    except DatabaseError as error:
        engine.dispose()
        msg = f"{path} can't be opened as a store: {error.orig}"
        raise StoreError(msg) from error
    except StoreError:
        engine.dispose()
        raise


@contextmanager
def _telling_busy() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        code = getattr(error.orig, "sqlite_errorcode", 0)
        # The lower byte says which kind of error an extended code is.
        if code & 0xFF == sqlite3.SQLITE_BUSY:
            raise busy() from error
        raise


def _touch(path: Path) -> None:
    """Create a file that only its user reads; SQLite gives its others that mode."""
    # Never opened when it is there: to close it would undo SQLite's locks.
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))


def _path(where: str | Path) -> Path:
    if isinstance(where, Path) or "://" not in where:
        return Path(where).absolute()
    try:
        url = make_url(where)
    except ArgumentError as error:
        msg = f"{where!r} is not the URL of a database"
        raise StoreError(msg) from error
    if url.get_backend_name() != "sqlite" or not url.database:
        msg = f"a store is a SQLite file, not {url.drivername}"
        raise StoreError(msg)
    return Path(url.database).absolute()


def _configure(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    # The driver's own idea of when a transaction begins is switched off; `_begin`
    # says it.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA cache_size = -32768")
    cursor.execute("PRAGMA temp_store = MEMORY")
    cursor.close()


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _identity(connection: Connection) -> Identity:
    secret = connection.execute(
        select(secrets.c.value).where(secrets.c.name == "files")
    ).scalar_one()
    return Identity(
        user=connection.execute(select(users.c.id)).scalar_one(),
        organization=connection.execute(select(organizations.c.id)).scalar_one(),
        secret=bytes.fromhex(secret),
    )

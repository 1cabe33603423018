"""A key becomes an organisation and what may be done there.

An organisation is a store: nothing in one can name anything in another, so a
key cannot see across. The default one is the store that is served; others lie
beside it and are opened when they are first asked for.
"""

import hashlib
import logging
import math
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from reconciler.server.errors import ApiError, Code, StoreError
from reconciler.server.files import signed_file
from reconciler.server.jobs import Jobs
from reconciler.server.settings import ServerSettings
from reconciler.server.store.cleaning import clean
from reconciler.server.store.database import Store, open_store

MINUTE: Final = 60.0

log = logging.getLogger("reconciler.server")

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


@dataclass(frozen=True, slots=True)
class Access:
    """What a key opens.

    Attributes:
        organization: Name of the organisation; None for the default one.
        read_only: Whether nothing may be changed.
    """

    organization: str | None = None
    read_only: bool = False

    def allow(self, mutations: Iterable[str], settings: ServerSettings) -> None:
        """Refuse mutations that the key may not ask for.

        Raises:
            ApiError: Naming the first of them.
        """
        if not self.read_only:
            return
        for name in sorted(mutations):
            if not (name.startswith("exportDataRowsIn") and settings.read_only_exports):
                raise ApiError(
                    Code.AUTHORIZATION_ERROR, f"this key may only read, not {name}"
                )


Keys = Mapping[bytes, Access]
"""What keys open, by their `fingerprint`."""


def fingerprint(key: str) -> bytes:
    """Hash a key, so that no comparison's time tells how much of it was right."""
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()


def is_organization_name(name: str) -> bool:
    """Say whether a file may be named after an organisation of that name."""
    return _NAME.fullmatch(name) is not None


class RateExceeded(Exception):  # noqa: N818  # an answer of its own kind
    """An organisation has used up its requests for now.

    Attributes:
        seconds: When it may ask again.
        limit: Requests a minute.
    """

    def __init__(self, seconds: int, limit: int) -> None:
        self.seconds = seconds
        self.limit = limit
        super().__init__(seconds, limit)


class Quota:
    """Requests that are counted minute by minute, the first one starting it."""

    def __init__(self, limit: int | None, clock: Callable[[], float]) -> None:
        self._limit = limit
        self._clock = clock
        self._start = -math.inf
        self._count = 0
        self._lock = threading.Lock()

    def take(self) -> None:
        """Count a request.

        Raises:
            RateExceeded: When there were too many in this minute.
        """
        if self._limit is None:
            return
        with self._lock:
            now = self._clock()
            # A clock that was set back starts a minute too.
            if not 0 <= now - self._start < MINUTE:
                self._start, self._count = now, 0
            if self._count >= self._limit:
                left = self._start + MINUTE - now
                raise RateExceeded(max(1, math.ceil(left)), self._limit)
            self._count += 1


@dataclass(frozen=True, slots=True)
class Organization:
    """An organisation as it is served.

    Attributes:
        store: All that it has.
        jobs: What is worked on for it in the background.
        quota: Its requests.
    """

    store: Store
    jobs: Jobs
    quota: Quota


class Organizations:
    """The organisations of one server.

    Attributes:
        default: The one of keys that name none.
    """

    def __init__(
        self, store: Store, settings: ServerSettings, names: Iterable[str]
    ) -> None:
        """Serve a store, and others beside it.

        Args:
            store: The default organisation, open; whoever opened it closes it.
            settings: The server's choices.
            names: Names of the other organisations.

        Raises:
            ValueError: When a name can't be one of a file.
        """
        self._settings = settings
        self._paths = {name: _path(store.path, name) for name in names}
        self._opened: dict[str, Organization] = {}
        self._opening = {name: threading.Lock() for name in self._paths}
        self._waiting = threading.BoundedSemaphore(max(1, settings.threads // 2))
        self.default = self._serve(store)

    def named(self, name: str | None) -> Organization:
        """Find an organisation, opening its store when it is needed first.

        Raises:
            ApiError: When its store can't be opened; the log says why.
        """
        if name is None:
            return self.default
        # A lock for each: a store that opens slowly holds up its own users only.
        with self._opening[name]:
            if name not in self._opened:
                self._opened[name] = self._serve(self._open(name))
            return self._opened[name]

    def _open(self, name: str) -> Store:
        clock = self.default.store.clock
        try:
            return open_store(self._paths[name], clock=clock, organization=name)
        except StoreError as error:
            log.error("the organization %s can't be served: %s", name, error)  # noqa: TRY400
            message = "the organization can't be served at the moment"
            raise ApiError(Code.INTERNAL_SERVER_ERROR, message) from error

    def signer(self, url: str) -> tuple[Store, str, int] | None:
        """Find the store that signed a file's URL, the file's id, and its end."""
        for store in self._stores():
            if found := signed_file(url, store.identity.secret):
                return (store, *found)
        return None

    def disconnect(self) -> None:
        """Close idle connections before a fork."""
        for organization in (self.default, *self._opened.values()):
            organization.store.disconnect()

    def close(self) -> None:
        """Close the stores that were opened here."""
        for name, lock in self._opening.items():
            with lock:
                if organization := self._opened.pop(name, None):
                    organization.store.close()

    def _stores(self) -> Iterator[Store]:
        yield self.default.store
        for name, path in self._paths.items():
            # Who has no store has signed nothing, and none is made for a stranger.
            if path.exists():
                with suppress(ApiError):
                    yield self.named(name).store

    def _serve(self, store: Store) -> Organization:
        settings = self._settings
        return Organization(
            store,
            Jobs(
                store.path.with_name(f"{store.path.name}.jobs"),
                settings.answer_seconds,
                then=partial(clean, store, settings.keep_seconds),
                waiting=self._waiting,
            ),
            Quota(settings.limits.requests_per_minute, store.clock),
        )


def _path(default: Path, name: str) -> Path:
    if not is_organization_name(name):
        msg = f"{name!r} can't be the name of an organization"
        raise ValueError(msg)
    # Never without a suffix: a folder beside a store is named `STORE.files`.
    return default.with_name(f"{default.stem}.{name}{default.suffix or '.db'}")

"""The inventory in a directory: lines of JSON, appended and never rewritten.

    inventory/<endpoint>/<organisation>/objects.jsonl     {"address", "id"}
    inventory/<endpoint>/<organisation>/data-rows.jsonl   {"dataset", "rows"}
    inventory/<endpoint>/<organisation>/plans.jsonl       {"carried_out"}

The last line about a thing holds. A line is on the disk before the next step
is reported, so that a killed apply loses at most what was in flight; a line
that was cut short by the kill is dropped, when it is read or written after.
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final, TypeVar
from urllib.parse import quote

from reconciler.apply.events import Done, Event, Finished
from reconciler.diagnostics import Diagnostic, InputError, ReconcilerError, Span
from reconciler.plan.build import Plan, Target
from reconciler.plan.steps import UploadDataRows
from reconciler.state.address import Address, RemoteId
from reconciler.state.canonical import JsonObject
from reconciler.state.inventory import Inventory
from reconciler.state.resources import GlobalKey

_T = TypeVar("_T")

_LONGEST_LINE: Final = 16 * 2**20
"""Bytes; the hashes of a batch of data rows take about a hundred each."""


class LedgerError(ReconcilerError):
    """What was brought about can't be written down."""


class DirectoryLedger:
    """The inventory of one workspace on one remote.

    Args:
        home: The folder that the tool keeps its own files in.
        target: The remote; each has an inventory of its own, so that trying a
            workspace on the embedded server never claims objects of Labelbox.
    """

    def __init__(self, home: Path, target: Target) -> None:
        self._folder = (
            home
            / "inventory"
            / quote(target.endpoint, safe="")
            / quote(target.organisation, safe="")
        )
        self._objects = self._folder / "objects.jsonl"
        self._data_rows = self._folder / "data-rows.jsonl"
        self._plans = self._folder / "plans.jsonl"

    def recall(self) -> Inventory:
        """Read what was written down; nothing is an empty inventory.

        Raises:
            InputError: When a line is damaged other than by a kill.
        """
        owned = dict(_entries(self._objects, _object))
        fingerprints: dict[Address, dict[GlobalKey, str]] = {}
        for dataset, rows in _entries(self._data_rows, _uploaded):
            fingerprints.setdefault(dataset, {}).update(rows)
        return Inventory(owned=owned, fingerprints=fingerprints)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Let one apply at a time work from here on this remote.

        This spares people trouble; nothing relies on it. Whoever applies from
        another machine isn't held back, and is found out by preconditions.

        Raises:
            InputError: When another apply is at it, naming its process.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "lock").open("a+") as held:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                held.seek(0)
                raise _busy(held.read().strip()) from None
            held.truncate(0)
            held.write(str(os.getpid()))
            held.flush()
            yield

    def carried_out(self) -> tuple[str, ...]:
        """List the digests of the plans that were carried out, in their order."""
        return tuple(_entries(self._plans, _carried_out))

    def finish(self, digest: str) -> None:
        """Write down that a plan was carried out to its end.

        Raises:
            LedgerError: When that can't be written.
        """
        self._append(self._plans, [{"carried_out": digest}])

    def adopt(self, plan: Plan) -> None:
        """Write down the objects that a plan found and takes over.

        This comes before anything else is done, so it also finds out whether
        the inventory can be written at all.

        Raises:
            LedgerError: When it can't.
        """
        lines: list[JsonObject] = [
            {"address": str(change.address), "id": change.id}
            for change in plan.adoptions
        ]
        self._append(self._objects, lines)

    def record(self, events: Iterable[Event]) -> Iterator[Event]:
        """Write down what events bring about, then pass each on.

        Raises:
            LedgerError: When that can't be written.
        """
        for event in events:
            match event:
                case Finished(step=UploadDataRows() as step, outcome=Done()):
                    rows: JsonObject = {
                        row.global_key: row.fingerprint for row in step.rows
                    }
                    self._append(
                        self._data_rows, [{"dataset": str(step.address), "rows": rows}]
                    )
                case Finished(step=step, outcome=Done(id=str() as made)):
                    self._append(
                        self._objects, [{"address": str(step.address), "id": made}]
                    )
                case _:
                    pass
            yield event

    def _append(self, file: Path, lines: Iterable[JsonObject]) -> None:
        text = "".join(f"{json.dumps(line, sort_keys=True)}\n" for line in lines)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with file.open("ab+") as opened:
                # Closing lets go of it: nobody else may see half a line meanwhile.
                fcntl.flock(opened, fcntl.LOCK_EX)
                opened.truncate(_whole(opened))
                opened.write(text.encode())
                opened.flush()
                os.fsync(opened.fileno())
        except OSError as error:
            raise LedgerError(
                f"{file} can't be written: {error.strerror or error}"
            ) from error


def _whole(opened: IO[bytes]) -> int:
    """Measure the file up to its last newline; a kill can leave half a line."""
    end = opened.seek(0, os.SEEK_END)
    opened.seek(max(0, end - _LONGEST_LINE))
    tail = opened.read()
    return end - (len(tail) - (tail.rfind(b"\n") + 1))


def _entries(file: Path, read: Callable[[JsonObject], _T]) -> Iterator[_T]:
    try:
        text = file.read_bytes()
    except FileNotFoundError:
        return
    lines = text.split(b"\n")[:-1]  # what follows the last newline was cut short
    for number, line in enumerate(lines, start=1):
        try:
            yield read(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise InputError(
                [
                    Diagnostic(
                        code="inventory-damaged",
                        message="the line is no inventory entry",
                        span=Span(str(file), number, 1),
                        hint="restore the file, or remove it: objects are then "
                        "adopted again by name, and nothing is deleted",
                    )
                ]
            ) from None


def _busy(process: str) -> InputError:
    return InputError(
        [
            Diagnostic(
                code="apply-running",
                message="another apply of this workspace is running"
                + (f", as process {process}" if process else ""),
                hint="wait until it has ended",
            )
        ]
    )


def _carried_out(entry: Mapping[str, Any]) -> str:
    return str(entry["carried_out"])


def _object(entry: Mapping[str, Any]) -> tuple[Address, RemoteId]:
    return Address.parse(entry["address"]), RemoteId(entry["id"])


def _uploaded(entry: Mapping[str, Any]) -> tuple[Address, Mapping[GlobalKey, str]]:
    return Address.parse(entry["dataset"]), dict(entry["rows"].items())

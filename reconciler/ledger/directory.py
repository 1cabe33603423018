"""The inventory in a directory: lines of JSON, appended one after the other.

    inventory/<endpoint>/<organisation>/objects.jsonl     {"address", "id"}
    inventory/<endpoint>/<organisation>/data-rows.jsonl   {"dataset", "rows"}
    inventory/<endpoint>/<organisation>/uploads.jsonl     a slot, as it was sent
    inventory/<endpoint>/<organisation>/plans.jsonl       {"carried_out"}
    inventory/<endpoint>/<organisation>/refused/<address>/<job>.ndjson
                                                    {"row", "uuid", "reason"}

The last line about a thing holds; uploads, of which there are many, lose the others
when an apply begins. A line is on the disk before the next step
is reported, so that a killed apply loses at most what was in flight; a line
that was cut short by the kill is dropped, when it is read or written after.
"""

import fcntl
import hashlib
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote

from reconciler.apply.events import Done, Event, Failed, Finished, Skipped
from reconciler.diagnostics import Diagnostic, InputError
from reconciler.ledger.lines import append, compact, entries, latest, replace
from reconciler.ledger.sent import (
    Entry,
    Sent,
    collected,
    entry_line,
    intents,
    outcome_of,
    read_entry,
    refusal_line,
    spread,
    thing_of,
)
from reconciler.plan.build import Plan, Target
from reconciler.plan.steps import SendChunk, UploadDataRows
from reconciler.state.address import Address, RemoteId
from reconciler.state.canonical import JsonObject
from reconciler.state.inventory import Inventory
from reconciler.state.resources import GlobalKey

_NO_IDS: Final[Mapping[Address, RemoteId]] = MappingProxyType({})

_LONGEST: Final = 200
"""Characters of a folder's name; file systems take some more."""


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
        self._uploads = self._folder / "uploads.jsonl"
        self._lineage = secrets.token_hex(4)

    @property
    def refused(self) -> Path:
        """The folder with every line that was ever refused.

        It has a folder for each object, with a file for each job.
        """
        return self._folder / "refused"

    def recall(self) -> Inventory:
        """Read what was written down; nothing is an inventory that owns nothing.

        Its lineage is not of it, but of whoever recalls it: two that began as one
        never give two jobs the same name.

        Raises:
            InputError: When a line is damaged other than by a kill.
        """
        owned = dict(entries(self._objects, _object))
        fingerprints: dict[Address, dict[GlobalKey, str]] = {}
        for dataset, rows in entries(self._data_rows, _uploaded):
            fingerprints.setdefault(dataset, {}).update(rows)
        return Inventory(
            owned=owned,
            fingerprints=fingerprints,
            uploads=collected(latest(self._uploads, thing_of, read_entry)),
            lineage=self._lineage,
        )

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Let one apply at a time work from here on this remote.

        This spares people trouble; nothing relies on it. Whoever applies from
        another machine isn't held back, and is found out by preconditions.

        Raises:
            InputError: When another apply is at it, naming its process; or when
                a line of the inventory is damaged.
            LedgerError: When the inventory can't be written.
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
            compact(self._uploads, thing_of)
            yield

    def carried_out(self) -> tuple[str, ...]:
        """List the digests of the plans that were carried out, in their order."""
        return tuple(entries(self._plans, _carried_out))

    def finish(self, digest: str) -> None:
        """Write down that a plan was carried out to its end.

        Raises:
            LedgerError: When that can't be written.
        """
        append(self._plans, [{"carried_out": digest}])

    def adopt(self, plan: Plan) -> None:
        """Write down what a plan finds and takes over, and what it will send.

        This comes before anything else is done, so it also finds out whether
        the inventory can be written at all.

        Raises:
            LedgerError: When it can't.
        """
        lines: list[JsonObject] = [
            {"address": str(change.address), "id": change.id}
            for change in plan.adoptions
        ]
        append(self._objects, lines)
        if sending := [entry_line(one) for one in intents(plan)]:
            append(self._uploads, sending)

    def remember_uploads(self, sent: Sent) -> None:
        """Write down what is there already, though it wasn't sent from here.

        Raises:
            LedgerError: When that can't be written.
        """
        append(self._uploads, [entry_line(one) for one in spread(sent)])

    def record(
        self, events: Iterable[Event], *, ids: Mapping[Address, RemoteId] = _NO_IDS
    ) -> Iterator[Event]:
        """Write down what events bring about, then pass each on.

        Args:
            events: What happens.
            ids: Ids of the objects that existed before.

        Raises:
            LedgerError: When that can't be written.
        """
        known = dict(ids)
        skipped: list[Entry] = []
        for event in events:
            match event:
                case Finished(step=UploadDataRows() as step, outcome=Done()):
                    rows: JsonObject = {
                        row.global_key: row.fingerprint for row in step.rows
                    }
                    append(
                        self._data_rows, [{"dataset": str(step.address), "rows": rows}]
                    )
                case Finished(
                    step=SendChunk() as step, outcome=Done() | Failed() as outcome
                ):
                    self._record_sent(step, outcome, known.get(step.address))
                case Finished(step=SendChunk() as step, outcome=Skipped() as outcome):
                    entry = outcome_of(step, outcome, known.get(step.address))
                    skipped += [] if entry is None else [entry]
                case Finished(step=step, outcome=Done(id=str() as made)):
                    known[step.address] = made
                    append(self._objects, [{"address": str(step.address), "id": made}])
                case _:
                    pass
            yield event
        # Nothing was brought about that a kill could make anyone forget.
        if skipped:
            append(self._uploads, map(entry_line, skipped))

    def _record_sent(
        self, step: SendChunk, outcome: Done | Failed, parent: RemoteId | None
    ) -> None:
        if isinstance(outcome, Failed) and outcome.refusals:
            file = self._refused_of(step.address) / f"{quote(step.job, safe='')}.ndjson"
            replace(file, map(refusal_line, outcome.refusals))
        if (entry := outcome_of(step, outcome, parent)) is not None:
            append(self._uploads, [entry_line(entry)])

    def _refused_of(self, address: Address) -> Path:
        name = quote(str(address), safe="")
        if len(name) > _LONGEST:
            told = hashlib.sha256(name.encode()).hexdigest()[:16]
            name = f"{name[: _LONGEST - 17]}-{told}"
        return self.refused / name


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

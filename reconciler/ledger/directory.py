"""The inventory in a directory: lines of JSON, appended and never rewritten.

    inventory/<endpoint>/<organisation>/objects.jsonl     {"address", "id"}
    inventory/<endpoint>/<organisation>/data-rows.jsonl   {"dataset", "rows"}
    inventory/<endpoint>/<organisation>/uploads.jsonl     a slot, as it was sent
    inventory/<endpoint>/<organisation>/lineage.jsonl     {"lineage"}
    inventory/<endpoint>/<organisation>/plans.jsonl       {"carried_out"}
    inventory/<endpoint>/<organisation>/refused/<job>.ndjson  {"row", "uuid", "reason"}

The last line about a thing holds. A line is on the disk before the next step
is reported, so that a killed apply loses at most what was in flight; a line
that was cut short by the kill is dropped, when it is read or written after.
"""

import fcntl
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import quote

from reconciler.apply.events import Done, Event, Failed, Finished
from reconciler.diagnostics import Diagnostic, InputError
from reconciler.ledger.lines import append, entries, replace
from reconciler.ledger.sent import (
    Sent,
    collected,
    entry_line,
    intents,
    outcome_of,
    read_entry,
    refusal_line,
    spread,
)
from reconciler.plan.build import Plan, Target
from reconciler.plan.steps import SendChunk, UploadDataRows
from reconciler.state.address import Address, RemoteId
from reconciler.state.canonical import JsonObject
from reconciler.state.inventory import Inventory
from reconciler.state.resources import GlobalKey

_NO_IDS: Final[Mapping[Address, RemoteId]] = MappingProxyType({})


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
        self._lineages = self._folder / "lineage.jsonl"

    @property
    def refused(self) -> Path:
        """The folder with every line that was ever refused, a file a job."""
        return self._folder / "refused"

    def recall(self) -> Inventory:
        """Read what was written down; nothing is an inventory that owns nothing.

        Its lineage is new then, and written down with the first thing to be sent:
        whoever only plans leaves no trace.

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
            uploads=collected(entries(self._uploads, read_entry)),
            lineage=self._written_lineage() or self._new_lineage,
        )

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
            if self._written_lineage() is None:
                append(self._lineages, [{"lineage": self._new_lineage}])
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
                case Finished(step=step, outcome=Done(id=str() as made)):
                    known[step.address] = made
                    append(self._objects, [{"address": str(step.address), "id": made}])
                case _:
                    pass
            yield event

    def _record_sent(
        self, step: SendChunk, outcome: Done | Failed, parent: RemoteId | None
    ) -> None:
        if isinstance(outcome, Failed) and outcome.refusals:
            file = self.refused / f"{quote(step.job, safe='')}.ndjson"
            replace(file, map(refusal_line, outcome.refusals))
        if (entry := outcome_of(step, outcome, parent)) is not None:
            append(self._uploads, [entry_line(entry)])

    def _written_lineage(self) -> str | None:
        return next(entries(self._lineages, _lineage), None)

    @cached_property
    def _new_lineage(self) -> str:
        return secrets.token_hex(4)


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


def _lineage(entry: Mapping[str, Any]) -> str:
    return str(entry["lineage"])

"""What was sent of each slot, as the inventory keeps it."""

import base64
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

from reconciler.annotations.marks import mark, merged, without
from reconciler.apply.events import Done, Failed, Skipped
from reconciler.plan.build import Plan
from reconciler.plan.changes import PlannedChunk
from reconciler.plan.steps import SendChunk
from reconciler.state.address import Address, RemoteId
from reconciler.state.canonical import JsonObject
from reconciler.state.uploads import Family, LineRefusal, Slot, Uploaded

Entry: TypeAlias = tuple[Address, Family, Slot, Uploaded]
"""The object, the family and the slot, and what was sent."""

Sent: TypeAlias = Mapping[tuple[Address, Family], Mapping[Slot, Uploaded]]
"""What was last sent of each slot; see `Inventory.uploads`."""


def collected(entries: Iterable[Entry]) -> Sent:
    """Keep the last entry of each slot."""
    found: dict[tuple[Address, Family], dict[Slot, Uploaded]] = {}
    for address, family, slot, uploaded in entries:
        found.setdefault((address, family), {})[slot] = uploaded
    return found


def spread(sent: Sent) -> Iterator[Entry]:
    """Go through what was sent, slot by slot."""
    for (address, family), slots in sent.items():
        for slot, uploaded in slots.items():
            yield address, family, slot, uploaded


def intents(plan: Plan) -> Iterator[Entry]:
    """Say what is about to be sent, before anything is done.

    From then on any of it may be there, whatever becomes of the apply. What was sent
    for rows that come back isn't: it went when they left.
    """
    for change in plan.changes:
        for uploads in change.uploads:
            for planned in uploads.sent:
                yield (
                    change.address,
                    uploads.family,
                    planned.chunk.slot,
                    _begun(planned, change.id),
                )
            for slot, last in uploads.forgotten.items():
                yield change.address, uploads.family, slot, last


def outcome_of(
    step: SendChunk, outcome: Done | Failed | Skipped, parent: RemoteId | None
) -> Entry | None:
    """Say how sending a slot ended; None when its intent still says it all."""
    if isinstance(outcome, Skipped):
        # An earlier apply may have sent what this one didn't come to.
        return None if step.may_exist else _entry(step, parent, marks=step.left)
    refusals: tuple[LineRefusal, ...] = ()
    refused = 0
    if isinstance(outcome, Failed):
        refusals = outcome.refusals
        refused = len(refusals) or (step.chunk.count if outcome.job_failed else 0)
        if not refused:
            return None
    return _entry(
        step,
        parent,
        finished=isinstance(outcome, Done),
        refused=refused,
        marks=merged(step.left, without(step.chunk.marks, _marks(refusals))),
    )


def _entry(
    step: SendChunk,
    parent: RemoteId | None,
    *,
    finished: bool = False,
    refused: int = 0,
    marks: bytes,
) -> Entry:
    uploaded = Uploaded(
        digest=step.chunk.digest,
        generation=step.generation,
        finished=finished,
        refused=refused,
        job=step.job,
        parent=parent,
        marks=marks,
    )
    return step.address, step.family, step.chunk.slot, uploaded


def entry_line(entry: Entry) -> JsonObject:
    """Write an entry."""
    address, family, slot, uploaded = entry
    packed = base64.b64encode(zlib.compress(uploaded.marks)).decode()
    return {
        "address": str(address),
        "family": family.value,
        "slot": slot.number,
        "of": slot.of,
        "digest": uploaded.digest,
        "generation": uploaded.generation,
        "finished": uploaded.finished,
        "refused": uploaded.refused,
        "job": uploaded.job,
        "parent": uploaded.parent,
        "marks": packed,
    }


class Thing(NamedTuple):
    """What an entry is about."""

    address: str
    family: str
    slot: int
    of: int


def thing_of(line: Mapping[str, Any]) -> Thing:
    """Say what an entry is about, without looking into it.

    Raises:
        KeyError, TypeError, ValueError: When it isn't one.
    """
    return Thing(
        str(line["address"]), str(line["family"]), int(line["slot"]), int(line["of"])
    )


def read_entry(line: Mapping[str, Any]) -> Entry:
    """Read an entry back.

    Raises:
        ValueError, KeyError, TypeError, zlib.error: When it isn't one.
    """
    parent = line["parent"]
    return (
        Address.parse(line["address"]),
        Family(line["family"]),
        Slot(int(line["slot"]), int(line["of"])),
        Uploaded(
            digest=str(line["digest"]),
            generation=int(line["generation"]),
            finished=bool(line["finished"]),
            refused=int(line["refused"]),
            job=str(line.get("job", "")),
            parent=None if parent is None else RemoteId(parent),
            marks=zlib.decompress(base64.b64decode(line["marks"], validate=True)),
        ),
    )


def refusal_line(refusal: LineRefusal) -> JsonObject:
    """Write down a line that was refused."""
    return {"row": refusal.row, "uuid": refusal.uuid, "reason": refusal.reason}


def _begun(planned: PlannedChunk, parent: RemoteId | None) -> Uploaded:
    return Uploaded(
        digest=planned.chunk.digest,
        generation=planned.generation,
        finished=False,
        job=planned.job,
        parent=parent,
        marks=merged(planned.left, planned.chunk.marks),
    )


def _marks(refusals: Iterable[LineRefusal]) -> Iterator[bytes]:
    for one in refusals:
        if one.row is not None and one.uuid is not None:
            yield mark(one.row, one.uuid)

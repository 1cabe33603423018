"""Which slots have to be sent: what is declared, against what was sent before.

The API can't be asked which predictions a run has, so the inventory is. Labels of a
project are another matter: it lists its imports, and the list is what holds.
"""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from reconciler.annotations import marks
from reconciler.diagnostics import counted
from reconciler.plan.changes import PlannedChunk, UploadsChange
from reconciler.plan.jobs import LabelJob, label_job, parse_label_job, run_job
from reconciler.rows.digest import digest_lines
from reconciler.state.address import RemoteId
from reconciler.state.labels import ContentHash
from reconciler.state.resources import Membership
from reconciler.state.snapshot import JobState
from reconciler.state.uploads import Chunk, Family, Slot, Uploaded, Uploads


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """The run or project that is sent to.

    Attributes:
        id: Its id; None when it doesn't exist yet.
        members: The rows that the run should have; None when that isn't managed.
        added: Names of the rows that the same plan adds to it.
        labelled: Names of the rows that get a label by the same plan, and that may
            come with it; None when nobody knows which rows those are.
        imports: The imports that a project has, by name.
    """

    id: RemoteId | None
    members: Membership | None = None
    added: frozenset[str] = frozenset()
    labelled: frozenset[str] | None = frozenset()
    imports: Mapping[str, JobState] = field(default_factory=dict)


def compare_uploads(
    wanted: Uploads,
    *,
    to: Destination,
    recorded: Mapping[Slot, Uploaded],
    lineage: str,
) -> UploadsChange:
    """Find the slots of a family that have to be sent, and name their jobs.

    Args:
        wanted: What the slots should hold.
        to: Where it goes.
        recorded: What the inventory remembers of the slots.
        lineage: Of this session.
    """
    there = _marks_there(recorded, to, wanted.slots)
    latest = _latest(to.imports)
    generations = (
        {slot: one.job.generation for slot, one in latest.items()}
        if wanted.family is Family.LABELS
        else {slot: one.generation for slot, one in recorded.items()}
    )
    cuts = _Cuts(generations)
    gaining = (
        {chunk.slot for chunk in wanted.chunks}
        if to.labelled is None
        else {Slot.holding(name, wanted.slots) for name in to.added | to.labelled}
    )
    sent: list[PlannedChunk] = []
    kept = 0
    for chunk in wanted.chunks:
        slot, last = chunk.slot, recorded.get(chunk.slot)
        cut = cuts.newest_beside(slot)
        if wanted.family is Family.LABELS:
            turn = _to_project(chunk, last, latest.get(slot), cut=cut)
        else:
            turn = _to_run(chunk, last, to.id, gains=slot in gaining, cut=cut)
        if turn is None:
            kept += chunk.count
        else:
            left = there.get(slot.number, b"")
            sent.append(_planned(wanted.family, chunk, turn, left, lineage))
    return UploadsChange(
        family=wanted.family,
        slots=wanted.slots,
        after=digest_lines(f"{one.slot}\t{one.digest}\n" for one in wanted.chunks),
        sent=tuple(sent),
        by=wanted.by,
        kept=kept,
        stale=_stale(wanted, there.values(), to),
        forgotten=_forgotten(recorded, to, {planned.chunk.slot for planned in sent}),
    )


def contents_sent(wanted: Uploads, change: UploadsChange) -> Mapping[str, ContentHash]:
    """Say what the labels that are sent say, by global key."""
    contents = wanted.contents or {}
    return {
        row: contents[row] for planned in change.sent for row in planned.chunk.names
    }


def left_behind(change: UploadsChange) -> str:
    """Say what was sent before, is no longer declared, and stays there."""
    sent = counted(change.stale, change.family.value.removesuffix("s"))
    in_project = change.family is Family.LABELS
    if change.stale == 1:
        where = "in the project" if in_project else "until its data row leaves the run"
        return f"{sent} sent before is no longer declared; it stays {where}"
    where = "in the project" if in_project else "until their data rows leave the run"
    return f"{sent} sent before are no longer declared; they stay {where}"


class _Turn(NamedTuple):
    """How often a slot was sent, with this time; and whether it may have begun.

    Attributes:
        generation: How often.
        may_exist: Whether an earlier apply may have started this very job.
        job: That job's name; None where the name follows from the rest.
    """

    generation: int
    may_exist: bool = False
    job: str | None = None


class _Cuts:
    """Generations of slots, to tell what was sent after what.

    When the number of slots changes, slots of the old and the new cut hold the same
    rows, and what was sent last is what is there. So a slot's generation is higher
    than those of all slots that it shares rows with.
    """

    def __init__(self, generations: Mapping[Slot, int]) -> None:
        self._cuts: dict[int, dict[int, int]] = {}
        for slot, generation in generations.items():
            self._cuts.setdefault(slot.of, {})[slot.number] = generation

    def newest_beside(self, slot: Slot) -> int:
        """Find the highest generation among the slots of other cuts; 0 for none."""
        return max(
            (
                cut.get(number, 0)
                for of, cut in self._cuts.items()
                if of != slot.of
                for number in _shared(slot, of)
            ),
            default=0,
        )


def _shared(slot: Slot, of: int) -> range:
    """Say which slots of another cut have rows of this one."""
    first = slot.number * of // slot.of
    last = ((slot.number + 1) * of - 1) // slot.of
    return range(first, last + 1)


def _to_run(
    chunk: Chunk,
    last: Uploaded | None,
    run: RemoteId | None,
    *,
    gains: bool,
    cut: int,
) -> _Turn | None:
    if last is None:
        return _Turn(cut + 1)
    again = _Turn(max(last.generation, cut) + 1)
    # Predictions go with their row: those of one that is added can't be there.
    if run is None or gains or last.digest != chunk.digest or cut > last.generation:
        return again
    if _pending(last) and last.job and last.parent in (None, run):
        return _Turn(last.generation, may_exist=True, job=last.job)
    if last.finished and last.parent == run:
        return None
    return again


def _to_project(
    chunk: Chunk, last: Uploaded | None, latest: "_Import | None", *, cut: int
) -> _Turn | None:
    listed = 0 if latest is None else latest.job.generation
    again = max(listed, cut) + 1
    remembered = last if last and last.digest == chunk.digest else None
    begun = remembered is not None and _pending(remembered)
    if (
        latest is None
        or cut > listed
        or not latest.job.holds(chunk.digest)
        or latest.state is JobState.FAILED
    ):
        # An import that isn't listed may have been asked for all the same.
        known = 0 if remembered is None else remembered.generation
        if remembered is not None and remembered.refused:
            return _Turn(max(again, known + 1))
        return _Turn(again, may_exist=begun and known == again)
    if latest.state is JobState.RUNNING:
        return _Turn(listed, may_exist=True)
    if remembered is None or remembered.finished or remembered.generation != listed:
        return None
    if remembered.refused:
        return _Turn(again)
    # It has ended, but whoever started it didn't live to see how.
    return _Turn(listed, may_exist=True)


def _pending(last: Uploaded) -> bool:
    return not last.finished and not last.refused


class _Import(NamedTuple):
    job: LabelJob
    state: JobState


def _latest(imports: Mapping[str, JobState]) -> Mapping[Slot, _Import]:
    """Find the import of each slot that was made last; names of others don't count."""
    found: dict[Slot, _Import] = {}
    for name, state in imports.items():
        job = parse_label_job(name)
        if job is None:
            continue
        known = found.get(job.slot)
        if known is None or known.job.generation < job.generation:
            found[job.slot] = _Import(job, state)
    return found


def _planned(
    family: Family, chunk: Chunk, turn: _Turn, left: bytes, lineage: str
) -> PlannedChunk:
    name = (
        label_job(chunk.slot, chunk.digest, turn.generation)
        if family is Family.LABELS
        else run_job(lineage, family, chunk.slot, chunk.digest, turn.generation)
    )
    return PlannedChunk(
        chunk=chunk,
        generation=turn.generation,
        job=turn.job or name,
        may_exist=turn.may_exist,
        left=left,
    )


def _marks_there(
    recorded: Mapping[Slot, Uploaded], to: Destination, slots: int
) -> Mapping[int, bytes]:
    """Deal the marks of what was sent to this very object into the slots of now."""
    if to.id is None:
        return {}
    sent = {slot: one for slot, one in recorded.items() if one.parent == to.id}
    newest = {slot.number: sent[slot].generation for slot in sent if slot.of == slots}
    found = {slot.number: sent[slot].marks for slot in sent if slot.of == slots}
    older: list[bytes] = []
    for slot, one in sent.items():
        # What is newer has the marks of what it was sent after in it already.
        lacking = {n for n in _shared(slot, slots) if newest.get(n, 0) < one.generation}
        if slot.of != slots and lacking:
            dealt = marks.dealt([one.marks], slots)
            older += (those for n, those in dealt.items() if n in lacking)
    if older:
        found = marks.dealt([*found.values(), *older], slots)
    added = _dealt(to.added, slots)
    return {
        number: left
        for number, those in found.items()
        if (left := marks.without_rows(those, added.get(number, ())))
    }


def _forgotten(
    recorded: Mapping[Slot, Uploaded], to: Destination, sent: Container[Slot]
) -> Mapping[Slot, Uploaded]:
    """Find the slots that aren't sent, and that rows come back to."""
    forgotten = {}
    for of in {slot.of for slot in recorded} if to.added else ():
        for number, rows in _dealt(to.added, of).items():
            slot = Slot(number, of)
            last = recorded.get(slot)
            if last is None or slot in sent or last.parent != to.id:
                continue
            left = marks.without_rows(last.marks, rows)
            if left != last.marks:
                forgotten[slot] = replace(last, marks=left)
    return forgotten


def _dealt(names: Iterable[str], of: int) -> Mapping[int, list[str]]:
    found: dict[int, list[str]] = {}
    for name in names:
        found.setdefault(Slot.holding(name, of).number, []).append(name)
    return found


def _stale(wanted: Uploads, there: Iterable[bytes], to: Destination) -> int:
    sent = b"".join(there)
    if not sent:
        return 0
    members = (
        None
        if to.members is None
        else (name for name, _ in to.members if name not in to.added)
    )
    return marks.stale(sent, (chunk.marks for chunk in wanted.chunks), members)

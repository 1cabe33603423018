"""Work in, events out."""

import threading
from collections.abc import Mapping

import pytest

from reconciler.apply.events import (
    Done,
    Event,
    Failed,
    Finished,
    Skipped,
    Started,
    Unknown,
    Waiting,
)
from reconciler.apply.executor import execute
from reconciler.plan.lower import Work
from reconciler.plan.steps import CreateModel, CreateRun, SetConfig, Step
from reconciler.ports import InDoubt, LinesRefused, RemoteError, Stale
from reconciler.state.address import Address, Kind, RemoteId, model_address, run_address
from reconciler.state.uploads import LineRefusal

ONTOLOGY = Address(Kind.ONTOLOGY, ("digits",))
MODEL = model_address("digits")
RUN = run_address("digits", "svm")
OTHER = run_address("letters", "svm")

CREATE_MODEL = CreateModel(MODEL, ONTOLOGY)
CREATE_RUN = CreateRun(RUN)
CREATE_OTHER = CreateRun(OTHER)
CONFIGURE = SetConfig(RUN, {"lr": 1})

CHAIN = (
    Work(MODEL, frozenset(), ((CREATE_MODEL,),)),
    Work(RUN, frozenset({MODEL}), ((CREATE_RUN,), (CONFIGURE,))),
    Work(OTHER, frozenset(), ((CREATE_OTHER,),)),
)


class Recorder:
    """A writer that notes what it is given, and fails where it is told to."""

    def __init__(self, *errors: tuple[Step, Exception]) -> None:
        self._errors = errors
        self.seen: list[tuple[Step, dict[Address, RemoteId]]] = []

    def perform(
        self, step: Step, *, ids: Mapping[Address, RemoteId]
    ) -> RemoteId | None:
        self.seen.append((step, dict(ids)))
        for failing, error in self._errors:
            if failing == step:
                raise error
        return (
            None if isinstance(step, SetConfig) else RemoteId(f"id of {step.address}")
        )


def ended(events: list[Event], step: Step) -> object:
    return next(e.outcome for e in events if isinstance(e, Finished) and e.step == step)


def test_every_step_starts_and_finishes_once() -> None:
    events = list(execute(CHAIN, Recorder(), ids={}))

    started = [event.step for event in events if isinstance(event, Started)]
    finished = [event.step for event in events if isinstance(event, Finished)]
    assert len(started) == len(finished) == 4
    assert started.index(CREATE_MODEL) < started.index(CREATE_RUN)
    assert started.index(CREATE_RUN) < started.index(CONFIGURE)


def test_a_step_does_not_start_before_its_intent_was_consumed() -> None:
    writer = Recorder()
    events = execute(CHAIN, writer, ids={}, parallelism=1)

    first = next(events)

    assert isinstance(first, Started)
    assert writer.seen == []


def test_ids_learnt_on_the_way_reach_the_steps_that_need_them() -> None:
    writer = Recorder()

    list(execute(CHAIN, writer, ids={ONTOLOGY: RemoteId("known")}))

    given = {type(step): ids for step, ids in writer.seen if step.address == RUN}
    assert given[CreateRun][MODEL] == "id of model/digits"
    assert given[CreateRun][ONTOLOGY] == "known"
    assert given[SetConfig][RUN] == "id of run/digits/svm"


def test_what_depends_on_a_failure_is_skipped_and_the_rest_goes_on() -> None:
    writer = Recorder((CREATE_MODEL, RemoteError("no", hint="try")))

    events = list(execute(CHAIN, writer, ids={}))

    assert ended(events, CREATE_MODEL) == Failed("no", hint="try")
    assert ended(events, CREATE_RUN) == Skipped(blocked_by=MODEL)
    assert ended(events, CONFIGURE) == Skipped(blocked_by=MODEL)
    assert ended(events, CREATE_OTHER) == Done(RemoteId("id of run/letters/svm"))


def test_later_phases_of_a_failed_object_are_skipped() -> None:
    events = list(execute(CHAIN, Recorder((CREATE_RUN, RemoteError("no"))), ids={}))

    assert ended(events, CONFIGURE) == Skipped(blocked_by=RUN)
    assert ended(events, CREATE_MODEL) == Done(RemoteId("id of model/digits"))


def test_doubt_and_staleness_are_told_apart_from_failure() -> None:
    doubt = list(execute(CHAIN, Recorder((CREATE_OTHER, InDoubt("perhaps"))), ids={}))
    stale = list(execute(CHAIN, Recorder((CREATE_OTHER, Stale("changed"))), ids={}))

    assert ended(doubt, CREATE_OTHER) == Unknown("perhaps")
    assert ended(stale, CREATE_OTHER) == Failed("changed", stale=True)


def test_lines_that_were_refused_come_with_the_failure() -> None:
    refusals = (LineRefusal("a", None, "no such feature"),)
    error = LinesRefused(refusals, of=3, operation="import")

    events = list(execute(CHAIN, Recorder((CREATE_OTHER, error)), ids={}))

    assert ended(events, CREATE_OTHER) == Failed(
        "import: 1 of 3 lines were refused", refusals=refusals
    )


def test_a_job_that_came_to_nothing_is_told_apart() -> None:
    class EndedError(RemoteError):
        job_failed = True

    events = list(execute(CHAIN, Recorder((CREATE_OTHER, EndedError("no"))), ids={}))

    assert ended(events, CREATE_OTHER) == Failed("no", job_failed=True)


def test_a_bug_is_raised_and_not_swallowed() -> None:
    with pytest.raises(ZeroDivisionError):
        list(execute(CHAIN, Recorder((CREATE_OTHER, ZeroDivisionError())), ids={}))


def test_a_stop_starts_nothing_new_and_skips_the_rest() -> None:
    writer = Recorder()

    events = list(
        execute(CHAIN, writer, ids={}, parallelism=1, stopped=lambda: bool(writer.seen))
    )

    assert len(writer.seen) == 1
    skipped = [
        event
        for event in events
        if isinstance(event, Finished) and event.outcome == Skipped(None)
    ]
    assert len(skipped) == 3


def test_steps_of_one_phase_overlap_and_phases_do_not() -> None:
    both = threading.Barrier(2, timeout=10)

    class Meeting(Recorder):
        def perform(
            self, step: Step, *, ids: Mapping[Address, RemoteId]
        ) -> RemoteId | None:
            if isinstance(step, SetConfig):
                both.wait()  # passes only when two are in flight
            return super().perform(step, ids=ids)

    phase = (SetConfig(RUN, {"lr": 1}), SetConfig(RUN, {"lr": 2}))
    work = (Work(RUN, frozenset(), ((CREATE_RUN,), phase)),)
    writer = Meeting()

    events = list(execute(work, writer, ids={}, parallelism=2))

    assert next(type(step) for step, _ in writer.seen) is CreateRun
    assert all(
        isinstance(event.outcome, Done)
        for event in events
        if isinstance(event, Finished)
    )


def test_no_more_than_the_allowed_number_is_in_flight() -> None:
    lock = threading.Lock()
    flying: list[int] = [0]
    most: list[int] = [0]

    class Counting(Recorder):
        def perform(
            self, step: Step, *, ids: Mapping[Address, RemoteId]
        ) -> RemoteId | None:
            with lock:
                flying[0] += 1
                most[0] = max(most[0], flying[0])
            done = super().perform(step, ids=ids)
            with lock:
                flying[0] -= 1
            return done

    runs = [run_address("m", f"r{n}") for n in range(50)]
    work = [Work(one, frozenset(), ((CreateRun(one),),)) for one in runs]

    list(execute(work, Counting(), ids={}, parallelism=3))

    assert 1 <= most[0] <= 3


def test_silence_is_broken_by_saying_what_is_in_flight() -> None:
    release = threading.Event()

    class Slow(Recorder):
        def perform(
            self, step: Step, *, ids: Mapping[Address, RemoteId]
        ) -> RemoteId | None:
            release.wait(timeout=10)
            return super().perform(step, ids=ids)

    work = (Work(OTHER, frozenset(), ((CREATE_OTHER,),)),)
    for event in execute(work, Slow(), ids={}, heartbeat=0.01):
        if isinstance(event, Waiting):
            assert event.steps == (CREATE_OTHER,)
            release.set()

    assert release.is_set()

"""Work in, events out: does what the plan says, and decides nothing.

Objects that don't need each other are worked on at the same time; once a step
of an object fails, its later steps and whatever needs the object are skipped,
and everything else goes on.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from types import MappingProxyType

from reconciler.apply.events import (
    Done,
    Event,
    Failed,
    Finished,
    Outcome,
    Skipped,
    Started,
    Unknown,
    Waiting,
)
from reconciler.plan.lower import Work
from reconciler.plan.steps import Step
from reconciler.ports import InDoubt, LinesRefused, RemoteError, Stale, Writer
from reconciler.state.address import Address, RemoteId

PARALLELISM = 16
"""Steps in flight, unless the caller says otherwise; most of them wait for tasks
of the remote, and the client keeps requests below a number of its own."""


def execute(
    work: Sequence[Work],
    writer: Writer,
    *,
    ids: Mapping[Address, RemoteId],
    parallelism: int = PARALLELISM,
    heartbeat: float | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> Generator[Event, None, None]:
    """Carry out *work*, and tell what happens.

    A step starts only after its `Started` was consumed, so that whoever listens
    can write the intent down first. Any other error than a `RemoteError` is a
    bug: what is in flight ends, and the error is raised.

    Args:
        work: What to do, in an order in which each finds what it needs.
        writer: Who does it.
        ids: Ids of the objects that exist.
        parallelism: How many steps may be in flight.
        heartbeat: Seconds of silence after which to say what is in flight.
        stopped: Whether to stop; what is in flight ends, the rest is skipped.
    """
    queue = _Queue(work)
    known = dict(ids)
    flying: dict[Future[RemoteId | None], tuple[_Progress, Step]] = {}
    with ThreadPoolExecutor(max_workers=parallelism) as pool:
        while True:
            while len(flying) < parallelism and not stopped():
                if (following := queue.take()) is None:
                    break
                progress, step = following
                yield Started(step)
                future = pool.submit(writer.perform, step, ids=MappingProxyType(known))
                flying[future] = progress, step
            if not flying:
                break
            finished, _ = wait(flying, heartbeat, return_when=FIRST_COMPLETED)
            if not finished:
                yield Waiting(tuple(step for _, step in flying.values()))
            for future in finished:
                progress, step = flying.pop(future)
                outcome = _outcome(future)
                if isinstance(outcome, Done) and outcome.id is not None:
                    known[step.address] = outcome.id
                queue.finish(progress, step, succeeded=isinstance(outcome, Done))
                yield Finished(step, outcome)
    yield from queue.leftovers()


@dataclass(slots=True)
class _Progress:
    work: Work
    phase: int = 0
    started: int = 0
    running: int = 0
    failed: bool = False

    def next_step(self) -> Step | None:
        """Say what could start now, if anything."""
        if self.failed or self.phase == len(self.work.phases):
            return None
        phase = self.work.phases[self.phase]
        return phase[self.started] if self.started < len(phase) else None

    def rest(self) -> Iterator[Step]:
        """List what was never started."""
        for number, phase in enumerate(self.work.phases[self.phase :]):
            yield from phase[self.started if number == 0 else 0 :]


class _Queue:
    """What can start, what waits for it, and what never will.

    Every step costs the same, however much work there is.
    """

    def __init__(self, work: Sequence[Work]) -> None:
        self._pending = {one.address: _Progress(one) for one in work if one.phases}
        self._unmet = {
            address: len(progress.work.needs & self._pending.keys())
            for address, progress in self._pending.items()
        }
        self._dependants: dict[Address, list[Address]] = {}
        for address, progress in self._pending.items():
            for needed in progress.work.needs & self._pending.keys():
                self._dependants.setdefault(needed, []).append(address)
        self._ready = deque(
            progress
            for address, progress in self._pending.items()
            if not self._unmet[address]
        )

    def take(self) -> tuple[_Progress, Step] | None:
        """Start the next step that can start."""
        while self._ready:
            progress = self._ready[0]
            if (step := progress.next_step()) is not None:
                progress.started += 1
                progress.running += 1
                return progress, step
            self._ready.popleft()
        return None

    def finish(self, progress: _Progress, step: Step, *, succeeded: bool) -> None:
        """Note how a step ended, and what can start now that it has."""
        progress.running -= 1
        progress.failed |= not succeeded
        phases = progress.work.phases
        if (
            progress.failed
            or progress.running
            or progress.started < len(phases[progress.phase])
        ):
            return
        progress.phase, progress.started = progress.phase + 1, 0
        if progress.phase < len(phases):
            # In front: what is begun is completed before more is begun.
            self._ready.appendleft(progress)
            return
        del self._pending[step.address]
        for address in self._dependants.pop(step.address, ()):
            self._unmet[address] -= 1
            if not self._unmet[address]:
                self._ready.append(self._pending[address])

    def leftovers(self) -> Iterator[Finished]:
        """Skip everything that was never started, naming what it lacked."""
        broken: set[Address] = set()
        for address, progress in self._pending.items():
            lacking = min(progress.work.needs & broken, default=None)
            cause = address if progress.failed else lacking
            if cause is not None:
                broken.add(address)  # so that what needs this one has a cause too
            for step in progress.rest():
                yield Finished(step, Skipped(blocked_by=cause))


def _outcome(future: Future[RemoteId | None]) -> Outcome:
    try:
        return Done(future.result())
    except InDoubt as error:
        return Unknown(reason=str(error))
    except RemoteError as error:
        return Failed(
            reason=str(error),
            hint=error.hint,
            stale=isinstance(error, Stale),
            refusals=error.refusals if isinstance(error, LinesRefused) else (),
            job_failed=error.job_failed,
        )

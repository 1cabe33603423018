"""An apply that is killed, anywhere, and run again."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.apply.events import Done, Finished
from reconciler.pipeline import applying, planning
from tests.support.twins import Tap, session_on, twin
from tests.support.workspaces import make_workspace


class KilledError(BaseException):
    """The process is gone: nothing after this is sent, caught or written."""


def kill_at(number: int, tap: Tap, *, answered: bool) -> None:
    """Let a client die at its n-th request, before it is sent or just after."""
    dead = threading.Event()

    def die(now: int) -> None:
        if now >= number or dead.is_set():
            dead.set()
            raise KilledError

    def refuse(_now: int) -> None:
        if dead.is_set():
            raise KilledError

    if answered:
        tap.before, tap.after = refuse, die
    else:
        tap.before = die


def apply(connect: Callable[[], Tap], workspace: Path, tap: Tap | None = None) -> int:
    """Plan and apply; returns how many requests it took."""
    used = tap or connect()
    with session_on(used, workspace) as session:
        plan = planning.make_plan(session)
        for event in applying.carry_out(session, plan, parallelism=1):
            if isinstance(event, Finished):
                assert isinstance(event.outcome, Done), event
    return len(used.requests)


def objects(connect: Callable[[], Tap], workspace: Path) -> list[int]:
    """Count what the remote has of each kind, with a plan that must be empty."""
    with session_on(connect(), workspace) as session:
        assert not planning.make_plan(session)
        desired = session.specification.desired
        current = session.reader.read(desired)
        runs = [
            session.reader.read_rows(current.resources[one.address].id, expected=0)
            for one in desired.runs()
        ]
        return [len(current.resources), *map(len, runs)]


@pytest.mark.parametrize("answered", [False, True], ids=["unsent", "unanswered"])
def test_killed_at_any_request_an_apply_can_simply_be_repeated(
    tmp_path: Path, answered: bool
) -> None:
    with twin(tmp_path / "whole") as connect:
        needed = apply(connect, make_workspace(tmp_path / "w"))
    assert 20 < needed <= 50

    for number in range(1, needed + 1):
        folder = tmp_path / str(number)
        workspace = make_workspace(folder / "w")
        with twin(folder) as connect:
            tap = connect()
            kill_at(number, tap, answered=answered)
            with pytest.raises(KilledError):
                apply(connect, workspace, tap)

            apply(connect, workspace)

            # Reading by name would name duplicates, so the counts suffice.
            assert objects(connect, workspace) == [5, 5, 2]

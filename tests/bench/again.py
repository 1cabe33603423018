"""A plan of runs that are as they should be, next to its own requests."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.bench.data import Limits, Remote, client_environment, workspace
from tests.bench.processes import KEY, TOOL, measure, medians, script


@dataclass(frozen=True, slots=True)
class Again:
    """What a plan that finds nothing to do needed.

    Attributes:
        seconds: Of the plan, from process start.
        floor: Seconds of a script that asks for the same, and only that.
        mebibytes: The plan's memory at its largest.
    """

    seconds: float
    floor: float
    mebibytes: float

    @property
    def ratio(self) -> float:
        """How many times the floor it took."""
        return self.seconds / self.floor


def plan_again(
    folder: Path,
    remote: Remote,
    names: Sequence[str],
    rows: int,
    *,
    repeats: int,
    own: bool = False,
) -> Again:
    """Measure a plan of runs that the remote has, all of so many rows.

    Args:
        folder: Where to write the manifests.
        remote: The server.
        names: The first runs of the model, by name.
        rows: How many rows each has.
        repeats: How often to measure.
        own: Whether every run has a list of its own.
    """
    root = workspace(folder, names, rows=rows, own=own)
    env = client_environment(remote.url)
    # The first time, what is there is adopted; from then on it is only read.
    measure([TOOL, "apply", "--auto-approve"], env=env, folder=root)
    plan = [TOOL, "plan", "--detailed-exitcode"]
    limits = Limits.usual()
    floor = script(
        "floor",
        remote.url,
        KEY,
        remote.model,
        len(names),
        rows,
        limits.export_above,
        limits.page,
    )
    (ours, memory), (least, _) = medians(
        repeats, partial(measure, plan, env=env, folder=root), partial(measure, floor)
    )
    return Again(ours, least, memory)

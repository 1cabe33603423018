"""A plan that finds nothing to do: more and more runs, then a large one."""

from itertools import pairwise

from tests.bench.again import Again, plan_again
from tests.bench.data import filled
from tests.bench.setting import Setting
from tests.bench.table import at_most, mebibytes, seconds

MEMORY = 512
"""MiB that a plan of the largest run may take."""


def plans(setting: Setting) -> None:
    """Compare with the same requests, their answers parsed and thrown away."""
    _many(setting)
    _large(setting)


def _many(setting: Setting) -> None:
    sizes, table = setting.sizes, setting.table
    folder = setting.folder / "plan"
    names = [f"run-{n:04}" for n in range(sizes.runs[-1])]
    with filled(folder / "server", sizes.rows) as remote:
        for name in names:
            remote.add_run(name, sizes.rows)
        table.head("plan: nothing to do", other="floor")
        found = []
        for count in sizes.runs:
            again = plan_again(
                folder / str(count),
                remote,
                names[:count],
                sizes.rows,
                repeats=sizes.repeats,
            )
            _tell(setting, f"{count:,} x {sizes.rows:,} rows", again)
            found.append((count, again.seconds))
        costs = [
            (later - sooner) / (more - fewer)
            for (fewer, sooner), (more, later) in pairwise(found)
        ]
        last, first = costs[-1], costs[0]
        table.line(
            "each further run, late and early",
            seconds(last),
            seconds(first),
            last / first,
            at_most(1.5),
        )
        count = sizes.runs[1]
        again = plan_again(
            folder / "own",
            remote,
            names[:count],
            sizes.rows,
            repeats=sizes.repeats,
            own=True,
        )
        _tell(setting, f"{count:,} x {sizes.rows:,} rows, a file each", again)


def _large(setting: Setting) -> None:
    rows = setting.sizes.large
    folder = setting.folder / "large"
    with filled(folder / "server", rows) as remote:
        remote.add_run("large", rows)
        again = plan_again(
            folder / "one", remote, ["large"], rows, repeats=setting.sizes.repeats
        )
    _tell(setting, f"1 x {rows:,} rows", again)
    setting.table.line(
        "its memory, and what it may be",
        mebibytes(again.mebibytes),
        mebibytes(MEMORY),
        again.mebibytes / MEMORY,
        at_most(1),
    )


def _tell(setting: Setting, name: str, again: Again) -> None:
    setting.table.line(
        name,
        seconds(again.seconds),
        seconds(again.floor),
        again.ratio,
        at_most(2),
        peak=again.mebibytes,
    )

"""Runs brought into being, by us and by a script with the official SDK."""

import json
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from tests.bench.data import (
    Remote,
    client_environment,
    config,
    filled,
    workspace,
    write_rows,
)
from tests.bench.processes import KEY, TOOL, Sample, measure, medians, script
from tests.bench.setting import Setting
from tests.bench.table import Goal, at_least, seconds


def applies(setting: Setting) -> None:
    """Compare processes from start to end, tasks being quick and slow."""
    setting.table.head("apply: runs of three splits, from nothing", other="SDK")
    for task_seconds, runs in setting.sizes.applied:
        _apply(setting, task_seconds, runs)
    setting.table.note("ratio: how many times faster; the apply also plans again")


def _apply(setting: Setting, task_seconds: float, runs: int) -> None:
    rows = setting.sizes.rows
    folder = setting.folder / f"apply-{task_seconds:g}"
    numbers = count()

    def fresh() -> list[str]:
        number = next(numbers)
        return [f"run-{number}-{n}" for n in range(runs)]

    with filled(folder / "server", rows, task_seconds=task_seconds) as remote:
        measured = [
            lambda: _by_us(folder, remote, fresh(), rows),
            lambda: _by_sdk(folder, remote, fresh(), rows),
        ]
        if not task_seconds:
            measured.append(lambda: _by_sdk(folder, remote, fresh(), rows, "check"))
        (ours, memory), (others, _), *checked = medians(
            setting.sizes.repeats, *measured
        )
    for checking, _ in checked:
        setting.table.line(
            f"{runs} x {rows:,} rows, the script makes sure too",
            seconds(ours),
            seconds(checking),
            checking / ours,
            at_least(1),
            peak=memory,
        )
    setting.table.line(
        f"{runs} x {rows:,} rows, tasks take {task_seconds:g} s",
        seconds(ours),
        seconds(others),
        others / ours,
        _goal(task_seconds, runs),
        peak=memory,
    )


def _goal(task_seconds: float, runs: int) -> Goal | None:
    if not task_seconds:
        return at_least(1)
    # The script waits for one task after the other: fewer runs, less to gain.
    return at_least(20) if runs >= 10 else None


def _by_us(folder: Path, remote: Remote, names: Sequence[str], rows: int) -> Sample:
    root = workspace(folder / names[0], names, rows=rows)
    return measure(
        [TOOL, "apply", "--auto-approve"],
        env=client_environment(remote.url),
        folder=root,
    )


def _by_sdk(
    folder: Path, remote: Remote, names: Sequence[str], rows: int, *options: str
) -> Sample:
    listed, runs = folder / "rows.csv", folder / "runs.json"
    write_rows(listed, rows)
    runs.write_text(json.dumps({name: config(name) for name in names}))
    return measure(script("sdk", remote.url, KEY, remote.model, runs, listed, *options))

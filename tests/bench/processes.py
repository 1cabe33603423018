"""Commands to seconds and memory, each as a process of its own."""

import os
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
SCRIPTS: Final = Path(__file__).resolve().parent / "scripts"
TOOL: Final = str(Path(sysconfig.get_path("scripts")) / "reconciler")
KEY: Final = "bench-key"
ENOUGH: Final = 20.0
"""Seconds after which a measurement isn't repeated any more."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What a process needed.

    Attributes:
        seconds: From its start to its end.
        mebibytes: Its memory at its largest.
        output: What it printed.
    """

    seconds: float
    mebibytes: float
    output: str


def environment(**more: str) -> dict[str, str]:
    """Keep what a process needs to run, and nothing that speaks of a remote."""
    kept = {
        name: value
        for name, value in os.environ.items()  # noqa: TID251  # passed on to children
        if not name.startswith(("LABELBOX_", "RECONCILER_"))
    }
    return {**kept, "NO_COLOR": "1", "CI": "true", **more}


def measure(
    command: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    folder: Path = ROOT,
    expect: int = 0,
) -> Sample:
    """Run a command to its end, and stop everything if it ends unexpectedly.

    The memory of a process counts from the fork on, so whoever calls this should
    be smaller than what is measured.
    """
    with tempfile.TemporaryFile() as said:
        began = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment() if env is None else env,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        try:
            _, status, usage = os.wait4(process.pid, 0)
            took = time.perf_counter() - began
            process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            if process.returncode is None:
                process.kill()
                process.wait()
        said.seek(0)
        output = said.read().decode()
    if process.returncode != expect:
        sys.exit(f"{' '.join(command)}: exit code {process.returncode}\n{output}")
    return Sample(took, usage.ru_maxrss / 1024, output)


def script(name: str, *arguments: object) -> list[str]:
    """Name one of our scripts as a command."""
    return [sys.executable, str(SCRIPTS / f"{name}.py"), *map(str, arguments)]


def medians(
    repeats: int, *measured: Callable[[], Sample]
) -> tuple[tuple[float, float], ...]:
    """Measure in turn, so that a busy moment hits all of them.

    What takes long is repeated less often, for it varies less.

    Returns:
        Seconds and mebibytes of each: medians.
    """
    rounds: list[list[Sample]] = []
    began = time.monotonic()
    while len(rounds) < repeats and time.monotonic() - began < ENOUGH:
        rounds.append([one() for one in measured])
    return tuple(
        (
            statistics.median(sample.seconds for sample in samples),
            statistics.median(sample.mebibytes for sample in samples),
        )
        for samples in zip(*rounds, strict=True)
    )


@contextmanager
def served(home: Path, *, task_seconds: float = 0.0) -> Iterator[str]:
    """Have a server in a process of its own; gives its URL."""
    with subprocess.Popen(
        [TOOL, "serve", "--port", "0", "--task-seconds", str(task_seconds)],
        cwd=home.parent,
        env=environment(RECONCILER_HOME=str(home), RECONCILER_SERVER_API_KEYS=KEY),
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        try:
            assert server.stdout is not None
            said = server.stdout.readline().split()
            if not said:
                sys.exit("the server did not start")
            yield said[-1]
        finally:
            server.terminate()

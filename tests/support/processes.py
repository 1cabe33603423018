"""Commands in processes of their own, as users and CI run them."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def environment(**given: str) -> dict[str, str]:
    """Make an environment without anything that the tool would listen to."""
    kept = {
        name: value
        for name, value in os.environ.items()  # noqa: TID251  # passed on
        if not name.startswith(("LABELBOX_", "RECONCILER_", "CI"))
    }
    return {**kept, **given}


@contextmanager
def serving(
    folder: Path, *arguments: str, **given: str
) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Have `reconciler serve` run in a folder; gives its URL and the process."""
    with subprocess.Popen(
        [sys.executable, "-m", "reconciler", "serve", "--port", "0", *arguments],
        cwd=folder,
        env=environment(**given),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip(), process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)


def reconciler(
    folder: Path, *arguments: str, **given: str
) -> "subprocess.CompletedProcess[str]":
    """Run a command in a folder to its end."""
    return subprocess.run(
        [sys.executable, "-m", "reconciler", *arguments],
        cwd=folder,
        env=environment(**given),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

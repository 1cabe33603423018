"""Signals, kills, and a remote that goes away, with real processes."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.processes import environment, reconciler, serving
from tests.support.workspaces import make_workspace


@pytest.fixture
def slow_server(tmp_path: Path) -> Iterator[dict[str, str]]:
    """Serve with tasks that take a while; gives the environment for a client."""
    with serving(tmp_path, "--task-seconds", "1.5", RECONCILER_SERVER_API_KEYS="k") as (
        line,
        _,
    ):
        yield {"LABELBOX_API_KEY": "k", "LABELBOX_ENDPOINT": line.split()[-1]}


def start_apply(workspace: Path, client: dict[str, str]) -> subprocess.Popen[str]:
    """Start an apply, and wait until it has begun to change things."""
    process = subprocess.Popen(
        [sys.executable, "-m", "reconciler", "apply", "--auto-approve"],
        cwd=workspace,
        env=environment(**client),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert "[1/12]" in process.stderr.readline()
    return process


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_a_signal_ends_an_apply_between_steps_and_says_so(
    tmp_path: Path, slow_server: dict[str, str], number: signal.Signals, code: int
) -> None:
    workspace = make_workspace(tmp_path / "w", remote="labelbox")
    with start_apply(workspace, slow_server) as process:
        process.send_signal(number)
        out, err = process.communicate(timeout=60)

    assert process.returncode == code, err
    assert "Stopping: what is in flight ends first." in err
    assert "skipped: the apply was stopped" in out
    assert "Run apply again: what was done is not done twice." in out
    assert "Traceback" not in err


def test_an_apply_that_was_killed_is_completed_by_the_next_one(
    tmp_path: Path, slow_server: dict[str, str]
) -> None:
    workspace = make_workspace(tmp_path / "w", remote="labelbox")
    with start_apply(workspace, slow_server) as process:
        process.kill()
        process.communicate(timeout=60)

    again = reconciler(workspace, "apply", "--auto-approve", **slow_server)
    after = reconciler(workspace, "plan", "--detailed-exitcode", **slow_server)

    assert again.returncode == 0, again.stderr
    assert after.returncode == 0
    assert "Nothing to do: 5 objects unchanged." in after.stdout


def test_a_reader_that_has_seen_enough_is_no_crash(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")

    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m reconciler schema | head -1"],
        cwd=workspace,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "{\n"
    assert done.stderr == ""


def test_an_apply_goes_on_when_nobody_reads_its_log(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")

    done = subprocess.run(
        [
            "sh",
            "-c",
            f"{sys.executable} -m reconciler apply --auto-approve 2>/dev/full",
        ],
        cwd=workspace,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0
    assert "Done: 12 of 12 steps." in done.stdout


def test_a_result_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")

    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m reconciler validate >/dev/full"],
        cwd=workspace,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr == (
        "Error: the result can't be written: No space left on device\n"
    )


def test_a_large_membership_leaves_nothing_behind_on_stderr(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    rows = "".join(f"k{number},TEST\n" for number in range(35_000))
    (workspace / "specs" / "notes.csv").write_text(f"key,split\n{rows}")
    (workspace / "specs" / "model.yaml").write_text(
        "apiVersion: reconciler/v1\nkind: Model\nname: animals\nontology: animals\n"
        "---\napiVersion: reconciler/v1\nkind: Ontology\nname: animals\n"
    )

    valid = reconciler(workspace, "validate")

    assert valid.returncode == 0
    assert valid.stderr == ""

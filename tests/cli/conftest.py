"""A command line in this process, in a workspace of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from reconciler.cli.main import run
from tests.support.workspaces import make_workspace


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str


Command = Callable[..., Ran]


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a small workspace, with nothing in the environment."""
    for name in ("LABELBOX_API_KEY", "LABELBOX_ENDPOINT", "RECONCILER_HOME", "CI"):
        monkeypatch.delenv(name, raising=False)
    root = make_workspace(tmp_path / "w")
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def reconciler(workspace: Path, capfd: pytest.CaptureFixture[str]) -> Command:
    """Run commands in the workspace, and tell how they ended."""

    def command(*arguments: str) -> Ran:
        capfd.readouterr()
        code = run(list(arguments))
        out, err = capfd.readouterr()
        return Ran(int(code), out, err)

    return command

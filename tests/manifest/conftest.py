from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.manifest.load import find_workspace, load
from reconciler.state.snapshot import Desired

WORKSPACE = "apiVersion: reconciler/v1\nkind: Workspace\nname: example\n"


@pytest.fixture
def write(tmp_path: Path) -> Callable[[dict[str, str]], Path]:
    """Write the files of a new workspace, and say where it is."""

    def write_files(files: dict[str, str]) -> Path:
        for name, text in {"reconciler.yaml": WORKSPACE, **files}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path

    return write_files


@pytest.fixture
def load_files(
    write: Callable[[dict[str, str]], Path],
) -> Callable[[dict[str, str]], Desired]:
    """Write the files of a new workspace, and load it."""
    return lambda files: load(find_workspace(write(files)))

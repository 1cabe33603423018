"""The README's tour, taken word for word."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.cli.main import run
from reconciler.settings import VARIABLES

README = Path(__file__).resolve().parent.parent / "README.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)


def blocks() -> list[tuple[str, str]]:
    return BLOCK.findall(README.read_text())


def fits(expected: str, printed: str) -> bool:
    """Compare output in which `...` stands for anything."""
    pattern = re.escape(expected).replace(re.escape("..."), ".*")
    return re.fullmatch(pattern, printed, re.DOTALL) is not None


def test_the_tour_says_what_happens(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "specs").mkdir()
    taken = 0

    for language, text in blocks():
        if language in ("yaml", "csv"):
            name, content = text.split("\n", 1)
            kept = text if language == "yaml" else content  # CSV has no comments
            (tmp_path / name.removeprefix("# ")).write_text(kept)
        elif language == "console":
            for command, expected in COMMAND.findall(text):
                taken += 1
                printed = carry_out(command, capfd)
                assert fits(expected, printed), f"{command} printed:\n{printed}"

    assert taken == 7


def carry_out(command: str, capfd: pytest.CaptureFixture[str]) -> str:
    """Run a command of the tour, and tell what it printed for the reader."""
    capfd.readouterr()
    if not command.startswith("reconciler "):
        subprocess.run(["sh", "-c", command], check=True)
        return ""
    code = run(command.split()[1:])
    out, err = capfd.readouterr()
    return str(out) if code == 0 else str(err)


def test_every_variable_of_the_environment_is_in_the_readme() -> None:
    text = README.read_text()

    assert [name for name in VARIABLES if f"`{name}`" not in text] == []


def test_every_exit_code_is_in_the_readme() -> None:
    from reconciler.cli.exits import Exit

    text = README.read_text()
    table = text[text.index("| exit | means |") :]

    assert [code for code in Exit if not re.search(rf"\b{code.value}\b", table)] == []


def test_the_module_is_the_command_too() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "reconciler", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.startswith("reconciler, version ")

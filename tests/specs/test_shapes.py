"""The shapes in specs/ are what their script draws, and say every kind there is."""

import json
import runpy
from pathlib import Path
from typing import Any

import pytest

SHAPES = Path(__file__).parents[2] / "specs" / "shapes"


@pytest.fixture(scope="module")
def drawn() -> dict[str, bytes]:
    files: dict[str, bytes] = runpy.run_path(str(SHAPES / "draw.py"))["files"]()
    return files


def test_the_files_are_byte_for_byte_what_the_script_draws(
    drawn: dict[str, bytes],
) -> None:
    assert {name: (SHAPES / name).read_bytes() for name in drawn} == drawn


def test_the_script_tells_a_file_that_differs(
    tmp_path: Path, drawn: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    compare = runpy.run_path(str(SHAPES / "draw.py"))["_compare"]

    assert compare(drawn) == 0
    assert compare({**drawn, "notes.csv": b"other"}) == 1
    assert capsys.readouterr().err == "notes.csv is not what is drawn\n"


@pytest.mark.parametrize("what", ["truth", "predictions"])
def test_every_kind_of_picture_and_text_is_there(
    what: str, drawn: dict[str, bytes]
) -> None:
    kinds = set()
    for name in ("scenes", "notes"):
        for line in drawn[f"{name}-{what}.ndjson"].splitlines():
            row: dict[str, Any] = json.loads(line)
            kinds |= row.keys() - {"dataRow", "name", "confidence", "customMetrics"}

    assert kinds == {
        "answer",
        "bbox",
        "classifications",
        "line",
        "location",
        "mask",
        "point",
        "polygon",
    }

"""Lines of the ledger that nobody can have written."""

from pathlib import Path

import pytest

from reconciler.diagnostics import InputError
from reconciler.ledger.lines import entries
from reconciler.state.canonical import JsonObject


def slot_of(line: JsonObject) -> int:
    slot = line["slot"]
    assert isinstance(slot, int | float)
    return int(slot)


@pytest.mark.parametrize(
    "line", [f'{{"slot": {"[" * 100_000}', '{"slot": Infinity}', '{"slot": NaN}']
)
def test_what_python_stumbles_over_is_a_damaged_line(tmp_path: Path, line: str) -> None:
    file = tmp_path / "lines.jsonl"
    file.write_text(f'{{"slot": 1.0}}\n{line}\n')

    with pytest.raises(InputError) as caught:
        list(entries(file, slot_of))

    (found,) = caught.value.diagnostics
    assert found.code == "inventory-damaged"
    assert found.span is not None
    assert found.span.line == 2

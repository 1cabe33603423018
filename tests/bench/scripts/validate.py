"""A file of predictions, validated and cut into jobs; and parsed only.

validate.py COUNT with|without
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from reconciler.annotations.features import Features
from reconciler.annotations.rules import Rules
from reconciler.annotations.uploads import prepare
from reconciler.diagnostics import Span
from reconciler.state.resources import LineFile, RowIdentity
from reconciler.state.uploads import Family

_PER_ROW = 10
_PER_JOB = 1000
_BREED = {
    "type": "radio",
    "name": "breed",
    "instructions": "breed",
    "options": [{"value": "tabby", "label": "tabby"}],
}
_ONTOLOGY = {
    "tools": [{"tool": "rectangle", "name": "cat", "classifications": [_BREED]}],
    "classifications": [],
}


def main(count: int, *, named: bool) -> None:
    """Measure, and print seconds by what was done."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "predictions.ndjson"
        with file.open("w") as lines:
            lines.writelines(_line(n, named=named) for n in range(count))
        parsed = _timed(lambda: _parse(file))
        prepared = _timed(lambda: _prepare(file, count))
    print(json.dumps({"prepare": prepared, "parse": parsed}))


def _line(n: int, *, named: bool) -> str:
    uuid = {"uuid": f"00000000-0000-4000-8000-{n:012}"} if named else {}
    answer = {
        "name": "tabby",
        "confidence": 0.25,
        "customMetrics": [{"name": "certainty", "value": 0.125}],
    }
    line = {
        **uuid,
        "dataRow": {"globalKey": f"row-{n // _PER_ROW:07}"},
        "name": "cat",
        "confidence": 0.5,
        "customMetrics": [{"name": "iou", "value": 0.5}],
        "bbox": {"top": n % _PER_ROW, "left": 2.5, "height": 30.5, "width": 40.5},
        "classifications": [{"name": "breed", "answer": answer}],
    }
    return f"{json.dumps(line)}\n"


def _parse(file: Path) -> None:
    with file.open("rb") as lines:
        for line in lines:
            json.loads(line)


def _prepare(file: Path, count: int) -> None:
    source = LineFile(str(file), file.name, Span("run.yaml"))
    [uploads] = prepare(
        owner=("run", "model", "run"),
        sources={Family.PREDICTIONS: [source]},
        features=Features.of(_ONTOLOGY),
        media_type="IMAGE",
        rules=Rules(),
        by=RowIdentity.GLOBAL_KEY,
        members=None,
        per_job=_PER_JOB,
    )
    assert uploads.count == count


def _timed(do: Callable[[], None]) -> float:
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


if __name__ == "__main__":
    main(int(sys.argv[1]), named=sys.argv[2] == "with")

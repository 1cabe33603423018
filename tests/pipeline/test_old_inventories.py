"""An inventory that was put back to what it was a while ago."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.apply.events import Done, Finished
from reconciler.pipeline import applying, planning
from reconciler.server.settings import STRICT
from reconciler.state.address import run_address
from reconciler.state.contents import ExportParams
from tests.support.twins import Tap, session_on, twin
from tests.support.workspaces import make_workspace

PREDICTED = """\
---
apiVersion: reconciler/v1
kind: ModelRun
model: animals
name: predicted
rows: notes
predictions: [{file: predictions.ndjson}]
"""
RUN = run_address("animals", "predicted")


@pytest.fixture
def connect(tmp_path: Path) -> Iterator[Callable[[], Tap]]:
    with twin(tmp_path, STRICT) as connected:
        yield connected


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    root = make_workspace(tmp_path / "w")
    with (root / "specs" / "runs.yaml").open("a") as runs:
        runs.write(PREDICTED)
    return root


def apply(connect: Callable[[], Tap], workspace: Path, answer: str) -> None:
    """Predict an answer, and leave nothing to do."""
    line = {
        "dataRow": {"globalKey": "n1"},
        "name": "animal",
        "answer": {"name": answer},
    }
    (workspace / "specs" / "predictions.ndjson").write_text(json.dumps(line) + "\n")
    with session_on(connect(), workspace) as session:
        plan = planning.make_plan(session)
        for event in applying.carry_out(session, plan):
            if isinstance(event, Finished):
                assert isinstance(event.outcome, Done), event
        assert not planning.make_plan(session)


def predicted(connect: Callable[[], Tap], workspace: Path) -> str:
    """Read what the run has."""
    with session_on(connect(), workspace, read_only=True) as session:
        found = session.reader.read(session.specification.desired).id_of(RUN)
        assert found is not None
        exported = session.reader.run_contents(found, ExportParams(predictions=True))
        return "".join(row.line.decode() for rows in exported for row in rows)


def test_an_old_inventory_takes_no_old_import_for_the_new_one(
    connect: Callable[[], Tap], workspace: Path, tmp_path: Path
) -> None:
    home, kept = workspace / ".reconciler", tmp_path / "kept"
    apply(connect, workspace, "cat")
    shutil.copytree(home, kept)
    apply(connect, workspace, "dog")
    apply(connect, workspace, "cat")
    shutil.rmtree(home)
    shutil.copytree(kept, home)

    apply(connect, workspace, "dog")

    there = predicted(connect, workspace)
    assert '"name":"dog"' in there.replace(": ", ":")
    assert '"name":"cat"' not in there.replace(": ", ":")

"""The first lock of an experiment: what it is made of may not be there yet."""

import shutil
from pathlib import Path

import pytest

from reconciler.diagnostics import InputError
from reconciler.pipeline import planning, sessions, workspaces
from reconciler.pipeline.locking import Fate, Mode, due, lock, specify_to_lock
from tests.pipeline.test_pipeline import apply
from tests.support.twins import session_on, twin

SHAPES = Path(__file__).parents[2] / "specs" / "shapes"

WORKSPACE = """\
apiVersion: reconciler/v1
kind: Workspace
name: first
"""

SELECTED = """\
apiVersion: reconciler/v1
kind: DataRows
name: scenes
select: {dataset: scenes}
splits: {hash: {weights: {TRAINING: 50, TEST: 50}}}
---
apiVersion: reconciler/v1
kind: ModelRun
model: scenes
name: selected
rows: scenes
"""


@pytest.fixture
def shapes(tmp_path: Path) -> Path:
    """Have the manifests of the shapes, without their locks."""
    root = tmp_path / "w"
    shutil.copytree(SHAPES, root / "specs", ignore=shutil.ignore_patterns("locks"))
    (root / "reconciler.yaml").write_text(WORKSPACE)
    return root


def make_locks(session: sessions.Session, root: Path, mode: Mode) -> set[Fate]:
    specification, locks = specify_to_lock(root)
    asked = due(locks, only=(), mode=mode)
    return {one.fate for one in lock(session, specification.desired, asked, mode=mode)}


def test_labels_that_are_declared_are_locked_before_they_are_applied(
    shapes: Path, tmp_path: Path
) -> None:
    with twin(tmp_path) as connect:
        with session_on(
            connect(), shapes, specification=specify_to_lock(shapes)[0]
        ) as session:
            assert make_locks(session, shapes, Mode.MISSING) == {Fate.MADE}
        with session_on(connect(), shapes) as session:
            apply(session)
            assert not planning.make_plan(session)
            assert make_locks(session, shapes, Mode.CHECK) == {Fate.KEPT}


def test_labels_of_a_project_that_nobody_makes_cannot_be_locked(
    shapes: Path, tmp_path: Path
) -> None:
    notes = shapes / "specs" / "notes.yaml"
    truth = "ontology: notes\ndataset: notes\nlabels:\n  - {file: notes-truth.ndjson}\n"
    assert truth in notes.read_text()
    notes.write_text(notes.read_text().replace(truth, ""))
    with (
        twin(tmp_path) as connect,
        session_on(
            connect(), shapes, specification=specify_to_lock(shapes)[0]
        ) as session,
        pytest.raises(InputError, match="project called 'notes'"),
    ):
        make_locks(session, shapes, Mode.MISSING)
    assert not list(shapes.glob("specs/**/*.lock"))


def test_what_a_lock_is_made_of_can_be_applied_before(
    shapes: Path, tmp_path: Path
) -> None:
    scenes = shapes / "specs" / "scenes.yaml"
    dataset, run = scenes.read_text().split("kind: ModelRun")
    scenes.write_text(dataset.removesuffix("---\napiVersion: reconciler/v1\n"))
    (shapes / "specs" / "runs.yaml").write_text(SELECTED)
    (shapes / "specs" / "notes.yaml").unlink()

    assert "by-hand" in run
    with pytest.raises(InputError, match="lock-missing"):
        workspaces.specify(shapes)
    with pytest.raises(InputError, match="lock-missing"):
        workspaces.specify(shapes / "specs" / "runs.yaml")
    narrowed = workspaces.specify(scenes)
    with twin(tmp_path) as connect:
        with session_on(connect(), shapes, specification=narrowed) as session:
            apply(session)
            assert make_locks(session, shapes, Mode.MISSING) == {Fate.MADE}
        with session_on(connect(), shapes) as session:
            apply(session)
            assert not planning.make_plan(session)

"""One commit, one remote state and one inventory give one plan, on any machine."""

import shutil
from pathlib import Path

from reconciler.pipeline import planning
from tests.pipeline.test_pipeline import apply
from tests.support.processes import reconciler
from tests.support.twins import session_on, twin

SPECS = Path(__file__).parents[2] / "specs"

WORKSPACE = """\
apiVersion: reconciler/v1
kind: Workspace
name: everything
"""

CHANGED = """\
apiVersion: reconciler/v1
kind: ModelRun
model: scenes
name: another
rows: {globalKeys: [scene-farm], splits: {lists: {TEST: [scene-farm]}}}
labels: {project: scenes, lock: locks/labels/scenes/by-hand.lock}
metrics: [{globalKey: scene-farm, name: m, value: 1}]
"""


def checkout(root: Path) -> Path:
    """Have the manifests of specs/shapes in a folder."""
    shutil.copytree(SPECS / "shapes", root / "specs")
    (root / "reconciler.yaml").write_text(WORKSPACE)
    return root


def test_two_checkouts_of_a_commit_make_the_same_plan(tmp_path: Path) -> None:
    first, second = checkout(tmp_path / "a"), checkout(tmp_path / "deeper" / "b")
    with twin(tmp_path) as connect:
        with session_on(connect(), first) as session:
            nothing_there = planning.make_plan(session).digest
        with session_on(connect(), second) as session:
            assert planning.make_plan(session).digest == nothing_there
            apply(session)
        shutil.copytree(second / ".reconciler", first / ".reconciler")
        for root in (first, second):
            (root / "specs" / "more.yaml").write_text(CHANGED)
        digests = set()
        for root in (first, second):
            with session_on(connect(), root) as session:
                plan = planning.make_plan(session)
                assert [str(one.address) for one in plan.changes if one.effective] == [
                    "run/scenes/another"
                ]
                digests.add(plan.digest)
    assert len(digests) == 1


def test_the_order_of_hashes_has_no_say(tmp_path: Path) -> None:
    root = checkout(tmp_path / "w")

    plans = [
        reconciler(root, "plan", "--output", "json", PYTHONHASHSEED=seed).stdout
        for seed in ("0", "1", "2")
    ]

    assert '"digest"' in plans[0]
    assert len(set(plans)) == 1

"""What a plan asks of manifests and remote, beyond comparing them."""

from pathlib import Path

import pytest

from reconciler.diagnostics import InputError
from reconciler.pipeline import planning, workspaces
from reconciler.pipeline.locking import Mode, specify_to_lock
from reconciler.pipeline.verifying import verify_run
from reconciler.state.address import run_address
from tests.pipeline.test_first_locks import make_locks
from tests.pipeline.test_pipeline import apply
from tests.support.twins import session_on, twin
from tests.support.workspaces import make_workspace

HEAD = "apiVersion: reconciler/v1\n"
REFERENCE = f"{HEAD}kind: Ontology\nname: animals\n"
MODEL = f"{HEAD}kind: Model\nname: animals\nontology: animals\n"
RUN = f"{HEAD}kind: ModelRun\nmodel: animals\nname: third\n"
PROJECT = (
    f"{HEAD}kind: Project\nname: truth\nontology: animals\n"
    "labels: [{file: truth.ndjson}]\n"
)


def answer(name: str, key: str = "n1") -> str:
    return (
        f'{{"dataRow": {{"globalKey": "{key}"}}, "name": "animal", '
        f'"answer": {{"name": "{name}"}}}}\n'
    )


def test_a_run_alone_brings_the_project_that_its_labels_are_from(
    tmp_path: Path,
) -> None:
    root = make_workspace(tmp_path / "w")
    specs = root / "specs"
    (specs / "project.yaml").write_text(PROJECT)
    (specs / "truth.ndjson").write_text(answer("cat"))
    (specs / "third.yaml").write_text(
        f"{RUN}rows: {{globalKeys: [n1]}}\nlabels: {{project: truth, lock: t.lock}}\n"
    )
    with twin(tmp_path) as connect:
        specification = specify_to_lock(root)[0]
        with session_on(connect(), root, specification=specification) as session:
            make_locks(session, root, Mode.MISSING)
        narrowed = workspaces.specify(specs / "third.yaml")
        with session_on(connect(), root, specification=narrowed) as session:
            apply(session)
            plan = planning.make_plan(session)
    assert plan.settled
    assert "project/truth" in {str(address) for address in plan.ids}
    assert "run/animals/first" not in {str(address) for address in plan.ids}


def test_predictions_are_checked_by_the_ontology_that_is_there(tmp_path: Path) -> None:
    theirs = make_workspace(tmp_path / "theirs")
    ours = make_workspace(tmp_path / "ours")
    for file in ("model.yaml", "runs.yaml"):
        (ours / "specs" / file).unlink()
    (ours / "specs" / "run.yaml").write_text(
        f"{REFERENCE}---\n{MODEL}---\n{RUN}predictions: [{{file: p.ndjson}}]\n"
    )
    lines = ours / "specs" / "p.ndjson"
    with twin(tmp_path) as connect:
        with session_on(connect(), theirs) as session:
            apply(session)
        lines.write_text(answer("cow"))
        with (
            session_on(connect(), ours) as session,
            pytest.raises(InputError, match="cow"),
        ):
            planning.make_plan(session)
        # Only videos and sounds have frames, and the manifest doesn't say what it is.
        on_frames = ', "frames": [{"start": 1, "end": 2}]}\n'
        lines.write_text(answer("cat").replace("}\n", on_frames))
        with (
            session_on(connect(), ours) as session,
            pytest.raises(InputError, match="TEXT"),
        ):
            planning.make_plan(session)
        lines.write_text(answer("cat"))
        with session_on(connect(), ours) as session:
            assert planning.make_plan(session)


def test_warnings_of_the_manifests_are_notices_of_the_plan(tmp_path: Path) -> None:
    root = make_workspace(tmp_path / "w")
    workspace = root / "reconciler.yaml"
    workspace.write_text(
        f"{workspace.read_text()}checks: {{contentAcrossSplits: warning}}\n"
    )
    notes = root / "specs" / "notes.csv"
    notes.write_text(notes.read_text().replace("a dog barked", "the cat sat"))
    with twin(tmp_path) as connect, session_on(connect(), root) as session:
        found = {one.code: one.message for one in planning.make_plan(session).notices}

    assert found["content-across-splits"].startswith("specs/runs.yaml:")


def test_label_ids_that_nobody_can_look_up_are_told(tmp_path: Path) -> None:
    root = make_workspace(tmp_path / "w")
    (root / "specs" / "third.yaml").write_text(
        f"{RUN}labels: {{labelIds: [nowhere]}}\n"
    )
    with twin(tmp_path) as connect, session_on(connect(), root) as session:
        plan = planning.make_plan(session)

    assert "label-ids-unchecked" in {one.code for one in plan.notices}


def test_labels_of_a_complete_run_take_a_yes_though_its_status_is_not_declared(
    tmp_path: Path,
) -> None:
    root = make_workspace(tmp_path / "w")
    third = root / "specs" / "third.yaml"
    rows = "rows: {globalKeys: [n1]}\n"
    (root / "specs" / "project.yaml").write_text(PROJECT)
    (root / "specs" / "truth.ndjson").write_text(answer("cat"))
    third.write_text(f"{RUN}{rows}status: COMPLETE\n")
    with twin(tmp_path) as connect:
        with session_on(connect(), root) as session:
            apply(session)
        third.write_text(f"{RUN}{rows}labels: {{project: truth, lock: t.lock}}\n")
        specification = specify_to_lock(root)[0]
        with session_on(connect(), root, specification=specification) as session:
            make_locks(session, root, Mode.MISSING)
        with session_on(connect(), root) as session:
            plan = planning.make_plan(session)

    assert [(one.code, str(one.address)) for one in plan.blocked] == [
        ("run-complete", "run/animals/third")
    ]


def test_a_lock_that_pins_more_rows_than_a_run_has_is_no_difference(
    tmp_path: Path,
) -> None:
    root = make_workspace(tmp_path / "w")
    specs = root / "specs"
    (specs / "project.yaml").write_text(PROJECT)
    (specs / "truth.ndjson").write_text(answer("cat") + answer("dog", "n2"))
    (specs / "third.yaml").write_text(
        f"{RUN}rows: {{globalKeys: [n1]}}\nlabels: {{project: truth, lock: t.lock}}\n"
    )
    with twin(tmp_path) as connect:
        specification = specify_to_lock(root)[0]
        with session_on(connect(), root, specification=specification) as session:
            make_locks(session, root, Mode.MISSING)
        with session_on(connect(), root) as session:
            apply(session)
            found = verify_run(session, run_address("animals", "third"))

    assert len((specs / "t.lock").read_text().splitlines()) == 4
    assert not found.differences

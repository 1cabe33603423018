"""Manifests to a reconciled remote and back, through all stages."""

from pathlib import Path

import pytest

from reconciler.apply.events import Done, Finished
from reconciler.diagnostics import InputError
from reconciler.pipeline import applying, planning, sessions, workspaces
from reconciler.plan.build import Plan
from reconciler.plan.changes import Action
from reconciler.remote.session import Bounds
from reconciler.state.address import run_address
from tests.support.twins import session_on, twin
from tests.support.workspaces import make_workspace

FIRST = run_address("animals", "first")
SECOND = run_address("animals", "second")


def apply(session: sessions.Session) -> list[Finished]:
    plan = planning.make_plan(session)
    return [
        event
        for event in applying.carry_out(session, plan)
        if isinstance(event, Finished)
    ]


def never(_seconds: float) -> None:
    raise AssertionError("a fresh plan was not empty at once")


def actions(plan: Plan) -> dict[str, Action]:
    return {str(one.address): one.action for one in plan.changes}


def test_an_apply_brings_about_what_the_manifests_say(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    with twin(tmp_path) as connect, session_on(connect(), workspace) as session:
        finished = apply(session)

        assert all(isinstance(one.outcome, Done) for one in finished)
        assert not planning.converged(session, sleep=never)


def test_a_second_apply_has_nothing_to_do_and_changes_nothing(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    with twin(tmp_path) as connect:
        with session_on(connect(), workspace) as session:
            apply(session)
        tap = connect()
        with session_on(tap, workspace) as session:
            assert apply(session) == []
        assert tap.mutations() == []


def test_a_plan_of_small_runs_sends_no_mutation(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    with twin(tmp_path) as connect:
        empty, full = connect(), connect()
        with session_on(empty, workspace, read_only=True) as session:
            assert planning.make_plan(session)
        with session_on(connect(), workspace) as session:
            apply(session)
        with session_on(full, workspace, read_only=True) as session:
            assert not planning.make_plan(session)

    assert empty.mutations() == []
    assert full.mutations() == []
    assert len(full.requests) > 5


def test_a_plan_of_large_runs_sends_no_mutation_but_starts_of_exports(
    tmp_path: Path,
) -> None:
    workspace = make_workspace(tmp_path / "w")
    with twin(tmp_path) as connect:
        with session_on(connect(), workspace) as session:
            apply(session)
        tap = connect()
        with session_on(
            tap, workspace, read_only=True, bounds=Bounds(export_above=3)
        ) as session:
            assert not planning.make_plan(session)

    sent = tap.mutations()
    assert len(sent) == 1  # one run has five rows, the other two
    assert all("exportDataRowsInModelRun" in document for document in sent)


def test_pages_and_exports_tell_the_same(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    with twin(tmp_path) as connect:
        with session_on(connect(), workspace) as session:
            apply(session)
        runs = workspace / "specs" / "runs.yaml"
        runs.write_text(runs.read_text().replace("[n1, n2]", "[n2, n4]"))
        digests = []
        for bounds in (Bounds(), Bounds(export_above=0), Bounds(page=1)):
            with session_on(connect(), workspace, bounds=bounds) as session:
                digests.append(planning.make_plan(session).digest)

    assert len(set(digests)) == 1


def test_a_path_narrows_what_is_done_to_it_and_what_it_needs(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    text = (workspace / "specs" / "runs.yaml").read_text()
    head, second = text.rsplit("---\n", 1)
    (workspace / "specs" / "runs.yaml").write_text(head)
    (workspace / "specs" / "second.yaml").write_text(second)
    with twin(tmp_path) as connect, session_on(connect(), workspace) as whole:
        narrowed = sessions.Session(
            workspaces.specify(workspace / "specs" / "second.yaml"),
            whole.reader,
            whole.writer,
            whole.target,
            whole.ledger,
        )
        plan = planning.make_plan(narrowed)

    assert plan.selection == "specs/second.yaml"
    assert actions(plan) == {
        "ontology/animals": Action.CREATE,
        "dataset/notes": Action.CREATE,
        "model/animals": Action.CREATE,
        "run/animals/second": Action.CREATE,
    }


def test_unknown_global_keys_are_all_named_before_anything_is_done(
    tmp_path: Path,
) -> None:
    workspace = make_workspace(tmp_path / "w")
    runs = workspace / "specs" / "runs.yaml"
    runs.write_text(runs.read_text().replace("[n1, n2]", "[n1, zz, yy]"))
    with twin(tmp_path) as connect:
        tap = connect()
        with session_on(tap, workspace) as session, pytest.raises(InputError) as caught:
            planning.make_plan(session)

    (found,) = caught.value.diagnostics
    assert found.code == "unknown-global-keys"
    assert found.details == ("yy", "zz")
    assert found.span is not None
    assert found.span.file == "specs/runs.yaml"
    assert tap.mutations() == []


def test_a_key_of_another_dataset_is_named(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    with twin(tmp_path) as connect:
        with session_on(connect(), workspace) as session:
            apply(session)
        model = workspace / "specs" / "model.yaml"
        model.write_text(model.read_text().replace("name: notes", "name: other"))
        with (
            session_on(connect(), workspace) as session,
            pytest.raises(InputError) as caught,
        ):
            planning.make_plan(session)

    codes = [one.code for one in caught.value.diagnostics]
    assert codes == ["row-in-other-dataset"]
    assert caught.value.diagnostics[0].details == ("n1", "n2", "n3", "n4", "n5")


def test_changed_content_of_an_uploaded_row_is_blocked(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    with twin(tmp_path) as connect:
        with session_on(connect(), workspace) as session:
            apply(session)
        notes = workspace / "specs" / "notes.csv"
        notes.write_text(notes.read_text().replace("the cat sat", "the cat sits"))
        with session_on(connect(), workspace) as session:
            plan = planning.make_plan(session)

    assert [one.code for one in plan.blocked] == ["data-row-content"]


def test_without_its_inventory_a_workspace_adopts_what_it_made(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    with twin(tmp_path) as connect:
        with session_on(connect(), workspace) as session:
            apply(session)
        for file in (workspace / ".reconciler").rglob("*.jsonl"):
            file.unlink()
        with session_on(connect(), workspace) as session:
            plan = planning.make_plan(session)

    assert not plan
    assert set(actions(plan).values()) == {Action.ADOPT}
    assert "data-rows-unchecked" in [one.code for one in plan.notices]

"""Labels, predictions, metrics and status: what the ports promise of them."""

from reconciler.plan.steps import (
    AddLabels,
    AddRows,
    ConnectOntology,
    CreateProject,
    CreateRun,
    SetConfig,
    SetStatus,
)
from reconciler.state.address import (
    run_address,
)
from reconciler.state.resources import (
    RunStatus,
    Status,
)
from reconciler.state.selection import Selection
from reconciler.state.snapshot import CurrentModel, CurrentProject
from tests.contract.evidence import (
    PROJECT,
    by_row,
    cat,
    pin,
    project,
    selected,
    truth,
    with_a_project,
)
from tests.contract.test_ports import (
    ALL,
    BY_KEY,
    DATASET,
    MODEL,
    ONTOLOGY,
    RUN,
    SCHEMA,
    performed,
    with_a_run,
)
from tests.contract.twin import Remote


def test_a_project_is_created_once_and_read_as_it_is(remote: Remote) -> None:
    ids = with_a_project(remote)

    again = performed(remote, CreateProject(PROJECT, "IMAGE"), ids=ids)
    performed(remote, ConnectOntology(PROJECT, ONTOLOGY), ids=ids)

    assert again == ids
    assert project(remote) == CurrentProject(
        id=ids[PROJECT],
        name="digits",
        media_type="IMAGE",
        ontology_id=ids[ONTOLOGY],
        imports={},
    )


def test_a_project_without_an_ontology_has_none(remote: Remote) -> None:
    performed(remote, CreateProject(PROJECT, "IMAGE"), ids=with_a_run(remote))

    assert project(remote).ontology_id is None


def test_a_model_says_how_many_runs_it_has(remote: Remote) -> None:
    ids = with_a_run(remote)
    performed(remote, CreateRun(run_address("vision", "r2")), ids=ids)

    found = remote.read(ALL).resources[MODEL]

    assert isinstance(found, CurrentModel)
    assert found.run_count == 2


def test_labels_say_the_same_in_the_project_and_in_the_run(remote: Remote) -> None:
    ids = with_a_project(remote, cat("a", 1), cat("b", 2, left=9))
    labels = by_row(remote.read_project_labels(ids[PROJECT]))
    assert labels["a"].content != labels["b"].content

    step = AddLabels(RUN, PROJECT, (pin(labels["a"]), pin(labels["b"])))
    performed(remote, step, step, ids=ids)

    found = by_row(remote.read_labels(ids[RUN]))
    assert {key: (one.content, one.label_id) for key, one in found.items()} == {
        key: (one.content, one.label_id) for key, one in labels.items()
    }
    assert found["a"].row_id == labels["a"].row_id


def test_a_run_without_labels_has_none(remote: Remote) -> None:
    ids = with_a_run(remote, "a")

    assert not remote.read_labels(ids[RUN])
    performed(remote, AddRows(RUN, BY_KEY, ("a",)), ids=ids)
    assert not remote.read_labels(ids[RUN])


def test_labels_are_known_by_what_they_say_not_by_their_uuids(remote: Remote) -> None:
    ids = with_a_project(remote, cat("a", 1), cat("b", 2))

    labels = by_row(remote.read_project_labels(ids[PROJECT]))

    assert labels["a"].content == labels["b"].content


def test_an_import_that_may_exist_and_does_not_is_sent(remote: Remote) -> None:
    ids = with_a_project(remote)

    performed(remote, truth(cat("a", 1), may_exist=True), ids=ids)

    assert len(remote.read_project_labels(ids[PROJECT])) == 1


def test_a_status_is_read_as_it_was_set_and_metadata_is_merged(
    remote: Remote,
) -> None:
    ids = with_a_run(remote)

    assert remote.read_status(ids[RUN]) is None
    performed(
        remote,
        SetStatus(RUN, RunStatus(Status.TRAINING_MODEL, {"epoch": 1, "gpu": "a"})),
        SetStatus(RUN, RunStatus(Status.FAILED, {"epoch": 2}, "no memory")),
        ids=ids,
    )

    assert remote.read_status(ids[RUN]) == RunStatus(
        Status.FAILED, {"epoch": 2, "gpu": "a"}, "no memory"
    )


def test_rows_of_a_dataset_are_selected_with_or_without_labels(
    remote: Remote,
) -> None:
    ids = with_a_project(remote, cat("a", 1))

    everything = selected(remote, ids[DATASET], Selection(source=DATASET))
    labelled = selected(remote, ids[PROJECT], Selection(source=PROJECT))

    assert sorted(row.key for row in everything) == ["a", "b", "c"]
    assert [row.key for row in labelled] == ["a"]
    assert labelled[0].metadata == {}


def test_a_model_is_surveyed_with_all_its_runs_or_with_one(remote: Remote) -> None:
    ids = with_a_run(remote)
    second = run_address("vision", "r2")
    ids = performed(
        remote,
        CreateRun(second),
        SetConfig(second, {"lr": 1.0}),
        SetStatus(second, RunStatus(Status.COMPLETE, {})),
        ids=ids,
    )

    whole = remote.survey(MODEL)
    one = remote.survey(second)

    assert (whole.id, whole.name, whole.media_type) == (ids[MODEL], "vision", "IMAGE")
    assert (whole.ontology_id, whole.ontology_name) == (ids[ONTOLOGY], "shapes")
    assert whole.schema == SCHEMA
    assert [run.name for run in whole.runs] == ["r1", "r2"]
    assert one.runs == (whole.runs[1],)
    assert one.runs[0].id == ids[second]
    assert one.runs[0].config == {"lr": 1}
    assert one.runs[0].status == RunStatus(Status.COMPLETE, {})
    assert whole.runs[0].status is None

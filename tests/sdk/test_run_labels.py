"""Labels that runs take, their status, and rows that go on to be annotated."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from labelbox import (  # type: ignore[import-untyped]  # publishes no types
    Classification,
    Client,
    LabelImport,
    MediaType,
    ModelRun,
    OntologyBuilder,
    Option,
    Project,
    Tool,
)
from labelbox.schema.conflict_resolution_strategy import (  # type: ignore[import-untyped]
    ConflictResolutionStrategy,
)
from labelbox.schema.identifiables import (  # type: ignore[import-untyped]
    GlobalKeys,
    UniqueIds,
)

from tests.sdk.site import served, splits_of

KEYS = [f"street-{number}" for number in range(6)]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with served(tmp_path_factory.mktemp("home")) as site:
        yield site.sdk()


@pytest.fixture(scope="module")
def ontology(client: Client) -> Any:
    return client.create_ontology("cars", _cars("car"), media_type=MediaType.Image)


def _cars(name: str) -> dict[str, Any]:
    builder = OntologyBuilder(
        tools=[Tool(tool=Tool.Type.BBOX, name=name)],
        classifications=[
            Classification(
                class_type=Classification.Type.RADIO,
                name="weather",
                options=[Option(value="dry"), Option(value="wet")],
            )
        ],
    )
    described: dict[str, Any] = builder.asdict()
    return described


@pytest.fixture(scope="module")
def ids(client: Client) -> dict[str, str]:
    """Have rows, and know their ids by their keys."""
    dataset = client.create_dataset(name="streets")
    task = dataset.create_data_rows(
        [{"row_data": f"https://e.invalid/{k}.png", "global_key": k} for k in KEYS]
    )
    task.wait_till_done()
    found = client.get_data_row_ids_for_global_keys(KEYS)["results"]
    return dict(zip(KEYS, found, strict=True))


@pytest.fixture
def project(client: Client, ontology: Any, ids: dict[str, str]) -> Project:
    made = client.create_project(name="label cars", media_type=MediaType.Image)
    made.connect_ontology(ontology)
    made.create_batch("all", global_keys=KEYS[:3])
    return made


@pytest.fixture
def run(client: Client, ontology: Any) -> ModelRun:
    return client.create_model("detector", ontology.uid).create_model_run("first")


def box(key: str, **more: Any) -> dict[str, Any]:
    """Draw a car on a row."""
    return {
        "uuid": str(uuid4()),
        "dataRow": {"globalKey": key},
        "name": "car",
        "bbox": {"top": 1.0, "left": 2.0, "height": 3.0, "width": 4.0},
        **more,
    }


def weather(key: str, answer: str, **more: Any) -> dict[str, Any]:
    """Say what the weather is like on a row."""
    return {
        "uuid": str(uuid4()),
        "dataRow": {"globalKey": key},
        "name": "weather",
        "answer": {"name": answer, **more},
    }


def put(client: Client, project: Project, *annotations: dict[str, Any]) -> None:
    """Import labels, all of which are accepted."""
    job = LabelImport.create_from_objects(
        client, project.uid, f"labels {uuid4()}", list(annotations)
    )
    job.wait_till_done()
    assert job.errors == []


def predict(run: ModelRun, *annotations: dict[str, Any]) -> None:
    """Import predictions, all of which are accepted."""
    job = run.add_predictions(f"predictions {uuid4()}", list(annotations))
    job.wait_till_done()
    assert job.errors == []


def label_ids(project: Project) -> dict[str, str]:
    """Know the labels of a project by the rows' keys."""
    return {one.data_row().global_key: one.uid for one in project.labels()}


def taken(run: ModelRun) -> dict[str, str | None]:
    """Know the labels of a run by the rows' keys."""
    return {
        row.data_row().global_key: row.label_id for row in run.model_run_data_rows()
    }


def exported(run: ModelRun) -> dict[str, list[str]]:
    """Export a run: the uuids or names of what labels say, by the rows' keys."""
    task = run.export()
    task.wait_till_done()
    lines = [one.json for one in task.get_buffered_stream()]
    (model,) = lines[0]["experiments"]
    return {
        line["data_row"]["global_key"]: [
            json.dumps(found["annotations"]["objects"], sort_keys=True)
            for found in line["experiments"][model]["runs"][run.uid]["labels"]
        ]
        for line in lines
    }


def annotations_of(project: Project) -> dict[str, list[dict[str, Any]]]:
    """Read what labels of a project say, by the rows' keys."""
    return {
        one.data_row().global_key: json.loads(one.label) for one in project.labels()
    }


def test_a_run_takes_labels_by_id_with_their_rows(
    client: Client, project: Project, run: ModelRun
) -> None:
    put(client, project, box(KEYS[0]), box(KEYS[1]))
    labels = label_ids(project)

    assert run.upsert_labels([labels[KEYS[0]]]) is True

    assert taken(run) == {KEYS[0]: labels[KEYS[0]]}
    assert splits_of(run) == {KEYS[0]: "UNASSIGNED"}


def test_a_run_takes_all_labels_of_a_project(
    client: Client, project: Project, run: ModelRun
) -> None:
    run.upsert_data_rows(global_keys=[KEYS[0], KEYS[2]])
    run.assign_data_rows_to_split(global_keys=[KEYS[0]], split="TEST")
    put(client, project, box(KEYS[0]), box(KEYS[1]))
    labels = label_ids(project)

    run.upsert_labels(project_id=project.uid)

    assert taken(run) == {
        KEYS[0]: labels[KEYS[0]],
        KEYS[1]: labels[KEYS[1]],
        KEYS[2]: None,
    }
    assert splits_of(run)[KEYS[0]] == "TEST"


def test_an_unknown_label_fails_the_task(
    client: Client, project: Project, run: ModelRun
) -> None:
    put(client, project, box(KEYS[0]))

    with pytest.raises(Exception, match="Job failed"):
        run.upsert_labels([*label_ids(project).values(), "nope"])

    assert taken(run) == {}


def test_a_run_keeps_its_labels_when_the_project_changes(
    client: Client, project: Project, run: ModelRun
) -> None:
    put(client, project, box(KEYS[0]), box(KEYS[1]))
    labels = label_ids(project)
    run.upsert_labels(project_id=project.uid)
    before = exported(run)

    put(client, project, box(KEYS[0]))
    edited = annotations_of(project)
    next(iter(project.labels())).delete()
    project.delete()

    assert len(edited[KEYS[0]]) == 2
    assert taken(run) == labels
    assert exported(run) == before
    assert [len(found) for found in before.values()] == [1, 1]


def test_taking_labels_again_refreshes_them(
    client: Client, project: Project, run: ModelRun
) -> None:
    put(client, project, box(KEYS[0]))
    run.upsert_labels(project_id=project.uid)
    before = exported(run)
    put(client, project, box(KEYS[0]))

    run.upsert_labels(project_id=project.uid)

    after = exported(run)
    assert before[KEYS[0]][0].count("bounding_box") == 1
    assert after[KEYS[0]][0].count("bounding_box") == 2


def test_a_run_prefers_the_benchmark_of_a_row(
    client: Client, project: Project, run: ModelRun
) -> None:
    put(client, project, box(KEYS[0], isBenchmarkReferenceLabel=True))
    put(client, project, box(KEYS[0]))
    (benchmark,) = [one for one in project.labels() if one.is_benchmark_reference]

    run.upsert_labels(project_id=project.uid)

    assert project.get_label_count() == 2
    assert taken(run) == {KEYS[0]: benchmark.uid}


def test_a_removed_row_comes_back_without_its_label(
    client: Client, project: Project, run: ModelRun, ids: dict[str, str]
) -> None:
    put(client, project, box(KEYS[0]))
    run.upsert_labels(project_id=project.uid)

    run.delete_model_run_data_rows([ids[KEYS[0]]])
    gone = taken(run)
    run.upsert_data_rows(global_keys=[KEYS[0]])

    assert gone == {}
    assert taken(run) == {KEYS[0]: None}


def test_a_status_is_told_and_merged(client: Client, run: ModelRun) -> None:
    def read() -> dict[str, Any]:
        query = (
            "query P($id: ID!) { trainingPipeline(where: {id: $id})"
            " { status, errorMessage, metadata } }"
        )
        found = client.execute(query, {"id": run.uid}, experimental=True)
        pipeline: dict[str, Any] = found["trainingPipeline"]
        return pipeline

    before = read()
    run.update_status("EXPORTING_DATA")
    first = read()
    run.update_status(ModelRun.Status.TRAINING_MODEL, {"a": "1", "b": "2"}, "slow")
    run.update_status("FAILED", metadata={"b": "3"})

    assert before == {"status": None, "errorMessage": None, "metadata": None}
    assert first == {"status": "EXPORTING_DATA", "errorMessage": None, "metadata": None}
    assert read() == {
        "status": "FAILED",
        "errorMessage": "slow",
        "metadata": {"a": "1", "b": "3"},
    }


def test_no_run_has_a_cost(run: ModelRun) -> None:
    assert run.total_cost is None
    assert run.total_data_rows is None


def test_rows_of_a_run_are_sent_with_their_predictions(
    client: Client, project: Project, run: ModelRun, ontology: Any
) -> None:
    run.upsert_data_rows(global_keys=KEYS)
    predict(
        run,
        box(KEYS[3], confidence=0.4),
        box(KEYS[4], confidence=0.9),
        weather(KEYS[4], "wet"),
    )
    goal = client.create_project(name="goal", media_type=MediaType.Image)
    other = client.create_ontology(
        "vehicles", _cars("vehicle"), media_type=MediaType.Image
    )
    goal.connect_ontology(other)
    mapping = {
        ontology.normalized["tools"][0]["featureSchemaId"]: other.normalized["tools"][
            0
        ]["featureSchemaId"]
    }

    task = run.send_to_annotate_from_model(
        destination_project_id=goal.uid,
        task_queue_id=None,
        batch_name="errors",
        data_rows=GlobalKeys(KEYS[3:5]),
        params={"predictions_ontology_mapping": mapping},
    )
    task.wait_till_done()

    assert (task.status, task.errors) == ("COMPLETE", None)
    (batch,) = goal.batches()
    assert (batch.name, batch.size) == ("errors", 2)
    assert goal.get_overview().done == 2
    found = annotations_of(goal)
    assert {key: [one["name"] for one in said] for key, said in found.items()} == {
        KEYS[3]: ["vehicle"],
        KEYS[4]: ["vehicle"],
    }


def test_rows_are_sent_to_a_queue_and_only_once(
    client: Client, project: Project, run: ModelRun, ids: dict[str, str]
) -> None:
    run.upsert_data_rows(global_keys=KEYS)
    (review,) = [
        one for one in project.task_queues() if one.queue_type.startswith("MANUAL_REV")
    ]

    task = run.send_to_annotate_from_model(
        destination_project_id=project.uid,
        task_queue_id=review.uid,
        batch_name="more",
        data_rows=UniqueIds([ids[KEYS[2]], ids[KEYS[3]]]),
        params={"exclude_data_rows_in_project": True, "batch_priority": 1},
    )
    task.wait_till_done()

    assert task.status == "COMPLETE"
    sizes = {batch.name: batch.size for batch in project.batches()}
    assert sizes == {"all": 3, "more": 1}
    assert project.get_overview().in_review == 1


def test_what_cant_be_sent_is_said_in_the_task(
    client: Client, project: Project, run: ModelRun
) -> None:
    run.upsert_data_rows(global_keys=KEYS[:1])

    def send(name: str, key: str) -> Any:
        task = run.send_to_annotate_from_model(
            destination_project_id=project.uid,
            task_queue_id=None,
            batch_name=name,
            data_rows=GlobalKeys([key]),
            params={},
        )
        task.wait_till_done()
        return task.status, task.errors

    assert send("more", KEYS[5]) == (
        "FAILED",
        {"error": "1 global keys that are not in the model run: street-5"},
    )
    assert send("more", "nope") == (
        "FAILED",
        {"error": "1 unknown global keys: nope"},
    )
    assert [one.name for one in project.batches()] == ["all"]


@pytest.mark.parametrize(
    ("strategy", "answer"),
    [
        (ConflictResolutionStrategy.KeepExisting, "dry"),
        (ConflictResolutionStrategy.OverrideWithAnnotations, "wet"),
    ],
)
def test_labels_of_a_project_are_sent_by_the_catalog(
    client: Client,
    project: Project,
    ontology: Any,
    ids: dict[str, str],
    strategy: Any,
    answer: str,
) -> None:
    put(client, project, box(KEYS[0]), weather(KEYS[0], "wet"))
    goal = client.create_project(name="goal", media_type=MediaType.Image)
    goal.connect_ontology(ontology)
    goal.create_batch("there", global_keys=[KEYS[0]])
    put(client, goal, weather(KEYS[0], "dry"))
    features = [
        *ontology.normalized["tools"],
        *ontology.normalized["classifications"],
    ]

    task = client.send_to_annotate_from_catalog(
        destination_project_id=goal.uid,
        task_queue_id=None,
        batch_name="more",
        data_rows=UniqueIds([ids[KEYS[0]], ids[KEYS[1]]]),
        params={
            "source_project_id": project.uid,
            "annotations_ontology_mapping": {
                one["featureSchemaId"]: one["featureSchemaId"] for one in features
            },
            "override_existing_annotations_rule": strategy,
        },
    )
    task.wait_till_done()

    assert (task.status, task.errors) == ("COMPLETE", None)
    (said,) = annotations_of(goal).values()
    assert sorted(one["name"] for one in said) == ["car", "weather"]
    (given,) = [one["answer"]["name"] for one in said if one["name"] == "weather"]
    assert given == answer
    assert {one.name: one.size for one in goal.batches()} == {"there": 1, "more": 1}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_predictions_are_uploaded_and_sent_to_a_project_at_once(
    client: Client, project: Project, run: ModelRun
) -> None:
    run.upsert_data_rows(global_keys=KEYS)

    imported, batch, prelabelled = run.upsert_predictions_and_send_to_project(
        "round one", [box(KEYS[4]), box(KEYS[5])], project.uid
    )

    assert imported.errors == []
    assert (batch.name, batch.size) == ("round one", 2)
    assert [one["status"] for one in prelabelled.statuses] == ["SUCCESS"] * 2

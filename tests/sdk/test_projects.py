"""Projects, batches, queues and labels, as the SDK has them."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import uuid4

import pytest
from labelbox import (  # type: ignore[import-untyped]  # publishes no types
    Classification,
    Client,
    LabelImport,
    MediaType,
    OntologyBuilder,
    Option,
    Project,
    Tool,
)
from labelbox.schema.data_row import (  # type: ignore[import-untyped]
    DataRow,
)
from labelbox.schema.identifiables import (  # type: ignore[import-untyped]
    GlobalKeys,
    UniqueIds,
)
from lbox.exceptions import (  # type: ignore[import-untyped]
    LabelboxError,
    MalformedQueryException,
    ResourceConflict,
    ResourceNotFoundError,
)

from tests.sdk.site import served


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with served(tmp_path_factory.mktemp("home")) as site:
        yield site.sdk()


@pytest.fixture(scope="module")
def ontology(client: Client) -> Any:
    builder = OntologyBuilder(
        tools=[Tool(tool=Tool.Type.BBOX, name="car")],
        classifications=[
            Classification(
                class_type=Classification.Type.RADIO,
                name="weather",
                options=[Option(value="dry"), Option(value="wet")],
            )
        ],
    )
    return client.create_ontology("cars", builder.asdict(), media_type=MediaType.Image)


@pytest.fixture(scope="module")
def rows(client: Client) -> Sequence[DataRow]:
    dataset = client.create_dataset(name="streets")
    task = dataset.create_data_rows(
        [
            {"row_data": f"https://e.invalid/{n}.png", "global_key": f"street-{n}"}
            for n in range(6)
        ]
    )
    task.wait_till_done()
    return sorted(dataset.data_rows(), key=lambda row: str(row.global_key))


@pytest.fixture
def project(client: Client, ontology: Any) -> Project:
    made = client.create_project(name="label cars", media_type=MediaType.Image)
    made.connect_ontology(ontology)
    return made


def box(row: DataRow, **more: Any) -> dict[str, Any]:
    """Draw a car on a row."""
    return {
        "uuid": str(uuid4()),
        "dataRow": {"id": row.uid},
        "name": "car",
        "bbox": {"top": 1.0, "left": 2.0, "height": 3.0, "width": 4.0},
        **more,
    }


def put(client: Client, project: Project, *annotations: dict[str, Any]) -> None:
    """Import labels, all of which are accepted."""
    job = LabelImport.create_from_objects(
        client, project.uid, f"labels {uuid4()}", list(annotations)
    )
    job.wait_till_done()
    assert job.errors == []


def queue_of(project: Project, kind: str) -> Any:
    """Find the queue of a type."""
    (found,) = [one for one in project.task_queues() if one.queue_type == kind]
    return found


def test_a_project_is_as_it_was_created(client: Client) -> None:
    made = client.create_project(
        name="plain", description="d", media_type=MediaType.Text
    )

    found = client.get_project(made.uid)

    assert (found.name, found.description) == ("plain", "d")
    assert found.media_type == MediaType.Text
    assert found.is_benchmark_enabled
    assert found.is_consensus_enabled
    assert found.auto_audit_number_of_labels == 3
    assert found.auto_audit_percentage == 0
    assert found.data_row_count == 0
    assert found.setup_complete is None
    assert found.created_by().uid == client.get_user().uid
    assert found.organization().uid == client.get_organization().uid
    assert found.ontology() is None
    assert found.labeling_frontend().name == "Editor"
    assert list(found.batches()) == []
    assert list(found.labels()) == []


def test_a_project_is_renamed_found_and_deleted(client: Client) -> None:
    made = client.create_project(name="before", media_type=MediaType.Image)

    made.update(name="after", description="new")
    by_name = list(client.get_projects(where=Project.name == "after"))
    made.delete()

    assert [one.uid for one in by_name] == [made.uid]
    assert by_name[0].description == "new"
    assert list(client.get_projects(where=Project.name == "after")) == []
    with pytest.raises(ResourceNotFoundError):
        client.get_project(made.uid)


def test_connecting_an_ontology_sets_a_project_up(
    client: Client, project: Project, ontology: Any
) -> None:
    found = client.get_project(project.uid)

    assert found.ontology().uid == ontology.uid
    assert found.ontology().normalized == ontology.normalized
    assert found.setup_complete is not None


def test_an_ontology_of_another_media_type_is_refused(
    client: Client, project: Project
) -> None:
    other = client.create_ontology(
        "texts", {"tools": [], "classifications": []}, media_type=MediaType.Text
    )

    with pytest.raises(ValueError, match="share the same type"):
        project.connect_ontology(other)
    with pytest.raises(LabelboxError, match="the project is about IMAGE"):
        client.execute(
            "mutation C($p: ID!, $o: ID!) { project(where: {id: $p})"
            " { connectOntology(ontologyId: $o) { id } } }",
            {"p": project.uid, "o": other.uid},
        )


def test_a_batch_brings_rows_into_the_first_queue(
    project: Project, rows: Sequence[DataRow]
) -> None:
    batch = project.create_batch(
        "b",
        rows[:2],
        priority=2,
        consensus_settings={"number_of_labels": 2, "coverage_percentage": 0.5},
    )
    keyed = project.create_batch("k", global_keys=["street-2", "street-3"])

    assert (batch.name, batch.size, list(batch.failed_data_row_ids)) == ("b", 2, [])
    assert batch.consensus_settings == {"numberOfLabels": 2, "coveragePercentage": 0.5}
    assert keyed.size == 2
    assert batch.project().uid == project.uid
    assert [one.name for one in project.batches()] == ["b", "k"]
    assert queue_of(project, "INITIAL_LABELING_QUEUE").data_row_count == 4
    assert queue_of(project, "MANUAL_REVIEW_QUEUE").data_row_count == 0


def test_rows_that_a_project_has_stay_where_they_are(
    project: Project, rows: Sequence[DataRow]
) -> None:
    first = project.create_batch("first", rows[:2])
    second = project.create_batch("second", rows[1:3])

    assert list(second.failed_data_row_ids) == [rows[1].uid]
    sizes = {one.name: one.size for one in project.batches()}
    assert (first.size, sizes) == (2, {"first": 2, "second": 1})


def test_a_batch_of_a_name_that_is_taken_or_without_rows_is_refused(
    client: Client, project: Project, rows: Sequence[DataRow]
) -> None:
    project.create_batch("b", rows[:1])
    with pytest.raises(ResourceConflict, match="has a batch named 'b' already"):
        project.create_batch("b", rows[1:2])
    with pytest.raises(MalformedQueryException, match="1 unknown data row ids: nope"):
        project._create_batch_sync("x", ["nope"], None, 5, None)
    with pytest.raises(MalformedQueryException, match="a batch needs data rows"):
        project._create_batch_sync("x", [], None, 5, None)
    assert [one.name for one in project.batches()] == ["b"]


def test_many_rows_come_in_a_task(
    client: Client, project: Project, monkeypatch: pytest.MonkeyPatch, rows: Any
) -> None:
    monkeypatch.setattr("labelbox.schema.project.MAX_SYNC_BATCH_ROW_COUNT", 2)

    batch = project.create_batch("large", rows, priority=1)

    assert (batch.name, batch.size) == ("large", 6)
    with pytest.raises(LabelboxError, match="unknown data row ids: nope"):
        project._create_batch_async("other", ["nope"], None)
    assert client.get_batch(project.uid, batch.uid).size == 6


def test_queued_rows_leave_and_a_batch_with_labels_stays(
    client: Client, project: Project, rows: Sequence[DataRow]
) -> None:
    batch = project.create_batch("b", rows[:3])
    put(client, project, box(rows[0]))

    with pytest.raises(ResourceConflict, match="1 of its data rows have one"):
        batch.delete()
    batch.remove_queued_data_rows()
    (left,) = project.batches()
    deleted = batch.delete_labels()
    batch.delete()

    assert left.size == 1
    assert len(deleted["project"]["deleteBatchLabels"]["deletedLabelIds"]) == 1
    assert list(project.batches()) == []
    assert client.get_project(project.uid).data_row_count == 0


def test_rows_are_moved_between_queues(
    project: Project, rows: Sequence[DataRow]
) -> None:
    project.create_batch("b", rows[:4])
    review = queue_of(project, "MANUAL_REVIEW_QUEUE")

    project.move_data_rows_to_task_queue(GlobalKeys(["street-0"]), review.uid)
    project.move_data_rows_to_task_queue(UniqueIds([rows[1].uid]))

    overview = project.get_overview()
    assert overview.model_dump() == {
        "to_label": 2,
        "in_review": 1,
        "in_rework": 0,
        "skipped": 0,
        "done": 1,
        "issues": 0,
        "labeled": 0,
        "total_data_rows": 4,
    }
    with pytest.raises(LabelboxError, match="that are not in the project: street-5"):
        project.move_data_rows_to_task_queue(GlobalKeys(["street-5"]), review.uid)


def test_an_overview_counts_rows_of_some_batches(
    client: Client, project: Project, rows: Sequence[DataRow]
) -> None:
    first = project.create_batch("first", rows[:2])
    project.create_batch("second", rows[2:5])
    put(client, project, box(rows[0]), box(rows[2]))
    review = queue_of(project, "MANUAL_REVIEW_QUEUE")
    project.move_data_rows_to_task_queue(UniqueIds([rows[1].uid]), review.uid)

    found = project.get_overview(details=True, batch_ids=[first.uid])

    assert found.in_review == {"data": [{"Initial review task": 1}], "total": 1}
    assert (found.done, found.labeled, found.total_data_rows) == (1, 1, 2)
    assert found.issues is None
    assert project.get_overview().total_data_rows == 5


def test_labels_are_listed_counted_and_deleted(
    client: Client, project: Project, rows: Sequence[DataRow]
) -> None:
    project.create_batch("b", rows[:2])
    put(client, project, box(rows[0]), box(rows[0]), box(rows[1]))
    labels = {one.data_row().uid: one for one in project.labels()}
    label = labels[rows[0].uid]

    assert labels.keys() == {rows[0].uid, rows[1].uid}
    assert project.get_label_count() == 2
    assert label.project().uid == project.uid
    assert label.created_by().uid == client.get_user().uid
    assert label.label.count('"bbox"') == 2
    mine = project.labels(created_by=client.get_user())
    assert {one.uid for one in mine} == {one.uid for one in labels.values()}
    assert list(project.labels(created_by="somebody")) == []

    label.delete()

    assert [one.uid for one in project.labels()] == [labels[rows[1].uid].uid]
    assert queue_of(project, "INITIAL_LABELING_QUEUE").data_row_count == 1
    assert project.delete_labels_by_user(client.get_user().uid) == 1
    assert project.get_label_count() == 0


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_labels_are_filtered_by_dataset(
    client: Client, project: Project, rows: Sequence[DataRow]
) -> None:
    project.create_batch("b", rows[:1])
    put(client, project, box(rows[0]))
    other = client.create_dataset(name="empty")

    assert len(list(project.labels(datasets=[rows[0].dataset()]))) == 1
    assert list(project.labels(datasets=[other])) == []


def test_a_label_becomes_a_benchmark_and_an_ordinary_one_again(
    client: Client, project: Project, rows: Sequence[DataRow]
) -> None:
    project.create_batch("b", rows[:1])
    put(client, project, box(rows[0]))
    (label,) = project.labels()

    benchmark = label.create_benchmark()
    (listed,) = project.benchmarks()

    assert listed.uid == benchmark.uid
    assert benchmark.reference_label().uid == label.uid
    assert benchmark.created_by().uid == client.get_user().uid
    assert next(iter(project.labels())).is_benchmark_reference
    benchmark.delete()
    assert not next(iter(project.labels())).is_benchmark_reference

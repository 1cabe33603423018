"""Exports as the official SDK asks for them and reads them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import labelbox.types as lb  # type: ignore[import-untyped]  # publishes no types
import pytest
from labelbox import (
    Classification,
    Client,
    DataRow,
    LabelImport,
    OntologyBuilder,
    Option,
    StreamType,
    Tool,
)
from labelbox.schema.export_task import ExportTask  # type: ignore[import-untyped]
from labelbox.schema.media_type import MediaType  # type: ignore[import-untyped]

from reconciler.server.settings import ServerSettings
from tests.sdk.inside import client_of, inside

KEYS = [f"street-{number:02}" for number in range(12)]
ODD = "zwei\u2028Zeilen \x85 \u00e9 \U0001f6b2"
"""A name with what some take for the end of a line."""

CHUNK = 2_000

older = pytest.mark.filterwarnings("ignore:The method export_v2:DeprecationWarning")


@dataclass(frozen=True, slots=True)
class Streets:
    """What there is to export.

    Attributes:
        client: The official SDK.
        dataset: All rows.
        run: The first ten of them; the first four with labels, the first two with
            a prediction each, the first with a metric.
        project: The first six in two batches; the first four are done.
    """

    client: Client
    dataset: Any
    run: Any
    project: Any


@pytest.fixture(scope="module")
def streets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Streets]:
    settings = ServerSettings(export_chunk_bytes=CHUNK)
    with inside(tmp_path_factory.mktemp("home") / "store", settings) as url:
        client = client_of(url)
        dataset = client.create_dataset(name=ODD)
        task = dataset.create_data_rows([_row(key) for key in KEYS])
        task.wait_till_done()
        assert task.errors is None
        ontology = client.create_ontology("pets", _pets(), MediaType.Image)
        project = client.create_project(name="pets", media_type=MediaType.Image)
        project.connect_ontology(ontology)
        project.create_batch("first", global_keys=KEYS[:3], priority=2)
        project.create_batch("second", global_keys=KEYS[3:6])
        labels = LabelImport.create_from_objects(
            client,
            project.uid,
            "labels",
            [_cat(key, confidence=0.25) for key in KEYS[:4]],
        )
        labels.wait_till_done()
        assert labels.errors == []
        run = client.create_model(ODD, ontology.uid).create_model_run("first")
        run.upsert_data_rows(global_keys=KEYS[:10])
        run.upsert_labels(project_id=project.uid)
        run.assign_data_rows_to_split(global_keys=KEYS[:5], split="TEST")
        metric = lb.ScalarMetric(metric_name="quality", value=0.5)
        job = run.add_predictions(
            "cats",
            [
                _cat(KEYS[0], confidence=0.5),
                _cat(KEYS[1], name="weather", answer="rain"),
                *lb_rows(KEYS[0], metric),
            ],
        )
        job.wait_till_done()
        assert job.errors == []
        yield Streets(client, dataset, run, project)


def lb_rows(key: str, *annotations: Any) -> list[Any]:
    """Write annotations of the SDK's own types as it sends them."""
    from labelbox.data.serialization import (  # type: ignore[import-untyped]  # slow to load
        NDJsonConverter,
    )

    label = lb.Label(data={"global_key": key}, annotations=list(annotations))
    return list(NDJsonConverter.serialize([label]))


def _row(key: str) -> dict[str, Any]:
    return {
        "row_data": f"https://e.test/{key}.png",
        "global_key": key,
        "external_id": ODD,
        "attachments": [{"type": "RAW_TEXT", "value": "hi"}],
    }


def _pets() -> dict[str, Any]:
    options = [Option(value="rain"), Option(value="sun")]
    weather = Classification(
        class_type=Classification.Type.RADIO, name="weather", options=options
    )
    builder = OntologyBuilder(
        tools=[Tool(tool=Tool.Type.BBOX, name="cat")], classifications=[weather]
    )
    described: dict[str, Any] = builder.asdict()
    return described


def _cat(key: str, *, answer: str | None = None, **more: Any) -> dict[str, Any]:
    number = KEYS.index(key)
    row = {
        "uuid": f"00000000-0000-4000-8000-{number:012}",
        "dataRow": {"globalKey": key},
        "name": "cat",
        **more,
    }
    if answer is not None:
        return {**row, "answer": {"name": answer}}
    return {**row, "bbox": {"top": 1.0, "left": number, "height": 2.0, "width": 3.0}}


def lines_of(task: Any) -> list[Any]:
    """Read a streamed export to its end, by key: the SDK uploads in any order."""
    task.wait_till_done()
    assert task.status == "COMPLETE"
    if not task.has_result():
        return []
    lines = [one.json for one in task.get_buffered_stream()]
    return sorted(lines, key=lambda line: str(line["data_row"]["global_key"]))


def keys_of(lines: Sequence[Any]) -> list[str]:
    return [line["data_row"]["global_key"] for line in lines]


def test_a_run_is_streamed_in_pieces_that_join(streets: Streets) -> None:
    task = streets.run.export(task_name="mine")
    lines = lines_of(task)

    assert keys_of(lines) == KEYS[:10]
    assert {line["data_row"]["external_id"] for line in lines} == {ODD}
    assert task.get_total_lines(StreamType.RESULT) == 10
    assert task.get_total_file_size(StreamType.RESULT) > 2 * CHUNK
    assert not task.has_errors()
    again = ExportTask.get_task(streets.client, task.uid)
    assert (again.name, again.type) == ("mine", "export-data-rows")
    assert again.metadata == {"lines": 10, "errors": 0}
    assert again.updated_at >= again.created_at


def test_a_run_says_all_that_can_be_asked_for(streets: Streets) -> None:
    run = streets.run
    wanted = {
        "attachments": True,
        "metadata_fields": True,
        "embeddings": True,
        "data_row_details": True,
        "predictions": True,
        "model_run_details": True,
    }

    line = lines_of(run.export(params=wanted))[0]

    assert line["data_row"]["details"]["dataset_name"] == ODD
    assert line["attachments"] == [{"type": "RAW_TEXT", "value": "hi"}]
    assert (line["metadata_fields"], line["embeddings"]) == ([], [])
    model = line["experiments"][run.model_id]
    assert model["name"] == ODD
    found = model["runs"][run.uid]
    assert (found["name"], found["split"]) == ("first", "TEST")
    (label,), (entry,) = found["labels"], found["predictions"]
    (drawn,), (predicted,) = (one["annotations"]["objects"] for one in (label, entry))
    assert (drawn["annotation_kind"], "confidence" in drawn) == (
        "ImageBoundingBox",
        False,
    )
    assert (predicted["name"], predicted["confidence"]) == ("cat", 0.5)
    assert predicted["feature_id"] != drawn["feature_id"]
    assert predicted["feature_schema_id"] == drawn["feature_schema_id"]
    assert found["metrics"] == [
        {
            "metric_name": "quality",
            "metric_value": 0.5,
            "aggregation": "ARITHMETIC_MEAN",
        }
    ]


def test_a_run_says_no_more_than_is_asked_for(streets: Streets) -> None:
    run = streets.run
    line = lines_of(run.export())[0]

    assert set(line) == {"data_row", "media_attributes", "experiments"}
    found = line["experiments"][run.model_id]["runs"][run.uid]
    assert set(found) == {"name", "run_data_row_id", "labels"}


def test_predictions_have_the_same_ids_in_every_export(streets: Streets) -> None:
    run = streets.run

    def predicted() -> list[Any]:
        lines = lines_of(run.export(params={"predictions": True}))
        runs = [line["experiments"][run.model_id]["runs"][run.uid] for line in lines]
        return [one["predictions"] for one in runs]

    first = predicted()

    assert [len(one) for one in first] == [1, 1, *[0] * 8]
    assert len({entry["id"] for one in first for entry in one}) == 2
    assert predicted() == first


def test_the_data_is_read_as_another_media_type_when_asked_for(
    streets: Streets,
) -> None:
    run = streets.run
    line = lines_of(run.export(params={"media_type_override": "VIDEO"}))[0]
    (label,) = line["experiments"][run.model_id]["runs"][run.uid]["labels"]

    assert label["label_kind"] == "Video"
    with pytest.raises(Exception, match="NOVEL"):
        run.export(params={"media_type_override": "NOVEL"})


def test_an_export_of_nothing_has_no_stream(streets: Streets) -> None:
    model = streets.client.get_model(streets.run.model_id)
    task = model.create_model_run("empty").export()

    assert lines_of(task) == []
    assert not task.has_errors()
    with pytest.raises(ValueError, match="does not have a RESULT stream"):
        task.get_buffered_stream()


@older
def test_an_export_that_is_not_streamed_is_a_file(streets: Streets) -> None:
    task = streets.run.export_v2(params={"model_run_details": True})
    task.wait_till_done()

    assert sorted(keys_of(task.result)) == KEYS[:10]
    assert task.errors is None


@older
def test_names_that_mean_nothing_are_told_in_the_errors(streets: Streets) -> None:
    task = DataRow.export(streets.client, global_keys=["nobody", KEYS[3]])
    lines = lines_of(task)

    assert keys_of(lines) == [KEYS[3]]
    assert task.has_errors()
    errors = [one.json for one in task.get_buffered_stream(StreamType.ERRORS)]
    assert errors == [
        {
            "global_key": "nobody",
            "message": "there is no data row with the global key 'nobody'",
        }
    ]
    file = DataRow.export_v2(streets.client, data_rows=["nothing"])
    file.wait_till_done()
    assert file.result == []
    assert file.errors == [
        {"data_row_id": "nothing", "message": "there is no data row 'nothing'"}
    ]


def test_a_project_says_all_that_can_be_asked_for(streets: Streets) -> None:
    project = streets.project
    names = ("project", "label", "performance", "data_row")
    wanted = {f"{name}_details": True for name in names}

    lines = lines_of(project.export(params=wanted))

    assert keys_of(lines) == KEYS[:6]
    first, last = (line["projects"][project.uid] for line in (lines[0], lines[5]))
    batch = next(one for one in project.batches() if one.name == "first")
    assert first["name"] == "pets"
    assert first["project_details"] == {
        "ontology_id": project.ontology().uid,
        "task_id": None,
        "task_name": None,
        "batch_id": batch.uid,
        "batch_name": "first",
        "workflow_status": "DONE",
        "priority": 2,
    }
    assert last["project_details"]["workflow_status"] == "TO_LABEL"
    assert last["labels"] == []
    (label,) = first["labels"]
    assert label["label_details"]["created_by"] == "owner@reconciler.invalid"
    assert label["label_details"]["reviews"] == []
    assert label["performance_details"]["skipped"] is False
    assert label["id"] in {one.uid for one in project.labels()}
    active = lines[0]["data_row"]["details"]["last_activity_at"]
    assert active == label["label_details"]["updated_at"]


def test_a_project_says_no_more_than_is_asked_for(streets: Streets) -> None:
    project = streets.project
    line = lines_of(project.export())[0]

    assert set(line) == {"data_row", "media_attributes", "projects"}
    assert set(line["projects"][project.uid]) == {"name", "labels"}
    (label,) = line["projects"][project.uid]["labels"]
    assert set(label) == {"label_kind", "version", "id", "annotations"}


def _second_batch(streets: Streets) -> list[str]:
    return [one.uid for one in streets.project.batches() if one.name == "second"]


TODAY = datetime.now(UTC)
YESTERDAY, TOMORROW = (
    (TODAY + timedelta(days=days)).strftime("%Y-%m-%d %H:%M:%S") for days in (-1, 1)
)


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"global_keys": [KEYS[1], KEYS[5]]}, [KEYS[1], KEYS[5]]),
        ({"workflow_status": "ToLabel"}, KEYS[4:6]),
        ({"workflow_status": "Done"}, KEYS[:4]),
        ({"workflow_status": "InReview"}, []),
        ({"label_created_at": [YESTERDAY, TOMORROW]}, KEYS[:4]),
        ({"label_created_at": [None, YESTERDAY]}, []),
        ({"label_created_at": [TOMORROW, None]}, []),
        ({"last_activity_at": [YESTERDAY, None]}, KEYS[:6]),
        ({"last_activity_at": [None, YESTERDAY[:10]]}, []),
        (
            {"last_activity_at": ["2020-01-01T00:00:00+0100", TOMORROW]},
            KEYS[:6],
        ),
    ],
)
def test_a_project_is_filtered(
    streets: Streets, filters: dict[str, Any], found: list[str]
) -> None:
    assert keys_of(lines_of(streets.project.export(filters=filters))) == found


def test_a_project_is_filtered_by_batch_and_id(streets: Streets) -> None:
    batch = _second_batch(streets)
    row = streets.client.get_data_row_by_global_key(KEYS[4]).uid

    one = streets.project.export(filters={"batch_ids": batch})
    other = streets.project.export(filters={"batch_ids": batch, "data_row_ids": [row]})

    assert keys_of(lines_of(one)) == KEYS[3:6]
    assert keys_of(lines_of(other)) == [KEYS[4]]


def test_a_row_outside_the_project_is_told_in_the_errors(streets: Streets) -> None:
    task = streets.project.export(filters={"global_keys": [KEYS[11]]})

    assert lines_of(task) == []
    (error,) = [one.json for one in task.get_buffered_stream(StreamType.ERRORS)]
    assert error["global_key"] == KEYS[11]
    assert error["message"].endswith("in the project")


@pytest.mark.parametrize("every", [True, False])
def test_the_catalog_says_what_projects_and_runs_have(
    streets: Streets, *, every: bool
) -> None:
    run, project = streets.run, streets.project
    named = {"model_run_ids": [run.uid], "project_ids": [project.uid]}
    wanted = {"all_model_runs": True, "all_projects": True} if every else named

    task = streets.client.get_catalog().export(params={"predictions": True, **wanted})
    lines = lines_of(task)

    assert keys_of(lines) == KEYS
    first, last = lines[0], lines[11]
    found = first["experiments"][run.model_id]["runs"][run.uid]
    assert [len(found[one]) for one in ("labels", "predictions", "metrics")] == [1] * 3
    assert len(first["projects"][project.uid]["labels"]) == 1
    assert (last["experiments"], last["projects"]) == ({}, {})
    assert set(lines[9]["experiments"]) == {run.model_id}
    assert lines[9]["projects"] == {}


def test_a_dataset_is_exported(streets: Streets) -> None:
    other = streets.client.create_dataset(name="other")

    assert keys_of(lines_of(streets.dataset.export())) == KEYS
    assert lines_of(other.export()) == []
    found = streets.dataset.export(filters={"global_keys": [KEYS[2]]})
    assert keys_of(lines_of(found)) == [KEYS[2]]


def test_a_slice_of_the_catalog_is_exported(streets: Streets) -> None:
    clause = {"type": "global_key", "operator": "is", "ids": KEYS[2:4]}
    made = streets.client.execute(
        "mutation S($data: CreateSliceInput!) { createSlice(data: $data) { id } }",
        {"data": {"name": "two streets", "filter": [clause]}},
    )
    found = streets.client.get_catalog_slice(made["createSlice"]["id"])

    lines = lines_of(found.export(params={"project_ids": [streets.project.uid]}))

    assert keys_of(lines) == KEYS[2:4]
    assert all(streets.project.uid in line["projects"] for line in lines)

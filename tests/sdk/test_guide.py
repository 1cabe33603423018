"""What a guide to model runs promises, chapter by chapter, by the official SDK."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import labelbox.types as lb  # type: ignore[import-untyped]  # publishes no types
import pytest
from labelbox.data.annotation_types import (  # type: ignore[import-untyped]
    ConfusionMatrixMetric,
    ScalarMetric,
    ScalarMetricAggregation,
)

from tests.sdk.site import served
from tests.sdk.team import (
    LABELLED,
    Team,
    box,
    exported,
    founded,
    on,
    short_sleeps,
    upload,
)

CONFIG = {
    "learning_rate": 0.001,
    "checkpoint_path": "/path/to/checkpoint/file",
    "early_stopping": False,
    "batch_size": 32,
    "optimizer": {
        "adam": {
            "beta1": 0.899999976158,
            "beta2": 0.999000012875,
            "epsilon": 9.99999993923e-9,
        }
    },
    "ngpu": 1,
}
MEASURED = [
    {"name": "iou", "value": 0.5},
    {"name": "f1", "value": 0.33},
    {"name": "precision", "value": 0.55},
    {"name": "recall", "value": 0.33},
    {"name": "tagsCount", "value": 43},
    {"name": "metric_with_a_very_long_name", "value": 0.334332},
]


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Team]:
    with short_sleeps(), served(tmp_path_factory.mktemp("guide") / "home") as site:
        yield founded(site.sdk())


@pytest.fixture
def model(team: Team, request: pytest.FixtureRequest) -> Any:
    return team.client.create_model(request.node.name, team.ontology.uid)


@pytest.fixture
def run(model: Any) -> Any:
    return model.create_model_run("run")


def rows_of(run: Any) -> dict[str, str]:
    """Read the split of each row of a run."""
    return {
        row.data_row().global_key: row.data_split.value
        for row in run.model_run_data_rows()
    }


def test_all_runs_of_a_model_are_listed(model: Any) -> None:
    created = [model.create_model_run(name=f"run {number}") for number in range(3)]

    assert {run.uid for run in model.model_runs()} == {run.uid for run in created}


def test_a_run_is_created_with_its_config(model: Any) -> None:
    config = {"learning_rate": 0.001, "batch_size": 32}

    run = model.create_model_run(name="first", config=config)

    assert run.name == "first"
    assert run.get_config() == config


def test_a_run_is_found_by_its_id_with_its_rows_and_config(
    team: Team, model: Any
) -> None:
    made = model.create_model_run(name="found", config={"epochs": 3})
    made.upsert_data_rows(global_keys=team.keys[:2])

    run = team.client.get_model_run(model_run_id=made.uid)

    assert (run.name, run.model_id) == ("found", model.uid)
    assert rows_of(run) == {team.keys[0]: "UNASSIGNED", team.keys[1]: "UNASSIGNED"}
    assert run.get_config() == {"epochs": 3}


def test_rows_are_added_by_id_and_by_key_and_only_once(team: Team, run: Any) -> None:
    assert run.upsert_data_rows(data_row_ids=team.ids[:2]) is True
    assert run.upsert_data_rows(global_keys=team.keys[1:3]) is True

    rows = [row.data_row().global_key for row in run.model_run_data_rows()]
    assert sorted(rows) == team.keys[:3]


def test_rows_of_a_run_are_assigned_to_splits_by_id(team: Team, run: Any) -> None:
    run.upsert_data_rows(data_row_ids=team.ids)

    run.assign_data_rows_to_split(data_row_ids=team.ids[:100], split="TRAINING")
    run.assign_data_rows_to_split(data_row_ids=team.ids[100:150], split="VALIDATION")
    run.assign_data_rows_to_split(data_row_ids=team.ids[150:200], split="TEST")

    counts = Counter(rows_of(run).values())
    assert counts == {"TRAINING": 100, "VALIDATION": 50, "TEST": 50}


def test_rows_of_a_run_are_assigned_to_splits_by_key(team: Team, run: Any) -> None:
    run.upsert_data_rows(global_keys=team.keys)

    run.assign_data_rows_to_split(global_keys=team.keys[:100], split="TRAINING")
    run.assign_data_rows_to_split(global_keys=team.keys[100:150], split="VALIDATION")
    run.assign_data_rows_to_split(global_keys=team.keys[150:200], split="TEST")

    splits = rows_of(run)
    assert [splits[team.keys[n]] for n in (0, 99, 100, 149, 150, 199)] == [
        "TRAINING",
        "TRAINING",
        "VALIDATION",
        "VALIDATION",
        "TEST",
        "TEST",
    ]


def test_only_rows_of_a_run_can_be_assigned_to_a_split(team: Team, run: Any) -> None:
    run.upsert_data_rows(global_keys=team.keys[:1])

    with pytest.raises(Exception, match="Job failed"):
        run.assign_data_rows_to_split(global_keys=team.keys[:2], split="TEST")

    assert rows_of(run) == {team.keys[0]: "UNASSIGNED"}


def test_custom_metrics_of_predictions_as_python_classes(team: Team, run: Any) -> None:
    run.upsert_data_rows(global_keys=team.keys[:1])
    predicted = lb.ObjectAnnotation(
        name="cat",
        value=lb.Rectangle(start=lb.Point(x=1, y=2), end=lb.Point(x=5, y=5)),
        confidence=0.5,
        custom_metrics=MEASURED,
        classifications=[
            lb.ClassificationAnnotation(
                name="breed",
                value=lb.Radio(
                    answer=lb.ClassificationAnswer(
                        name="tabby", confidence=0.4, custom_metrics=MEASURED[:2]
                    )
                ),
            )
        ],
    )

    upload(run, [on(team.keys[0], predicted)])

    (entry,) = exported(run, predictions=True)[team.keys[0]]["predictions"]
    (cat,) = entry["annotations"]["objects"]
    assert (cat["name"], cat["confidence"]) == ("cat", 0.5)
    assert cat["bounding_box"] == {"top": 2, "left": 1, "height": 3, "width": 4}
    assert cat["custom_metrics"] == MEASURED
    (breed,) = cat["classifications"]
    assert breed["radio_answer"]["name"] == "tabby"
    assert breed["radio_answer"]["confidence"] == 0.4
    assert breed["radio_answer"]["custom_metrics"] == MEASURED[:2]


def test_custom_metrics_of_predictions_as_ndjson(team: Team, run: Any) -> None:
    run.upsert_data_rows(global_keys=team.keys[:1])
    sun = {
        "uuid": "8c4d1682-d3a2-42e1-aedc-dc194ed2b221",
        "dataRow": {"globalKey": team.keys[0]},
        "name": "weather",
        "answer": {"name": "sun", "confidence": 0, "customMetrics": MEASURED},
    }
    cat = box(team.keys[0], customMetrics=MEASURED)

    job = upload(run, [cat, sun])

    assert [one["status"] for one in job.statuses] == ["SUCCESS", "SUCCESS"]
    (entry,) = exported(run, predictions=True)[team.keys[0]]["predictions"]
    assert entry["annotations"]["objects"][0]["custom_metrics"] == MEASURED
    (weather,) = entry["annotations"]["classifications"]
    assert weather["radio_answer"]["custom_metrics"] == MEASURED
    assert weather["radio_answer"]["confidence"] == 0


def test_scalar_metrics_of_rows_features_and_nested_features(
    team: Team, run: Any
) -> None:
    run.upsert_data_rows(global_keys=team.keys[:1])
    metrics = [
        ScalarMetric(metric_name="iou_custom", value=0.5),
        ScalarMetric(metric_name="iou_custom", feature_name="cat", value=0.25),
        ScalarMetric(
            metric_name="iou_custom",
            feature_name="cat",
            subclass_name="orange",
            value=0.75,
        ),
    ]

    upload(run, [on(team.keys[0], *metrics)])

    assert metrics_of(run, team.keys[0]) == {
        ("iou_custom", None, None): 0.5,
        ("iou_custom", "cat", None): 0.25,
        ("iou_custom", "cat", "orange"): 0.75,
    }


def test_a_metric_that_is_uploaded_again_has_its_new_value(
    team: Team, run: Any
) -> None:
    run.upsert_data_rows(global_keys=team.keys[:1])
    for value in (0.5, 0.75):
        metric = ScalarMetric(metric_name="quality", value=value)
        upload(run, [on(team.keys[0], metric)])

    assert metrics_of(run, team.keys[0]) == {("quality", None, None): 0.75}


def test_metrics_say_how_they_are_aggregated(team: Team, run: Any) -> None:
    run.upsert_data_rows(global_keys=team.keys[:1])
    total = ScalarMetricAggregation.SUM
    metrics = [
        ScalarMetric(
            metric_name="true_positives",
            feature_name=name,
            value=value,
            aggregation=total,
        )
        for name, value in (("cat", 3), ("dog", 4))
    ]
    metrics.append(
        ConfusionMatrixMetric(
            metric_name="matrix", value={0.1: (1, 2, 3, 4), 0.5: (4, 3, 2, 1)}
        )
    )

    upload(run, [on(team.keys[0], *metrics)])

    found = {
        (one["metric_name"], one.get("feature_name")): one
        for one in exported(run, predictions=True)[team.keys[0]]["metrics"]
    }
    assert found["true_positives", "cat"]["aggregation"] == "SUM"
    assert found["true_positives", "cat"]["metric_value"] == 3
    assert found["true_positives", "dog"]["metric_value"] == 4
    assert found["matrix", None]["aggregation"] == "CONFUSION_MATRIX"
    assert found["matrix", None]["metric_value"] == {
        "0.1": [1, 2, 3, 4],
        "0.5": [4, 3, 2, 1],
    }


def test_labels_bring_their_rows_along(team: Team, run: Any) -> None:
    run.upsert_labels(team.labels[:2])

    rows = {row.data_row().uid: row.label_id for row in run.model_run_data_rows()}
    assert rows == dict(zip(team.ids[:2], team.labels[:2], strict=True))


def test_all_labels_of_a_project_bring_their_rows_along(team: Team, run: Any) -> None:
    run.upsert_labels(project_id=team.project.uid)

    rows = {row.data_row().uid: row.label_id for row in run.model_run_data_rows()}
    assert rows == dict(zip(team.ids[:LABELLED], team.labels, strict=True))


def test_the_labels_of_a_run_are_exported(team: Team, run: Any) -> None:
    run.upsert_labels(team.labels[:2])
    wanted = {"attachments": True, "metadata_fields": True, "data_row_details": True}

    with pytest.warns(DeprecationWarning, match="export_v2"):
        task = run.export_v2(params=wanted)
    task.wait_till_done()

    assert task.errors is None
    lines = {line["data_row"]["global_key"]: line for line in task.result}
    assert set(lines) == set(team.keys[:2])
    line = lines[team.keys[0]]
    assert line["data_row"]["details"]["dataset_id"] == team.dataset.uid
    assert (line["attachments"], line["metadata_fields"]) == ([], [])
    (label,) = line["experiments"][run.model_id]["runs"][run.uid]["labels"]
    assert label["id"] == team.labels[0]
    (cat,) = label["annotations"]["objects"]
    assert (cat["name"], cat["annotation_kind"]) == ("cat", "ImageBoundingBox")


def test_a_config_is_created_replaced_read_and_reset(model: Any) -> None:
    first = model.create_model_run(name="run 1", config=CONFIG)
    second = model.create_model_run(name="run 2")
    assert first.get_config() == CONFIG
    assert second.get_config() is None

    second.update_config({"batch_size": 1, "epochs": 2})
    second.update_config(CONFIG)
    assert second.get_config() == CONFIG

    second.reset_config()
    assert second.get_config() is None


def test_rows_are_deleted_from_a_run_with_all_that_hangs_on_them(
    team: Team, run: Any
) -> None:
    run.upsert_labels(team.labels[:3])
    upload(run, [box(one) for one in team.keys[:3]])

    run.delete_model_run_data_rows(data_row_ids=team.ids[:2])

    assert list(rows_of(run)) == team.keys[2:3]
    run.upsert_data_rows(data_row_ids=team.ids[:1])
    back = exported(run, predictions=True)[team.keys[0]]
    assert (back["labels"], back["predictions"]) == ([], [])


def test_a_deleted_run_is_gone(team: Team, model: Any) -> None:
    kept, deleted = (model.create_model_run(name) for name in ("kept", "deleted"))

    deleted.delete()

    assert [run.uid for run in model.model_runs()] == [kept.uid]
    with pytest.raises(Exception, match="not found"):
        team.client.get_model_run(deleted.uid)


def metrics_of(run: Any, key: str) -> dict[tuple[str, str | None, str | None], Any]:
    """Read the metrics of a row by what they are about."""
    return {
        (one["metric_name"], one.get("feature_name"), one.get("subclass_name")): one[
            "metric_value"
        ]
        for one in exported(run, predictions=True)[key]["metrics"]
    }

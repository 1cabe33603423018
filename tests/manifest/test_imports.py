"""What runs and projects are sent, as manifests declare it."""

from collections.abc import Callable

import pytest

from reconciler.state.address import Address, project_address, run_address
from reconciler.state.canonical import JsonObject
from reconciler.state.labels import LabelIds
from reconciler.state.resources import (
    LineFile,
    MetricTable,
    Project,
    RowIdentity,
    Run,
    RunStatus,
    Status,
    WrittenMetric,
)
from reconciler.state.snapshot import Desired

Load = Callable[[dict[str, str]], Desired]

HEAD = "apiVersion: reconciler/v1\n"
MODEL = f"{HEAD}kind: Ontology\nname: o\n---\n{HEAD}kind: Model\nname: m\nontology: o\n"


def _run(text: str, load_files: Load, files: dict[str, str] | None = None) -> Run:
    head = f"{MODEL}---\n{HEAD}kind: ModelRun\nmodel: m\nname: r\n"
    desired = load_files({"specs/a.yaml": head + text, **(files or {})})
    run = desired.resources[run_address("m", "r")]
    assert isinstance(run, Run)
    return run


def test_a_project_without_labels_is_a_reference(load_files: Load) -> None:
    desired = load_files(
        {"specs/a.yaml": f"{HEAD}kind: Project\nname: p\nid: project-id\n"}
    )

    address = project_address("p")
    assert desired.resources == {address: Project("p")}
    assert desired.pins == {address: "project-id"}


def test_a_project_brings_its_ground_truth(load_files: Load) -> None:
    desired = load_files(
        {
            "specs/a.yaml": f"{MODEL}---\n{HEAD}kind: Dataset\nname: d\n"
            f"---\n{HEAD}kind: Project\nname: p\nontology: o\ndataset: d\n"
            "labels: [{file: deep/t.ndjson}]\n",
            "specs/deep/t.ndjson": "{}\n",
        }
    )

    project = desired.resources[project_address("p")]
    assert isinstance(project, Project)
    assert project.ontology == Address.parse("ontology/o")
    assert project.dataset == Address.parse("dataset/d")
    assert project.labels is not None
    (lines,) = project.labels
    assert lines.name == "specs/deep/t.ndjson"
    assert lines.path.endswith("/specs/deep/t.ndjson")
    assert str(lines.span) == "specs/a.yaml:19:17"


def test_a_project_may_be_made_without_any_label_yet(load_files: Load) -> None:
    desired = load_files(
        {
            "specs/a.yaml": f"{MODEL}---\n{HEAD}kind: Project\nname: p\n"
            "ontology: o\nlabels: []\n"
        }
    )

    (project,) = desired.projects()
    assert project.labels == ()


def test_nothing_is_managed_that_is_not_declared(load_files: Load) -> None:
    run = _run("", load_files)

    assert (run.labels, run.predictions, run.metrics, run.status) == (None,) * 4


def test_an_empty_list_of_predictions_is_managed(load_files: Load) -> None:
    run = _run("predictions: []\nmetrics: []\n", load_files)

    assert (run.predictions, run.metrics) == ((), ())


def test_predictions_keep_the_order_of_the_manifest(load_files: Load) -> None:
    run = _run(
        "predictions: [{file: b.ndjson}, {file: a.jsonl}]\n",
        load_files,
        {"specs/a.jsonl": "", "specs/b.ndjson": ""},
    )

    assert [lines.name for lines in run.predictions or ()] == [
        "specs/b.ndjson",
        "specs/a.jsonl",
    ]


def test_metrics_are_read_of_files_of_lines(load_files: Load) -> None:
    run = _run("metrics: [{file: m.ndjson}]\n", load_files, {"specs/m.ndjson": ""})

    (lines,) = run.metrics or ()
    assert isinstance(lines, LineFile)
    assert lines.name == "specs/m.ndjson"


@pytest.mark.parametrize(
    ("columns", "named", "by"),
    [
        (
            "{globalKey: k, name: n, value: v, feature: f, subclass: s, "
            "aggregation: a, confidence: c}",
            {
                "row": "k",
                "name": "n",
                "value": "v",
                "feature": "f",
                "subclass": "s",
                "aggregation": "a",
                "confidence": "c",
            },
            RowIdentity.GLOBAL_KEY,
        ),
        (
            "{dataRowId: i, name: n, tp: a, fp: b, tn: c, fn: d}",
            {"row": "i", "name": "n", "tp": "a", "fp": "b", "tn": "c", "fn": "d"},
            RowIdentity.DATA_ROW_ID,
        ),
    ],
)
def test_metrics_are_read_of_tables(
    columns: str, named: dict[str, str], by: RowIdentity, load_files: Load
) -> None:
    run = _run(
        f"metrics: [{{file: m.csv, columns: {columns}}}]\n",
        load_files,
        {"specs/m.csv": "k\n"},
    )

    (table,) = run.metrics or ()
    assert isinstance(table, MetricTable)
    assert (table.name, table.columns, table.by) == ("specs/m.csv", named, by)


def test_a_table_may_be_read_for_several_metrics(load_files: Load) -> None:
    run = _run(
        "metrics:\n"
        "- {file: m.csv, columns: {globalKey: k, name: n, value: v}}\n"
        "- {file: m.csv, columns: {globalKey: k, name: o, value: w}}\n",
        load_files,
        {"specs/m.csv": "k\n"},
    )

    assert len(run.metrics or ()) == 2


@pytest.mark.parametrize(
    ("written", "line"),
    [
        (
            "{globalKey: k, name: n, value: 1.0}",
            {"dataRow": {"globalKey": "k"}, "metricName": "n", "metricValue": 1},
        ),
        (
            "{dataRowId: i, name: n, value: 2, feature: f, subclass: s, "
            "aggregation: SUM}",
            {
                "dataRow": {"id": "i"},
                "metricName": "n",
                "metricValue": 2,
                "featureName": "f",
                "subclassName": "s",
                "aggregation": "SUM",
            },
        ),
        (
            "{globalKey: k, name: n, value: [1, 2, 3, 4]}",
            {
                "dataRow": {"globalKey": "k"},
                "metricName": "n",
                "metricValue": [1, 2, 3, 4],
                "aggregation": "CONFUSION_MATRIX",
            },
        ),
        (
            '{globalKey: k, name: n, value: {"0.5": [1, 2, 3, 4], "0.9": [0, 0, 0, 0]}}',
            {
                "dataRow": {"globalKey": "k"},
                "metricName": "n",
                "metricValue": {"0.5": [1, 2, 3, 4], "0.9": [0, 0, 0, 0]},
                "aggregation": "CONFUSION_MATRIX",
            },
        ),
        (
            '{globalKey: k, name: n, value: {"0.5": 1, "0.9": 2}}',
            {
                "dataRow": {"globalKey": "k"},
                "metricName": "n",
                "metricValue": {"0.5": 1, "0.9": 2},
            },
        ),
    ],
)
def test_a_metric_that_is_written_out_is_a_line_of_an_import(
    written: str, line: JsonObject, load_files: Load
) -> None:
    (metric,) = _run(f"metrics:\n- {written}\n", load_files).metrics or ()

    assert isinstance(metric, WrittenMetric)
    assert metric.line == line
    assert (metric.span.line, metric.span.column) == (15, 3)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("COMPLETE", RunStatus(Status.COMPLETE, {})),
        (
            "{status: FAILED, metadata: {b: 1.0, a: 2}, errorMessage: out of memory}",
            RunStatus(Status.FAILED, {"a": 2, "b": 1}, "out of memory"),
        ),
        ("{status: TRAINING_MODEL}", RunStatus(Status.TRAINING_MODEL, {})),
    ],
)
def test_a_status_is_a_word_or_more(
    text: str, status: RunStatus, load_files: Load
) -> None:
    assert _run(f"status: {text}\n", load_files).status == status


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("none", set()),
        ("{labelIds: [a, b]}", {"a", "b"}),
        ("{labelIds: {file: ids.txt}}", {"x", "y"}),
        ("{labelIds: [a, {file: ids.csv, column: label}]}", {"a", "z"}),
    ],
)
def test_labels_are_named_by_id(text: str, ids: set[str], load_files: Load) -> None:
    run = _run(
        f"labels: {text}\n",
        load_files,
        {"specs/ids.txt": "x\ny\n", "specs/ids.csv": "label,other\nz,1\n"},
    )

    assert run.labels == LabelIds(frozenset(ids))  # type: ignore[arg-type]  # ids are texts

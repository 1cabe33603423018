"""Rows that a live selection chooses from, and runs as they are exported."""

from typing import Any

import pytest

from reconciler.api import documents
from reconciler.ports import Incomplete, Malformed
from reconciler.state.address import Address, Kind, RemoteId, project_address
from reconciler.state.contents import ExportParams, RunRow
from reconciler.state.resources import Split
from reconciler.state.selection import Condition, SelectedRow, Selection
from tests.remote.exported import exporting, lines
from tests.remote.said import row_page
from tests.remote.wire import Wire

DATASET = Address(Kind.DATASET, ("digits",))
PROJECT = project_address("digits")
FIELDS = {
    "customMetadataOntology": [
        {"id": "f1", "name": "city", "kind": "CustomMetadataString", "options": None},
        {"id": "f2", "name": "taken", "kind": "CustomMetadataDateTime"},
        {
            "id": "f3",
            "name": "split",
            "kind": "CustomMetadataEnum",
            "options": [{"id": "o1", "name": "test"}, {"id": "o2", "name": "train"}],
        },
        {"id": "f4", "name": "score", "kind": "CustomMetadataNumber"},
    ]
}


def row(name: str, *metadata: tuple[str, Any], **more: Any) -> dict[str, Any]:
    fields = [{"schema_name": field, "value": value} for field, value in metadata]
    data = {"id": name, "global_key": f"key-{name}"}
    return {"data_row": data, "metadata_fields": fields, **more}


def labelled(name: str, *labels: Any) -> dict[str, Any]:
    return row(name, projects={"p1": {"labels": labels}})


def select(wire: Wire, source: Address, *fields: str) -> list[SelectedRow]:
    asked = Selection(
        source=source,
        metadata=tuple(Condition(field=one, equals=("x",)) for one in fields),
    )
    ids = {DATASET: RemoteId("d1"), PROJECT: RemoteId("p1")}
    found = wire.labelbox().select(asked, ids[source])
    return [one for batch in found for one in batch]


def offering(*told: Any) -> Wire:
    wire = Wire()
    exporting(wire, lines(*told))
    wire.on(documents.METADATA_FIELDS, FIELDS)
    return wire


def test_rows_come_with_the_metadata_that_is_asked_for_and_no_other() -> None:
    wire = offering(row("1", ("city", "Oslo"), ("score", 0.5)), row("2"))

    assert select(wire, DATASET, "city") == [
        SelectedRow("1", "key-1", {"city": "Oslo"}),
        SelectedRow("2", "key-2", {}),
    ]
    (given,) = wire.variables(documents.EXPORT_CATALOG)
    assert given["input"]["params"]["includeMetadata"] is True
    assert given["input"]["filters"]["searchQuery"]["query"] == [
        {"ids": ["d1"], "operator": "is", "type": "dataset"}
    ]


def test_without_conditions_no_metadata_is_asked_for() -> None:
    wire = offering(row("1"))

    assert select(wire, DATASET) == [SelectedRow("1", "key-1", {})]

    (given,) = wire.variables(documents.EXPORT_CATALOG)
    assert given["input"]["params"]["includeMetadata"] is False
    assert wire.count(documents.METADATA_FIELDS) == 0


@pytest.mark.parametrize(
    ("field", "value", "read"),
    [
        ("taken", "2030-01-31T12:00:00Z", "2030-01-31T12:00:00+00:00"),
        ("taken", "2030-01-31T12:00:00.5", "2030-01-31T12:00:00.500000+00:00"),
        ("taken", "2030-01-31T12:00:00+01:00", "2030-01-31T12:00:00+01:00"),
        ("taken", "soon", "soon"),
        ("split", "test", "test"),
        ("split", "o2", "train"),
        ("split", [{"schema_id": "o1", "schema_name": "test"}], "test"),
        ("split", {"name": "train"}, "train"),
        ("split", None, None),
        ("score", 0.5, 0.5),
        ("city", "o2", "o2"),
    ],
)
def test_values_are_told_in_one_form(field: str, value: object, read: object) -> None:
    (found,) = select(offering(row("1", (field, value))), DATASET, field)

    assert found.metadata == {field: read}


def test_a_field_is_known_by_its_id_as_well() -> None:
    told = row("1", metadata_fields=[{"schema_id": "f1", "value": "Oslo"}])

    (found,) = select(offering(told), DATASET, "city")

    assert found.metadata == {"city": "Oslo"}


def test_of_a_project_only_rows_with_a_label_count() -> None:
    wire = offering(labelled("1", {"id": "l1"}), labelled("2"), row("3"))

    assert [one.id for one in select(wire, PROJECT)] == ["1"]


def test_rows_that_come_twice_make_a_selection_incomplete() -> None:
    with pytest.raises(Incomplete, match="dataset/digits shifted"):
        select(offering(row("1"), row("1")), DATASET)


def in_run(name: str, **details: Any) -> dict[str, Any]:
    run = {"labels": [], "predictions": [], **details}
    return row(name, experiments={"m1": {"runs": {"r1": run}}})


def contents(wire: Wire) -> list[RunRow]:
    found = wire.labelbox().run_contents(
        RemoteId("r1"), ExportParams(predictions=True, attachments=True)
    )
    return [one for batch in found for one in batch]


def test_a_line_of_a_run_is_kept_as_it_came() -> None:
    told = in_run("1", split="TEST", predictions=[{"id": "p"}])
    wire = offering(told)

    (found,) = contents(wire)

    assert found == RunRow(
        id="1",
        key="key-1",
        split=Split.TEST,
        line=lines(told).rstrip(b"\n"),
        data_row={"id": "1", "global_key": "key-1"},
        predictions=({"id": "p"},),
    )
    (given,) = wire.variables(documents.EXPORT_RUN)
    assert given["input"]["params"] == {
        "mediaTypeOverride": None,
        "includeAttachments": True,
        "includeEmbeddings": False,
        "includeMetadata": False,
        "includeDataRowDetails": False,
        "includePredictions": True,
        "includeModelRunDetails": True,
    }


def test_metrics_are_told_as_imports_take_them() -> None:
    told = {
        "metric_name": "iou",
        "metric_value": {"0.5": [1, 2, 3, 4]},
        "aggregation": "CONFUSION_MATRIX",
        "feature_name": "cat",
    }

    (found,) = contents(offering(in_run("1", split=None, metrics=[told])))

    assert found.metrics == (
        {
            "metricName": "iou",
            "metricValue": {"0.5": [1, 2, 3, 4]},
            "aggregation": "CONFUSION_MATRIX",
            "featureName": "cat",
        },
    )


def test_splits_that_an_export_does_not_tell_are_read_from_pages() -> None:
    wire = offering(in_run("1"), in_run("2"))
    wire.on(documents.RUN_ROWS, row_page(("1", None, "TEST"), ("2", None, "TRAINING")))

    assert [one.split for one in contents(wire)] == [Split.TEST, Split.TRAINING]
    assert wire.count(documents.RUN_ROWS) == 1


def test_a_row_that_no_page_has_makes_an_export_incomplete() -> None:
    wire = offering(in_run("1"))
    wire.on(documents.RUN_ROWS, row_page())

    with pytest.raises(Incomplete, match="1 is gone"):
        contents(wire)


def test_a_row_that_comes_twice_makes_an_export_incomplete() -> None:
    with pytest.raises(Incomplete, match="1 came twice"):
        contents(offering(in_run("1", split="TEST"), in_run("1", split="TEST")))


@pytest.mark.parametrize("told", [row("1"), {**in_run("1"), "data_row": {}}])
def test_a_line_that_is_about_nothing_is_malformed(told: Any) -> None:
    with pytest.raises(Malformed, match="doesn't say what it is about"):
        contents(offering(told))

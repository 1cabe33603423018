"""Lines that are right, and what they are read as."""

import json
from pathlib import Path
from typing import Any

import pytest

from reconciler.annotations.checked import (
    Aggregation,
    Annotation,
    Ends,
    Metric,
    MetricKey,
)
from reconciler.annotations.rows import RowName, decode, read_uuid
from reconciler.annotations.rules import STRICT, Purpose, Rules
from tests.annotations.fitting import MASK_ID, POINT_ID, checker

HERE = Path(__file__).parent
HAND_WRITTEN = [
    json.loads(line)
    for line in (HERE / "rows.jsonl").read_text(encoding="utf-8").splitlines()
]
UUID = "f9e2c43f-7c0d-4f48-95d8-1e014cbfbd3b"
BOX = {"bbox": {"top": 1, "left": 2, "height": 3, "width": 4}, "name": "cat"}


def line(**fields: object) -> bytes:
    return json.dumps({"dataRow": {"globalKey": "gk"}, **fields}).encode()


@pytest.mark.parametrize(
    "given", HAND_WRITTEN, ids=[f"{one['media']} {one['kind']}" for one in HAND_WRITTEN]
)
def test_a_row_as_people_write_it_is_taken(given: dict[str, Any]) -> None:
    text = json.dumps(given["row"], ensure_ascii=False).encode()

    found = checker(given["media"]).read(text)

    assert isinstance(found, Annotation), found
    assert found.kind == given["kind"]
    assert isinstance(checker().read(found.line), Annotation)


def test_an_annotation_says_what_it_is() -> None:
    text = line(uuid=UUID.upper(), isBenchmarkReferenceLabel=True, **BOX)

    found = checker("IMAGE").read(b"  " + text + b"\r\n")

    assert isinstance(found, Annotation)
    assert found.line == text
    assert found.uuid == UUID
    assert found.row == RowName(global_key="gk")
    assert found.feature is not None
    assert (found.feature.name, found.feature.type) == ("cat", "rectangle")
    assert (found.ends, found.benchmark) == (None, True)


def test_a_line_that_was_taken_is_decoded_again() -> None:
    found = checker().read(line(confidence=0, **BOX))

    assert isinstance(found, Annotation)
    row = decode(found.line)
    assert row.confidence == 0
    assert row.bbox is not None
    assert row.bbox.width == 4


@pytest.mark.parametrize("schema_id", [POINT_ID, "n" * 25])
def test_a_feature_is_found_by_either_of_its_ids(schema_id: str) -> None:
    found = checker().read(line(schemaId=schema_id, point={"x": 1, "y": 2}))

    assert isinstance(found, Annotation)
    assert found.feature is not None
    assert found.feature.name == "pt"


def test_of_two_tools_of_one_name_the_row_means_the_one_that_makes_it() -> None:
    found = checker().read(line(name="both", point={"x": 1, "y": 2}))

    assert isinstance(found, Annotation)
    assert found.feature is not None
    assert found.feature.type == "point"


def test_the_ends_of_a_relationship_are_canonical() -> None:
    ends = {"source": f"urn:uuid:{UUID}", "target": f"{{{UUID.upper()}}}"}

    found = checker().read(line(name="rel", relationship=ends))

    assert isinstance(found, Annotation)
    assert found.ends == Ends(UUID, UUID)


def test_the_masks_of_a_video_are_made_with_several_features() -> None:
    masks = {
        "frames": [
            {"index": 1, "instanceURI": "https://x.test/m.png"},
            {"index": 2, "imBytes": "aGk="},
        ],
        "instances": [
            {"colorRGB": [0, 0, 255], "name": "mask"},
            {"colorRGB": [0, 255, 0], "schemaId": MASK_ID},
            {"colorRGB": [255, 0, 0], "name": "mask", "featureSchemaId": MASK_ID},
        ],
    }

    found = checker("VIDEO", purpose=Purpose.LABEL).read(line(masks=masks))

    assert isinstance(found, Annotation)
    assert (found.kind, found.feature) == ("video mask", None)


def test_labels_ignore_confidences_and_custom_metrics() -> None:
    marks = {"confidence": 7, "customMetrics": [{"name": "", "value": 1}]}
    nested = [{"name": "breed", "answer": {"name": "tabby", **marks}}]
    texts = [
        line(classifications=nested, **marks, **BOX),
        line(name="radio_q", answer={"name": "a", **marks}, **marks),
    ]

    for purpose in (Purpose.LABEL, Purpose.PRELABEL):
        for text in texts:
            assert isinstance(checker(purpose=purpose).read(text), Annotation)


@pytest.mark.parametrize(
    ("fields", "key", "aggregation", "value"),
    [
        (
            {"metricName": "m", "metricValue": 1},
            MetricKey("m", None, None),
            Aggregation.ARITHMETIC_MEAN,
            1.0,
        ),
        (
            {"metricValue": 100_000_000, "aggregation": "SUM", "featureName": "cat"},
            MetricKey(None, "cat", None),
            Aggregation.SUM,
            1e8,
        ),
        (
            {
                "metricName": "IoU",
                "metricValue": [10_000_000_000, 0, 1, 2],
                "aggregation": "CONFUSION_MATRIX",
                "featureName": "radio_q",
                "subclassName": "subb",
            },
            MetricKey("IoU", "radio_q", "subb"),
            Aggregation.CONFUSION_MATRIX,
            (10_000_000_000, 0, 1, 2),
        ),
        (
            {
                "metricName": "m",
                "metricValue": {"0": 1, "1e-1": 0.5, "1.0": 2},
                "featureName": "cat",
                "subclassName": "breed",
            },
            MetricKey("m", "cat", "breed"),
            Aggregation.ARITHMETIC_MEAN,
            {"0": 1, "1e-1": 0.5, "1.0": 2},
        ),
    ],
    ids=["scalar", "nameless", "counts", "confidences"],
)
def test_a_metric_says_what_it_is_of(
    fields: dict[str, Any], key: MetricKey, aggregation: Aggregation, value: Any
) -> None:
    found = checker("TEXT").read(line(uuid=UUID.upper(), **fields))

    assert found == Metric(RowName(global_key="gk"), key, aggregation, value, UUID)


def test_a_metric_may_have_fifteen_confidences() -> None:
    values = {str(n / 14): n for n in range(15)}

    assert isinstance(checker().read(line(metricName="m", metricValue=values)), Metric)


def test_a_metric_needs_no_uuid_by_the_strictest_rules() -> None:
    text = line(metricName="m", metricValue=1)

    assert isinstance(checker(rules=STRICT).read(text), Metric)


def test_a_metric_may_name_any_feature_when_the_rules_say_so() -> None:
    text = line(metricName="m", metricValue=1, featureName="?", subclassName="??")

    found = checker(rules=Rules(unknown_metric_features=True)).read(text)

    assert isinstance(found, Metric)


@pytest.mark.parametrize(
    "text",
    [
        UUID,
        UUID.upper(),
        UUID.replace("-", ""),
        f"{{{UUID}}}",
        f"urn:uuid:{UUID}",
    ],
)
def test_a_uuid_has_one_form(text: str) -> None:
    assert read_uuid(text) == UUID


@pytest.mark.parametrize(
    "text", ["", "x", UUID[:-1], f"{UUID}0", "z" * 32, UUID + UUID]
)
def test_what_is_no_uuid_has_none(text: str) -> None:
    assert read_uuid(text) is None


@pytest.mark.parametrize(
    "row",
    [
        {
            "name": "check_q",
            "answer": [
                {"name": "x", "frames": [{"start": 1, "end": 3}]},
                {"name": "x", "frames": [{"start": 7, "end": 9}]},
            ],
        },
        {
            "name": "check_q",
            "answer": [
                {"name": "x", "frames": [{"start": 1, "end": 3}]},
                {"name": "y"},
            ],
            "frames": [{"start": 1, "end": 9}],
        },
        {
            "name": "radio_q",
            "answer": [
                {
                    "name": "a",
                    "frames": [{"start": 1, "end": 3}, {"start": 2, "end": 4}],
                },
                {"name": "b", "frames": [{"start": 5, "end": 5}]},
            ],
        },
        {"name": "check_q", "answer": [], "frames": [{"start": 1, "end": 2}]},
    ],
    ids=[
        "an option twice, at different times",
        "an option with the frames of the line",
        "frames of one answer that overlap",
        "nothing chosen on some frames",
    ],
)
def test_answers_that_never_meet_are_taken(row: dict[str, Any]) -> None:
    assert isinstance(checker().read(line(**row)), Annotation)

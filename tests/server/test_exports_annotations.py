"""Lines of imports as annotations of an export, kind by kind."""

import base64
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from reconciler.annotations.features import Features
from reconciler.server.exporting.annotations import Reader
from reconciler.server.exporting.labels import decode_lines, label_of, numbered
from reconciler.server.exporting.masks import MaskFiles
from reconciler.server.files import Files, Urls

LABEL = "cl0000000000000000000label"
ONE = "a0000000-0000-4000-8000-000000000001"
TWO = "b0000000-0000-4000-8000-000000000002"
METRICS = [{"name": "loss", "value": 0.25}]


def schema(name: str) -> str:
    """Make a schema id of 25 characters that says what it is of."""
    return f"{name:x<25}"


def radio(name: str, *options: str, **more: Any) -> dict[str, Any]:
    return {
        "type": "radio",
        "name": name,
        "instructions": name.title(),
        "featureSchemaId": schema(name),
        "options": [
            {"value": one, "label": one.title(), "featureSchemaId": schema(one)}
            for one in options
        ],
        **more,
    }


def tool(kind: str, name: str, *nested: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "tool": kind,
        "name": name,
        "featureSchemaId": schema(name),
        "classifications": list(nested),
    }


ONTOLOGY = {
    "tools": [
        tool("rectangle", "big-cat", radio("breed", "tabby")),
        tool("named-entity", "person"),
        tool("raster-segmentation", "fur"),
        tool("edge", "next to"),
    ],
    "classifications": [
        radio("weather", "rain", "sun"),
        radio("things", "car", "bus", type="checklist"),
        {"type": "text", "name": "note", "instructions": "note"},
    ],
}

Make = Callable[..., dict[str, Any]]


@pytest.fixture
def files(tmp_path: Path) -> MaskFiles:
    return MaskFiles(
        Files(tmp_path), Urls("http://twin.test", b"secret", 2_000_000_000)
    )


@pytest.fixture
def make(files: MaskFiles) -> Make:
    """Export a label as clients read it."""

    def export(
        *rows: Mapping[str, Any],
        media_type: str | None = "IMAGE",
        marks: bool = True,
        between: bool = False,
        uuids: bool = False,
    ) -> dict[str, Any]:
        reader = Reader(Features.of(ONTOLOGY), media_type, files, marks, uuids)
        lines = numbered(decode_lines(json.dumps(rows).encode()))
        label = label_of(reader, LABEL, lines, between=between)
        plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(label))
        return plain

    return export


@pytest.fixture
def the_object(make: Make) -> Make:
    """Export a label of one object."""

    def export(row: Mapping[str, Any], **how: Any) -> dict[str, Any]:
        (one,) = make({"uuid": ONE, **row}, **how)["annotations"]["objects"]
        assert len(one["feature_id"]) == 25
        found: dict[str, Any] = one
        return found

    return export


@pytest.fixture
def the_answer(make: Make) -> Make:
    """Export a label of one classification."""

    def export(row: Mapping[str, Any], **how: Any) -> dict[str, Any]:
        label = make({"uuid": ONE, **row}, **how)
        (one,) = label["annotations"]["classifications"]
        found: dict[str, Any] = one
        return found

    return export


BOX = {"top": 1.0, "left": 2.0, "height": 3.0, "width": 4.0}
A, B, C = {"x": 0.0, "y": 1.0}, {"x": 2.0, "y": 3.0}, {"x": 5.0, "y": 0.0}


def test_a_label_says_what_it_is(make: Make) -> None:
    assert make() == {
        "label_kind": "Default",
        "version": "1.0.0",
        "id": LABEL,
        "annotations": {"objects": [], "classifications": [], "relationships": []},
    }


def test_a_box_has_all_that_was_said_of_it(the_object: Make) -> None:
    found = the_object(
        {
            "name": "big-cat",
            "bbox": BOX,
            "confidence": 0.5,
            "customMetrics": METRICS,
            "classifications": [
                {"name": "breed", "answer": {"name": "tabby", "confidence": 0}}
            ],
        }
    )

    (breed,) = found.pop("classifications")
    answer = breed.pop("radio_answer")
    ids = {one.pop("feature_id") for one in (found, breed, answer)}
    assert len(ids) == 3
    assert found == {
        "feature_schema_id": schema("big-cat"),
        "name": "big-cat",
        "value": "big_cat",
        "annotation_kind": "ImageBoundingBox",
        "confidence": 0.5,
        "custom_metrics": METRICS,
        "bounding_box": BOX,
    }
    assert breed == {
        "feature_schema_id": schema("breed"),
        "name": "Breed",
        "value": "breed",
    }
    assert answer == {
        "feature_schema_id": schema("tabby"),
        "name": "Tabby",
        "value": "tabby",
        "confidence": 0.0,
        "classifications": [],
    }


def test_features_have_the_same_ids_in_every_export(make: Make) -> None:
    row = {"name": "big-cat", "bbox": BOX}

    first = make({"uuid": ONE, **row}, {"uuid": TWO, **row}, row)
    again = make(row, {"uuid": TWO, **row}, {"uuid": ONE.upper(), **row})

    ids = [one["feature_id"] for one in first["annotations"]["objects"]]
    others = [one["feature_id"] for one in again["annotations"]["objects"]]
    assert len(set(ids)) == 3
    assert others[1:] == [ids[1], ids[0]]


def test_annotations_say_at_the_top_which_uuid_they_were_imported_with(
    make: Make,
) -> None:
    breed = {"name": "breed", "answer": {"name": "tabby"}}
    rows = [
        {
            "uuid": ONE.upper(),
            "name": "big-cat",
            "bbox": BOX,
            "classifications": [breed],
        },
        {"uuid": TWO, "name": "weather", "answer": {"name": "rain"}},
        {
            "uuid": ONE,
            "name": "next to",
            "relationship": {"source": ONE, "target": TWO},
        },
        {"name": "note", "answer": "none"},
    ]

    found = make(*rows, uuids=True)["annotations"]

    assert [one["uuid"] for one in found["objects"]] == [ONE]
    assert [one.get("uuid") for one in found["classifications"]] == [TWO, None]
    assert [one["uuid"] for one in found["relationships"]] == [ONE]
    assert json.dumps(found).count('"uuid"') == 3
    assert "uuid" not in json.dumps(make(*rows))


def test_a_relationship_has_what_is_asked_of_it(make: Make) -> None:
    row = {"name": "next to", "relationship": {"source": ONE, "target": TWO}}
    below = [{"name": "how far", "answer": "far"}]

    (found,) = make({**row, "classifications": below})["annotations"]["relationships"]

    (asked,) = found["classifications"]
    assert asked["text_answer"] == {"content": "far"}


def test_a_label_has_no_confidence(the_object: Make) -> None:
    row = {"name": "big-cat", "bbox": BOX, "confidence": 0.5, "customMetrics": METRICS}

    assert not {"confidence", "custom_metrics"} & set(the_object(row, marks=False))


@pytest.mark.parametrize(
    ("media_type", "row", "kind", "body"),
    [
        ("IMAGE", {"point": A}, "ImagePoint", {"point": A}),
        ("IMAGE", {"line": [A, B]}, "ImagePolyline", {"line": [A, B]}),
        ("IMAGE", {"polygon": [A, B, C]}, "ImagePolygon", {"polygon": [A, B, C, A]}),
        ("IMAGE", {"polygon": [A, B, C, A]}, "ImagePolygon", {"polygon": [A, B, C, A]}),
        (None, {"point": A}, "ImagePoint", {"point": A}),
        (
            "TEXT",
            {"location": {"start": 3, "end": 7}},
            "TextEntity",
            {"location": {"start": 3, "end": 7}},
        ),
        (
            "CONVERSATIONAL",
            {"location": {"start": 0, "end": 7}, "messageId": "m1"},
            "ConversationalTextEntity",
            {
                "conversational_location": {
                    "message_id": "m1",
                    "location": {"start": 0, "end": 7},
                }
            },
        ),
        (
            "PDF",
            {"bbox": BOX, "page": 4, "unit": "POINTS"},
            "DocumentBoundingBox",
            {"page_number": 4, "bounding_box": BOX, "unit": "POINTS"},
        ),
        (
            "PDF",
            {"textSelections": [{"tokenIds": ["t1", "t2"], "groupId": "g", "page": 1}]},
            "DocumentEntityToken",
            {
                "location": {
                    "groups": [
                        {
                            "id": "g",
                            "page_number": 1,
                            "tokens": [{"id": "t1"}, {"id": "t2"}],
                        }
                    ]
                }
            },
        ),
        (
            "TMS_GEO",
            {"bbox": BOX},
            "GeoBoundingBox",
            {
                "geojson": {
                    "type": "Polygon",
                    "coordinates": [
                        [[2.0, 1.0], [2.0, 4.0], [6.0, 4.0], [6.0, 1.0], [2.0, 1.0]]
                    ],
                }
            },
        ),
        (
            "TMS_GEO",
            {"polygon": [A, B, C]},
            "GeoPolygon",
            {
                "geojson": {
                    "type": "Polygon",
                    "coordinates": [[[0.0, 1.0], [2.0, 3.0], [5.0, 0.0], [0.0, 1.0]]],
                }
            },
        ),
        (
            "TMS_SIMPLE",
            {"line": [A, B]},
            "GeoPolyline",
            {
                "geojson": {
                    "type": "LineString",
                    "coordinates": [[0.0, 1.0], [2.0, 3.0]],
                }
            },
        ),
        (
            "TMS_GEO",
            {"point": B},
            "GeoPoint",
            {"geojson": {"type": "Point", "coordinates": [2.0, 3.0]}},
        ),
        (
            "IMAGE",
            {"mask": {"instanceURI": "https://e.test/m.png", "colorRGB": [1, 2, 3]}},
            "ImageSegmentationMask",
            {
                "mask": {"url": "https://e.test/m.png"},
                "composite_mask": {
                    "url": "https://e.test/m.png",
                    "color_rgb": [1, 2, 3],
                },
            },
        ),
        (
            "IMAGE",
            {"mask": {"size": [4, 2], "counts": [3, 5]}},
            "ImageSegmentationMask",
            {"mask": {"size": [4, 2], "counts": [3, 5]}},
        ),
        (
            "CONVERSATIONAL",
            {"messageEvaluationTask": {"format": "message-ranking", "data": {"a": 1}}},
            "MessageRanking",
            {"message_ranking": {"a": 1}},
        ),
    ],
)
def test_each_kind_has_its_shape(
    the_object: Make,
    media_type: str | None,
    row: Mapping[str, Any],
    kind: str,
    body: Mapping[str, Any],
) -> None:
    found = the_object({"name": "person", **row}, media_type=media_type)

    assert found["annotation_kind"] == kind
    common = {
        "feature_id",
        "feature_schema_id",
        "name",
        "value",
        "annotation_kind",
        "classifications",
    }
    assert {key: found[key] for key in found if key not in common} == body


def test_a_url_of_ours_is_made_anew(the_object: Make) -> None:
    ours = Urls("http://old.test", b"secret", 1_900_000_000)
    url = ours.sign("c" + "a" * 24, "my mask.png")

    found = the_object({"name": "fur", "mask": {"instanceURI": url}})

    fresh = Urls("http://twin.test", b"secret", 2_000_000_000)
    wanted = fresh.sign("c" + "a" * 24, "my mask.png")
    assert found["mask"]["url"] == found["composite_mask"]["url"] == wanted


def test_pixels_become_a_file_that_equal_pixels_share(
    make: Make, files: MaskFiles, tmp_path: Path
) -> None:
    pixels = [base64.b64encode(text).decode() for text in (b"one", b"one", b"other")]

    label = make(*({"name": "fur", "mask": {"png": png}} for png in pixels))

    urls = [one["mask"]["url"] for one in label["annotations"]["objects"]]
    assert urls[0] == urls[1] != urls[2]
    assert len(files.written) == 2
    assert all(url.startswith("http://twin.test/files/c") for url in urls)
    kept = {Files(tmp_path).path(w.sha256).read_bytes() for w in files.written.values()}
    assert kept == {b"one", b"other"}


def test_a_radio_has_one_answer_with_its_own_confidence(the_answer: Make) -> None:
    answer = {"name": "rain", "confidence": 0.5, "customMetrics": METRICS}

    found = the_answer({"name": "weather", "answer": answer})

    assert (found["name"], found["value"]) == ("Weather", "weather")
    assert found["radio_answer"]["value"] == "rain"
    assert found["radio_answer"]["confidence"] == 0.5
    assert found["radio_answer"]["custom_metrics"] == METRICS
    assert "confidence" not in found


@pytest.mark.parametrize("key", ["answer", "answers"])
def test_a_checklist_has_a_list_of_answers(the_answer: Make, key: str) -> None:
    found = the_answer({"name": "things", key: [{"name": "car"}, {"name": "bus"}]})

    assert [one["value"] for one in found["checklist_answers"]] == ["car", "bus"]
    assert len({one["feature_id"] for one in found["checklist_answers"]}) == 2


def test_a_checklist_of_one_answer_is_a_list(the_answer: Make) -> None:
    found = the_answer({"name": "things", "answer": [{"name": "car"}]})

    assert [one["value"] for one in found["checklist_answers"]] == ["car"]


def test_a_text_has_its_content_and_confidence(the_answer: Make) -> None:
    found = the_answer({"name": "note", "answer": "dusk", "confidence": 0.25})

    assert found["text_answer"] == {"content": "dusk", "confidence": 0.25}


@pytest.mark.parametrize(
    ("name", "answer", "key"),
    [
        ("weather", {"name": "sun"}, "conversational_radio_answer"),
        ("things", [{"name": "car"}], "conversational_checklist_answers"),
        ("note", "good", "conversational_text_answer"),
    ],
)
def test_an_answer_about_a_message_names_it(
    the_answer: Make, name: str, answer: object, key: str
) -> None:
    found = the_answer({"name": name, "answer": answer, "messageId": "m1"})

    assert found["message_id"] == "m1"
    assert key in found


def test_a_feature_that_the_ontology_has_lost_is_named_by_its_line(
    the_answer: Make,
) -> None:
    found = the_answer(
        {"name": "Old One", "schemaId": schema("old"), "answer": {"name": "yes"}}
    )

    assert (found["name"], found["value"]) == ("Old One", "old_one")
    assert found["feature_schema_id"] == schema("old")
    assert found["radio_answer"]["name"] == "yes"


@pytest.mark.parametrize(
    ("media_type", "type_", "kind"),
    [
        ("TEXT", "unidirectional", "TextUnidirectionalRelationship"),
        ("CONVERSATIONAL", "bidirectional", "TextBidirectionalRelationship"),
        ("IMAGE", "unidirectional", "ImageUnidirectionalRelationship"),
    ],
)
def test_a_relationship_points_at_features(
    make: Make, media_type: str, type_: str, kind: str
) -> None:
    ends = {"source": ONE.upper(), "target": TWO, "type": type_}
    label = make(
        {"name": "next to", "relationship": ends},
        {"uuid": ONE, "name": "person", "location": {"start": 0, "end": 1}},
        {"uuid": TWO, "name": "person", "location": {"start": 2, "end": 3}},
        media_type=media_type,
    )["annotations"]

    first, second = (one["feature_id"] for one in label["objects"])
    (found,) = label["relationships"]
    assert found["annotation_kind"] == kind
    assert found[f"{type_}_relationship"] == {"source": first, "target": second}
    assert (found["name"], found["value"]) == ("next to", "next_to")


def test_an_empty_text_is_a_text(the_answer: Make) -> None:
    found = the_answer({"name": "note", "answer": ""})

    assert found["text_answer"] == {"content": ""}
    assert "checklist_answers" not in found

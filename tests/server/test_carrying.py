"""Annotations by one ontology become annotations by another."""

import json
from typing import Any

import pytest

from reconciler.annotations.features import Features
from reconciler.server.carrying import (
    Passage,
    carry,
    confidence_of,
    related,
    schema_ids,
)
from reconciler.server.lines import body_of, line_of
from tests.support.labelling import box, cars_and_weather, uuid


def passage(**becomes: str) -> Passage:
    """Go from the ontology of a to that of b."""
    return Passage(
        Features.of(cars_and_weather("a")),
        Features.of(cars_and_weather("b")),
        {f"a-{one}": f"b-{other}" for one, other in becomes.items()},
    )


def carried(given: dict[str, Any], **becomes: str) -> Any:
    """Carry a line, and read what comes of it."""
    line = line_of(json.dumps({"uuid": uuid(1), **given}))
    found = carry(line, passage(**becomes))
    return None if found is None else json.loads(body_of(found))


def test_an_object_takes_the_name_and_keeps_its_shape() -> None:
    given = box(1, name="a car", confidence=0.5)

    assert carried(given, car="car") == {
        **box(1, confidence=0.5),
        "name": "b car",
        "schemaId": "b-car",
    }


@pytest.mark.parametrize(
    "given", [{"schemaId": "a-car"}, {"name": "a car", "schema_id": "a-car"}]
)
def test_a_feature_is_named_by_its_schema_as_well(given: dict[str, Any]) -> None:
    found = carried({"bbox": {}, **given}, car="car")

    assert found == {
        "uuid": uuid(1),
        "bbox": {},
        "name": "b car",
        "schemaId": "b-car",
    }


@pytest.mark.parametrize(
    "given", [{"name": "a edge"}, {"name": "unheard of"}, {"masks": {}}]
)
def test_what_isnt_mapped_has_no_place(given: dict[str, Any]) -> None:
    assert carried(given, car="car") is None


@pytest.mark.parametrize(
    ("colour", "becomes", "expected"),
    [
        ("red", {}, ["red"]),
        ("a!", {}, []),
        ("a!", {"a!": "b!"}, ["b!"]),
        ("red", {"red": "b!"}, ["b!"]),
    ],
)
def test_what_is_nested_goes_by_the_mapping_or_by_name(
    colour: str, becomes: dict[str, str], expected: list[str]
) -> None:
    nested = {"name": "colour", "answer": {"name": colour, "confidence": 0.5}}
    given = {"name": "a car", "bbox": {}, "classifications": [nested]}

    found = carried(given, car="car", **becomes)

    answers = [one["answer"] for one in found["classifications"]]
    assert [one["name"] for one in answers] == expected
    assert [one["confidence"] for one in answers] == [0.5] * len(expected)


def test_an_answer_takes_what_hangs_below_it_along() -> None:
    below = {"name": "falls", "answer": {"name": "rain"}}
    given = {"name": "weather", "answer": {"name": "wet", "classifications": [below]}}

    found = carried(given, weather="weather")

    assert found["answer"] == {
        "name": "wet",
        "schemaId": "b-wet",
        "classifications": [
            {
                "name": "falls",
                "schemaId": "b-falls",
                "answer": {"name": "rain", "schemaId": "b-rain"},
            }
        ],
    }


def test_answers_that_are_unknown_leave_a_list_and_an_empty_list_leaves() -> None:
    some = {"name": "seen", "answers": [{"name": "cats"}, {"name": "mice"}]}
    none = {"name": "seen", "answer": [{"name": "mice"}]}

    assert [one["name"] for one in carried(some, seen="seen")["answers"]] == ["cats"]
    assert carried(none, seen="seen") is None


def test_an_answer_that_chose_nothing_goes_along() -> None:
    assert carried({"name": "seen", "answer": []}, seen="seen")["answer"] == []


@pytest.mark.parametrize(
    "answer", ["some text", [{"value": "t", "frames": [{"start": 1, "end": 2}]}]]
)
def test_text_stays_as_it_is(answer: Any) -> None:
    assert carried({"name": "note", "answer": answer}, note="note")["answer"] == answer


def test_a_relationship_needs_both_of_its_ends() -> None:
    def edge(number: int, *ends: int) -> dict[str, Any]:
        source, target = map(uuid, ends)
        relation = {"source": source, "target": target}
        return {"uuid": uuid(number), "name": "edge", "relationship": relation}

    given = [edge(3, 1, 2), box(1), box(2), edge(4, 1, 9)]

    left = related([line_of(json.dumps(one)) for one in given])

    assert [json.loads(body_of(one))["uuid"] for one in left] == [
        uuid(3),
        uuid(1),
        uuid(2),
    ]


def test_the_ends_of_a_relationship_are_known_however_they_are_spelled() -> None:
    car, bus = (f"aaaaaaaa-0000-4000-8000-00000000000{one}" for one in "bc")
    relation = {"source": car.upper(), "target": bus.replace("-", "")}
    edge = {"uuid": uuid(3), "name": "edge", "relationship": relation}
    given = [{**box(1), "uuid": car}, {**box(2), "uuid": bus}, edge]

    lines = [line_of(json.dumps(one)) for one in given]

    assert related(lines) == lines


@pytest.mark.parametrize(
    ("line", "confidence"),
    [
        ({}, 1.0),
        ({"confidence": 0}, 0.0),
        ({"confidence": None}, 1.0),
        ({"confidence": 0.25, "answer": {"name": "x", "confidence": 0.5}}, 0.25),
        ({"answer": {"name": "x", "confidence": 0.5}}, 0.5),
        ({"answer": [{"name": "x", "confidence": 0.5}, {"confidence": 0.75}]}, 0.75),
        ({"answers": [{"name": "x"}]}, 1.0),
        ({"answer": "text"}, 1.0),
    ],
)
def test_a_prediction_is_as_sure_as_it_says(
    line: dict[str, Any], confidence: float
) -> None:
    assert confidence_of(line_of(json.dumps(line))) == confidence


def test_the_schema_ids_of_an_ontology_are_found_at_any_depth() -> None:
    assert {"a-car", "a-red", "a-rain", "a-note"} <= set(
        schema_ids(cars_and_weather("a"))
    )

"""Annotations come to a data row that has some already."""

import json
from typing import Any

import pytest

from reconciler.annotations.features import Features
from reconciler.server.conflicts import conflicting
from reconciler.server.lines import Line, body_of, line_of
from tests.support.labelling import cars_and_weather, uuid


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        (False, ["old car", "old dry", "new bus"]),
        (True, ["new car", "new bus", "new wet"]),
    ],
)
def test_one_uuid_or_one_question_is_a_conflict(
    override: bool, expected: list[str]
) -> None:
    def line(number: int, name: str, **more: Any) -> Line:
        return line_of(json.dumps({"uuid": uuid(number), "name": name, **more}))

    old = [
        line(1, "a car", said="old car"),
        line(2, "weather", answer={"name": "dry"}, said="old dry"),
    ]
    new = [
        line(1, "a car", said="new car"),
        line(3, "a car", said="new bus"),
        line_of(
            json.dumps(
                {"schemaId": "a-weather", "answer": {"name": "wet"}, "said": "new wet"}
            )
        ),
    ]

    merged = conflicting(Features.of(cars_and_weather("a")), override=override)(
        old, new
    )

    assert [json.loads(body_of(one))["said"] for one in merged] == expected


@pytest.mark.parametrize("override", [False, True])
@pytest.mark.parametrize(
    ("old", "new", "conflict"),
    [
        ({"messageId": "m1"}, {"messageId": "m2"}, False),
        ({"messageId": "m1"}, {}, False),
        ({"messageId": "m1"}, {"messageId": "m1"}, True),
        ({"frames": [(1, 5)]}, {"frames": [(6, 9)]}, False),
        ({"frames": [(1, 5), (9, 9)]}, {"frames": [(6, 8), (10, 12)]}, False),
        ({"frames": [(1, 5), (9, 9)]}, {"frames": [(6, 8), (5, 5)]}, True),
        ({"frames": [(1, 9), (2, 3)]}, {"frames": [(5, 6)]}, True),
        ({"frames": [(1, 5)]}, {}, True),
        ({"frames": [(1, 5)]}, {"frames": None}, True),
        ({"frames": [(1, 5)]}, {"answer": [("x", (6, 9))]}, False),
        ({"frames": [(1, 5)]}, {"answer": [("x", (6, 9)), ("y", (4, 4))]}, True),
        ({"frames": [(1, 5)]}, {"answer": [("x", (6, 9)), ("y",)]}, True),
    ],
)
def test_an_answer_about_something_else_is_no_conflict(
    old: dict[str, Any], new: dict[str, Any], conflict: bool, override: bool
) -> None:
    def line(
        number: int,
        answer: Any = "text",
        frames: Any = (),
        **more: Any,
    ) -> Line:
        if not isinstance(answer, str):
            answer = [{"value": one, **frames_of(rest)} for one, *rest in answer]
        where = {} if frames == () else frames_of(frames)
        said = {"uuid": uuid(number), "name": "note", "answer": answer}
        return line_of(json.dumps({**said, **where, **more}))

    def frames_of(pairs: Any) -> dict[str, Any]:
        spans = pairs and [{"start": start, "end": end} for start, end in pairs]
        return {"frames": spans}

    there, coming = line(1, **old), line(2, **new)

    merge = conflicting(Features.of(cars_and_weather("a")), override=override)

    winner = coming if override else there
    expected = [winner] if conflict else [there, coming]
    assert merge([there], [coming]) == expected


def test_questions_that_nobody_knows_dont_conflict() -> None:
    old, new = (
        line_of(json.dumps({"uuid": uuid(n), "name": f"lost {n}", "answer": "x"}))
        for n in (1, 2)
    )

    merged = conflicting(Features.of(cars_and_weather("a")), override=True)(
        [old], [new]
    )

    assert merged == [old, new]

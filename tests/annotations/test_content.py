"""Lines that say the same have the same content, and no others."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from reconciler.annotations.checked import Annotation
from reconciler.annotations.content import (
    content_of,
    contents_of,
    label_hash,
    metric_content,
)
from reconciler.annotations.rows import Row, decode
from reconciler.state.canonical import canonical_bytes, canonicalise
from tests.annotations.fitting import FEATURES, MASK_ID, checker
from tests.annotations.round_trips import (
    BOX,
    CASES,
    HAND_WRITTEN,
    MARKS,
    METRICS,
    ONE,
    TWO,
    VIDEO_MASKS,
    A,
    B,
    C,
    cat,
    feature_of,
    keyframe,
    said,
    span,
)


def content(row: Mapping[str, Any], *, marks: bool = True) -> Any:
    (one,) = said([row], marks=marks)
    return one


def box(**more: Any) -> dict[str, Any]:
    return {"name": "cat", "bbox": BOX, **more}


def radio(**answer: Any) -> dict[str, Any]:
    return {"name": "radio_q", "answer": answer}


def asked(*below: Mapping[str, Any]) -> dict[str, Any]:
    return box(classifications=list(below))


BREED = {"name": "breed", "answer": {"name": "tabby"}}
NICKNAME = {"name": "nickname", "answer": "Tom"}
SUB = {"name": "sub", "answer": {"name": "suba"}}


def check(*options: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": "check_q", "answer": list(options), **more}


def on(name: str, *frames: dict[str, int]) -> dict[str, Any]:
    return {"name": name, "frames": list(frames)}


def test_an_object_says_what_it_is_and_where() -> None:
    row = box(uuid=ONE, dataRow={"globalKey": "k"}, classifications=[BREED], **MARKS)

    assert content(row) == {
        "name": "cat",
        "bbox": {"left": 2, "top": 1, "right": 6, "bottom": 4},
        "confidence": 0.5,
        "customMetrics": [{"name": "iou", "value": 3}, {"name": "loss", "value": 0.25}],
        "classifications": [{"name": "breed", "answer": [{"name": "tabby"}]}],
    }


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (box(), box(uuid=ONE, dataRow={"id": "r"}, isBenchmarkReferenceLabel=True)),
        (box(), box(classifications=[], customMetrics=[], confidence=None)),
        (box(), box(anything={"else": 1}, schemaId=None)),
        (box(customMetrics=METRICS), box(custom_metrics=METRICS[::-1])),
        (
            box(customMetrics=[{"name": "n", "value": n} for n in (1, 2)]),
            box(customMetrics=[{"name": "n", "value": n} for n in (2, 1)]),
        ),
        (asked(BREED, NICKNAME), asked(NICKNAME, BREED)),
        (radio(name="a"), {"name": "radio_q", "answers": [{"name": "a"}]}),
        (radio(name="b"), radio(name="the second")),
        (
            radio(name="a", classifications=[SUB]),
            radio(
                name="a", classifications=[{"name": "sub", "answers": [SUB["answer"]]}]
            ),
        ),
        (check({"name": "x"}, {"name": "y"}), check({"name": "y"}, {"name": "x"})),
        ({"name": "old", "answer": []}, {"name": "What is it?", "answer": []}),
        ({"name": "old", "answer": []}, {"schemaId": "q" * 25, "answer": []}),
        ({"name": "pt", "point": A}, {"schema_id": "c" * 25, "point": A}),
        (
            {"name": "poly", "polygon": [A, B, C]},
            {"name": "poly", "polygon": [A, B, C, A]},
        ),
        (
            {"name": "mask", "mask": {"png": "aGk="}},
            {"schemaId": MASK_ID, "mask": {"size": [1, 1], "counts": [1]}},
        ),
        (
            cat([keyframe(3), keyframe(1)], [keyframe(7)], classifications=[BREED]),
            cat(
                [keyframe(7, classifications=[BREED])],
                [
                    keyframe(1, classifications=[BREED]),
                    keyframe(3, classifications=[BREED]),
                ],
            ),
        ),
        (
            check({"name": "x"}, frames=[span(1, 9)]),
            check(on("x", span(1, 4), span(5, 9))),
        ),
        (
            check(on("x", span(1, 4)), on("y", span(1, 4))),
            check(on("y", span(1, 4)), on("x", span(1, 3), span(2, 4))),
        ),
        (
            {"name": "free_text", "answer": "hi", "frames": [span(1, 4)]},
            {"name": "free_text", "answer": [{"value": "hi", "frames": [span(1, 4)]}]},
        ),
        (
            {"name": "rel", "relationship": {"source": ONE.upper(), "target": TWO}},
            {
                "name": "rel",
                "relationship": {
                    "source": ONE,
                    "target": TWO.replace("-", ""),
                    "type": "unidirectional",
                    "readonly": False,
                },
            },
        ),
    ],
)
def test_spelling_has_no_say(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert content(one) == content(other)


DIFFERENT: list[dict[str, Any]] = [
    box(),
    {**box(), "name": "twice"},
    box(bbox={**BOX, "top": 1.5}),
    box(bbox={**BOX, "height": 3.5}),
    box(page=1, unit="POINTS"),
    box(page=2, unit="POINTS"),
    box(page=2, unit="INCHES"),
    box(confidence=0),
    box(confidence=1),
    box(customMetrics=METRICS),
    box(customMetrics=METRICS[:1]),
    asked(BREED),
    asked(NICKNAME),
    asked({**NICKNAME, "confidence": 0.5}),
    asked(BREED, NICKNAME),
    {"name": "poly", "polygon": [A, B, C]},
    {"name": "poly", "polygon": [B, A, C]},
    {"name": "line", "line": [A, B]},
    {"name": "line", "line": [B, A]},
    {"name": "pt", "point": A},
    {"name": "mask", "mask": {"png": "aGk="}},
    {"name": "ent", "location": span(1, 4)},
    {"name": "ent", "location": span(1, 5)},
    {"name": "ent", "location": span(1, 4), "messageId": "m"},
    {"name": "ent", "location": span(1, 2**53)},
    {"name": "ent", "location": span(1, 2**53 + 1)},
    {"name": "ent", "textSelections": [{"tokenIds": ["t"], "groupId": "g", "page": 1}]},
    {"name": "ent", "textSelections": [{"tokenIds": ["t"], "groupId": "g", "page": 2}]},
    radio(name="a"),
    radio(name="b"),
    radio(name="a", confidence=0.5),
    {**radio(name="a"), "confidence": 0.5},
    {**radio(name="a"), "messageId": "m"},
    radio(name="a", classifications=[SUB]),
    {**radio(name="a"), "frames": [span(1, 2)]},
    {**radio(name="a"), "frames": [span(1, 3)]},
    {**radio(name="a"), "frames": [span(1, 2), span(4, 4)]},
    {"name": "free_text", "answer": ""},
    {"name": "free_text", "answer": "a"},
    {"name": "free_text", "answer": "", "frames": [span(1, 2)]},
    check(),
    check({"name": "x"}),
    check({"name": "x"}, {"name": "y"}),
    check(on("x", span(1, 3)), on("y", span(4, 6))),
    check(on("y", span(1, 3)), on("x", span(4, 6))),
    check(on("x", span(1, 6)), on("y", span(4, 6))),
    check(frames=[span(1, 2)]),
    cat([keyframe(1), keyframe(3)]),
    cat([keyframe(1)], [keyframe(3)]),
    cat([keyframe(1), keyframe(3, 9)]),
    cat([keyframe(1, classifications=[BREED]), keyframe(3)]),
    VIDEO_MASKS,
    {"masks": {**VIDEO_MASKS["masks"], "frames": []}},
    {"masks": {**VIDEO_MASKS["masks"], "instances": []}},
    {"name": "rel", "relationship": {"source": ONE, "target": TWO}},
    {"name": "rel", "relationship": {"source": TWO, "target": ONE}},
    {"name": "rel", "relationship": {"sourceOntologyName": "cat", "target": ONE}},
    {
        "name": "rel",
        "relationship": {"source": ONE, "target": TWO, "type": "bidirectional"},
    },
    {
        "name": "rel",
        "relationship": {"source": ONE, "target": TWO, "readonly": True},
    },
    *({**row, "dataRow": {}} for row in CASES["message tasks"][1]),
]


def test_what_says_something_else_has_another_content() -> None:
    contents = [canonical_bytes(content(row)) for row in DIFFERENT]

    assert len(set(contents)) == len(contents)


@pytest.mark.parametrize("case", [*CASES.values(), *HAND_WRITTEN])
def test_contents_are_canonical(case: tuple[str, list[dict[str, Any]]]) -> None:
    for one in said(case[1]):
        written = json.dumps(one, sort_keys=True)
        assert written == json.dumps(canonicalise(one), sort_keys=True)


@pytest.mark.parametrize("case", [*CASES.values(), *HAND_WRITTEN])
def test_a_label_has_no_confidence(case: tuple[str, list[dict[str, Any]]]) -> None:
    contents = json.dumps(said(case[1], marks=False))

    assert "confidence" not in contents
    assert "customMetrics" not in contents


def test_without_an_ontology_names_are_taken_as_they_are() -> None:
    rows = [radio(name="b"), {"schemaId": "q" * 25, "answer": []}]

    assert said(rows, named=False) == [
        {"name": "radio_q", "answer": [{"name": "b"}]},
        {"name": "q" * 25, "answer": []},
    ]


def test_instances_of_masks_are_named_by_the_ontology_where_it_is_given() -> None:
    row = msgspec.convert(VIDEO_MASKS, Row)

    known = content_of(row, None, marks=False, features=FEATURES)
    unknown = content_of(row, None, marks=False)

    assert known == {"masks": {"frames": [1, 2, 5], "instances": ["mask", "mask"]}}
    assert unknown == {"masks": {"frames": [1, 2, 5], "instances": ["mask", MASK_ID]}}


def test_instances_of_masks_have_no_order() -> None:
    def masks(*names: str) -> dict[str, Any]:
        instances = [{"colorRGB": [0, 0, 0], "name": name} for name in names]
        return {"masks": {"frames": [], "instances": instances}}

    assert said([masks("b", "a")], named=False) == said([masks("a", "b")], named=False)


def test_answers_on_frames_say_what_holds_where_something_begins() -> None:
    row = check(on("x", span(1, 3), span(9, 9)), on("y", span(3, 5)))

    assert content(row) == {
        "name": "check_q",
        "segments": [[1, 5], [9, 9]],
        "states": [
            [1, [{"name": "x"}]],
            [3, [{"name": "x"}, {"name": "y"}]],
            [9, [{"name": "x"}]],
        ],
    }


def test_answers_that_hold_again_after_a_pause_are_said_once() -> None:
    row = {**radio(name="a"), "frames": [span(1, 2), span(4, 4)]}

    found = content(row)

    assert found["states"] == [[1, [{"name": "a"}]]]
    assert found["segments"] == [[1, 2], [4, 4]]


def test_numbers_that_json_cannot_carry_are_told_apart() -> None:
    task = {"format": "message-ranking", "data": {"n": [2**60, 2**60 + 1, 1.0, True]}}

    found = content({"name": "order", "messageEvaluationTask": task})

    data = found["messageEvaluationTask"]["data"]
    assert data == {"n": [str(2**60), str(2**60 + 1), 1, True]}
    assert canonical_bytes(found)


RELATED = [
    {"name": "rel", "relationship": {"source": ONE.upper(), "target": TWO}},
    {"uuid": ONE, **box()},
    {"uuid": TWO, "name": "pt", "point": A},
]


def with_other_uuids(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    text = json.dumps(rows).lower().replace(ONE, "other").replace(TWO, ONE)
    turned: list[dict[str, Any]] = json.loads(text.replace("other", TWO))
    return turned


def test_a_relationship_is_between_what_its_ends_say() -> None:
    turned = json.loads(json.dumps(RELATED))
    turned[0]["relationship"] = {"source": TWO, "target": ONE}
    moved = [RELATED[0], {**RELATED[1], "bbox": {**BOX, "top": 9}}, RELATED[2]]

    first = said(RELATED)[0]

    assert said(with_other_uuids(RELATED))[0] == first
    assert said(turned)[0] != first
    assert said(moved)[0] != first


def test_an_end_that_is_not_there_is_known_by_its_uuid() -> None:
    (alone,) = said(RELATED[:1])

    assert alone["relationship"] == {
        "type": "unidirectional",
        "source": ONE,
        "target": TWO,
    }


def test_the_hash_of_a_label_is_what_it_always_was() -> None:
    assert (
        label_hash([])
        == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )
    assert (
        label_hash(said([box(), radio(name="a")], marks=False))
        == "sha256:83ca7ece461a2f763443279ab75fee90f6b91d475a84081e828550fd5a37520c"
    )


def test_a_label_is_the_same_in_any_order() -> None:
    rows = [row for row in DIFFERENT if "relationship" not in row]

    assert label_hash(said(rows[::-1])) == label_hash(said(rows))


def test_a_label_that_says_something_twice_is_another() -> None:
    assert label_hash(said([box(), box()])) != label_hash(said([box()]))


def metric(**fields: Any) -> Any:
    return metric_content(decode(json.dumps(fields).encode()))


def test_a_metric_says_what_it_is_of() -> None:
    found = metric(
        dataRow={"id": "r"},
        uuid=ONE,
        metricName="m",
        featureName="cat",
        subclassName="tabby",
        metricValue=1.0,
        aggregation="SUM",
    )

    assert found == {
        "metricName": "m",
        "featureName": "cat",
        "subclassName": "tabby",
        "aggregation": "SUM",
        "metricValue": 1,
    }


def test_a_metric_is_a_mean_unless_it_says_otherwise() -> None:
    said_so = metric(metricValue=0.5, aggregation="ARITHMETIC_MEAN", metricName=None)

    assert metric(metricValue=0.5) == said_so
    assert said_so["metricName"] is None


def test_metrics_by_confidence_are_the_same_however_the_numbers_are_written() -> None:
    matrix = {"aggregation": "CONFUSION_MATRIX", "metricName": "m"}

    first = metric(metricValue={"0.50": [1, 2, 3, 4], "1.0": [0, 0, 0, 0]}, **matrix)

    assert first["metricValue"] == {"0.5": [1, 2, 3, 4], "1": [0, 0, 0, 0]}
    assert metric(
        metricValue={"1e0": [0, 0, 0, 0], "5e-1": [1, 2, 3, 4]}, **matrix
    ) == (first)


def test_what_the_checker_found_is_what_content_is_asked_with() -> None:
    line = json.dumps({"dataRow": {"globalKey": "k"}, **radio(name="b")}).encode()
    found = checker("IMAGE").read(line)
    assert isinstance(found, Annotation)

    row = decode(found.line)

    assert found.feature is feature_of(row)
    assert contents_of([(row, found.feature)], marks=True) == [
        {"name": "radio_q", "answer": [{"name": "the second"}]}
    ]

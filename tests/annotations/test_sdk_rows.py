"""Every row that the official SDK writes is taken."""

import json
from collections.abc import Sequence
from typing import Any

import labelbox.types as lb  # type: ignore[import-untyped]  # publishes no types
import numpy as np
import pytest
from labelbox.data.serialization.ndjson.converter import (  # type: ignore[import-untyped]
    NDJsonConverter,
)

from reconciler.annotations.checked import Annotation, Checked, Metric, Refused
from reconciler.annotations.rules import Purpose
from tests.annotations.fitting import POINT_ID, checker

METRICS = [{"name": "iou", "value": 0.5}, {"name": "n", "value": -3}]
MARKS = {"confidence": 0.5, "custom_metrics": METRICS}
CORNERS = [lb.Point(x=0, y=0), lb.Point(x=1, y=0), lb.Point(x=1, y=1)]
BOX = lb.Rectangle(start=CORNERS[0], end=CORNERS[2])
PAGE_BOX = lb.DocumentRectangle(
    start=CORNERS[0], end=CORNERS[2], page=1, unit=lb.RectangleUnit.POINTS
)
RASTER = np.ones((4, 4, 3), dtype=np.uint8)


def answer(name: str, *nested: Any, **marks: Any) -> Any:
    return lb.ClassificationAnswer(name=name, classifications=list(nested), **marks)


def radio(name: str, chosen: Any, **more: Any) -> Any:
    return lb.ClassificationAnnotation(name=name, value=lb.Radio(answer=chosen), **more)


def checklist(name: str, *chosen: Any, **more: Any) -> Any:
    return lb.ClassificationAnnotation(
        name=name, value=lb.Checklist(answer=list(chosen)), **more
    )


def thing(name: str, value: Any, *nested: Any, **marks: Any) -> Any:
    return lb.ObjectAnnotation(
        name=name, value=value, classifications=list(nested), **marks
    )


def seen(name: str, frame: int, value: Any, *nested: Any) -> Any:
    return lb.VideoObjectAnnotation(
        name=name,
        frame=frame,
        keyframe=True,
        segment_index=0,
        value=value,
        classifications=list(nested),
    )


def heard(name: str, frame: int, value: Any) -> Any:
    return lb.VideoClassificationAnnotation(
        name=name, frame=frame, segment_index=0, value=value
    )


CAT = thing("cat", BOX, radio("breed", answer("tabby", **MARKS)), **MARKS)
ENTITY = lb.DocumentEntity(
    text_selections=[lb.DocumentTextSelection(token_ids=["t"], group_id="g", page=1)]
)
SUB = radio("sub", answer("suba", **MARKS))
MASK_AT_URL = lb.Mask(mask=lb.MaskData(url="https://x.test/m.png"), color=(9, 9, 9))
PAGE_CAT, PAGE_ENTITY = thing("cat", PAGE_BOX), thing("ent", ENTITY)


def related(source: Any, target: Any) -> list[Any]:
    link = lb.Relationship(
        source=source, target=target, type=lb.Relationship.Type.UNIDIRECTIONAL
    )
    return [lb.RelationshipAnnotation(name="rel", value=link), source, target]


CASES: dict[str, tuple[str, list[Any], list[str]]] = {
    "bbox": ("IMAGE", [CAT], ["bbox"]),
    "bbox in tiles": ("TMS_GEO", [CAT], ["bbox"]),
    "polygon": (
        "IMAGE",
        [thing("poly", lb.Polygon(points=CORNERS), **MARKS)],
        ["polygon"],
    ),
    "line": ("IMAGE", [thing("line", lb.Line(points=CORNERS), **MARKS)], ["line"]),
    "point": ("IMAGE", [thing("pt", CORNERS[0], **MARKS)], ["point"]),
    "by schema id": (
        "IMAGE",
        [lb.ObjectAnnotation(feature_schema_id=POINT_ID, value=CORNERS[0])],
        ["point"],
    ),
    "mask as PNG": (
        "IMAGE",
        [
            thing(
                "mask",
                lb.Mask(mask=lb.MaskData(arr=RASTER), color=(1, 1, 1)),
                **MARKS,
            )
        ],
        ["mask"],
    ),
    "mask at a URL": ("IMAGE", [thing("mask", MASK_AT_URL, **MARKS)], ["mask"]),
    "text entity": (
        "TEXT",
        [thing("ent", lb.TextEntity(start=1, end=4), **MARKS)],
        ["text entity"],
    ),
    "conversation entity": (
        "CONVERSATIONAL",
        [thing("ent", lb.ConversationEntity(start=0, end=4, message_id="m"), **MARKS)],
        ["conversation entity"],
    ),
    "PDF entity": ("PDF", [thing("ent", ENTITY, **MARKS)], ["PDF entity"]),
    "PDF bbox": ("PDF", [thing("cat", PAGE_BOX, **MARKS)], ["PDF bbox"]),
    "radio": ("HTML", [radio("radio_q", answer("a", **MARKS))], ["radio answer"]),
    "radio with a confidence of its own": (
        "IMAGE",
        [radio("radio_q", answer("a"), confidence=0.5)],
        ["radio answer"],
    ),
    "radio on a message": (
        "CONVERSATIONAL",
        [radio("radio_q", answer("a"), message_id="m")],
        ["radio answer"],
    ),
    "nested radio": (
        "TEXT",
        [radio("radio_q", answer("a", SUB, confidence=0.4))],
        ["radio answer"],
    ),
    "checklist": (
        "IMAGE",
        [checklist("check_q", answer("x", **MARKS), answer("y"))],
        ["checklist answer"],
    ),
    "nested checklist": (
        "IMAGE",
        [checklist("check_q", answer("x", checklist("subc", answer("s1", **MARKS))))],
        ["checklist answer"],
    ),
    "text": (
        "AUDIO",
        [
            lb.ClassificationAnnotation(
                name="free_text", value=lb.Text(answer="words", **MARKS)
            )
        ],
        ["text answer"],
    ),
    "prompt": (
        "LLM",
        [
            lb.PromptClassificationAnnotation(
                name="prompt_q", value=lb.PromptText(answer="Why?")
            )
        ],
        ["text answer"],
    ),
    "video objects": (
        "VIDEO",
        [
            seen("cat", 1, BOX, radio("breed", answer("tabby"))),
            seen("cat", 3, BOX),
            seen("pt", 1, CORNERS[0]),
            seen("line", 2, lb.Line(points=CORNERS)),
        ],
        ["video object"] * 3,
    ),
    "answers on frames": (
        "VIDEO",
        [
            heard("radio_q", 1, lb.Radio(answer=answer("a"))),
            heard("check_q", 2, lb.Checklist(answer=[answer("x")])),
            heard("free_text", 3, lb.Text(answer="words")),
        ],
        [
            "radio answer on frames",
            "checklist answer on frames",
            "text answer on frames",
        ],
    ),
    "answers through time": (
        "AUDIO",
        [
            lb.TemporalClassificationText(
                name="free_text", value=[(0, 500, "hello"), (600, 900, "world")]
            ),
            lb.TemporalClassificationQuestion(
                name="radio_q",
                value=[
                    lb.TemporalClassificationAnswer(
                        name="a",
                        frames=[(0, 500)],
                        classifications=[
                            lb.TemporalClassificationQuestion(
                                name="sub",
                                value=[
                                    lb.TemporalClassificationAnswer(
                                        name="suba", frames=[(0, 100)]
                                    )
                                ],
                            )
                        ],
                    ),
                    lb.TemporalClassificationAnswer(name="b", frames=[(600, 900)]),
                ],
            ),
        ],
        ["text answer on frames", "radio answer on frames"],
    ),
    "relationship": (
        "IMAGE",
        related(thing("cat", BOX), thing("pt", CORNERS[0])),
        ["relationship", "bbox", "point"],
    ),
    "relationship in a PDF": (
        "PDF",
        related(PAGE_CAT, PAGE_ENTITY),
        ["relationship", "PDF bbox", "PDF entity"],
    ),
    "message tasks": (
        "CONVERSATIONAL",
        [
            lb.MessageEvaluationTaskAnnotation(
                name="best",
                value=lb.MessageSingleSelectionTask(
                    message_id="a", model_config_name="m", parent_message_id="p"
                ),
            ),
            lb.MessageEvaluationTaskAnnotation(
                name="good",
                value=lb.MessageMultiSelectionTask(
                    parent_message_id="p",
                    selected_messages=[
                        lb.MessageInfo(message_id="a", model_config_name="m")
                    ],
                ),
            ),
            lb.MessageEvaluationTaskAnnotation(
                name="order",
                value=lb.MessageRankingTask(
                    parent_message_id="p",
                    ranked_messages=[
                        lb.OrderedMessageInfo(
                            message_id=str(n), model_config_name="m", order=n
                        )
                        for n in (2, 1)
                    ],
                ),
            ),
        ],
        ["message task"] * 3,
    ),
}


def read(
    media: str, annotations: Sequence[Any], purpose: Purpose, **label: Any
) -> list[Checked]:
    written = NDJsonConverter.serialize(
        [lb.Label(data={"global_key": "gk"}, annotations=annotations, **label)]
    )
    reader = checker(media, purpose=purpose)
    return [reader.read(json.dumps(row).encode()) for row in written]


@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_the_sdk_writes_is_taken(
    case: tuple[str, list[Any], list[str]], purpose: Purpose
) -> None:
    media, annotations, kinds = case

    found = read(media, annotations, purpose)

    assert [one.kind if isinstance(one, Annotation) else one for one in found] == kinds


def test_masks_of_videos_are_taken_as_labels_only() -> None:
    masks = lb.VideoMaskAnnotation(
        frames=[
            lb.MaskFrame(index=1, instance_uri="https://x.test/m.png"),
        ],
        instances=[lb.MaskInstance(color_rgb=(0, 0, 255), name="mask")],
    )

    (label,) = read("VIDEO", [masks], Purpose.LABEL)
    (prediction,) = read("VIDEO", [masks], Purpose.PREDICTION)

    assert isinstance(label, Annotation)
    assert isinstance(prediction, Refused)


def test_a_reference_label_is_a_benchmark() -> None:
    (found,) = read("IMAGE", [CAT], Purpose.LABEL, is_benchmark_reference=True)

    assert isinstance(found, Annotation)
    assert found.benchmark


def test_the_metrics_of_the_sdk_are_taken() -> None:
    scalar, matrix = lb.ScalarMetric, lb.ConfusionMatrixMetric
    metrics = [
        scalar(value=0.5, metric_name="m"),
        scalar(value=3, metric_name="m", feature_name="cat", subclass_name="orange"),
        scalar(value=0.1),
        scalar(value={0.1: 0.2, 0.5: 0.3}, metric_name="by confidence"),
        matrix(value=(1, 0, 1, 0), metric_name="cm"),
        matrix(value={0.1: (1, 0, 1, 0), 0.9: (1, 2, 3, 4)}, metric_name="cm2"),
    ]

    found = read("IMAGE", metrics, Purpose.PREDICTION)

    assert [one.value if isinstance(one, Metric) else one for one in found] == [
        0.5,
        3,
        0.1,
        {"0.1": 0.2, "0.5": 0.3},
        (1, 0, 1, 0),
        {"0.1": (1, 0, 1, 0), "0.9": (1, 2, 3, 4)},
    ]


def test_the_bare_nan_of_the_sdk_fails_its_own_row() -> None:
    metrics = [
        lb.ScalarMetric(value=float("nan"), metric_name="m"),
        lb.ScalarMetric(value=1, metric_name="n"),
    ]

    broken, whole = read("IMAGE", metrics, Purpose.PREDICTION)

    assert isinstance(broken, Refused)
    assert [one.name for one in broken.problems] == ["NotFinite"]
    assert broken.row is not None
    assert broken.row.global_key == "gk"
    assert isinstance(whole, Metric)

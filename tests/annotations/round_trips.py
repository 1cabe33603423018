"""Lines of imports, as the twin exports them, and what both say."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from reconciler.annotations.checked import Annotation
from reconciler.annotations.content import contents_of
from reconciler.annotations.features import Feature
from reconciler.annotations.kinds import forms_of
from reconciler.annotations.rows import Row, schema_id_of
from reconciler.server.exporting.annotations import Reader
from reconciler.server.exporting.labels import decode_lines, label_of, numbered
from reconciler.server.exporting.masks import MaskFiles
from reconciler.server.files import Files, Urls
from reconciler.state.canonical import JsonObject
from tests.annotations.fitting import FEATURES, MASK_ID, checker

ONE: Final = "a0000000-0000-4000-8000-000000000001"
TWO: Final = "b0000000-0000-4000-8000-000000000002"
METRICS: Final = [{"name": "loss", "value": 0.25}, {"name": "iou", "value": 3}]
MARKS: Final = {"confidence": 0.5, "customMetrics": METRICS}
BOX: Final = {"top": 1.0, "left": 2.0, "height": 3.0, "width": 4.0}
A, B, C = {"x": 0.0, "y": 1.0}, {"x": 2.0, "y": 3.0}, {"x": 5.0, "y": 0.0}

HAND_WRITTEN: Final[list[tuple[str, list[dict[str, Any]]]]] = [
    (given["media"], [given["row"]])
    for given in map(
        json.loads,
        (Path(__file__).parent / "rows.jsonl").read_text(encoding="utf-8").splitlines(),
    )
    if given["kind"] != "relationship"
]
"""One line each, by the type of the data; relationships need what they relate."""

PNG: Final = (
    "iVBORw0KGgoAAAANSUhEUgAAAAQAAAAECAAAAACMmsGiAAAAFUlEQVR4nGNgYGBgYGBgZGRgYoABAABB"
    "AAVZBGE7AAAAAElFTkSuQmCC"
)


def span(start: int, end: int) -> dict[str, int]:
    return {"start": start, "end": end}


def keyframe(frame: int, left: float = 0.0, **more: Any) -> dict[str, Any]:
    return {"frame": frame, "bbox": {**BOX, "left": left}, **more}


def cat(*segments: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {"name": "cat", "segments": [{"keyframes": one} for one in segments], **more}


TABBY: Final = {"name": "breed", "answer": {"name": "tabby", **MARKS}}
ORANGE: Final = {"name": "breed", "answer": [{"name": "orange"}]}
SUB: Final = {"name": "sub", "answer": {"name": "suba", "custom_metrics": METRICS}}

CASES: Final[dict[str, tuple[str | None, list[dict[str, Any]]]]] = {
    "bbox": ("IMAGE", [{"name": "cat", "bbox": BOX, "classifications": [TABBY]}]),
    "bbox with marks": ("IMAGE", [{"name": "cat", "bbox": BOX, **MARKS}]),
    "bbox of a map": ("TMS_GEO", [{"name": "cat", "bbox": BOX, **MARKS}]),
    "bbox of tiles": ("TMS_SIMPLE", [{"name": "cat", "bbox": {**BOX, "left": 0.1}}]),
    "bbox of a page": (
        "PDF",
        [{"name": "cat", "bbox": BOX, "page": 4, "unit": "INCHES"}],
    ),
    "bbox of no known data": (None, [{"name": "cat", "bbox": BOX}]),
    "polygon": ("IMAGE", [{"name": "poly", "polygon": [A, B, C], **MARKS}]),
    "closed polygon": ("IMAGE", [{"name": "poly", "polygon": [A, B, C, A]}]),
    "polygon of a map": ("TMS_GEO", [{"name": "poly", "polygon": [A, B, C]}]),
    "line": ("IMAGE", [{"name": "line", "line": [A, B], **MARKS}]),
    "line of a map": ("TMS_GEO", [{"name": "line", "line": [A, B]}]),
    "point": ("IMAGE", [{"name": "pt", "point": A, **MARKS}]),
    "point of a map": ("TMS_GEO", [{"name": "pt", "point": A}]),
    "mask as PNG": ("IMAGE", [{"name": "mask", "mask": {"png": PNG}, **MARKS}]),
    "mask at a URL": (
        "IMAGE",
        [
            {
                "schemaId": MASK_ID,
                "mask": {"instanceURI": "https://e.test/m.png", "colorRGB": [1, 2, 3]},
            }
        ],
    ),
    "mask as run lengths": (
        "IMAGE",
        [{"name": "mask", "mask": {"size": [2, 2], "counts": [1, 3]}}],
    ),
    "text entity": ("TEXT", [{"name": "ent", "location": span(1, 4), **MARKS}]),
    "entity of a message": (
        "CONVERSATIONAL",
        [{"name": "ent", "location": span(1, 4), "messageId": "m", **MARKS}],
    ),
    "words of pages": (
        "PDF",
        [
            {
                "name": "ent",
                "textSelections": [
                    {"tokenIds": ["t", "u"], "groupId": "g", "page": 1},
                    {"tokenIds": ["v"], "groupId": "h", "page": 2},
                ],
                **MARKS,
            }
        ],
    ),
    "radio": ("IMAGE", [{"name": "radio_q", "answer": {"name": "b", **MARKS}}]),
    "radio by its question": (
        "IMAGE",
        [{"name": "What is it?", "answer": {"name": "x"}}],
    ),
    "radio with marks of its own": (
        "IMAGE",
        [{"name": "radio_q", "answers": [{"name": "the second"}], **MARKS}],
    ),
    "radio of a message": (
        "CONVERSATIONAL",
        [{"name": "radio_q", "answer": {"name": "a"}, "messageId": "m"}],
    ),
    "nested radio": (
        "TEXT",
        [{"name": "radio_q", "answer": {"name": "a", "classifications": [SUB]}}],
    ),
    "checklist": (
        "HTML",
        [{"name": "check_q", "answer": [{"name": "y"}, {"name": "x", **MARKS}]}],
    ),
    "checklist of one": ("HTML", [{"name": "check_q", "answer": {"name": "y"}}]),
    "empty checklist": ("HTML", [{"name": "check_q", "answers": []}]),
    "checklist of a message": (
        "CONVERSATIONAL",
        [{"name": "check_q", "answer": [{"name": "x"}], "messageId": "m"}],
    ),
    "nested checklist": (
        "HTML",
        [
            {
                "name": "check_q",
                "answer": [
                    {
                        "name": "x",
                        "classifications": [
                            {"name": "subc", "answers": [{"schema_id": "s" * 25}]}
                        ],
                    }
                ],
            }
        ],
    ),
    "text": ("TEXT", [{"name": "free_text", "answer": "words", **MARKS}]),
    "text of a message": (
        "CONVERSATIONAL",
        [{"name": "free_text", "answer": "", "messageId": "m", **MARKS}],
    ),
    "nested text": (
        "IMAGE",
        [
            {
                "name": "cat",
                "bbox": BOX,
                "classifications": [
                    {"name": "nickname", "answer": "Tom", **MARKS},
                    ORANGE,
                ],
            }
        ],
    ),
    "relationship": (
        "IMAGE",
        [
            {
                "uuid": "c0000000-0000-4000-8000-000000000003",
                "name": "rel",
                "relationship": {
                    "source": ONE.upper(),
                    "target": TWO,
                    "type": "bidirectional",
                    "readonly": True,
                },
                **MARKS,
            },
            {"uuid": ONE, "name": "cat", "bbox": BOX},
            {"uuid": TWO, "name": "pt", "point": A},
        ],
    ),
    "relationship of a part of the ontology": (
        "PDF",
        [
            {"uuid": TWO, "name": "radio_q", "answer": {"name": "a"}},
            {
                "name": "rel",
                "relationship": {"sourceOntologyName": "cat", "target": TWO},
            },
        ],
    ),
    "relationship in a video": (
        "VIDEO",
        [
            {"uuid": ONE, **cat([keyframe(1)])},
            {"uuid": TWO, **cat([keyframe(2)])},
            {"name": "rel", "relationship": {"source": ONE, "target": TWO}},
        ],
    ),
    "video object": (
        "VIDEO",
        [
            cat(
                [keyframe(5, 3), keyframe(1, classifications=[TABBY])],
                [keyframe(9)],
                classifications=[ORANGE],
                customMetrics=METRICS,
            )
        ],
    ),
    "video object whose segments meet": (
        "VIDEO",
        [cat([keyframe(1), keyframe(3), keyframe(6)], [keyframe(2), keyframe(5)])],
    ),
    "video point and line": (
        "VIDEO",
        [
            {"name": "pt", "segments": [{"keyframes": [{"frame": 1, "point": A}]}]},
            {
                "name": "line",
                "segments": [{"keyframes": [{"frame": 1, "line": [A, B]}]}],
            },
        ],
    ),
    "radio on frames": (
        "VIDEO",
        [
            {
                "name": "radio_q",
                "answer": {"name": "a", **MARKS, "classifications": [SUB]},
                "frames": [span(1, 3), span(7, 9)],
                "confidence": 0.75,
            }
        ],
    ),
    "radio that changes": (
        "AUDIO",
        [
            {
                "name": "radio_q",
                "answer": [
                    {"name": "b", "frames": [span(0, 4), span(9, 9)]},
                    {"name": "a", "frames": [span(5, 8)]},
                ],
            }
        ],
    ),
    "checklist on frames": (
        "VIDEO",
        [
            {
                "name": "check_q",
                "answer": [
                    {"name": "x", "frames": [span(1, 3), span(2, 4)]},
                    {"name": "y", "frames": [span(3, 8)]},
                ],
            }
        ],
    ),
    "empty checklist on frames": (
        "VIDEO",
        [{"name": "check_q", "answer": [], "frames": [span(1, 2)]}],
    ),
    "text on frames": (
        "AUDIO",
        [
            {
                "name": "free_text",
                "answer": [
                    {"value": "hello", "frames": [span(0, 500), span(900, 950)]},
                    {"value": "", "frames": [span(501, 600)]},
                ],
                **MARKS,
            }
        ],
    ),
    "one text on frames": (
        "AUDIO",
        [{"name": "free_text", "answer": "hello", "frames": [span(0, 500)]}],
    ),
    "answer of a whole video": (
        "VIDEO",
        [{"name": "radio_q", "answer": {"name": "a"}}, cat([keyframe(1)])],
    ),
    "message tasks": (
        "CONVERSATIONAL",
        [
            {
                "name": "best",
                "messageEvaluationTask": {
                    "format": "message-single-selection",
                    "data": {"messageId": "a", "parentMessageId": "p"},
                },
                **MARKS,
            },
            {
                "name": "good",
                "messageEvaluationTask": {
                    "format": "message-multi-selection",
                    "data": {"selectedMessages": [{"messageId": "a"}]},
                },
            },
            {
                "name": "order",
                "messageEvaluationTask": {
                    "format": "message-ranking",
                    "data": {"rankedMessages": [{"messageId": "a", "order": 1}]},
                },
            },
        ],
    ),
}
"""Lines of a row by what they are, each with the type of the data."""

VIDEO_MASKS: Final[dict[str, Any]] = {
    "masks": {
        "frames": [
            {"index": 5, "instanceURI": "https://e.test/5.png"},
            {"index": 1, "instanceURI": "https://e.test/1.png"},
            {"index": 2, "imBytes": PNG},
        ],
        "instances": [
            {"colorRGB": [1, 2, 3], "name": "mask"},
            {"colorRGB": [3, 2, 1], "schemaId": MASK_ID},
        ],
    }
}
"""Masks of a video, which are labels only."""


def exported(
    rows: Sequence[Mapping[str, Any]],
    media_type: str | None,
    *,
    folder: Path,
    marks: bool = True,
    uuids: bool = True,
    between: bool = False,
) -> dict[str, Any]:
    """Export lines as the twin does, and read that as clients do."""
    masks = MaskFiles(Files(folder), Urls("http://twin.test", b"secret", 2_000_000_000))
    reader = Reader(FEATURES, media_type, masks, marks, uuids)
    lines = numbered(decode_lines(json.dumps(rows).encode()))
    label = label_of(reader, "label", lines, between=between)
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(label))
    return plain


def said(
    rows: Sequence[Mapping[str, Any]], *, marks: bool = True, named: bool = True
) -> list[JsonObject]:
    """Say what lines say together.

    Args:
        rows: The lines.
        marks: Whether confidences and custom metrics count.
        named: Whether names are those of the ontology; if not, they are taken
            as they are.
    """
    read = [msgspec.convert(one, Row) for one in rows]
    return contents_of(
        [(one, feature_of(one) if named else None) for one in read],
        marks=marks,
        features=FEATURES if named else None,
    )


def feature_of(row: Row) -> Feature | None:
    """Find what a line is made with, as its form asks."""
    (form,) = forms_of(row)
    found = FEATURES.top.find(row.name, schema_id_of(row))
    return next((one for one in found if one.type in form.types), None)


def taken(rows: Sequence[Mapping[str, Any]], media_type: str | None) -> list[bool]:
    """Tell which lines can be imported as predictions."""
    reader = checker(media_type)
    lines = [json.dumps({"dataRow": {"globalKey": "k"}, **one}) for one in rows]
    return [isinstance(reader.read(one.encode()), Annotation) for one in lines]

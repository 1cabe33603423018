"""Lines that are wrong, and what is said of them."""

import json
from typing import Any

import pytest

from reconciler.annotations.checked import Refused
from reconciler.annotations.rows import RowName
from reconciler.annotations.rules import STRICT, Purpose, Rules
from tests.annotations.fitting import POINT_ID, checker

UUID = "f9e2c43f-7c0d-4f48-95d8-1e014cbfbd3b"
ROW = {"dataRow": {"globalKey": "gk"}}
BOX = {"top": 1, "left": 2, "height": 3, "width": 4}
CAT = {**ROW, "name": "cat", "bbox": BOX}
MASK = {**ROW, "name": "mask"}
RADIO = {**ROW, "name": "radio_q"}
PDF_BOX = {**CAT, "page": 1, "unit": "POINTS"}
METRIC = {**ROW, "metricName": "m", "metricValue": 1}
MATRIX = {**METRIC, "aggregation": "CONFUSION_MATRIX"}
PIXEL = {"x": 0, "y": 0}


def said(
    row: object,
    media: str | None = None,
    purpose: Purpose = Purpose.PREDICTION,
    rules: Rules | None = None,
) -> list[tuple[str, str, str]]:
    text = row if isinstance(row, bytes) else json.dumps(row).encode()
    found = checker(media, purpose=purpose, rules=rules).read(text)
    assert isinstance(found, Refused), found
    return [(one.name, one.path, one.message) for one in found.problems]


def nested(*given: object) -> dict[str, Any]:
    return {**CAT, "classifications": list(given)}


def on_frames(*keyframes: object, **more: object) -> dict[str, Any]:
    segments = [{"keyframes": list(keyframes)}]
    return {**ROW, "name": "cat", "segments": segments, **more}


CASES: dict[str, tuple[object, str, str, str]] = {
    "no UUID": (
        {**CAT, "uuid": "one"},
        "InvalidUuid",
        "uuid",
        "uuid is 'one', which is no UUID",
    ),
    "no data row": (
        {"name": "cat", "bbox": BOX},
        "MissingField",
        "dataRow",
        "dataRow is missing: it holds the id or the globalKey of a data row",
    ),
    "two names of a data row": (
        {**CAT, "dataRow": {"id": "a", "globalKey": "b"}},
        "WrongDataRow",
        "dataRow",
        "dataRow needs either an id or a globalKey; it has both",
    ),
    "a data row without a name": (
        {**CAT, "dataRow": {}},
        "WrongDataRow",
        "dataRow",
        "dataRow needs either an id or a globalKey; it has neither",
    ),
    "an empty name of a data row": (
        {**CAT, "dataRow": {"id": ""}},
        "WrongDataRow",
        "dataRow",
        "dataRow holds an empty name",
    ),
    "nothing": (
        {**ROW, "name": "cat"},
        "NoAnnotation",
        "",
        "the row is nothing: it has none of answer, answers, bbox, line, location, "
        "mask, masks, messageEvaluationTask, point, polygon, relationship, segments, "
        "textSelections",
    ),
    "two things": (
        {**CAT, "point": PIXEL},
        "SeveralAnnotations",
        "",
        "the row has bbox and point; a row is one annotation",
    ),
    "an annotation and a metric": (
        {**METRIC, "bbox": BOX},
        "SeveralAnnotations",
        "bbox",
        "the row is a metric, and it has bbox as well",
    ),
    "no feature": (
        {**ROW, "bbox": BOX},
        "MissingField",
        "name",
        "name is missing: the feature is named by it, or by schemaId",
    ),
    "an unknown feature": (
        {**CAT, "name": "caat"},
        "UnknownFeature",
        "name",
        "the ontology has no feature 'caat'; did you mean 'cat'?",
    ),
    "a long unknown feature": (
        {**CAT, "name": "c" * 1000},
        "UnknownFeature",
        "name",
        f"the ontology has no feature '{'c' * 75}...'",
    ),
    "an unknown schema id": (
        {**ROW, "schemaId": "d" * 25, "bbox": BOX},
        "UnknownFeature",
        "schemaId",
        "the ontology has no feature with the schema id 'ddddddddddddddddddddddddd'",
    ),
    "a name and the id of another": (
        {**ROW, "schemaId": "c" * 25, "name": "cat", "point": PIXEL},
        "UnknownFeature",
        "schemaId",
        "the schema id 'ccccccccccccccccccccccccc' is that of 'pt', not of 'cat'",
    ),
    "two features of one name": (
        {**CAT, "name": "twice"},
        "AmbiguousFeature",
        "name",
        "the ontology has several features named 'twice'; "
        "say by schemaId which is meant",
    ),
    "a feature of another type": (
        {**CAT, "name": "poly"},
        "WrongFeature",
        "bbox",
        "'poly' is of type polygon and takes no bbox",
    ),
    "an answer to a tool": (
        {**ROW, "name": "cat", "answer": "a"},
        "WrongFeature",
        "answer",
        "'cat' is of type rectangle and takes no answer",
    ),
    "a confidence beyond 1": (
        {**CAT, "confidence": 1.01},
        "OutOfRange",
        "confidence",
        "confidence is 1.01; it must be from 0 to 1",
    ),
    "a confidence below 0 in a nested answer": (
        nested({"name": "breed", "answer": {"name": "tabby", "confidence": -1}}),
        "OutOfRange",
        "classifications[0].answer.confidence",
        "classifications[0].answer.confidence is -1.0; it must be from 0 to 1",
    ),
    "a custom metric without a name": (
        {
            **CAT,
            "custom_metrics": [{"name": "a", "value": 1}, {"name": "", "value": 1}],
        },
        "InvalidMetric",
        "customMetrics[1].name",
        "customMetrics[1].name is empty",
    ),
    "a height below 0": (
        {**CAT, "bbox": {**BOX, "height": -1}},
        "WrongGeometry",
        "bbox.height",
        "bbox.height is -1.0; it must be 0 or more",
    ),
    "a width below 0": (
        {**CAT, "bbox": {**BOX, "width": -0.5}},
        "WrongGeometry",
        "bbox.width",
        "bbox.width is -0.5; it must be 0 or more",
    ),
    "a polygon of two points": (
        {**ROW, "name": "poly", "polygon": [PIXEL, PIXEL]},
        "WrongGeometry",
        "polygon",
        "polygon needs 3 points or more; it has 2",
    ),
    "a line of one point": (
        {**ROW, "name": "line", "line": [PIXEL]},
        "WrongGeometry",
        "line",
        "line needs 2 points or more; it has 1",
    ),
    "a bbox on a page of unknown unit": (
        {**PDF_BOX, "unit": "METRES"},
        "WrongUnit",
        "unit",
        "unit is 'METRES'; it must be one of INCHES, PIXELS, POINTS, PERCENT",
    ),
    "a bbox on a page without a unit": (
        {**CAT, "page": 1},
        "MissingField",
        "unit",
        "unit is missing; it must be one of INCHES, PIXELS, POINTS, PERCENT",
    ),
    "a bbox with a unit on no page": (
        {**CAT, "unit": "POINTS"},
        "MissingField",
        "page",
        "page is missing; a bbox with a unit is on a page",
    ),
    "a bbox before the first page": (
        {**PDF_BOX, "page": -1},
        "OutOfRange",
        "page",
        "page is -1; it must be 0 or more",
    ),
    "an entity that ends before it starts": (
        {**ROW, "name": "ent", "location": {"start": 4, "end": 3}},
        "WrongLocation",
        "location",
        "location goes from 4 to 3",
    ),
    "an entity before the text": (
        {**ROW, "name": "ent", "messageId": "m", "location": {"start": -1, "end": 3}},
        "WrongLocation",
        "location",
        "location goes from -1 to 3",
    ),
    "an entity of no words": (
        {**ROW, "name": "ent", "textSelections": []},
        "WrongLocation",
        "textSelections",
        "textSelections is empty",
    ),
    "an entity before the first page": (
        {
            **ROW,
            "name": "ent",
            "textSelections": [{"tokenIds": ["a"], "groupId": "g", "page": 0}],
        },
        "OutOfRange",
        "textSelections[0].page",
        "textSelections[0].page is 0; pages count from 1",
    ),
    "an entity without tokens": (
        {
            **ROW,
            "name": "ent",
            "textSelections": [{"tokenIds": [], "groupId": "g", "page": 1}],
        },
        "WrongLocation",
        "textSelections[0].tokenIds",
        "textSelections[0].tokenIds is empty",
    ),
    "a mask of nothing": (
        {**MASK, "mask": {}},
        "WrongMask",
        "mask",
        "a mask is an instanceURI with a colorRGB, a png, or counts with a size; "
        "there is none",
    ),
    "a mask of two things": (
        {**MASK, "mask": {"png": "aGk=", "counts": [1], "size": [1, 1]}},
        "WrongMask",
        "mask",
        "a mask is an instanceURI with a colorRGB, a png, or counts with a size; "
        "there is png, counts",
    ),
    "a mask without a colour": (
        {**MASK, "mask": {"instanceURI": "https://x.test/m.png"}},
        "MissingField",
        "mask.colorRGB",
        "mask.colorRGB is missing: it says which colour is the mask",
    ),
    "a mask of a colour too bright": (
        {**MASK, "mask": {"instanceURI": "gs://x/m.png", "colorRGB": [0, 0, 256]}},
        "WrongMask",
        "mask.colorRGB",
        "mask.colorRGB is [0, 0, 256]; it must be three numbers from 0 to 255",
    ),
    "a mask of two colours": (
        {**MASK, "mask": {"instanceURI": "gs://x/m.png", "colorRGB": [0, 0]}},
        "WrongMask",
        "mask.colorRGB",
        "mask.colorRGB is [0, 0]; it must be three numbers from 0 to 255",
    ),
    "a mask at no URL": (
        {**MASK, "mask": {"instanceURI": "m.png", "colorRGB": [0, 0, 0]}},
        "WrongMask",
        "mask.instanceURI",
        "mask.instanceURI is 'm.png'; no URL",
    ),
    "a mask that is no base64": (
        {**MASK, "mask": {"png": "a b"}},
        "WrongMask",
        "mask.png",
        "mask.png is not base64: only base64 data is allowed",
    ),
    "an empty mask": (
        {**MASK, "mask": {"png": ""}},
        "WrongMask",
        "mask.png",
        "mask.png is empty",
    ),
    "run lengths without a size": (
        {**MASK, "mask": {"counts": [1]}},
        "WrongMask",
        "mask.size",
        "mask.size is missing; it must be a width and a height",
    ),
    "run lengths of a line": (
        {**MASK, "mask": {"counts": [1], "size": [0, 4]}},
        "WrongMask",
        "mask.size",
        "mask.size is [0, 4]; it must be a width and a height",
    ),
    "no run lengths": (
        {**MASK, "mask": {"counts": [], "size": [4, 4]}},
        "WrongMask",
        "mask.counts",
        "mask.counts must be run lengths of 0 or more",
    ),
    "run lengths below 0": (
        {**MASK, "mask": {"counts": [4, -1], "size": [4, 4]}},
        "WrongMask",
        "mask.counts",
        "mask.counts must be run lengths of 0 or more",
    ),
    "an unknown relationship": (
        {
            **ROW,
            "name": "rel",
            "relationship": {"source": UUID, "target": UUID, "type": "to"},
        },
        "WrongRelationship",
        "relationship.type",
        "relationship.type is 'to'; it must be unidirectional or bidirectional",
    ),
    "a relationship from nowhere": (
        {**ROW, "name": "rel", "relationship": {"target": UUID}},
        "MissingField",
        "relationship.source",
        "relationship.source is missing: the uuid of another annotation",
    ),
    "a relationship to no uuid": (
        {**ROW, "name": "rel", "relationship": {"source": UUID, "target": "it"}},
        "InvalidUuid",
        "relationship.target",
        "relationship.target is 'it'; it must be the uuid of an annotation",
    ),
    "two answers to a radio": (
        {**RADIO, "answer": [{"name": "a"}, {"name": "b"}]},
        "WrongAnswer",
        "answer",
        "'radio_q' takes one answer, not 2",
    ),
    "two answers to a radio, one on frames": (
        {
            **RADIO,
            "answer": [
                {"name": "a", "frames": [{"start": 1, "end": 2}]},
                {"name": "b"},
            ],
        },
        "WrongAnswer",
        "answer",
        "'radio_q' takes one answer, not 2",
    ),
    "two answers to a radio on one frame": (
        {
            **RADIO,
            "answer": [
                {"name": "a", "frames": [{"start": 1, "end": 5}]},
                {
                    "name": "b",
                    "frames": [{"start": 9, "end": 9}, {"start": 5, "end": 6}],
                },
            ],
        },
        "WrongAnswer",
        "answer",
        "'radio_q' takes one answer a frame; answer has two",
    ),
    "two texts on one frame": (
        {
            **ROW,
            "name": "free_text",
            "answer": [
                {"value": "a", "frames": [{"start": 1, "end": 5}]},
                {"value": "b", "frames": [{"start": 3, "end": 3}]},
            ],
        },
        "WrongAnswer",
        "answer",
        "'free_text' takes one answer a frame; answer has two",
    ),
    "an option twice": (
        {**ROW, "name": "check_q", "answer": [{"name": "x"}, {"name": "x"}]},
        "WrongAnswer",
        "answer",
        "answer has the option 'x' twice",
    ),
    "an option twice on one frame": (
        {
            **ROW,
            "name": "check_q",
            "answer": [
                {"name": "x", "frames": [{"start": 1, "end": 5}]},
                {"name": "x", "frames": [{"start": 4, "end": 6}]},
            ],
        },
        "WrongAnswer",
        "answer",
        "answer has the option 'x' twice",
    ),
    "options with frames and without": (
        {
            **ROW,
            "name": "check_q",
            "answer": [
                {"name": "x", "frames": [{"start": 1, "end": 5}]},
                {"name": "y"},
            ],
        },
        "WrongFrames",
        "answer",
        "answer has options with frames and without; give all of them some",
    ),
    "two key frames on one frame": (
        on_frames({"frame": 2, "bbox": BOX}, {"frame": 2, "bbox": BOX}),
        "WrongFrames",
        "segments[0].keyframes[1].frame",
        "segments[0].keyframes[1].frame is 2, which is there already",
    ),
    "a metric of an empty name": (
        {**METRIC, "metricName": ""},
        "InvalidMetric",
        "metricName",
        "metricName is empty; leave it out, or give the metric a name",
    ),
    "no answer to a radio": (
        {**RADIO, "answer": []},
        "WrongAnswer",
        "answer",
        "'radio_q' takes one answer, not 0",
    ),
    "a text to a radio": (
        {**RADIO, "answer": "a"},
        "WrongAnswer",
        "answer",
        "answer is a text; 'radio_q' is answered with an option",
    ),
    "an option to a text": (
        {**ROW, "name": "free_text", "answer": {"name": "a"}},
        "WrongAnswer",
        "answer",
        "'free_text' is answered with a text, "
        "or on frames with a value and frames each",
    ),
    "a text without frames in a list": (
        {**ROW, "name": "free_text", "answer": [{"value": "a"}]},
        "WrongAnswer",
        "answer",
        "'free_text' is answered with a text, "
        "or on frames with a value and frames each",
    ),
    "frames without a text": (
        {**ROW, "name": "free_text", "answer": [{"frames": [{"start": 1, "end": 2}]}]},
        "WrongAnswer",
        "answer",
        "'free_text' is answered with a text, "
        "or on frames with a value and frames each",
    ),
    "a text on frames that end before they start": (
        {
            **ROW,
            "name": "free_text",
            "answer": [{"value": "a", "frames": [{"start": 2, "end": 1}]}],
        },
        "WrongFrames",
        "answer[0].frames[0]",
        "answer[0].frames[0] goes from 2 to 1",
    ),
    "an unknown classification below a text on frames": (
        {
            **ROW,
            "name": "free_text",
            "answer": [
                {
                    "value": "a",
                    "frames": [{"start": 1, "end": 1}],
                    "classifications": [{"name": "sub", "answer": "b"}],
                }
            ],
        },
        "UnknownClassification",
        "answer[0].classifications[0].name",
        "'free_text' has no classification 'sub'",
    ),
    "an unknown option": (
        {**RADIO, "answer": {"name": "the secnd"}},
        "UnknownOption",
        "answer.name",
        "'radio_q' has no option 'the secnd'; did you mean 'the second'?",
    ),
    "an unknown option of several": (
        {**ROW, "name": "check_q", "answer": [{"name": "x"}, {"name": "zzz"}]},
        "UnknownOption",
        "answer[1].name",
        "'check_q' has no option 'zzz'",
    ),
    "an option without a name": (
        {**RADIO, "answer": {}},
        "MissingField",
        "answer.name",
        "answer.name is missing: the option is named by it, or by schemaId",
    ),
    "two options of one name": (
        {**ROW, "name": "check_q", "answer": [{"name": "same"}]},
        "AmbiguousOption",
        "answer.name",
        "'check_q' has several options named 'same'; say by schemaId which is meant",
    ),
    "a nested classification of another": (
        nested({"name": "sub", "answer": {"name": "suba"}}),
        "UnknownClassification",
        "classifications[0].name",
        "'cat' has no classification 'sub'",
    ),
    "a classification nested below another option": (
        {
            **RADIO,
            "answer": {
                "name": "b",
                "classifications": [{"name": "sub", "answer": {"name": "suba"}}],
            },
        },
        "UnknownClassification",
        "answer.classifications[0].name",
        "'b' has no classification 'sub'",
    ),
    "a classification nested beside an answer": (
        {
            **RADIO,
            "answer": {"name": "a"},
            "classifications": [{"name": "sub", "answer": {"name": "suba"}}],
        },
        "UnknownClassification",
        "classifications[0].name",
        "'radio_q' has no classification 'sub'",
    ),
    "a nested classification without an answer": (
        nested({"name": "nickname"}),
        "MissingField",
        "classifications[0].answer",
        "classifications[0].answer is missing",
    ),
    "frames that end before they start": (
        {**RADIO, "answer": {"name": "a"}, "frames": [{"start": 2, "end": 1}]},
        "WrongFrames",
        "frames[0]",
        "frames[0] goes from 2 to 1",
    ),
    "no frames": (
        {**RADIO, "answer": {"name": "a", "frames": []}},
        "WrongFrames",
        "answer.frames",
        "answer.frames is empty; leave it out to answer for all frames",
    ),
    "a confidence of a video object": (
        on_frames({"frame": 1, "bbox": BOX}, confidence=0.5),
        "NotSupported",
        "confidence",
        "confidence isn't taken for the objects of a video",
    ),
    "a video object that is never seen": (
        {**ROW, "name": "cat", "segments": []},
        "WrongFrames",
        "segments",
        "segments is empty",
    ),
    "a segment without keyframes": (
        on_frames(),
        "WrongFrames",
        "segments[0].keyframes",
        "segments[0].keyframes is empty",
    ),
    "a keyframe of another shape": (
        on_frames({"frame": 1, "point": PIXEL}),
        "WrongGeometry",
        "segments[0].keyframes[0]",
        "segments[0].keyframes[0] needs one bbox; there is point",
    ),
    "a keyframe of no shape": (
        on_frames({"frame": 1, "bbox": BOX}, {"frame": 2}),
        "WrongGeometry",
        "segments[0].keyframes[1]",
        "segments[0].keyframes[1] needs one bbox; there is none",
    ),
    "a keyframe before the video": (
        on_frames({"frame": -1, "bbox": BOX}),
        "WrongFrames",
        "segments[0].keyframes[0].frame",
        "segments[0].keyframes[0].frame is -1; it must be 0 or more",
    ),
    "a keyframe with a bad nested answer": (
        on_frames(
            {
                "frame": 1,
                "bbox": BOX,
                "classifications": [{"name": "breed", "answer": {"name": "tabyb"}}],
            }
        ),
        "UnknownOption",
        "segments[0].keyframes[0].classifications[0].answer.name",
        "'breed' has no option 'tabyb'; did you mean 'tabby'?",
    ),
    "a polygon in a video": (
        {
            **ROW,
            "name": "poly",
            "segments": [{"keyframes": [{"frame": 1, "polygon": [PIXEL] * 3}]}],
        },
        "NotSupported",
        "segments[0].keyframes[0]",
        "a model run takes no polygons of videos; import them as labels",
    ),
    "a task of another format": (
        {
            **ROW,
            "name": "best",
            "messageEvaluationTask": {
                "format": "message-multi-selection",
                "data": {"selectedMessages": []},
            },
        },
        "WrongTask",
        "messageEvaluationTask.format",
        "'best' takes the format message-single-selection, "
        "not 'message-multi-selection'",
    ),
    "a task of no format": (
        {
            **ROW,
            "name": "new",
            "messageEvaluationTask": {"format": "message-ranking", "data": {}},
        },
        "WrongTask",
        "messageEvaluationTask",
        "messageEvaluationTask needs a format: message-single-selection with a "
        "messageId, message-multi-selection with selectedMessages, or message-ranking "
        "with rankedMessages",
    ),
    "a ranking with a gap": (
        {
            **ROW,
            "name": "order",
            "messageEvaluationTask": {
                "format": "message-ranking",
                "data": {"rankedMessages": [{"order": 1}, {"order": 3}]},
            },
        },
        "WrongTask",
        "messageEvaluationTask.data.rankedMessages",
        "messageEvaluationTask.data.rankedMessages must be ordered by 1, 2, 3 and so "
        "on, each once",
    ),
    "a metric without a value": (
        {**ROW, "metricName": "m"},
        "MissingField",
        "metricValue",
        "metricValue is missing",
    ),
    "an unknown aggregation": (
        {**METRIC, "aggregation": "MAX"},
        "InvalidMetric",
        "aggregation",
        "aggregation is 'MAX'; it must be one of ARITHMETIC_MEAN, GEOMETRIC_MEAN, "
        "HARMONIC_MEAN, SUM, CONFUSION_MATRIX",
    ),
    "a reserved name": (
        {**METRIC, "metricName": " IoU "},
        "ReservedName",
        "metricName",
        "metricName ' IoU ' is the name of a metric that is computed; choose another",
    ),
    "a confusion matrix without a name": (
        {**MATRIX, "metricName": None, "metricValue": [1, 2, 3, 4]},
        "MissingField",
        "metricName",
        "metricName is missing: a confusion matrix needs one",
    ),
    "a confusion matrix of one number": (
        MATRIX,
        "InvalidMetric",
        "metricValue",
        "metricValue is a number; a confusion matrix has four counts, and a number "
        "one of the aggregations ARITHMETIC_MEAN, GEOMETRIC_MEAN, HARMONIC_MEAN, SUM",
    ),
    "counts that are no confusion matrix": (
        {**METRIC, "metricValue": [1, 2, 3, 4]},
        "InvalidMetric",
        "metricValue",
        "metricValue has four counts; they need the aggregation CONFUSION_MATRIX",
    ),
    "a metric below 0": (
        {**METRIC, "metricValue": -0.5},
        "OutOfRange",
        "metricValue",
        "metricValue holds -0.5; it must be from 0 to 100000000",
    ),
    "a metric beyond the range at one confidence": (
        {**METRIC, "metricValue": {"0.1": 1, "0.2": 100_000_001}},
        "OutOfRange",
        "metricValue['0.2']",
        "metricValue['0.2'] holds 100000001.0; it must be from 0 to 100000000",
    ),
    "a count beyond the range": (
        {**MATRIX, "metricValue": [0, 0, 0, 10_000_000_001]},
        "OutOfRange",
        "metricValue",
        "metricValue holds 10000000001; it must be from 0 to 10000000000",
    ),
    "a single confidence": (
        {**METRIC, "metricValue": {"0.1": 1}},
        "InvalidMetric",
        "metricValue",
        "metricValue takes 2 to 15 confidences; it has 1",
    ),
    "too many confidences": (
        {**METRIC, "metricValue": {f"0.{n:02}": 1 for n in range(16)}},
        "InvalidMetric",
        "metricValue",
        "metricValue takes 2 to 15 confidences; it has 16",
    ),
    "a confidence beyond 1 of a metric": (
        {**METRIC, "metricValue": {"0.1": 1, "1.5": 1}},
        "InvalidMetric",
        "metricValue['1.5']",
        "metricValue['1.5'] is no confidence; it must be a number from 0 to 1",
    ),
    "a confidence that is no number": (
        {**METRIC, "metricValue": {"0.1": 1, "nan": 1}},
        "InvalidMetric",
        "metricValue['nan']",
        "metricValue['nan'] is no confidence; it must be a number from 0 to 1",
    ),
    "a repeated confidence": (
        {**METRIC, "metricValue": {"0.1": 1, "0.10": 1}},
        "InvalidMetric",
        "metricValue['0.10']",
        "metricValue['0.10'] repeats the confidence '0.1'",
    ),
    "a subclass of no feature": (
        {**METRIC, "subclassName": "tabby"},
        "MissingField",
        "featureName",
        "featureName is missing: a subclass is one of a feature",
    ),
    "a metric of an unknown feature": (
        {**METRIC, "featureName": "caat"},
        "UnknownFeature",
        "featureName",
        "the ontology has no feature 'caat'; did you mean 'cat'?",
    ),
    "a metric of an unknown subclass": (
        {**METRIC, "featureName": "cat", "subclassName": "tabyb"},
        "UnknownSubclass",
        "subclassName",
        "'cat' has no classification or option 'tabyb'; did you mean 'tabby'?",
    ),
    "a text for a number": (
        {**CAT, "bbox": {**BOX, "top": "1"}},
        "WrongType",
        "bbox.top",
        "bbox.top: expected number, got text",
    ),
    "a missing coordinate": (
        {**CAT, "bbox": {"top": 1, "left": 2, "height": 3}},
        "WrongType",
        "bbox",
        "bbox: object missing required field width",
    ),
    "a boolean for a confidence": (
        {**CAT, "confidence": True},
        "WrongType",
        "confidence",
        "confidence: expected number, got boolean",
    ),
    "three counts": (
        {**MATRIX, "metricValue": [1, 2, 3]},
        "WrongType",
        "metricValue",
        "metricValue: expected list of length 4, got 3",
    ),
    "a count with a fraction": (
        {**MATRIX, "metricValue": [1, 2, 3, 0.5]},
        "WrongType",
        "metricValue[3]",
        "metricValue[3]: expected integer, got number",
    ),
    "a list": (b"[1]", "NotAnObject", "", "the line is no object; it must be {...}"),
    "an empty line": (b" \t\r\n", "EmptyLine", "", "the line is empty"),
    "half a line": (
        b'{"name": "cat"',
        "NotJson",
        "",
        "the line is not JSON: input data was truncated",
    ),
    "two values": (
        b"{} {}",
        "NotJson",
        "",
        "the line is not JSON: trailing characters (byte 4)",
    ),
    "deep nesting": (
        b'{"z":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        "NotJson",
        "",
        "the line is not JSON: it nests too deep",
    ),
    "a fault beside a number that nobody can print": (
        b'{"z":' + b"1" * 10_000 + b', "name": 3}',
        "WrongType",
        "name",
        "name: expected text, got integer",
    ),
    "a fault in a field that is repeated": (
        b'{"confidence": "1",' + json.dumps({**CAT, "confidence": 1}).encode()[1:],
        "WrongType",
        "confidence",
        "confidence: expected number, got text",
    ),
    "another encoding in a field that nobody knows": (
        json.dumps({**CAT, "note": "?"}).encode().replace(b"?", b"\xff"),
        "NotJson",
        "",
        "the line is not JSON: it isn't UTF-8",
    ),
    "half of a surrogate pair": (
        {**CAT, "name": "\ud800"},
        "NotText",
        "name",
        "name holds half of a surrogate pair",
    ),
    "half of a surrogate pair in the name of a field": (
        {**CAT, "bbox": {**BOX, "notes of mine\ud800": 1}},
        "NotJson",
        "",
        "the line is not JSON: unexpected end of escaped utf-16 surrogate pair "
        "(byte 123)",
    ),
    "NaN": (
        {**METRIC, "metricValue": float("nan")},
        "NotFinite",
        "metricValue",
        "metricValue is nan: JSON has no such number",
    ),
    "Infinity at one confidence": (
        {**METRIC, "metricValue": {"0.1": float("-inf"), "0.2": 1}},
        "NotFinite",
        "metricValue['0.1']",
        "metricValue['0.1'] is -inf: JSON has no such number",
    ),
    "a number beyond all": (
        json.dumps(CAT).encode().replace(b'"top": 1', b'"top": 1e999'),
        "NotFinite",
        "bbox.top",
        "bbox.top is inf: JSON has no such number",
    ),
    "NaN in a field that nobody knows": (
        {**CAT, "a note": [float("nan")]},
        "NotFinite",
        "['a note'][0]",
        "['a note'][0] is nan: JSON has no such number",
    ),
    "NaN alone": (b"NaN", "NotAnObject", "", "the line is no object; it must be {...}"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_wrong_row_is_refused_in_words(case: tuple[object, str, str, str]) -> None:
    row, name, path, message = case

    assert said(row) == [(name, path, message)]


@pytest.mark.parametrize(
    ("media", "row", "message"),
    [
        ("TEXT", CAT, "TEXT data takes no bbox"),
        ("HTML", CAT, "HTML data takes no bbox"),
        ("AUDIO", CAT, "AUDIO data takes no bbox"),
        (
            "TMS_GEO",
            {**MASK, "mask": {"png": "aGk="}},
            "TMS_GEO data takes no mask",
        ),
        (
            "PDF",
            CAT,
            "PDF data takes no bbox: a bbox on a page has its page and unit",
        ),
        (
            "VIDEO",
            CAT,
            "VIDEO data takes no bbox: an object of a video has segments with "
            "keyframes",
        ),
        (
            "CONVERSATIONAL",
            {**ROW, "name": "ent", "location": {"start": 0, "end": 1}},
            "CONVERSATIONAL data takes no text entity: an entity in a message has its "
            "messageId",
        ),
        ("IMAGE", PDF_BOX, "IMAGE data takes no PDF bbox"),
        (
            "IMAGE",
            on_frames({"frame": 1, "bbox": BOX}),
            "IMAGE data takes no video object",
        ),
        (
            "IMAGE",
            {**RADIO, "answer": {"name": "a"}, "frames": [{"start": 1, "end": 2}]},
            "IMAGE data takes no radio answer on frames",
        ),
    ],
)
def test_data_takes_only_the_kinds_that_fit_it(
    media: str, row: object, message: str
) -> None:
    ((name, _, found),) = said(row, media)

    assert (name, found) == ("WrongMediaType", message)


def test_masks_of_videos_are_no_predictions() -> None:
    masks = {
        "frames": [{"index": 1, "instanceURI": "https://x.test/m.png"}],
        "instances": [{"colorRGB": [0, 0, 255], "name": "mask"}],
    }

    assert said({**ROW, "masks": masks}, "VIDEO") == [
        (
            "NotSupported",
            "masks",
            "a model run takes no masks of videos; import them as labels",
        )
    ]


def test_masks_of_videos_are_checked_frame_by_frame() -> None:
    masks = {
        "frames": [{"index": -1, "imBytes": "?"}, {"index": 2}],
        "instances": [
            {"colorRGB": [0, 0, -1], "name": "cat"},
            {"colorRGB": [0, 0, 1], "name": "mask", "featureSchemaId": POINT_ID},
        ],
    }

    found = said({**ROW, "masks": masks}, "VIDEO", Purpose.LABEL)

    assert [path for _, path, _ in found] == [
        "masks.frames[0].index",
        "masks.frames[0].imBytes",
        "masks.frames[1]",
        "masks.instances[0].colorRGB",
        "masks",
        "masks.instances[1].schemaId",
    ]
    assert found[-2][2] == "'cat' is of type rectangle and takes no masks"
    empty = said({**ROW, "masks": {"frames": [], "instances": []}}, None, Purpose.LABEL)
    assert [path for _, path, _ in empty] == ["masks.frames", "masks.instances"]


def test_labels_bring_no_metrics() -> None:
    assert said(METRIC, None, Purpose.LABEL) == [
        (
            "NotSupported",
            "metricName",
            "metrics come with predictions, not with a label",
        )
    ]


def test_the_strictest_rules_want_a_uuid_and_no_metrics_on_masks() -> None:
    mask = {
        **MASK,
        "mask": {"png": "aGk="},
        "customMetrics": [{"name": "a", "value": 1}],
    }

    assert said(mask, None, Purpose.PREDICTION, STRICT) == [
        ("MissingField", "uuid", "uuid is missing"),
        ("NotSupported", "customMetrics", "a raster mask takes no custom metrics"),
    ]
    assert said({**METRIC, "metricValue": 100_001}, rules=STRICT) == [
        (
            "OutOfRange",
            "metricValue",
            "metricValue holds 100001.0; it must be from 0 to 100000",
        )
    ]


def test_all_faults_of_a_row_are_told_at_once() -> None:
    row = {
        "uuid": 5,
        "dataRow": {"globalKey": "gk"},
        "name": "caat",
        "confidence": 2,
        "page": "one",
        "bbox": {**BOX, "width": -1},
        "classifications": [],
    }

    assert [(name, path) for name, path, _ in said(row)] == [
        ("WrongType", "uuid"),
        ("WrongType", "page"),
        ("UnknownFeature", "name"),
        ("WrongGeometry", "bbox.width"),
        ("OutOfRange", "confidence"),
    ]


def test_the_confidence_of_an_unknown_classification_is_checked_as_well() -> None:
    row = {**RADIO, "name": "rodio_q", "answer": {"name": "a"}, "confidence": 2}

    assert [path for _, path, _ in said(row)] == ["name", "confidence"]
    assert [path for _, path, _ in said(row, purpose=Purpose.LABEL)] == ["name"]


def test_a_metric_whose_value_cannot_be_read_is_still_one() -> None:
    row = {**ROW, "metricValue": "1", "featureName": "caat"}

    assert [(name, path) for name, path, _ in said(row, rules=STRICT)] == [
        ("WrongType", "metricValue"),
        ("UnknownFeature", "featureName"),
    ]


def test_a_body_that_cannot_be_read_hides_no_other_fault() -> None:
    row = {**CAT, "name": "caat", "confidence": 2, "bbox": 1}

    assert [(name, path) for name, path, _ in said(row)] == [
        ("WrongType", "bbox"),
        ("UnknownFeature", "name"),
        ("OutOfRange", "confidence"),
    ]


def test_a_body_that_cannot_be_read_tells_no_features_apart() -> None:
    row = {**ROW, "name": "both", "point": 1}

    assert [name for name, _, _ in said(row)] == ["WrongType", "AmbiguousFeature"]


def test_of_very_many_faults_the_first_are_told() -> None:
    points = [{"x": float("nan"), "y": 0}] * 1000

    found = said({**ROW, "name": "poly", "polygon": points})

    assert len(found) == 21
    assert found[-1] == ("MoreProblems", "", "980 more problems in this line")


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({**CAT, "uuid": UUID.upper(), "confidence": "?"}).encode(),
        json.dumps({**CAT, "uuid": UUID, "confidence": float("nan")}).encode(),
        json.dumps({**CAT, "uuid": UUID, "z": "?"}).encode().replace(b"?", b"\xff"),
        json.dumps({**CAT, "uuid": UUID}).encode()[:-1],
        json.dumps({**CAT, "uuid": UUID.upper(), "confidence": 2}).encode(),
        json.dumps({**MATRIX, "uuid": UUID.upper()}).encode(),
    ],
    ids=["wrong type", "NaN", "another encoding", "half a line", "bbox", "metric"],
)
def test_a_refusal_tells_whose_it_is(text: bytes) -> None:
    found = checker().read(text)

    assert isinstance(found, Refused)
    assert (found.uuid, found.row) == (UUID, RowName(global_key="gk"))


def test_a_refusal_of_a_wrong_uuid_gives_it_as_it_came() -> None:
    found = checker().read(json.dumps({**CAT, "uuid": "No. 1"}).encode())

    assert isinstance(found, Refused)
    assert found.uuid == "No. 1"


def test_half_a_line_may_name_its_row_by_id_or_not_at_all() -> None:
    named = checker().read(b'{"dataRow": {"id": "a\\u0062"}, "bbox"')
    nameless = checker().read(b'{"dataRow": {"id": "\\x"}, "uuid": 3, "bbox"')

    assert isinstance(named, Refused)
    assert named.row == RowName(id="ab")
    assert isinstance(nameless, Refused)
    assert (nameless.row, nameless.uuid) == (None, None)

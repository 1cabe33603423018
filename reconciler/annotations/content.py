"""What an annotation says, in one form that equal annotations share.

The content of an annotation has no uuid, no data row and no ids. Two lines have
the same content when an export couldn't tell them apart, and the content of an
exported annotation is that of the line it came from:

- Names are those that exports show: what a classification asks, the name of a
  tool, the label of an option.
- Numbers are canonical, and lists without an order are sorted by name, then by
  their canonical bytes. What is absent, null or an empty list is left out.
- A box is its corners, because exports of maps show no others; a ring is closed.
- Answers are a list of options, whether one may be chosen or several; or a text.
- Answers on frames are what holds where something begins to hold, and the frames
  on which anything holds: exports don't tell the end of each answer. Frames of
  answers below other answers are no part of any export.
- A mask is only said to be there: URLs change, and pixels aren't fetched.

A relationship names its ends by uuid, which only says something beside the
annotations that have them. For what a whole label says, see `contents_of`.
"""

import hashlib
from collections.abc import Iterable, Mapping

from reconciler.annotations.content_answers import (
    answer_content,
    frames_content,
    heading,
    is_timed,
    nested_contents,
    spans_content,
)
from reconciler.annotations.content_places import (
    body_content,
    count,
    number,
    shape_content,
)
from reconciler.annotations.features import Feature, Features
from reconciler.annotations.metrics import aggregation_of
from reconciler.annotations.quick import canonical_bytes
from reconciler.annotations.rows import (
    Counts,
    Masks,
    Relation,
    Row,
    answers_of,
    read_uuid,
)
from reconciler.state.canonical import JsonObject, JsonValue, digest
from reconciler.state.labels import ContentHash


def content_of(
    row: Row, feature: Feature | None, *, marks: bool, features: Features | None = None
) -> JsonObject:
    """Say what a line of an import says, whatever its spelling.

    Args:
        row: A line that was accepted, of an annotation.
        feature: What it is made with; None takes names as they are, which is
            right for what comes of an export.
        marks: Whether confidences and custom metrics count: those of predictions
            do, those of labels don't.
        features: What the instances in the masks of a video are made with; None
            takes their names as they are.
    """
    if row.masks is not None:
        return {"masks": _masks(row.masks, features)}
    content = heading(row, feature, marks)
    if row.segments is not None:
        return content | _video_object(row, feature, marks)
    answers = answers_of(row)
    if answers is not None:
        if is_timed(row):
            return content | frames_content(row, feature, marks)
        content["answer"] = answer_content(answers, feature, marks)
        if row.message_id is not None:
            content["messageId"] = row.message_id
        return content
    if row.classifications:
        asked = nested_contents(row.classifications, feature, marks)
        content["classifications"] = asked
    if row.relationship is not None:
        return content | {"relationship": _relationship(row.relationship, {})}
    return content | body_content(row)


def contents_of(
    rows: Iterable[tuple[Row, Feature | None]],
    *,
    marks: bool,
    features: Features | None = None,
) -> list[JsonObject]:
    """Say what all lines for one data row say together, in their order.

    This is `content_of` each, except that relationships name their ends by the
    digest of what those say: uuids differ where a remote doesn't export them.

    Args:
        rows: The lines, each with what it is made with; see `content_of`.
        marks: Whether confidences and custom metrics count.
        features: What the instances in the masks of a video are made with.
    """
    said = [
        (row, content_of(row, feature, marks=marks, features=features))
        for row, feature in rows
    ]
    if not any(row.relationship for row, _ in said):
        return [content for _, content in said]
    ends = {
        _uuid(row.uuid): digest(content)
        for row, content in said
        if row.uuid is not None and row.relationship is None
    }
    return [
        {**content, "relationship": _relationship(row.relationship, ends)}
        if row.relationship
        else content
        for row, content in said
    ]


def label_hash(contents: Iterable[JsonObject]) -> ContentHash:
    """Name what a label says by the SHA-256 of its annotations, in any order.

    Hashed is the RFC 8785 JSON of each, sorted, with a newline after it.

    Args:
        contents: All that `contents_of` gives, without marks.
    """
    lines = sorted(map(canonical_bytes, contents))
    hashed = hashlib.sha256(b"".join(line + b"\n" for line in lines))
    return ContentHash(f"sha256:{hashed.hexdigest()}")


def metric_content(row: Row) -> JsonObject:
    """Say what a metric says, whatever its spelling; absent names are null."""
    value, aggregation = row.metric_value, aggregation_of(row)
    canonical: JsonValue
    if isinstance(value, dict):
        canonical = {
            canonical_bytes(number(float(confidence))).decode(): _measured(one)
            for confidence, one in value.items()
        }
    else:
        canonical = None if value is None else _measured(value)
    return {
        "metricName": row.metric_name,
        "featureName": row.feature_name,
        "subclassName": row.subclass_name,
        "aggregation": aggregation.value if aggregation else row.aggregation,
        "metricValue": canonical,
    }


def _video_object(
    row: Row,
    feature: Feature | None,
    marks: bool,  # noqa: FBT001  # on the way of every row
) -> JsonObject:
    frames: dict[int, JsonObject] = {}
    segments: list[tuple[int, int]] = []
    for segment in row.segments or ():
        numbers = [one.frame for one in segment.keyframes]
        if numbers:
            segments.append((min(numbers), max(numbers)))
        for keyframe in segment.keyframes:
            there = shape_content(keyframe)
            asked = keyframe.classifications or row.classifications
            if asked:
                there["classifications"] = nested_contents(asked, feature, marks)
            frames[keyframe.frame] = there
    return {
        "keyframes": [[count(n), frames[n]] for n in sorted(frames)],
        "segments": spans_content(sorted(segments)),
    }


def _masks(masks: Masks, features: Features | None) -> JsonObject:
    names = []
    for one in masks.instances:
        schema_id = one.schema_id or one.feature_schema_id
        found = features.top.find(one.name, schema_id) if features else ()
        names.append(found[0].instructions if found else one.name or schema_id or "")
    return {
        "frames": [count(n) for n in sorted({one.index for one in masks.frames})],
        "instances": [*sorted(names)],
    }


def _relationship(relation: Relation, ends: Mapping[str, str]) -> JsonObject:
    target = _uuid(relation.target)
    content: JsonObject = {"type": relation.type, "target": ends.get(target, target)}
    if relation.source is not None:
        source = _uuid(relation.source)
        content["source"] = ends.get(source, source)
    if relation.source_ontology_name is not None:
        content["sourceOntologyName"] = relation.source_ontology_name
    if relation.readonly:
        content["readonly"] = True
    return content


def _measured(value: float | Counts) -> JsonValue:
    if isinstance(value, tuple):
        return [count(one) for one in value]
    return number(value)


def _uuid(text: str) -> str:
    return read_uuid(text) or text

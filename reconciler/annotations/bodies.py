"""What an annotation is, apart from answers: shapes, places, videos, relationships.

Every check adds what is wrong to a list. Numbers are finite already: JSON has no
others.
"""

from collections.abc import Sequence
from typing import Any, Final

from reconciler.annotations.answers import check_nested
from reconciler.annotations.features import Feature
from reconciler.annotations.kinds import Kind
from reconciler.annotations.problems import Problem, show
from reconciler.annotations.rasters import check_mask, check_masks
from reconciler.annotations.rows import (
    Box,
    Keyframe,
    MessageTask,
    Point,
    Relation,
    Row,
    read_uuid,
)
from reconciler.annotations.rules import Purpose

_UNITS: Final = ("INCHES", "PIXELS", "POINTS", "PERCENT")
_TASKS: Final = (
    "message-single-selection",
    "message-multi-selection",
    "message-ranking",
)
_RELATIONS: Final = ("unidirectional", "bidirectional")
_SHAPES: Final = {
    "rectangle": "bbox",
    "point": "point",
    "line": "line",
    "polygon": "polygon",
}


def check_body(
    row: Row,
    kind: Kind,
    feature: Feature | None,
    purpose: Purpose,
    found: list[Problem],
) -> None:
    """Check what an object is, apart from its classifications.

    Only predictions are kept from having polygons in videos, which no model run
    takes.

    Args:
        row: The row.
        kind: What it is.
        feature: The tool it is made with; None when that is unknown.
        purpose: What it is imported as.
        found: Where problems go.
    """
    match kind:
        case Kind.BBOX if row.bbox:
            _check_box(row.bbox, "bbox", found)
        case Kind.PDF_BBOX if row.bbox:
            _check_box(row.bbox, "bbox", found)
            _check_page(row, found)
        case Kind.POLYGON:
            _check_points(row.polygon, 3, "polygon", found)
        case Kind.LINE:
            _check_points(row.line, 2, "line", found)
        case Kind.MASK if row.mask:
            check_mask(row.mask, found)
        case Kind.TEXT_ENTITY | Kind.MESSAGE_ENTITY if row.location:
            start, end = row.location.start, row.location.end
            if not 0 <= start <= end:
                message = f"location goes from {start} to {end}"
                found.append(Problem("WrongLocation", message, "location"))
        case Kind.PDF_ENTITY:
            _check_selections(row, found)
        case Kind.VIDEO_MASKS if row.masks:
            check_masks(row.masks, found)
        case Kind.RELATIONSHIP if row.relationship:
            _check_relation(row.relationship, found)
        case Kind.MESSAGE_TASK if row.message_task:
            _check_task(row.message_task, feature, found)
        case Kind.VIDEO_OBJECT:
            _check_segments(row, feature, purpose, found)
        case _:
            pass


def _check_box(box: Box, path: str, found: list[Problem]) -> None:
    if box.height < 0:
        message = f"{path}.height is {box.height}; it must be 0 or more"
        found.append(Problem("WrongGeometry", message, f"{path}.height"))
    if box.width < 0:
        message = f"{path}.width is {box.width}; it must be 0 or more"
        found.append(Problem("WrongGeometry", message, f"{path}.width"))


def _check_points(
    points: Sequence[Point] | None, least: int, path: str, found: list[Problem]
) -> None:
    if points is not None and len(points) < least:
        message = f"{path} needs {least} points or more; it has {len(points)}"
        found.append(Problem("WrongGeometry", message, path))


def _check_page(row: Row, found: list[Problem]) -> None:
    if row.page is None:
        message = "page is missing; a bbox with a unit is on a page"
        found.append(Problem("MissingField", message, "page"))
    elif row.page < 0:
        message = f"page is {row.page}; it must be 0 or more"
        found.append(Problem("OutOfRange", message, "page"))
    if row.unit not in _UNITS:
        given = "missing" if row.unit is None else show(row.unit)
        message = f"unit is {given}; it must be one of {', '.join(_UNITS)}"
        name = "MissingField" if row.unit is None else "WrongUnit"
        found.append(Problem(name, message, "unit"))


def _check_selections(row: Row, found: list[Problem]) -> None:
    if not row.text_selections:
        message = "textSelections is empty"
        found.append(Problem("WrongLocation", message, "textSelections"))
    for n, selection in enumerate(row.text_selections or ()):
        path = f"textSelections[{n}]"
        if selection.page < 1:
            message = f"{path}.page is {selection.page}; pages count from 1"
            found.append(Problem("OutOfRange", message, f"{path}.page"))
        if not selection.token_ids:
            message = f"{path}.tokenIds is empty"
            found.append(Problem("WrongLocation", message, f"{path}.tokenIds"))


def _check_relation(relation: Relation, found: list[Problem]) -> None:
    if relation.type not in _RELATIONS:
        message = (
            f"relationship.type is {show(relation.type)}; "
            f"it must be {' or '.join(_RELATIONS)}"
        )
        found.append(Problem("WrongRelationship", message, "relationship.type"))
    if relation.source is None and relation.source_ontology_name is None:
        message = "relationship.source is missing: the uuid of another annotation"
        found.append(Problem("MissingField", message, "relationship.source"))
    for end, uuid in (("source", relation.source), ("target", relation.target)):
        if uuid is not None and read_uuid(uuid) is None:
            path = f"relationship.{end}"
            message = f"{path} is {show(uuid)}; it must be the uuid of an annotation"
            found.append(Problem("InvalidUuid", message, path))


def _check_task(
    task: MessageTask, feature: Feature | None, found: list[Problem]
) -> None:
    path = "messageEvaluationTask"
    if feature and feature.type in _TASKS and task.format != feature.type:
        message = (
            f"{show(feature.name)} takes the format {feature.type}, "
            f"not {show(task.format)}"
        )
        found.append(Problem("WrongTask", message, f"{path}.format"))
        return
    match task.format, task.data:
        case "message-single-selection", {"messageId": str()}:
            pass
        case "message-multi-selection", {"selectedMessages": list()}:
            pass
        case "message-ranking", {"rankedMessages": list(ranked)}:
            _check_ranking(ranked, f"{path}.data.rankedMessages", found)
        case _:
            message = (
                f"{path} needs a format: message-single-selection with a messageId, "
                "message-multi-selection with selectedMessages, or message-ranking "
                "with rankedMessages"
            )
            found.append(Problem("WrongTask", message, path))


def _check_ranking(ranked: Sequence[Any], path: str, found: list[Problem]) -> None:
    orders = [one.get("order") if isinstance(one, dict) else None for one in ranked]
    if not all(orders.count(n) == 1 for n in range(1, len(orders) + 1)):
        message = f"{path} must be ordered by 1, 2, 3 and so on, each once"
        found.append(Problem("WrongTask", message, path))


def _check_segments(
    row: Row, feature: Feature | None, purpose: Purpose, found: list[Problem]
) -> None:
    if row.confidence is not None and purpose is Purpose.PREDICTION:
        message = "confidence isn't taken for the objects of a video"
        found.append(Problem("NotSupported", message, "confidence"))
    if not row.segments:
        found.append(Problem("WrongFrames", "segments is empty", "segments"))
    seen: set[int] = set()
    for n, segment in enumerate(row.segments or ()):
        path = f"segments[{n}].keyframes"
        if not segment.keyframes:
            found.append(Problem("WrongFrames", f"{path} is empty", path))
        for m, keyframe in enumerate(segment.keyframes):
            here = f"{path}[{m}]"
            if keyframe.frame in seen:
                message = f"{here}.frame is {keyframe.frame}, which is there already"
                found.append(Problem("WrongFrames", message, f"{here}.frame"))
            seen.add(keyframe.frame)
            _check_keyframe(keyframe, here, feature, purpose, found)


def _check_keyframe(
    keyframe: Keyframe,
    path: str,
    feature: Feature | None,
    purpose: Purpose,
    found: list[Problem],
) -> None:
    if keyframe.frame < 0:
        message = f"{path}.frame is {keyframe.frame}; it must be 0 or more"
        found.append(Problem("WrongFrames", message, f"{path}.frame"))
    shapes = [
        shape for shape in _SHAPES.values() if getattr(keyframe, shape) is not None
    ]
    wanted = _SHAPES.get(feature.type) if feature else None
    if len(shapes) != 1 or wanted not in {shapes[0], None}:
        needs = wanted or "bbox, point or line"
        said = " and ".join(shapes) or "none"
        message = f"{path} needs one {needs}; there is {said}"
        found.append(Problem("WrongGeometry", message, path))
    elif shapes == ["polygon"] and purpose is Purpose.PREDICTION:
        message = "a model run takes no polygons of videos; import them as labels"
        found.append(Problem("NotSupported", message, path))
    if keyframe.bbox:
        _check_box(keyframe.bbox, f"{path}.bbox", found)
    _check_points(keyframe.line, 2, f"{path}.line", found)
    _check_points(keyframe.polygon, 3, f"{path}.polygon", found)
    if feature:
        check_nested(
            keyframe.classifications,
            feature,
            f"{path}.",
            purpose is Purpose.PREDICTION,
            found,
        )

"""What objects say, apart from answers: shapes and places, in canonical numbers."""

from collections.abc import Mapping

from reconciler.annotations.rows import Keyframe, Point, Row
from reconciler.state.canonical import EXACT, JsonObject, JsonValue


def body_content(row: Row) -> JsonObject:
    """Say where an object is; of a mask only that it is there."""
    if row.mask is not None:
        return {"mask": True}
    if row.location is not None:
        place: JsonObject = {
            "location": [count(row.location.start), count(row.location.end)]
        }
        if row.message_id is not None:
            place["messageId"] = row.message_id
        return place
    if row.text_selections is not None:
        return {
            "textSelections": [
                {
                    "groupId": one.group_id,
                    "page": count(one.page),
                    "tokenIds": [*one.token_ids],
                }
                for one in row.text_selections
            ]
        }
    if row.message_task is not None:
        task: JsonObject = {
            "format": row.message_task.format,
            "data": _anything(row.message_task.data),
        }
        return {"messageEvaluationTask": task}
    shape = shape_content(row)
    if row.bbox is not None:
        if row.page is not None:
            shape["page"] = count(row.page)
        if row.unit is not None:
            shape["unit"] = row.unit
    return shape


def shape_content(given: Row | Keyframe) -> JsonObject:
    """Say what shape is drawn: a box by its corners, a polygon as a closed ring."""
    if (box := given.bbox) is not None:
        return {
            "bbox": {
                "left": number(box.left),
                "top": number(box.top),
                "right": number(box.left + box.width),
                "bottom": number(box.top + box.height),
            }
        }
    if (ring := given.polygon) is not None:
        closed = ring if ring[:1] == ring[-1:] else [*ring, ring[0]]
        return {"polygon": [_pair(point) for point in closed]}
    if given.line is not None:
        return {"line": [_pair(point) for point in given.line]}
    return {"point": _pair(given.point)} if given.point is not None else {}


def _pair(point: Point) -> JsonValue:
    return [number(point.x), number(point.y)]


def number(value: float) -> float:
    """Write a number as JSON writes all that are equal: 1.0 as 1."""
    if value.is_integer() and -EXACT < value < EXACT:
        return int(value)
    return value


def count(value: int) -> JsonValue:
    """Write an integer; as text where JSON numbers can't tell it from others."""
    return value if -EXACT < value < EXACT else str(value)


def _anything(value: object) -> JsonValue:
    match value:
        case bool() | str() | None:
            return value
        case int():
            return count(value)
        case float():
            return number(value)
        case list() | tuple():
            return [_anything(one) for one in value]
        case Mapping():
            return {str(key): _anything(one) for key, one in value.items()}
        case _:
            raise TypeError(f"{type(value).__name__} is no JSON type")

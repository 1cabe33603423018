"""Where an exported object is, as imports say it."""

from collections.abc import Sequence
from typing import Final, TypeAlias, TypeVar

import msgspec

from reconciler.annotations.exported_shapes import (
    CannotReadError,
    Geometry,
    Object,
    Place,
)
from reconciler.annotations.rows import Point
from reconciler.state.canonical import JsonObject, JsonValue

Coordinates = TypeVar("Coordinates")
Pair: TypeAlias = tuple[float, float]

_WHITE: Final = (255, 255, 255)


def place_of(given: Object) -> JsonObject:
    """Say where an object is, in the fields of a line.

    Raises:
        CannotReadError: When it is nowhere that a line could say.
    """
    if given.composite_mask is not None or given.mask is not None:
        return {"mask": _mask(given)}
    if (task := _task(given)) is not None:
        return {"messageEvaluationTask": task}
    if (there := given.conversational_location) is not None:
        span: JsonObject = {"start": there.location.start, "end": there.location.end}
        return {"messageId": there.message_id, "location": span}
    if given.location is not None:
        return _in_text(given.location)
    if given.geojson is not None:
        return _on_earth(given.geojson, given.annotation_kind or "")
    if (box := given.bounding_box) is not None:
        return {"bbox": _box(box.left, box.top, box.width, box.height)} | _page(given)
    if given.polygon is not None:
        return {"polygon": _points(given.polygon)}
    if given.line is not None:
        return {"line": _points(given.line)}
    if given.point is not None:
        return {"point": {"x": given.point.x, "y": given.point.y}}
    kind = given.annotation_kind or "an object of no kind"
    raise CannotReadError(f"{kind} that is nowhere")


def colour_of(given: Object) -> tuple[int, int, int]:
    """Say which colour a mask has in its image: white when it is alone in it.

    Raises:
        CannotReadError: When it is one of several, and nothing says which.
    """
    if given.composite_mask is None:
        return _WHITE
    if given.composite_mask.color_rgb is None:
        raise CannotReadError("a mask among others without its colour")
    return given.composite_mask.color_rgb


def _mask(given: Object) -> JsonObject:
    for raster in (given.composite_mask, given.mask):
        if raster is not None and raster.url is not None:
            return {"instanceURI": raster.url, "colorRGB": [*colour_of(given)]}
    if given.mask and given.mask.size is not None and given.mask.counts is not None:
        return {"size": [*given.mask.size], "counts": [*given.mask.counts]}
    raise CannotReadError("a mask with neither a URL nor run lengths")


def _task(given: Object) -> JsonObject | None:
    for kind, data in (
        ("message-single-selection", given.message_single_selection),
        ("message-multi-selection", given.message_multi_selection),
        ("message-ranking", given.message_ranking),
    ):
        if data is not None:
            return {"format": kind, "data": data}
    return None


def _in_text(place: Place) -> JsonObject:
    if place.groups is not None:
        return {
            "textSelections": [
                {
                    "tokenIds": [
                        token if isinstance(token, str) else token.id
                        for token in group.tokens
                    ],
                    "groupId": group.id,
                    "page": group.page_number,
                }
                for group in place.groups
            ]
        }
    if place.start is None or place.end is None:
        raise CannotReadError("an entity without its start and end")
    return {"location": {"start": place.start, "end": place.end}}


def _page(given: Object) -> JsonObject:
    said: JsonObject = {}
    if given.page_number is not None:
        said["page"] = given.page_number
    if given.unit is not None:
        said["unit"] = given.unit
    return said


def _on_earth(geometry: Geometry, kind: str) -> JsonObject:
    match geometry.type:
        case "Point":
            x, y = _coordinates(geometry, tuple[float, float])
            return {"point": {"x": x, "y": y}}
        case "LineString":
            return {"line": _pairs(_coordinates(geometry, list[Pair]))}
        case "Polygon":
            rings = _coordinates(geometry, list[list[Pair]])
            if len(rings) != 1 or not rings[0]:
                raise CannotReadError(f"a polygon with {len(rings)} rings")
            if kind.endswith("BoundingBox"):
                return {"bbox": _rectangle(rings[0])}
            return {"polygon": _pairs(rings[0])}
        case other:
            raise CannotReadError(f"a geometry of the type {other}")


def _coordinates(geometry: Geometry, of: type[Coordinates]) -> Coordinates:
    try:
        return msgspec.convert(geometry.coordinates, of)
    except msgspec.ValidationError as error:
        message = f"a {geometry.type} with coordinates of another shape: {error}"
        raise CannotReadError(message) from error


def _rectangle(ring: Sequence[Pair]) -> JsonObject:
    xs, ys = {x for x, _ in ring}, {y for _, y in ring}
    if len(xs) > 2 or len(ys) > 2:
        raise CannotReadError("a bounding box that is no rectangle along the axes")
    west, south = min(xs), min(ys)
    return _box(west, south, max(xs) - west, max(ys) - south)


def _box(left: float, top: float, width: float, height: float) -> JsonObject:
    return {"top": top, "left": left, "height": height, "width": width}


def _points(points: Sequence[Point]) -> JsonValue:
    return [{"x": point.x, "y": point.y} for point in points]


def _pairs(pairs: Sequence[Pair]) -> JsonValue:
    return [{"x": x, "y": y} for x, y in pairs]

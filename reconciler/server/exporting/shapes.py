"""Geometry and places in texts, as exports spell them for each kind of data."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from reconciler.annotations.rows import Box, Keyframe, Point, Row

_PREFIXES: Final[Mapping[str, str]] = {
    "AUDIO": "Audio",
    "CONVERSATIONAL": "ConversationalText",
    "HTML": "Html",
    "PDF": "Document",
    "POINT_CLOUD": "PointCloud",
    "TEXT": "Text",
    "TMS_GEO": "Geo",
    "TMS_SIMPLE": "Geo",
    "VIDEO": "Video",
}


def kind_prefix(media_type: str | None) -> str:
    """Say how the kinds of annotations begin; data of no known type is an image."""
    return _PREFIXES.get(media_type or "", "Image")


def camel_case(name: str) -> str:
    """Join words as the names of kinds do."""
    return "".join(word.capitalize() for word in name.replace("-", "_").split("_"))


def shape_of(
    given: Row | Keyframe, media_type: str | None
) -> tuple[str, dict[str, Any]] | None:
    """Say of which kind an object is, and where; None for what is no object."""
    prefix = kind_prefix(media_type)
    if given.bbox is not None:
        if isinstance(given, Row) and given.page is not None:
            return "DocumentBoundingBox", _on_page(given, given.bbox)
        if prefix == "Geo":
            return "GeoBoundingBox", _geo("Polygon", [_corners(given.bbox)])
        return f"{prefix}BoundingBox", {"bounding_box": given.bbox}
    if given.polygon is not None:
        ring = _closed(given.polygon)
        if prefix == "Geo":
            return "GeoPolygon", _geo("Polygon", [_pairs(ring)])
        return f"{prefix}Polygon", {"polygon": ring}
    if given.line is not None:
        if prefix == "Geo":
            return "GeoPolyline", _geo("LineString", _pairs(given.line))
        return f"{prefix}Polyline", {"line": given.line}
    if given.point is not None:
        if prefix == "Geo":
            return "GeoPoint", _geo("Point", [given.point.x, given.point.y])
        return f"{prefix}Point", {"point": given.point}
    return _place(given) if isinstance(given, Row) else None


def _place(row: Row) -> tuple[str, dict[str, Any]] | None:
    if row.location is not None and row.message_id is not None:
        place = {"message_id": row.message_id, "location": row.location}
        return "ConversationalTextEntity", {"conversational_location": place}
    if row.location is not None:
        return "TextEntity", {"location": row.location}
    if row.text_selections is not None:
        groups = [
            {
                "id": one.group_id,
                "page_number": one.page,
                "tokens": [{"id": token} for token in one.token_ids],
            }
            for one in row.text_selections
        ]
        return "DocumentEntityToken", {"location": {"groups": groups}}
    return None


def _on_page(row: Row, box: Box) -> dict[str, Any]:
    found: dict[str, Any] = {"page_number": row.page, "bounding_box": box}
    if row.unit is not None:
        found["unit"] = row.unit
    return found


def _geo(kind: str, coordinates: Sequence[Any]) -> dict[str, Any]:
    return {"geojson": {"type": kind, "coordinates": coordinates}}


def _corners(box: Box) -> list[list[float]]:
    # From the bottom left, clockwise, as the reference says; north is up.
    west, east = box.left, box.left + box.width
    south, north = box.top, box.top + box.height
    return [[west, south], [west, north], [east, north], [east, south], [west, south]]


def _pairs(points: Sequence[Point]) -> list[list[float]]:
    return [[point.x, point.y] for point in points]


def _closed(ring: Sequence[Point]) -> Sequence[Point]:
    return ring if ring[0] == ring[-1] else [*ring, ring[0]]

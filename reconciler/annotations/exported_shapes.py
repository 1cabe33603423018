"""The shape of what an export has of a label, or of the predictions for a row.

Any field may be missing or null, and fields that nobody knows are left alone.
Shapes are those of Labelbox's export reference, of its SDK's tests, and of our
own server, which says `uuid`, the one an annotation was imported with, besides.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

from reconciler.annotations.rows import Box, CustomMetric, Location, Point


class CannotReadError(ValueError):
    """Something in an export that no line of an import says; says what."""


class Weighed(Struct, frozen=True, gc=False):
    """What a model was how sure of."""

    confidence: float | None = None
    custom_metrics: list[CustomMetric] | None = None


class Named(Weighed, frozen=True, gc=False):
    """What is made with a feature or an option.

    Attributes:
        feature_id: Tells it from others of its label.
        feature_schema_id: The feature or option.
        name: The name of a tool, what a classification asks, or the label of an
            option.
        uuid: What it was imported with.
    """

    feature_id: str | None = None
    feature_schema_id: str | None = None
    name: str | None = None
    uuid: str | None = None


class TextAnswer(Weighed, frozen=True, gc=False):
    """A free text."""

    content: str = ""


class Chosen(Named, frozen=True, gc=False):
    """An option that was chosen.

    Attributes:
        content: A text that stands in the place of an option: one of those that
            hold on frames, which aren't said.
    """

    content: str | None = None
    classifications: "list[Classification] | None" = None


class Classification(Named, frozen=True, gc=False):
    """A question and its answer, in one of six fields."""

    message_id: str | None = None
    radio_answer: Chosen | None = None
    checklist_answers: list[Chosen] | None = None
    text_answer: TextAnswer | None = None
    conversational_radio_answer: Chosen | None = None
    conversational_checklist_answers: list[Chosen] | None = None
    conversational_text_answer: TextAnswer | None = None


class Token(Struct, frozen=True, gc=False):
    """A word of a page."""

    id: str


class Group(Struct, frozen=True, gc=False):
    """Words of one page."""

    id: str
    page_number: int
    tokens: list[Token | str]


class Place(Struct, frozen=True, gc=False):
    """Characters of a text, or words of pages."""

    start: int | None = None
    end: int | None = None
    groups: list[Group] | None = None


class MessagePlace(Struct, frozen=True, gc=False):
    """Characters of a message."""

    message_id: str
    location: Location


class Geometry(Struct, frozen=True, gc=False):
    """A GeoJSON geometry."""

    type: str
    coordinates: Any


class Raster(Struct, frozen=True, gc=False):
    """A mask at a URL, or as run lengths."""

    url: str | None = None
    color_rgb: tuple[int, int, int] | None = None
    size: list[int] | None = None
    counts: list[int] | None = None


class Object(Named, frozen=True, gc=False):
    """What is made with a tool, at a place in one of many fields."""

    annotation_kind: str | None = None
    classifications: list[Classification] | None = None
    bounding_box: Box | None = None
    polygon: list[Point] | None = None
    line: list[Point] | None = None
    point: Point | None = None
    geojson: Geometry | None = None
    page_number: int | None = None
    unit: str | None = None
    location: Place | None = None
    conversational_location: MessagePlace | None = None
    mask: Raster | None = None
    composite_mask: Raster | None = None
    message_single_selection: dict[str, Any] | None = None
    message_multi_selection: dict[str, Any] | None = None
    message_ranking: dict[str, Any] | None = None


class Related(Struct, frozen=True, gc=False):
    """What is related, by feature id."""

    target: str
    source: str | None = None
    source_ontology_name: str | None = None
    readonly: bool | None = None


class Relationship(Named, frozen=True, gc=False):
    """An object related to another, one way or both."""

    annotation_kind: str | None = None
    classifications: list[Classification] | None = None
    unidirectional_relationship: Related | None = None
    bidirectional_relationship: Related | None = None


class Frame(Struct, frozen=True, gc=False):
    """What is on a frame of a video, or at a moment of a sound."""

    objects: dict[str, Object] | None = None
    classifications: list[Classification] | None = None
    relationships: list[Relationship] | None = None


KeyFrames: TypeAlias = list[int] | dict[str, bool]
"""Frames on which somebody said something; or frames, and whether they did."""


class Annotations(Struct, frozen=True, gc=False):
    """All that a label says.

    Attributes:
        segments: First and last frame of where each feature can be seen.
        key_frame_feature_map: Where somebody said what each feature is like.
    """

    objects: list[Object] | None = None
    classifications: list[Classification] | None = None
    relationships: list[Relationship] | None = None
    frames: dict[int, Frame] | None = None
    segments: dict[str, list[tuple[int, int]]] | None = None
    key_frame_feature_map: dict[str, KeyFrames] | None = None


class _Entry(Struct, frozen=True, gc=False):
    annotations: Annotations


def read_annotations(entry: Mapping[str, object]) -> Annotations:
    """Read the entry of a label.

    Raises:
        CannotReadError: When something has another shape.
    """
    try:
        return msgspec.convert(entry, _Entry, str_keys=True).annotations
    except msgspec.ValidationError as error:
        raise CannotReadError(f"an entry of another shape: {error}") from error

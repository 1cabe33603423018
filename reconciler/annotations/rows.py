"""The shape of one line of an import.

Types are strict: a number in quotes is no number. Fields that nobody knows are
left alone. An absent field and null are the same.

The SDK writes the fields of nested answers in snake case and those of all others
in camel case, and people write `answers` where it writes `answer`: every object
takes both. Where one has both, camel case and `answer` count.
"""

from collections.abc import Sequence
from typing import Any, Final, TypeAlias
from uuid import UUID

import msgspec
from msgspec import Struct, field

Counts: TypeAlias = tuple[int, int, int, int]
"""True positives, false positives, true negatives, false negatives."""

MetricValue: TypeAlias = float | Counts | dict[str, float | Counts]
"""A metric: a number, counts, or either by confidence (a number as text)."""

_CANONICAL: Final = 36


class RowName(Struct, frozen=True, gc=False):
    """How a line names its data row: by id, or by global key."""

    id: str | None = None
    global_key: str | None = field(default=None, name="globalKey")


class CustomMetric(Struct, frozen=True, gc=False):
    """A number that somebody gives to a prediction."""

    name: str
    value: float


class Frames(Struct, frozen=True, gc=False):
    """Frames of a video, or milliseconds of a sound, both ends included."""

    start: int
    end: int


class _Named(Struct, frozen=True, gc=False):
    name: str | None = None
    schema_id: str | None = field(default=None, name="schemaId")
    schema_id_: str | None = field(default=None, name="schema_id")
    confidence: float | None = None
    custom_metrics: list[CustomMetric] | None = field(
        default=None, name="customMetrics"
    )
    custom_metrics_: list[CustomMetric] | None = field(
        default=None, name="custom_metrics"
    )
    classifications: "list[Nested] | None" = None


class Answer(_Named, frozen=True, gc=False):
    """One option that was chosen; or the text that holds on some frames.

    Attributes:
        value: The text; an option has a name or schema id instead.
        frames: Where the answer holds; None for everywhere.
    """

    value: str | None = None
    frames: list[Frames] | None = None


class Nested(_Named, frozen=True, gc=False):
    """A classification below a tool or below an answer."""

    answer: str | list[Answer] | Answer | None = None
    answers: str | list[Answer] | Answer | None = None


class Point(Struct, frozen=True, gc=False):
    """A place, in pixels or degrees."""

    x: float
    y: float


class Box(Struct, frozen=True, gc=False):
    """A rectangle along the axes."""

    top: float
    left: float
    height: float
    width: float


class Mask(Struct, frozen=True, gc=False):
    """A raster: an image at a URL and the colour in it, a PNG, or run lengths."""

    url: str | None = field(default=None, name="instanceURI")
    colour: list[int] | None = field(default=None, name="colorRGB")
    png: str | None = None
    size: list[int] | None = None
    counts: list[int] | None = None


class Location(Struct, frozen=True, gc=False):
    """Characters of a text, from the first to the last."""

    start: int
    end: int


class TextSelection(Struct, frozen=True, gc=False):
    """Words of one page."""

    token_ids: list[str] = field(name="tokenIds")
    group_id: str = field(name="groupId")
    page: int


class Keyframe(Struct, frozen=True, gc=False):
    """Where an object is on one frame of a video."""

    frame: int
    bbox: Box | None = None
    point: Point | None = None
    line: list[Point] | None = None
    polygon: list[Point] | None = None
    classifications: list[Nested] | None = None


class Segment(Struct, frozen=True, gc=False):
    """A stretch of a video in which an object can be seen."""

    keyframes: list[Keyframe]


class MaskFrame(Struct, frozen=True, gc=False):
    """The masks of one frame in one image: at a URL, or as base64."""

    index: int
    url: str | None = field(default=None, name="instanceURI")
    image: str | None = field(default=None, name="imBytes")


class MaskInstance(Struct, frozen=True, gc=False):
    """An object of a video, known by its colour in every image."""

    colour: list[int] = field(name="colorRGB")
    name: str | None = None
    schema_id: str | None = field(default=None, name="schemaId")
    feature_schema_id: str | None = field(default=None, name="featureSchemaId")


class Masks(Struct, frozen=True, gc=False):
    """The raster masks of a video."""

    frames: list[MaskFrame]
    instances: list[MaskInstance]


class Relation(Struct, frozen=True, gc=False):
    """What is related: an annotation, or a part of the ontology, to another.

    Attributes:
        target: uuid of an annotation.
        source: The same.
        source_ontology_name: What stands in for a source.
        type: Whether both ways are meant.
        readonly: Whether labelers may change it.
    """

    target: str
    source: str | None = None
    source_ontology_name: str | None = field(default=None, name="sourceOntologyName")
    type: str = "unidirectional"
    readonly: bool | None = None


class MessageTask(Struct, frozen=True, gc=False):
    """A judgement on the answers of language models."""

    format: str
    data: dict[str, Any]


class Row(_Named, frozen=True, gc=False):
    """One line: an annotation of one kind, or a metric.

    Every kind has a field of its own, and a row has exactly one of them.
    """

    uuid: str | None = None
    data_row: RowName | None = field(default=None, name="dataRow")
    answer: str | list[Answer] | Answer | None = None
    answers: str | list[Answer] | Answer | None = None
    frames: list[Frames] | None = None
    bbox: Box | None = None
    polygon: list[Point] | None = None
    line: list[Point] | None = None
    point: Point | None = None
    mask: Mask | None = None
    location: Location | None = None
    text_selections: list[TextSelection] | None = field(
        default=None, name="textSelections"
    )
    segments: list[Segment] | None = None
    masks: Masks | None = None
    relationship: Relation | None = None
    message_task: MessageTask | None = field(default=None, name="messageEvaluationTask")
    page: int | None = None
    unit: str | None = None
    message_id: str | None = field(default=None, name="messageId")
    benchmark: bool | None = field(default=None, name="isBenchmarkReferenceLabel")
    metric_name: str | None = field(default=None, name="metricName")
    metric_value: MetricValue | None = field(default=None, name="metricValue")
    aggregation: str | None = None
    feature_name: str | None = field(default=None, name="featureName")
    subclass_name: str | None = field(default=None, name="subclassName")


_decode = msgspec.json.Decoder(Row).decode


def decode(line: bytes) -> Row:
    """Read a line that was accepted before.

    Raises:
        msgspec.DecodeError: When it isn't JSON, or has a field of a wrong type.
        UnicodeDecodeError: When it isn't UTF-8.
        RecursionError: When it nests too deep.
    """
    return _decode(line)


def schema_id_of(named: _Named) -> str | None:
    """Read a schema id, however it is spelled."""
    return named.schema_id if named.schema_id is not None else named.schema_id_


def metrics_of(named: _Named) -> Sequence[CustomMetric] | None:
    """Read custom metrics, however they are spelled."""
    if named.custom_metrics is not None:
        return named.custom_metrics
    return named.custom_metrics_


def answers_of(asked: Row | Nested) -> str | Sequence[Answer] | None:
    """Read what was answered: a text, or options however they are spelled."""
    answer = asked.answer if asked.answer is not None else asked.answers
    return [answer] if isinstance(answer, Answer) else answer


def read_uuid(text: str) -> str | None:
    """Spell a uuid in its canonical form; None when it is none."""
    try:
        uuid = msgspec.convert(text, UUID)
    except msgspec.ValidationError:
        try:
            return str(UUID(text))
        except ValueError:
            return None
    return text.lower() if len(text) == _CANONICAL else str(uuid)

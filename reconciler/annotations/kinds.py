"""The kinds of annotations, the features they need, and the data they fit.

What fits which data is Labelbox's documentation of model runs and imports; where
it says nothing, nothing is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter
from typing import Final

from reconciler.annotations.features import CHECKLISTS, RADIOS, TEXTS, Feature
from reconciler.annotations.problems import Problem
from reconciler.annotations.rows import Row, answers_of
from reconciler.annotations.rules import Purpose


class Kind(StrEnum):
    """What a row is, as a noun."""

    BBOX = "bbox"
    PDF_BBOX = "PDF bbox"
    POLYGON = "polygon"
    LINE = "line"
    POINT = "point"
    MASK = "mask"
    TEXT_ENTITY = "text entity"
    MESSAGE_ENTITY = "conversation entity"
    PDF_ENTITY = "PDF entity"
    RADIO = "radio answer"
    CHECKLIST = "checklist answer"
    TEXT = "text answer"
    FRAMES_RADIO = "radio answer on frames"
    FRAMES_CHECKLIST = "checklist answer on frames"
    FRAMES_TEXT = "text answer on frames"
    VIDEO_OBJECT = "video object"
    VIDEO_MASKS = "video mask"
    RELATIONSHIP = "relationship"
    MESSAGE_TASK = "message task"


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """A field that makes a row an annotation.

    Attributes:
        field: Its name in the line.
        kind: What such a row is; a form may become several kinds.
        types: The types of features that it can be made with.
    """

    field: str
    kind: Kind
    types: frozenset[str]


_ENTITIES: Final = frozenset({"named-entity"})
_RASTERS: Final = frozenset({"raster-segmentation", "superpixel"})

_FORMS: Final[Mapping[str, Form]] = {
    "bbox": Form("bbox", Kind.BBOX, frozenset({"rectangle"})),
    "polygon": Form("polygon", Kind.POLYGON, frozenset({"polygon"})),
    "line": Form("line", Kind.LINE, frozenset({"line"})),
    "point": Form("point", Kind.POINT, frozenset({"point"})),
    "mask": Form("mask", Kind.MASK, _RASTERS),
    "location": Form("location", Kind.TEXT_ENTITY, _ENTITIES),
    "text_selections": Form("textSelections", Kind.PDF_ENTITY, _ENTITIES),
    "answer": Form("answer", Kind.RADIO, RADIOS | CHECKLISTS | TEXTS),
    "answers": Form("answers", Kind.CHECKLIST, RADIOS | CHECKLISTS | TEXTS),
    "segments": Form(
        "segments",
        Kind.VIDEO_OBJECT,
        frozenset({"rectangle", "point", "line", "polygon"}),
    ),
    "masks": Form("masks", Kind.VIDEO_MASKS, _RASTERS),
    "relationship": Form("relationship", Kind.RELATIONSHIP, frozenset({"edge"})),
    "message_task": Form(
        "messageEvaluationTask",
        Kind.MESSAGE_TASK,
        frozenset(
            {"message-single-selection", "message-multi-selection", "message-ranking"}
        ),
    ),
}

_ALL: Final = tuple(_FORMS.values())
_BODIES: Final = attrgetter(*_FORMS)
_KNOWN: Final = frozenset[str]().union(*(form.types for form in _ALL))

FIELDS: Final = frozenset(form.field for form in _ALL)
"""The fields that make a row an annotation."""

_PLAIN: Final = frozenset({Kind.RADIO, Kind.CHECKLIST, Kind.TEXT})
_SHAPES: Final = frozenset({Kind.BBOX, Kind.POLYGON, Kind.LINE, Kind.POINT})
_ON_FRAMES: Final = {
    Kind.RADIO: Kind.FRAMES_RADIO,
    Kind.CHECKLIST: Kind.FRAMES_CHECKLIST,
    Kind.TEXT: Kind.FRAMES_TEXT,
}

ANSWERS: Final = _PLAIN | frozenset(_ON_FRAMES.values())
"""The kinds that answer a classification."""

_FITS: Final[Mapping[str, frozenset[Kind]]] = {
    "IMAGE": _SHAPES | _PLAIN | {Kind.MASK, Kind.RELATIONSHIP},
    "TMS_GEO": _SHAPES | _PLAIN | {Kind.RELATIONSHIP},
    "TMS_SIMPLE": _SHAPES | _PLAIN | {Kind.RELATIONSHIP},
    "TEXT": _PLAIN | {Kind.TEXT_ENTITY, Kind.RELATIONSHIP},
    "CONVERSATIONAL": _PLAIN
    | {Kind.MESSAGE_ENTITY, Kind.RELATIONSHIP, Kind.MESSAGE_TASK},
    "PDF": _PLAIN | {Kind.PDF_BBOX, Kind.PDF_ENTITY, Kind.RELATIONSHIP},
    "HTML": _PLAIN,
    "AUDIO": ANSWERS,
    "VIDEO": ANSWERS | {Kind.VIDEO_OBJECT, Kind.VIDEO_MASKS, Kind.RELATIONSHIP},
}

_SEGMENTS: Final = "an object of a video has segments with keyframes"
_INSTEAD: Final[Mapping[tuple[str, Kind], str]] = {
    ("CONVERSATIONAL", Kind.TEXT_ENTITY): "an entity in a message has its messageId",
    ("PDF", Kind.BBOX): "a bbox on a page has its page and unit",
    ("PDF", Kind.TEXT_ENTITY): "an entity on a page has textSelections",
    ("VIDEO", Kind.BBOX): _SEGMENTS,
    ("VIDEO", Kind.LINE): _SEGMENTS,
    ("VIDEO", Kind.POINT): _SEGMENTS,
}


def forms_of(row: Row) -> list[Form]:
    """List the fields of a row that make it an annotation: one, if all is well."""
    bodies = _BODIES(row)
    return [form for form, body in zip(_ALL, bodies, strict=True) if body is not None]


def can_be_made(form: Form, feature: Feature) -> bool:
    """Tell whether a feature is one for this form; one of unknown type may be."""
    return feature.type in form.types or feature.type not in _KNOWN


def kind_of(form: Form, row: Row, feature: Feature | None) -> Kind:
    """Say what a row is; where the form leaves it open, by its feature."""
    match form.kind:
        case Kind.BBOX if row.page is not None or row.unit is not None:
            return Kind.PDF_BBOX
        case Kind.TEXT_ENTITY if row.message_id is not None:
            return Kind.MESSAGE_ENTITY
        case Kind.RADIO | Kind.CHECKLIST:
            return _kind_of_answer(form, row, feature)
        case kind:
            return kind


def _kind_of_answer(form: Form, row: Row, feature: Feature | None) -> Kind:
    given = answers_of(row)
    kind = form.kind
    if isinstance(given, str) or (feature and feature.type in TEXTS):
        kind = Kind.TEXT
    elif feature and feature.type in RADIOS:
        kind = Kind.RADIO
    elif (feature and feature.type in CHECKLISTS) or isinstance(row.answer, list):
        kind = Kind.CHECKLIST
    if row.frames is not None:
        return _ON_FRAMES[kind]
    if isinstance(given, str) or given is None:
        return kind
    on_frames = any(answer.frames is not None for answer in given)
    return _ON_FRAMES[kind] if on_frames else kind


def check_media(
    form: Form,
    kind: Kind,
    media_type: str | None,
    purpose: Purpose,
    found: list[Problem],
) -> None:
    """Find a kind that the data can't have.

    Nothing is known of data without a media type, nor of point clouds and
    language models, whose media types say little of what is annotated.
    """
    fitting = _FITS.get(media_type or "")
    if fitting is not None and kind not in fitting:
        instead = _INSTEAD.get((media_type or "", kind))
        found.append(
            Problem(
                "WrongMediaType",
                f"{media_type} data takes no {kind}"
                + (f": {instead}" if instead else ""),
                form.field,
            )
        )
    if kind is Kind.VIDEO_MASKS and purpose is Purpose.PREDICTION:
        found.append(
            Problem(
                "NotSupported",
                "a model run takes no masks of videos; import them as labels",
                "masks",
            )
        )

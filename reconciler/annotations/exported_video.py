"""What an export has on frames becomes lines of imports again.

Only key frames count, and where segments begin and end: what is on the frames
between them was filled in.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from reconciler.annotations.content_answers import merged
from reconciler.annotations.exported_answers import (
    classification_row,
    heading,
    nested_rows,
    weights,
)
from reconciler.annotations.exported_places import colour_of, place_of
from reconciler.annotations.exported_shapes import (
    Annotations,
    CannotReadError,
    Classification,
    Object,
)
from reconciler.state.canonical import JsonObject, JsonValue, canonical_bytes

Seen = TypeVar("Seen", Object, Classification)

_SHAPES: Final = frozenset({"bbox", "polygon", "line", "point"})


@dataclass(frozen=True, slots=True)
class Part(Generic[Seen]):
    """A feature of a label, and the frames it is on.

    Attributes:
        id: Its feature id.
        frames: What it is like, by frame.
        segments: First and last frame of each stretch.
        keys: The frames that count, in their order.
    """

    id: str
    frames: Mapping[int, Seen]
    segments: Sequence[tuple[int, int]]
    keys: Sequence[int]


@dataclass(frozen=True, slots=True)
class TimedRow:
    """A line of an import, of something on frames.

    Attributes:
        parts: The feature ids that it had.
        uuid: What it was imported with; None where the export doesn't tell.
        row: The line, without uuid.
    """

    parts: Collection[str]
    uuid: str | None
    row: JsonObject


def timed_rows(annotations: Annotations) -> Iterator[TimedRow]:
    """List the lines of all that is on frames.

    Raises:
        CannotReadError: For what no line could say.
    """
    objects: dict[str, dict[int, Object]] = {}
    answers: dict[str, dict[int, Classification]] = {}
    for number, frame in sorted((annotations.frames or {}).items()):
        if frame.relationships:
            raise CannotReadError("a relationship on a frame")
        for part, one in (frame.objects or {}).items():
            objects.setdefault(part, {})[number] = one
        for asked in frame.classifications or ():
            part = asked.feature_id or asked.name or ""
            answers.setdefault(part, {})[number] = asked
    masks: dict[object, list[Part[Object]]] = {}
    for part, frames in objects.items():
        if any(one.mask or one.composite_mask for one in frames.values()):
            together = _together(frames)
            masks.setdefault(together, []).append(Part(part, frames, (), ()))
        else:
            found = _part(part, frames, annotations, ends=True)
            yield TimedRow({part}, _uuid(frames), _object_row(found))
    for parts in masks.values():
        yield TimedRow({one.id for one in parts}, _uuid(parts[0].frames), _masks(parts))
    for part, said in answers.items():
        about = _part(part, said, annotations, ends=False)
        yield TimedRow({part}, _uuid(said), _answer_row(about))


def _part(
    part: str, frames: Mapping[int, Seen], annotations: Annotations, *, ends: bool
) -> Part[Seen]:
    segments = (annotations.segments or {}).get(part)
    known = (annotations.key_frame_feature_map or {}).get(part)
    if known is None:
        keys = set(frames)
    elif isinstance(known, dict):
        keys = {int(frame) for frame, is_key in known.items() if is_key}
    else:
        keys = set(known)
    if missing := keys - set(frames):
        message = f"the key frame {min(missing)} of {part}, which isn't in the export"
        raise CannotReadError(message)
    if not segments:
        return Part(part, frames, merged((n, n) for n in keys), sorted(keys))
    # Labelbox's map leaves out key frames on which segments begin or end. Where an
    # answer ends is known without them.
    for start, end in segments:
        keys |= {start, end} if ends else {start}
    keys &= set(frames)
    if lost := [n for n in keys if not any(s <= n <= e for s, e in segments)]:
        raise CannotReadError(f"the key frame {min(lost)} of {part}, in no segment")
    if any(start not in keys for start, _ in segments):
        raise CannotReadError(f"a segment of {part} that begins without a key frame")
    return Part(part, frames, segments, sorted(keys))


def _uuid(frames: Mapping[int, Seen]) -> str | None:
    return next((one.uuid for one in frames.values() if one.uuid), None)


def _object_row(part: Part[Object]) -> JsonObject:
    first = part.frames[part.keys[0]]
    row = heading(first) | weights(first)
    if any(heading(one) | weights(one) != row for one in part.frames.values()):
        raise CannotReadError(f"the object {part.id}, which is sure by frames")
    dealt: list[list[int]] = [[] for _ in part.segments]
    for key in part.keys:
        # One that begins or ends a segment is its own, wherever others reach.
        fitting = [n for n, (s, e) in enumerate(part.segments) if s <= key <= e]
        own = [n for n in fitting if key in part.segments[n]]
        dealt[(own or fitting)[0]].append(key)
    segments: list[JsonValue] = []
    for (_, end), keys in zip(part.segments, dealt, strict=True):
        frames = [_keyframe(key, part.frames[key]) for key in keys]
        if keys[-1] != end:
            # It stands still from its last key frame on.
            frames.append(_keyframe(end, part.frames[keys[-1]]))
        segments.append({"keyframes": [*frames]})
    return row | {"segments": segments}


def _keyframe(number: int, given: Object) -> JsonObject:
    shape = place_of(given)
    if not shape.keys() <= _SHAPES:
        kind = given.annotation_kind or "an object of no kind"
        raise CannotReadError(f"{kind} on frames")
    return {"frame": number} | shape | nested_rows(given.classifications)


def _together(frames: Mapping[int, Object]) -> object:
    # The instances of one line have its images in common.
    urls = tuple((number, _url(one)) for number, one in frames.items())
    return _uuid(frames), urls


def _url(given: Object) -> str:
    for raster in (given.composite_mask, given.mask):
        if raster is not None and raster.url is not None:
            return raster.url
    raise CannotReadError("a mask on a frame that isn't at a URL")


def _masks(parts: Sequence[Part[Object]]) -> JsonObject:
    instances: list[JsonValue] = []
    for part in parts:
        seen = list(part.frames.values())
        if any(one.classifications or weights(one) for one in seen):
            raise CannotReadError("answers or confidences of a mask on frames")
        colours = {colour_of(one) for one in seen}
        if len(colours) > 1:
            raise CannotReadError("a mask that changes its colour")
        instances.append(heading(seen[0]) | {"colorRGB": [*colours.pop()]})
    images: list[JsonValue] = [
        {"index": number, "instanceURI": _url(one)}
        for number, one in parts[0].frames.items()
    ]
    return {"masks": {"frames": images, "instances": instances}}


def _answer_row(part: Part[Classification]) -> JsonObject:
    rows: list[JsonObject] = []
    held: list[_Held] = []
    for key, end in _stretches(part):
        row = classification_row(part.frames[key])
        answer = _once(row.pop("answer"))
        if held and (held[-1].answer, held[-1].end + 1) == (answer, key):
            held[-1].end = end
        else:
            held.append(_Held(answer, key, end))
        rows.append(row)
    row, first = rows[0], held[0].answer
    if any(one != row for one in rows):
        raise CannotReadError(f"the answer {part.id}, which is sure by frames")
    if not isinstance(first, str) and all(one.answer == first for one in held):
        return row | {"answer": first, "frames": [one.frames() for one in held]}
    return row | {"answer": _by_frames(held)}


def _stretches(part: Part[Classification]) -> Iterator[tuple[int, int]]:
    for n, key in enumerate(part.keys):
        end = max(end for start, end in part.segments if start <= key <= end)
        if n + 1 < len(part.keys):
            end = min(end, part.keys[n + 1] - 1)
        yield key, end


@dataclass(slots=True)
class _Held:
    """An answer, and the frames on which it holds, both ends included."""

    answer: JsonValue
    start: int
    end: int

    def frames(self) -> JsonObject:
        return {"start": self.start, "end": self.end}


def _once(answer: JsonValue) -> JsonValue:
    """Leave out options that are there twice: their frames met."""
    if not isinstance(answer, list):
        return answer
    return [*{canonical_bytes(one): one for one in answer}.values()]


def _by_frames(held: Sequence[_Held]) -> JsonValue:
    """Say of each option or text on which frames it holds."""
    said: dict[bytes, JsonObject] = {}
    on: dict[bytes, list[JsonValue]] = {}
    for one in held:
        options = one.answer if isinstance(one.answer, list) else [one.answer]
        if not options:
            raise CannotReadError("an answer that is empty on some of its frames only")
        for option in options:
            same = canonical_bytes(option)
            said[same] = option if isinstance(option, dict) else {"value": option}
            on.setdefault(same, []).append(one.frames())
    return [{**said[same], "frames": frames} for same, frames in on.items()]

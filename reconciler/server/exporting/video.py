"""Annotations that hold for a while: on frames of a video, or in a sound.

What is written of an object is its key frames; where asked for, all frames
between them too, on which it has moved in a straight line. An answer is written
for the first of its frames, or for all of them.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

import msgspec

from reconciler.annotations.rows import (
    Answer,
    Box,
    Frames,
    Keyframe,
    MaskFrame,
    Masks,
    Point,
    Row,
    answers_of,
)
from reconciler.server.exporting.annotations import (
    NameParts,
    Reader,
    classification_of,
    nested_of,
)
from reconciler.server.exporting.files import Unsayable
from reconciler.server.exporting.shapes import kind_prefix, shape_of

MOST_FRAMES: Final = 100_000
"""How many frames between key frames a label may have: an hour of video."""


@dataclass(slots=True)
class Timeline:
    """What a label has on which frame.

    Attributes:
        interpolated: Whether frames between key frames are wanted.
        frames: Objects and classifications by frame.
        segments: Where each feature can be seen, first and last frame.
        key_frames: Where somebody has said what each feature is like.
        between: How many frames were filled in.
    """

    interpolated: bool
    frames: dict[int, dict[str, Any]] = field(default_factory=dict)
    segments: dict[str, list[list[int]]] = field(default_factory=dict)
    key_frames: dict[str, list[int]] = field(default_factory=dict)
    between: int = 0

    def annotations(self) -> dict[str, Any]:
        """Give what the export says."""
        return {
            "frames": {str(n): self.frames[n] for n in sorted(self.frames)},
            "segments": self.segments,
            "key_frame_feature_map": self.key_frames,
        }

    def frame(self, number: int) -> dict[str, Any]:
        """Give what is on a frame, to add to it."""
        return self.frames.setdefault(number, {"objects": {}, "classifications": []})

    def count(self, frames: int) -> None:
        """Count frames that are filled in.

        Raises:
            Unsayable: When they are too many.
        """
        self.between += frames
        if self.between > MOST_FRAMES:
            reason = (
                f"a label has more than {MOST_FRAMES} frames between its key frames; "
                "export it without interpolated frames"
            )
            raise Unsayable(reason)


def is_timed(row: Row) -> bool:
    """Tell whether a line holds for a while only."""
    if row.segments is not None or row.masks is not None or row.frames is not None:
        return True
    answers = answers_of(row)
    if answers is None or isinstance(answers, str):
        return False
    return any(one.frames is not None for one in answers)


def add_timed(
    timeline: Timeline, reader: Reader, name: NameParts, seed: str, row: Row
) -> None:
    """Put a line onto the frames on which it holds."""
    if row.segments is not None:
        _add_object(timeline, reader, name, seed, row)
    elif row.masks is not None:
        _add_masks(timeline, reader, name, seed, row.masks)
    else:
        _add_answers(timeline, reader, name, seed, row)


def _add_object(
    timeline: Timeline,
    reader: Reader,
    name: NameParts,
    seed: str,
    row: Row,
) -> None:
    feature = reader.feature(row, reader.features.top)
    part = name(seed)
    heading = reader.heading(part, feature, row) | reader.identify(seed)
    for segment in row.segments or ():
        keys = sorted(segment.keyframes, key=lambda one: one.frame)
        numbers = [one.frame for one in keys]
        timeline.segments.setdefault(part, []).append([numbers[0], numbers[-1]])
        timeline.key_frames.setdefault(part, []).extend(numbers)
        for keyframe in _positions(timeline, keys):
            shape = shape_of(keyframe, reader.media_type)
            assert shape is not None, "key frames were checked when they came in"
            kind, body = shape
            given = keyframe.classifications or row.classifications
            timeline.frame(keyframe.frame)["objects"][part] = {
                **heading,
                "annotation_kind": kind,
                **reader.weigh(row),
                "classifications": nested_of(reader, name, seed, given, feature),
                **body,
            }


def _positions(timeline: Timeline, keys: Sequence[Keyframe]) -> Iterator[Keyframe]:
    for first, second in pairwise(keys):
        yield first
        if timeline.interpolated:
            timeline.count(second.frame - first.frame - 1)
            for frame in range(first.frame + 1, second.frame):
                share = (frame - first.frame) / (second.frame - first.frame)
                yield _between(first, second, frame, share)
    yield keys[-1]


def _between(first: Keyframe, second: Keyframe, frame: int, share: float) -> Keyframe:
    moved: dict[str, Any] = {}
    if first.bbox and second.bbox:
        moved["bbox"] = _box(first.bbox, second.bbox, share)
    if first.point and second.point:
        moved["point"] = _point(first.point, second.point, share)
    for shape in ("line", "polygon"):
        before, after = getattr(first, shape), getattr(second, shape)
        # Which points belong together is known only if there are as many.
        if before and after and len(before) == len(after):
            pairs = zip(before, after, strict=True)
            moved[shape] = [_point(one, other, share) for one, other in pairs]
    return msgspec.structs.replace(first, frame=frame, **moved)


def _box(first: Box, second: Box, share: float) -> Box:
    def at(one: float, other: float) -> float:
        return one + (other - one) * share

    return Box(
        at(first.top, second.top),
        at(first.left, second.left),
        at(first.height, second.height),
        at(first.width, second.width),
    )


def _point(first: Point, second: Point, share: float) -> Point:
    return Point(
        first.x + (second.x - first.x) * share, first.y + (second.y - first.y) * share
    )


def _add_masks(
    timeline: Timeline, reader: Reader, name: NameParts, seed: str, masks: Masks
) -> None:
    kind = f"{kind_prefix('VIDEO')}SegmentationMask"
    urls = {one.index: _url(reader, one) for one in masks.frames}
    for n, instance in enumerate(masks.instances):
        part = name(f"{seed}/{n}")
        schema_id = instance.schema_id or instance.feature_schema_id
        row = Row(name=instance.name, schema_id=schema_id)
        feature = reader.feature(row, reader.features.top)
        heading = reader.heading(part, feature, row) | reader.identify(seed)
        timeline.segments[part] = _merged(Frames(i, i) for i in urls)
        timeline.key_frames[part] = sorted(urls)
        for frame, url in urls.items():
            timeline.frame(frame)["objects"][part] = {
                **heading,
                "annotation_kind": kind,
                "classifications": [],
                "mask": {"url": url},
                "composite_mask": {"url": url, "color_rgb": instance.colour},
            }


def _url(reader: Reader, frame: MaskFrame) -> str:
    if frame.url is not None:
        return reader.masks.renewed(frame.url)
    return reader.masks.url(frame.image or "")


def _add_answers(
    timeline: Timeline, reader: Reader, name: NameParts, seed: str, row: Row
) -> None:
    feature = reader.feature(row, reader.features.top)
    answers = answers_of(row)
    spans: list[tuple[Frames, str | Answer | None]] = []
    if isinstance(answers, str):
        spans = [(frames, answers) for frames in row.frames or ()]
    else:
        for one in answers or ():
            spans += [(frames, one) for frames in one.frames or row.frames or ()]
        if not answers:
            # A checklist of which nothing was chosen, which is an answer too.
            spans = [(frames, None) for frames in row.frames or ()]
    part = name(seed)
    timeline.segments[part] = _merged(frames for frames, _ in spans)
    timeline.key_frames[part] = sorted({frames.start for frames, _ in spans})
    for frame in _written(timeline, timeline.key_frames[part], timeline.segments[part]):
        there = [one for at, one in spans if at.start <= frame <= at.end]
        chosen = [one for one in there if isinstance(one, Answer)]
        texts = [one for one in there if isinstance(one, str)]
        texts += [one.value for one in chosen if one.value is not None]
        asked = classification_of(
            reader,
            name,
            seed,
            row,
            feature=feature,
            answers=texts[0] if texts else chosen,
        )
        timeline.frame(frame)["classifications"].append(asked | reader.identify(seed))


def _written(
    timeline: Timeline, starts: Sequence[int], segments: Sequence[Sequence[int]]
) -> Iterable[int]:
    if not timeline.interpolated:
        return starts
    timeline.count(sum(end - start for start, end in segments))
    return [n for start, end in segments for n in range(start, end + 1)]


def _merged(spans: Iterable[Frames]) -> list[list[int]]:
    merged: list[list[int]] = []
    for span in sorted(spans, key=lambda one: one.start):
        if merged and span.start <= merged[-1][1] + 1:
            merged[-1][1] = max(merged[-1][1], span.end)
        else:
            merged.append([span.start, span.end])
    return merged

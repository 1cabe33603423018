"""What the twin and Labelbox export becomes lines of imports again."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from labelbox.data.serialization.ndjson.converter import (  # type: ignore[import-untyped]
    NDJsonConverter,
)
from labelbox.types import Label  # type: ignore[import-untyped]

from reconciler.annotations.exported import (
    CannotReadError,
    exported_content,
    import_rows,
)
from reconciler.state.canonical import JsonObject, canonical_bytes
from tests.annotations import test_sdk_rows
from tests.annotations.round_trips import (
    BOX,
    CASES,
    HAND_WRITTEN,
    ONE,
    TWO,
    VIDEO_MASKS,
    A,
    cat,
    exported,
    keyframe,
    said,
    span,
    taken,
)

HEADING = {
    "feature_id": "f1",
    "feature_schema_id": "s1",
    "name": "cat",
    "value": "cat",
    "annotation_kind": "ImageBoundingBox",
    "classifications": [],
}


def in_any_order(contents: Sequence[JsonObject]) -> list[bytes]:
    return sorted(map(canonical_bytes, contents))


def label(**annotations: Any) -> dict[str, Any]:
    return {"label_kind": "Default", "version": "1.0.0", "annotations": annotations}


def one_object(**fields: Any) -> dict[str, Any]:
    return label(objects=[{**HEADING, **fields}])


def one_answer(**fields: Any) -> dict[str, Any]:
    return label(classifications=[{"feature_id": "f1", "name": "radio_q", **fields}])


def back(entry: Mapping[str, Any], media_type: str | None = "IMAGE") -> Any:
    return import_rows(entry, media_type=media_type)


def assert_the_same_comes_back(
    rows: Sequence[Mapping[str, Any]],
    media_type: str | None,
    folder: Path = Path(),
    **how: bool,
) -> None:
    marks = how.get("marks", True)
    entry = exported(rows, media_type, folder=folder, **how)

    found = exported_content(entry, media_type=media_type, marks=marks)

    assert in_any_order(found) == in_any_order(said(rows, marks=marks))
    again = import_rows(entry, media_type=media_type)
    assert in_any_order(said(again, marks=marks)) == in_any_order(found)


@pytest.mark.parametrize("uuids", [True, False], ids=["uuids", "no uuids"])
@pytest.mark.parametrize("marks", [True, False], ids=["predictions", "labels"])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_was_imported_comes_back(
    case: tuple[str | None, list[dict[str, Any]]],
    tmp_path: Path,
    *,
    marks: bool,
    uuids: bool,
) -> None:
    media_type, rows = case

    assert_the_same_comes_back(rows, media_type, tmp_path, marks=marks, uuids=uuids)


@pytest.mark.parametrize(
    "case", HAND_WRITTEN, ids=[f"{n} {one[0]}" for n, one in enumerate(HAND_WRITTEN)]
)
def test_what_people_wrote_comes_back(
    case: tuple[str, list[dict[str, Any]]], tmp_path: Path
) -> None:
    media_type, rows = case

    assert_the_same_comes_back(rows, media_type, tmp_path)


@pytest.mark.parametrize(
    "case", test_sdk_rows.CASES.values(), ids=test_sdk_rows.CASES.keys()
)
def test_what_the_sdk_wrote_comes_back(
    case: tuple[str, list[Any], list[str]], tmp_path: Path
) -> None:
    media_type, annotations, _ = case
    written = NDJsonConverter.serialize(
        [Label(data={"global_key": "gk"}, annotations=annotations)]
    )

    assert_the_same_comes_back(list(written), media_type, tmp_path)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_was_taken_is_taken_when_it_comes_back(
    case: tuple[str | None, list[dict[str, Any]]], tmp_path: Path
) -> None:
    media_type, rows = case
    entry = exported(rows, media_type, folder=tmp_path)

    again = back(entry)

    assert all(taken(again, media_type)) == all(taken(rows, media_type))


def test_the_masks_of_a_video_come_back_as_one_line(tmp_path: Path) -> None:
    row = {"uuid": ONE, **VIDEO_MASKS}
    entry = exported([row], "VIDEO", folder=tmp_path, marks=False)

    (found,) = back(entry, "VIDEO")

    assert found["uuid"] == ONE
    assert found["masks"]["instances"] == [
        {"colorRGB": [1, 2, 3], "name": "mask"},
        {"colorRGB": [3, 2, 1], "name": "mask"},
    ]
    assert [one["index"] for one in found["masks"]["frames"]] == [1, 2, 5]
    assert_the_same_comes_back([row], "VIDEO", tmp_path, marks=False)


numbers = st.floats(-1e6, 1e6)
lengths = st.floats(0, 1e6)


@given(left=numbers, top=numbers, width=lengths, height=lengths)
def test_a_box_of_a_map_comes_back_to_the_last_digit(
    left: float, top: float, width: float, height: float
) -> None:
    box = {"left": left, "top": top, "width": width, "height": height}

    assert_the_same_comes_back([{"name": "cat", "bbox": box}], "TMS_GEO")


spans = st.tuples(st.integers(0, 30), st.integers(0, 6)).map(
    lambda one: span(one[0], one[0] + one[1])
)


@given(
    chosen=st.lists(st.lists(spans, min_size=1, max_size=4), min_size=1, max_size=2),
    between=st.booleans(),
)
def test_options_that_hold_on_any_frames_come_back(
    chosen: list[list[dict[str, int]]], *, between: bool
) -> None:
    answers = [
        {"name": name, "frames": frames}
        for name, frames in zip(["x", "y"], chosen, strict=False)
    ]
    row = {"name": "check_q", "answer": answers}

    assert_the_same_comes_back([row], "VIDEO", between=between)


@given(
    changes=st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(1, 4), st.integers(0, 2)),
        min_size=1,
        max_size=6,
    ),
    as_text=st.booleans(),
    between=st.booleans(),
)
def test_answers_that_follow_each_other_come_back(
    changes: list[tuple[str, int, int]], *, as_text: bool, between: bool
) -> None:
    frames: dict[str, list[dict[str, int]]] = {}
    now = 0
    for name, length, pause in changes:
        frames.setdefault(name, []).append(span(now, now + length - 1))
        now += length + pause
    field = "value" if as_text else "name"
    answers = [{field: name, "frames": those} for name, those in frames.items()]
    row = {"name": "free_text" if as_text else "radio_q", "answer": answers}

    assert_the_same_comes_back([row], "AUDIO", between=between)


@given(
    cuts=st.lists(
        st.lists(st.integers(0, 40), min_size=1, max_size=4), min_size=1, max_size=3
    ),
    between=st.booleans(),
)
def test_objects_on_any_key_frames_come_back(
    cuts: list[list[int]], *, between: bool
) -> None:
    seen: set[int] = set()
    segments = []
    for numbers in cuts:
        fresh = [n for n in dict.fromkeys(numbers) if n not in seen]
        seen.update(fresh)
        if fresh:
            segments.append([keyframe(n, float(n)) for n in fresh])
    apart = all(
        max(one["frame"] for one in first) < min(one["frame"] for one in second)
        for n, first in enumerate(segments)
        for second in segments[n + 1 :]
    )

    # Where stretches reach into each other, frames were filled in on key frames.
    assert_the_same_comes_back([cat(*segments)], "VIDEO", between=between and apart)


def test_lines_have_the_uuids_that_they_were_imported_with(tmp_path: Path) -> None:
    rows = [
        {"uuid": ONE, "name": "cat", "bbox": BOX},
        {"uuid": TWO.upper(), "name": "radio_q", "answer": {"name": "a"}},
        {"name": "pt", "point": A},
    ]

    found = back(exported(rows, "IMAGE", folder=tmp_path))

    assert [one.get("uuid") for one in found] == [ONE, None, TWO]


def test_what_is_related_has_uuids_though_the_export_tells_none(
    tmp_path: Path,
) -> None:
    _, rows = CASES["relationship"]

    first, again = (
        back(exported(rows, "IMAGE", folder=tmp_path, uuids=False)) for _ in range(2)
    )

    box, point, relation = first
    assert relation["relationship"] == {
        "type": "bidirectional",
        "source": box["uuid"],
        "target": point["uuid"],
        "readonly": True,
    }
    assert len({ONE, TWO, box["uuid"], point["uuid"]}) == 4
    assert again == first


def test_equal_objects_that_are_related_are_told_apart(tmp_path: Path) -> None:
    rows = [
        {"uuid": ONE, "name": "cat", "bbox": BOX},
        {"uuid": TWO, "name": "cat", "bbox": BOX},
        {"name": "rel", "relationship": {"source": ONE, "target": TWO}},
    ]

    one, other, relation = back(exported(rows, "IMAGE", folder=tmp_path, uuids=False))

    assert one["uuid"] != other["uuid"]
    assert relation["relationship"]["source"] == one["uuid"]


def test_a_confidence_of_nought_is_one(tmp_path: Path) -> None:
    row = {"name": "cat", "bbox": BOX, "confidence": 0}

    (found,) = back(exported([row], "IMAGE", folder=tmp_path))

    assert found["confidence"] == 0


def test_an_entry_may_say_next_to_nothing() -> None:
    assert back({"annotations": {}}) == []
    assert back({"annotations": {"objects": None, "frames": None, "else": [1]}}) == []


def test_what_nobody_knows_is_left_alone() -> None:
    entry = one_object(bounding_box={**BOX, "angle": 0}, page_dimensions={"height": 1})

    assert back(entry) == [{"name": "cat", "bbox": BOX}]


def test_a_text_has_a_token_beside_its_place() -> None:
    place = {"start": 1, "end": 4, "token": "words"}

    assert back(one_object(location=place)) == [
        {"name": "cat", "location": {"start": 1, "end": 4}}
    ]


def test_the_words_of_a_page_may_be_ids_alone() -> None:
    group = {"id": "g", "page_number": 2, "tokens": ["t"], "text": "words"}

    assert back(one_object(location={"groups": [group]})) == [
        {
            "name": "cat",
            "textSelections": [{"groupId": "g", "page": 2, "tokenIds": ["t"]}],
        }
    ]


def test_a_mask_alone_in_its_image_is_white() -> None:
    assert back(one_object(mask={"url": "https://e.test/m.png"})) == [
        {
            "name": "cat",
            "mask": {
                "instanceURI": "https://e.test/m.png",
                "colorRGB": [255, 255, 255],
            },
        }
    ]


def test_what_has_no_name_is_known_by_its_schema_id() -> None:
    entry = one_object(name=None, point=A)

    assert back(entry) == [{"schemaId": "s1", "point": A}]


def test_an_answer_needs_no_confidence_and_an_option_no_ids() -> None:
    entry = one_answer(radio_answer={"name": "a", "value": "a"})

    assert back(entry) == [{"name": "radio_q", "answer": {"name": "a"}}]


def test_a_null_answer_is_none() -> None:
    entry = one_answer(radio_answer=None, text_answer={"content": "words"})

    assert back(entry) == [{"name": "radio_q", "answer": "words"}]


def video(frames: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    return label(
        frames={n: {"objects": {"f1": one}} for n, one in frames.items()}, **more
    )


def on_frame(left: float, **more: Any) -> dict[str, Any]:
    return {**HEADING, "bounding_box": {**BOX, "left": left}, **more}


def test_key_frames_may_be_said_frame_by_frame_and_leave_out_ends() -> None:
    entry = video(
        {"13": on_frame(1), "18": on_frame(2), "19": on_frame(3)},
        segments={"f1": [[13, 13], [18, 19]]},
        key_frame_feature_map={"f1": {"13": True, "18": False, "19": True}},
    )

    assert back(entry, "VIDEO") == [
        cat([keyframe(13, 1)], [keyframe(18, 2), keyframe(19, 3)])
    ]


def test_frames_that_were_filled_in_are_left_out() -> None:
    entry = video(
        {"1": on_frame(1), "2": on_frame(2), "3": on_frame(3)},
        segments={"f1": [[1, 3]]},
    )

    for keys in ([1, 3], {"1": True, "2": False, "3": True}):
        entry["annotations"]["key_frame_feature_map"] = {"f1": keys}
        assert back(entry, "VIDEO") == [cat([keyframe(1, 1), keyframe(3, 3)])]


def test_an_object_stands_still_from_its_last_key_frame_on() -> None:
    entry = video(
        {"1": on_frame(1)},
        segments={"f1": [[1, 9]]},
        key_frame_feature_map={"f1": [1]},
    )

    assert back(entry, "VIDEO") == [cat([keyframe(1, 1), keyframe(9, 1)])]


def test_without_segments_frames_that_follow_each_other_are_one() -> None:
    entry = video({"1": on_frame(1), "2": on_frame(2), "9": on_frame(9)})

    assert back(entry, "VIDEO") == [
        cat([keyframe(1, 1), keyframe(2, 2)], [keyframe(9, 9)])
    ]


def test_the_frames_of_an_answer_may_be_beside_it() -> None:
    entry = label(
        frames={},
        segments={"f1": [[7, 13], [18, 19]]},
        key_frame_feature_map={},
        classifications=[
            {
                "feature_id": "f1",
                "name": "check_q",
                "checklist_answers": [{"name": "x", "classifications": []}],
            }
        ],
    )

    assert back(entry, "VIDEO") == [
        {
            "name": "check_q",
            "answer": [{"name": "x"}],
            "frames": [span(7, 13), span(18, 19)],
        }
    ]


def test_an_answer_that_stays_the_same_is_said_once(tmp_path: Path) -> None:
    answer = {"name": "a", "frames": [span(1, 3), span(4, 6)]}
    row = {"name": "radio_q", "answer": [answer]}

    (found,) = back(exported([row], "VIDEO", folder=tmp_path), "VIDEO")

    assert found == {
        "name": "radio_q",
        "answer": {"name": "a"},
        "frames": [span(1, 6)],
    }


def test_an_option_whose_frames_meet_is_said_once(tmp_path: Path) -> None:
    answer = {"name": "x", "frames": [span(1, 3), span(2, 4)]}
    row = {"name": "check_q", "answer": [answer]}

    (found,) = back(exported([row], "VIDEO", folder=tmp_path), "VIDEO")

    assert found == {
        "name": "check_q",
        "answer": [{"name": "x"}],
        "frames": [span(1, 4)],
    }


def test_masks_of_frames_without_colours_are_lines_of_their_own() -> None:
    def mask(url: str) -> dict[str, Any]:
        kind = "VideoSegmentationMask"
        return {**HEADING, "annotation_kind": kind, "mask": {"url": url}}

    entry = label(
        frames={"1": {"objects": {"f1": mask("https://a"), "f2": mask("https://b")}}}
    )

    white = {"name": "cat", "colorRGB": [255, 255, 255]}
    assert back(entry, "VIDEO") == [
        {"masks": {"frames": [{"index": 1, "instanceURI": url}], "instances": [white]}}
        for url in ("https://a", "https://b")
    ]


def geo(kind: str, coordinates: Any, **more: Any) -> dict[str, Any]:
    return one_object(geojson={"type": kind, "coordinates": coordinates}, **more)


RING = [[0, 0], [0, 1], [1, 1], [0, 0]]
SURE, UNSURE = {"confidence": 0.5}, {"confidence": 0.25}


def answered(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Answer on two frames of one stretch."""
    asked = {"feature_id": "f1", "name": "check_q"}
    return label(
        frames={
            "1": {"classifications": [{**asked, **first}]},
            "2": {"classifications": [{**asked, **second}]},
        },
        segments={"f1": [[1, 2]]},
    )


CHOSEN = {"checklist_answers": [{"name": "x"}]}


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        ({}, "an entry of another shape: .*annotations"),
        (one_object(bounding_box={"top": "1"}), "another shape: .*bounding_box.top"),
        (
            one_object(annotation_kind="DICOMPolyline"),
            ": DICOMPolyline that is nowhere",
        ),
        (label(objects=[{}]), "an annotation without a name"),
        (one_answer(), "the classification 'radio_q' without an answer"),
        (
            one_answer(checklist_answers=[{"content": "words"}]),
            "a text that holds on frames, below another answer",
        ),
        (one_object(mask={}), "a mask with neither a URL nor run lengths"),
        (one_object(composite_mask={"url": "https://m"}), "without its colour"),
        (one_object(location={"start": 1}), "an entity without its start and end"),
        (geo("Polygon", [RING, RING]), "a polygon with 2 rings"),
        (geo("Polygon", []), "a polygon with 0 rings"),
        (geo("MultiPoint", [[0, 0]]), "a geometry of the type MultiPoint"),
        (geo("Point", [1, 2, 3]), "a Point with coordinates of another shape"),
        (
            geo("Polygon", [[*RING, [2, 2]]], annotation_kind="GeoBoundingBox"),
            "a bounding box that is no rectangle",
        ),
        (
            label(relationships=[{"name": "rel", "annotation_kind": "Edge"}]),
            ": Edge that relates nothing",
        ),
        (
            label(
                relationships=[
                    {"name": "rel", "unidirectional_relationship": {"target": "f9"}}
                ]
            ),
            "a relationship with f9, which isn't in the export",
        ),
        (
            label(frames={"1": {"relationships": [{"name": "rel"}]}}),
            "a relationship on a frame",
        ),
        (
            video({"1": on_frame(1)}, key_frame_feature_map={"f1": [1, 2]}),
            "the key frame 2 of f1, which isn't in the export",
        ),
        (
            video({"1": on_frame(1), "5": on_frame(1)}, segments={"f1": [[1, 3]]}),
            "the key frame 5 of f1, in no segment",
        ),
        (
            video({"2": on_frame(1)}, segments={"f1": [[1, 3]]}),
            "a segment of f1 that begins without a key frame",
        ),
        (
            video({"1": on_frame(1, **SURE), "2": on_frame(1, **UNSURE)}),
            "the object f1, which is sure by frames",
        ),
        (
            video({"1": {**HEADING, "location": span(1, 2)}}),
            ": ImageBoundingBox on frames",
        ),
        (
            video({"1": {**HEADING, "mask": {"size": [1, 1], "counts": [1]}}}),
            "a mask on a frame that isn't at a URL",
        ),
        (
            video({"1": {**HEADING, "mask": {"url": "https://m"}, **SURE}}),
            "answers or confidences of a mask on frames",
        ),
        (
            video(
                {
                    n: {
                        **HEADING,
                        "composite_mask": {"url": "https://m", "color_rgb": [c, 0, 0]},
                    }
                    for n, c in (("1", 1), ("2", 2))
                }
            ),
            "a mask that changes its colour",
        ),
        (
            answered({**CHOSEN, **SURE}, {**CHOSEN, **UNSURE}),
            "the answer f1, which is sure by frames",
        ),
        (
            answered(CHOSEN, {"checklist_answers": []}),
            "an answer that is empty on some of its frames only",
        ),
    ],
)
def test_what_no_line_could_say_is_an_error(entry: dict[str, Any], why: str) -> None:
    with pytest.raises(CannotReadError, match=why):
        back(entry)


def test_an_error_says_of_which_data_it_is() -> None:
    with pytest.raises(CannotReadError, match=r"^VIDEO data has what can't be imp"):
        back(one_object(), "VIDEO")
    with pytest.raises(CannotReadError, match=r"^there is what can't be imported"):
        back(one_object(), None)

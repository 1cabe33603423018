"""Annotations on frames, as exports write them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from reconciler.annotations.features import Features
from reconciler.server.exporting.annotations import Reader
from reconciler.server.exporting.files import Unsayable
from reconciler.server.exporting.labels import decode_lines, label_of, numbered
from reconciler.server.exporting.masks import MaskFiles
from reconciler.server.files import Files, Urls

ONTOLOGY = {
    "tools": [{"tool": "rectangle", "name": "cat"}],
    "classifications": [
        {"type": "radio", "name": "weather", "options": [{"value": "rain"}]},
        {
            "type": "checklist",
            "name": "things",
            "options": [{"value": "car"}, {"value": "bus"}],
        },
        {"type": "text", "name": "note"},
    ],
}


def export(
    *rows: Mapping[str, Any],
    between: bool = False,
    media_type: str = "VIDEO",
    uuids: bool = False,
) -> dict[str, Any]:
    masks = MaskFiles(Files(Path()), Urls("http://twin.test", b"secret", 0))
    reader = Reader(Features.of(ONTOLOGY), media_type, masks, marks=True, uuids=uuids)
    lines = numbered(decode_lines(json.dumps(rows).encode()))
    label = label_of(reader, "label", lines, between=between)
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(label))
    return plain


def box(left: float) -> dict[str, float]:
    return {"top": 0.0, "left": left, "height": 10.0, "width": 10.0}


def cat(*segments: list[dict[str, Any]]) -> dict[str, Any]:
    return {"name": "cat", "segments": [{"keyframes": one} for one in segments]}


def test_an_object_is_on_its_key_frames() -> None:
    label = export(
        cat(
            [{"frame": 3, "bbox": box(20)}, {"frame": 1, "bbox": box(0)}],
            [{"frame": 7, "bbox": box(5)}],
        )
    )

    assert label["label_kind"] == "Video"
    found = label["annotations"]
    ((part, segments),) = found["segments"].items()
    assert segments == [[1, 3], [7, 7]]
    assert found["key_frame_feature_map"] == {part: [1, 3, 7]}
    assert list(found["frames"]) == ["1", "3", "7"]
    one = found["frames"]["3"]["objects"][part]
    assert one["feature_id"] == part
    assert one["annotation_kind"] == "VideoBoundingBox"
    assert one["bounding_box"] == box(20)
    assert found["classifications"] == []


def test_all_that_is_on_frames_says_its_uuid() -> None:
    one, two, three = (f"a0000000-0000-4000-8000-00000000000{n}" for n in "123")
    frames = [{"index": 2, "instanceURI": "https://e.test/2.png"}]
    instances = [{"colorRGB": [n, 2, 3], "name": "cat"} for n in (1, 2)]
    rows = [
        {"uuid": one, **cat([{"frame": 1, "bbox": box(0)}])},
        {
            "uuid": two,
            "name": "note",
            "answer": "dark",
            "frames": [{"start": 1, "end": 2}],
        },
        {"uuid": three, "masks": {"frames": frames, "instances": instances}},
        cat([{"frame": 2, "bbox": box(0)}]),
    ]

    found = export(*rows, uuids=True)["annotations"]["frames"]

    said = [
        [
            one.get("uuid")
            for one in (*frame["objects"].values(), *frame["classifications"])
        ]
        for frame in found.values()
    ]
    assert said == [[one, two], [three, three, None]]
    assert "uuid" not in json.dumps(export(*rows))


def test_between_key_frames_it_moves_in_a_straight_line_when_asked_for() -> None:
    found = export(
        cat([{"frame": 1, "bbox": box(0)}, {"frame": 5, "bbox": box(20)}]),
        between=True,
    )["annotations"]

    lefts = [
        one["bounding_box"]["left"]
        for frame in found["frames"].values()
        for one in frame["objects"].values()
    ]
    assert lefts == [0, 5, 10, 15, 20]
    assert list(found["key_frame_feature_map"].values()) == [[1, 5]]


def test_points_and_lines_move_too_and_what_has_other_points_stands_still() -> None:
    def at(x: float) -> dict[str, float]:
        return {"x": x, "y": 0.0}

    found = export(
        cat([{"frame": 1, "point": at(0)}, {"frame": 3, "point": at(4)}]),
        cat(
            [
                {"frame": 1, "line": [at(0), at(2)]},
                {"frame": 3, "line": [at(2), at(4)]},
                {"frame": 5, "line": [at(2), at(4), at(6)]},
            ]
        ),
        between=True,
    )["annotations"]["frames"]

    point, line = found["2"]["objects"].values()
    assert point["point"] == at(2)
    assert line["line"] == [at(1), at(3)]
    (line,) = found["4"]["objects"].values()
    assert line["line"] == [at(2), at(4)]


def test_frames_that_would_be_too_many_are_refused() -> None:
    far = cat([{"frame": 0, "bbox": box(0)}, {"frame": 10**9, "bbox": box(0)}])

    with pytest.raises(Unsayable, match="100000 frames between its key frames"):
        export(far, between=True)
    assert set(export(far)["annotations"]["frames"]) == {"0", "1000000000"}


def test_an_answer_is_on_the_first_of_its_frames_or_on_all() -> None:
    row = {
        "name": "weather",
        "answer": {"name": "rain"},
        "frames": [{"start": 2, "end": 4}, {"start": 9, "end": 9}],
    }

    some, all_ = (export(row, between=one)["annotations"] for one in (False, True))

    assert list(some["frames"]) == ["2", "9"]
    assert list(all_["frames"]) == ["2", "3", "4", "9"]
    (one,) = all_["frames"]["3"]["classifications"]
    assert one["radio_answer"]["value"] == "rain"
    ((part, segments),) = some["segments"].items()
    assert segments == [[2, 4], [9, 9]]
    assert some["key_frame_feature_map"] == {part: [2, 9]}


def test_answers_of_a_checklist_have_frames_of_their_own() -> None:
    row = {
        "name": "things",
        "answer": [
            {"name": "car", "frames": [{"start": 1, "end": 3}]},
            {"name": "bus", "frames": [{"start": 3, "end": 5}]},
        ],
    }

    found = export(row, between=True)["annotations"]

    assert [
        [
            answer["value"]
            for one in frame["classifications"]
            for answer in one["checklist_answers"]
        ]
        for frame in found["frames"].values()
    ] == [["car"], ["car"], ["car", "bus"], ["bus"], ["bus"]]
    assert list(found["segments"].values()) == [[[1, 5]]]


def test_texts_hold_on_their_frames() -> None:
    row = {
        "name": "note",
        "answer": [
            {"value": "dark", "frames": [{"start": 1, "end": 2}]},
            {"value": "light", "frames": [{"start": 5, "end": 6}]},
        ],
    }

    frames = export(row)["annotations"]["frames"]

    texts = {
        number: frame["classifications"][0]["text_answer"]["content"]
        for number, frame in frames.items()
    }
    assert texts == {"1": "dark", "5": "light"}


def test_masks_are_known_by_their_colour_on_every_frame() -> None:
    row = {
        "masks": {
            "frames": [
                {"index": 1, "instanceURI": "https://e.test/1.png"},
                {"index": 2, "instanceURI": "https://e.test/2.png"},
                {"index": 5, "instanceURI": "https://e.test/5.png"},
            ],
            "instances": [{"colorRGB": [1, 2, 3], "name": "cat"}],
        }
    }

    found = export(row)["annotations"]

    ((part, segments),) = found["segments"].items()
    assert segments == [[1, 2], [5, 5]]
    one = found["frames"]["2"]["objects"][part]
    assert one["annotation_kind"] == "VideoSegmentationMask"
    assert one["name"] == "cat"
    assert one["composite_mask"] == {
        "url": "https://e.test/2.png",
        "color_rgb": [1, 2, 3],
    }


def test_a_mask_on_a_frame_has_a_url_of_ours_anew() -> None:
    ours = Urls("http://old.test", b"secret", 1_900_000_000)
    frame = {"index": 1, "instanceURI": ours.sign("c" + "a" * 24, "1.png")}
    row = {"masks": {"frames": [frame], "instances": [{"colorRGB": [1, 2, 3]}]}}

    (found,) = export(row)["annotations"]["frames"]["1"]["objects"].values()

    fresh = Urls("http://twin.test", b"secret", 0).sign("c" + "a" * 24, "1.png")
    assert found["mask"]["url"] == found["composite_mask"]["url"] == fresh


def test_answers_for_the_whole_video_are_beside_the_frames() -> None:
    found = export({"name": "weather", "answer": {"name": "rain"}})["annotations"]

    assert found["frames"] == {}
    (one,) = found["classifications"]
    assert one["radio_answer"]["value"] == "rain"


def test_what_is_on_frames_of_data_of_no_known_type_is_a_video() -> None:
    row = cat([{"frame": 1, "bbox": box(0)}])

    assert export(row, media_type="UNKNOWN")["label_kind"] == "Video"
    assert export(row, media_type="AUDIO")["label_kind"] == "Audio"


def test_a_checklist_of_which_nothing_was_chosen_is_on_its_frames() -> None:
    row = {"name": "things", "answer": [], "frames": [{"start": 1, "end": 2}]}

    found = export(row, between=True)["annotations"]

    assert [
        frame["classifications"][0]["checklist_answers"]
        for frame in found["frames"].values()
    ] == [[], []]
    assert list(found["segments"].values()) == [[[1, 2]]]


def test_an_empty_text_is_on_its_frames() -> None:
    row = {"name": "note", "answer": "", "frames": [{"start": 3, "end": 4}]}

    frames = export(row)["annotations"]["frames"]

    (one,) = frames["3"]["classifications"]
    assert one["text_answer"]["content"] == ""

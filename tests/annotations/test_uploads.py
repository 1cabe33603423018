"""Files of annotations and metrics to slots: what is sent, and under which name."""

import gc
import hashlib
import json
import random
from pathlib import Path

import pytest

from reconciler.annotations.aside import SpooledLines
from reconciler.annotations.content import content_of, label_hash
from reconciler.annotations.marks import mark, pack
from reconciler.annotations.rows import decode
from reconciler.annotations.uuids import derived_uuid
from reconciler.rows import spool
from reconciler.rows.spool import Room, Spool
from reconciler.state.resources import RowIdentity
from reconciler.state.uploads import Family, Slot
from tests.annotations.fitting import FEATURES
from tests.annotations.uploading import (
    RUN,
    box,
    chunks,
    file,
    metric,
    prepared,
    radio,
    sent,
    table,
    uuid,
    written,
)

CAT = FEATURES.top.find("cat", None)[0]


def test_a_line_with_a_uuid_is_sent_as_it_is(tmp_path: Path) -> None:
    line = f'{{"dataRow": {{"globalKey":"a"}}, "uuid":"{uuid(7)}",  "name":"cat",'
    line += '"more": "\\u00e9\u2028", "bbox": {"top":1,"left":2,"height":3,"width":4}}'

    [uploads] = prepared([file(tmp_path / "p", f"  {line} \r")])

    [chunk] = uploads.chunks
    assert [*chunk.lines] == [line.encode()]
    assert chunk.lines.read() == f"{line}\n".encode()
    assert chunk.digest == hashlib.sha256(chunk.lines.read()).hexdigest()
    assert (chunk.slot, chunk.count, chunk.rows) == (Slot(0, 1), 1, 1)
    assert chunk.marks == mark("a", uuid(7))
    assert (uploads.family, uploads.by, uploads.slots, uploads.contents) == (
        Family.PREDICTIONS,
        RowIdentity.GLOBAL_KEY,
        1,
        None,
    )


def test_a_line_without_a_uuid_gets_one_in_front_of_what_it_says(
    tmp_path: Path,
) -> None:
    line = json.dumps(box(confidence=0.5))

    [uploads] = prepared([file(tmp_path / "p", line)])

    content = content_of(decode(line.encode()), CAT, marks=True)
    expected = derived_uuid(RUN, "a", "cat", content, 0)
    assert [*uploads.chunks[0].lines] == [f'{{"uuid":"{expected}",{line[1:]}'.encode()]
    assert uploads.chunks[0].marks == mark("a", expected)


def test_a_uuid_of_null_is_replaced(tmp_path: Path) -> None:
    first, second = '{"uuid": null, ', '{"x": {"uuid": 1}, '
    body = json.dumps(box())[1:]

    [uploads] = prepared([file(tmp_path / "p", first + body, second + body)])

    assert [b'"uuid":null' in one for one in uploads.chunks[0].lines] == [False, False]
    one, two = sent(uploads)
    assert {one["uuid"], two["uuid"]} == {
        derived_uuid(RUN, "a", "cat", content_of(decode(body), CAT, marks=True), n)
        for n, body in enumerate([json.dumps(box()).encode()] * 2)
    }


def test_equal_annotations_get_different_uuids_whatever_their_order(
    tmp_path: Path,
) -> None:
    turned = dict(reversed(box().items()))
    rows = [turned, box(), box(), box("b")]

    [forth] = prepared([file(tmp_path / "p", *rows)])
    [back] = prepared([file(tmp_path / "p", *reversed(rows))])

    uuids = [one["uuid"] for one in sent(forth)]
    assert len(set(uuids)) == 4
    assert chunks(forth) == chunks(back)
    assert [*forth.chunks[0].lines] == [*back.chunks[0].lines]


def test_equal_annotations_are_told_apart_by_owner_and_row(tmp_path: Path) -> None:
    source = file(tmp_path / "p", box("a"), box("b"))

    [run] = prepared([source])
    [other] = prepared([source], owner=("run", "model", "second"))

    uuids = [one["uuid"] for one in sent(run, other)]
    assert len(set(uuids)) == 4


def test_a_corrected_answer_keeps_its_uuid_and_a_moved_box_does_not(
    tmp_path: Path,
) -> None:
    moved = box(bbox={"top": 9, "left": 2, "height": 3, "width": 4})

    [before] = prepared([file(tmp_path / "p", radio(answer="a"), box())])
    [after] = prepared([file(tmp_path / "p", radio(answer="b"), moved)])

    answers = [
        {one["uuid"] for one in sent(uploads) if "answer" in one}
        for uploads in (before, after)
    ]
    boxes = [
        {one["uuid"] for one in sent(uploads) if "bbox" in one}
        for uploads in (before, after)
    ]
    assert answers[0] == answers[1] == {derived_uuid(RUN, "a", "radio_q", None, 0)}
    assert boxes[0] != boxes[1]


def test_answers_to_several_messages_have_uuids_of_their_own(tmp_path: Path) -> None:
    rows = [radio(), radio(messageId="m1"), radio(messageId="m2")]

    [uploads] = prepared([file(tmp_path / "p", *rows)], media_type="CONVERSATIONAL")

    assert {one["uuid"] for one in sent(uploads)} == {
        derived_uuid(RUN, "a", "radio_q", scope, 0) for scope in (None, "m1", "m2")
    }


def test_answers_on_frames_are_known_by_what_they_say(tmp_path: Path) -> None:
    frames = [{"start": 1, "end": 2}]
    source = file(tmp_path / "p", radio(frames=frames))

    [uploads] = prepared([source], media_type="VIDEO")

    [one] = sent(uploads)
    assert one["uuid"] != derived_uuid(RUN, "a", "radio_q", None, 0)


def test_shuffled_lines_and_files_give_the_same_slots(tmp_path: Path) -> None:
    rows = [
        one for n in range(60) for one in (box(f"r{n}"), box(f"r{n}"), radio(f"r{n}"))
    ]
    rows += [metric(f"r{n}", "iou_custom") for n in range(30)]
    shuffled = random.Random(7).sample(rows, len(rows))

    plain = prepared([file(tmp_path / "p", *rows)], per_job=8)
    mixed = prepared(
        [
            file(tmp_path / "q", *shuffled[100:]),
            file(tmp_path / "r", *shuffled[:100]),
        ],
        per_job=8,
    )

    assert chunks(*plain) == chunks(*mixed)
    assert [one.slots for one in plain] == [32, 4]
    assert [one.count for one in plain] == [180, 30]


def test_slots_are_in_order_and_hold_the_rows_that_belong_to_them(
    tmp_path: Path,
) -> None:
    rows = [box(f"r{n}", n) for n in range(100)]

    [uploads] = prepared([file(tmp_path / "p", *rows)], per_job=10)

    assert uploads.slots == 16
    numbers = [chunk.slot.number for chunk in uploads.chunks]
    assert numbers == sorted(set(numbers))
    for chunk in uploads.chunks:
        names = {json.loads(line)["dataRow"]["globalKey"] for line in chunk.lines}
        assert {Slot.holding(name, 16) for name in names} == {chunk.slot}
        assert [*chunk.lines] == sorted(chunk.lines)
        assert chunk.rows == len(names)


def test_there_may_be_more_slots_than_lines_were_dealt_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = file(tmp_path / "p", *(box(f"r{n}", n) for n in range(50)))
    [expected] = prepared([source], per_job=1)

    monkeypatch.setattr("reconciler.annotations.slots.PARTS", 4)
    monkeypatch.setattr("reconciler.annotations.aside.PARTS", 4)
    [uploads] = prepared([source], per_job=1)

    assert uploads.slots == 64
    assert chunks(uploads) == chunks(expected)


def test_fifty_thousand_lines_go_through_little_memory_and_leave_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "spool"
    folder.mkdir()
    monkeypatch.setattr(spool, "_folder", lambda: folder)
    source = file(tmp_path / "p", *(box(f"r{n // 4}", n) for n in range(50_000)))
    expected = prepared([source])

    room = Room(100_000)
    uploads = prepared([source], room=room)

    held = [chunk.lines for chunk in uploads[0].chunks]
    [kept] = folder.iterdir()
    assert kept.stat().st_size == sum(len(one.read()) for one in held)
    assert chunks(*uploads) == chunks(*expected)
    del uploads, held
    gc.collect()
    assert list(folder.iterdir()) == []


def test_nothing_is_left_where_lines_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "spool"
    folder.mkdir()
    monkeypatch.setattr(spool, "_folder", lambda: folder)
    source = file(tmp_path / "p", *(box(f"r{n}", 1) for n in range(100)), box("r1", 1))

    with pytest.raises(Exception, match="uuid-twice"):
        prepared([source], room=Room(100))

    gc.collect()
    assert list(folder.iterdir()) == []


def test_metrics_among_predictions_go_with_the_metrics(tmp_path: Path) -> None:
    source = file(tmp_path / "p", box(number=1), metric(name="in"))

    alone = prepared([source])
    beside = prepared([source], [written(metric(name="beside"))])

    assert [(one.family, one.count) for one in alone] == [
        (Family.PREDICTIONS, 1),
        (Family.METRICS, 1),
    ]
    assert {one["metricName"] for one in sent(beside[1])} == {"beside", "in"}
    assert beside[1].chunks[0].marks == pack(
        [mark("a", '["in",null,null]'), mark("a", '["beside",null,null]')]
    )


def test_what_is_declared_empty_is_sent_as_nothing(tmp_path: Path) -> None:
    uploads = prepared([], [])

    assert [(one.family, one.slots, one.chunks, one.count) for one in uploads] == [
        (Family.PREDICTIONS, 1, (), 0),
        (Family.METRICS, 1, (), 0),
    ]
    assert [one.family for one in prepared([file(tmp_path / "p", box())])] == [
        Family.PREDICTIONS
    ]


def test_labels_say_what_the_label_of_each_row_is(tmp_path: Path) -> None:
    owner = ("project", "pets")
    first, second, other = box("a"), radio("a"), box("b", 3, confidence=0.5)

    [uploads] = prepared(
        labels=[file(tmp_path / "l", second, other, first)], owner=owner
    )

    radio_q = FEATURES.top.find("radio_q", None)[0]
    one, two, three = (json.dumps(row).encode() for row in (first, second, box("b")))
    assert uploads.contents == {
        "a": label_hash(
            [
                content_of(decode(one), CAT, marks=False),
                content_of(decode(two), radio_q, marks=False),
            ]
        ),
        "b": label_hash([content_of(decode(three), CAT, marks=False)]),
    }


def test_what_a_label_says_does_not_hang_on_the_uuids_of_its_relationships(
    tmp_path: Path,
) -> None:
    def related(first: int, second: int, source: int, target: int) -> list[object]:
        ends = {"source": uuid(source), "target": uuid(target)}
        row = {"dataRow": {"globalKey": "a"}, "name": "rel", "relationship": ends}
        return [row, box("a", first), box("a", second, page=1, unit="POINTS")]

    owner = ("project", "pets")
    [one] = prepared(labels=[file(tmp_path / "l", *related(1, 2, 1, 2))], owner=owner)
    [two] = prepared(labels=[file(tmp_path / "l", *related(3, 4, 3, 4))], owner=owner)
    [turned] = prepared(
        labels=[file(tmp_path / "l", *related(1, 2, 2, 1))], owner=owner
    )

    assert one.contents == two.contents
    assert one.contents != turned.contents


def test_a_label_keeps_its_uuid_whatever_its_confidence(tmp_path: Path) -> None:
    owner = ("project", "pets")
    rows = [box(confidence=0.5), box(confidence=0.25)]

    before, after = (
        prepared(labels=[file(tmp_path / "l", row)], owner=owner)[0] for row in rows
    )
    first, second = (prepared([file(tmp_path / "p", row)])[0] for row in rows)

    assert sent(before)[0]["uuid"] == sent(after)[0]["uuid"]
    assert sent(first)[0]["uuid"] != sent(second)[0]["uuid"]


def test_few_lines_leave_memory_too_when_others_have_filled_it(tmp_path: Path) -> None:
    room = Room(10_000)
    other = Spool(room)
    other.add(0, b"x" * 1_249)
    for _ in range(8):
        other._look_at = 1 << 30  # as if it grew within one look
        other.add(0, b"x" * 1_249)

    [uploads] = prepared([file(tmp_path / "p", box())], room=room)

    lines = uploads.chunks[0].lines
    assert isinstance(lines, SpooledLines)
    assert (lines.spool.in_memory, lines.spool.on_disk) == (0, len(lines.read()))


def test_rows_are_named_as_the_membership_does_or_all_alike(tmp_path: Path) -> None:
    source = file(tmp_path / "p", box(dataRow={"id": "x"}))

    [free] = prepared([source])
    [asked] = prepared([source], by=RowIdentity.DATA_ROW_ID, members={"x"})

    assert free.by is asked.by is RowIdentity.DATA_ROW_ID


def test_a_table_gives_one_metric_a_line(tmp_path: Path) -> None:
    source = table(
        tmp_path / "m.csv",
        "row,name,value,feature,subclass,aggregation\n"
        "a,m,1,cat,orange,SUM\n"
        '"b,""c",n,0.5,,,\n',
    )

    [uploads] = prepared(metrics=[source])

    assert sent(uploads) == [
        {
            "dataRow": {"globalKey": "a"},
            "metricName": "m",
            "featureName": "cat",
            "subclassName": "orange",
            "aggregation": "SUM",
            "metricValue": 1,
        },
        {"dataRow": {"globalKey": 'b,"c'}, "metricName": "n", "metricValue": 0.5},
    ]


def test_counts_make_a_confusion_matrix(tmp_path: Path) -> None:
    source = table(
        tmp_path / "m.csv",
        "row,name,tp,fp,tn,fn\nx,m,1,2,3,4\n",
        by=RowIdentity.DATA_ROW_ID,
    )

    [uploads] = prepared(metrics=[source])

    assert sent(uploads) == [
        {
            "dataRow": {"id": "x"},
            "metricName": "m",
            "aggregation": "CONFUSION_MATRIX",
            "metricValue": [1, 2, 3, 4],
        }
    ]


def test_lines_with_confidences_become_one_value_wherever_they_stand(
    tmp_path: Path,
) -> None:
    header, *lines = [
        "row,name,value,confidence,feature",
        "a,m,1,0.50,",
        "a,m,5,0.5,cat",
        "b,m,3,0.1,",
        "a,m,2,0.1,",
        "a,plain,7,,",
        "a,m,6,0.1,cat",
        "b,m,4,0.9,",
    ]

    forth = prepared(metrics=[table(tmp_path / "m.csv", "\n".join([header, *lines]))])
    lines.reverse()
    back = prepared(metrics=[table(tmp_path / "m.csv", "\n".join([header, *lines]))])

    values = {
        (one["dataRow"]["globalKey"], one["metricName"], one.get("featureName")): one[
            "metricValue"
        ]
        for one in sent(*forth)
    }
    assert values == {
        ("a", "m", None): {"0.1": 2, "0.50": 1},
        ("a", "m", "cat"): {"0.1": 6, "0.5": 5},
        ("a", "plain", None): 7,
        ("b", "m", None): {"0.1": 3, "0.9": 4},
    }
    assert chunks(*forth) == chunks(*back)

"""Plans to files and back."""

import hashlib
import io
import json
import zipfile
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.diagnostics import InputError
from reconciler.plan.build import Plan
from reconciler.plan.changes import LabelsChange
from reconciler.plan.codec import read_plan, save_plan, write_plan
from reconciler.plan.labels import LabelsFound
from reconciler.state.address import RemoteId
from reconciler.state.canonical import digest
from reconciler.state.labels import ContentHash, LabelPins, PinnedLabel
from reconciler.state.resources import (
    Dataset,
    GlobalKey,
    Project,
    RunStatus,
    Split,
    Status,
)
from reconciler.state.uploads import Family
from tests.support.values import (
    MODEL,
    ONTOLOGY,
    PARENTS,
    REMOVAL,
    RUN,
    box_line,
    current_run,
    data_row,
    metric_line,
    plan_of,
    run,
    uploads,
)


def written(plan: Plan) -> bytes:
    file = io.BytesIO()
    write_plan(save_plan(plan), file)
    return file.getvalue()


def full_plan() -> Plan:
    """Make a plan in which everything happens that can."""
    dataset = Dataset("images", "ten digits", {GlobalKey("a"): data_row("a")})
    project = Project("truth", ONTOLOGY.address, labels=())
    pin = PinnedLabel("a", ContentHash("sha256:1"), RemoteId("label-1"), "2026-01-01")
    other = PinnedLabel("b", ContentHash("sha256:2"))
    wanted = run(
        config={"lr": 1e-4, "näme": 'ü\n,"'},
        rows={"a": Split.TEST, "b": Split.TRAINING, 'c,"\n': Split.TEST},
    )
    pins = {"a": pin, "b": other}
    locked = LabelPins(project.address, RemoteId("org"), pins, "sha256:l", "t.lock")
    return plan_of(
        dataset,
        MODEL,
        replace(
            wanted, labels=locked, status=RunStatus(Status.COMPLETE, {"epochs": 3})
        ),
        ONTOLOGY,
        project,
        there={**PARENTS, RUN: current_run({"lr": 1})},
        rows={RUN: {"b": Split.TEST, "gone": Split.VALIDATION}},
        labels={
            RUN: LabelsFound(
                LabelsChange(
                    project=project.address,
                    added=(pin,),
                    replaced=(other,),
                    ids=(RemoteId("label-7"),),
                    kept=3,
                    surplus=1,
                    before="sha256:0",
                )
            )
        },
        sent={
            project.address: (uploads(Family.LABELS, {"a": [box_line("a")]}),),
            RUN: (
                uploads(Family.PREDICTIONS, {"a": [box_line("a")]}, slots=4),
                uploads(Family.METRICS, {"b": [metric_line("b")]}),
            ),
        },
        statuses={RUN: RunStatus(Status.TRAINING_MODEL, {"epochs": 2})},
        allowed=[REMOVAL],
    )


def test_a_plan_file_reads_back_as_what_was_agreed_to() -> None:
    plan = full_plan()

    assert read_plan(io.BytesIO(written(plan)), name="p") == save_plan(plan)


def test_the_same_plan_gives_the_same_bytes() -> None:
    assert written(full_plan()) == written(full_plan())


def test_no_content_of_data_rows_or_predictions_is_in_the_file() -> None:
    with zipfile.ZipFile(io.BytesIO(written(full_plan()))) as archive:
        content = b"".join(map(archive.read, archive.namelist()))

    assert b"files.test" not in content
    assert b"bbox" not in content
    assert b"iou_custom" not in content


def test_what_is_sent_is_named_by_slot_and_digest_and_by_no_job() -> None:
    (chunk,) = uploads(Family.PREDICTIONS, {"a": [box_line("a")]}, slots=4).chunks
    with zipfile.ZipFile(io.BytesIO(written(full_plan()))) as archive:
        text = archive.read("plan.json").decode()

    (operation,) = (
        one for one in json.loads(text)["operations"] if one["address"] == str(RUN)
    )
    assert operation["uploads"]["predictions"] == {
        "slots": 4,
        "chunks": {str(chunk.slot.number): chunk.digest},
    }
    assert f"{chunk.digest[:16]} 1" not in text


def edited(content: bytes, member: str, old: bytes, new: bytes) -> bytes:
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as before,
        zipfile.ZipFile(file, "w") as after,
    ):
        for name in before.namelist():
            text = before.read(name)
            if name == member:
                assert old in text
                text = text.replace(old, new)
            after.writestr(name, text)
    return file.getvalue()


def resealed(content: bytes) -> bytes:
    """Do what a careful forger does: correct every hash but the plan's digest."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as before,
        zipfile.ZipFile(file, "w") as after,
    ):
        document = json.loads(before.read("plan.json"))
        del document["integrity"]
        for name in document["files"]:
            member = before.read(name)
            document["files"][name] = f"sha256:{hashlib.sha256(member).hexdigest()}"
            after.writestr(name, member)
        document["integrity"] = digest(document)
        after.writestr("plan.json", json.dumps(document))
    return file.getvalue()


EDITS = [
    pytest.param("plan.json", b"0.0001", b"0.001", id="config"),
    pytest.param("plan.json", b"run/digits/svm", b"run/digits/svn", id="address"),
    pytest.param("plan.json", b'"endpoint": "local"', b'"endpoint": "x"', id="target"),
    pytest.param("rows/00003.csv", b"TRAINING", b"TEST", id="rows"),
    pytest.param("rows/00003.csv", b"id-of-gone", b"id-of-b", id="removed rows"),
    pytest.param("data-rows/00001.csv", b"f1", b"f2", id="data rows"),
    pytest.param("labels/00003.csv", b"sha256:1", b"sha256:3", id="labels"),
    pytest.param("labels/00003.csv", b"label-1", b"label-3", id="ids of labels"),
    pytest.param("labels/00003.csv", b"add,", b"replace,", id="kinds of labels"),
    pytest.param("labels/00003.csv", b"label-7", b"label-8", id="labels by id"),
    pytest.param("plan.json", b'"slots": 4', b'"slots": 8', id="slots"),
    pytest.param("plan.json", b'"metrics": {', b'"labels": {', id="families"),
    pytest.param("plan.json", b"rows-removed run", b"run-complete run", id="guards"),
    pytest.param("plan.json", b'"epochs": 3', b'"epochs": 4', id="status"),
]


@pytest.mark.parametrize(("member", "old", "new"), EDITS)
def test_an_edited_file_is_refused(member: str, old: bytes, new: bytes) -> None:
    content = edited(written(full_plan()), member, old, new)

    with pytest.raises(InputError, match="was edited"):
        read_plan(io.BytesIO(content), name="p")


@pytest.mark.parametrize(("member", "old", "new"), EDITS)
def test_what_a_plan_does_cannot_be_edited_without_changing_its_digest(
    member: str, old: bytes, new: bytes
) -> None:
    content = resealed(edited(written(full_plan()), member, old, new))

    with pytest.raises(InputError, match="its operations have another digest"):
        read_plan(io.BytesIO(content), name="p")


@pytest.mark.parametrize("field", ["selection", "workspace", "kept", "allowed"])
def test_no_field_of_a_plan_file_can_be_edited(field: str) -> None:
    content = edited(
        written(full_plan()), "plan.json", f'"{field}": '.encode(), b'"other": '
    )

    with pytest.raises(InputError, match="was edited"):
        read_plan(io.BytesIO(content), name="p")


@settings(max_examples=300)
@given(st.data())
def test_a_damaged_file_is_refused_or_whole(data: st.DataObject) -> None:
    whole = bytearray(written(full_plan()))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at] ^= data.draw(st.integers(1, 255))

    try:
        found: object = read_plan(io.BytesIO(bytes(whole)), name="p")
    except InputError as error:
        found = error.diagnostics[0].code

    assert found in ("plan-file", save_plan(full_plan()))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"apiVersion: reconciler/v1\n", id="text"),
        pytest.param(written(plan_of(ONTOLOGY, owned={}))[:-30], id="cut short"),
    ],
)
def test_what_is_no_plan_is_refused(content: bytes) -> None:
    with pytest.raises(InputError, match="no saved plan") as caught:
        read_plan(io.BytesIO(content), name="p")

    assert caught.value.diagnostics[0].code == "plan-file"


def test_another_major_version_is_refused_and_a_minor_one_is_read() -> None:
    content = written(full_plan())
    newer = resealed(edited(content, "plan.json", b'"2.0"', b'"2.9"'))
    other = resealed(edited(content, "plan.json", b'"2.0"', b'"3.0"'))

    assert read_plan(io.BytesIO(newer), name="p").workspace == "test"
    with pytest.raises(InputError, match=r"version 3\.0"):
        read_plan(io.BytesIO(other), name="p")


def test_the_file_says_its_digest_where_a_person_can_look() -> None:
    plan = full_plan()
    with zipfile.ZipFile(io.BytesIO(written(plan))) as archive:
        document = json.loads(archive.read("plan.json"))

    assert document["digest"] == plan.digest

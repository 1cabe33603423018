"""Plans to files and back."""

import hashlib
import io
import json
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.diagnostics import InputError
from reconciler.plan.build import Plan
from reconciler.plan.codec import read_plan, save_plan, write_plan
from reconciler.state.canonical import digest
from reconciler.state.resources import Dataset, GlobalKey, Split
from tests.support.values import (
    MODEL,
    ONTOLOGY,
    PARENTS,
    RUN,
    current_run,
    data_row,
    plan_of,
    run,
)


def written(plan: Plan) -> bytes:
    file = io.BytesIO()
    write_plan(save_plan(plan), file)
    return file.getvalue()


def full_plan() -> Plan:
    """Make a plan in which everything happens that can."""
    dataset = Dataset("images", "ten digits", {GlobalKey("a"): data_row("a")})
    return plan_of(
        dataset,
        MODEL,
        run(
            config={"lr": 1e-4, "näme": 'ü\n,"'},
            rows={"a": Split.TEST, "b": Split.TRAINING, 'c,"\n': Split.TEST},
        ),
        there={**PARENTS, RUN: current_run({"lr": 1})},
        rows={RUN: {"b": Split.TEST, "gone": Split.VALIDATION}},
        allowed=[RUN],
    )


def test_a_plan_file_reads_back_as_what_was_agreed_to() -> None:
    plan = full_plan()

    assert read_plan(io.BytesIO(written(plan)), name="p") == save_plan(plan)


def test_the_same_plan_gives_the_same_bytes() -> None:
    assert written(full_plan()) == written(full_plan())


def test_the_content_of_data_rows_is_not_in_the_file() -> None:
    with zipfile.ZipFile(io.BytesIO(written(full_plan()))) as archive:
        content = b"".join(map(archive.read, archive.namelist()))

    assert b"files.test" not in content


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
    pytest.param("rows/00002.csv", b"TRAINING", b"TEST", id="rows"),
    pytest.param("rows/00002.csv", b"id-of-gone", b"id-of-b", id="removed rows"),
    pytest.param("data-rows/00001.csv", b"f1", b"f2", id="data rows"),
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
    newer = resealed(edited(content, "plan.json", b'"1.0"', b'"1.9"'))
    other = resealed(edited(content, "plan.json", b'"1.0"', b'"2.0"'))

    assert read_plan(io.BytesIO(newer), name="p").workspace == "test"
    with pytest.raises(InputError, match=r"version 2\.0"):
        read_plan(io.BytesIO(other), name="p")


def test_the_file_says_its_digest_where_a_person_can_look() -> None:
    plan = full_plan()
    with zipfile.ZipFile(io.BytesIO(written(plan))) as archive:
        document = json.loads(archive.read("plan.json"))

    assert document["digest"] == plan.digest

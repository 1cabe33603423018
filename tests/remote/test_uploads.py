"""Data rows into a dataset, and what may go wrong with them."""

import hashlib
import json
from pathlib import Path

import httpx
import pytest

from reconciler.api import documents
from reconciler.plan.steps import (
    UploadDataRows,
)
from reconciler.ports import (
    InDoubt,
    RemoteError,
    Stale,
)
from reconciler.remote.session import Bounds
from reconciler.state.resources import (
    DataRow,
    GlobalKey,
    LocalFile,
)
from tests.remote.said import (
    BAD_GATEWAY,
    DATASET,
    IDS,
    JOB,
    data_row,
    dataset_page,
    keys_result,
    task,
)
from tests.remote.wire import Answer, Wire, sent_files


def uploading(wire: Wire, *failures: tuple[str, str]) -> None:
    wire.on(documents.USER, {"user": {"id": "u1"}})
    wire.on(documents.UPLOAD_FILE, {"uploadFile": {"url": "https://f.test/up"}})
    wire.on(documents.UPSERT_DATA_ROWS, {"upsertDataRows": {"id": "t1"}})
    wire.on(documents.TASK, task("COMPLETE"))
    results = [
        {"message": message, "spec": {"globalKey": key}} for key, message in failures
    ]
    wire.on(
        documents.FAILED_IMPORTS,
        {"failedDataRowImports": {"after": None, "results": results}},
    )
    processed = {"allDataRowsHaveBeenProcessed": True}
    wire.on(documents.ALL_PROCESSED, {"queryAllDataRowsHaveBeenProcessed": processed})
    wire.on(documents.KEYS, JOB)
    wire.on(documents.KEYS_RESULT, keys_result())


def test_data_rows_go_as_items_in_chunks_and_a_manifest() -> None:
    wire = Wire()
    uploading(wire)
    row = DataRow(
        GlobalKey("a"),
        "https://x.test/a.png",
        external_id="A",
        media_type="IMAGE",
        attachments=({"type": "RAW_TEXT", "value": "hi"},),
    )

    wire.labelbox().perform(UploadDataRows(DATASET, (row,)), ids=IDS)

    chunk, manifest = (json.loads(part) for part in sent_files(wire))
    assert chunk == [
        {
            "id": {"type": "AUTO", "value": ""},
            "payload": {
                "row_data": "https://x.test/a.png",
                "global_key": "a",
                "external_id": "A",
                "media_type": "IMAGE",
                "attachments": [{"type": "RAW_TEXT", "value": "hi"}],
                "dataset_id": "d1",
            },
        }
    ]
    assert manifest == {
        "source": "SDK",
        "item_count": 1,
        "chunk_uris": ["https://f.test/up"],
    }
    assert wire.variables(documents.UPSERT_DATA_ROWS) == [
        {"manifestUri": "https://f.test/up"}
    ]


def test_chunks_stay_below_their_size() -> None:
    wire = Wire()
    uploading(wire)
    rows = tuple(data_row(f"k{n}") for n in range(10))

    wire.labelbox(Bounds(chunk=500)).perform(UploadDataRows(DATASET, rows), ids=IDS)

    *chunks, manifest = sent_files(wire)
    assert max(map(len, chunks)) <= 500
    keys = {
        item["payload"]["global_key"] for chunk in chunks for item in json.loads(chunk)
    }
    assert keys == {f"k{n}" for n in range(10)}
    assert len(json.loads(manifest)["chunk_uris"]) == len(chunks) == 3


def local(path: Path, sha256: str) -> LocalFile:
    return LocalFile(str(path), "img/a.png", sha256, 4, "image/png")


def test_files_are_uploaded_first_and_referred_to(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG")
    sha256 = hashlib.sha256(b"\x89PNG").hexdigest()
    wire = Wire()
    uploading(wire)
    row = data_row("a", local(tmp_path / "a.png", sha256))

    wire.labelbox().perform(UploadDataRows(DATASET, (row,)), ids=IDS)

    file, chunk, _ = sent_files(wire)
    assert file == b"\x89PNG"
    assert json.loads(chunk)[0]["payload"]["row_data"] == "https://f.test/up"


def test_a_file_that_changed_since_the_plan_is_not_uploaded(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"other")
    wire = Wire()
    uploading(wire)
    row = data_row("a", local(tmp_path / "a.png", "0" * 64))

    with pytest.raises(Stale, match=r"img/a\.png has changed"):
        wire.labelbox().perform(UploadDataRows(DATASET, (row,)), ids=IDS)

    assert wire.requests == []


def test_a_file_that_is_gone_is_told(tmp_path: Path) -> None:
    wire = Wire()
    row = data_row("a", local(tmp_path / "none.png", "0" * 64))

    with pytest.raises(Stale, match=r"img/a\.png can't be read any more"):
        wire.labelbox().perform(UploadDataRows(DATASET, (row,)), ids=IDS)


def test_refused_rows_are_told_by_reason() -> None:
    wire = Wire()
    uploading(wire, ("a", "bad url"), ("b", "no media type"), ("c", "bad url"))
    rows = tuple(map(data_row, "abcd"))

    with pytest.raises(RemoteError) as caught:
        wire.labelbox().perform(UploadDataRows(DATASET, rows), ids=IDS)

    assert caught.value.reason == (
        "3 of 4 data rows were not brought into dataset/digits: "
        "bad url (2: a, c); no media type (1: b)"
    )


def already_there(wire: Wire) -> None:
    """Let the dataset have the row `a`, which shows at the second look."""
    uploading(wire, ("a", "Duplicate global key: 'a'"))
    node = {"id": "d1", "name": "digits", "description": None, "rowCount": 1}
    wire.on(documents.DATASET, {"dataset": node})
    wire.on(
        documents.DATASET_ROWS,
        dataset_page(cursor=None),
        dataset_page(("1", "a"), cursor=None),
    )


@pytest.mark.parametrize(
    "trouble", [BAD_GATEWAY, httpx.ReadTimeout("slow"), httpx.ReadError("reset")]
)
def test_a_row_that_an_unanswered_attempt_brought_is_done(
    trouble: httpx.Response | Exception,
) -> None:
    wire = Wire()
    already_there(wire)
    wire.on(documents.UPSERT_DATA_ROWS, trouble, {"upsertDataRows": {"id": "t1"}})

    wire.labelbox().perform(UploadDataRows(DATASET, (data_row("a"),)), ids=IDS)

    assert wire.count(documents.UPSERT_DATA_ROWS) == 2


@pytest.mark.parametrize(
    "turned_away", [None, httpx.Response(429), httpx.ConnectError("refused")]
)
def test_a_row_that_somebody_else_brought_since_the_plan_is_stale(
    turned_away: httpx.Response | Exception | None,
) -> None:
    wire = Wire()
    already_there(wire)
    # What never reached the remote has brought nothing there.
    before = [] if turned_away is None else [turned_away]
    wire.on(documents.UPSERT_DATA_ROWS, *before, {"upsertDataRows": {"id": "t1"}})

    with pytest.raises(Stale) as caught:
        wire.labelbox().perform(
            UploadDataRows(DATASET, (data_row("a"), data_row("b"))), ids=IDS
        )

    assert caught.value.reason == (
        "data rows of 1 key have appeared in dataset/digits since the plan was made: a"
    )
    assert caught.value.hint == "plan again: they will be taken as they are"


def test_doubt_about_one_task_excuses_no_other() -> None:
    wire = Wire()
    already_there(wire)
    started = {"upsertDataRows": {"id": "t1"}}
    wire.on(documents.UPSERT_DATA_ROWS, BAD_GATEWAY, started)
    none: Answer = {"failedDataRowImports": {"after": None, "results": []}}
    wire.on(documents.FAILED_IMPORTS, none, *wire.answers["GetFailedDataRowImports"])

    with pytest.raises(Stale):
        wire.labelbox(Bounds(upload_batch=1)).perform(
            UploadDataRows(DATASET, (data_row("b"), data_row("a"))), ids=IDS
        )


def test_a_row_that_another_dataset_has_is_refused() -> None:
    wire = Wire()
    uploading(wire, ("a", "Duplicate global key: 'a'"))
    node = {"id": "d1", "name": "digits", "description": None, "rowCount": 1}
    wire.on(documents.DATASET, {"dataset": node})
    wire.on(documents.DATASET_ROWS, dataset_page(("1", "b"), cursor=None))

    with pytest.raises(RemoteError, match="already used by a row of another dataset"):
        wire.labelbox().perform(UploadDataRows(DATASET, (data_row("a"),)), ids=IDS)


def test_rows_are_waited_for_until_they_can_be_used() -> None:
    wire = Wire()
    uploading(wire)
    root = "queryAllDataRowsHaveBeenProcessed"
    wire.on(
        documents.ALL_PROCESSED,
        {root: {"allDataRowsHaveBeenProcessed": False}},
        {root: {"allDataRowsHaveBeenProcessed": True}},
    )

    wire.labelbox().perform(UploadDataRows(DATASET, (data_row("a"),)), ids=IDS)

    assert wire.count(documents.ALL_PROCESSED) == 2


def test_rows_that_were_accepted_and_are_not_there_are_told() -> None:
    wire = Wire()
    uploading(wire)
    wire.on(documents.KEYS_RESULT, keys_result("a"))

    with pytest.raises(
        RemoteError, match="1 data rows were accepted, but can't be found"
    ):
        wire.labelbox().perform(UploadDataRows(DATASET, (data_row("a"),)), ids=IDS)


def test_an_upload_that_never_ends_is_in_doubt() -> None:
    wire = Wire()
    uploading(wire)
    wire.on(documents.TASK, task("IN_PROGRESS"))

    with pytest.raises(InDoubt, match="not over after 20 seconds"):
        wire.labelbox(Bounds(task_timeout=20)).perform(
            UploadDataRows(DATASET, (data_row("a"),)), ids=IDS
        )


def test_metadata_by_name_is_sent_by_id() -> None:
    wire = Wire()
    uploading(wire)
    fields = [
        {"id": "s1", "name": "camera", "kind": "CustomMetadataString", "options": None},
        {
            "id": "s2",
            "name": "light",
            "kind": "CustomMetadataEnum",
            "options": [{"id": "s3", "name": "day"}],
        },
    ]
    wire.on(documents.METADATA_FIELDS, {"customMetadataOntology": fields})
    row = DataRow(
        GlobalKey("a"),
        "text",
        metadata=(
            {"name": "camera", "value": "left"},
            {"name": "light", "value": "day"},
            {"schemaId": "s1", "value": "x"},
            {"name": "unheard of", "value": 1},
        ),
    )

    wire.labelbox().perform(UploadDataRows(DATASET, (row,)), ids=IDS)

    assert json.loads(sent_files(wire)[0])[0]["payload"]["metadata_fields"] == [
        {"schemaId": "s1", "value": "left"},
        {"schemaId": "s2", "value": {}},
        {"schemaId": "s3", "value": {}},
        {"schemaId": "s1", "value": "x"},
        {"name": "unheard of", "value": 1},
    ]

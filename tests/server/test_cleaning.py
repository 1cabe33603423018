"""What a store forgets after a while, and what it keeps."""

import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select, text

from reconciler.server.files import Files
from reconciler.server.store.cleaning import DAY, clean
from reconciler.server.store.database import Store
from reconciler.server.store.export_files import add_masks
from reconciler.server.store.files import find_file
from reconciler.server.store.tables import tasks as task_table
from reconciler.server.store.tasks import TaskType
from tests.server.conftest import Clock
from tests.support.annotation_files import errors, ndjson, send
from tests.support.labelling import make_batch

Gql = Callable[..., Any]

WEEK = 7 * DAY


@pytest.fixture
def age(store: Store, clock: Clock) -> Callable[[], None]:
    """Let ten days pass, on the clock and on the disk."""

    def pass_by() -> None:
        clock.seconds += 10 * DAY
        past = time.time() - 10 * DAY
        for file in store.files.root.rglob("*"):
            if file.is_file():
                os.utime(file, (past, past))

    return pass_by


@pytest.fixture
def later(store: Store, age: Callable[[], None]) -> Callable[[], None]:
    """Let ten days pass, and clean the store."""

    def pass_by() -> None:
        age()
        clean(store, WEEK)

    return pass_by


def contents(store: Store) -> set[str]:
    return {file.name for file in store.files.root.glob("??/*")}


def export(gql: Gql) -> str:
    """Export all data rows, and get the task's id."""
    asked = {"filters": {"searchQuery": {"query": []}}, "streamable": True}
    started = gql(
        "mutation E($input: ExportDataRowsInCatalogInput!)"
        " { exportDataRowsInCatalog(input: $input) { taskId } }",
        input=asked,
    )
    task: str = started["exportDataRowsInCatalog"]["taskId"]
    return task


def rows(gql: Gql) -> list[dict[str, str]]:
    (dataset,) = gql("{ datasets { id } }")["datasets"]
    found = gql(
        "query R($id: ID!) { datasetDataRows(id: $id) { nodes { globalKey rowData } } }",
        id=dataset["id"],
    )
    nodes: list[dict[str, str]] = found["datasetDataRows"]["nodes"]
    return nodes


def tasks(gql: Gql) -> list[str]:
    found = gql("{ user { createdTasks(first: 100) { id } } }")
    return [one["id"] for one in found["user"]["createdTasks"]]


def test_an_old_export_is_gone_with_its_files(
    store: Store, gql: Gql, keys: Sequence[str], later: Callable[[], None]
) -> None:
    old = export(gql)
    assert contents(store)

    later()

    assert contents(store) == set()
    assert old not in tasks(gql)
    assert export(gql) in tasks(gql)


def test_tasks_that_nobody_lists_are_forgotten(
    store: Store,
    gql: Gql,
    keys: Sequence[str],
    register: Gql,
    assign: Gql,
    later: Callable[[], None],
) -> None:
    def kinds() -> set[str]:
        with store.read() as db:
            return set(db.execute(select(task_table.c.type)).scalars())

    register(globalKeys=keys[:2])
    assign({"split": "TEST", "globalKeys": keys[:1]})
    assert {TaskType.MEMBERSHIP, TaskType.SPLITS} <= kinds()

    later()

    # The import of the rows is listed among the user's tasks.
    assert kinds() == {TaskType.UPSERT_DATA_ROWS}


def test_a_young_export_is_kept(
    store: Store, gql: Gql, keys: Sequence[str], clock: Clock
) -> None:
    young = export(gql)
    written = contents(store)
    clock.seconds += 6 * DAY
    (store.files.root / "cleaned").unlink()

    clean(store, WEEK)

    assert young in tasks(gql)
    assert contents(store) == written


def test_an_export_that_is_still_worked_on_is_kept(
    store: Store, gql: Gql, keys: Sequence[str], later: Callable[[], None]
) -> None:
    running = export(gql)
    with store.write() as db:
        db.execute(text("UPDATE tasks SET state = 'IN_PROGRESS'"))

    later()

    with store.read() as db:
        assert running in db.execute(select(task_table.c.id)).scalars().all()


def test_a_mask_that_was_exported_again_counts_as_new(
    store: Store, clock: Clock
) -> None:
    mask = {"cmask": store.files.write([b"a mask"])}
    for _ in range(2):
        with store.write() as db:
            add_masks(db, store, mask)
        clock.seconds += 5 * DAY

    clean(store, WEEK)

    with store.read() as db:
        assert find_file(db, "cmask") is not None


def test_content_that_comes_back_while_it_is_swept_is_kept(tmp_path: Path) -> None:
    files = Files(tmp_path / "files")
    written = files.write([b"a picture"])
    os.utime(files.path(written.sha256), (0, 0))

    def nobody_knows_it_yet(_: Sequence[str]) -> list[str]:
        files.write([b"a picture"])
        return []

    files.sweep(time.time() - DAY, nobody_knows_it_yet)

    assert files.path(written.sha256).exists()


def test_a_file_that_a_data_row_shows_is_kept(
    store: Store,
    gql: Gql,
    http: httpx.Client,
    upload: Callable[..., str],
    bring: Gql,
    later: Callable[[], None],
) -> None:
    bring({"row_data": upload(b"a picture"), "global_key": "seen"})

    later()

    (seen,) = [one for one in rows(gql) if one["globalKey"] == "seen"]
    assert http.get(seen["rowData"]).content == b"a picture"
    assert len(contents(store)) == 1


@pytest.mark.parametrize("how", ["masks of pictures", "masks of videos"])
def test_a_mask_that_a_line_names_is_kept(
    store: Store,
    gql: Gql,
    http: httpx.Client,
    keys: Sequence[str],
    upload: Callable[..., str],
    later: Callable[[], None],
    how: str,
) -> None:
    url = upload(b"a mask")
    upload(b"another one")
    if how == "masks of pictures":
        media_type = "IMAGE"
        mask = {"name": "fur", "mask": {"instanceURI": url, "colorRGB": [1, 2, 3]}}
    else:
        media_type = "VIDEO"
        frame = {"index": 1, "instanceURI": url}
        instance = {"colorRGB": [1, 2, 3], "name": "fur"}
        mask = {"masks": {"frames": [frame], "instances": [instance]}}
    ontology = gql(
        "mutation O($data: UpsertOntologyInput!) { upsertOntology(data: $data) { id } }",
        data={
            "name": "pets",
            "normalized": '{"tools": [{"tool": "raster-segmentation", "name": "fur"}]}',
            "mediaType": media_type,
        },
    )["upsertOntology"]["id"]
    project = gql('mutation { createProject(data: {name: "pets"}) { id } }')
    project_id = project["createProject"]["id"]
    gql(
        "mutation C($p: ID!, $o: ID!) { project(where: {id: $p})"
        " { connectOntology(ontologyId: $o) { id } } }",
        p=project_id,
        o=ontology,
    )
    make_batch(gql, project_id, keys[:1])
    line = {"dataRow": {"globalKey": keys[0]}, **mask}
    job = send(http, "createLabelImport", project_id, ndjson(line))["data"]
    assert errors(http, job["createLabelImport"]) == []

    later()

    masks = {one.read_bytes() for one in store.files.root.glob("??/*")}
    assert b"a mask" in masks
    assert b"another one" not in masks


def test_a_file_that_row_data_of_json_names_is_kept(
    store: Store,
    gql: Gql,
    upload: Callable[..., str],
    bring: Gql,
    later: Callable[[], None],
) -> None:
    brought, changed, lost = map(upload, (b"one", b"two", b"three"))
    bring(
        {"row_data": {"pages": [{"image": brought}]}, "global_key": "a"},
        {"row_data": "a text", "global_key": "b"},
        {"row_data": f"[not JSON, but {lost}]", "global_key": "c"},
    )
    (row,) = [one for one in rows_with_ids(gql) if one["globalKey"] == "b"]
    gql(
        "mutation U($id: ID!, $text: String!)"
        " { updateDataRow(where: {id: $id}, data: {rowData: $text}) { id } }",
        id=row["id"],
        text=json.dumps({"image": changed}),
    )

    later()

    found = {one.read_bytes() for one in store.files.root.glob("??/*")}
    assert {b"one", b"two"} <= found
    assert b"three" not in found


def rows_with_ids(gql: Gql) -> list[dict[str, str]]:
    (dataset,) = gql("{ datasets { id } }")["datasets"]
    found = gql(
        "query R($id: ID!) { datasetDataRows(id: $id) { nodes { id globalKey } } }",
        id=dataset["id"],
    )
    nodes: list[dict[str, str]] = found["datasetDataRows"]["nodes"]
    return nodes


def test_content_that_was_just_written_again_is_kept(
    store: Store, upload: Callable[..., str], age: Callable[[], None]
) -> None:
    upload(b"a picture")
    age()

    store.files.write([b"a picture"])  # and is about to be recorded
    clean(store, WEEK)

    assert len(contents(store)) == 1


def test_drafts_of_killed_uploads_are_removed(
    store: Store, later: Callable[[], None]
) -> None:
    store.files.root.mkdir()
    draft = store.files.root / "0123.part"
    draft.write_bytes(b"half a pic")

    later()

    assert not draft.exists()


def test_a_store_is_cleaned_once_a_day(
    store: Store, later: Callable[[], None], upload: Callable[..., str]
) -> None:
    later()
    upload(b"a picture")

    clean(store, -1)

    assert len(contents(store)) == 1


def test_whoever_has_done_a_job_cleans_the_store(
    store: Store, gql: Gql, keys: Sequence[str]
) -> None:
    export(gql)

    assert (store.files.root / "cleaned").exists()

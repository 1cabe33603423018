"""What a store forgets after a while, and what it keeps."""

import os
import time
from collections.abc import Callable, Sequence
from typing import Any

import httpx
import pytest

from reconciler.server.store.cleaning import DAY, clean
from reconciler.server.store.database import Store
from tests.server.conftest import Clock

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

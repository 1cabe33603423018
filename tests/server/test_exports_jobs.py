"""Exports as jobs: pretended, cancelled, failed, and killed."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from reconciler.server.app import make_app
from reconciler.server.errors import bad_input
from reconciler.server.exporting.files import Chunk, write_chunks
from reconciler.server.settings import Limits, ServerSettings
from reconciler.server.store.database import Store
from reconciler.server.store.tables import export_chunks, files, tasks
from reconciler.server.store.tasks import (
    TaskState,
    TaskType,
    add_task,
    cancel_task,
    find_task,
)
from tests.server.conftest import Clock
from tests.server.test_exports import CATALOG, HEADER, RUN

Gql = Callable[..., Any]

WRITE = "reconciler.server.exporting.tasks.write_chunks"

TASK = (
    "query T($id: ID!) { task(where: {id: $id}) { status completionPercentage result"
    " errors metadata createdAt updatedAt } }"
)


@pytest.fixture
def started(gql: Gql, register: Gql, keys: Sequence[str], run: str) -> Gql:
    """Start to export a run of ten rows, and know the task's id."""
    register(globalKeys=keys)

    def start(*, streamable: bool = True) -> str:
        given = {"filters": {"modelRunId": run}, "streamable": streamable}
        identifier: str = gql(RUN, input=given)["exportDataRowsInModelRun"]["taskId"]
        return identifier

    return start


def count(store: Store) -> tuple[int, int]:
    """Count the files and the chunks that the store knows."""
    with store.read() as db:
        tables = (files, export_chunks)
        first, second = (
            db.execute(select(func.count()).select_from(one)).scalar_one()
            for one in tables
        )
    return first, second


def test_a_task_tells_how_much_it_was_about(gql: Gql, started: Gql) -> None:
    found = gql(TASK, id=started())["task"]

    assert found == {
        "status": "COMPLETE",
        "completionPercentage": 100.0,
        "result": None,
        "errors": None,
        "metadata": {"lines": 10, "errors": 0},
        "createdAt": "2030-03-17T17:46:40.250Z",
        "updatedAt": "2030-03-17T17:46:40.250Z",
    }


def test_an_export_that_looks_as_if_it_were_running_hides_what_it_has(
    store: Store, started: Gql, clock: Clock
) -> None:
    streamed, whole = started(), started(streamable=False)
    app = make_app(store, ServerSettings(task_seconds=60), frozenset({"sesame"}))

    def ask(query: str, **variables: Any) -> Any:
        with httpx.Client(transport=httpx.WSGITransport(app=app)) as client:
            answer = client.post(
                "http://twin.test/graphql",
                json={"query": query, "variables": variables},
                headers={"Authorization": "Bearer sesame"},
            )
        return answer.json()["data"]["task"]

    def header() -> Any:
        found = ask(HEADER, where={"id": streamed}, streamType="RESULT")
        return found["exportMetadataHeader"]

    before = [ask(TASK, id=one) for one in (streamed, whole)]
    hidden = header()
    clock.seconds += 61
    after = ask(TASK, id=whole)

    assert [one["status"] for one in before] == ["IN_PROGRESS"] * 2
    assert [one["result"] for one in before] == [None, None]
    assert [one["metadata"] for one in before] == [None, None]
    assert hidden is None
    assert after["result"].startswith("http://twin.test/files/")
    assert header()["totalLines"] == 10


def test_a_cancelled_export_leaves_nothing(
    store: Store, gql: Gql, started: Gql, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = count(store)

    def cancelled(*arguments: Any) -> list[Chunk]:
        with store.write() as db:
            found = db.execute(select(tasks.c.pk).order_by(tasks.c.pk.desc())).first()
            assert found is not None
            cancel_task(db, store, found[0])
        return write_chunks(*arguments)

    monkeypatch.setattr(WRITE, cancelled)
    task = started()

    assert gql(TASK, id=task)["task"]["status"] == "CANCELED"
    assert count(store) == before


def test_an_export_that_fails_says_why(
    http: httpx.Client, gql: Gql, started: Gql, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> list[Chunk]:
        raise bad_input("the rows are too many")

    monkeypatch.setattr(WRITE, fail)
    found = gql(TASK, id=started())["task"]

    assert found["status"] == "FAILED"
    assert found["result"] is None
    said = http.get(found["errors"], headers={"Authorization": ""}).content
    assert json.loads(said) == {"message": "the rows are too many"}


def test_an_export_whose_run_is_gone_meanwhile_fails(
    store: Store, gql: Gql, run: str
) -> None:
    asked = {"filters": {"modelRunId": run}, "streamable": True}
    with store.write() as db:
        detail = {"subject": "run", "asked": asked}
        record = add_task(db, store, TaskType.EXPORT, detail=detail, running=True)
    gql("mutation D($ids: [ID!]!) { deleteModelRuns(where: {ids: $ids}) }", ids=[run])

    assert ended(gql, record.id) == "FAILED"
    with store.read() as db:
        found = find_task(db, record.id, TaskType.EXPORT)
    assert found.error_message == f"ModelRun '{run}' not found"


def ended(gql: Gql, task: str) -> str:
    """Ask for a task until it is over."""
    for _ in range(500):
        status: str = gql(TASK, id=task)["task"]["status"]
        if status != "IN_PROGRESS":
            return status
        time.sleep(0.01)
    pytest.fail("the task never ends")


def test_a_killed_export_is_done_again_when_it_is_asked_for(
    store: Store, gql: Gql, register: Gql, keys: Sequence[str], run: str
) -> None:
    register(globalKeys=keys)
    asked = {"filters": {"modelRunId": run}, "params": {}, "streamable": True}
    code = f"""
import os, signal
from reconciler.server.exporting import tasks as exporting
from reconciler.server.files import Urls
from reconciler.server.jobs import Jobs
from reconciler.server.request import Request
from reconciler.server.settings import ServerSettings
from reconciler.server.store.database import open_store
store = open_store({str(store.path)!r})
jobs = Jobs(store.path.with_name(store.path.name + ".jobs"), 20)
request = Request(store, ServerSettings(), Urls("http://t", b"", 0), jobs)
exporting.write_chunks = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
exporting.start_export(request, exporting.Subject.RUN, {asked!r})
"""
    killed = subprocess.run([sys.executable, "-c", code], check=False)
    with store.read() as db:
        task, state = db.execute(
            select(tasks.c.id, tasks.c.state).where(tasks.c.type == TaskType.EXPORT)
        ).one()

    assert killed.returncode == -signal.SIGKILL
    assert state == TaskState.IN_PROGRESS
    assert ended(gql, task) == "COMPLETE"
    header = gql(HEADER, where={"id": task}, streamType="RESULT")["task"]
    assert header["exportMetadataHeader"]["totalLines"] == 10


@pytest.mark.parametrize("settings", [ServerSettings(limits=Limits(ids_per_request=2))])
def test_a_search_by_too_many_names_is_refused_by_the_limit(refused: Gql) -> None:
    ids = [str(number) for number in range(2_001)]
    clause = {"type": "global_key", "operator": "is", "ids": ids}

    code, message = refused(
        CATALOG, input={"filters": {"searchQuery": {"query": [clause]}}}
    )

    assert code == "BAD_USER_INPUT"
    assert message == "ids lists 2001 items; at most 2000 go in one request"


@pytest.mark.parametrize("name", ["projectIds", "modelRunIds"])
def test_an_export_names_thirty_projects_and_runs_at_most(
    refused: Gql, name: str
) -> None:
    asked = {
        "filters": {"searchQuery": {"query": []}},
        "params": {name: [str(number) for number in range(31)]},
    }

    assert refused(CATALOG, input=asked) == (
        "BAD_USER_INPUT",
        f"{name} lists 31 items; at most 30 go in one export",
    )


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"projectIds": ["nowhere"]}, ("RESOURCE_NOT_FOUND", "Project 'nowhere'")),
        ({"modelRunIds": ["nowhere"]}, ("RESOURCE_NOT_FOUND", "ModelRun 'nowhere'")),
        ({"mediaTypeOverride": "NOVEL"}, ("BAD_USER_INPUT", "Value 'NOVEL' does not")),
    ],
)
def test_what_is_not_there_is_refused_before_anything_begins(
    store: Store,
    refused: Gql,
    params: Mapping[str, Any],
    reason: tuple[str, str],
) -> None:
    asked = {"filters": {"searchQuery": {"query": []}}, "params": params}

    code, message = refused(CATALOG, input=asked)

    assert code == reason[0]
    assert message.startswith(reason[1])
    with store.read() as db:
        assert db.execute(select(tasks)).first() is None


def test_a_task_that_is_no_export_has_no_files_of_one(gql: Gql, bring: Gql) -> None:
    bring({"row_data": "https://e.test/1.png"})
    read = (
        "{ user { createdTasks { type exportMetadataHeader(streamType: RESULT)"
        " { totalLines } exportFileFromOffset(streamType: RESULT, offset: 0)"
        " { file } } } }"
    )

    assert gql(read)["user"]["createdTasks"] == [
        {
            "type": "adv-upsert-data-rows",
            "exportMetadataHeader": None,
            "exportFileFromOffset": None,
        }
    ]


def test_a_clock_that_was_set_back_makes_no_task_run_again(
    started: Gql, gql: Gql, refused: Gql, clock: Clock
) -> None:
    identifier = started()
    clock.seconds -= 3600

    assert gql(TASK, id=identifier)["task"]["status"] == "COMPLETE"
    code, message = refused(
        "mutation C($id: ID!) { cancelBulkOperationJob(id: $id) { success } }",
        id=identifier,
    )
    assert (code, message) == (
        "BAD_USER_INPUT",
        f"the task '{identifier}' is COMPLETE, and can't be cancelled any more",
    )


def test_no_chunk_is_past_the_last_offset_that_the_store_can_count(
    started: Gql, gql: Gql
) -> None:
    found = gql(
        "query T($id: ID!) { task(where: {id: $id}) { exportFileFromOffset("
        'streamType: RESULT, offset: "18446744073709551615") { file } } }',
        id=started(),
    )

    assert found == {"task": {"exportFileFromOffset": None}}

"""Batches, and the queues that their rows wait in."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from sqlalchemy import func, select

from reconciler.server.settings import Limits, ServerSettings
from reconciler.server.store.database import Store
from reconciler.server.store.tables import prelabels
from tests.support.labelling import (
    CREATE_BATCH,
    box,
    make_batch,
    make_project,
    put,
    said_in,
    states_of,
)

Gql = Callable[..., Any]

EMPTY = (
    "mutation E($p: ID!, $input: CreateEmptyBatchInput!) { project(where: {id: $p})"
    " { createEmptyBatch(input: $input) { id } } }"
)
FILL = (
    "mutation F($p: ID!, $input: AddDataRowsToBatchInput!) { project(where: {id: $p})"
    " { addDataRowsToBatchAsync(input: $input) { taskId } } }"
)
MOVE = (
    "mutation M($p: ID!, $q: ID, $rows:"
    " AddRowsToTaskQueueViaDataRowIdentifiersInput!) { project(where: {id: $p})"
    " { createBulkAddRowsToQueueTask(data: {queueId: $q, dataRowIdentifiers: $rows})"
    " { taskId } } }"
)
BATCHES = (
    "query B($p: ID!, $from: String, $first: PageSize) { project(where: {id: $p}) { id"
    " batches(after: $from, first: $first) { nodes { name size } pageInfo"
    " { endCursor } } } }"
)


@pytest.fixture
def project(gql: Gql) -> str:
    return make_project(gql)


def ended(gql: Gql, task: str) -> tuple[str, str, Any]:
    """Know how a task ended: its type, its status, and the JSON of its result."""
    found = gql(
        "query T($w: WhereUniqueIdInput) { task(where: $w) { type status result } }",
        w={"id": task},
    )["task"]
    result = found["result"] and json.loads(found["result"])
    return found["type"], found["status"], result


def fill(gql: Gql, project: str, batch: str, **rows: Any) -> tuple[str, str, Any]:
    """Add rows to a batch, and know how that ended."""
    asked = {"batchId": batch, "dataRowIds": [], "globalKeys": [], **rows}
    found = gql(FILL, p=project, input=asked)["project"]["addDataRowsToBatchAsync"]
    return ended(gql, found["taskId"])


def queues(gql: Gql, project: str) -> dict[str, str]:
    """Know the ids of a project's queues by their type."""
    found = gql(
        "query Q($p: ID!) { project(where: {id: $p}) { taskQueues { id queueType } } }",
        p=project,
    )
    return {one["queueType"]: one["id"] for one in found["project"]["taskQueues"]}


def test_rows_of_a_batch_wait_to_be_labelled(
    gql: Gql, project: str, keys: Sequence[str]
) -> None:
    created = make_batch(gql, project, keys[:3])

    assert created["batch"]["size"] == 3
    assert created["failedDataRowIds"] == []
    assert states_of(gql, project) == {"All": 3, "Unlabeled": 3}


def test_rows_that_are_there_already_are_named(
    gql: Gql, project: str, keys: Sequence[str], ids: Mapping[str, str]
) -> None:
    make_batch(gql, project, keys[:2])
    asked = {
        "name": "other",
        "dataRowIds": [ids[keys[1]], ids[keys[2]]],
        "globalKeys": None,
        "priority": 1,
        "consensusSettings": None,
    }

    created = gql(CREATE_BATCH, p=project, input=asked)["project"]["createBatchV2"]

    assert created["batch"]["size"] == 1
    assert created["failedDataRowIds"] == [ids[keys[1]]]


def test_a_row_may_be_named_by_id_and_by_key(
    gql: Gql, project: str, keys: Sequence[str], ids: Mapping[str, str]
) -> None:
    make_batch(gql, project, keys[:1])
    asked = {
        "name": "other",
        "dataRowIds": [ids[key] for key in keys[:2]],
        "globalKeys": keys[:3],
    }

    created = gql(CREATE_BATCH, p=project, input=asked)["project"]["createBatchV2"]

    assert created["batch"]["size"] == 2
    assert created["failedDataRowIds"] == [ids[keys[0]]]


@pytest.mark.parametrize(
    ("asked", "refusal"),
    [
        (
            {"name": "b", "globalKeys": ["street-05"]},
            ("RESOURCE_CONFLICT", "the project has a batch named 'b' already"),
        ),
        (
            {"name": "c", "globalKeys": ["street-05", "nope"]},
            ("MALFORMED_REQUEST", "1 unknown global keys: nope"),
        ),
        (
            {"name": "c", "dataRowIds": [], "globalKeys": None},
            ("MALFORMED_REQUEST", "a batch needs data rows"),
        ),
        (
            {"name": " ", "globalKeys": ["street-05"]},
            ("BAD_USER_INPUT", "the name of a batch must not be empty"),
        ),
    ],
)
def test_a_batch_that_cant_be_changes_nothing(
    gql: Gql,
    refused: Gql,
    project: str,
    keys: Sequence[str],
    asked: Any,
    refusal: tuple[str, str],
) -> None:
    make_batch(gql, project, keys[:2])

    assert refused(CREATE_BATCH, p=project, input=asked) == refusal
    assert states_of(gql, project) == {"All": 2, "Unlabeled": 2}


@pytest.mark.parametrize("settings", [ServerSettings(limits=Limits(rows_per_batch=3))])
def test_a_batch_has_only_so_many_rows(
    gql: Gql, refused: Gql, project: str, keys: Sequence[str]
) -> None:
    asked = {"name": "b", "globalKeys": keys[:4]}
    message = "a batch holds at most 3 data rows; this one would hold 4"

    assert refused(CREATE_BATCH, p=project, input=asked) == (
        "OPERATION_NOT_ALLOWED",
        message,
    )
    batch = make_batch(gql, project, keys[:3])["batch"]["id"]
    assert fill(gql, project, batch, globalKeys=keys[3:4]) == (
        "add-data-rows-to-batch",
        "FAILED",
        {"error": message},
    )
    assert states_of(gql, project) == {"All": 3, "Unlabeled": 3}


def test_an_empty_batch_is_filled_by_tasks(
    gql: Gql, project: str, keys: Sequence[str], ids: Mapping[str, str]
) -> None:
    made = gql(EMPTY, p=project, input={"name": "b"})["project"]["createEmptyBatch"]

    first = fill(gql, project, made["id"], dataRowIds=[ids[keys[0]]])
    second = fill(gql, project, made["id"], globalKeys=keys[:4], priority=1)
    wrong = fill(gql, project, made["id"], globalKeys=[keys[5], "nope"])

    assert first == second == ("add-data-rows-to-batch", "COMPLETE", None)
    assert wrong[1:] == ("FAILED", {"error": "1 unknown global keys: nope"})
    assert states_of(gql, project) == {"All": 4, "Unlabeled": 4}


def test_batches_come_in_pages(gql: Gql, project: str, keys: Sequence[str]) -> None:
    for number in range(3):
        make_batch(gql, project, keys[number : number + 1], f"b{number}")

    first = gql(BATCHES, p=project, first=2, **{"from": None})["project"]["batches"]
    end = first["pageInfo"]["endCursor"]
    rest = gql(BATCHES, p=project, first=2, **{"from": end})["project"]["batches"]

    assert [one["name"] for one in first["nodes"]] == ["b0", "b1"]
    assert rest == {
        "nodes": [{"name": "b2", "size": 1}],
        "pageInfo": {"endCursor": None},
    }


def test_a_batch_of_another_project_is_none(
    gql: Gql, refused: Gql, project: str, keys: Sequence[str]
) -> None:
    other = make_project(gql, "other")
    batch = make_batch(gql, other, keys[:1])["batch"]["id"]
    delete = (
        "mutation D($p: ID!, $b: ID!) { project(where: {id: $p})"
        " { deleteBatch(batchId: $b) { deletedBatchId } } }"
    )

    assert refused(delete, p=project, b=batch) == (
        "RESOURCE_NOT_FOUND",
        f"Batch '{batch}' not found",
    )
    assert gql(delete, p=other, b=batch)["project"]["deleteBatch"] == {
        "deletedBatchId": batch
    }
    assert states_of(gql, other) == {}


def test_labelled_rows_stay_when_queued_ones_are_removed(
    gql: Gql, store: Store, project: str, keys: Sequence[str]
) -> None:
    batch = make_batch(gql, project, keys[:4])["batch"]["id"]
    put(store, project, {keys[0]: [box(1)]})
    found = queues(gql, project)
    gql(
        MOVE,
        p=project,
        q=found["MANUAL_REWORK_QUEUE"],
        rows={"ids": [keys[1]], "idType": "GKEY"},
    )

    gql(
        "mutation R($p: ID!, $b: ID!) { project(where: {id: $p})"
        " { removeQueuedDataRowsFromBatch(batchId: $b) { id } } }",
        p=project,
        b=batch,
    )

    assert states_of(gql, project) == {"All": 2, "Labeled": 1, "InRework": 1, "Done": 1}


def test_a_batchs_labels_are_deleted_and_may_stay_as_templates(
    gql: Gql, store: Store, project: str, keys: Sequence[str]
) -> None:
    batch = make_batch(gql, project, keys[:2])["batch"]["id"]
    make_batch(gql, project, keys[2:3], "other")
    put(store, project, {key: [box(n)] for n, key in enumerate(keys[:3])})

    deleted = gql(
        "mutation D($p: ID!, $b: ID!, $t: DeleteBatchLabelsType!)"
        " { project(where: {id: $p}) { deleteBatchLabels(batchId: $b, data:{ type: $t })"
        " { deletedLabelIds } } }",
        p=project,
        b=batch,
        t="RequeueDataWithLabelAsTemplate",
    )["project"]["deleteBatchLabels"]["deletedLabelIds"]

    assert len(deleted) == 2
    assert said_in(gql, project).keys() == {keys[2]}
    assert states_of(gql, project) == {
        "All": 3,
        "Unlabeled": 2,
        "Labeled": 1,
        "Done": 1,
    }


def test_rows_go_where_they_are_sent(
    gql: Gql, project: str, keys: Sequence[str], ids: Mapping[str, str]
) -> None:
    make_batch(gql, project, keys[:3])
    review = queues(gql, project)["MANUAL_REVIEW_QUEUE"]

    def move(queue: str | None, kind: str, *names: str) -> tuple[str, str, Any]:
        rows = {"ids": names, "idType": kind}
        found = gql(MOVE, p=project, q=queue, rows=rows)["project"]
        return ended(gql, found["createBulkAddRowsToQueueTask"]["taskId"])

    sent = move(review, "GKEY", keys[0], keys[1])
    done = move(None, "ID", ids[keys[1]])
    wrong = move(review, "GKEY", keys[2], keys[3])

    assert sent == done == ("send-to-task-queue", "COMPLETE", None)
    assert wrong[1:] == (
        "FAILED",
        {"error": "1 global keys that are not in the project: street-03"},
    )
    assert states_of(gql, project) == {
        "All": 3,
        "Unlabeled": 1,
        "InReview": 1,
        "Done": 1,
    }


def test_a_queue_of_another_project_is_none(
    gql: Gql, refused: Gql, project: str, keys: Sequence[str]
) -> None:
    other = queues(gql, make_project(gql, "other"))["MANUAL_REVIEW_QUEUE"]
    rows = {"ids": [keys[0]], "idType": "GKEY"}

    code, message = refused(MOVE, p=project, q=other, rows=rows)
    odd = refused(MOVE, p=project, q=None, rows={"ids": [], "idType": "NAME"})

    assert (code, message) == ("RESOURCE_NOT_FOUND", f"TaskQueue '{other}' not found")
    assert odd == ("BAD_USER_INPUT", "idType must be ID or GKEY, not 'NAME'")


def test_rows_of_a_queue_are_counted_by_batch(
    gql: Gql, refused: Gql, project: str, keys: Sequence[str]
) -> None:
    batch = make_batch(gql, project, keys[:2])["batch"]["id"]
    make_batch(gql, project, keys[2:5], "other")
    query = (
        "query C($p: ID!, $input: DataRowCountQueryInput) { project(where: {id: $p})"
        " { taskQueues { queueType dataRowCount(input: $input) } } }"
    )

    def count(*clauses: Any) -> list[int]:
        asked = {"searchQuery": {"scope": {"projectId": project}, "query": clauses}}
        found = gql(query, p=project, input=asked)["project"]["taskQueues"]
        return [one["dataRowCount"] for one in found]

    assert count({"ids": [batch], "operator": "is", "type": "batch"}) == [2, 0, 0]
    assert count({"ids": ["nope"], "operator": "is", "type": "batch"}) == [0, 0, 0]
    assert count() == [5, 0, 0]
    code, _ = refused(
        query, p=project, input={"searchQuery": {"query": [{"type": "x"}]}}
    )
    assert code == "BAD_USER_INPUT"


def test_rows_that_leave_a_project_leave_their_templates(
    gql: Gql, store: Store, project: str, keys: Sequence[str]
) -> None:
    batch = make_batch(gql, project, keys[:2])["batch"]["id"]
    put(store, project, {key: [box(n)] for n, key in enumerate(keys[:2])})
    gql(
        "mutation D($p: ID!, $b: ID!) { project(where: {id: $p}) { deleteBatchLabels("
        "batchId: $b, data:{ type: RequeueDataWithLabelAsTemplate })"
        " { deletedLabelIds } } }",
        p=project,
        b=batch,
    )
    with store.read() as db:
        before = db.execute(select(func.count()).select_from(prelabels)).scalar()

    gql(
        "mutation D($p: ID!, $b: ID!) { project(where: {id: $p})"
        " { deleteBatch(batchId: $b) { deletedBatchId } } }",
        p=project,
        b=batch,
    )

    with store.read() as db:
        after = db.execute(select(func.count()).select_from(prelabels)).scalar()
    assert (before, after) == (2, 0)


def test_a_labelled_row_stays_though_it_is_queued_again(
    gql: Gql, store: Store, project: str, keys: Sequence[str]
) -> None:
    batch = make_batch(gql, project, keys[:2])["batch"]["id"]
    put(store, project, {keys[0]: [box(1)]})
    initial = queues(gql, project)["INITIAL_LABELING_QUEUE"]
    gql(MOVE, p=project, q=initial, rows={"ids": [keys[0]], "idType": "GKEY"})

    gql(
        "mutation R($p: ID!, $b: ID!) { project(where: {id: $p})"
        " { removeQueuedDataRowsFromBatch(batchId: $b) { id } } }",
        p=project,
        b=batch,
    )

    assert states_of(gql, project) == {"All": 1, "Unlabeled": 1, "Labeled": 1}


def test_a_project_counts_its_own_rows(
    gql: Gql, store: Store, project: str, keys: Sequence[str]
) -> None:
    other = make_project(gql, "other")
    make_batch(gql, other, keys)
    put(store, other, {keys[0]: [box(1)]})
    make_batch(gql, project, keys[:2])

    assert states_of(gql, project) == {"All": 2, "Unlabeled": 2}


def test_unknown_rows_are_refused_before_anybody_waits_for_them(
    gql: Gql, refused: Gql, project: str, keys: Sequence[str]
) -> None:
    asked = {"name": "b", "dataRowIds": [], "globalKeys": [keys[0], "nowhere"]}
    ready = gql(
        "query C($k: [ID!]) { queryAllDataRowsHaveBeenProcessed(globalKeys: $k)"
        " { allDataRowsHaveBeenProcessed } }",
        k=asked["globalKeys"],
    )

    assert ready["queryAllDataRowsHaveBeenProcessed"]["allDataRowsHaveBeenProcessed"]
    assert refused(CREATE_BATCH, p=project, input=asked) == (
        "MALFORMED_REQUEST",
        "1 unknown global keys: nowhere",
    )


def test_settings_of_consensus_are_not_bottomless(refused: Gql, project: str) -> None:
    deep: Any = {}
    for _ in range(70):
        deep = {"a": deep}

    assert refused(
        EMPTY, p=project, input={"name": "a", "consensusSettings": deep}
    ) == (
        "BAD_USER_INPUT",
        "consensusSettings must not nest deeper than 64 levels",
    )

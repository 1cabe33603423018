"""Data rows: brought in, looked up, changed, deleted."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx
import pytest

Gql = Callable[..., Any]

FAILED = (
    "query F($taskId: ID!, $first: Int, $from: String) { failedDataRowImports("
    "data: {taskId: $taskId, first: $first, from: $from}) { after total results {"
    " message spec { externalId globalKey rowData metadata { schemaId value name }"
    " attachments { type value name } } } } }"
)
SUCCEEDED = (
    "query S($taskId: ID!, $first: Int, $from: String) { successesfulDataRowImports("
    "data: {taskId: $taskId, first: $first, from: $from}) { nodes { id externalId"
    " globalKey rowData } after total } }"
)
ROW = (
    "query R($id: ID!) { dataRow(where: {id: $id}) { globalKey externalId rowData"
    " mediaAttributes customMetadata { schemaId value } metadataFields { schemaId name"
    " value kind } attachments(skip: 0, first: 100) { type value name }"
    " dataset { name } createdBy { email } createdAt } }"
)


def failures(gql: Gql, task: str) -> list[str]:
    results = gql(FAILED, taskId=task)["failedDataRowImports"]["results"]
    return [one["message"] for one in results]


def only_row(gql: Gql, task: str) -> Any:
    (node,) = gql(SUCCEEDED, taskId=task)["successesfulDataRowImports"]["nodes"]
    return gql(ROW, id=node["id"])["dataRow"]


def test_a_row_reads_back_as_it_was_given(gql: Gql, bring: Gql) -> None:
    task = bring(
        {
            "row_data": "https://e.test/a.png",
            "global_key": "a",
            "external_id": "ext",
            "metadata_fields": [{"schemaId": "s" * 25, "value": 4}],
            "attachments": [{"type": "RAW_TEXT", "value": "hello"}],
        }
    )

    assert only_row(gql, task) == {
        "globalKey": "a",
        "externalId": "ext",
        "rowData": "https://e.test/a.png",
        "mediaAttributes": {"mimeType": "image/png"},
        # A client would look for a field that there isn't.
        "customMetadata": [],
        "metadataFields": [
            {
                "schemaId": "s" * 25,
                "name": None,
                "value": 4,
                "kind": "CustomMetadataNumber",
            }
        ],
        "attachments": [{"type": "RAW_TEXT", "value": "hello", "name": None}],
        "dataset": {"name": "streets"},
        "createdBy": {"email": "owner@reconciler.invalid"},
        "createdAt": "2030-03-17T17:46:40.250Z",
    }


def test_of_two_rows_with_one_key_the_first_wins(gql: Gql, bring: Gql) -> None:
    bring({"row_data": "one", "global_key": "k"})
    task = bring(
        {"row_data": "two", "global_key": "k"},
        {"row_data": "three", "global_key": "l"},
        {"row_data": "four", "global_key": "l", "external_id": "e"},
    )

    assert gql(FAILED, taskId=task)["failedDataRowImports"] == {
        "after": None,
        "total": 2,
        "results": [
            {
                "message": "Duplicate global key: 'k'",
                "spec": {
                    "externalId": None,
                    "globalKey": "k",
                    "rowData": "two",
                    "metadata": [],
                    "attachments": [],
                },
            },
            {
                "message": "Duplicate global key: 'l'",
                "spec": {
                    "externalId": "e",
                    "globalKey": "l",
                    "rowData": "four",
                    "metadata": [],
                    "attachments": [],
                },
            },
        ],
    }
    assert only_row(gql, task)["rowData"] == "three"


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({"global_key": "k"}, "A new data row needs row_data"),
        ({"row_data": 5}, "row_data must be a text or an object"),
        ({"row_data": "x", "dataset_id": "gone"}, "Dataset not found: 'gone'"),
        (
            {"row_data": "x", "global_key": "k" * 201},
            "Global key must have between 1 and 200 characters",
        ),
        (
            {"row_data": "x", "global_key": " k"},
            "Global key has leading, trailing or doubled spaces: ' k'",
        ),
        (
            {
                "row_data": "x",
                "metadata_fields": [
                    {"schemaId": "m", "value": 1},
                    {"schemaId": "m", "value": 2},
                ],
            },
            "A schemaId can only be specified once per DataRow : [m]",
        ),
        ({"payload": 1}, "an item needs an id and a payload"),
        (
            {"id": {"type": "ID", "value": "gone"}, "payload": {"external_id": "e"}},
            "Data row not found: 'gone'",
        ),
    ],
)
def test_a_row_that_cannot_be_imported_fails_alone(
    gql: Gql, bring: Gql, item: Mapping[str, Any], message: str
) -> None:
    task = bring(item, {"row_data": "fine"})

    assert failures(gql, task) == [message]
    assert only_row(gql, task)["rowData"] == "fine"


def test_an_upsert_by_key_changes_the_given_fields_only(gql: Gql, bring: Gql) -> None:
    given = [{"type": "RAW_TEXT", "value": str(n)} for n in range(3)]
    bring({"row_data": "one", "global_key": "k", "attachments": given})
    task = bring(
        {
            "id": {"type": "GKEY", "value": "k"},
            "payload": {
                "external_id": "new",
                "attachments": [{"type": "IMAGE", "value": "https://e.test/i.png"}],
            },
        }
    )

    row = only_row(gql, task)
    assert (row["rowData"], row["externalId"]) == ("one", "new")
    assert row["attachments"] == [
        {"type": "IMAGE", "value": "https://e.test/i.png", "name": None}
    ]


def test_an_upsert_by_an_unknown_key_creates(
    gql: Gql, bring: Gql, dataset: str
) -> None:
    payload = {"row_data": "one", "dataset_id": dataset}
    task = bring({"id": {"type": "GKEY", "value": "k"}, "payload": payload})

    assert only_row(gql, task)["globalKey"] == "k"


def test_row_data_of_a_pdf_reads_back_as_its_url(gql: Gql, bring: Gql) -> None:
    data = {"pdf_url": "https://e.test/a.pdf", "text_layer_url": "https://e.test/t"}

    row = only_row(gql, bring({"row_data": data}))

    assert row["rowData"] == "https://e.test/a.pdf"


def test_a_row_of_an_uploaded_file_outlives_host_and_url(
    gql: Gql, bring: Gql, upload: Gql, http: httpx.Client, clock: Any
) -> None:
    task = bring({"row_data": upload(b"pixels", "a.png"), "global_key": "k"})
    clock.seconds += 100_000
    http.headers["Host"] = "moved.test"

    url = only_row(gql, task)["rowData"]

    assert url.startswith("http://moved.test/files/")
    assert http.get(url).content == b"pixels"


@pytest.mark.parametrize(
    "uri",
    ["https://e.test/manifest.json", "http://169.254.169.254/", "file:///etc/passwd"],
)
def test_only_uploaded_manifests_are_read(refused: Gql, uri: str) -> None:
    code, message = refused(
        "mutation M($m: String!) { upsertDataRows(data: {manifestUri: $m}) { id } }",
        m=uri,
    )

    assert code == "BAD_USER_INPUT"
    assert message == "the manifest must be the URL of a file that was uploaded here"


def test_outcomes_come_in_pages(gql: Gql, bring: Gql) -> None:
    task = bring(*({"row_data": str(n)} for n in range(5)))
    first = gql(SUCCEEDED, taskId=task, first=3)["successesfulDataRowImports"]
    rest = gql(SUCCEEDED, taskId=task, first=3, **{"from": first["after"]})[
        "successesfulDataRowImports"
    ]

    assert [one["rowData"] for one in first["nodes"]] == ["0", "1", "2"]
    assert [one["rowData"] for one in rest["nodes"]] == ["3", "4"]
    assert (first["total"], rest["after"]) == (5, None)


def test_a_task_is_found_among_the_users(gql: Gql, bring: Gql) -> None:
    task = bring({"row_data": "x"})
    user = gql("{ user { id } }")["user"]["id"]
    found = gql(
        "query T($param_0: ID!, $param_1: ID!) { user(where: {id: $param_1}) {"
        " createdTasks(where: {id: $param_0}, skip: 0, first: 100) { id type status"
        " status completionPercentage result errors metadata } } }",
        param_0=task,
        param_1=user,
    )

    assert found["user"]["createdTasks"] == [
        {
            "id": task,
            "type": "adv-upsert-data-rows",
            "status": "COMPLETE",
            "completionPercentage": 100,
            "result": None,
            "errors": None,
            "metadata": None,
        }
    ]


def test_rows_of_a_dataset_come_newest_first_in_pages(
    gql: Gql, dataset: str, keys: Sequence[str]
) -> None:
    query = (
        "query D($id: ID!, $from: ID, $first: Int, $where: DatasetDataRowWhereInput)"
        " { datasetDataRows(id: $id, from: $from, first: $first, where: $where)"
        " { nodes { globalKey } pageInfo { hasNextPage startCursor } } }"
    )
    pages, cursor = [], None
    while True:
        page = gql(query, id=dataset, first=5, **{"from": cursor})["datasetDataRows"]
        pages.append([one["globalKey"] for one in page["nodes"]])
        cursor = page["pageInfo"]["startCursor"]
        if cursor is None:
            break

    assert pages == [list(reversed(keys[5:])), list(reversed(keys[:5]))]


def test_rows_of_a_dataset_are_found_by_external_id(
    gql: Gql, bring: Gql, dataset: str
) -> None:
    bring({"row_data": "1", "external_id": "a"}, {"row_data": "2", "external_id": "b"})
    found = gql(
        "query D($id: ID!, $where: DatasetDataRowWhereInput)"
        " { datasetDataRows(id: $id, where: $where) { nodes { rowData } } }",
        id=dataset,
        where={"externalId": "b"},
    )

    assert found["datasetDataRows"]["nodes"] == [{"rowData": "2"}]


def test_a_look_up_keeps_the_order_of_its_keys(
    gql: Gql, ids: Mapping[str, str]
) -> None:
    job = gql(
        "query J($globalKeys: [ID!]!)"
        " { dataRowsForGlobalKeys(where: {ids: $globalKeys}) { jobId } }",
        globalKeys=["street-03", "nowhere", "street-01"],
    )
    found = gql(
        "query R($jobId: ID!) { dataRowsForGlobalKeysResult(jobId: {id: $jobId})"
        " { data { fetchedDataRows { id } notFoundGlobalKeys accessDeniedGlobalKeys }"
        " jobStatus } }",
        jobId=job["dataRowsForGlobalKeys"]["jobId"],
    )

    assert found["dataRowsForGlobalKeysResult"] == {
        "data": {
            "fetchedDataRows": [
                {"id": ids["street-03"]},
                {"id": ""},
                {"id": ids["street-01"]},
            ],
            "notFoundGlobalKeys": ["nowhere"],
            "accessDeniedGlobalKeys": [],
        },
        "jobStatus": "COMPLETE",
    }


def test_nobody_waits_for_rows_that_will_never_be_there(
    gql: Gql, keys: Sequence[str]
) -> None:
    query = (
        "query C($globalKeys: [ID!]) { queryAllDataRowsHaveBeenProcessed("
        "globalKeys: $globalKeys) { allDataRowsHaveBeenProcessed } }"
    )

    known = gql(query, globalKeys=keys)["queryAllDataRowsHaveBeenProcessed"]
    unknown = gql(query, globalKeys=["nowhere"])["queryAllDataRowsHaveBeenProcessed"]

    assert known == {"allDataRowsHaveBeenProcessed": True}
    assert unknown == {"allDataRowsHaveBeenProcessed": True}


def test_external_ids_lead_to_rows(gql: Gql, bring: Gql) -> None:
    bring({"row_data": "1", "external_id": "a"}, {"row_data": "2", "external_id": "b"})
    found = gql(
        "query E($externalId_in: [String!]!)"
        " { externalIdsToDataRowIds(externalId_in: $externalId_in)"
        " { dataRowId externalId } }",
        externalId_in=["b", "c"],
    )["externalIdsToDataRowIds"]

    assert [one["externalId"] for one in found] == ["b"]


def test_deleting_a_row_frees_its_key_and_leaves_runs(
    gql: Gql, bring: Gql, register: Gql, members: Gql, ids: Mapping[str, str]
) -> None:
    register(globalKeys=["street-00", "street-01"])
    gone = ids["street-00"]
    gql(f'mutation {{ deleteDataRows(where: {{dataRowIds: ["{gone}"]}}) {{ id }} }}')

    assert members() == {"street-01": "UNASSIGNED"}
    assert failures(gql, bring({"row_data": "x", "global_key": "street-00"})) == []


def test_deleting_a_dataset_deletes_its_rows(
    gql: Gql, refused: Gql, bring: Gql, dataset: str, ids: Mapping[str, str]
) -> None:
    answer = gql(
        "mutation D($DatasetId: ID!)"
        " { updateDataset(where: {id: $DatasetId}, data: {deleted: true}) { id } }",
        DatasetId=dataset,
    )

    assert answer == {"updateDataset": {"id": dataset}}
    assert refused(ROW, id=ids["street-00"])[0] == "RESOURCE_NOT_FOUND"
    assert gql("{ datasets(where: {deleted: false}) { id } }") == {"datasets": []}
    assert gql("{ datasets(where: {deleted: true}) { name } }") == {
        "datasets": [{"name": "streets"}]
    }


@pytest.mark.parametrize(
    "torn",
    [{"row_data": "\ud800"}, {"row_data": "c", "\udfff": "x"}],
    ids=["a value", "a name"],
)
def test_half_a_character_fails_its_own_item_only(
    gql: Gql, bring: Gql, dataset: str, torn: Mapping[str, str]
) -> None:
    task = bring(
        {"row_data": "a", "global_key": "a"},
        {"global_key": "torn", **torn},
        {"row_data": {"b": 2**70}, "global_key": "b"},
    )

    found = gql(
        "query D($id: ID!) { datasetDataRows(id: $id) { nodes { globalKey } } }",
        id=dataset,
    )
    assert [one["globalKey"] for one in found["datasetDataRows"]["nodes"]] == ["b", "a"]
    assert failures(gql, task) == [
        "the item holds half of a surrogate pair, which is no text"
    ]

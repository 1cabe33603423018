"""How requests are taken, and how they are refused."""

import json
import logging
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from reconciler.server.app import make_app
from reconciler.server.settings import STRICT, Limits, ServerSettings
from reconciler.server.store.database import Store, open_store

Gql = Callable[..., Any]


@pytest.mark.parametrize("path", ["/graphql", "/_gql"])
def test_both_paths_serve_the_api(answer: Gql, path: str) -> None:
    assert answer("{ organization { name } }", path) == {
        "data": {"organization": {"name": "Reconciler"}}
    }


@pytest.mark.parametrize("settings", [STRICT])
@pytest.mark.parametrize(
    ("document", "most"),
    [
        (
            "query Q($l: [ID!]!) { dataRowsForGlobalKeys(where: {ids: $l}) { jobId } }",
            None,
        ),
        (
            "query Q($l: [ID!]!) { queryAllDataRowsHaveBeenProcessed(globalKeys: $l)"
            " { allDataRowsHaveBeenProcessed } }",
            100_000,
        ),
        (
            "mutation M($l: [ID!]!) { deleteDataRows(where: {dataRowIds: $l}) { id } }",
            None,
        ),
        ("mutation M($l: [ID!]!) { deleteModelRuns(where: {ids: $l}) }", 1_000),
    ],
    ids=["keys", "processed", "rows", "runs"],
)
def test_the_strictest_server_takes_the_lists_that_clients_send(
    answer: Gql, document: str, most: int | None
) -> None:
    def said(length: int) -> str:
        return json.dumps(answer(document, l=["a"] * length))

    assert "go in one request" not in said(most or 1_001)
    if most is not None:
        assert f"at most {most} go in one request" in said(most + 1)


@pytest.mark.parametrize("header", ["Bearer wrong", "sesame", "Basic sesame", ""])
def test_a_wrong_key_is_an_authentication_error(
    http: httpx.Client, header: str
) -> None:
    response = http.post(
        "/graphql",
        json={"query": "{ organization { id } }", "variables": None},
        headers={"Authorization": header},
    )

    assert response.status_code == 200
    assert response.json() == {
        "errors": [
            {
                "message": "Invalid API key",
                "extensions": {"code": "AUTHENTICATION_ERROR"},
            }
        ],
        "data": None,
    }


def test_a_server_without_keys_is_refused(
    store: Store, settings: ServerSettings
) -> None:
    with pytest.raises(ValueError, match="at least one key"):
        make_app(store, settings, frozenset())


@pytest.mark.parametrize(
    ("query", "code", "message"),
    [
        ("{ bbb }", "GRAPHQL_VALIDATION_FAILED", 'Cannot query field "bbb" on type'),
        ("{ organization {", "GRAPHQL_PARSE_FAILED", "Syntax Error: "),
        (
            "{ model { id } }",
            "GRAPHQL_VALIDATION_FAILED",
            "is required, but it was not provided",
        ),
        (
            '{ model(where: {id: "gone"}) { id } }',
            "RESOURCE_NOT_FOUND",
            "Model 'gone' not found",
        ),
        (
            '{ datasets(where: {createdAt_gt: "soon"}) { id } }',
            "BAD_USER_INPUT",
            "'soon' is no moment",
        ),
        (
            '{ datasets(where: {createdAt_gt: "2030-01-01T00:00:00"}) { id } }',
            "BAD_USER_INPUT",
            "says no time zone",
        ),
        (
            "{ datasets(first: 10001) { id } }",
            "BAD_USER_INPUT",
            "first must be between",
        ),
        ("{ datasets(skip: -1) { id } }", "BAD_USER_INPUT", "skip must not be"),
        (
            "{ __schema { types { name } } organization { id } }",
            "BAD_USER_INPUT",
            "ask for the schema in a document of its own",
        ),
        ("query Q { " + "{" * 70, "BAD_USER_INPUT", "nests deeper than 64 brackets"),
    ],
)
def test_a_refusal_has_the_code_that_clients_act_on(
    refused: Gql, query: str, code: str, message: str
) -> None:
    found, said = refused(query)

    assert found == code
    assert message in said


def test_a_missing_variable_is_the_clients_mistake(refused: Gql) -> None:
    code, message = refused("query Q($id: ID!) { model(where: {id: $id}) { id } }")

    assert code == "BAD_USER_INPUT"
    assert "ID!" in message


def test_a_list_of_ids_may_hold_only_ids(refused: Gql) -> None:
    code, _ = refused(
        "mutation D($ids: [ID!]!) { deleteModels(where: {ids: $ids}) }",
        ids=["a", {"b": 1}],
    )

    assert code == "BAD_USER_INPUT"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nonsense",
        b"[]",
        b"{}",
        b'{"query": 1}',
        b'{"query": "{a}", "variables": []}',
    ],
)
def test_a_body_that_is_no_request_is_malformed(
    http: httpx.Client, body: bytes
) -> None:
    error = http.post("/graphql", content=body).json()["errors"][0]

    assert error["extensions"] == {"code": "MALFORMED_REQUEST"}
    assert error["errors"] == [error["message"]]


def test_variables_that_nest_without_end_are_refused(http: httpx.Client) -> None:
    body = b'{"query": "{ organization { id } }", "variables": {"a": ' + b"[" * 100_000

    error = http.post("/graphql", content=body).json()["errors"][0]

    assert error["message"] == "the variables nest too deep"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            ServerSettings(limits=Limits(request_bytes=40)),
            "the request is longer than 40 bytes",
        ),
        (
            ServerSettings(limits=Limits(document_bytes=10)),
            "the document is longer than 10 characters",
        ),
    ],
    ids=["body", "document"],
)
def test_a_limit_is_named_when_it_is_reached(refused: Gql, message: str) -> None:
    assert refused("{ organization { id name } }") == ("BAD_USER_INPUT", message)


def test_a_bug_is_logged_and_told_as_one(
    answer: Gql, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("out of cheese")

    monkeypatch.setattr(
        "reconciler.server.resolvers.identity.read_organization", broken
    )

    with caplog.at_level(logging.ERROR, logger="reconciler.server"):
        body = answer("{ organization { id } }")

    assert body["errors"] == [
        {
            "message": "Internal server error",
            "extensions": {
                "code": "INTERNAL_SERVER_ERROR",
                "exception": {"status": 500},
            },
        }
    ]
    assert "out of cheese" in caplog.text


def test_operations_are_told_apart_by_their_fields_and_not_their_names(
    gql: Gql, run: str
) -> None:
    config = gql(
        "query ModelRunPyApi($modelRunId: ID!)"
        " { modelRun(where: {id: $modelRunId}) { trainingMetadata } }",
        modelRunId=run,
    )
    rows = gql(
        "query modelRunPyApi($modelRunId: ID!, $from: String, $first: Int)"
        " { annotationGroups(where: {modelRunId: {id: $modelRunId}}, after: $from,"
        " first: $first) { nodes { id } pageInfo { endCursor } } }",
        modelRunId=run,
        first=100,
        **{"from": None},
    )

    assert config == {"modelRun": {"trainingMetadata": None}}
    assert rows == {"annotationGroups": {"nodes": [], "pageInfo": {"endCursor": None}}}


def test_fragments_aliases_and_directives_shape_the_answer(
    gql: Gql, dataset: str
) -> None:
    query = """
        query Q($id: ID!, $short: Boolean!) {
          a: dataset(where: {id: $id}) { ...D name title: name __typename }
          b: dataset(where: {id: $id}) { id @skip(if: $short) ... on Dataset { name } }
        }
        fragment D on Dataset { rowCount @include(if: $short) description }
    """

    assert gql(query, id=dataset, short=True) == {
        "a": {
            "rowCount": 0,
            "description": "",
            "name": "streets",
            "title": "streets",
            "__typename": "Dataset",
        },
        "b": {"name": "streets"},
    }
    assert gql(query, id=dataset, short=False)["b"] == {
        "id": dataset,
        "name": "streets",
    }


def test_the_schema_can_be_asked_for(gql: Gql) -> None:
    found = gql('{ __type(name: "ModelRunDataRow") { fields { name } } }')

    assert [one["name"] for one in found["__type"]["fields"]] == [
        "id",
        "modelRunId",
        "labelId",
        "dataSplit",
        "dataRow",
    ]


def test_other_paths_are_not_found(http: httpx.Client) -> None:
    assert http.post("/api/v1/ontologies").status_code == 404
    assert http.get("/elsewhere").status_code == 404
    assert http.get("/graphql").status_code == 405


def test_what_a_client_without_integrations_asks_is_answered(gql: Gql) -> None:
    query = """
        { iamIntegrations { id name settings { __typename
            ... on AwsIamIntegrationSettings { roleArn }
            ... on GcpIamIntegrationSettings { serviceAccountEmailId readBucket } } }
        }
    """

    assert gql(query) == {"iamIntegrations": []}


def test_an_upload_is_found_whatever_its_part_is_called(http: httpx.Client) -> None:
    operations = json.dumps(
        {
            "variables": {"file": None, "contentLength": 99},
            "query": "mutation U($file: Upload!, $contentLength: Int!) {"
            " uploadFile(file: $file, contentLength: $contentLength)"
            " { url filename } }",
        }
    )
    name = 'run__my "job" é.v1'
    response = http.post(
        "/graphql",
        data={"operations": operations, "map": json.dumps({name: ["variables.file"]})},
        files={name: ("json_import.json", b"\r\n--x\r\n", "not a type")},
    )

    found = response.json()["data"]["uploadFile"]
    assert found["filename"] == "json_import.json"
    assert http.get(found["url"]).content == b"\r\n--x\r\n"


def test_a_multipart_request_needs_its_parts(http: httpx.Client) -> None:
    response = http.post("/graphql", files={"1": ("a", b"b")})

    assert response.json()["errors"][0]["message"] == (
        "the request has no part 'operations'"
    )


def test_an_upload_must_be_a_file(refused: Gql) -> None:
    code, message = refused(
        "mutation U($file: Upload!) { uploadFile(file: $file, contentLength: 1)"
        " { url } }",
        file="text",
    )

    assert (code, message) == (
        "BAD_USER_INPUT",
        "file must be a part of a multipart request",
    )


def test_a_bug_outside_the_api_is_logged_and_no_server_error(
    http: httpx.Client,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fall(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("reconciler.server.rest.answer", fall)
    monkeypatch.setattr("reconciler.server.access.Organizations.signer", fall)
    monkeypatch.setattr("reconciler.server.app._read_json", fall)

    rest = http.get("/api/v1/ontologies/x")
    file = http.get("/files/c/x")
    api = http.post("/graphql", json={"query": "{ user { id } }"})

    assert (rest.status_code, file.status_code) == (400, 404)
    assert rest.json() == {"message": "Internal server error"}
    assert api.status_code == 200
    assert api.json()["errors"][0]["message"] == "Internal server error"
    assert caplog.text.count("a bug in the answer to") == 3


def test_a_store_that_is_busy_asks_to_try_again(
    http: httpx.Client,
    answer: Gql,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("reconciler.server.store.database.BUSY_SECONDS", 0)
    app = make_app(open_store(store.path), ServerSettings(), ["sesame"])
    monkeypatch.setattr(http, "_transport", httpx.WSGITransport(app=app))

    with store.write():
        body = answer('mutation { createDataset(data: {name: "a"}) { id } }')
        rest = http.delete("/api/v1/ontologies/x")
    app.organizations.default.store.close()

    assert body["errors"] == [
        {
            "message": "the store is busy; try again",
            "extensions": {
                "code": "INTERNAL_SERVER_ERROR",
                "exception": {"status": 503},
            },
        }
    ]
    assert (rest.status_code, rest.headers["retry-after"]) == (429, "1")
    assert rest.json() == {"message": "the store is busy; try again"}
    assert caplog.text == ""


@pytest.mark.parametrize("number", ["1e999", "-1e999", "1" * 5000])
def test_a_number_that_nothing_can_hold_is_refused(
    refused: Gql, model: str, number: str
) -> None:
    code, message = refused(
        f'mutation {{ createModelRun(data: {{name: "a", modelId: "{model}",'
        f" trainingMetadata: {{a: [{number}]}}}}) {{ id }} }}"
    )

    assert code == "BAD_USER_INPUT"
    assert "is too large a number" in message


def test_a_document_with_too_many_arguments_is_refused(refused: Gql) -> None:
    arguments = "first: 1 " * 2001

    assert refused(f"{{ models({arguments}) {{ id }} }}") == (
        "GRAPHQL_VALIDATION_FAILED",
        "Query complexity limit exceeded",
    )


def test_who_forgets_the_path_is_told_where_the_api_is(http: httpx.Client) -> None:
    response = http.post("/", json={"query": "{ organization { id } }"})

    assert response.status_code == 404
    assert response.json() == {
        "message": "there is nothing here; the API is at /graphql"
    }

"""Each refusal of the server is the exception that the SDK documents for it."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from labelbox import Client  # type: ignore[import-untyped]  # publishes no types
from labelbox.schema.data_row_metadata import (  # type: ignore[import-untyped]
    DataRowMetadataKind,
)
from lbox.exceptions import (  # type: ignore[import-untyped]
    ApiLimitError,
    AuthenticationError,
    AuthorizationError,
    InvalidQueryError,
    LabelboxError,
    MalformedQueryException,
    OperationNotAllowedException,
    ResourceConflict,
    ResourceNotFoundError,
    UnprocessableEntityError,
    ValidationFailedError,
)

from reconciler.server.access import Access
from reconciler.server.settings import Limits, ServerSettings
from tests.sdk.inside import client_of, inside

KEYS = {"k": Access(), "reader": Access(read_only=True)}
GONE = "c" + "0" * 24
NORMALIZED: dict[str, Any] = {"tools": [], "classifications": []}

SETTINGS = ServerSettings(
    unique_run_names=True,
    limits=Limits(
        rows_per_upload=2,
        ids_per_request=3,
        items_per_page=200,
        request_bytes=20_000,
        document_bytes=5_000,
        document_depth=12,
        document_fields=100,
        file_bytes=1_000,
    ),
)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with inside(tmp_path_factory.mktemp("server"), SETTINGS, KEYS) as url:
        yield url


@pytest.fixture(scope="module")
def client(url: str) -> Client:
    return client_of(url, "k")


@pytest.fixture(scope="module")
def model(client: Client) -> Any:
    ontology = client.create_ontology("o", NORMALIZED)
    return client.create_model("detector", ontology.uid)


def test_a_wrong_key_is_an_authentication_error(url: str) -> None:
    with pytest.raises(AuthenticationError, match="Invalid API key"):
        client_of(url, "wrong").get_organization()


def test_a_key_that_may_only_read_gets_an_authorization_error(url: str) -> None:
    with pytest.raises(AuthorizationError, match="this key may only read"):
        client_of(url, "reader").create_dataset(name="mine")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("query { bbb }", 'Cannot query field "bbb"'),
        ("query { organization {", "Syntax Error:"),
    ],
    ids=["unknown field", "no document"],
)
def test_a_document_that_cant_be_is_an_invalid_query(
    client: Client, document: str, message: str
) -> None:
    with pytest.raises(InvalidQueryError, match=message):
        client.execute(document)


@pytest.mark.parametrize(
    "document",
    [
        "{ organization { " + " ".join(f"n{n}: name" for n in range(101)) + " } }",
        "{ organization { ...A } }"
        " fragment A on Organization { ...B ...B ...B ...B ...B }"
        " fragment B on Organization { ...C ...C ...C ...C ...C }"
        " fragment C on Organization { id name createdAt updatedAt }",
        " ".join(f"query Q{n} {{ user {{ id }} }}" for n in range(51)),
        " ".join(f"fragment F{n} on User {{ id }}" for n in range(101)),
    ],
    ids=["aliases", "fragments", "operations", "unused fragments"],
)
def test_too_many_fields_fail_validation(client: Client, document: str) -> None:
    with pytest.raises(
        ValidationFailedError, match=r"^Query complexity limit exceeded"
    ):
        client.execute(document)


def test_too_many_requests_are_an_api_limit(tmp_path: Path) -> None:
    settings = ServerSettings(limits=Limits(requests_per_minute=2))
    keys = {"k": Access(), "other": Access("vision")}
    with inside(tmp_path, settings, keys) as url:
        client = client_of(url, "k")
        client.get_organization()
        client.get_organization()

        with pytest.raises(ApiLimitError, match=r"^You have exceeded 2 requests"):
            client.get_organization()
        assert client_of(url, "other").get_organization().name == "vision"


@pytest.mark.parametrize(
    "read",
    [
        lambda client: client.get_dataset(GONE),
        lambda client: client.get_data_row(GONE),
        lambda client: client.get_data_row_by_global_key("nowhere"),
        lambda client: client.get_model(GONE),
        lambda client: client.get_model_run(GONE),
        lambda client: client.get_ontology(GONE),
        lambda client: client.get_project(GONE),
        lambda client: client.get_task_by_id(GONE),
    ],
    ids=["dataset", "row", "key", "model", "run", "ontology", "project", "task"],
)
def test_what_isnt_there_is_not_found(
    client: Client, read: Callable[[Client], Any]
) -> None:
    with pytest.raises(ResourceNotFoundError):
        read(client)


def test_deleting_what_is_gone_is_silent(client: Client, model: Any) -> None:
    run = model.create_model_run("short-lived")
    other = client.create_model("short-lived", model.ontology_id)
    dataset = client.create_dataset(name="short-lived")
    for one in (run, other, dataset):
        one.delete()

    for one in (run, other, dataset):
        one.delete()


def test_calls_that_read_an_answer_that_isnt_there_break(model: Any) -> None:
    run = model.create_model_run("gone")
    run.delete()

    with pytest.raises(TypeError, match="'NoneType' object is not subscriptable"):
        run.update_config({"lr": 1})


def test_a_name_that_is_taken_is_a_conflict(model: Any) -> None:
    model.create_model_run("once")

    with pytest.raises(ResourceConflict, match="a run named 'once' already"):
        model.create_model_run("once")


def test_a_metadata_field_that_is_there_is_a_malformed_query(client: Client) -> None:
    schema = client.get_data_row_metadata_ontology()

    with pytest.raises(MalformedQueryException, match="named 'tag' already"):
        schema.create_schema("tag", DataRowMetadataKind.string)


def test_what_cant_be_made_is_an_unprocessable_entity(client: Client) -> None:
    schema = client.get_data_row_metadata_ontology()
    schema.custom_by_name_normalized["tag"] = schema.reserved_by_name["tag"]

    with pytest.raises(UnprocessableEntityError, match="'tag' is reserved"):
        schema.update_schema("tag", "label")


def test_a_quota_that_is_used_up_allows_no_more(client: Client) -> None:
    dataset = client.create_dataset(name="small")
    rows = [{"row_data": str(number)} for number in range(3)]

    with pytest.raises(OperationNotAllowedException, match="more than 2 data rows"):
        dataset.create_data_rows(rows)


@pytest.mark.parametrize(
    ("document", "variables", "message"),
    [
        (
            "mutation D($ids: [ID!]!) { deleteModelRuns(where: {ids: $ids}) }",
            {"ids": ["a"] * 4},
            "ids lists 4 items; at most 3 go in one request",
        ),
        (
            'mutation { createMEAModelRunDataRowRegistrationTask(where: {id: "a"},'
            ' data: {dataRowIds: ["a", "b", "c", "d"]}) }',
            None,
            "dataRowIds lists 4 items; at most 3",
        ),
        (
            "query Q($e: [String!]!) { externalIdsToDataRowIds(externalId_in: $e)"
            " { dataRowId } }",
            {"e": ["a"] * 4},
            "externalId_in lists 4 items; at most 3",
        ),
        (
            "query Q($first: Int) { datasets(first: $first) { id } }",
            {"first": 201},
            "first must be between 0 and 200",
        ),
        (
            '{ datasetDataRows(id: "a") { nodes { attachments(first: 201) { id } } } }',
            None,
            "first must be between 0 and 200",
        ),
        (
            "{ user { createdTasks(first: 201) { id } } }",
            None,
            "first must be between 0 and 200",
        ),
        (
            "{ organization { " + "name " * 1_000 + "} }",
            None,
            "the document is longer than 5000 characters",
        ),
        (
            "{ organization " + "{ ... on Organization " * 12 + "{ id }" + "}" * 13,
            None,
            "the document nests deeper than 12",
        ),
        (
            "query Q($ids: [ID!]!) { dataRowsForGlobalKeys(where: {ids: $ids})"
            " { jobId } }",
            {"ids": ["a" * 20_000]},
            "the request is longer than 20000 bytes",
        ),
    ],
    ids=[
        "keys",
        "ids",
        "texts",
        "page",
        "cut page",
        "lower page",
        "document",
        "depth",
        "body",
    ],
)
def test_a_limit_is_named_where_it_is_met(
    client: Client, document: str, variables: Any, message: str
) -> None:
    with pytest.raises(LabelboxError, match=message) as refused:
        client.execute(document, variables)

    assert "BAD_USER_INPUT" in str(refused.value)


def test_a_file_that_is_too_long_is_refused(client: Client) -> None:
    with pytest.raises(LabelboxError, match="the file is longer than 1000 bytes"):
        client.upload_data(b"x" * 1_001, filename="x", content_type="text/plain")


def test_a_request_of_too_many_parts_is_malformed(client: Client) -> None:
    operations = json.dumps({"query": "{ organization { id } }", "variables": {}})
    files = {str(number): (str(number), b"x") for number in range(20)}

    with pytest.raises(MalformedQueryException, match="more than 16 parts"):
        client.execute(data={"operations": operations, "map": "{}"}, files=files)


def test_the_pages_of_the_sdk_are_answered_under_the_shortest_limit(
    tmp_path: Path,
) -> None:
    settings = ServerSettings(limits=Limits(items_per_page=100))
    with inside(tmp_path, settings) as url:
        dataset = client_of(url).create_dataset(name="s")
        task = dataset.create_data_rows([{"row_data": "x", "global_key": "a"}])
        task.wait_till_done()

        assert task.errors is None
        assert [one.global_key for one in dataset.data_rows()] == ["a"]

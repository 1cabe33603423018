"""Exports of runs and of the catalog."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx
import pytest

from reconciler.server.settings import ServerSettings

Gql = Callable[..., Any]

RUN = (
    "mutation E($input: ExportDataRowsInModelRunInput!)"
    " { exportDataRowsInModelRun(input: $input) { taskId isStreamable } }"
)
CATALOG = (
    "mutation E($input: ExportDataRowsInCatalogInput!)"
    " { exportDataRowsInCatalog(input: $input) { taskId isStreamable } }"
)
HEADER = (
    "query H($where: WhereUniqueIdInput, $streamType: TaskStreamType!)"
    " { task(where: $where) { exportMetadataHeader(streamType: $streamType)"
    " { totalSize totalLines } } }"
)
CHUNK = (
    "query C($where: WhereUniqueIdInput, $streamType: TaskStreamType!,"
    " $offset: UInt64!) { task(where: $where) { exportFileFromOffset("
    "streamType: $streamType, offset: $offset) { offsets { start end }"
    " lines { start end } file } } }"
)


@pytest.fixture
def export_run(gql: Gql, run: str) -> Gql:
    def start(*, streamable: bool = True, **params: bool) -> str:
        given = {
            "taskName": "mine",
            "filters": {"modelRunId": run},
            "isStreamableReady": True,
            "streamable": streamable,
            "params": {"mediaTypeOverride": None, **params},
        }
        started = gql(RUN, input=given)["exportDataRowsInModelRun"]
        assert started["isStreamable"] is streamable
        identifier: str = started["taskId"]
        return identifier

    return start


@pytest.fixture
def chunks(gql: Gql, http: httpx.Client) -> Gql:
    """Read a stream as clients do: by offset, each file whole."""

    def read(task: str) -> list[tuple[Mapping[str, Any], bytes]]:
        where = {"id": task}
        header = gql(HEADER, where=where, streamType="RESULT")["task"][
            "exportMetadataHeader"
        ]
        if header is None:
            return []
        found, offset = [], 0
        while offset < header["totalSize"]:
            part = gql(CHUNK, where=where, streamType="RESULT", offset=str(offset))[
                "task"
            ]["exportFileFromOffset"]
            content = http.get(part["file"], headers={"Authorization": ""}).content
            assert part["offsets"]["start"] == offset
            offset = part["offsets"]["end"] + 1
            assert len(content) == offset - part["offsets"]["start"]
            found.append((part, content))
        assert sum(c.count(b"\n") for _, c in found) == header["totalLines"]
        return found

    return read


@pytest.fixture
def lines(chunks: Gql) -> Gql:
    def read(task: str) -> list[Any]:
        whole = b"".join(content for _, content in chunks(task))
        return [json.loads(line) for line in whole.splitlines()]

    return read


def test_a_line_says_what_was_asked_for(  # fixtures are asked for by name
    gql: Gql,
    bring: Gql,
    register: Gql,
    assign: Gql,
    export_run: Gql,
    lines: Gql,
    run: str,
    model: str,
    dataset: str,
) -> None:
    bring(
        {
            "row_data": "https://e.test/a.png",
            "global_key": "k",
            "external_id": "e",
            "metadata_fields": [{"schemaId": "s", "name": "city", "value": "Oslo"}],
            "attachments": [{"type": "RAW_TEXT", "value": "hi"}],
        }
    )
    register(globalKeys=["k"])
    assign({"split": "TRAINING", "globalKeys": ["k"]})

    (line,) = lines(
        export_run(
            includeAttachments=True,
            includeMetadata=True,
            includeEmbeddings=True,
            includeDataRowDetails=True,
            includePredictions=True,
            includeModelRunDetails=True,
        )
    )

    assert len(line["data_row"].pop("id")) == 25
    inside = line["experiments"][model]["runs"][run]
    assert len(inside.pop("run_data_row_id")) == 36
    assert line == {
        "data_row": {
            "global_key": "k",
            "external_id": "e",
            "row_data": "https://e.test/a.png",
            "details": {
                "dataset_id": dataset,
                "dataset_name": "streets",
                "created_at": "2030-03-17T17:46:40.250+00:00",
                "updated_at": "2030-03-17T17:46:40.250+00:00",
                "last_activity_at": "2030-03-17T17:46:40.250+00:00",
                "created_by": "owner@reconciler.invalid",
            },
        },
        "media_attributes": {"mime_type": "image/png"},
        "attachments": [{"type": "RAW_TEXT", "value": "hi"}],
        "metadata_fields": [
            {
                "schema_id": "s",
                "schema_name": "city",
                "schema_kind": "CustomMetadataString",
                "value": "Oslo",
            }
        ],
        "embeddings": [],
        "experiments": {
            model: {
                "name": "detector",
                "runs": {
                    run: {
                        "name": "first",
                        "split": "TRAINING",
                        "labels": [],
                        "predictions": [],
                        "metrics": [],
                    }
                },
            }
        },
    }


def test_a_line_says_no_more_than_was_asked_for(  # fixtures are asked for by name
    register: Gql,
    export_run: Gql,
    lines: Gql,
    keys: Sequence[str],
    run: str,
    model: str,
) -> None:
    register(globalKeys=keys[:1])
    (line,) = lines(export_run())

    assert set(line) == {"data_row", "media_attributes", "experiments"}
    assert set(line["data_row"]) == {"id", "global_key", "row_data"}
    assert set(line["experiments"][model]["runs"][run]) == {
        "name",
        "run_data_row_id",
        "labels",
    }


@pytest.mark.parametrize("settings", [ServerSettings(split_export_key="data_split")])
def test_the_key_of_the_split_is_a_setting(  # fixtures are asked for by name
    register: Gql,
    export_run: Gql,
    lines: Gql,
    keys: Sequence[str],
    run: str,
    model: str,
) -> None:
    register(globalKeys=keys[:1])
    (line,) = lines(export_run(includeModelRunDetails=True))

    assert line["experiments"][model]["runs"][run]["data_split"] == "UNASSIGNED"


def test_a_stream_is_cut_at_line_ends(
    register: Gql, export_run: Gql, chunks: Gql, keys: Sequence[str]
) -> None:
    register(globalKeys=keys)
    found = chunks(export_run())

    assert len(found) > 1
    assert all(content.endswith(b"}\n") for _, content in found)
    assert all(len(content) >= 1000 for _, content in found[:-1])
    ranges = [(part["lines"]["start"], part["lines"]["end"]) for part, _ in found]
    assert ranges[0][0] == 0
    assert ranges[-1][1] == 9
    assert [start for start, _ in ranges[1:]] == [end + 1 for _, end in ranges[:-1]]


def test_lines_are_ascii_whatever_they_say(
    bring: Gql, register: Gql, export_run: Gql, chunks: Gql, lines: Gql
) -> None:
    text = "zwei\u2028Zeilen \x85 é 🚲"
    bring({"row_data": text, "global_key": "k"})
    register(globalKeys=["k"])
    task = export_run()

    assert [content.isascii() for _, content in chunks(task)] == [True]
    assert lines(task)[0]["data_row"]["row_data"] == text


def test_an_export_without_rows_has_no_stream(
    gql: Gql, export_run: Gql, chunks: Gql
) -> None:
    task = export_run()

    assert chunks(task) == []
    assert gql(HEADER, where={"id": task}, streamType="ERRORS") == {
        "task": {"exportMetadataHeader": None}
    }
    assert gql(CHUNK, where={"id": task}, streamType="RESULT", offset=0) == {
        "task": {"exportFileFromOffset": None}
    }


def test_an_export_that_is_not_streamed_is_one_file(
    gql: Gql, register: Gql, export_run: Gql, http: httpx.Client, keys: Sequence[str]
) -> None:
    register(globalKeys=keys)
    task = export_run(streamable=False)
    found = gql(
        "query T($id: ID!) { task(where: {id: $id})"
        " { name type status result errors } }",
        id=task,
    )["task"]
    content = http.get(found.pop("result")).content

    assert content.count(b"\n") == 10
    assert found == {
        "name": "mine",
        "type": "export-data-rows",
        "status": "COMPLETE",
        "errors": None,
    }


def test_an_empty_export_that_is_not_streamed_is_an_empty_file(
    gql: Gql, export_run: Gql, http: httpx.Client
) -> None:
    found = gql(
        "query T($id: ID!) { task(where: {id: $id}) { result } }",
        id=export_run(streamable=False),
    )

    assert http.get(found["task"]["result"]).content == b""


def test_an_export_shows_one_moment(
    register: Gql, export_run: Gql, lines: Gql, keys: Sequence[str]
) -> None:
    register(globalKeys=keys[:2])
    task = export_run()
    register(globalKeys=keys)

    assert len(lines(task)) == 2


@pytest.mark.parametrize(
    ("clauses", "found"),
    [
        ([{"type": "global_key", "ids": ["street-03", "nowhere"]}], ["street-03"]),
        ([{"type": "data_row_id", "operator": "is", "ids": ["ID"]}], ["street-04"]),
        (
            [
                {"type": "dataset", "operator": "is", "ids": ["DATASET"]},
                {"type": "global_key", "operator": "is", "ids": ["street-05"]},
            ],
            ["street-05"],
        ),
        (
            [
                {"type": "global_key", "operator": "is", "ids": ["street-06"]},
                {"type": "dataset", "operator": "is", "ids": ["DATASET"]},
            ],
            ["street-06"],
        ),
        ([{"type": "dataset", "operator": "is", "ids": []}], []),
    ],
)
def test_the_catalog_is_searched_by_clauses_that_all_hold(  # fixtures are asked for by name
    gql: Gql,
    lines: Gql,
    dataset: str,
    ids: Mapping[str, str],
    clauses: list[dict[str, Any]],
    found: list[str],
) -> None:
    names = {"ID": ids["street-04"], "DATASET": dataset}
    query = [
        {**one, "ids": [names.get(each, each) for each in one["ids"]]}
        for one in clauses
    ]
    started = gql(
        CATALOG,
        input={
            "taskName": "t",
            "filters": {"searchQuery": {"scope": None, "query": query}},
            "params": {"allProjects": False, "projectIds": None},
            "isStreamableReady": True,
            "streamable": True,
        },
    )

    rows = lines(started["exportDataRowsInCatalog"]["taskId"])
    assert [one["data_row"]["global_key"] for one in rows] == found
    assert [one for one in rows if "experiments" in one] == []


def test_a_search_that_is_not_understood_is_refused(refused: Gql) -> None:
    code, message = refused(
        CATALOG,
        input={
            "filters": {"searchQuery": {"query": [{"type": "colour", "ids": ["b"]}]}}
        },
    )

    assert code == "BAD_USER_INPUT"
    assert message == (
        "can't search by 'colour' is; use one of dataset, data_row_id, global_key,"
        " batch, labeled_at, data_row_last_activity_at, task_queue_status,"
        " task_queue_not_exist, the operator being 'is'"
    )


@pytest.mark.parametrize("offset", [-1, "-1", "ten", 1.5, str(2**64), None, True])
def test_an_offset_is_a_number_of_bytes(
    refused: Gql, export_run: Gql, offset: object
) -> None:
    where = {"id": export_run()}

    assert refused(CHUNK, where=where, streamType="RESULT", offset=offset)[0] == (
        "BAD_USER_INPUT"
    )

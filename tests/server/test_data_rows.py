"""Data rows: many at once, what belongs to them, and their metadata."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from reconciler.server.settings import Limits, ServerSettings
from reconciler.server.store.database import Store
from reconciler.server.store.tables import row_embeddings
from tests.server.test_imports import failures, only_row

Gql = Callable[..., Any]

SPLIT = "cko8sbczn0002h2dkdaxb5kal"
TRAIN = "cko8sbscr0003h2dk04w86hof"
TEST = "cko8scbz70005h2dkastwhgqt"
TAG = "cko8s9r5v0001h2dk9elqdidh"
MOMENT = "cko8sdzv70006h2dk8jg64zvb"


def embeddings(store: Store) -> list[tuple[str, list[float]]]:
    with store.read() as db:
        rows = db.execute(select(row_embeddings.c.embedding, row_embeddings.c.vector))
        return [(name, msgspec.json.decode(vector)) for name, vector in rows]


def test_embeddings_of_a_row_are_kept_and_replaced_one_by_one(
    store: Store, bring: Gql
) -> None:
    bring(
        {
            "row_data": "x",
            "global_key": "k",
            "embeddings": [
                {"embeddingId": "a", "vector": [1.0, 2.5]},
                {"embeddingId": "b", "vector": [3.0]},
            ],
        }
    )
    bring(
        {
            "id": {"type": "GKEY", "value": "k"},
            "payload": {"embeddings": [{"embeddingId": "a", "vector": [4.0]}]},
        }
    )

    assert embeddings(store) == [("a", [4.0]), ("b", [3.0])]


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"embeddingId": "a", "vector": []},
        {"embeddingId": "a", "vector": ["x"]},
        {"embeddingId": "a", "vector": [0.0] * 2_049},
    ],
    ids=["nothing", "empty", "texts", "too long"],
)
def test_an_embedding_that_is_none_fails_its_row(
    gql: Gql, bring: Gql, given: Mapping[str, Any]
) -> None:
    task = bring({"row_data": "x", "embeddings": [given]})

    assert failures(gql, task) == [
        "an embedding needs an embeddingId and a vector of at most 2048 numbers"
    ]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ([{"schemaId": TAG, "value": 5}], "tag takes a text"),
        (
            [{"schemaId": MOMENT, "value": "soon"}],
            "captureDateTime takes a moment, such as 2030-01-31T12:00:00Z",
        ),
        ([{"name": "skipNFrames", "value": "2"}], "skipNFrames takes a number"),
        (
            [{"name": "embedding", "value": [0.5]}],
            "embedding takes a list of 128 numbers",
        ),
        (
            [{"name": "split", "value": "holdout"}],
            "split has no option 'holdout', only train, valid, test",
        ),
        (
            [{"schemaId": SPLIT, "value": {}}],
            "split needs one of its options: train, valid, test",
        ),
        (
            [{"schemaId": TRAIN, "value": {}}, {"schemaId": TEST, "value": {}}],
            f"A schemaId can only be specified once per DataRow : [{SPLIT}]",
        ),
        ([{"value": 1}], "metadata needs a schemaId or a name"),
    ],
)
def test_a_value_that_its_field_cant_hold_fails_its_row(
    gql: Gql, bring: Gql, fields: list[Any], message: str
) -> None:
    task = bring({"row_data": "x", "metadata_fields": fields}, {"row_data": "fine"})

    assert failures(gql, task) == [message]
    assert only_row(gql, task)["rowData"] == "fine"


@pytest.mark.parametrize(
    "fields",
    [
        [{"schemaId": SPLIT, "value": {}}, {"schemaId": TEST, "value": {}}],
        [{"schemaId": SPLIT, "value": TEST}],
        [{"name": "split", "value": "test"}],
        [{"schemaId": TEST, "value": {}}],
    ],
    ids=["as the SDK", "by id", "by name", "option alone"],
)
def test_an_option_is_chosen_in_several_ways_and_told_in_one(
    gql: Gql, bring: Gql, fields: list[Any]
) -> None:
    row = only_row(gql, bring({"row_data": "x", "metadata_fields": fields}))

    assert row["customMetadata"] == [
        {"schemaId": SPLIT, "value": {}},
        {"schemaId": TEST, "value": {}},
    ]
    assert row["metadataFields"] == [
        {
            "schemaId": SPLIT,
            "name": "split",
            "value": "test",
            "kind": "CustomMetadataEnum",
        }
    ]


@pytest.mark.parametrize("settings", [ServerSettings(limits=Limits(rows_per_upload=2))])
def test_an_upload_of_too_many_rows_is_refused_as_a_whole(
    refused: Gql, upload: Gql, gql: Gql, dataset: str
) -> None:
    items = [
        {
            "id": {"type": "AUTO", "value": ""},
            "payload": {"row_data": "x", "dataset_id": dataset},
        }
    ] * 3
    chunk = upload(msgspec.json.encode(items))
    manifest = upload(msgspec.json.encode({"chunk_uris": [chunk]}))

    code, message = refused(
        "mutation M($m: String!) { upsertDataRows(data: {manifestUri: $m}) { id } }",
        m=manifest,
    )

    assert (code, message) == (
        "OPERATION_NOT_ALLOWED",
        "the upload has more than 2 data rows, the most that are taken",
    )
    count = gql(f'{{ dataset(where: {{id: "{dataset}"}}) {{ rowCount }} }}')
    assert count["dataset"]["rowCount"] == 0


@pytest.mark.parametrize(
    ("url", "known"),
    [
        ("https://e.test/a.png", {"mimeType": "image/png"}),
        ("https://e.test/a.PNG?size=1.jpg#x.gif", {"mimeType": "image/png"}),
        ("https://e.test/png", {}),
        ("http://[", {}),
        ("a text", {"mimeType": "text/plain"}),
    ],
)
def test_a_row_says_of_its_content_what_its_url_says(
    gql: Gql, bring: Gql, url: str, known: Mapping[str, str]
) -> None:
    assert only_row(gql, bring({"row_data": url}))["mediaAttributes"] == known


def test_metadata_of_a_row_is_updated_field_by_field(gql: Gql, bring: Gql) -> None:
    task = bring(
        {"row_data": "x", "global_key": "k", "metadata_fields": [
            {"schemaId": TAG, "value": "old"}, {"name": "split", "value": "train"},
        ]}
    )  # fmt: skip
    (node,) = gql(
        f'{{ successesfulDataRowImports(data: {{taskId: "{task}"}}) {{ nodes {{ id }} }} }}'
    )["successesfulDataRowImports"]["nodes"]
    changed = gql(
        "mutation U($id: ID!, $fields: [DataRowCustomMetadataUpsertInput!]) {"
        " updateDataRow(where: {id: $id}, data: {metadataFields: $fields})"
        " { globalKey metadataFields { name value } } }",
        id=node["id"],
        fields=[{"schemaId": TAG, "value": "new"}],
    )

    assert changed["updateDataRow"] == {
        "globalKey": "k",
        "metadataFields": [
            {"name": "tag", "value": "new"},
            {"name": "split", "value": "train"},
        ],
    }


def test_a_variable_that_is_left_out_leaves_its_argument_out(
    gql: Gql, bring: Gql
) -> None:
    given = [{"type": "RAW_TEXT", "value": str(number)} for number in range(3)]
    bring({"row_data": "x", "global_key": "k", "attachments": given})
    query = (
        "query D($id: ID!, $first: Int, $skip: Int = 1) { dataset(where: {id: $id})"
        " { id } datasetDataRows(id: $id) { nodes { attachments(first: $first,"
        " skip: $skip) { value } } } }"
    )
    dataset = gql("{ datasets { id } }")["datasets"][0]["id"]

    (node,) = gql(query, id=dataset)["datasetDataRows"]["nodes"]

    assert [one["value"] for one in node["attachments"]] == ["1", "2"]


@pytest.mark.parametrize(
    ("where", "keys"),
    [
        ({"rowData": "b"}, ["b"]),
        ({"rowData_not": "b"}, ["c", "a"]),
        ({"externalId_not": "x"}, ["c", "b"]),
        ({"AND": [{"externalId_not": "x"}, {"rowData_lt": "c"}]}, ["b"]),
        ({"createdAt_gt": "2020-01-01T00:00:00Z"}, ["c", "b", "a"]),
        ({"createdAt_lt": "2020-01-01T00:00:00Z"}, []),
        ({"updatedAt_lte": "2020-01-01T00:00:00Z"}, []),
    ],
    ids=str,
)
def test_rows_of_a_dataset_are_found_by_what_they_are(
    gql: Gql, bring: Gql, dataset: str, where: Any, keys: list[str]
) -> None:
    bring(
        {"row_data": "a", "global_key": "a", "external_id": "x"},
        {"row_data": "b", "global_key": "b"},
        {"row_data": "c", "global_key": "c", "external_id": "y"},
    )

    found = gql(
        "query W($id: ID!, $where: DatasetDataRowWhereInput) {"
        " datasetDataRows(id: $id, where: $where) { nodes { globalKey } } }",
        id=dataset,
        where=where,
    )

    assert [one["globalKey"] for one in found["datasetDataRows"]["nodes"]] == keys


@pytest.mark.parametrize("settings", [ServerSettings(limits=Limits(rows_per_upload=2))])
def test_no_more_of_an_upload_is_read_than_its_limit(refused: Gql, upload: Gql) -> None:
    full = upload(msgspec.json.encode([{}] * 2))
    more = upload(msgspec.json.encode([{}]))
    never_read = upload(b"no JSON")
    manifest = upload(msgspec.json.encode({"chunk_uris": [full, more, never_read]}))

    assert refused(UPSERT, m=manifest) == (
        "OPERATION_NOT_ALLOWED",
        "the upload has more than 2 data rows, the most that are taken",
    )


def test_a_chunk_that_is_named_twice_is_refused(refused: Gql, upload: Gql) -> None:
    chunk = upload(b"[]")
    again = chunk.replace("http://twin.test", "http://other.test")
    manifest = upload(msgspec.json.encode({"chunk_uris": [chunk, again]}))

    assert refused(UPSERT, m=manifest) == (
        "BAD_USER_INPUT",
        "the manifest names a chunk twice",
    )


UPSERT = "mutation M($m: String!) { upsertDataRows(data: {manifestUri: $m}) { id } }"

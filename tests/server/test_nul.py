"""Names that hold a NUL character, at which the store would end them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from reconciler.server.store.bulk import as_list

Gql = Callable[..., Any]


@pytest.mark.parametrize("naming", ["globalKeys", "dataRowIds"])
def test_a_list_with_a_nul_brings_no_other_row_into_a_run(
    refused: Gql,
    members: Gql,
    keys: Sequence[str],
    ids: Mapping[str, str],
    run: str,
    naming: str,
) -> None:
    cut_off = keys[0] if naming == "globalKeys" else ids[keys[0]]
    register = (
        "mutation A($run: ID!, $names: [ID!]) { createMEAModelRunDataRowRegistration"
        f"Task(where: {{id: $run}}, data: {{{naming}: $names}}) }}"
    )

    code, message = refused(register, run=run, names=[keys[1], f"{cut_off}\0more"])

    assert code == "BAD_USER_INPUT"
    assert message == (
        f"{naming}: '{cut_off}\\x00more' holds a NUL character; leave it out"
    )
    assert members() == {}


@pytest.mark.parametrize(
    ("query", "values", "name"),
    [
        (
            "mutation C($name: String!) { createDataset(data: {name: $name}) { id } }",
            {"name": "a\0b"},
            "name",
        ),
        ('{ dataRow(where: {id: "a\\u0000b"}) { id } }', {}, "id"),
        (
            "query E($names: [String!]!) { externalIdsToDataRowIds"
            "(externalId_in: $names) { dataRowId } }",
            {"names": ["c", "a\0b"]},
            "externalId_in",
        ),
        (
            '{ projects { workstreamStateCounts(batchIds: ["a\\u0000b"]) { count } } }',
            {},
            "batchIds",
        ),
    ],
)
def test_a_text_with_a_nul_is_refused_by_its_name(
    gql: Gql, refused: Gql, query: str, values: Mapping[str, Any], name: str
) -> None:
    gql('mutation { createProject(data: {name: "p", allowedMediaType: IMAGE}) { id } }')

    assert refused(query, **values) == (
        "BAD_USER_INPUT",
        f"{name}: 'a\\x00b' holds a NUL character; leave it out",
    )


@pytest.mark.parametrize(
    ("item", "name"),
    [
        ({"global_key": "a\0b"}, "global_key"),
        ({"global_key": "k", "external_id": "a\0b"}, "external_id"),
        (
            {
                "id": {"type": "GKEY", "value": "a\0b"},
                "payload": {"row_data": "https://e.test/1.png"},
            },
            "id",
        ),
        (
            {
                "global_key": "k",
                "attachments": [{"type": "RAW_TEXT", "value": "t", "name": "a\0b"}],
            },
            "an attachment's name",
        ),
    ],
)
def test_an_item_with_a_nul_in_a_name_fails_alone(
    gql: Gql, bring: Gql, item: Mapping[str, Any], name: str
) -> None:
    whole = item if "id" in item else {"row_data": "https://e.test/1.png", **item}

    task = bring(whole, {"row_data": "https://e.test/2.png", "global_key": "fine"})

    found = gql(
        "query F($task: ID!) { failedDataRowImports(data: {taskId: $task})"
        " { total results { message } } }",
        task=task,
    )["failedDataRowImports"]
    assert found == {
        "total": 1,
        "results": [
            {"message": f"{name}: 'a\\x00b' holds a NUL character; leave it out"}
        ],
    }


def test_a_name_with_a_nul_is_looked_for_in_vain() -> None:
    assert as_list(["c", "a\0b", "\\u0000", "c"]) == ('["\\\\u0000","c"]', 3)

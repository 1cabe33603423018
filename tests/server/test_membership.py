"""Which rows are in a run, and in which split."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from reconciler.server.settings import Limits, ServerSettings

Gql = Callable[..., Any]

PAGE = (
    "query modelRunPyApi($modelRunId: ID!, $from: String, $first: Int)"
    " { annotationGroups(where: {modelRunId: {id: $modelRunId}}, after: $from,"
    " first: $first) { nodes { dataSplit labelId modelRunId id dataRow { createdAt"
    " externalId globalKey mediaAttributes customMetadata { schemaId value }"
    " metadataFields { schemaId name value kind } rowData id updatedAt } }"
    " pageInfo { endCursor } } }"
)


def test_new_members_are_unassigned(
    register: Gql, members: Gql, ids: Mapping[str, str]
) -> None:
    by_key = register(globalKeys=["street-00", "street-01"])
    by_id = register(dataRowIds=[ids["street-02"]])

    assert by_key == by_id == {"status": "COMPLETE", "errorMessage": None}
    assert members() == {
        "street-00": "UNASSIGNED",
        "street-01": "UNASSIGNED",
        "street-02": "UNASSIGNED",
    }


def test_a_member_added_again_keeps_its_split(
    register: Gql, assign: Gql, members: Gql, keys: Sequence[str]
) -> None:
    register(globalKeys=keys[:2])
    assign({"split": "TEST", "globalKeys": [keys[0]], "dataRowIds": None})
    register(globalKeys=[*keys[:3], keys[0]])

    assert members() == {keys[0]: "TEST", keys[1]: "UNASSIGNED", keys[2]: "UNASSIGNED"}


def test_an_unknown_key_fails_the_whole_task(
    register: Gql, members: Gql, keys: Sequence[str]
) -> None:
    ended = register(globalKeys=[keys[0], "nowhere", "elsewhere"])

    assert ended == {
        "status": "FAILED",
        "errorMessage": "2 unknown global keys: elsewhere, nowhere",
    }
    assert members() == {}


def test_an_error_names_twenty_and_counts_the_rest(register: Gql) -> None:
    ended = register(dataRowIds=[f"x{n:02}" for n in range(25)])

    assert ended["errorMessage"] == (
        "25 unknown data row ids: x00, x01, x02, x03, x04, x05, x06, x07, x08, x09,"
        " x10, x11, x12, x13, x14, x15, x16, x17, x18, x19 and 5 more"
    )


def test_a_task_without_rows_is_done(register: Gql, members: Gql) -> None:
    assert register(globalKeys=[]) == {"status": "COMPLETE", "errorMessage": None}
    assert members() == {}


def test_one_task_may_make_several_assignments(
    register: Gql,
    assign: Gql,
    members: Gql,
    keys: Sequence[str],
    ids: Mapping[str, str],
) -> None:
    register(globalKeys=keys[:4])
    ended = assign(
        {"split": "TRAINING", "globalKeys": keys[:3]},
        {"split": "VALIDATION", "dataRowIds": [ids[keys[2]]], "globalKeys": [keys[3]]},
    )

    assert ended == {"status": "COMPLETE", "errorMessage": None}
    assert members() == {
        keys[0]: "TRAINING",
        keys[1]: "TRAINING",
        keys[2]: "VALIDATION",
        keys[3]: "VALIDATION",
    }


def test_a_split_for_a_stranger_changes_nothing(
    register: Gql, assign: Gql, members: Gql, keys: Sequence[str]
) -> None:
    register(globalKeys=keys[:2])
    ended = assign(
        {"split": "TRAINING", "globalKeys": keys[:2]},
        {"split": "TEST", "globalKeys": keys[1:4]},
    )

    assert ended == {
        "status": "FAILED",
        "errorMessage": "2 global keys that are not in the model run:"
        " street-02, street-03",
    }
    assert members() == {keys[0]: "UNASSIGNED", keys[1]: "UNASSIGNED"}


def test_a_split_is_one_of_four(refused: Gql, run: str) -> None:
    code, _ = refused(
        "mutation A($m: ID!, $data: CreateAssignDataRowsToDataSplitTaskInput!)"
        " { createAssignDataRowsToDataSplitTask(modelRun: {id: $m}, data: $data) }",
        m=run,
        data={"assignments": [{"split": "training", "globalKeys": []}]},
    )

    assert code == "BAD_USER_INPUT"


def test_removed_rows_leave_and_may_come_back_unassigned(  # fixtures are asked for by name
    gql: Gql,
    run: str,
    register: Gql,
    assign: Gql,
    members: Gql,
    ids: Mapping[str, str],
) -> None:
    register(globalKeys=["street-00", "street-01"])
    assign({"split": "TEST", "globalKeys": ["street-00", "street-01"]})
    gql(
        "mutation D($modelRunId: ID!, $dataRowIds: [ID!]!) { deleteModelRunDataRows("
        "where: {modelRunId: $modelRunId, dataRowIds: $dataRowIds}) }",
        modelRunId=run,
        dataRowIds=[ids["street-00"], "not in it"],
    )
    after = members()
    register(globalKeys=["street-00"])

    assert after == {"street-01": "TEST"}
    assert members() == {"street-00": "UNASSIGNED", "street-01": "TEST"}


def test_pages_hold_every_row_once(
    gql: Gql, run: str, register: Gql, keys: Sequence[str]
) -> None:
    register(globalKeys=keys)
    sizes, found, cursor = [], [], None
    while True:
        page = gql(PAGE, modelRunId=run, first=5, **{"from": cursor})[
            "annotationGroups"
        ]
        sizes.append(len(page["nodes"]))
        found += page["nodes"]
        cursor = page["pageInfo"]["endCursor"]
        if cursor is None:
            break

    assert sizes == [5, 5]
    assert sorted(one["dataRow"]["globalKey"] for one in found) == list(keys)
    assert len({one["id"] for one in found}) == 10


def test_a_node_has_all_that_clients_select(
    gql: Gql, run: str, register: Gql, ids: Mapping[str, str]
) -> None:
    register(globalKeys=["street-00"])
    (node,) = gql(PAGE, modelRunId=run, first=100)["annotationGroups"]["nodes"]

    assert len(node.pop("id")) == 36
    assert node == {
        "dataSplit": "UNASSIGNED",
        "labelId": None,
        "modelRunId": run,
        "dataRow": {
            "createdAt": "2030-03-17T17:46:40.250Z",
            "externalId": None,
            "globalKey": "street-00",
            "mediaAttributes": {"mimeType": "image/png"},
            "customMetadata": [],
            "metadataFields": [],
            "rowData": "https://e.test/street-00.png",
            "id": ids["street-00"],
            "updatedAt": "2030-03-17T17:46:40.250Z",
        },
    }


def test_a_page_ends_at_ten_thousand(refused: Gql, run: str) -> None:
    assert refused(PAGE, modelRunId=run, first=10_001) == (
        "BAD_USER_INPUT",
        "first must be between 0 and 10000",
    )
    assert refused(PAGE, modelRunId=run, **{"from": "1;drop"})[0] == "BAD_USER_INPUT"


@pytest.mark.parametrize("settings", [ServerSettings(task_seconds=3)])
def test_a_slow_task_shows_its_end_only_later(
    gql: Gql, run: str, clock: Any, members: Gql
) -> None:
    task = gql(
        "mutation A($m: ID!, $k: [ID!]) { createMEAModelRunDataRowRegistrationTask("
        "where: {id: $m}, data: {globalKeys: $k}) }",
        m=run,
        k=["nowhere"],
    )["createMEAModelRunDataRowRegistrationTask"]
    query = (
        "query S($w: WhereUniqueIdInput!) { MEADataRowRegistrationTaskStatus(where: $w)"
        " { status errorMessage } }"
    )
    early = gql(query, w={"id": task})
    clock.seconds += 4
    late = gql(query, w={"id": task})

    assert early["MEADataRowRegistrationTaskStatus"] == {
        "status": "IN_PROGRESS",
        "errorMessage": None,
    }
    assert late["MEADataRowRegistrationTaskStatus"]["status"] == "FAILED"
    assert members() == {}


@hypothesis_settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    changes=st.lists(
        st.tuples(
            st.sampled_from(["TRAINING", "VALIDATION", "TEST", "UNASSIGNED"]),
            st.sets(st.integers(0, 9)),
        ),
        max_size=6,
    )
)
def test_the_last_assignment_of_a_row_counts(
    register: Gql,
    assign: Gql,
    members: Gql,
    keys: Sequence[str],
    changes: list[tuple[str, set[int]]],
) -> None:
    register(globalKeys=keys)
    assign({"split": "UNASSIGNED", "globalKeys": keys})
    expected = dict.fromkeys(keys, "UNASSIGNED")
    for split, chosen in changes:
        expected |= {keys[number]: split for number in chosen}

    assign(
        *(
            {"split": split, "globalKeys": [keys[number] for number in chosen]}
            for split, chosen in changes
        )
    )

    assert members() == expected


UNKNOWN = "1 unknown global keys: nowhere"


@pytest.mark.parametrize(
    ("settings", "status", "brought"),
    [
        (ServerSettings(), {"status": "FAILED", "errorMessage": UNKNOWN}, 0),
        (
            ServerSettings(unknown_rows="partial"),
            {"status": "FAILED", "errorMessage": UNKNOWN},
            1,
        ),
        (
            ServerSettings(unknown_rows="ignore"),
            {"status": "COMPLETE", "errorMessage": None},
            1,
        ),
    ],
)
def test_unknown_rows_are_treated_as_is_chosen(
    register: Gql,
    members: Gql,
    keys: Sequence[str],
    status: Mapping[str, Any],
    brought: int,
) -> None:
    assert register(globalKeys=[keys[0], "nowhere"]) == status
    assert len(members()) == brought


@pytest.mark.parametrize(
    ("settings", "status", "split"),
    [
        (ServerSettings(), "FAILED", "UNASSIGNED"),
        (ServerSettings(unknown_rows="partial"), "FAILED", "TEST"),
        (ServerSettings(unknown_rows="ignore"), "COMPLETE", "TEST"),
    ],
)
def test_splits_for_strangers_are_treated_as_is_chosen(
    register: Gql,
    assign: Gql,
    members: Gql,
    keys: Sequence[str],
    status: str,
    split: str,
) -> None:
    register(globalKeys=keys[:1])

    ended = assign(
        {"split": "TEST", "globalKeys": keys[:2]},
        {"split": "TRAINING", "globalKeys": ["nowhere"]},
    )

    assert ended["status"] == status
    assert members() == {keys[0]: split}
    if status == "FAILED":
        assert ended["errorMessage"] == (
            "1 global keys that are not in the model run: street-01;"
            " 1 unknown global keys: nowhere"
        )


@pytest.mark.parametrize("settings", [ServerSettings(limits=Limits(rows_per_run=3))])
def test_a_run_has_only_so_many_rows(
    refused: Gql, run: str, register: Gql, members: Gql, keys: Sequence[str]
) -> None:
    register(globalKeys=keys[:3])
    register(globalKeys=keys[:3])
    add = (
        "mutation A($m: ID!, $k: [ID!]) { createMEAModelRunDataRowRegistrationTask("
        "where: {id: $m}, data: {globalKeys: $k}) }"
    )

    assert refused(add, m=run, k=keys[2:5]) == (
        "OPERATION_NOT_ALLOWED",
        "a model run holds at most 3 data rows; this one would hold 5",
    )
    assert members().keys() == set(keys[:3])


@pytest.mark.parametrize(
    "settings", [ServerSettings(limits=Limits(assignments_per_task=1))]
)
def test_a_task_makes_only_so_many_assignments(
    refused: Gql, run: str, register: Gql, assign: Gql, keys: Sequence[str]
) -> None:
    register(globalKeys=keys[:2])
    one = {"split": "TEST", "globalKeys": keys[:1]}

    assert assign(one)["status"] == "COMPLETE"
    assert refused(
        "mutation A($m: ID!, $data: CreateAssignDataRowsToDataSplitTaskInput!)"
        " { createAssignDataRowsToDataSplitTask(modelRun: {id: $m}, data: $data) }",
        m=run,
        data={"assignments": [one, one]},
    ) == (
        "OPERATION_NOT_ALLOWED",
        "a task holds at most 1 assignments; this one holds 2",
    )

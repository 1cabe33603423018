"""Labels that runs have taken, and what becomes of them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from sqlalchemy import func, select

from reconciler.server.lines import lines_of, uuid_of
from reconciler.server.settings import Limits, ServerSettings
from reconciler.server.store.database import Store
from reconciler.server.store.tables import label_contents, run_rows
from tests.support.labelling import (
    box,
    labels_of,
    make_batch,
    make_project,
    put,
    uuid,
)

Gql = Callable[..., Any]

BY_ID = (
    "mutation L($m: ID!, $ids: [ID!]!) { createMEAModelRunLabelRegistrationTask("
    "where: {id: $m}, data: {labelIds: $ids}) }"
)
BY_PROJECT = (
    "mutation P($m: ID!, $p: ID!) { createMEAModelRunProjectLabelRegistrationTask("
    "where: {modelRunId: $m, projectId: $p}) }"
)
STATUS = (
    "query S($where: WhereUniqueIdInput!) { MEALabelRegistrationTaskStatus("
    "where: $where) { status errorMessage } }"
)
DONE = {"status": "COMPLETE", "errorMessage": None}


@pytest.fixture
def project(gql: Gql, keys: Sequence[str]) -> str:
    made = make_project(gql)
    make_batch(gql, made, keys)
    return made


@pytest.fixture
def take(gql: Gql, run: str) -> Gql:
    """Have the run take labels, and get how the task ended."""

    def send(*ids: str, project: str | None = None) -> Mapping[str, Any]:
        if project is None:
            task = gql(BY_ID, m=run, ids=ids)["createMEAModelRunLabelRegistrationTask"]
        else:
            (task,) = gql(BY_PROJECT, m=run, p=project).values()
        status: Mapping[str, Any] = gql(STATUS, where={"id": task})[
            "MEALabelRegistrationTaskStatus"
        ]
        return status

    return send


@pytest.fixture
def taken(gql: Gql, run: str) -> Gql:
    """Read the labels of the run by global key."""

    def read() -> Mapping[str, str | None]:
        found = gql(
            "query P($m: ID!) { annotationGroups(where: {modelRunId: {id: $m}},"
            " first: 1000) { nodes { labelId dataRow { globalKey } } } }",
            m=run,
        )
        nodes = found["annotationGroups"]["nodes"]
        return {one["dataRow"]["globalKey"]: one["labelId"] for one in nodes}

    return read


@pytest.fixture
def said(store: Store) -> Callable[[], list[list[str]]]:
    """Read what the labels of all runs say: uuids, in the order of the rows."""

    def read() -> list[list[str]]:
        with store.read() as db:
            found = db.execute(
                select(label_contents.c.annotations)
                .join(run_rows, run_rows.c.content_pk == label_contents.c.pk)
                .order_by(run_rows.c.row_pk)
            )
            return [list(map(uuid_of, lines_of(text))) for text in found.scalars()]

    return read


def count_contents(store: Store) -> int:
    """Count what labels have said and somebody still refers to."""
    with store.read() as db:
        query = select(func.count()).select_from(label_contents)
        return db.execute(query).scalar_one()


def ids_of(gql: Gql, project: str) -> dict[str, str]:
    """Know the labels of a project by global key."""
    return {one["dataRow"]["globalKey"]: one["id"] for one in labels_of(gql, project)}


def test_labels_bring_their_rows(
    gql: Gql, store: Store, project: str, keys: Sequence[str], take: Gql, taken: Gql
) -> None:
    put(store, project, {keys[0]: [box(1)], keys[1]: [box(2)]})
    ids = ids_of(gql, project)

    assert take(ids[keys[1]], ids[keys[1]]) == DONE
    assert taken() == {keys[1]: ids[keys[1]]}
    assert take(project=project) == DONE
    assert taken() == ids


def test_members_keep_their_split_and_get_a_label(
    gql: Gql,
    store: Store,
    project: str,
    keys: Sequence[str],
    register: Gql,
    assign: Gql,
    members: Gql,
    take: Gql,
    taken: Gql,
) -> None:
    put(store, project, {keys[0]: [box(1)], keys[1]: [box(2)]})
    register(globalKeys=[keys[0], keys[5]])
    assign({"split": "TEST", "globalKeys": [keys[0]]})

    take(project=project)

    assert members() == {
        keys[0]: "TEST",
        keys[1]: "UNASSIGNED",
        keys[5]: "UNASSIGNED",
    }
    assert taken() == {**ids_of(gql, project), keys[5]: None}


def test_the_benchmark_comes_before_the_label_that_changed_last(
    gql: Gql,
    store: Store,
    clock: Any,
    project: str,
    keys: Sequence[str],
    take: Gql,
    said: Callable[[], list[list[str]]],
) -> None:
    put(store, project, {keys[0]: [box(1)], keys[1]: [box(3)]}, benchmark=True)
    clock.seconds += 60
    put(store, project, {keys[0]: [box(2)]})

    take(project=project)

    assert said() == [[uuid(1)], [uuid(3)]]


def test_of_two_labels_that_are_named_the_benchmark_is_taken(
    gql: Gql,
    store: Store,
    clock: Any,
    project: str,
    keys: Sequence[str],
    take: Gql,
    said: Callable[[], list[list[str]]],
) -> None:
    put(store, project, {keys[0]: [box(1)]}, benchmark=True)
    clock.seconds += 60
    put(store, project, {keys[0]: [box(2)]})

    take(*(one["id"] for one in labels_of(gql, project)))

    assert said() == [[uuid(1)]]


def test_of_two_labels_the_one_that_changed_last_is_taken(
    gql: Gql,
    store: Store,
    clock: Any,
    project: str,
    keys: Sequence[str],
    take: Gql,
    said: Callable[[], list[list[str]]],
) -> None:
    other = make_project(gql, "other")
    make_batch(gql, other, keys)
    put(store, other, {keys[0]: [box(2)]})
    put(store, project, {keys[0]: [box(1)]})
    clock.seconds += 60
    put(store, other, {keys[0]: [box(3)]})

    take(ids_of(gql, other)[keys[0]], ids_of(gql, project)[keys[0]])

    assert said() == [[uuid(2), uuid(3)]]


def test_later_changes_of_the_project_dont_reach_the_run(
    gql: Gql,
    store: Store,
    project: str,
    keys: Sequence[str],
    take: Gql,
    taken: Gql,
    said: Callable[[], list[list[str]]],
) -> None:
    put(store, project, {keys[0]: [box(1)], keys[1]: [box(2)]})
    ids = ids_of(gql, project)
    take(project=project)

    put(store, project, {keys[0]: [box(3)]})
    edited = count_contents(store)
    gql(
        "mutation D($i: [ID!]!) { deleteLabels(labelIds: $i) { id } }", i=[ids[keys[0]]]
    )
    gql(
        "mutation D($p: ID!) { updateProject(where: {id: $p} data: {deleted: true})"
        " { id } }",
        p=project,
    )

    assert taken() == ids
    assert said() == [[uuid(1)], [uuid(2)]]
    assert (edited, count_contents(store)) == (3, 2)


def test_taking_labels_again_refreshes_them_and_forgets_the_old(
    gql: Gql,
    store: Store,
    project: str,
    keys: Sequence[str],
    take: Gql,
    said: Callable[[], list[list[str]]],
) -> None:
    put(store, project, {keys[0]: [box(1)]})
    take(project=project)
    put(store, project, {keys[0]: [box(2)]})
    stale = said()

    take(project=project)

    assert stale == [[uuid(1)]]
    assert said() == [[uuid(1), uuid(2)]]
    assert count_contents(store) == 1


UNKNOWN = "1 unknown label ids: nope"


@pytest.mark.parametrize(
    ("settings", "status", "brought"),
    [
        (ServerSettings(), {"status": "FAILED", "errorMessage": UNKNOWN}, 0),
        (
            ServerSettings(unknown_rows="partial"),
            {"status": "FAILED", "errorMessage": UNKNOWN},
            1,
        ),
        (ServerSettings(unknown_rows="ignore"), DONE, 1),
    ],
)
def test_unknown_labels_are_treated_as_is_chosen(
    gql: Gql,
    store: Store,
    project: str,
    keys: Sequence[str],
    take: Gql,
    taken: Gql,
    status: Mapping[str, Any],
    brought: int,
) -> None:
    put(store, project, {keys[0]: [box(1)]})

    assert take(*ids_of(gql, project).values(), "nope") == status
    assert len(taken()) == brought


@pytest.mark.parametrize("settings", [ServerSettings(limits=Limits(rows_per_run=2))])
def test_labels_dont_bring_more_rows_than_a_run_may_have(
    gql: Gql,
    refused: Gql,
    store: Store,
    run: str,
    project: str,
    keys: Sequence[str],
    register: Gql,
    taken: Gql,
) -> None:
    register(globalKeys=keys[:1])
    put(store, project, {keys[1]: [box(1)], keys[2]: [box(2)]})

    assert refused(BY_PROJECT, m=run, p=project) == (
        "OPERATION_NOT_ALLOWED",
        "a model run holds at most 2 data rows; this one would hold 3",
    )
    assert taken() == {keys[0]: None}


def test_a_row_that_leaves_the_run_leaves_its_label(
    gql: Gql,
    store: Store,
    run: str,
    project: str,
    keys: Sequence[str],
    ids: Mapping[str, str],
    register: Gql,
    take: Gql,
    taken: Gql,
) -> None:
    put(store, project, {keys[0]: [box(1)], keys[1]: [box(2)]})
    take(project=project)
    put(store, project, {keys[0]: [box(3)]})

    gql(
        "mutation D($m: ID!, $r: [ID!]!) { deleteModelRunDataRows("
        "where: {modelRunId: $m, dataRowIds: $r}) }",
        m=run,
        r=[ids[keys[0]]],
    )
    register(globalKeys=keys[:1])

    assert taken()[keys[0]] is None
    assert count_contents(store) == 2


@pytest.mark.parametrize(
    "delete",
    [
        "mutation D($run: ID!, $model: ID!) { deleteModelRuns(where: {ids: [$run]})"
        " model: deleteModels(where: {ids: [$model]}) }",
        "mutation D($model: ID!) { deleteModels(where: {ids: [$model]}) }",
    ],
)
def test_a_deleted_run_leaves_nothing_that_only_it_had(
    gql: Gql,
    store: Store,
    run: str,
    model: str,
    project: str,
    keys: Sequence[str],
    take: Gql,
    delete: str,
) -> None:
    put(store, project, {keys[0]: [box(1)], keys[1]: [box(2)]})
    take(project=project)
    put(store, project, {keys[0]: [box(3)]})

    gql(delete, run=run, model=model)

    assert count_contents(store) == 2


def test_a_project_that_is_gone_is_not_found(refused: Gql, run: str) -> None:
    code, message = refused(BY_PROJECT, m=run, p="gone")

    assert (code, message) == ("RESOURCE_NOT_FOUND", "Project 'gone' not found")


def test_a_row_that_leaves_the_run_leaves_the_project_alone(
    gql: Gql,
    store: Store,
    run: str,
    project: str,
    keys: Sequence[str],
    ids: Mapping[str, str],
    take: Gql,
) -> None:
    put(store, project, {keys[0]: [box(1)]})
    take(project=project)

    gql(
        "mutation D($m: ID!, $r: [ID!]!) { deleteModelRunDataRows("
        "where: {modelRunId: $m, dataRowIds: $r}) }",
        m=run,
        r=[ids[keys[0]]],
    )

    (label,) = labels_of(gql, project)
    assert label["label"] == [box(1)]

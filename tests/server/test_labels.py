"""Labels of a project: written, joined, listed, deleted."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import func, select

from reconciler.server.store.database import Store
from reconciler.server.store.tables import label_contents, labels
from tests.support.labelling import (
    box,
    labels_of,
    make_batch,
    make_project,
    put,
    said_in,
    states_of,
    uuid,
)

Gql = Callable[..., Any]

DELETE = "mutation D($ids: [ID!]!) { deleteLabels(labelIds: $ids) { id } }"


@pytest.fixture
def project(gql: Gql, keys: Sequence[str]) -> str:
    made = make_project(gql)
    make_batch(gql, made, keys)
    return made


def count_contents(store: Store) -> int:
    """Count what labels have said and somebody still refers to."""
    with store.read() as db:
        query = select(func.count()).select_from(label_contents)
        return db.execute(query).scalar_one()


def test_all_that_is_said_of_a_row_is_one_label(
    gql: Gql, store: Store, project: str, keys: Sequence[str]
) -> None:
    put(store, project, {keys[0]: [box(1), box(2)], keys[1]: [box(3)]})
    put(store, project, {keys[0]: [box(4)]})

    assert said_in(gql, project) == {
        keys[0]: [uuid(1), uuid(2), uuid(4)],
        keys[1]: [uuid(3)],
    }
    assert states_of(gql, project) == {
        "All": 10,
        "Unlabeled": 8,
        "Labeled": 2,
        "Done": 2,
    }


def test_an_annotation_is_replaced_by_one_of_its_uuid(
    gql: Gql, store: Store, project: str, keys: Sequence[str]
) -> None:
    put(store, project, {keys[0]: [box(1), box(2)]})
    (before,) = labels_of(gql, project)

    put(store, project, {keys[0]: [{**box(1), "uuid": uuid(1).upper(), "name": "bus"}]})

    (after,) = labels_of(gql, project)
    assert after["id"] == before["id"]
    assert [(one["uuid"], one["name"]) for one in after["label"]] == [
        (uuid(1), "bus"),
        (uuid(2), "car"),
    ]


def test_a_label_says_nothing_of_its_row_and_all_of_its_annotations(
    gql: Gql, store: Store, project: str, keys: Sequence[str]
) -> None:
    text = {"uuid": uuid(1), "name": "note", "answer": "line\u2028 \u00e9 \U0001f697"}
    put(store, project, {keys[0]: [{**text, "isBenchmarkReferenceLabel": False}]})

    (label,) = labels_of(gql, project)

    assert label["label"] == [text]


@pytest.mark.parametrize("without", [{}, {"uuid": None}])
def test_an_annotation_without_a_uuid_gets_one(
    gql: Gql, store: Store, project: str, keys: Sequence[str], without: dict[str, None]
) -> None:
    put(store, project, {keys[0]: [{"name": "car", "segments": [], **without}] * 2})

    (label,) = labels_of(gql, project)

    assert len({one["uuid"] for one in label["label"]}) == 2


def test_a_benchmark_stands_beside_the_label_of_its_row(
    gql: Gql, store: Store, project: str, keys: Sequence[str]
) -> None:
    put(store, project, {keys[0]: [box(1)]})
    put(store, project, {keys[0]: [box(2)]}, benchmark=True)
    put(store, project, {keys[0]: [box(3)]}, benchmark=True)

    found = {
        one["isBenchmarkReference"]: [line["uuid"] for line in one["label"]]
        for one in labels_of(gql, project)
    }

    assert found == {False: [uuid(1)], True: [uuid(2), uuid(3)]}


def test_a_row_has_one_benchmark(
    gql: Gql, refused: Gql, store: Store, project: str, keys: Sequence[str]
) -> None:
    put(store, project, {keys[0]: [box(1)]})
    put(store, project, {keys[0]: [box(2)]}, benchmark=True)
    by_kind = {
        one["isBenchmarkReference"]: one["id"] for one in labels_of(gql, project)
    }
    create = "mutation C($l: ID!) { createBenchmark(data: {labelId: $l}) { id } }"
    delete = "mutation D($l: ID!) { deleteBenchmark(where: {labelId: $l}) { id } }"
    read = "query B($l: ID!) { benchmark(where: {id: $l}) { referenceLabel { id } } }"

    assert refused(create, l=by_kind[False]) == (
        "RESOURCE_CONFLICT",
        f"the data row has the benchmark label '{by_kind[True]}', and can't have two;"
        " delete one of the labels first",
    )
    assert refused(delete, l=by_kind[True]) == (
        "RESOURCE_CONFLICT",
        f"the data row has the ordinary label '{by_kind[False]}', and can't have two;"
        " delete one of the labels first",
    )
    assert refused(read, l=by_kind[False])[0] == "RESOURCE_NOT_FOUND"
    gql(DELETE, ids=[by_kind[True]])
    gql(create, l=by_kind[False])
    assert gql(read, l=by_kind[False])["benchmark"] == {
        "referenceLabel": {"id": by_kind[False]}
    }
    assert refused(create, l="gone")[0] == "RESOURCE_NOT_FOUND"


def test_a_benchmark_becomes_an_ordinary_label_that_takes_what_comes(
    gql: Gql, store: Store, project: str, keys: Sequence[str]
) -> None:
    put(store, project, {keys[0]: [box(1)]}, benchmark=True)
    (before,) = labels_of(gql, project)
    delete = "mutation D($l: ID!) { deleteBenchmark(where: {labelId: $l}) { id } }"

    gql(delete, l=before["id"])
    put(store, project, {keys[0]: [box(2)]})

    (after,) = labels_of(gql, project)
    assert (after["id"], after["isBenchmarkReference"]) == (before["id"], False)
    assert said_in(gql, project) == {keys[0]: [uuid(1), uuid(2)]}


@pytest.mark.parametrize(
    "change",
    [
        "createBenchmark(data: {labelId: $l}) { id }",
        "deleteBenchmark(where: {labelId: $l}) { id }",
        "deleteLabels(labelIds: [$l]) { id }",
    ],
)
def test_what_happens_to_labels_happens_in_their_project(
    gql: Gql, store: Store, clock: Any, project: str, keys: Sequence[str], change: str
) -> None:
    put(store, project, {keys[0]: [box(1)]})
    (label,) = labels_of(gql, project)
    active = "query A($p: ID!) { project(where: {id: $p}) { lastActivityTime } }"
    before = gql(active, p=project)
    clock.seconds += 60

    gql(f"mutation C($l: ID!) {{ {change} }}", l=label["id"])

    assert gql(active, p=project) != before


def test_rows_of_deleted_labels_are_to_be_labelled_again(
    gql: Gql, store: Store, project: str, keys: Sequence[str]
) -> None:
    put(store, project, {keys[0]: [box(1)], keys[1]: [box(2)]})
    put(store, project, {keys[1]: [box(3)]}, benchmark=True)
    ordinary = [
        one["id"] for one in labels_of(gql, project) if not one["isBenchmarkReference"]
    ]

    deleted = gql(DELETE, ids=[*ordinary, "gone"])["deleteLabels"]

    assert sorted(one["id"] for one in deleted) == sorted(ordinary)
    # The second row has its benchmark still.
    assert states_of(gql, project) == {
        "All": 10,
        "Unlabeled": 9,
        "Labeled": 1,
        "Done": 1,
    }


def test_contents_go_with_the_last_label_that_says_them(
    gql: Gql, store: Store, project: str, keys: Sequence[str]
) -> None:
    put(store, project, {key: [box(n)] for n, key in enumerate(keys[:3])})
    put(store, project, {keys[0]: [box(10)]})
    edited = count_contents(store)

    gql(DELETE, ids=[one["id"] for one in labels_of(gql, project)[:2]])

    assert edited == 3
    assert count_contents(store) == 1


def test_a_label_that_is_said_again_is_as_it_was(
    gql: Gql, store: Store, clock: Any, project: str, keys: Sequence[str]
) -> None:
    mask = {"uuid": uuid(3), "name": "fur", "mask": {"png": "aaaa"}}
    first = {keys[0]: [box(1), mask], keys[1]: [box(2)]}
    put(store, project, first)
    before = moments(store)
    clock.seconds += 60
    # The order of members and of lines is no matter.
    turned = {keys[0]: [dict(reversed(one.items())) for one in (mask, box(1))]}

    put(store, project, first)
    put(store, project, turned)
    same = moments(store)
    put(store, project, {keys[0]: [{**mask, "mask": {"png": "bbbb"}}]})
    changed = moments(store)

    assert same == before
    assert changed[0] != before[0]
    assert changed[1] == before[1]
    assert count_contents(store) == 2


def moments(store: Store) -> list[tuple[str, str]]:
    """Know when each label was changed, and since when it says what it says."""
    query = (
        select(labels.c.updated_at, label_contents.c.created_at)
        .join(label_contents, labels.c.content_pk == label_contents.c.pk)
        .order_by(labels.c.row_pk)
    )
    with store.read() as db:
        return [(updated, said) for updated, said in db.execute(query)]


def test_labels_are_ordered_and_filtered(
    gql: Gql, store: Store, clock: Any, project: str, keys: Sequence[str], dataset: str
) -> None:
    for number, key in enumerate(keys[:3]):
        put(store, project, {key: [box(number)]})
        clock.seconds += 1
    put(store, project, {keys[0]: [box(9)]})
    user = gql("{ user { id } }")["user"]["id"]

    def read(arguments: str) -> list[str]:
        found = gql(
            f"query L($p: ID!) {{ project(where: {{id: $p}}) {{ labels ({arguments})"
            " { dataRow { globalKey } } } }",
            p=project,
        )
        return [one["dataRow"]["globalKey"] for one in found["project"]["labels"]]

    latest = [keys[0], keys[2], keys[1]]
    assert read("skip: 0 first: 100 orderBy: updatedAt_DESC") == latest
    assert read("skip: 1 first: 1 orderBy: createdAt_ASC") == [keys[1]]
    inside = f'dataRow: {{dataset: {{id_in: ["{dataset}", "x"]}}}}'
    assert len(read(f'where:{{{inside}, createdBy: {{id: "{user}"}}}}')) == 3
    assert read('where:{dataRow: {dataset: {id_in: ["x"]}}}') == []
    assert read('where:{createdBy: {id: "x"}}') == []


def test_a_label_knows_its_row_and_its_project(
    gql: Gql, refused: Gql, store: Store, project: str, keys: Sequence[str]
) -> None:
    put(store, project, {keys[0]: [box(1)]})
    (listed,) = labels_of(gql, project)
    query = (
        "query L($id: ID!) { label(where: {id: $id}) { id secondsToLabel agreement"
        " benchmarkAgreement createdBy { email } dataRow { rowData } reviews(skip: 0"
        " first: 100) { id } project { name labelCount } } }"
    )

    assert gql(query, id=listed["id"])["label"] == {
        "id": listed["id"],
        "secondsToLabel": 0.0,
        "agreement": None,
        "benchmarkAgreement": None,
        "createdBy": {"email": "owner@reconciler.invalid"},
        "dataRow": {"rowData": "https://e.test/street-00.png"},
        "reviews": [],
        "project": {"name": "p", "labelCount": 1},
    }
    assert refused(query, id="gone")[0] == "RESOURCE_NOT_FOUND"


@pytest.mark.parametrize(
    "spelled",
    [
        "AAAAAAAA-0000-4000-8000-00000000000B",
        "aaaaaaa-a0000-4000-8000-00000000000b",
        "{aaaaaaaa-0000-4000-8000-00000000000b}",
        "aaaaaaaa00004000800000000000000b",
    ],
)
def test_a_uuid_is_kept_as_it_is_written_in_most_places(
    gql: Gql, store: Store, project: str, keys: Sequence[str], spelled: str
) -> None:
    put(store, project, {keys[0]: [{**box(1), "uuid": spelled}]})

    assert said_in(gql, project) == {keys[0]: ["aaaaaaaa-0000-4000-8000-00000000000b"]}


def test_a_label_is_shown_without_confidences(
    gql: Gql, store: Store, project: str, keys: Sequence[str]
) -> None:
    metrics = [{"name": "loss", "value": 0.5}]
    answer = {"name": "confidence", "confidence": 0.5, "custom_metrics": metrics}
    nested = [{"name": "q", "answer": [answer], "customMetrics": metrics}]
    put(
        store,
        project,
        {keys[0]: [box(1, confidence=0.5, classifications=nested)]},
    )

    (label,) = labels_of(gql, project)

    plain = [{"name": "q", "answer": [{"name": "confidence"}]}]
    assert label["label"] == [box(1, classifications=plain)]

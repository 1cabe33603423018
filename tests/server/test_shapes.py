"""Answers have the shape of their selection, wherever it is cut out of rows."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from reconciler.server.settings import STRICT, ServerSettings
from reconciler.server.store.database import Store
from tests.support.labelling import box, make_batch, make_project, put

Gql = Callable[..., Any]


def test_aliases_of_one_list_keep_their_selections(
    gql: Gql, register: Gql, keys: Sequence[str], ids: Any, run: str
) -> None:
    register(globalKeys=keys[:1])

    found = gql(
        "query G($run: ID!) { annotationGroups(where: {modelRunId: {id: $run}}) {"
        " a: nodes { x: dataSplit row: dataRow { id } }"
        " b: nodes { __typename x: labelId y: dataSplit row: dataRow { globalKey } }"
        " pageInfo { endCursor } } }",
        run=run,
    )["annotationGroups"]

    split = "UNASSIGNED"
    kind = found["b"][0].pop("__typename")
    assert kind
    assert found == {
        "a": [{"x": split, "row": {"id": ids[keys[0]]}}],
        "b": [{"x": None, "y": split, "row": {"globalKey": keys[0]}}],
        "pageInfo": {"endCursor": None},
    }


def test_aliases_of_one_object_keep_their_selections(
    gql: Gql, keys: Sequence[str]
) -> None:
    project = make_project(gql)

    found = gql(
        "mutation B($p: ID!, $input: CreateBatchInput!) { project(where: {id: $p})"
        " { createBatchV2(input: $input) { a: batch { x: name } b: batch { x: size }"
        " } } }",
        p=project,
        input={"name": "b", "dataRowIds": [], "globalKeys": keys},
    )

    assert found["project"]["createBatchV2"] == {
        "a": {"x": "b"},
        "b": {"x": len(keys)},
    }


class TestUnderAShortLimit:
    """A limit on pages holds for lists that nest as well."""

    @pytest.fixture
    def settings(self) -> ServerSettings:
        limits = dataclasses.replace(STRICT.limits, items_per_page=100)
        return dataclasses.replace(STRICT, limits=limits)

    @pytest.mark.parametrize("first", ["101", '"101"', "$first"])
    def test_a_page_in_a_project_is_no_longer_than_others(
        self, gql: Gql, refused: Gql, first: str
    ) -> None:
        make_project(gql)
        declared = "query B($first: PageSize)" if "$" in first else ""
        query = f"{declared} {{ projects {{ batches(first: {first}) {{ nodes {{ id }} }} }} }}"

        for number in (101, "101"):
            assert refused(query, first=number) == (
                "BAD_USER_INPUT",
                "first must be between 0 and 100",
            )

    @pytest.mark.parametrize("first", ["100", '"100"'])
    def test_a_page_of_the_longest_length_is_answered(
        self, gql: Gql, first: str
    ) -> None:
        make_project(gql)

        found = gql(
            f"{{ projects {{ batches(first: {first}) {{ nodes {{ id }} }} }} }}"
        )

        assert found == {"projects": [{"batches": {"nodes": []}}]}


def test_what_is_no_length_of_a_page_is_refused_below_a_project_too(
    gql: Gql, refused: Gql
) -> None:
    make_project(gql)

    assert refused('{ projects { batches(first: "x") { nodes { id } } } }') == (
        "BAD_USER_INPUT",
        'first: "x" is no PageSize',
    )


def test_a_variable_that_was_left_out_leaves_its_argument_out(gql: Gql) -> None:
    make_project(gql)
    query = "query B($f: PageSize) { projects { batches(first: $f) { nodes { id } } } }"

    assert gql(query) == {"projects": [{"batches": {"nodes": []}}]}


def test_a_short_query_cannot_multiply_the_labels_of_a_project(
    gql: Gql, refused: Gql, store: Store, keys: Sequence[str]
) -> None:
    project = make_project(gql)
    make_batch(gql, project, keys)
    put(store, project, {keys[0]: [box(1)], keys[1]: [box(2)]})
    query = (
        "query P($p: ID!) { project(where: {id: $p}) { labels { project { %s } } } }"
    )

    code, message = refused(query % "labels { id }", p=project)

    assert code == "GRAPHQL_VALIDATION_FAILED"
    assert 'Cannot query field "labels"' in message
    counted = gql(query % "name labelCount", p=project)["project"]["labels"]
    assert counted == [{"project": {"name": "p", "labelCount": 2}}] * 2


def test_a_field_may_be_asked_for_under_more_names_than_a_row_has_columns(
    gql: Gql, dataset: str, keys: Sequence[str]
) -> None:
    names = [f"n{number}" for number in range(900)]
    fields = " ".join(f"{name}: rowData" for name in names)

    found = gql(
        f"query D($d: ID!) {{ datasetDataRows(id: $d, first: 1) {{ nodes {{ {fields} }}"
        " } }",
        d=dataset,
    )

    (row,) = found["datasetDataRows"]["nodes"]
    assert row == dict.fromkeys(names, f"https://e.test/{keys[-1]}.png")

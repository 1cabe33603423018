"""Slices: made, evaluated, paged, refused."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from sqlalchemy import select

from reconciler.annotations.checked import Aggregation, Metric, MetricKey
from reconciler.annotations.rows import RowName
from reconciler.server.settings import Limits, ServerSettings
from reconciler.server.store.database import Store
from reconciler.server.store.experiments import run_number
from reconciler.server.store.metrics import put_metrics
from reconciler.server.store.predictions import put_predictions
from reconciler.server.store.tables import data_rows
from tests.support.labelling import box, make_batch, make_project, put, uuid

Gql = Callable[..., Any]

CREATE = (
    "mutation S($data: CreateSliceInput!) { createSlice(data: $data)"
    " { id name description filter createdAt updatedAt } }"
)
OF_RUN = (
    "query M($id: ID!, $modelRunId: ID, $from: DataRowIdentifierCursorInput,"
    " $first: Int!) { getDataRowIdentifiersBySavedModelQuery(input: {savedQueryId: $id,"
    " modelRunId: $modelRunId, after: $from first: $first}) { totalCount nodes"
    " { id globalKey } pageInfo { endCursor { dataRowId globalKey } hasNextPage } } }"
)
OF_CATALOG = (
    "query C($id: ID!, $from: String, $first: Int!)"
    " { getDataRowIdentifiersBySavedQuery(input: {savedQueryId: $id, after: $from"
    " first: $first}) { totalCount nodes { id globalKey } pageInfo"
    " { endCursor hasNextPage } } }"
)


@pytest.fixture
def make(gql: Gql) -> Gql:
    """Make a slice and know its id."""

    def send(*clauses: Any, **more: Any) -> str:
        data = {"name": "errors", "filter": list(clauses), **more}
        identifier: str = gql(CREATE, data=data)["createSlice"]["id"]
        return identifier

    return send


@pytest.fixture
def rows_in(gql: Gql, make: Gql, run: str, model: str) -> Gql:
    """Know the rows of the run that are in a slice of these clauses, by number."""

    def read(*clauses: Any) -> list[int]:
        made = make(*clauses, modelId=model)
        found = gql(OF_RUN, id=made, modelRunId=run, first=100)
        nodes = found["getDataRowIdentifiersBySavedModelQuery"]["nodes"]
        return [int(one["globalKey"][-2:]) for one in nodes]

    return read


@pytest.fixture
def catalog(gql: Gql, make: Gql) -> Gql:
    """Know the rows of the catalog that are in a slice of these clauses, by number."""

    def read(*clauses: Any) -> list[int]:
        found = gql(OF_CATALOG, id=make(*clauses), first=100)
        nodes = found["getDataRowIdentifiersBySavedQuery"]["nodes"]
        return [int(one["globalKey"][-2:]) for one in nodes]

    return read


def numbers_of(store: Store, keys: Sequence[str]) -> dict[str, int]:
    """Know the numbers of rows by their keys."""
    with store.read() as db:
        query = select(data_rows.c.global_key, data_rows.c.pk)
        found = dict(db.execute(query).all())
    return {key: found[key] for key in keys}


def test_a_slice_is_as_it_was_made(gql: Gql, model: str) -> None:
    clause = {"type": "label", "exists": False}
    data = {
        "name": "to do",
        "description": "d",
        "modelId": model,
        "filter": [clause],
    }
    made = gql(CREATE, data=data)["createSlice"]
    read = gql(
        "query S($id: ID!) { getSavedQuery(id: $id)"
        " { id name description filter createdAt updatedAt } }",
        id=made["id"],
    )

    assert read["getSavedQuery"] == made
    assert made["filter"] == [clause]
    assert (made["name"], made["description"]) == ("to do", "d")


def test_rows_are_found_by_their_names(
    catalog: Gql, dataset: str, keys: Sequence[str], ids: Mapping[str, str]
) -> None:
    by_id = {"type": "data_row_id", "ids": [ids[keys[1]], ids[keys[2]], "x"]}
    by_key = {"type": "global_key", "operator": "is", "ids": [keys[2], keys[3]]}

    assert catalog(by_id) == [1, 2]
    assert catalog(by_key) == [2, 3]
    assert catalog(by_id, by_key) == [2]
    assert catalog({"type": "dataset", "ids": [dataset]}, by_key) == [2, 3]
    assert catalog({"type": "dataset", "ids": ["x"]}) == []
    assert catalog() == list(range(10))


def test_rows_are_found_by_their_metadata(bring: Gql, catalog: Gql) -> None:
    def row(number: int, *fields: Any) -> dict[str, Any]:
        named = [
            {"schemaId": f"{name}".ljust(25, "0"), "name": name, "value": value}
            for name, value in fields
        ]
        return {
            "row_data": "x",
            "global_key": f"k-{number:02}",
            "metadata_fields": named,
        }

    bring(
        row(0, ("camera", "front"), ("speed", 10)),
        row(1, ("camera", "rear"), ("speed", 9.5)),
        row(2, ("speed", "10")),
        row(3),
    )

    def found(name: str, operator: str, value: Any) -> list[int]:
        clause = {"type": "metadata", "name": name, "operator": operator}
        rows: list[int] = catalog({**clause, "value": value})
        return rows

    assert found("camera", "is", "front") == [0]
    assert found("camera", "is_not", "front") == [1]
    assert found("speed", "is", 10) == [0]
    assert found("speed", "less_than", 10) == [1]
    assert found("speed", "less_than_or_equal", 10) == [0, 1]
    assert found("speed", "greater_than", 9.5) == [0]
    assert found("speed", "greater_than_or_equal", 9.5) == [0, 1]
    assert found("speed", "is", "10") == [0, 2]


def test_rows_are_found_by_their_labels(
    gql: Gql,
    store: Store,
    run: str,
    keys: Sequence[str],
    register: Gql,
    catalog: Gql,
    rows_in: Gql,
) -> None:
    register(globalKeys=keys[:3])
    project = make_project(gql)
    make_batch(gql, project, keys)
    put(store, project, {keys[0]: [box(1)], keys[9]: [box(2)]})
    before = rows_in({"type": "label"})
    gql(
        "mutation P($m: ID!, $p: ID!) { createMEAModelRunProjectLabelRegistrationTask("
        "where: {modelRunId: $m, projectId: $p}) }",
        m=run,
        p=project,
    )

    assert before == []
    assert rows_in({"type": "label"}) == [0, 9]
    assert rows_in({"type": "label", "exists": False}) == [1, 2]
    assert catalog({"type": "label"}) == [0, 9]
    assert catalog({"type": "label", "exists": False}) == list(range(1, 9))


def test_rows_of_a_run_are_found_by_split_and_prediction(
    gql: Gql,
    store: Store,
    run: str,
    keys: Sequence[str],
    register: Gql,
    assign: Gql,
    rows_in: Gql,
) -> None:
    register(globalKeys=keys[:4])
    assign(
        {"split": "TEST", "globalKeys": keys[:1]},
        {"split": "TRAINING", "globalKeys": keys[1:2]},
    )
    numbers = numbers_of(store, keys)
    with store.write() as db:
        put_predictions(
            db,
            run_number(db, run),
            [
                (numbers[keys[0]], uuid(1), '{"name": "car"}'),
                (numbers[keys[0]], uuid(2), '{"name": "bus"}'),
                (numbers[keys[2]], uuid(3), '{"name": "bus"}'),
            ],
        )

    assert rows_in({"type": "data_split", "values": ["TEST", "TRAINING"]}) == [0, 1]
    assert rows_in({"type": "data_split", "values": ["UNASSIGNED"]}) == [2, 3]
    assert rows_in({"type": "prediction"}) == [0, 2]
    assert rows_in({"type": "prediction", "exists": False}) == [1, 3]
    assert rows_in({"type": "prediction", "feature": "car"}) == [0]
    assert rows_in({"type": "prediction", "feature": "car", "exists": False}) == [
        1,
        2,
        3,
    ]
    both = ({"type": "prediction"}, {"type": "data_split", "values": ["TEST"]})
    assert rows_in(*both) == [0]


@pytest.mark.parametrize("spelling", ["schemaId", "schema_id"])
def test_a_feature_is_meant_where_a_line_names_its_schema(
    gql: Gql, store: Store, keys: Sequence[str], spelling: str
) -> None:
    schema = "c" * 25
    ontology = gql(
        'mutation O($n: String!) { upsertOntology(data: {name: "o", normalized: $n})'
        " { id } }",
        n='{"tools": [{"tool": "rectangle", "name": "car", "featureSchemaId":'
        f' "{schema}"}}]}}',
    )["upsertOntology"]["id"]
    model = gql(
        'mutation M($o: ID!) { createModel(data: {name: "m", ontologyId: $o}) { id } }',
        o=ontology,
    )["createModel"]["id"]
    run = gql(
        'mutation R($m: ID!) { createModelRun(data: {name: "r", modelId: $m}) { id } }',
        m=model,
    )["createModelRun"]["id"]
    gql(
        "mutation A($m: ID!, $k: [ID!]) { createMEAModelRunDataRowRegistrationTask("
        "where: {id: $m}, data: {globalKeys: $k}) }",
        m=run,
        k=keys[:2],
    )
    row_pk = numbers_of(store, keys)[keys[1]]
    with store.write() as db:
        line = json.dumps({spelling: schema})
        put_predictions(db, run_number(db, run), [(row_pk, uuid(1), line)])
    data = {
        "name": "cars",
        "modelId": model,
        "filter": [{"type": "prediction", "feature": "car"}],
    }
    made = gql(CREATE, data=data)["createSlice"]["id"]

    found = gql(OF_RUN, id=made, modelRunId=run, first=9)

    nodes = found["getDataRowIdentifiersBySavedModelQuery"]["nodes"]
    assert [one["globalKey"] for one in nodes] == [keys[1]]


def test_rows_of_a_run_are_found_by_their_metrics(
    store: Store, run: str, keys: Sequence[str], register: Gql, rows_in: Gql
) -> None:
    register(globalKeys=keys[:4])
    numbers = numbers_of(store, keys)
    values: list[tuple[str, str | None, Any]] = [
        (keys[0], None, 0.5),
        (keys[1], None, 2),
        (keys[1], "car", 0.5),
        (keys[2], None, [1, 2, 3, 4]),
        (keys[3], None, {"0.1": 0.5, "0.9": 0.5}),
    ]
    with store.write() as db:
        put_metrics(
            db,
            run_number(db, run),
            [
                (
                    numbers[key],
                    Metric(
                        row=RowName(global_key=key),
                        key=MetricKey("blur", feature, None),
                        aggregation=Aggregation.SUM,
                        value=value,
                        uuid=None,
                    ),
                )
                for key, feature, value in values
            ],
        )

    def found(operator: str, value: float, **more: Any) -> list[int]:
        clause = {"type": "metric", "name": "blur", "operator": operator}
        rows: list[int] = rows_in({**clause, "value": value, **more})
        return rows

    assert found("is", 0.5) == [0]
    assert found("greater_than", 0.4) == [0, 1]
    assert found("less_than_or_equal", 0.5, feature="car") == [1]
    assert found("is_not", 0.5) == [1]
    assert rows_in({"type": "metric", "name": "x", "value": 0.5}) == []


def test_pages_of_a_run_end_with_no_cursor_at_all(
    gql: Gql, run: str, model: str, make: Gql, register: Gql, keys: Sequence[str]
) -> None:
    register(globalKeys=keys[:5])
    made = make(modelId=model)
    pages, cursor = [], None
    while True:
        page = gql(OF_RUN, id=made, modelRunId=run, first=2, **{"from": cursor})[
            "getDataRowIdentifiersBySavedModelQuery"
        ]
        pages.append(page)
        cursor = page["pageInfo"]["endCursor"]
        if cursor is None:
            break

    found = [one["globalKey"] for page in pages for one in page["nodes"]]
    assert found == list(keys[:5])
    assert [page["totalCount"] for page in pages] == [5, None, None]
    assert [page["pageInfo"]["hasNextPage"] for page in pages] == [True, True, False]
    assert pages[0]["pageInfo"]["endCursor"] == {
        "dataRowId": pages[0]["nodes"][-1]["id"],
        "globalKey": keys[1],
    }


def test_pages_of_the_catalog_hold_every_row_once(
    gql: Gql, make: Gql, keys: Sequence[str]
) -> None:
    made = make()
    first = gql(OF_CATALOG, id=made, first=6)["getDataRowIdentifiersBySavedQuery"]
    end = first["pageInfo"]["endCursor"]
    rest = gql(OF_CATALOG, id=made, first=6, **{"from": end})[
        "getDataRowIdentifiersBySavedQuery"
    ]

    assert [one["globalKey"] for one in first["nodes"] + rest["nodes"]] == list(keys)
    assert (first["totalCount"], rest["totalCount"]) == (10, None)
    assert rest["pageInfo"] == {"endCursor": None, "hasNextPage": False}


def test_a_page_that_ended_with_a_deleted_row_says_so(
    gql: Gql,
    refused: Gql,
    run: str,
    model: str,
    make: Gql,
    register: Gql,
    ids: Mapping[str, str],
) -> None:
    register(globalKeys=list(ids))
    made = make(modelId=model)
    gone = ids["street-03"]
    gql(
        "mutation D($ids: [ID!]!) { deleteDataRows(where: {dataRowIds: $ids}) { id } }",
        ids=[gone],
    )
    cursor = {"dataRowId": gone, "globalKey": "street-03"}

    assert refused(OF_RUN, id=made, modelRunId=run, first=2, **{"from": cursor}) == (
        "BAD_USER_INPUT",
        f"the cursor names the data row '{gone}', which is gone;"
        " read the slice from its start",
    )


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"name": "ab"}, "a slice has 3 to 30 characters; this one has 2"),
        ({"name": "x" * 31}, "this one has 31"),
        (
            {"filter": [{"type": "weather"}]},
            "the types of clauses are data_row_id, data_split, dataset, global_key,"
            " label, metadata, metric, prediction",
        ),
        ({"filter": {"type": "label"}}, "Expected `array`, got `object`"),
        ({"filter": [{"type": "label", "exist": True}]}, "unknown field `exist`"),
        (
            {"filter": [{"type": "dataset", "operator": "is_not", "ids": []}]},
            "Invalid enum value 'is_not' - at `$[0].operator`",
        ),
        (
            {"filter": [{"type": "label"}, {"type": "prediction"}]},
            "only rows of a run have what 'prediction' asks for - at `$[1]`",
        ),
        ({"modelId": "gone"}, "Model 'gone' not found"),
    ],
)
def test_a_slice_that_cant_be_is_refused(
    refused: Gql, data: Mapping[str, Any], message: str
) -> None:
    _, said = refused(CREATE, data={"name": "errors", "filter": [], **data})

    assert message in said


@pytest.mark.parametrize("settings", [ServerSettings(limits=Limits(slices=2))])
def test_there_are_only_so_many_slices_of_each_kind(
    refused: Gql, make: Gql, model: str
) -> None:
    for _ in range(2):
        make()
        make(modelId=model)
    data = {"name": "errors", "filter": []}

    assert refused(CREATE, data=data) == (
        "OPERATION_NOT_ALLOWED",
        "there are at most 2 slices of the catalog, and 2 now",
    )
    assert refused(CREATE, data={**data, "modelId": model}) == (
        "OPERATION_NOT_ALLOWED",
        "there are at most 2 slices of models, and 2 now",
    )


def test_a_slice_and_a_run_belong_together(
    gql: Gql, refused: Gql, make: Gql, model: str, run: str
) -> None:
    ontology = gql("{ models { ontologyId } }")["models"][0]["ontologyId"]
    other = gql(
        'mutation M($o: ID!) { createModel(data: {name: "m", ontologyId: $o}) { id } }',
        o=ontology,
    )["createModel"]["id"]
    of_catalog, of_model, of_other = make(), make(modelId=model), make(modelId=other)

    def message(query: str, **variables: Any) -> str:
        _, said = refused(query, first=1, **variables)
        assert isinstance(said, str)
        return said

    assert "is of the catalog" in message(OF_RUN, id=of_catalog, modelRunId=run)
    assert "of another model" in message(OF_RUN, id=of_other, modelRunId=run)
    assert "name a modelRunId" in message(OF_RUN, id=of_model)
    assert "'gone' not found" in message(OF_RUN, id=of_model, modelRunId="gone")
    assert "is of a model" in message(OF_CATALOG, id=of_model)
    assert "Slice 'gone' not found" in message(OF_CATALOG, id="gone")


def test_slices_go_when_they_or_their_model_are_deleted(
    gql: Gql, refused: Gql, make: Gql, model: str
) -> None:
    of_catalog, of_model = make(), make(modelId=model)
    read = "query S($id: ID!) { getSavedQuery(id: $id) { id } }"
    delete = "mutation D($id: ID!) { deleteSlice(where: {id: $id}) { id } }"

    gql(delete, id=of_catalog)
    gql("mutation D($m: ID!) { deleteModels(where: {ids: [$m]}) }", m=model)

    assert refused(read, id=of_catalog)[0] == "RESOURCE_NOT_FOUND"
    assert refused(read, id=of_model)[0] == "RESOURCE_NOT_FOUND"
    assert refused(delete, id=of_catalog)[0] == "RESOURCE_NOT_FOUND"
    assert gql("{ catalogSavedQueries { id } }") == {"catalogSavedQueries": []}

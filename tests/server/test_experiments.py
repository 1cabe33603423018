"""Datasets, ontologies, models, runs and configs."""

from collections.abc import Callable
from typing import Any

import pytest

from reconciler.server.settings import Limits, ServerSettings

Gql = Callable[..., Any]

CREATE_RUN = (
    "mutation R($name: String!, $config: Json, $modelId: ID!) { createModelRun(data:"
    " {name: $name, trainingMetadata: $config, modelId: $modelId})"
    " { id name trainingMetadata modelId modelAppId createdBy createdAt } }"
)
CONFIG = "query C($id: ID!) { modelRun(where: {id: $id}) { trainingMetadata } }"
UPDATE = (
    "mutation U($modelRunId: ID!, $data: UpdateModelRunConfigInput!)"
    " { updateModelRunConfig(modelRun: {id: $modelRunId}, data: $data)"
    " { trainingMetadata } }"
)


def test_datasets_are_found_by_the_grammar_of_generic_queries(gql: Gql) -> None:
    for name in ["a", "b", "c"]:
        gql(
            "mutation D($name: String!)"
            ' { createDataset(data: {name: $name, description: "d"}) { id } }',
            name=name,
        )
    query = (
        "query G($p0: String!, $p1: String!, $p2: Boolean!) { datasets(where: {AND: ["
        " {AND: [{name_not: $p0}, {description: $p1}]} {deleted: $p2}]},"
        " skip: 0, first: 100) { name } }"
    )

    found = gql(query, p0="b", p1="d", p2=False)

    assert found == {"datasets": [{"name": "c"}, {"name": "a"}]}


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ({"createdAt_lt": "2030-03-17T17:46:41Z"}, ["streets"]),
        ({"createdAt_gte": "2030-03-17T17:46:41Z"}, []),
        ({"name_gt": "a", "name_lte": "streets"}, ["streets"]),
        ({"name": None}, ["streets"]),
    ],
)
def test_datasets_are_compared_by_suffix(
    gql: Gql, dataset: str, where: Any, names: list[str]
) -> None:
    found = gql(
        "query G($where: DatasetWhereInput) { datasets(where: $where) { name } }",
        where=where,
    )

    assert [one["name"] for one in found["datasets"]] == names
    assert dataset


def test_a_dataset_is_renamed(gql: Gql, dataset: str) -> None:
    gql(
        "mutation U($name: String!, $DatasetId: ID!) { updateDataset(where: {id:"
        " $DatasetId}, data: {name: $name}) { id } }",
        name="lanes",
        DatasetId=dataset,
    )

    assert gql("{ datasets { name } }") == {"datasets": [{"name": "lanes"}]}


def test_every_node_of_an_ontology_gets_ids(gql: Gql) -> None:
    text = (
        '{"tools": [{"tool": "rectangle", "name": "cat", "schemaNodeId": null,'
        ' "classifications": [{"type": "radio", "name": "q", "options":'
        ' [{"label": "a", "value": "a", "options": []}]}]}],'
        ' "classifications": [{"type": "text", "name": "t", "featureSchemaId":'
        ' "kept", "options": []}]}'
    )
    created = gql(
        "mutation O($data: UpsertOntologyInput!) { upsertOntology(data: $data)"
        " { normalized mediaType objectSchemaCount classificationSchemaCount } }",
        data={"name": "o", "normalized": text, "mediaType": "IMAGE"},
    )["upsertOntology"]

    tool = created["normalized"]["tools"][0]
    question = tool["classifications"][0]
    nodes = [tool, question, question["options"][0]]
    named = [n[k] for n in nodes for k in ("schemaNodeId", "featureSchemaId")]
    assert [len(one) for one in named] == [25] * 6
    assert len(set(named)) == 6
    assert created["normalized"]["classifications"][0]["featureSchemaId"] == "kept"
    assert created["mediaType"] == "IMAGE"
    assert (created["objectSchemaCount"], created["classificationSchemaCount"]) == (
        1,
        1,
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "normalized is not JSON"),
        ("[]", "normalized must be an object"),
        ('{"tools": 1}', "must be lists of objects"),
        ("[" * 100_000, "normalized is not JSON"),
    ],
)
def test_an_ontology_that_is_none_is_refused(
    refused: Gql, text: str, message: str
) -> None:
    code, said = refused(
        "mutation O($data: UpsertOntologyInput!) { upsertOntology(data: $data) { id } }",
        data={"name": "o", "normalized": text},
    )

    assert code == "BAD_USER_INPUT"
    assert message in said


def test_ontologies_are_searched_by_a_part_of_their_name(gql: Gql) -> None:
    for name in ["Cats", "cat_1", "dogs", "cats 2"]:
        gql(
            "mutation O($name: String!) { upsertOntology(data:"
            ' {name: $name, normalized: "{}"}) { id } }',
            name=name,
        )
    query = (
        "query O($search: String, $filter: OntologyFilter, $from: String,"
        " $first: PageSize) { ontologies(where: {filter: $filter, search: $search},"
        " after: $from, first: $first) { nodes { name } nextCursor } }"
    )
    asked = {"search": "CAT", "filter": {"status": "ALL"}, "first": 2}
    first = gql(query, **asked, **{"from": None})["ontologies"]
    rest = gql(query, **asked, **{"from": first["nextCursor"]})["ontologies"]
    literal = gql(query, search="t_", first=9)["ontologies"]

    assert first["nodes"] == [{"name": "cats 2"}, {"name": "cat_1"}]
    assert rest == {"nodes": [{"name": "Cats"}], "nextCursor": None}
    assert literal["nodes"] == [{"name": "cat_1"}]


def test_a_model_needs_an_ontology(refused: Gql) -> None:
    code, message = refused(
        'mutation { createModel(data: {name: "m", ontologyId: "gone"}) { id } }'
    )

    assert (code, message) == ("RESOURCE_NOT_FOUND", "Ontology 'gone' not found")


def test_models_may_share_a_name_and_come_newest_first(gql: Gql, model: str) -> None:
    ontology = gql("{ models { ontologyId } }")["models"][0]["ontologyId"]
    second = gql(
        "mutation M($o: ID!)"
        ' { createModel(data: {name: "detector", ontologyId: $o}) { id } }',
        o=ontology,
    )["createModel"]["id"]
    found = gql(
        "query G($param_0: String!)"
        " { models(where: {name: $param_0}, skip: 0, first: 100) { id } }",
        param_0="detector",
    )

    assert [one["id"] for one in found["models"]] == [second, model]


def test_a_run_keeps_the_spelling_of_its_config_and_echoes_it_otherwise(
    gql: Gql, model: str
) -> None:
    config = {"batch_size": 32, "lr": 1e-4, "opt": [{"_private_key": 1.0}]}
    created = gql(CREATE_RUN, name="r", config=config, modelId=model)["createModelRun"]

    assert created["trainingMetadata"] == {
        "batchSize": 32,
        "lr": 0.0001,
        "opt": [{"_privateKey": 1.0}],
    }
    assert gql(CONFIG, id=created["id"])["modelRun"] == {"trainingMetadata": config}


@pytest.mark.parametrize("settings", [ServerSettings(camel_case_create_echo=False)])
def test_a_server_may_echo_configs_verbatim(gql: Gql, model: str) -> None:
    created = gql(CREATE_RUN, name="r", config={"a_b": 1}, modelId=model)

    assert created["createModelRun"]["trainingMetadata"] == {"a_b": 1}


def test_a_config_is_replaced_and_reset(gql: Gql, run: str) -> None:
    gql(UPDATE, modelRunId=run, data={"config": {"a": 1, "b": {"c": 2}}})
    updated = gql(UPDATE, modelRunId=run, data={"config": {"b_c": 3}})
    read = gql(CONFIG, id=run)
    reset = gql(
        "mutation X($modelRunId: ID!)"
        " { resetModelRunConfig(modelRun: {id: $modelRunId}) { trainingMetadata } }",
        modelRunId=run,
    )

    assert updated == {"updateModelRunConfig": {"trainingMetadata": {"b_c": 3}}}
    assert read == {"modelRun": {"trainingMetadata": {"b_c": 3}}}
    assert reset == {"resetModelRunConfig": {"trainingMetadata": None}}
    assert gql(CONFIG, id=run) == {"modelRun": {"trainingMetadata": None}}


def test_a_config_is_an_object_and_not_bottomless(refused: Gql, run: str) -> None:
    deep: Any = {}
    for _ in range(70):
        deep = {"a": deep}

    assert refused(UPDATE, modelRunId=run, data={"config": [1]}) == (
        "BAD_USER_INPUT",
        "a config must be an object",
    )
    assert refused(UPDATE, modelRunId=run, data={"config": deep}) == (
        "BAD_USER_INPUT",
        "config must not nest deeper than 64 levels",
    )


def test_runs_are_filtered_ordered_and_cut(gql: Gql, model: str) -> None:
    for name in ["b", "c", "a", "b"]:
        gql(CREATE_RUN, name=name, config=None, modelId=model)

    def names(arguments: str) -> list[str]:
        query = f"query L($id: ID!) {{ model(where: {{id: $id}}) {{ modelRuns{arguments} {{ name }} }} }}"
        return [one["name"] for one in gql(query, id=model)["model"]["modelRuns"]]

    assert names("") == ["b", "a", "c", "b"]
    assert names("(orderBy: name_ASC)") == ["a", "b", "b", "c"]
    assert names("(orderBy: name_DESC, skip: 1, first: 2)") == ["b", "b"]
    assert names('(where: {name: "b"}, skip: 0, first: 100)') == ["b", "b"]


@pytest.mark.parametrize("settings", [ServerSettings(unique_run_names=True)])
def test_a_server_may_insist_on_unique_run_names(
    refused: Gql, run: str, model: str
) -> None:
    assert run
    assert refused(CREATE_RUN, name="first", config=None, modelId=model) == (
        "RESOURCE_CONFLICT",
        "the model has a run named 'first' already",
    )


def test_deleting_a_model_deletes_its_runs(
    gql: Gql, refused: Gql, model: str, run: str
) -> None:
    gql("mutation D($ids: ID!) { deleteModels(where: {ids: [$ids]}) }", ids=model)

    assert refused(CONFIG, id=run) == (
        "RESOURCE_NOT_FOUND",
        f"ModelRun '{run}' not found",
    )


def test_runs_are_deleted_together_or_not_at_all(
    gql: Gql, refused: Gql, run: str
) -> None:
    mutation = "mutation D($ids: [ID!]!) { deleteModelRuns(where: {ids: $ids}) }"

    assert refused(mutation, ids=[run, "gone"])[0] == "RESOURCE_NOT_FOUND"
    assert gql(CONFIG, id=run)
    assert gql(mutation, ids=[run]) == {"deleteModelRuns": True}
    assert refused(CONFIG, id=run)[0] == "RESOURCE_NOT_FOUND"


@pytest.mark.parametrize("kind", ["Models", "ModelRuns"])
def test_what_is_named_twice_is_deleted_once(
    gql: Gql, refused: Gql, model: str, run: str, kind: str
) -> None:
    mutation = f"mutation D($ids: [ID!]!) {{ delete{kind}(where: {{ids: $ids}}) }}"
    named = model if kind == "Models" else run

    assert gql(mutation, ids=[named, named]) == {f"delete{kind}": True}
    assert refused(CONFIG, id=run)[0] == "RESOURCE_NOT_FOUND"


@pytest.mark.parametrize("settings", [ServerSettings(limits=Limits(runs_per_model=2))])
def test_a_model_has_only_so_many_runs(gql: Gql, refused: Gql, model: str) -> None:
    made = [
        gql(CREATE_RUN, name=name, config=None, modelId=model)["createModelRun"]["id"]
        for name in ["a", "b"]
    ]

    refusal = refused(CREATE_RUN, name="c", config=None, modelId=model)
    gql("mutation D($r: ID!) { deleteModelRuns(where: {ids: [$r]}) }", r=made[0])

    assert refusal == (
        "OPERATION_NOT_ALLOWED",
        "a model holds at most 2 runs; this one holds 2",
    )
    assert gql(CREATE_RUN, name="c", config=None, modelId=model)["createModelRun"]["id"]


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ("id_ASC", None),
        ("name_DESC", ["b", "a"]),
        ("createdAt_ASC", ["a", "b"]),
        ("createdBy_ASC", ["b", "a"]),
    ],
)
def test_runs_come_in_the_order_that_is_asked_for(
    gql: Gql, clock: Any, model: str, order: str, names: list[str] | None
) -> None:
    made = {}
    for name in ["a", "b"]:
        found = gql(CREATE_RUN, name=name, config=None, modelId=model)
        made[name] = found["createModelRun"]["id"]
        clock.seconds += 1
    names = names or sorted(made, key=lambda name: str(made[name]))

    found = gql(
        "query R($m: ID!) { model(where: {id: $m}) { modelRuns("
        f"skip: 0 first: 100 orderBy: {order}) {{ name }} }} }}",
        m=model,
    )

    assert [one["name"] for one in found["model"]["modelRuns"]] == names


def test_ids_in_filters_are_declared_as_texts(gql: Gql, model: str, run: str) -> None:
    found = gql(
        "query M($id: ID!) { model(where: {id: $id}) { ontologyId"
        " modelRuns { createdBy } } }",
        id=model,
    )["model"]
    models = gql(
        "query F($param_0: String!) { models(where: {ontologyId: $param_0}) { id } }",
        param_0=found["ontologyId"],
    )
    runs = gql(
        "query R($id: ID!, $p0: String!, $p1: String!) { model(where: {id: $id}) {"
        " modelRuns(where: {AND: [{createdBy: $p0}, {modelId: $p1}]}) { id } } }",
        id=model,
        p0=found["modelRuns"][0]["createdBy"],
        p1=model,
    )

    assert models["models"] == [{"id": model}]
    assert runs["model"]["modelRuns"] == [{"id": run}]

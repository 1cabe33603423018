"""How far the training of a run has come."""

from collections.abc import Callable
from typing import Any

Gql = Callable[..., Any]

READ = (
    "query P($id: ID!) { trainingPipeline(where: {id: $id})"
    " { status, errorMessage, metadata } }"
)
TELL = (
    "mutation setPipelineStatusPyApi($modelRunId: ID!,"
    " $data: UpdateTrainingPipelineInput!) { updateTrainingPipeline("
    "modelRun: {id : $modelRunId}, data: $data){status} }"
)


def test_nothing_is_told_at_first(gql: Gql, run: str) -> None:
    assert gql(READ, id=run)["trainingPipeline"] == {
        "status": None,
        "errorMessage": None,
        "metadata": None,
    }


def test_what_is_left_out_stays(gql: Gql, run: str) -> None:
    told = gql(
        TELL, modelRunId=run, data={"status": "FAILED", "errorMessage": "no memory"}
    )
    gql(TELL, modelRunId=run, data={"status": "EXPORTING_DATA", "errorMessage": None})

    assert told["updateTrainingPipeline"] == {"status": "FAILED"}
    assert gql(READ, id=run)["trainingPipeline"] == {
        "status": "EXPORTING_DATA",
        "errorMessage": "no memory",
        "metadata": None,
    }


def test_metadata_is_merged_key_by_key(gql: Gql, run: str) -> None:
    for metadata in ({"a": {"x": 1}, "b": "1"}, {"a": {"y": 2}, "c": None}, {}):
        data = {"status": "TRAINING_MODEL", "metadata": metadata}
        gql(TELL, modelRunId=run, data=data)

    assert gql(READ, id=run)["trainingPipeline"]["metadata"] == {
        "a": {"y": 2},
        "b": "1",
        "c": None,
    }


def test_a_status_changes_the_run_and_no_other(
    gql: Gql, run: str, model: str, clock: Any
) -> None:
    other = gql(
        'mutation R($m: ID!) { createModelRun(data: {name: "o", modelId: $m}) { id } }',
        m=model,
    )["createModelRun"]["id"]
    clock.seconds += 1
    gql(TELL, modelRunId=run, data={"status": "COMPLETE"})

    assert gql(READ, id=other)["trainingPipeline"]["status"] is None
    updated = gql(
        "query U($id: ID!) { modelRun(where: {id: $id}) { updatedAt } }", id=run
    )
    assert updated["modelRun"]["updatedAt"] == "2030-03-17T17:46:41.250Z"


def test_what_is_no_status_is_refused(refused: Gql, run: str) -> None:
    deep: Any = {}
    for _ in range(70):
        deep = {"deeper": deep}

    def code(data: Any) -> str:
        found: str = refused(TELL, modelRunId=run, data=data)[0]
        return found

    assert code({"status": "DONE"}) == "BAD_USER_INPUT"
    assert code({"status": "COMPLETE", "metadata": [1]}) == "BAD_USER_INPUT"
    assert code({"status": "COMPLETE", "metadata": deep}) == "BAD_USER_INPUT"


def test_a_run_that_is_gone_has_no_status(refused: Gql) -> None:
    expected = ("RESOURCE_NOT_FOUND", "ModelRun 'gone' not found")
    data = {"status": "COMPLETE"}

    assert refused(READ, id="gone") == expected
    assert refused(TELL, modelRunId="gone", data=data) == expected


def test_no_run_is_of_a_foundry_app(gql: Gql, refused: Gql, run: str) -> None:
    query = (
        "query GetModelRunCostInfoPyApi($modelRunId: ID!) { modelFoundryModelRunInfo("
        "where: {modelRunId: $modelRunId}) { cost status totalDataRows } }"
    )

    assert gql(query, modelRunId=run) == {"modelFoundryModelRunInfo": None}
    assert refused(query, modelRunId="gone")[0] == "RESOURCE_NOT_FOUND"

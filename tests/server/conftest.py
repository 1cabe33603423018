"""A twin in this process: the application over a store of its own."""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from reconciler.server.app import make_app
from reconciler.server.settings import ServerSettings
from reconciler.server.store.database import Store, open_store

Gql = Callable[..., Any]


class Clock:
    """A clock that stands still until it is told to move."""

    def __init__(self) -> None:
        self.seconds = 1_900_000_000.25

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Have one empty store to copy: making it is the slow part."""
    path = tmp_path_factory.mktemp("empty") / "store.db"
    open_store(path, clock=Clock()).close()
    return path


@pytest.fixture
def store(tmp_path: Path, clock: Clock, empty: Path) -> Iterator[Store]:
    path = tmp_path / "store.db"
    shutil.copy(empty, path)
    with open_store(path, clock=clock) as opened:
        yield opened


@pytest.fixture
def settings() -> ServerSettings:
    return ServerSettings(export_chunk_bytes=1000)


@pytest.fixture
def http(store: Store, settings: ServerSettings) -> Iterator[httpx.Client]:
    transport = httpx.WSGITransport(
        app=make_app(store, settings, frozenset({"sesame"}))
    )
    headers = {"Authorization": "Bearer sesame"}
    with httpx.Client(
        transport=transport, base_url="http://twin.test", headers=headers
    ) as client:
        yield client


@pytest.fixture
def answer(http: httpx.Client) -> Gql:
    """Ask, and get the whole body."""

    def ask(query: str, path: str = "/graphql", **variables: Any) -> Any:
        response = http.post(path, json={"query": query, "variables": variables})
        assert response.status_code == 200
        return response.json()

    return ask


@pytest.fixture
def gql(answer: Gql) -> Gql:
    """Ask, and get the data."""

    def ask(query: str, **variables: Any) -> Any:
        body = answer(query, **variables)
        assert "errors" not in body, body
        return body["data"]

    return ask


@pytest.fixture
def refused(answer: Gql) -> Gql:
    """Ask, and get code and message of the first error."""

    def ask(query: str, **variables: Any) -> tuple[str, str]:
        body = answer(query, **variables)
        assert body["data"] is None
        error = body["errors"][0]
        return error["extensions"]["code"], error["message"]

    return ask


@pytest.fixture
def upload(http: httpx.Client) -> Callable[..., str]:
    """Upload bytes and get their URL."""

    def send(content: bytes, name: str = "a.bin", kind: str = "text/plain") -> str:
        operations = {
            "query": "mutation U($file: Upload!, $contentLength: Int!, $sign: Boolean)"
            " { uploadFile(file: $file, contentLength: $contentLength, sign: $sign)"
            " { url filename } }",
            "variables": {"file": None, "contentLength": len(content), "sign": True},
        }
        response = http.post(
            "/graphql",
            data={
                "operations": json.dumps(operations),
                "map": json.dumps({"1": ["variables.file"]}),
            },
            files={"1": (name, content, kind)},
        )
        url: str = response.json()["data"]["uploadFile"]["url"]
        return url

    return send


@pytest.fixture
def dataset(gql: Gql) -> str:
    """Have a dataset and know its id."""
    created = gql('mutation { createDataset(data: {name: "streets"}) { id } }')
    identifier: str = created["createDataset"]["id"]
    return identifier


@pytest.fixture
def bring(gql: Gql, upload: Callable[..., str], dataset: str) -> Gql:
    """Import items, each a payload or a whole item, and get the task's id."""

    def send(*items: Mapping[str, Any]) -> str:
        whole = [
            item
            if "payload" in item
            else {
                "id": {"type": "AUTO", "value": ""},
                "payload": {"dataset_id": dataset, **item},
            }
            for item in items
        ]
        chunk = upload(json.dumps(whole).encode(), "application/json")
        manifest = {"source": "SDK", "item_count": len(whole), "chunk_uris": [chunk]}
        uri = upload(json.dumps(manifest).encode(), "manifest.json")
        task = gql(
            "mutation M($manifestUri: String!)"
            " { upsertDataRows(data: {manifestUri: $manifestUri}) { id status } }",
            manifestUri=uri,
        )
        assert task["upsertDataRows"]["status"] == "COMPLETE"
        identifier: str = task["upsertDataRows"]["id"]
        return identifier

    return send


@pytest.fixture
def keys(bring: Gql) -> Sequence[str]:
    """Have ten data rows and know their global keys."""
    named = [f"street-{number:02}" for number in range(10)]
    bring(*({"row_data": f"https://e.test/{k}.png", "global_key": k} for k in named))
    return named


@pytest.fixture
def ids(gql: Gql, keys: Sequence[str]) -> Mapping[str, str]:
    """Know the ids of the ten rows by their keys."""
    job = gql(
        "query J($globalKeys: [ID!]!)"
        " { dataRowsForGlobalKeys(where: {ids: $globalKeys}) { jobId } }",
        globalKeys=keys,
    )
    found = gql(
        "query R($jobId: ID!) { dataRowsForGlobalKeysResult(jobId: {id: $jobId})"
        " { data { fetchedDataRows { id } } } }",
        jobId=job["dataRowsForGlobalKeys"]["jobId"],
    )
    rows = found["dataRowsForGlobalKeysResult"]["data"]["fetchedDataRows"]
    return {key: row["id"] for key, row in zip(keys, rows, strict=True)}


@pytest.fixture
def model(gql: Gql) -> str:
    """Have a model and know its id."""
    ontology = gql(
        'mutation { upsertOntology(data: {name: "o", normalized: "{}"}) { id } }'
    )
    created = gql(
        "mutation M($name: String!, $ontologyId: ID!)"
        " { createModel(data: {name: $name, ontologyId: $ontologyId}) { id } }",
        name="detector",
        ontologyId=ontology["upsertOntology"]["id"],
    )
    identifier: str = created["createModel"]["id"]
    return identifier


@pytest.fixture
def run(gql: Gql, model: str) -> str:
    """Have a run and know its id."""
    created = gql(
        "mutation R($name: String!, $config: Json, $modelId: ID!)"
        " { createModelRun(data: {name: $name, trainingMetadata: $config,"
        " modelId: $modelId}) { id } }",
        name="first",
        config=None,
        modelId=model,
    )
    identifier: str = created["createModelRun"]["id"]
    return identifier


@pytest.fixture
def register(gql: Gql, run: str) -> Gql:
    """Bring rows into the run, by key or id, and get how the task ended."""

    def send(**named: Sequence[str]) -> Mapping[str, Any]:
        task = gql(
            "mutation A($modelRunId: ID!, $dataRowIds: [ID!], $globalKeys: [ID!])"
            " { createMEAModelRunDataRowRegistrationTask(where: {id: $modelRunId},"
            " data: {dataRowIds: $dataRowIds, globalKeys: $globalKeys}) }",
            modelRunId=run,
            **{"dataRowIds": None, "globalKeys": None, **named},
        )
        status: Mapping[str, Any] = gql(
            "query S($where: WhereUniqueIdInput!)"
            " { MEADataRowRegistrationTaskStatus(where: $where)"
            " { status errorMessage } }",
            where={"id": task["createMEAModelRunDataRowRegistrationTask"]},
        )["MEADataRowRegistrationTaskStatus"]
        return status

    return send


@pytest.fixture
def assign(gql: Gql, run: str) -> Gql:
    """Make split assignments and get how the task ended."""

    def send(*assignments: Mapping[str, Any]) -> Mapping[str, Any]:
        task = gql(
            "mutation A($m: ID!, $data: CreateAssignDataRowsToDataSplitTaskInput!)"
            " { createAssignDataRowsToDataSplitTask(modelRun: {id: $m}, data: $data) }",
            m=run,
            data={"assignments": assignments},
        )
        status: Mapping[str, Any] = gql(
            "query S($id: ID!) { assignDataRowsToDataSplitTaskStatus(where: {id: $id})"
            " { status errorMessage } }",
            id=task["createAssignDataRowsToDataSplitTask"],
        )["assignDataRowsToDataSplitTaskStatus"]
        return status

    return send


@pytest.fixture
def members(gql: Gql, run: str) -> Gql:
    """Read the whole run: splits by global key."""

    def read() -> Mapping[str, str]:
        found = gql(
            "query P($modelRunId: ID!) { annotationGroups(where: {modelRunId:"
            " {id: $modelRunId}}, first: 10000) { nodes { dataSplit dataRow"
            " { globalKey } } } }",
            modelRunId=run,
        )
        nodes = found["annotationGroups"]["nodes"]
        return {one["dataRow"]["globalKey"]: one["dataSplit"] for one in nodes}

    return read

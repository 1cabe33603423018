"""Slices, which the SDK reads and this server's own mutations make."""

from collections.abc import Iterator
from typing import Any

import pytest
from labelbox import (  # type: ignore[import-untyped]  # publishes no types
    Client,
    MediaType,
    ModelRun,
    OntologyBuilder,
    Tool,
)
from lbox.exceptions import (  # type: ignore[import-untyped]
    LabelboxError,
    ResourceNotFoundError,
)

from tests.sdk.site import served

KEYS = [f"street-{number:03}" for number in range(250)]

CREATE = (
    "mutation S($data: CreateSliceInput!) { createSlice(data: $data) { id filter } }"
)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with served(tmp_path_factory.mktemp("home")) as site:
        yield site.sdk()


@pytest.fixture(scope="module")
def dataset(client: Client) -> Any:
    made = client.create_dataset(name="streets")
    made.create_data_rows(
        [{"row_data": f"https://e.invalid/{k}.png", "global_key": k} for k in KEYS]
    ).wait_till_done()
    return made


@pytest.fixture(scope="module")
def run(client: Client, dataset: Any) -> ModelRun:
    builder = OntologyBuilder(tools=[Tool(tool=Tool.Type.BBOX, name="car")])
    ontology = client.create_ontology(
        "cars", builder.asdict(), media_type=MediaType.Image
    )
    made = client.create_model("detector", ontology.uid).create_model_run("first")
    made.upsert_data_rows(global_keys=KEYS)
    made.assign_data_rows_to_split(global_keys=KEYS[:240], split="TEST")
    return made


def make(client: Client, name: str, *clauses: dict[str, Any], **more: Any) -> str:
    """Make a slice and know its id."""
    data = {"name": name, "filter": list(clauses), **more}
    made = client.execute(CREATE, {"data": data})["createSlice"]
    assert made["filter"] == list(clauses)
    identifier: str = made["id"]
    return identifier


def test_a_slice_of_the_catalog_pages_through_its_rows(
    client: Client, dataset: Any
) -> None:
    made = make(
        client,
        "all streets",
        {"type": "dataset", "operator": "is", "ids": [dataset.uid]},
        description="d",
    )

    found = client.get_catalog_slice(made)
    rows = list(found.get_data_row_identifiers())

    assert (found.name, found.description) == ("all streets", "d")
    assert sorted(row.global_key.key for row in rows) == KEYS
    assert client.get_catalog_slice(slice_name="all streets").uid == made
    assert made in {one.uid for one in client.get_catalog_slices()}


def test_a_slice_of_a_model_pages_through_a_run(client: Client, run: ModelRun) -> None:
    clause = {"type": "data_split", "values": ["TEST"]}
    made = make(client, "tested", clause, modelId=run.model_id)

    found = client.get_model_slice(made)
    rows = list(found.get_data_row_identifiers(run.uid))

    assert found.filter == [clause]
    assert sorted(row.global_key.key for row in rows) == KEYS[:240]
    assert len({row.id.key for row in rows}) == 240
    assert made not in {one.uid for one in client.get_catalog_slices()}


def test_a_slice_follows_what_happens_in_a_run(client: Client, run: ModelRun) -> None:
    made = make(
        client, "with cars", {"type": "prediction", "feature": "car"},
        modelId=run.model_id,
    )  # fmt: skip
    found = client.get_model_slice(made)
    before = list(found.get_data_row_identifiers(run.uid))
    job = run.add_predictions(
        "p",
        [
            {
                "uuid": "6e9b0ea2-3b0a-4d0e-9e1c-111111111111",
                "dataRow": {"globalKey": KEYS[7]},
                "name": "car",
                "bbox": {"top": 1, "left": 2, "height": 3, "width": 4},
            }
        ],
    )
    job.wait_till_done()

    after = list(found.get_data_row_identifiers(run.uid))

    assert before == []
    assert [row.global_key.key for row in after] == [KEYS[7]]


def test_a_slice_is_deleted(client: Client, dataset: Any) -> None:
    made = make(client, "short lived")
    client.execute(
        "mutation D($id: ID!) { deleteSlice(where: {id: $id}) { id } }", {"id": made}
    )

    with pytest.raises(ResourceNotFoundError):
        client.get_catalog_slice(made)
    with pytest.raises(ResourceNotFoundError):
        client.get_model_slice(made)


def test_an_unknown_clause_is_refused_with_the_known_ones(client: Client) -> None:
    with pytest.raises(LabelboxError, match="dataset, global_key, label, metadata"):
        make(client, "impossible", {"type": "weather"})


def test_a_slice_of_the_catalog_is_exported(client: Client, dataset: Any) -> None:
    made = make(client, "two", {"type": "global_key", "ids": KEYS[:2]})

    task = client.get_catalog_slice(made).export()
    task.wait_till_done()

    lines = [one.json for one in task.get_buffered_stream()]
    assert {one["data_row"]["global_key"] for one in lines} == set(KEYS[:2])

"""Ontologies and feature schemas by the official SDK."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from labelbox import (  # type: ignore[import-untyped]  # publishes no types
    Classification,
    Client,
    OntologyBuilder,
    Option,
    Tool,
)
from labelbox.schema.media_type import MediaType  # type: ignore[import-untyped]
from lbox.exceptions import (  # type: ignore[import-untyped]
    LabelboxError,
    ResourceNotFoundError,
)

from tests.sdk.inside import client_of, inside


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with inside(tmp_path) as url:
        yield client_of(url)


def cat() -> Any:
    breeds = [Option(value="tabby"), Option(value="siamese")]
    breed = Classification(
        class_type=Classification.Type.RADIO, name="breed", options=breeds
    )
    return Tool(tool=Tool.Type.BBOX, name="cat", classifications=[breed])


def test_a_feature_schema_is_found_by_its_id_and_by_its_name(client: Client) -> None:
    made = client.create_feature_schema(cat().asdict())

    found = client.get_feature_schema(made.uid)
    assert found.normalized == made.normalized
    assert len(made.normalized["classifications"][0]["featureSchemaId"]) == 25
    assert [one.uid for one in client.get_feature_schemas("CA")] == [made.uid]
    assert list(client.get_feature_schemas("dog")) == []


def test_what_an_ontology_has_is_found_as_feature_schemas(client: Client) -> None:
    built = OntologyBuilder(
        tools=[cat()],
        classifications=[
            Classification(class_type=Classification.Type.TEXT, name="remark")
        ],
    )
    ontology = client.create_ontology("pets", built.asdict(), MediaType.Image)

    nodes = [*ontology.normalized["tools"], *ontology.normalized["classifications"]]
    found = {one.name: one.normalized for one in client.get_feature_schemas("")}
    assert found == {"cat": nodes[0], "remark": nodes[1]}


def test_an_ontology_of_feature_schemas_has_their_ids(client: Client) -> None:
    made = client.create_feature_schema(cat().asdict())
    ontology = client.create_ontology_from_feature_schemas(
        "pets", [made.uid], MediaType.Image
    )

    (tool,) = client.get_ontology(ontology.uid).normalized["tools"]
    assert tool == made.normalized
    assert [one.uid for one in client.get_feature_schemas("cat")] == [made.uid]


def test_feature_schemas_come_in_pages(client: Client) -> None:
    names = [f"tool-{number:03}" for number in range(101)]
    tools = [Tool(tool=Tool.Type.POINT, name=name) for name in names]
    client.create_ontology("many", OntologyBuilder(tools=tools).asdict())

    assert [one.name for one in client.get_feature_schemas("tool")] == names[::-1]


def test_an_ontology_is_deleted_unless_a_model_has_it(client: Client) -> None:
    ontology = client.create_ontology("pets", OntologyBuilder(tools=[cat()]).asdict())
    client.delete_unused_ontology(ontology.uid)
    with pytest.raises(ResourceNotFoundError):
        client.get_ontology(ontology.uid)

    other = client.create_ontology("pets", OntologyBuilder(tools=[cat()]).asdict())
    client.create_model("detector", other.uid)
    with pytest.raises(LabelboxError, match="used by the model 'detector'"):
        client.delete_unused_ontology(other.uid)
    assert client.get_ontology(other.uid).name == "pets"


def test_a_feature_schema_is_deleted_unless_an_ontology_has_it(client: Client) -> None:
    made = client.create_feature_schema(cat().asdict())
    ontology = client.create_ontology_from_feature_schemas(
        "pets", [made.uid], MediaType.Image
    )
    with pytest.raises(LabelboxError, match="used by the ontology 'pets'"):
        client.delete_unused_feature_schema(made.uid)
    assert client.is_feature_schema_archived(ontology.uid, made.uid) is False

    client.delete_unused_ontology(ontology.uid)
    client.delete_unused_feature_schema(made.uid)

    assert list(client.get_feature_schemas("cat")) == []
    with pytest.raises(LabelboxError, match="not found"):
        client.delete_unused_feature_schema(made.uid)


def test_an_ontology_that_isnt_there_is_not_found(client: Client) -> None:
    with pytest.raises(ResourceNotFoundError):
        client.is_feature_schema_archived("gone", "gone")

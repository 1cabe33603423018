"""Ten photos of pets, a model run of nine of them, and a project of the same nine."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from labelbox import Client  # type: ignore[import-untyped]  # publishes no types
from labelbox.schema.media_type import MediaType  # type: ignore[import-untyped]

from tests.support.annotation_files import ONTOLOGY

KEYS = [f"pet-{number}" for number in range(10)]


@dataclass(frozen=True, slots=True)
class Pets:
    """What imports go to.

    Attributes:
        client: The official SDK.
        run: A run with nine of the rows.
        project: A project with the same.
        ids: The ids of all rows, by global key.
    """

    client: Client
    run: Any
    project: Any
    ids: Mapping[str, str]


def kept(client: Client) -> Pets:
    """Bring them to a server, all by the SDK."""
    dataset = client.create_dataset(name="pets")
    task = dataset.create_data_rows(
        [{"row_data": f"https://e.test/{key}.png", "global_key": key} for key in KEYS]
    )
    task.wait_till_done()
    ids = client.get_data_row_ids_for_global_keys(KEYS)["results"]
    ontology = client.create_ontology("pets", dict(ONTOLOGY), MediaType.Image)
    run = client.create_model("pets", ontology.uid).create_model_run("first")
    assert run.upsert_data_rows(global_keys=KEYS[:9])
    project = client.create_project(name="pets", media_type=MediaType.Image)
    project.connect_ontology(ontology)
    project.create_batch("first", global_keys=KEYS[:9])
    return Pets(client, run, project, dict(zip(KEYS, ids, strict=True)))

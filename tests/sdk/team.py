"""A team's data on a server: rows, an ontology, a model, and labels in a project."""

import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import labelbox.types as lb  # type: ignore[import-untyped]  # publishes no types
import pytest
from labelbox import (
    Classification,
    Client,
    OntologyBuilder,
    Option,
    Tool,
)
from labelbox.schema.annotation_import import (  # type: ignore[import-untyped]
    LabelImport,
    MEAPredictionImport,
)
from labelbox.schema.media_type import MediaType  # type: ignore[import-untyped]

ROWS = 200
LABELLED = 20
"""So many of the rows, from the first, have a cat drawn on them."""


@contextmanager
def short_sleeps() -> Iterator[None]:
    """Let the SDK wait for a moment where it would wait for seconds."""
    sleep = time.sleep
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "sleep", lambda seconds: sleep(min(seconds, 0.01)))
        yield


def key(number: int) -> str:
    """Name a row of the team's dataset."""
    return f"photo-{number:03}.jpg"


@dataclass(frozen=True, slots=True)
class Team:
    """What a team has before it trains its first model.

    Attributes:
        client: The official SDK.
        dataset: 200 photos.
        keys: Their global keys, in order.
        ids: Their ids, in the same order.
        ontology: Boxes of cats (of a breed, with a fur) and dogs, and the weather.
        project: Where the first twenty were labelled.
        labels: The ids of the labels, in the order of the rows.
    """

    client: Client
    dataset: Any
    keys: list[str]
    ids: list[str]
    ontology: Any
    project: Any
    labels: list[str]


def founded(client: Client) -> Team:
    """Bring a team's data to a server, all of it by the SDK."""
    keys = [key(number) for number in range(ROWS)]
    dataset = client.create_dataset(name="photos")
    task = dataset.create_data_rows([_photo(one) for one in keys])
    task.wait_till_done()
    assert task.status == "COMPLETE"
    assert task.errors is None
    ids = client.get_data_row_ids_for_global_keys(keys)["results"]
    ontology = client.create_ontology("pets", _pets(), media_type=MediaType.Image)
    project = client.create_project(name="pets", media_type=MediaType.Image)
    project.connect_ontology(ontology)
    project.create_batch("first", data_rows=ids[:LABELLED])
    drawn = [box(one) for one in keys[:LABELLED]]
    job = LabelImport.create_from_objects(client, project.uid, "drawn", drawn)
    job.wait_till_done()
    assert job.errors == []
    return Team(client, dataset, keys, ids, ontology, project, _labels(project, ids))


def box(global_key: str, *, name: str = "cat", left: float = 1.0, **more: Any) -> Any:
    """Draw a box on a row, as NDJSON says it."""
    return {
        "uuid": str(uuid.uuid4()),
        "dataRow": {"globalKey": global_key},
        "name": name,
        "bbox": {"top": 2.0, "left": left, "height": 3.0, "width": 4.0},
        **more,
    }


def on(global_key: str, *annotations: Any) -> Any:
    """Put annotations, as Python classes, on a row."""
    return lb.Label(data={"global_key": global_key}, annotations=list(annotations))


def upload(run: Any, predictions: Sequence[Any], name: str = "") -> MEAPredictionImport:
    """Upload predictions to a run; none of them may fail."""
    job = run.add_predictions(name or str(uuid.uuid4()), list(predictions))
    job.wait_till_done()
    assert job.state.name == "FINISHED"
    assert job.errors == []
    return job


def exported(run: Any, **params: bool) -> dict[str, Any]:
    """Export a run: what is said of each row in it, by global key."""
    task = run.export(params=params)
    task.wait_till_done()
    assert task.status == "COMPLETE"
    lines = [line.json for line in task.get_buffered_stream()]
    return {
        line["data_row"]["global_key"]: line
        | line["experiments"][run.model_id]["runs"][run.uid]
        for line in lines
    }


def _photo(global_key: str) -> dict[str, str]:
    url = f"https://photos.example/{global_key}"
    return {"row_data": url, "global_key": global_key, "external_id": global_key}


def _pets() -> dict[str, Any]:
    radio = Classification.Type.RADIO
    options = [Option(value="tabby"), Option(value="siamese")]
    breed = Classification(class_type=radio, name="breed", options=options)
    furs = [Option(value="orange"), Option(value="black")]
    fur = Classification(class_type=radio, name="fur", options=furs)
    kind = Tool.Type.BBOX
    weather = Classification(
        class_type=radio,
        name="weather",
        options=[Option(value="sun"), Option(value="rain")],
    )
    cat = Tool(tool=kind, name="cat", classifications=[breed, fur])
    pets = OntologyBuilder(
        tools=[cat, Tool(tool=kind, name="dog")], classifications=[weather]
    )
    made: dict[str, Any] = pets.asdict()
    return made


def _labels(project: Any, ids: Sequence[str]) -> list[str]:
    task = project.export(params={"data_row_details": True})
    task.wait_till_done()
    found = {
        line.json["data_row"]["id"]: line.json["projects"][project.uid]["labels"]
        for line in task.get_buffered_stream()
    }
    return [found[one][0]["id"] for one in ids[:LABELLED]]

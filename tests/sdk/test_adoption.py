"""What was made by hand, with the official SDK, is adopted as it is."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from labelbox import (  # type: ignore[import-untyped]  # publishes no types
    Classification,
    Client,
    MediaType,
    OntologyBuilder,
    Option,
    Tool,
)

from tests.sdk.site import Checkout, Site, config_of, run_of, served, splits_of

WORKSPACE = """\
apiVersion: reconciler/v1
kind: Workspace
name: adopted
remote: labelbox
"""

REFERENCES = """\
apiVersion: reconciler/v1
kind: Ontology
name: cars
---
apiVersion: reconciler/v1
kind: Dataset
name: streets
---
"""

DESCRIBED = """\
apiVersion: reconciler/v1
kind: Ontology
name: cars
mediaType: IMAGE
tools:
  - tool: rectangle
    name: car
    classifications: [{type: text, name: plate}]
  - {tool: raster-segmentation, name: sky, required: true}
classifications:
  - name: weather
    type: radio
    options:
      - dry
      - value: wet
        label: It rains
        classifications: [{type: checklist, name: what, options: [rain, hail]}]
  - {name: note, type: text, scope: index, instructions: Anything else}
---
apiVersion: reconciler/v1
kind: Dataset
name: streets
files: [{file: rows.csv, columns: {globalKey: key, rowData: url}}]
---
"""

ROWS = """\
key,url
s1,https://images.invalid/s1.png
s2,https://images.invalid/s2.png
s3,https://images.invalid/s3.png
"""

MODEL = """\
apiVersion: reconciler/v1
kind: Model
name: {name}
ontology: cars
"""

RUN = """\
---
apiVersion: reconciler/v1
kind: ModelRun
model: cars
name: by hand
config:
  learning_rate: 1e-3
  epochs: 10
rows:
  globalKeys: [s1, s2, s3]
  splits:
    lists: {TRAINING: [s1, s2], TEST: [s3]}
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server where somebody has made an ontology and a dataset by hand."""
    with served(tmp_path_factory.mktemp("adoption") / "home") as site:
        client = site.sdk()
        make_ontology(client)
        dataset = client.create_dataset(name="streets")
        task = dataset.create_data_rows(
            [
                {
                    "row_data": f"https://images.invalid/{key}.png",
                    "global_key": key,
                    "media_type": "IMAGE",
                }
                for key in ("s1", "s2", "s3")
            ]
        )
        task.wait_till_done()
        assert task.errors is None
        yield site


def make_ontology(client: Client) -> None:
    kinds, scopes = Classification.Type, Classification.Scope
    plate = Classification(class_type=kinds.TEXT, name="plate")
    what = Classification(
        class_type=kinds.CHECKLIST,
        name="what",
        options=[Option(value="rain"), Option(value="hail")],
    )
    weather = Classification(
        class_type=kinds.RADIO,
        name="weather",
        options=[
            Option(value="dry"),
            Option(value="wet", label="It rains", options=[what]),
        ],
    )
    note = Classification(
        class_type=kinds.TEXT,
        name="note",
        instructions="Anything else",
        scope=scopes.INDEX,
    )
    builder = OntologyBuilder(
        tools=[
            Tool(tool=Tool.Type.BBOX, name="car", classifications=[plate]),
            Tool(tool=Tool.Type.RASTER_SEGMENTATION, name="sky", required=True),
        ],
        classifications=[weather, note],
    )
    client.create_ontology("cars", builder.asdict(), media_type=MediaType.Image)


def make_model(client: Client, name: str) -> Any:
    (ontology,) = client.get_ontologies("cars")
    return client.create_model(name, ontology.uid)


def make_run(client: Client) -> Any:
    config = {"learning_rate": 1e-3, "epochs": 10}
    run = make_model(client, "cars").create_model_run("by hand", config=config)
    assert run.upsert_data_rows(global_keys=["s1", "s2", "s3"])
    assert run.assign_data_rows_to_split(global_keys=["s1", "s2"], split="TRAINING")
    assert run.assign_data_rows_to_split(global_keys=["s3"], split="TEST")
    return run


def make_checkout(root: Path, site: Site, manifests: str) -> Checkout:
    (root / "specs").mkdir(parents=True)
    (root / "reconciler.yaml").write_text(WORKSPACE)
    (root / "specs" / "all.yaml").write_text(manifests)
    (root / "specs" / "rows.csv").write_text(ROWS)
    return Checkout(root, site)


def contents(store: Path) -> list[str]:
    """Everything in a store, as SQL."""
    with closing(sqlite3.connect(f"{store.as_uri()}?mode=ro", uri=True)) as db:
        return list(db.iterdump())


def test_a_run_made_by_hand_is_adopted_and_nothing_is_written(
    site: Site, tmp_path: Path
) -> None:
    run = make_run(site.sdk())
    manifests = REFERENCES + MODEL.format(name="cars") + RUN
    checkout = make_checkout(tmp_path, site, manifests)
    before = contents(site.store)
    assert any("by hand" in line for line in before)

    plan = checkout.plan()
    assert (plan["exit_code"], plan["changed"]) == (0, False)
    assert {one["address"]: one["action"] for one in plan["changes"]} == {
        "ontology/cars": "keep",
        "dataset/streets": "keep",
        "model/cars": "adopt",
        "run/cars/by%20hand": "adopt",
    }
    checkout.apply()
    assert contents(site.store) == before
    assert set(checkout.actions().values()) == {"keep"}

    found = run_of(site.sdk(), "cars", "by hand")
    assert (found.uid, found.updated_at) == (run.uid, run.updated_at)
    assert config_of(found) == '{"epochs": 10, "learning_rate": 0.001}'
    assert splits_of(found) == {"s1": "TRAINING", "s2": "TRAINING", "s3": "TEST"}


def test_an_ontology_and_a_dataset_that_are_described_are_adopted_as_they_are(
    site: Site, tmp_path: Path
) -> None:
    checkout = make_checkout(tmp_path, site, DESCRIBED)
    before = contents(site.store)

    assert checkout.drift() == {}
    assert set(checkout.actions().values()) == {"adopt"}
    checkout.apply()
    assert contents(site.store) == before
    assert set(checkout.actions().values()) == {"keep"}


def test_two_models_of_one_name_are_both_named_and_an_id_chooses(
    site: Site, tmp_path: Path
) -> None:
    client = site.sdk()
    made = [make_model(client, "trucks").uid for _ in range(2)]
    manifests = REFERENCES + MODEL.format(name="trucks")
    checkout = make_checkout(tmp_path, site, manifests)

    ended = checkout.reconciler("plan")
    assert ended.code == 1
    assert f"2 models are called 'trucks': {', '.join(sorted(made))}" in ended.err

    with (tmp_path / "specs" / "all.yaml").open("a") as manifest:
        manifest.write(f"id: {made[1]}\n")
    plan = checkout.plan()
    assert plan["exit_code"] == 0
    model = next(one for one in plan["changes"] if one["address"] == "model/trucks")
    assert (model["action"], model["id"]) == ("adopt", made[1])

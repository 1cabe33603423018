"""What the guide does by calls, said by manifests: the README's table, row by row.

Each test declares one thing in a run of its own, looks at what the plan shows,
applies it, and reads it back by the official SDK.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from labelbox import Client  # type: ignore[import-untyped]  # publishes no types

from tests.sdk.site import Checkout, config_of, run_of, served, splits_of
from tests.sdk.team import exported, short_sleeps

KEYS = ("photo-1", "photo-2", "photo-3")

WORKSPACE = """\
apiVersion: reconciler/v1
kind: Workspace
name: pets
remote: labelbox
"""

PETS = """\
apiVersion: reconciler/v1
kind: Ontology
name: pets
mediaType: IMAGE
tools:
  - tool: rectangle
    name: cat
    classifications: [{type: radio, name: fur, options: [orange, black]}]
  - {tool: rectangle, name: dog}
---
apiVersion: reconciler/v1
kind: Dataset
name: photos
files: [{file: photos.csv, columns: {globalKey: key, rowData: url}, mediaType: IMAGE}]
---
apiVersion: reconciler/v1
kind: Project
name: pets
ontology: pets
dataset: photos
labels: [{file: truth.ndjson}]
---
apiVersion: reconciler/v1
kind: Model
name: pets
ontology: pets
"""

RUN = """\
apiVersion: reconciler/v1
kind: ModelRun
model: pets
name: {name}
{fields}
"""

ROWS = "rows: {globalKeys: [photo-1, photo-2, photo-3]}\n"


def box(key: str, left: float, **more: Any) -> str:
    """Say where a cat is, as a line of an import."""
    bbox = {"top": 2, "left": left, "height": 3, "width": 4}
    row = {"dataRow": {"globalKey": key}, "name": "cat", "bbox": bbox}
    return json.dumps({**row, **more})


@dataclass(frozen=True, slots=True)
class Declared:
    """A workspace whose runs are declared one by one, on a server.

    Attributes:
        folder: Where its manifests are.
        client: The official SDK.
        checkout: The workspace.
    """

    folder: Path
    client: Client
    checkout: Checkout

    def declare(self, name: str, fields: str) -> None:
        """Write the manifest of a run."""
        text = RUN.format(name=name, fields=fields)
        (self.folder / f"{name}.yaml").write_text(text)

    def file(self, name: str, *lines: str) -> None:
        """Write a file beside the manifests."""
        (self.folder / name).write_text("".join(f"{line}\n" for line in lines))

    def shown(self, name: str) -> str:
        """Plan, and give the lines about a run."""
        ended = self.checkout.reconciler("plan")
        assert ended.code == 0, ended.err
        blocks = ended.out.split("\n\n")
        return next(one for one in blocks if f"run/pets/{name} " in one)

    def applied(self, name: str) -> Any:
        """Apply, see that nothing is left to do, and give the SDK's run."""
        self.checkout.apply()
        assert self.checkout.drift() == {}
        return run_of(self.client, "pets", name)


@pytest.fixture(scope="module")
def declared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Declared]:
    root = tmp_path_factory.mktemp("declared")
    folder = root / "pets" / "specs"
    folder.mkdir(parents=True)
    (root / "pets" / "reconciler.yaml").write_text(WORKSPACE)
    (folder / "pets.yaml").write_text(PETS)
    photos = [f"{key},https://example.test/{key}.jpg" for key in KEYS]
    (folder / "photos.csv").write_text("\n".join(["key,url", *photos, ""]))
    (folder / "truth.ndjson").write_text(f"{box('photo-1', 1)}\n{box('photo-2', 5)}\n")
    with served(root / "home") as site, short_sleeps():
        checkout = Checkout(root / "pets", site)
        checkout.apply()
        yield Declared(folder, site.sdk(), checkout)


def test_a_document_is_a_run_of_its_model(declared: Declared) -> None:
    declared.declare("created", "")
    assert "+ run/pets/created" in declared.shown("created")
    run = declared.applied("created")
    (model,) = (one for one in declared.client.get_models() if one.name == "pets")
    assert "created" in {one.name for one in model.model_runs()}
    assert declared.client.get_model_run(run.uid).name == "created"


def test_config_is_the_config(declared: Declared) -> None:
    declared.declare("configured", "config: {learning_rate: 1e-3, batch_size: 32}")
    assert "+ config.learning_rate: 0.001" in declared.shown("configured")
    run = declared.applied("configured")
    assert config_of(run) == '{"batch_size": 32, "learning_rate": 0.001}'


def test_a_changed_config_replaces_the_old_one(declared: Declared) -> None:
    declared.declare("updated", "config: {lr: 0.1, momentum: 0.9}")
    declared.applied("updated")
    declared.declare("updated", "config: {lr: 0.2}")
    shown = declared.shown("updated")
    assert "~ config.lr: 0.1 -> 0.2" in shown
    assert "- config.momentum: 0.9" in shown
    assert config_of(declared.applied("updated")) == '{"lr": 0.2}'


def test_an_empty_config_resets_it(declared: Declared) -> None:
    declared.declare("reset", "config: {lr: 0.1}")
    declared.applied("reset")
    declared.declare("reset", "config: {}")
    assert "- config.lr: 0.1" in declared.shown("reset")
    assert not declared.applied("reset").get_config()


@pytest.mark.parametrize("how", ["globalKeys", "dataRowIds"])
def test_rows_are_named_by_key_or_by_id(declared: Declared, how: str) -> None:
    keys = list(KEYS[:2])
    ids = declared.client.get_data_row_ids_for_global_keys(keys)["results"]
    names = keys if how == "globalKeys" else ids
    declared.declare(how, f"rows: {{{how}: {json.dumps(names)}}}")
    assert "+ add 2 rows" in declared.shown(how)
    run = declared.applied(how)
    assert set(splits_of(run)) == set(keys)


def test_splits_put_rows_into_training_validation_and_test(declared: Declared) -> None:
    rule = "{TRAINING: '[:1]', VALIDATION: '[1:2]', TEST: '[2:]'}"
    keys = "[photo-1, photo-2, photo-3]"
    declared.declare(
        "split", f"rows: {{globalKeys: {keys}, splits: {{positions: {rule}}}}}"
    )
    shown = declared.shown("split")
    assert "+ add 1 row to TRAINING: photo-1" in shown
    run = declared.applied("split")
    expected = {"photo-1": "TRAINING", "photo-2": "VALIDATION", "photo-3": "TEST"}
    assert splits_of(run) == expected


def test_a_row_that_leaves_the_list_leaves_the_run(declared: Declared) -> None:
    declared.declare("fewer", ROWS)
    declared.applied("fewer")
    declared.declare("fewer", "rows: {globalKeys: [photo-1, photo-2]}")
    assert "- remove 1 row: photo-3" in declared.shown("fewer")
    assert set(splits_of(declared.applied("fewer"))) == {"photo-1", "photo-2"}


def test_predictions_bring_custom_metrics_of_their_own(declared: Declared) -> None:
    metrics = [{"name": "iou", "value": 0.5}, {"name": "tagsCount", "value": 43}]
    declared.file(
        "seen.ndjson", box("photo-1", 1, confidence=0.9, customMetrics=metrics)
    )
    declared.declare("predicted", f"{ROWS}predictions: [{{file: seen.ndjson}}]")
    assert "+ send 1 prediction" in declared.shown("predicted")
    run = declared.applied("predicted")
    said = exported(run, predictions=True)["photo-1"]["predictions"]
    (found,) = said[0]["annotations"]["objects"]
    assert found["bounding_box"]["left"] == 1
    assert found["confidence"] == 0.9
    assert found["custom_metrics"] == metrics


def test_a_prediction_is_sent_once(declared: Declared) -> None:
    declared.file("once.ndjson", box("photo-1", 1), box("photo-2", 1))
    declared.declare("once", f"{ROWS}predictions: [{{file: once.ndjson}}]")
    run = declared.applied("once")
    declared.file("once.ndjson", box("photo-2", 1), box("photo-1", 1))
    assert "run/pets/once" not in declared.checkout.drift()
    said = exported(run, predictions=True)["photo-1"]["predictions"]
    assert len(said[0]["annotations"]["objects"]) == 1


METRICS = """\
metrics:
  - {globalKey: photo-1, name: iou_custom, value: 0.5}
  - {globalKey: photo-1, name: iou_custom, feature: cat, value: 0.6}
  - {globalKey: photo-1, name: iou_custom, feature: cat, subclass: orange, value: 0.7}
"""


def test_scalar_metrics_are_of_rows_features_and_nested_features(
    declared: Declared,
) -> None:
    declared.declare("measured", ROWS + METRICS)
    assert "+ send 3 metrics" in declared.shown("measured")
    run = declared.applied("measured")
    said = exported(run, predictions=True)["photo-1"]["metrics"]
    assert {
        (one.get("feature_name"), one.get("subclass_name")): one["metric_value"]
        for one in said
    } == {(None, None): 0.5, ("cat", None): 0.6, ("cat", "orange"): 0.7}
    assert {one["aggregation"] for one in said} == {"ARITHMETIC_MEAN"}


def test_metrics_say_how_they_are_aggregated(declared: Declared) -> None:
    metrics = (
        "metrics:\n"
        "  - {globalKey: photo-1, name: true_positives, feature: cat, value: 3, "
        "aggregation: SUM}\n"
        "  - {globalKey: photo-1, name: counts, value: [1, 2, 3, 4]}\n"
    )
    declared.declare("aggregated", ROWS + metrics)
    run = declared.applied("aggregated")
    said = exported(run, predictions=True)["photo-1"]["metrics"]
    assert {one["metric_name"]: one["aggregation"] for one in said} == {
        "true_positives": "SUM",
        "counts": "CONFUSION_MATRIX",
    }


def test_labels_are_named_by_id(declared: Declared) -> None:
    (project,) = (one for one in declared.client.get_projects() if one.name == "pets")
    labels = {one.data_row().global_key: one.uid for one in project.labels()}
    fields = f"{ROWS}labels: {{labelIds: [{labels['photo-1']}]}}"
    declared.declare("labelled-by-id", fields)
    assert "+ add 1 label" in declared.shown("labelled-by-id")
    run = declared.applied("labelled-by-id")
    rows = {one.data_row().global_key: one for one in run.model_run_data_rows()}
    assert rows["photo-1"].label_id == labels["photo-1"]
    assert rows["photo-2"].label_id is None


def test_labels_of_a_project_are_pinned(declared: Declared) -> None:
    declared.declare("labelled", f"{ROWS}labels: {{project: pets}}")
    assert declared.checkout.reconciler("plan").code == 1  # no lock yet
    locked = declared.checkout.command("lock")
    assert locked.code == 0, locked.err
    assert "+ add 2 labels" in declared.shown("labelled")
    run = declared.applied("labelled")
    said = exported(run)
    for key, left in (("photo-1", 1), ("photo-2", 5)):
        (found,) = said[key]["labels"][0]["annotations"]["objects"]
        assert found["bounding_box"]["left"] == left


def test_an_export_has_what_the_sdks_has(declared: Declared, tmp_path: Path) -> None:
    declared.file("kept.ndjson", box("photo-1", 3))
    declared.declare("kept", f"{ROWS}predictions: [{{file: kept.ndjson}}]")
    run = declared.applied("kept")
    to = tmp_path / "kept"
    ended = declared.checkout.command(
        "export", "run/pets/kept", "--to", str(to), "--data-row-details"
    )
    assert ended.code == 0, ended.err
    lines = map(json.loads, (to / "export.ndjson").read_text().splitlines())
    ours = {line["data_row"]["global_key"]: line["data_row"] for line in lines}
    theirs = exported(run, predictions=True, data_row_details=True)
    assert ours == {key: said["data_row"] for key, said in theirs.items()}


def test_status_says_how_far_the_training_is(declared: Declared) -> None:
    fields = "status: {status: TRAINING_MODEL, metadata: {gpu: none}}"
    declared.declare("trained", fields)
    assert "status" in declared.shown("trained")
    run = declared.applied("trained")
    found = declared.client.execute(
        "query P($id: ID!) {trainingPipeline(where: {id: $id}) {status metadata}}",
        {"id": run.uid},
        experimental=True,
    )["trainingPipeline"]
    assert found == {"status": "TRAINING_MODEL", "metadata": {"gpu": "none"}}

import json
from pathlib import Path

from tests.cli.conftest import Command

SWEEP = """\
---
apiVersion: reconciler/v1
kind: ModelRun
model: animals
name: sweep-{optimizer.lr}
configFrom: {name: shared}
matrix: {axes: {optimizer.lr: [1e-4, 0.1]}}
---
apiVersion: reconciler/v1
kind: ModelRun
model: animals
name: plain
config: {seed: 1}
"""


def _add(workspace: Path, file: str, text: str) -> None:
    with (workspace / "specs" / file).open("a") as out:
        out.write(text)


def test_every_run_is_listed_with_what_it_sets(
    workspace: Path, reconciler: Command
) -> None:
    _add(workspace, "runs.yaml", SWEEP)

    valid = reconciler("validate", "--expand")

    assert valid.code == 0
    assert valid.out == (
        "run/animals/first\n"
        "run/animals/second  optimizer.lr: 0.0001 -> 0.01\n"
        "run/animals/sweep-0.0001\n"
        "run/animals/sweep-0.1  optimizer.lr: 0.0001 -> 0.1\n"
        "run/animals/plain\n"
        "Valid: 8 objects in the workspace small.\n"
    )


def test_a_path_narrows_which_runs_are_listed(
    workspace: Path, reconciler: Command
) -> None:
    (workspace / "specs" / "sweep.yaml").write_text(SWEEP.removeprefix("---\n"))

    valid = reconciler("validate", "--expand", "specs/sweep.yaml")

    assert valid.out.splitlines()[:3] == [
        "run/animals/sweep-0.0001",
        "run/animals/sweep-0.1  optimizer.lr: 0.0001 -> 0.1",
        "run/animals/plain",
    ]


def test_runs_are_listed_for_programs(workspace: Path, reconciler: Command) -> None:
    _add(workspace, "runs.yaml", SWEEP)

    said = json.loads(reconciler("validate", "--expand", "--output", "json").out)

    assert said["warnings"] == []
    assert said["runs"][3] == {
        "address": "run/animals/sweep-0.1",
        "fields": [{"path": ["optimizer", "lr"], "before": 0.0001, "after": 0.1}],
    }


def test_runs_are_listed_only_when_asked_for(reconciler: Command) -> None:
    assert "runs" not in json.loads(reconciler("validate", "--output", "json").out)


def test_predictions_are_checked_where_the_ontology_is_declared(
    workspace: Path, reconciler: Command
) -> None:
    _add(workspace, "runs.yaml", "predictions: [{file: p.ndjson}]\n")
    _add(
        workspace,
        "p.ndjson",
        '{"name": "animal", "dataRow": {"globalKey": "n1"}, "answer": {"name": "cow"}}\n',
    )

    invalid = reconciler("validate")

    assert invalid.code == 1
    assert "specs/p.ndjson:1:71: 'animal' has no option 'cow'" in invalid.err


def test_warnings_are_said_and_stop_nothing(
    workspace: Path, reconciler: Command
) -> None:
    waiver = "waivers: [{check: frozen-trained-on, reason: x, expires: 2999-12-31}]\n"
    _add(workspace, "runs.yaml", waiver)

    said = reconciler("validate")
    document = json.loads(reconciler("validate", "--output", "json").out)

    assert said.code == 0
    assert said.out == "Valid: 5 objects in the workspace small.\n"
    assert said.err.startswith("Warning: specs/runs.yaml:27:11: nothing is found of")
    assert [one["code"] for one in document["warnings"]] == ["waiver-unused"]

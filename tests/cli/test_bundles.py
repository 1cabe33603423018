"""Runs taken out of a remote, made again, and compared, as users type it."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.support.workspaces import WORKSPACE


@pytest.fixture
def applied(reconciler: Command) -> Command:
    """Have the small workspace applied to its embedded server."""
    assert reconciler("apply", "--auto-approve").code == 0
    return reconciler


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_a_run_is_exported_made_again_and_verified(
    workspace: Path, applied: Command
) -> None:
    exported = applied("export", "run/animals/first", "--to", "../bundle")
    made = applied("apply", "../bundle", "--auto-approve")
    verified = applied("verify", "../bundle")

    assert exported.code == made.code == verified.code == 0
    assert exported.out == (
        "Exported run/animals/first to ../bundle: 5 data rows, 0 labels, "
        "0 predictions, 0 metrics.\n"
    )
    assert verified.out == (
        "The same: config, ontology, members, splits, labels, predictions, metrics, "
        "status of run/animals/first.\n"
    )
    assert (workspace.parent / "bundle" / ".reconciler").is_dir()


def test_what_differs_is_said_and_ends_with_2(
    workspace: Path, applied: Command
) -> None:
    applied("export", "run/animals/first", "--to", "../bundle")
    edit(workspace / "specs" / "notes.csv", "n4,a dog barked,TEST", "n4,a dog barked,")
    edit(workspace / "specs" / "runs.yaml", "batch_size: 32", "batch_size: 64")
    applied("apply", "--auto-approve")

    verified = applied("verify", "../bundle", "--workspace", ".")
    declared = applied("verify", "run/animals/first")

    assert verified.code == 2
    said = verified.out.splitlines()
    assert said[0].startswith("  config: sha256:")
    assert ", and should be sha256:" in said[0]
    assert said[1] == "    config.batch_size: 64 -> 32"
    assert said[2].startswith("  splits: sha256:")
    assert said[3:] == [
        "  data row n4: other splits",
        "Different: config, splits of run/animals/first.",
    ]
    assert declared.code == 0


def test_a_bundle_that_was_not_applied_yet_is_told(
    workspace: Path, applied: Command
) -> None:
    applied("export", "run/animals/first", "--to", "../bundle")

    verified = applied("verify", "../bundle")

    folder = workspace.parent.resolve() / "bundle"
    assert verified.code == 1
    assert f"the embedded server of {folder}: there is no model" in verified.err
    assert "apply ../bundle first, or name the workspace" in verified.err


def test_which_side_has_a_row_is_said(workspace: Path, applied: Command) -> None:
    applied("export", "run/animals/first", "--to", "../bundle")
    edit(workspace / "specs" / "runs.yaml", "{file: notes.csv, column: key}", "[n1]")
    edit(workspace / "specs" / "runs.yaml", "splits: {column: split}\n", "")

    verified = applied("verify", "run/animals/first")

    assert verified.code == 2
    assert "  data row n2: not in what is declared\n" in verified.out
    applied("apply", "--auto-approve", "--allow-remove", "run/animals/first")
    back = applied("verify", "../bundle", "--workspace", ".")
    assert "  data row n2: gone from the run\n" in back.out


def test_edited_files_are_named(workspace: Path, applied: Command) -> None:
    applied("export", "run/animals/first", "--to", "../bundle")
    (workspace.parent / "bundle" / "specs" / "rows.csv").write_text("edited")

    verified = applied("verify", "../bundle", "--workspace", ".")

    assert verified.code == 2
    assert verified.out == (
        "  specs/rows.csv is edited\n"
        "run/animals/first is the same, but files are not.\n"
    )


def test_programs_get_one_document_each(workspace: Path, applied: Command) -> None:
    exported = applied("export", "run/animals/first", "--to", "../b", "-o", "json")
    verified = applied("verify", "../b", "--workspace", ".", "-o", "json")
    edit(workspace / "specs" / "runs.yaml", "batch_size: 32", "batch_size: 64")
    differs = applied("verify", "run/animals/first", "-o", "json")

    told, same, other = (json.loads(one.out) for one in (exported, verified, differs))
    assert told["counts"] == {
        "rows": 5,
        "labels": 0,
        "predictions": 0,
        "metrics": 0,
    }
    assert told["digests"]["splits"].startswith("sha256:")
    assert same["same"] is True
    assert same["exit_code"] == verified.code == 0
    assert other["exit_code"] == differs.code == 2
    assert other["compared"] == ["config", "ontology", "members", "splits"]
    assert [one["part"] for one in other["differences"]] == ["config"]
    assert other["rows"] == {"count": 0, "samples": []}


def test_a_model_is_adopted_by_a_workspace_without_manifests(
    workspace: Path, applied: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = workspace.parent / "other"
    other.mkdir()
    (other / "reconciler.yaml").write_text(WORKSPACE.format(remote="local"))
    monkeypatch.setenv("RECONCILER_HOME", str(workspace / ".reconciler"))
    monkeypatch.chdir(other)

    adopted = applied("adopt", "model/animals", "--to", "specs/mine")
    planned = applied("plan", "--detailed-exitcode")
    again = applied("adopt", "run/animals/first", "-o", "json")

    assert adopted.code == 0
    assert adopted.out == (
        "  + specs/mine/first.rows.csv\n"
        "  + specs/mine/first.yaml\n"
        "  + specs/mine/model.yaml\n"
        "  + specs/mine/second.rows.csv\n"
        "  + specs/mine/second.yaml\n"
        "Declared 4 objects that exist:\n"
        "  run/animals/first\n"
        "  ontology/animals\n"
        "  model/animals\n"
        "  run/animals/second\n"
    )
    assert planned.code == 0
    assert again.code == 1
    assert json.loads(again.out)["errors"][0]["code"] == "repeated-name"


@pytest.mark.parametrize(
    "arguments",
    [
        ("adopt", "dataset/notes"),
        ("adopt", "animals"),
        ("export", "model/animals", "--to", "x"),
        ("export", "run/animals/first"),
        ("verify", "run/animals/first", "--workspace", "."),
    ],
    ids=" ".join,
)
def test_what_makes_no_sense_is_bad_usage(
    reconciler: Command, arguments: tuple[str, ...]
) -> None:
    assert reconciler(*arguments).code == 64


def test_what_does_not_exist_is_an_error(workspace: Path, reconciler: Command) -> None:
    for arguments in (
        ("adopt", "model/none"),
        ("export", "run/animals/none", "--to", "../x"),
        ("verify", "../nothing"),
        ("verify", "run/animals/none"),
    ):
        failed = reconciler(*arguments)
        assert failed.code == 1
        assert failed.out == ""
        assert failed.err.startswith("Error: ")
    assert not (workspace.parent / "x").exists()

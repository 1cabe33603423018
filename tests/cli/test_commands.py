"""Commands as users type them, with what they print and how they end."""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from reconciler.ledger.lines import LedgerError, append
from reconciler.pipeline import planning
from reconciler.ports import RemoteError
from tests.cli.conftest import Command


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_the_whole_job(workspace: Path, reconciler: Command) -> None:
    planned = reconciler("plan", "--detailed-exitcode")
    applied = reconciler("apply", "--auto-approve")
    again = reconciler("plan", "--detailed-exitcode")
    edit(workspace / "specs" / "runs.yaml", "lr: 1e-4", "lr: 3e-4")
    changed = reconciler("plan", "--detailed-exitcode")

    assert planned.code == 2
    assert "+ run/animals/first  (specs/runs.yaml:" in planned.out
    assert applied.code == 0
    assert applied.out.endswith("A new plan finds nothing to do.\n")
    assert again.code == 0
    assert "Nothing to do: 5 objects unchanged.\n" in again.out
    assert changed.code == 2
    assert "~ config.optimizer.lr: 0.0001 -> 0.0003" in changed.out


def test_results_go_to_stdout_and_the_rest_to_stderr(reconciler: Command) -> None:
    planned = reconciler("plan")
    applied = reconciler("apply", "--auto-approve")

    assert planned.err == ""
    assert "create run/animals/first: done" in applied.err
    assert "create run/animals/first: done" not in applied.out


def test_validate_asks_no_remote(workspace: Path, reconciler: Command) -> None:
    valid = reconciler("validate")

    assert valid.code == 0
    assert valid.out == "Valid: 5 objects in the workspace small.\n"
    assert not (workspace / ".reconciler").exists()


def test_a_mistake_in_a_manifest_is_shown_with_its_place(
    workspace: Path, reconciler: Command
) -> None:
    edit(workspace / "specs" / "runs.yaml", "rows: notes", "rows: note")

    for command in ("validate", "plan", "apply"):
        wrong = reconciler(command)
        assert wrong.code == 1
        assert wrong.out == ""
        assert "specs/runs.yaml:19:7: " in wrong.err
        assert "[dangling-reference]" in wrong.err
        assert "did you mean 'notes'?" in wrong.err


def test_a_failure_is_one_json_document_too(
    workspace: Path, reconciler: Command
) -> None:
    edit(workspace / "specs" / "runs.yaml", "rows: notes", "rows: note")

    wrong = reconciler("plan", "--output", "json")

    said = json.loads(wrong.out)
    assert wrong.code == said["exit_code"] == 1
    assert said["errors"][0]["code"] == "dangling-reference"
    assert said["errors"][0]["span"]["line"] == 19


def test_json_output_is_one_document(reconciler: Command) -> None:
    planned = json.loads(reconciler("plan", "--output", "json").out)
    applied = json.loads(reconciler("apply", "--output", "json", "--auto-approve").out)

    assert planned["summary"]["created"] == 5
    assert applied["plan"]["digest"] == planned["digest"]
    assert {step["outcome"] for step in applied["steps"]} == {"done"}
    assert applied["remaining"]["changed"] is False
    assert applied["exit_code"] == 0


def test_markdown_output_is_a_comment(reconciler: Command) -> None:
    planned = reconciler("plan", "--output", "markdown")

    assert planned.out.startswith("### Plan: workspace `small`\n")
    assert "- **create** `run/animals/first`" in planned.out


def test_a_saved_plan_is_applied_as_it_was_saved(
    workspace: Path, reconciler: Command
) -> None:
    saved = reconciler("plan", "--out", "plan.zip")
    applied = reconciler("apply", "plan.zip", "--auto-approve")
    once_more = reconciler("apply", "plan.zip", "--auto-approve")

    assert saved.code == applied.code == once_more.code == 0
    assert "Nothing to do" in once_more.out


def test_a_saved_plan_is_refused_when_the_manifests_have_moved_on(
    workspace: Path, reconciler: Command
) -> None:
    reconciler("plan", "--out", "plan.zip")
    edit(workspace / "specs" / "runs.yaml", "lr: 1e-4", "lr: 3e-4")

    stale = reconciler("apply", "plan.zip", "--auto-approve")

    assert stale.code == 4
    assert (
        "run/animals/first: the manifests say something else of its config" in stale.out
    )
    assert "create run" not in stale.err


def test_a_saved_plan_is_refused_when_the_remote_has_moved_on(
    workspace: Path, reconciler: Command
) -> None:
    reconciler("apply", "--auto-approve")
    edit(workspace / "specs" / "runs.yaml", "lr: 1e-4", "lr: 3e-4")
    reconciler("plan", "--out", "plan.zip")
    edit(workspace / "specs" / "runs.yaml", "lr: 3e-4", "lr: 5e-4")
    reconciler("apply", "--auto-approve")
    edit(workspace / "specs" / "runs.yaml", "lr: 5e-4", "lr: 3e-4")

    stale = reconciler("apply", "plan.zip", "--auto-approve", "--output", "json")

    said = json.loads(stale.out)
    assert stale.code == said["exit_code"] == 4
    assert said["differences"] == [
        {
            "address": "run/animals/first",
            "message": "its config on the remote is not the one that was planned with",
        }
    ]


def test_a_saved_plan_applies_from_any_folder_of_the_workspace(
    workspace: Path, reconciler: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    reconciler("plan", "--out", "plan.zip")
    (workspace / "specs" / "sub").mkdir()
    monkeypatch.chdir(workspace / "specs" / "sub")

    applied = reconciler("apply", "../../plan.zip", "--auto-approve")

    assert applied.code == 0
    assert "Done: 12 of 12 steps." in applied.out


def test_a_saved_plan_that_was_carried_out_is_not_carried_out_again(
    workspace: Path, reconciler: Command
) -> None:
    reconciler("apply", "--auto-approve")
    edit(workspace / "specs" / "runs.yaml", "[n1, n2]", "[n1]")
    edit(workspace / "specs" / "runs.yaml", ', TEST: "[1:]"', "")
    reconciler("plan", "--out", "plan.zip")
    reconciler("apply", "plan.zip", "--auto-approve")
    runs = (workspace / "specs" / "runs.yaml").read_text()
    edit(workspace / "specs" / "runs.yaml", "[n1]", "[n1, n2]")
    reconciler("apply", "--auto-approve")
    (workspace / "specs" / "runs.yaml").write_text(runs)

    replayed = reconciler("apply", "plan.zip", "--auto-approve")

    assert replayed.code == 4
    assert "it was carried out already" in replayed.out
    assert "the remote, the manifests or their files have changed" in replayed.out


def test_the_same_plan_made_again_later_may_be_carried_out_again(
    workspace: Path, reconciler: Command
) -> None:
    reconciler("apply", "--auto-approve")
    runs = workspace / "specs" / "runs.yaml"
    digests = []
    for name in ("one.zip", "two.zip"):
        edit(runs, "lr: 1e-4", "lr: 7")
        reconciler("apply", "--auto-approve")
        edit(runs, "lr: 7", "lr: 1e-4")
        planned = reconciler("plan", "--out", name, "-o", "json")
        digests.append(json.loads(planned.out)["digest"])
        applied = reconciler("apply", name, "--auto-approve")
        assert applied.code == 0, applied.out

    assert len(set(digests)) == 1


def test_what_a_saved_plan_allows_cannot_be_added_to(reconciler: Command) -> None:
    reconciler("plan", "--out", "plan.zip")

    refused = reconciler(
        "apply", "plan.zip", "--auto-approve", "--allow-remove", "run/animals/first"
    )

    assert refused.code == 64


def test_a_plan_is_not_saved_under_the_name_of_a_manifest(reconciler: Command) -> None:
    assert reconciler("plan", "--out", "plan.yaml").code == 64


def test_the_tools_own_folder_does_not_leave_the_workspace(
    workspace: Path, reconciler: Command
) -> None:
    outside = workspace.parent / "outside"
    outside.mkdir()
    (workspace / ".reconciler").symlink_to(outside)

    refused = reconciler("plan")

    assert refused.code == 1
    assert ".reconciler is a link [file-outside]" in refused.err
    assert list(outside.iterdir()) == []


def test_no_file_of_the_tools_own_leaves_the_workspace_either(
    workspace: Path, reconciler: Command
) -> None:
    outside = workspace.parent / "outside"
    outside.mkdir()
    (workspace / ".reconciler").mkdir()
    (workspace / ".reconciler" / "inventory").symlink_to(outside)

    refused = reconciler("apply", "--auto-approve")

    assert refused.code == 1
    assert ".reconciler/inventory is a link [file-outside]" in refused.err
    assert list(outside.iterdir()) == []


def test_an_inventory_that_cannot_be_written_stops_an_apply_before_it_begins(
    reconciler: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise LedgerError("objects.jsonl can't be written: No space left on device")

    monkeypatch.setattr("reconciler.ledger.directory.append", full)

    refused = reconciler("apply", "--auto-approve")

    assert refused.code == 1
    assert "objects.jsonl can't be written: No space left" in refused.err
    assert "done" not in refused.err


def test_an_inventory_that_fills_the_disk_on_the_way_is_a_partial_apply(
    reconciler: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def filling(*arguments: Any) -> None:
        calls.append(arguments)
        if len(calls) > 3:
            raise LedgerError("objects.jsonl can't be written: No space left on device")
        append(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr("reconciler.ledger.directory.append", filling)
        stopped = reconciler("apply", "--auto-approve")
    again = reconciler("apply", "--auto-approve")

    assert stopped.code == 5
    assert "What was done is not written down: objects.jsonl" in stopped.out
    assert again.code == 0


def test_an_apply_that_cannot_be_written_down_at_its_end_says_what_it_did(
    workspace: Path, reconciler: Command
) -> None:
    reconciler("apply", "--auto-approve")
    (plans,) = (workspace / ".reconciler").rglob("plans.jsonl")
    plans.unlink()
    plans.mkdir()
    edit(workspace / "specs" / "runs.yaml", "lr: 1e-4", "lr: 7")

    applied = reconciler("apply", "--auto-approve")

    assert applied.code == 5
    assert "Done: 2 of 2 steps." in applied.out
    assert "plans.jsonl can't be written" in applied.out


def test_ids_that_cannot_be_looked_up_beforehand_are_said(
    workspace: Path, reconciler: Command
) -> None:
    runs = workspace / "specs" / "runs.yaml"
    edit(runs, "{globalKeys: [n1, n2]", "{dataRowIds: [x1, x2]")

    planned = reconciler("plan")

    assert planned.code == 0
    assert "2 data row ids to add can't be looked up beforehand" in planned.out


def test_what_is_no_plan_file_is_refused(workspace: Path, reconciler: Command) -> None:
    (workspace / "plan.zip").write_text("no zip")

    wrong = reconciler("apply", "plan.zip", "--auto-approve")

    assert wrong.code == 1
    assert "[plan-file]" in wrong.err


def test_what_a_guard_holds_back_is_not_done_until_it_is_allowed(
    workspace: Path, reconciler: Command
) -> None:
    reconciler("apply", "--auto-approve")
    edit(workspace / "specs" / "runs.yaml", "rows: notes", "rows: []")

    planned = reconciler("plan")
    applied = reconciler("apply", "--auto-approve")
    allowed = reconciler(
        "apply", "--auto-approve", "--allow-remove", "run/animals/first"
    )

    assert planned.code == applied.code == 3
    assert "to let it pass: --allow-remove run/animals/first" in planned.out
    assert allowed.code == 0
    assert "- remove 5 rows: n1, n2, n3, n4, n5" in allowed.out


@pytest.mark.parametrize("option", ["--allow-remove", "--allow-change"])
def test_an_allowance_for_a_run_that_nobody_declares_is_bad_usage(
    option: str, reconciler: Command
) -> None:
    planned = reconciler("plan", option, "run/animals/nobody")

    assert planned.code == 64
    assert f"{option} run/animals/nobody: the manifests declare no" in planned.err


def test_a_saved_plan_says_itself_what_is_allowed(reconciler: Command) -> None:
    reconciler("plan", "--out", "p.plan", "--allow-change", "run/animals/first")

    more = reconciler(
        "apply", "p.plan", "--auto-approve", "--allow-change", "run/animals/second"
    )
    applied = reconciler("apply", "p.plan", "--auto-approve")

    assert more.code == 64
    assert "plan --allow-change" in more.err
    assert applied.code == 0


def test_a_question_without_a_terminal_is_bad_usage_and_changes_nothing(
    reconciler: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("yes\n"))

    asked = reconciler("apply")
    after = reconciler("plan", "--detailed-exitcode")

    assert asked.code == 64
    assert "--auto-approve" in asked.err
    assert after.code == 2


@pytest.mark.parametrize(
    ("answer", "code", "code_after"),
    [
        pytest.param("yes", 0, 0, id="yes"),
        pytest.param("y", 1, 2, id="y is not yes"),
        pytest.param("", 1, 2, id="nothing"),
    ],
)
def test_only_yes_is_taken_for_an_answer(
    reconciler: Command,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    code: int,
    code_after: int,
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Terminal(f"{answer}\n"))

    asked = reconciler("apply")
    after = reconciler("plan", "--detailed-exitcode")

    assert asked.code == code
    assert after.code == code_after


@pytest.mark.parametrize(
    "arguments",
    [
        ("plan", "--bogus"),
        ("bogus",),
        ("apply", "--parallelism", "0"),
        ("plan", "--allow-remove", "nonsense"),
        ("plan", "--allow-remove", "model/animals"),
        ("plan", "--allow-remove", "run/animals/typo"),
        ("serve", "--db", "nonsense"),
        ("apply", "--output", "json"),
    ],
    ids=" ".join,
)
def test_bad_usage_ends_with_64_and_never_with_terraforms_2(
    reconciler: Command, arguments: tuple[str, ...]
) -> None:
    ended = reconciler(*arguments)

    assert ended.code == 64
    assert ended.out == ""


def test_a_mistyped_command_is_told_the_nearest_one(reconciler: Command) -> None:
    mistyped = reconciler("aply")

    assert mistyped.code == 64
    assert "No such command 'aply'. Did you mean 'apply'?" in mistyped.err


def test_outside_of_a_workspace_it_says_what_is_missing(
    reconciler: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)

    lost = reconciler("plan")

    assert lost.code == 1
    assert "[no-workspace]" in lost.err
    assert "reconciler.yaml" in lost.err


def test_labelbox_without_a_key_is_a_sentence(
    workspace: Path, reconciler: Command
) -> None:
    edit(workspace / "reconciler.yaml", "remote: local", "remote: labelbox")

    refused = reconciler("plan")

    assert refused.code == 1
    assert "LABELBOX_API_KEY is not set" in refused.err
    assert "Traceback" not in refused.err


def test_a_remote_that_is_not_there_is_a_sentence_without_the_key(
    workspace: Path, reconciler: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(workspace / "reconciler.yaml", "remote: local", "remote: labelbox")
    monkeypatch.setenv("LABELBOX_API_KEY", "a-very-secret-key")
    monkeypatch.setenv("LABELBOX_ENDPOINT", "http://127.0.0.1:1")

    refused = reconciler("plan", "--output", "json")

    said = json.loads(refused.out)
    assert refused.code == 1
    assert said["errors"][0]["code"] == "unavailable"
    assert "127.0.0.1" in said["errors"][0]["message"]
    assert "a-very-secret-key" not in refused.out + refused.err


def test_a_timeout_that_is_no_number_is_a_sentence(
    reconciler: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECONCILER_TIMEOUT", "soon")

    refused = reconciler("plan")

    assert refused.code == 1
    assert "RECONCILER_TIMEOUT is 'soon'" in refused.err


def test_the_schema_is_a_json_document(reconciler: Command) -> None:
    printed = json.loads(reconciler("schema").out)

    assert printed["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def imported(*arguments: str) -> set[str]:
    """List the modules that a command imports, by running it alone."""
    script = (
        "import sys\n"
        "from reconciler.cli.main import run\n"
        f"run({list(arguments)!r})\n"
        "print('\\n'.join(sys.modules), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return {name.partition(".")[0] for name in done.stderr.split()}


SLOW = {
    "alembic", "deepdiff", "duckdb", "granian", "graphql", "httpx", "msgspec",
    "pydantic", "rich", "sqlalchemy", "yaml",
}  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "needed"),
    [
        pytest.param(("--version",), set(), id="version"),
        pytest.param(("--help",), set(), id="help"),
        pytest.param(("validate",), {"pydantic", "yaml"}, id="validate"),
    ],
)
def test_a_command_imports_no_library_that_it_does_not_need(
    workspace: Path, arguments: tuple[str, ...], needed: set[str]
) -> None:
    assert imported(*arguments) & SLOW <= needed


def test_a_plan_without_changes_does_not_load_what_compares_configs(
    workspace: Path, reconciler: Command
) -> None:
    reconciler("apply", "--auto-approve")

    assert imported("plan") & {"deepdiff", "duckdb", "alembic", "granian"} == set()


def test_a_plan_that_cannot_be_saved_is_a_sentence(reconciler: Command) -> None:
    refused = reconciler("plan", "--out", "nowhere/plan.zip")

    assert refused.code == 1
    assert "nowhere/plan.zip: No such file or directory [file-system]" in refused.err


@pytest.mark.parametrize(
    "endpoint",
    ["https://a-secret@host/graphql", "api.labelbox.com", "file:///etc/passwd"],
)
def test_an_endpoint_that_is_none_is_refused_and_not_repeated(
    workspace: Path,
    reconciler: Command,
    monkeypatch: pytest.MonkeyPatch,
    endpoint: str,
) -> None:
    edit(workspace / "reconciler.yaml", "remote: local", "remote: labelbox")
    monkeypatch.setenv("LABELBOX_API_KEY", "a-key")
    monkeypatch.setenv("LABELBOX_ENDPOINT", endpoint)

    refused = reconciler("plan")

    assert refused.code == 1
    assert "the endpoint is no http or https URL" in refused.err
    assert "a-secret" not in refused.err


def test_what_was_applied_but_cannot_be_checked_is_not_called_an_error(
    reconciler: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RemoteError("gone away")

    monkeypatch.setattr(planning, "converged", fail)

    applied = reconciler("apply", "--auto-approve")

    assert applied.code == 6
    assert "Done: 12 of 12 steps." in applied.out
    assert "A new plan could not be made: gone away" in applied.out

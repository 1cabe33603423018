"""`reconciler lock` as users type it, against a real twin."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from reconciler.cli import apply
from reconciler.pipeline import planning
from reconciler.pipeline.sessions import Session
from reconciler.plan.build import Plan
from reconciler.plan.changes import Blocked
from reconciler.state.address import run_address
from tests.cli.conftest import Command

ROWS = """\
---
apiVersion: reconciler/v1
kind: DataRows
name: some
select: {dataset: notes, keys: "n?"}
splits: {lists: {TEST: [n1]}}
---
apiVersion: reconciler/v1
kind: ModelRun
model: animals
name: locked
rows: some
"""

LABELS = """\
---
apiVersion: reconciler/v1
kind: Project
name: truth
ontology: animals
dataset: notes
labels: [{file: truth.ndjson}]
"""

LABELLED = """\
---
apiVersion: reconciler/v1
kind: ModelRun
model: animals
name: labelled
rows: notes
labels: {project: truth}
"""

TRUTH = """\
{"dataRow": {"globalKey": "n1"}, "name": "animal", "answer": {"name": "cat"}}
{"dataRow": {"globalKey": "n2"}, "name": "animal", "answer": {"name": "dog"}}
"""

RUN = run_address("animals", "first")
LOCK = "specs/locks/rows/some.lock"


@pytest.fixture
def selected(workspace: Path, reconciler: Command) -> Path:
    """Have data rows on the remote, and a selection of them in the manifests."""
    assert reconciler("apply", "--auto-approve").code == 0
    with (workspace / "specs" / "runs.yaml").open("a") as runs:
        runs.write(ROWS)
    return workspace


def test_a_selection_is_locked_once_and_planned_from_the_lock(
    selected: Path, reconciler: Command
) -> None:
    unlocked = reconciler("plan")
    locked = reconciler("lock")
    planned = reconciler("plan")
    again = reconciler("lock")
    checked = reconciler("lock", "--check")

    assert unlocked.code == 1
    assert (
        "rows/some has no lock: there is no specs/locks/rows/some.lock" in unlocked.err
    )
    assert (
        "Hint: run `reconciler lock rows/some`, review, and commit it" in unlocked.err
    )
    assert (locked.code, locked.err) == (0, "")
    assert locked.out == f"{LOCK}: made, 5 rows\n"
    assert (selected / LOCK).read_text().splitlines()[2:] == [
        "n1\tTEST\t",
        "n2\tUNASSIGNED\t",
        "n3\tUNASSIGNED\t",
        "n4\tUNASSIGNED\t",
        "n5\tUNASSIGNED\t",
    ]
    assert planned.code == 0
    assert "+ run/animals/locked" in planned.out
    assert again.out == f"{LOCK}: as it was\n"
    assert (checked.code, checked.out) == (0, f"{LOCK}: as it was, 5 rows\n")


def test_a_change_is_found_by_a_check_and_made_by_an_update(
    selected: Path, reconciler: Command
) -> None:
    reconciler("lock")
    runs = selected / "specs" / "runs.yaml"
    runs.write_text(runs.read_text().replace('"n?"', '"n1"'))

    left = reconciler("lock")
    checked = reconciler("lock", "--check", "rows/some")
    updated = reconciler("lock", "--update", "rows/some")

    assert left.code == 0
    assert left.out == (
        f"{LOCK}: out of date\n"
        f"  {LOCK} was made for another selection [lock-outdated]\n"
        "  to replace it: reconciler lock --update rows/some\n"
    )
    assert checked.code == 2
    assert checked.out == (
        f"{LOCK}: would be another one now, 1 row\n"
        "  0 added, 4 removed, 0 changed\n"
        "    - n2\n    - n3\n    - n4\n    - n5\n"
        f"  {LOCK} was made for another selection [lock-outdated]\n"
        "  to replace it: reconciler lock --update rows/some\n"
    )
    assert updated.code == 0
    assert updated.out.startswith(f"{LOCK}: updated, 1 row\n  0 added, 4 removed")


def test_a_program_reads_what_became_of_locks(
    selected: Path, reconciler: Command
) -> None:
    told = json.loads(reconciler("lock", "-o", "json").out)
    runs = selected / "specs" / "runs.yaml"
    runs.write_text(runs.read_text().replace('"n?"', '"never"'))
    failed = reconciler("lock", "--update", "-o", "json")

    assert told["exit_code"] == 0
    assert told["mode"] == "missing"
    assert told["locks"] == [
        {
            "addresses": ["rows/some"],
            "lock": LOCK,
            "fate": "made",
            "rows": 5,
            "change": None,
            "problem": None,
            "digest": None,
        }
    ]
    assert failed.code == 1
    assert [one["code"] for one in json.loads(failed.out)["errors"]] == [
        "selects-nothing"
    ]


def test_labels_of_a_project_are_locked_by_what_they_say(
    workspace: Path, reconciler: Command
) -> None:
    (workspace / "specs" / "truth.ndjson").write_text(TRUTH)
    model = workspace / "specs" / "model.yaml"
    model.write_text(model.read_text() + LABELS)
    assert reconciler("apply", "--auto-approve").code == 0
    with (workspace / "specs" / "runs.yaml").open("a") as runs:
        runs.write(LABELLED)

    locked = reconciler("lock", "run/animals/labelled")
    checked = reconciler("lock", "--check")

    assert locked.out == "specs/locks/labels/animals/labelled.lock: made, 2 rows\n"
    lock = workspace / "specs" / "locks" / "labels" / "animals" / "labelled.lock"
    keys = [line.split("\t")[0] for line in lock.read_text().splitlines()[2:]]
    assert keys == ["n1", "n2"]
    assert checked.code == 0


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--check", "--update"], "--check and --update exclude each other"),
        (["model/animals"], "model/animals has no lock: write rows/NAME"),
        (["run/animals"], "is no address"),
        (["rows/none"], "rows/none: the manifests want no lock for it"),
    ],
)
def test_a_wrong_command_line_is_refused(
    reconciler: Command, arguments: list[str], why: str
) -> None:
    ended = reconciler("lock", *arguments)

    assert ended.code == 64
    assert why in ended.err


def test_a_workspace_may_want_no_locks(workspace: Path, reconciler: Command) -> None:
    ended = reconciler("lock")

    assert ended.code == 0
    assert ended.out == (
        "Nothing to lock: no rows are selected, and no labels are of a project.\n"
    )
    assert not (workspace / ".reconciler").exists()


@pytest.mark.parametrize("word", ["live3", "DataRows/live3"])
def test_what_is_no_address_says_what_the_command_takes(
    workspace: Path, reconciler: Command, word: str
) -> None:
    done = reconciler("lock", word)

    assert done.code == 64
    assert (
        f"{word!r} is no address: write it as rows/NAME or run/MODEL/NAME" in done.err
    )


BY_ID = """\
---
apiVersion: reconciler/v1
kind: ModelRun
model: animals
name: by-id
rows: {{globalKeys: [n2]}}
labels: {{labelIds: [{label}]}}
"""


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make plans after an apply without waiting in between."""
    monkeypatch.setattr(apply, "time", SimpleNamespace(sleep=lambda _: None))


@pytest.mark.usefixtures("no_pauses")
def test_a_label_that_brings_a_row_which_should_not_be_there_does_not_come_and_go(
    workspace: Path, reconciler: Command
) -> None:
    with (workspace / "specs" / "runs.yaml").open("a") as runs:
        runs.write(LABELS)
    (workspace / "specs" / "truth.ndjson").write_text(TRUTH)
    assert reconciler("apply", "--auto-approve").code == 0
    manifest = workspace / "specs" / "runs.yaml"
    before = manifest.read_text()
    manifest.write_text(before + LABELLED)
    assert reconciler("lock").code == 0
    locked = (workspace / "specs/locks/labels/animals/labelled.lock").read_text()
    label = next(
        line.split("\t")[2] for line in locked.splitlines() if line.startswith("n1\t")
    )
    manifest.write_text(before + BY_ID.format(label=label))

    applied = reconciler("apply", "--auto-approve")

    assert applied.code == 6
    assert "After the apply there is still something blocked:" in applied.out
    assert f"such as {label} of 'n1' [label-outside-rows]" in applied.out
    assert reconciler("apply", "--auto-approve").code == 3


@pytest.mark.usefixtures("no_pauses")
def test_an_apply_after_which_something_is_held_back_has_not_converged(
    reconciler: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Blocked(code="held", address=RUN, message="it is held back", allow="-")
    make_plan = planning.make_plan

    def blocked_once_it_is_empty(session: Session, **given: Any) -> Plan:
        plan = make_plan(session, **given)
        return plan or replace(plan, blocked=(held,))

    monkeypatch.setattr(planning, "make_plan", blocked_once_it_is_empty)

    applied = reconciler("apply", "--auto-approve")

    assert applied.code == 6
    assert "After the apply there is still something blocked:" in applied.out
    assert "it is held back [held]" in applied.out
    assert "finds nothing to do" not in applied.out

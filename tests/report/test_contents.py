"""Labels, predictions and refusals in words, for people and for programs."""

from dataclasses import replace
from pathlib import Path

from reconciler.apply.events import Done, Failed, Finished
from reconciler.plan.build import Plan
from reconciler.plan.changes import LabelsChange
from reconciler.plan.labels import LabelsFound
from reconciler.plan.steps import CreateRun, SendChunk
from reconciler.report.contents import by_reason
from reconciler.report.machine import plan_fields, refusal_list
from reconciler.report.markdown import render_markdown
from reconciler.report.progress import render_outcomes
from reconciler.report.text import render_plan
from reconciler.state.address import RemoteId
from reconciler.state.inventory import Inventory
from reconciler.state.labels import ContentHash, LabelPins, PinnedLabel
from reconciler.state.resources import Project, RunStatus, Split, Status
from reconciler.state.uploads import Family, LineRefusal, Slot, Uploaded
from tests.support.values import (
    MODEL,
    ONTOLOGY,
    OWNED,
    PARENTS,
    RUN,
    box_line,
    current_run,
    metric_line,
    plan_of,
    run,
    uploads,
)

KEYS = [f"k{n}" for n in range(12)]


def pin(row: str) -> PinnedLabel:
    return PinnedLabel(row, ContentHash("sha256:1"), RemoteId("label-1"))


def plan() -> Plan:
    """Plan a project and a run with everything."""
    project = Project("truth", ONTOLOGY.address, labels=())
    pins = LabelPins(project.address, RemoteId("org"), {}, "sha256:lock", "t.lock")
    predictions = uploads(
        Family.PREDICTIONS, {key: [box_line(key)] for key in KEYS}, slots=4
    )
    rows = dict.fromkeys([*KEYS, "z"], Split.TEST)
    kept = predictions.chunks[0]
    (gone,) = uploads(Family.PREDICTIONS, {"z": [box_line("z")]}).chunks
    known = Uploaded(
        digest=kept.digest,
        generation=1,
        finished=True,
        parent=RemoteId("run-1"),
        marks=gone.marks,
    )
    return plan_of(
        MODEL,
        replace(
            run(rows=rows),
            labels=pins,
            status=RunStatus(Status.COMPLETE, {"epochs": 3}),
        ),
        ONTOLOGY,
        project,
        there={**PARENTS, RUN: current_run()},
        rows={RUN: rows},
        labels={
            RUN: LabelsFound(
                LabelsChange(
                    project=project.address,
                    added=tuple(map(pin, KEYS)),
                    replaced=(pin("x"),),
                    kept=2,
                )
            )
        },
        sent={
            project.address: (uploads(Family.LABELS, {"a": [box_line("a")]}),),
            RUN: (predictions, uploads(Family.METRICS, {"k1": [metric_line("k1")]})),
        },
        statuses={RUN: RunStatus(Status.TRAINING_MODEL, {})},
        inventory=Inventory(
            owned=OWNED, uploads={(RUN, Family.PREDICTIONS): {kept.slot: known}}
        ),
    )


def test_a_plan_shows_what_comes_onto_rows() -> None:
    made = plan()

    assert (
        render_plan(made).replace(made.digest, "DIGEST")
        == """\
Workspace test on the embedded server

  ~ run/digits/svm
      ~ replace 1 label from project/truth: x
      + add 12 labels from project/truth: k0, k1, k2, k3, k4 and 7 more
        keep 2 labels as they are
      + send 8 predictions in 3 jobs
        keep 4 predictions as they are
        1 prediction sent before is no longer declared; it stays until its data row leaves the run
      + send 1 metric in 1 job
      ~ status: "TRAINING_MODEL" -> "COMPLETE"
      + status.metadata.epochs: 3

  + project/truth
      + send 1 label in 1 job
      + mediaType: "IMAGE"
      + ontology: "digits"

Plan: 1 to create, 1 to update, 0 to adopt, 2 unchanged.
Rows: 0 to remove, 0 to move, 0 to add; 0 data rows to upload.
Contents: 13 labels to add, 1 label to send, 8 predictions to send, 1 metric to send.
Digest: DIGEST
"""
    )


def test_a_comment_shows_what_comes_onto_rows() -> None:
    text = render_markdown(plan())

    assert "\nContents: 13 labels to add, 1 label to send, 8 predictions" in text
    assert "\n  - replace 1 label from project&#47;truth: `x`\n" in text
    assert "\n  - send 8 predictions in 3 jobs\n" in text
    assert '\n  - `status`: `"TRAINING_MODEL"` → `"COMPLETE"`\n' in text


def test_a_program_is_told_what_comes_onto_rows() -> None:
    said = plan_fields(plan())

    sums, changes = said["summary"], said["changes"]
    assert isinstance(sums, dict)
    assert isinstance(changes, list)
    assert (sums["labels_added"], sums["labels_sent"]) == (13, 1)
    assert (sums["predictions_sent"], sums["metrics_sent"]) == (8, 1)
    change = changes[1]
    assert isinstance(change, dict)
    assert change["labels"] == {
        "project": "project/truth",
        "added": {"count": 12, "sample": KEYS[:10]},
        "replaced": {"count": 1, "sample": ["x"]},
        "ids": {"count": 0, "sample": []},
        "kept": 2,
        "surplus": 0,
        "before": None,
    }
    assert isinstance(change["uploads"], list)
    assert change["uploads"][0] == {
        "family": "predictions",
        "slots": 4,
        "sent": 8,
        "jobs": 3,
        "kept": 4,
        "stale": 1,
    }


def test_labels_by_id_are_shown_by_id() -> None:
    ids = (RemoteId("label-1"), RemoteId("label-2"))
    pins = LabelPins(None, RemoteId("org"), {}, "sha256:lock", "t.lock")
    made = plan_of(
        MODEL,
        replace(run(), labels=pins),
        there={**PARENTS, RUN: current_run()},
        labels={RUN: LabelsFound(LabelsChange(project=None, ids=ids))},
    )

    assert "      + add 2 labels by id: label-1, label-2\n" in render_plan(made)


def sent(number: int, *refusals: LineRefusal) -> Finished:
    lines = {f"r{n}": [box_line(f"r{n}")] for n in range(8)}
    (chunk,) = uploads(Family.PREDICTIONS, lines).chunks
    step = SendChunk(
        RUN,
        Family.PREDICTIONS,
        replace(chunk, slot=Slot(number, 2)),
        job="job",
        generation=1,
        may_exist=False,
    )
    reason = f"{len(refusals)} of 8 lines were refused"
    return Finished(step, Failed(reason, refusals=refusals))


def test_refused_lines_are_grouped_by_reason_over_all_jobs_of_an_object() -> None:
    many = [LineRefusal(f"r{n}", None, "no such\nfeature") for n in range(5)]
    nameless = LineRefusal(None, "u-1", "no row")
    finished = [
        sent(0, *many[:2], nameless),
        sent(1, *many[2:]),
        Finished(CreateRun(RUN), Done()),
    ]

    assert (
        render_outcomes(finished, refused=Path("refused"))
        == """\
Done: 1 of 3 steps.
  send 8 predictions (slot 0of2) to run/digits/svm: failed: 3 of 8 lines were refused
  send 8 predictions (slot 1of2) to run/digits/svm: failed: 3 of 8 lines were refused
Refused by the remote for run/digits/svm:
  5 lines: no such\\nfeature: r0, r1, r2 and 2 more
  1 line: no row: u-1
All of them are in refused
"""
    )


def test_a_program_is_told_the_reasons_with_samples() -> None:
    refusals = [LineRefusal(f"r{n}", f"u{n}", "no") for n in range(4)]

    assert refusal_list(refusals) == [
        {
            "reason": "no",
            "count": 4,
            "sample": [{"row": f"r{n}", "uuid": f"u{n}"} for n in range(3)],
        }
    ]


def test_reasons_that_differ_in_what_they_quote_are_one() -> None:
    refusals = [
        *(LineRefusal(f"r{n}", None, f"the row 'r{n}' is \"gone\"") for n in range(4)),
        LineRefusal("r9", None, "no feature 'cat'"),
    ]

    assert [(one.reason, one.count) for one in by_reason(refusals)] == [
        ("the row '...' is \"...\"", 4),
        ("no feature 'cat'", 1),
    ]


def test_of_many_reasons_the_most_frequent_are_shown() -> None:
    many = [LineRefusal("r", None, f"reason {n}") for n in range(12)]

    said = render_outcomes([sent(0, *many)], refused=None)

    assert said.count("1 line: reason") == 10
    assert "  and 2 other reasons\n" in said

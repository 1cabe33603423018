"""Plans and failures for programs."""

import json

from reconciler.diagnostics import Diagnostic, Span
from reconciler.report.machine import diagnostic_list, document, plan_fields
from reconciler.state.resources import Split
from tests.support.values import MODEL, PARENTS, RUN, current_run, plan_of, run


def test_a_plan_says_what_a_program_needs() -> None:
    plan = plan_of(
        MODEL,
        run(config={"lr": 2}, rows={"a": Split.TEST}),
        there={**PARENTS, RUN: current_run({"lr": 1})},
        rows={RUN: {"b": Split.TEST, "a": Split.TRAINING}},
    )

    said = json.loads(document("plan", exit_code=0, **plan_fields(plan)))

    assert said["format_version"] == "1.1"
    assert said["digest"] == plan.digest
    assert said["changed"] is True
    assert said["summary"] == {
        "created": 0,
        "updated": 1,
        "adopted": 0,
        "unchanged": 1,
        "rows_added": 0,
        "rows_moved": 1,
        "rows_removed": 1,
        "data_rows_uploaded": 0,
        "labels_added": 0,
        "labels_sent": 0,
        "predictions_sent": 0,
        "metrics_sent": 0,
        "blocked": 0,
    }
    change = said["changes"][1]
    assert change["address"] == "run/digits/svm"
    assert change["action"] == "update"
    assert change["fields"] == [{"path": ["config", "lr"], "before": 1, "after": 2}]
    assert change["rows"]["moved"] == {
        "count": 1,
        "by_split": [{"before": "TRAINING", "after": "TEST", "count": 1}],
        "sample": ["a"],
    }
    assert change["rows"]["removed"] == {"count": 1, "sample": ["b"]}


def test_a_null_is_told_apart_from_nothing() -> None:
    plan = plan_of(
        MODEL,
        run(config={"a": None}),
        there={**PARENTS, RUN: current_run({"b": None})},
    )

    fields = plan_fields(plan)["changes"]

    assert isinstance(fields, list)
    assert fields[1]["fields"] == [  # type: ignore[call-overload,index]  # JSON
        {"path": ["config", "a"], "after": None},
        {"path": ["config", "b"], "before": None},
    ]


def test_a_problem_says_its_place_and_code() -> None:
    (said,) = diagnostic_list(
        [Diagnostic(code="wrong-type", message="no", span=Span("m.yaml", 2, 3, 2, 5))]
    )

    assert said == {
        "code": "wrong-type",
        "message": "no",
        "hint": None,
        "span": {
            "file": "m.yaml", "line": 2, "column": 3, "end_line": 2, "end_column": 5,
        },
        "details": [],
        "related": [],
    }  # fmt: skip


def test_of_details_a_thousand_are_listed() -> None:
    keys = tuple(f"k{n:04}" for n in range(1234))
    said = diagnostic_list(
        Diagnostic("unknown-global-keys", "wrong", details=keys[:count])
        for count in (1000, 1234)
    )

    few, many = (one["details"] for one in said if isinstance(one, dict))
    assert few == [*keys[:1000]]
    assert many == [*keys[:1000], "and 234 more"]

"""Plans and problems for a terminal."""

from reconciler.diagnostics import Diagnostic, Span
from reconciler.plan.compare import PlanDifference
from reconciler.report.diagnostics import render_diagnostics, render_warnings
from reconciler.report.text import render_differences, render_plan
from reconciler.state.resources import Dataset, GlobalKey, Split
from tests.support.values import (
    MODEL,
    ONTOLOGY,
    PARENTS,
    RUN,
    current_run,
    data_row,
    plan_of,
    run,
)


def test_a_plan_shows_what_goes_before_what_comes_and_sums_up() -> None:
    dataset = Dataset("images", "ten digits", {GlobalKey("a"): data_row("a")})
    plan = plan_of(
        dataset,
        MODEL,
        run(
            config={"lr": 2, "new": [1, None]},
            rows={"a": Split.TEST, "b": Split.TRAINING, "k": Split.TEST},
        ),
        there={**PARENTS, RUN: current_run({"lr": 1, "old": "x"})},
        rows={RUN: {"b": Split.TEST, "gone": Split.VALIDATION, "k": Split.TEST}},
    )

    assert (
        render_plan(plan).replace(plan.digest, "DIGEST")
        == """\
Workspace test on the embedded server

  ~ run/digits/svm
      - remove 1 row: gone
      ~ move 1 row from TEST to TRAINING: b
      + add 1 row to TEST: a
        keep 1 row as they are
      ~ config.lr: 1 -> 2
      + config.new: [1, null]
      - config.old: "x"

  + dataset/images
      + upload 1 data row: a
      + description: "ten digits"

Plan: 1 to create, 1 to update, 0 to adopt, 1 unchanged.
Rows: 1 to remove, 1 to move, 1 to add; 1 data row to upload.
Digest: DIGEST
"""
    )


def test_an_adoption_is_listed_but_there_is_nothing_to_do() -> None:
    plan = plan_of(MODEL, run(), there={**PARENTS, RUN: current_run()}, owned={})

    assert (
        render_plan(plan)
        == """\
Workspace test on the embedded server

  > model/digits
      exists already as model-1; it is adopted

  > run/digits/svm
      exists already as run-1; it is adopted

Nothing to do: 2 objects to adopt, 0 objects unchanged.
"""
    )


def test_what_is_blocked_is_shown_with_what_would_let_it_pass() -> None:
    plan = plan_of(
        MODEL,
        run(rows={}),
        there={**PARENTS, RUN: current_run()},
        rows={RUN: {"a": Split.TEST}},
    )

    text = render_plan(plan)

    assert (
        "Blocked (1):\n  ! run/digits/svm: the run would lose all its rows (1)" in text
    )
    assert "    to let it pass: --allow-remove run/digits/svm\n" in text


def test_long_lists_are_counted_and_not_shown_whole() -> None:
    rows = {f"k{n:04}": Split.TEST for n in range(1_500)}
    text = render_plan(plan_of(MODEL, run(rows=rows), there=PARENTS, owned={}))

    assert "+ add 1,500 rows to TEST: k0000, k0001," in text
    assert "k0004 and 1,495 more\n" in text
    assert "k0005" not in text


def test_colour_is_used_only_when_asked_for() -> None:
    plan = plan_of(ONTOLOGY, owned={})

    assert "\x1b[" not in render_plan(plan)
    assert "\x1b[32m" in render_plan(plan, color=True)


def test_nothing_from_a_manifest_reaches_the_terminal_as_a_control() -> None:
    evil = "\x1b[2J\u202e\nnew line"
    plan = plan_of(
        MODEL,
        run(config={evil: evil}, rows={evil: Split.TEST}),
        there=PARENTS,
        owned={},
    )

    text = render_plan(plan)

    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\nnew line" not in text


def test_differences_of_plans_are_named() -> None:
    text = render_differences((PlanDifference(RUN, "2 more rows would be removed"),))

    assert "  run/digits/svm: 2 more rows would be removed\n" in text
    assert "nothing was done" in text


def test_a_problem_is_shown_with_its_line_a_caret_and_a_hint() -> None:
    found = Diagnostic(
        code="unknown-field",
        message="'nmae' is no field of a Model",
        span=Span("specs/m.yaml", 3, 3, 3, 7),
        hint="did you mean 'name'?",
        related=((Span("specs/m.yaml", 1, 1), "the document begins here"),),
        details=("one", "two"),
        excerpt="  nmae: digits",
    )

    assert (
        render_diagnostics([found])
        == """\
Error: specs/m.yaml:3:3: 'nmae' is no field of a Model [unknown-field]
      nmae: digits
      ^^^^
    one
    two
  specs/m.yaml:1:1: the document begins here
  Hint: did you mean 'name'?
"""
    )


def test_a_caret_stands_right_under_wide_and_combining_characters() -> None:
    found = Diagnostic(
        code="wrong-value",
        message="no",
        span=Span("m.yaml", 1, 5, 1, 6),
        excerpt="日本e\u0301x",
    )

    assert render_diagnostics([found]).splitlines()[2] == "    " + " " * 5 + "^"


def test_several_problems_are_counted_and_one_is_not() -> None:
    error = Diagnostic(code="wrong-type", message="a")
    other = Diagnostic(code="wrong-type", message="b")

    assert render_diagnostics([error, other]).endswith("\n2 problems.\n")
    assert "problem" not in render_diagnostics([error])


def test_a_warning_is_shown_as_a_problem_is_but_called_so() -> None:
    warning = Diagnostic(code="waiver-unused", message="a")
    other = Diagnostic(code="waiver-unused", message="b")

    assert render_warnings([warning]) == "Warning: a [waiver-unused]\n"
    assert render_warnings([warning, other]).endswith("\n2 warnings.\n")
    assert render_warnings([]) == ""


def test_of_very_many_details_ten_are_shown() -> None:
    keys = tuple(f"k{n:04}" for n in range(1234))
    few = Diagnostic("unknown-global-keys", "few", details=keys[:10])
    many = Diagnostic("unknown-global-keys", "many", details=keys)

    shown = render_diagnostics([few, many]).splitlines()

    assert shown == [
        "Error: few [unknown-global-keys]",
        *(f"    {key}" for key in keys[:10]),
        "",
        "Error: many [unknown-global-keys]",
        *(f"    {key}" for key in keys[:10]),
        "    and 1,224 more",
        "",
        "2 problems.",
    ]

"""What a threshold holds back."""

from dataclasses import replace

import pytest

from reconciler.plan.changes import Blocked, LabelsChange
from reconciler.plan.guards import Allowance, Guard, Guards, Threshold
from reconciler.plan.labels import LabelsFound
from reconciler.state.address import Address, RemoteId, run_address
from reconciler.state.labels import LabelIds
from reconciler.state.resources import Run, RunStatus, Split, Status
from reconciler.state.uploads import Family, Uploads
from tests.support.values import (
    CURRENT_MODEL,
    MODEL,
    ONTOLOGY,
    PARENTS,
    REMOVAL,
    RUN,
    box_line,
    current_run,
    plan_of,
    run,
    uploads,
)


def blocked_when(
    *, keep: int, remove: int, allowed: tuple[Allowance, ...] = ()
) -> list[str]:
    """Plan a run that keeps some rows and loses others."""
    kept = {f"k{n}": Split.TRAINING for n in range(keep)}
    lost = {f"x{n}": Split.TRAINING for n in range(remove)}
    plan = plan_of(
        MODEL,
        run(rows=kept),
        there={**PARENTS, RUN: current_run()},
        rows={RUN: {**kept, **lost}},
        allowed=allowed,
    )
    return [one.code for one in plan.blocked]


@pytest.mark.parametrize(
    ("keep", "remove", "expected"),
    [
        pytest.param(500, 100, [], id="at the count, over the share"),
        pytest.param(899, 101, ["rows-removed"], id="over the count and the share"),
        pytest.param(9_000, 101, [], id="over the count, under the share"),
        pytest.param(10, 50, [], id="over the share, under the count"),
        pytest.param(909, 101, [], id="exactly the share"),
        pytest.param(0, 3, ["rows-removed"], id="all rows, however few"),
    ],
)
def test_a_removal_is_blocked_beyond_both_count_and_share(
    keep: int, remove: int, expected: list[str]
) -> None:
    assert blocked_when(keep=keep, remove=remove) == expected


def test_a_removal_passes_when_that_one_run_is_allowed() -> None:
    assert blocked_when(keep=0, remove=500, allowed=(REMOVAL,)) == []


def test_allowing_another_run_does_not_help() -> None:
    other = run_address("digits", "forest")

    assert blocked_when(
        keep=0, remove=500, allowed=(Allowance(Guard.ROWS_REMOVED, other),)
    ) == ["rows-removed"]


def test_the_thresholds_are_the_workspaces() -> None:
    plan = plan_of(
        MODEL,
        run(rows={"a": Split.TEST}),
        there={**PARENTS, RUN: current_run()},
        rows={RUN: {"a": Split.TEST, "b": Split.TEST}},
        guards=Guards(rows_removed=Threshold(count=0, percent=0)),
    )

    assert [one.allow for one in plan.blocked] == ["--allow-remove run/digits/svm"]


def test_what_is_allowed_is_part_of_the_digest() -> None:
    rows = {"a": Split.TEST}
    plans = [
        plan_of(MODEL, run(rows=rows), there=PARENTS, owned={}, allowed=allowed)
        for allowed in ((), (REMOVAL,))
    ]

    assert plans[0].digest != plans[1].digest


COMPLETE = RunStatus(Status.COMPLETE, {})
CHANGE = Allowance(Guard.RUN_COMPLETE, RUN)


def changed(
    wanted: Run,
    *,
    status: RunStatus | None = COMPLETE,
    allowed: tuple[Allowance, ...] = (),
    labels: dict[Address, LabelsFound] | None = None,
    sent: dict[Address, tuple[Uploads, ...]] | None = None,
) -> list[Blocked]:
    """Plan a run that has a config and two rows."""
    plan = plan_of(
        MODEL,
        wanted,
        there={**PARENTS, RUN: current_run({"lr": 1})},
        rows={RUN: {"a": Split.TEST, "b": Split.TEST}},
        statuses={RUN: status},
        allowed=allowed,
        labels=labels,
        sent=sent,
    )
    assert plan
    return list(plan.blocked)


@pytest.mark.parametrize(
    ("wanted", "part"),
    [
        pytest.param(run(config={"lr": 2}), "its config would", id="config"),
        pytest.param(
            run(rows={"a": Split.TEST, "b": Split.TEST, "c": Split.TEST}),
            "its rows would",
            id="a row more",
        ),
        pytest.param(run(rows={"a": Split.TEST}), "its rows would", id="a row less"),
        pytest.param(
            run(config={"lr": 2}, rows={"a": Split.TRAINING, "b": Split.TEST}),
            "its config and splits would",
            id="splits",
        ),
    ],
)
def test_what_a_complete_run_tells_of_is_not_changed_unasked(
    wanted: Run, part: str
) -> None:
    (blocked,) = changed(wanted)

    assert blocked.code == "run-complete"
    assert part in blocked.message
    assert blocked.allow == "--allow-change run/digits/svm"


def test_labels_of_a_complete_run_are_not_changed_unasked() -> None:
    given = LabelsChange(project=None, ids=(RemoteId("label-1"),))
    wanted = replace(run(), labels=LabelIds(frozenset({RemoteId("label-1")})))

    found = changed(wanted, labels={RUN: LabelsFound(given)})

    assert [one.code for one in found] == ["run-complete"]


def test_a_complete_run_may_get_predictions_and_metrics() -> None:
    predictions = uploads(Family.PREDICTIONS, {"a": [box_line("a")]})

    assert changed(run(), sent={RUN: (predictions,)}) == []


def test_a_run_that_is_not_complete_may_change() -> None:
    wanted = run(config={"lr": 2})

    assert changed(wanted, status=None) == []
    assert changed(wanted, status=RunStatus(Status.FAILED, {})) == []


def test_each_guard_is_allowed_for_itself() -> None:
    wanted = run(config={"lr": 2}, rows={})

    def codes(*allowed: Allowance) -> list[str]:
        return [one.code for one in changed(wanted, allowed=allowed)]

    assert codes() == ["rows-removed", "run-complete"]
    assert codes(CHANGE) == ["rows-removed"]
    assert codes(REMOVAL) == ["run-complete"]
    assert codes(CHANGE, REMOVAL) == []


def test_an_allowance_reads_back_as_it_is_printed() -> None:
    assert str(CHANGE) == "run-complete run/digits/svm"
    assert Allowance.parse(str(CHANGE)) == CHANGE


@pytest.mark.parametrize(
    ("used", "limit", "expected"),
    [
        pytest.param(18, 20, [], id="room for all"),
        pytest.param(19, 20, ["run/digits/c"], id="room for one"),
        pytest.param(20, 20, ["run/digits/b", "run/digits/c"], id="no room"),
        pytest.param(25, None, [], id="no limit"),
        pytest.param(None, 1, [], id="nobody counted"),
    ],
)
def test_runs_that_a_model_has_no_room_for_are_blocked(
    used: int | None, limit: int | None, expected: list[str]
) -> None:
    plan = plan_of(
        MODEL,
        run(config={"lr": 2}),
        Run("digits", "b"),
        Run("digits", "c"),
        there={
            **PARENTS,
            MODEL.address: replace(CURRENT_MODEL, run_count=used),
            RUN: current_run(),
        },
        run_limit=limit,
    )

    assert [str(one.address) for one in plan.blocked] == expected
    assert {one.code for one in plan.blocked} <= {"run-limit"}
    assert all(f"{used} of {limit} used" in one.message for one in plan.blocked)


def test_a_model_that_is_created_has_room_up_to_the_limit() -> None:
    runs = [Run("digits", name) for name in "abc"]

    plan = plan_of(ONTOLOGY, MODEL, *runs, owned={}, run_limit=2)

    assert [str(one.address) for one in plan.blocked] == ["run/digits/c"]

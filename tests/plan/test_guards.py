"""What a threshold holds back."""

import pytest

from reconciler.plan.guards import Guards, Threshold
from reconciler.state.address import Address, run_address
from reconciler.state.resources import Split
from tests.support.values import MODEL, PARENTS, RUN, current_run, plan_of, run


def blocked_when(
    *, keep: int, remove: int, allowed: tuple[Address, ...] = ()
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
    assert blocked_when(keep=0, remove=500, allowed=(RUN,)) == []


def test_allowing_another_run_does_not_help() -> None:
    other = run_address("digits", "forest")

    assert blocked_when(keep=0, remove=500, allowed=(other,)) == ["rows-removed"]


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
        for allowed in ((), (RUN,))
    ]

    assert plans[0].digest != plans[1].digest

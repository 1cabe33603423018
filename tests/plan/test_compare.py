"""Whether a plan made now does only what a saved one said."""

import pytest

from reconciler.plan.build import Plan
from reconciler.plan.codec import save_plan
from reconciler.plan.compare import compare_plans
from reconciler.state.address import RemoteId
from reconciler.state.canonical import JsonObject
from reconciler.state.resources import Dataset, Run, Split
from reconciler.state.snapshot import CurrentDataset, CurrentModel
from tests.support.values import (
    MODEL,
    ONTOLOGY,
    OWNED,
    PARENTS,
    RUN,
    current_run,
    members,
    plan_of,
    run,
)

WANTED = {"a": Split.TEST, "b": Split.TRAINING, "c": Split.TRAINING}
BEFORE = {"a": Split.TRAINING, "x": Split.TEST, "c": Split.TRAINING}


def plan(
    config: JsonObject | None = None,
    rows: dict[str, Split] | None = None,
    *,
    there: JsonObject | None = None,
    has: dict[str, Split] | None = None,
    exists: bool = True,
) -> Plan:
    """Plan the run from a given state of the remote."""
    return plan_of(
        MODEL,
        run(config=config, rows=rows),
        there={**PARENTS, RUN: current_run(there)} if exists else PARENTS,
        rows={RUN: has or {}},
        owned=OWNED,
    )


def messages(saved: Plan, fresh: Plan) -> list[str]:
    found = compare_plans(saved=save_plan(saved), fresh=fresh)
    return [one.message for one in found]


def test_the_same_plan_has_no_differences() -> None:
    saved = plan({"lr": 2}, WANTED, there={"lr": 1}, has=BEFORE)

    assert messages(saved, saved) == []


@pytest.mark.parametrize(
    "has",
    [
        pytest.param(BEFORE, id="nothing done"),
        pytest.param({**BEFORE, "b": Split.UNASSIGNED}, id="added, not yet split"),
        pytest.param({**BEFORE, "b": Split.TRAINING}, id="added and split"),
        pytest.param({**BEFORE, "a": Split.TEST}, id="moved"),
        pytest.param(WANTED, id="all done"),
    ],
)
def test_rows_that_were_done_since_are_no_difference(has: dict[str, Split]) -> None:
    saved = plan(rows=WANTED, has=BEFORE)

    assert messages(saved, plan(rows=WANTED, has=has)) == []


def test_a_run_that_was_created_since_is_no_difference() -> None:
    saved = plan({"lr": 2}, WANTED, exists=False)
    created = plan({"lr": 2}, WANTED)
    configured = plan({"lr": 2}, WANTED, there={"lr": 2}, has={"b": Split.UNASSIGNED})

    assert messages(saved, created) == []
    assert messages(saved, configured) == []


@pytest.mark.parametrize(
    ("has", "expected"),
    [
        pytest.param(
            {"a": Split.TRAINING, "x": Split.TEST},
            ["1 more row would be added"],
            id="a kept row vanished",
        ),
        pytest.param(
            {**BEFORE, "y": Split.TEST},
            ["1 more row would be removed"],
            id="a row appeared",
        ),
        pytest.param(
            {**BEFORE, "c": Split.TEST},
            ["1 more row would change split"],
            id="a kept row was moved",
        ),
        pytest.param(
            {**BEFORE, "a": Split.VALIDATION},
            ["1 more row would change split"],
            id="a row to move was moved elsewhere",
        ),
    ],
)
def test_rows_that_others_changed_are_differences(
    has: dict[str, Split], expected: list[str]
) -> None:
    saved = plan(rows=WANTED, has=BEFORE)

    assert messages(saved, plan(rows=WANTED, has=has)) == expected


def test_a_config_that_others_changed_is_a_difference() -> None:
    saved = plan({"lr": 2}, there={"lr": 1})
    fresh = plan({"lr": 2}, there={"lr": 7})

    assert messages(saved, fresh) == [
        "its config on the remote is not the one that was planned with"
    ]


def test_manifests_that_say_something_else_are_differences() -> None:
    saved = plan({"lr": 2}, WANTED, there={"lr": 1})

    assert "the manifests say something else of its config by now" in messages(
        saved, plan({"lr": 3}, WANTED, there={"lr": 1})
    )
    assert "the manifests say something else of its rows by now" in messages(
        saved, plan({"lr": 2}, {"a": Split.TEST}, there={"lr": 1})
    )


def test_an_object_that_left_the_manifests_is_a_difference() -> None:
    saved = plan({"lr": 2}, exists=False)
    fresh = plan_of(MODEL, there=PARENTS)

    assert messages(saved, fresh) == ["is no longer declared by the manifests"]


def test_an_object_that_was_not_in_the_saved_plan_is_a_difference() -> None:
    saved = plan_of(MODEL, there=PARENTS)
    fresh = plan({"lr": 2}, exists=False)

    assert messages(saved, fresh) == ["create was not in the saved plan"]


def test_an_object_that_vanished_is_a_difference() -> None:
    saved = plan({"lr": 2}, there={"lr": 1})
    fresh = plan({"lr": 2}, exists=False)

    assert messages(saved, fresh) == ["no longer exists on the remote"]


def test_a_run_that_others_made_since_with_a_config_is_a_difference() -> None:
    saved = plan({"lr": 2}, exists=False)

    assert messages(saved, plan({"lr": 2}, there={"precious": 42})) == [
        "somebody else has made it since, with a config of its own"
    ]
    assert messages(saved, plan({"lr": 2}, there={})) == []


def test_a_row_to_remove_that_others_moved_is_a_difference() -> None:
    saved = plan(rows=WANTED, has=BEFORE)
    moved = plan(rows=WANTED, has={**BEFORE, "x": Split.TRAINING})

    assert messages(saved, moved) == ["1 more row would be removed"]


def test_a_run_of_a_model_that_was_replaced_is_a_difference() -> None:
    saved = plan({"lr": 2}, exists=False)
    replaced = CurrentModel(
        id=RemoteId("model-2"), name="digits", ontology_id=RemoteId("onto-1")
    )
    fresh = plan_of(
        MODEL, run(config={"lr": 2}), there={**PARENTS, MODEL.address: replaced}
    )

    assert "what it belongs to is another object on the remote by now" in messages(
        saved, fresh
    )


def test_a_description_that_others_changed_is_a_difference() -> None:
    def described(now: str) -> Plan:
        there = CurrentDataset(
            id=RemoteId("ds-1"), name="images", description=now, keys=frozenset()
        )
        wanted = Dataset("images", "ten digits", {})
        return plan_of(wanted, there={wanted.address: there})

    assert messages(described("old"), described("theirs")) == [
        "its description on the remote is not the one that was planned with"
    ]


def test_splits_that_are_managed_no_longer_are_a_difference() -> None:
    rows = {"a": Split.UNASSIGNED, "b": Split.UNASSIGNED}
    managed = Run("digits", "svm", None, members(rows))
    unmanaged = Run("digits", "svm", None, members(rows, assigns_splits=False))
    there = {**PARENTS, RUN: current_run()}

    saved = plan_of(MODEL, managed, there=there)
    fresh = plan_of(MODEL, unmanaged, there=there)

    assert saved.digest != fresh.digest
    assert messages(saved, fresh) == [
        "the manifests say something else of its rows by now"
    ]


def test_another_remote_is_a_difference_that_hides_the_others() -> None:
    saved = save_plan(plan_of(ONTOLOGY, owned={}))
    elsewhere = plan_of(ONTOLOGY, owned={}, allowed=[RUN])

    found = compare_plans(saved=saved, fresh=elsewhere)

    assert [one.message for one in found] == [
        "other addresses are allowed to pass guards"
    ]

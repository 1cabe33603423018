"""Whether a plan made now does only what a saved one said."""

from dataclasses import replace

import pytest

from reconciler.plan.build import Plan
from reconciler.plan.changes import LabelsChange
from reconciler.plan.codec import save_plan
from reconciler.plan.compare import compare_plans
from reconciler.plan.labels import LabelsFound
from reconciler.state.address import RemoteId
from reconciler.state.canonical import JsonObject
from reconciler.state.inventory import Inventory
from reconciler.state.labels import ContentHash, LabelIds, LabelPins, PinnedLabel
from reconciler.state.resources import Dataset, Run, RunStatus, Split, Status
from reconciler.state.snapshot import CurrentDataset, CurrentModel
from reconciler.state.uploads import Family, Slot, Uploaded
from tests.support.values import (
    MODEL,
    ONTOLOGY,
    OWNED,
    PARENTS,
    REMOVAL,
    RUN,
    box_line,
    current_run,
    members,
    plan_of,
    run,
    uploads,
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
    elsewhere = plan_of(ONTOLOGY, owned={}, allowed=[REMOVAL])

    found = compare_plans(saved=saved, fresh=elsewhere)

    assert [one.message for one in found] == [
        "other addresses are allowed to pass guards"
    ]


def pinned(*rows: str, text: str = "1") -> tuple[PinnedLabel, ...]:
    return tuple(PinnedLabel(row, ContentHash(f"sha256:{text}")) for row in rows)


def labelled(found: LabelsChange) -> Plan:
    wanted = replace(run(), labels=LabelIds(frozenset()))
    return plan_of(
        MODEL,
        wanted,
        there={**PARENTS, RUN: current_run()},
        labels={RUN: LabelsFound(found)},
    )


def test_labels_that_were_given_since_are_no_difference() -> None:
    ids = (RemoteId("x"), RemoteId("y"))
    saved = labelled(
        LabelsChange(
            project=None, added=pinned("a", "b"), replaced=pinned("c"), ids=ids
        )
    )
    part = LabelsChange(
        project=None, added=pinned("b"), replaced=pinned("c"), ids=ids[1:]
    )

    assert messages(saved, saved) == []
    assert messages(saved, labelled(part)) == []
    assert messages(saved, labelled(LabelsChange(project=None))) == []


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(
            LabelsChange(project=None, added=pinned("a", "z")),
            ["1 more label would be added"],
            id="a row more",
        ),
        pytest.param(
            LabelsChange(project=None, added=pinned("a", text="2")),
            ["1 more label would be added"],
            id="another content",
        ),
        pytest.param(
            LabelsChange(project=None, ids=(RemoteId("x"),)),
            ["1 more label would be added"],
            id="an id more",
        ),
        pytest.param(
            LabelsChange(project=None, replaced=pinned("a")),
            ["1 more label would be replaced"],
            id="somebody gave the row another one",
        ),
    ],
)
def test_other_labels_than_agreed_are_differences(
    found: LabelsChange, expected: list[str]
) -> None:
    saved = labelled(LabelsChange(project=None, added=pinned("a")))

    assert messages(saved, labelled(found)) == expected


def sending(
    number: int, *keys: str, slots: int = 1, done: tuple[str, ...] = ()
) -> Plan:
    """Plan to send a prediction for each key, except in the slots of those done."""
    wanted = uploads(
        Family.PREDICTIONS, {key: [box_line(key, number)] for key in keys}, slots=slots
    )
    known = {
        chunk.slot: Uploaded(
            digest=chunk.digest, generation=1, finished=True, parent=RemoteId("run-1")
        )
        for chunk in wanted.chunks
        if chunk.slot in {Slot.holding(key, slots) for key in done}
    }
    return plan_of(
        MODEL,
        run(),
        there={**PARENTS, RUN: current_run()},
        sent={RUN: (wanted,)},
        inventory=Inventory(owned=OWNED, uploads={(RUN, Family.PREDICTIONS): known}),
    )


def test_predictions_that_were_sent_since_are_no_difference() -> None:
    saved = sending(0, "a", "b", slots=2)
    assert Slot.holding("a", 2) != Slot.holding("b", 2)

    assert messages(saved, saved) == []
    assert messages(saved, sending(0, "a", "b", slots=2, done=("a",))) == []
    assert messages(saved, sending(0, "a", "b", slots=2, done=("a", "b"))) == []


def test_other_predictions_than_agreed_are_differences() -> None:
    saved = sending(0, "a", "b", slots=2, done=("a",))

    assert messages(saved, sending(1, "a", "b", slots=2)) == [
        "the manifests say something else of its predictions by now",
        "predictions of 2 more slots would be sent",
    ]
    assert messages(saved, sending(0, "a", "b", slots=2)) == [
        "predictions of 1 more slot would be sent"
    ]
    assert messages(saved, sending(0, "a", "b")) == [
        "the manifests say something else of its predictions by now",
        "predictions of 1 more slot would be sent",
    ]


def test_a_status_that_others_moved_on_is_a_difference() -> None:
    def planned(now: RunStatus | None) -> Plan:
        wanted = replace(run(), status=RunStatus(Status.COMPLETE, {}))
        there = {**PARENTS, RUN: current_run()}
        return plan_of(MODEL, wanted, there=there, statuses={RUN: now})

    saved = planned(RunStatus(Status.PREPARING_DATA, {}))

    assert messages(saved, saved) == []
    assert messages(saved, planned(RunStatus(Status.COMPLETE, {}))) == []
    assert messages(saved, planned(RunStatus(Status.TRAINING_MODEL, {}))) == [
        "its status on the remote is not the one that was planned with"
    ]


def test_labels_that_the_lock_pins_otherwise_are_a_difference() -> None:
    def locked(digest: str) -> Plan:
        pins = LabelPins(None, RemoteId("org"), {}, digest, "t.lock")
        found = LabelsChange(project=None, added=pinned("a"))
        return plan_of(
            MODEL,
            replace(run(), labels=pins),
            there={**PARENTS, RUN: current_run()},
            labels={RUN: LabelsFound(found)},
        )

    assert messages(locked("sha256:1"), locked("sha256:2")) == [
        "the manifests say something else of its labels by now"
    ]

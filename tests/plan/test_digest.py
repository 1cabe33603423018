"""Which plans have the same name."""

from dataclasses import replace

from reconciler.plan.build import Plan, Target
from reconciler.state.address import RemoteId
from reconciler.state.canonical import JsonObject
from reconciler.state.inventory import Inventory
from reconciler.state.resources import Split
from reconciler.state.uploads import Chunk, Family, Slot, Uploaded, Uploads
from tests.support.values import (
    MODEL,
    ONTOLOGY,
    OWNED,
    PARENTS,
    RUN,
    box_line,
    current_run,
    plan_of,
    run,
    uploads,
)

CONFIGS: list[JsonObject] = [{"lr": 1}, {"lr": 0}]
ROWS = {"a": Split.TEST, "b": Split.TRAINING}


def test_the_order_of_manifests_and_rows_does_not_matter() -> None:
    one = plan_of(ONTOLOGY, MODEL, run(config={"a": 1, "b": 2}, rows=ROWS), owned={})
    other = plan_of(
        run(config={"b": 2, "a": 1}, rows=dict(reversed(ROWS.items()))),
        MODEL,
        ONTOLOGY,
        owned={},
    )

    assert one.digest == other.digest


def test_the_size_of_batches_does_not_matter() -> None:
    plans = [
        plan_of(MODEL, run(rows=ROWS), there=PARENTS, owned={}, batch_size=size)
        for size in (1, 10)
    ]

    assert plans[0].digest == plans[1].digest


def test_every_part_of_what_is_done_matters() -> None:
    there = {**PARENTS, RUN: current_run({"lr": 1})}
    digests = [
        plan_of(MODEL, wanted, there=there, rows={RUN: rows}).digest
        for wanted, rows in [
            (run(config={"lr": 2}), {}),
            (run(config={"lr": 3}), {}),
            (run(rows=ROWS), {}),
            (run(rows={**ROWS, "b": Split.TEST}), {}),
            (run(rows=ROWS), {"a": Split.TEST}),
            (run(rows=ROWS), {"a": Split.VALIDATION}),
            (run(rows=ROWS), {"z": Split.TEST}),
        ]
    ]

    assert len(set(digests)) == 7


def test_what_a_run_must_still_be_matters() -> None:
    plans = [
        plan_of(
            MODEL, run(config={"lr": 2}), there={**PARENTS, RUN: current_run(before)}
        )
        for before in CONFIGS
    ]

    assert plans[0].digest != plans[1].digest


def test_the_remote_and_the_organisation_matter_and_its_name_does_not() -> None:
    plan = plan_of(ONTOLOGY, owned={})
    elsewhere = replace(plan, target=Target("https://x", RemoteId("org"), "Fake"))
    others = replace(plan, target=Target("local", RemoteId("org-2"), "Fake"))
    renamed = replace(plan, target=Target("local", RemoteId("org"), "New name"))

    assert len({plan.digest, elsewhere.digest, others.digest}) == 3
    assert renamed.digest == plan.digest


def test_an_adoption_does_not_enter() -> None:
    there = {**PARENTS, RUN: current_run({"lr": 1})}
    owned = plan_of(MODEL, run(config={"lr": 1}), there=there)
    adopted = plan_of(MODEL, run(config={"lr": 1}), there=there, owned={})

    assert owned.digest == adopted.digest


def sending(uploads_: Uploads, *, generation: int = 0, lineage: str = "l") -> Plan:
    """Plan a run that is sent predictions, and was so often before."""
    known = Uploaded(digest="", generation=generation, finished=True)
    return plan_of(
        MODEL,
        run(),
        there={**PARENTS, RUN: current_run()},
        sent={RUN: (uploads_,)},
        inventory=Inventory(
            owned=OWNED,
            lineage=lineage,
            uploads={(RUN, uploads_.family): {Slot(0, 1): known}},
        ),
    )


def test_what_is_sent_matters_and_how_often_and_by_whom_does_not() -> None:
    one = uploads(Family.PREDICTIONS, {"a": [box_line("a")]})
    other = uploads(Family.PREDICTIONS, {"a": [box_line("a", 1)]})
    halves = uploads(Family.PREDICTIONS, {"a": [box_line("a")]}, slots=2)

    assert len({sending(each).digest for each in (one, other, halves)}) == 3
    assert sending(one).digest == sending(one, generation=5, lineage="x").digest


def test_which_slots_are_sent_matters_though_the_whole_is_the_same() -> None:
    whole = uploads(
        Family.PREDICTIONS, {"a": [box_line("a")], "b": [box_line("b")]}, slots=2
    )
    first, second = whole.chunks

    def without(*done: Chunk) -> str:
        known = {
            chunk.slot: Uploaded(
                digest=chunk.digest,
                generation=1,
                finished=True,
                parent=RemoteId("run-1"),
            )
            for chunk in done
        }
        return plan_of(
            MODEL,
            run(),
            there={**PARENTS, RUN: current_run()},
            sent={RUN: (whole,)},
            inventory=Inventory(owned=OWNED, uploads={(RUN, whole.family): known}),
        ).digest

    assert len({without(), without(first), without(second)}) == 3

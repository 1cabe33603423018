"""Projects and what runs take from them, from manifests to steps."""

from dataclasses import replace

from reconciler.plan.build import Plan
from reconciler.plan.changes import Action, LabelsChange, Reason
from reconciler.plan.labels import LabelsFound
from reconciler.plan.lower import PROJECT_BATCH
from reconciler.plan.steps import (
    AddLabelIds,
    AddLabels,
    AddRows,
    AssignSplits,
    BatchRows,
    ConnectOntology,
    CreateProject,
    RemoveRows,
    SendChunk,
    SetConfig,
    SetStatus,
    Step,
    describe,
)
from reconciler.state.address import Address, RemoteId
from reconciler.state.inventory import Inventory
from reconciler.state.labels import ContentHash, LabelPins, PinnedLabel
from reconciler.state.resources import (
    Dataset,
    GlobalKey,
    Ontology,
    Project,
    Run,
    RunStatus,
    Split,
    Status,
)
from reconciler.state.snapshot import CurrentProject
from reconciler.state.uploads import Family, Slot, Uploaded, Uploads
from tests.support.values import (
    CURRENT_ONTOLOGY,
    MODEL,
    ONTOLOGY,
    OWNED,
    PARENTS,
    RUN,
    box_line,
    current_run,
    data_row,
    members,
    plan_of,
    run,
    uploads,
)

PROJECT = Project("truth", ONTOLOGY.address, labels=())
TRUTH = uploads(Family.LABELS, {"a": [box_line("a")], "b": [box_line("b")]})
(CHUNK,) = TRUTH.chunks
SENT = {PROJECT.address: (TRUTH,)}
PIN = PinnedLabel("a", ContentHash("sha256:1"), RemoteId("label-1"))
PINS = LabelPins(PROJECT.address, RemoteId("org"), {"a": PIN}, "sha256:lock", "t.lock")


def there(ontology: str | None) -> CurrentProject:
    return CurrentProject(
        id=RemoteId("project-1"),
        name="truth",
        media_type="IMAGE",
        ontology_id=None if ontology is None else RemoteId(ontology),
    )


def steps(plan: Plan) -> list[Step]:
    return [step for work in plan.work for phase in work.phases for step in phase]


def test_a_new_project_is_created_connected_filled_and_labelled() -> None:
    plan = plan_of(
        ONTOLOGY, PROJECT, there={ONTOLOGY.address: CURRENT_ONTOLOGY}, sent=SENT
    )

    create, connect, batch, send = steps(plan)
    assert create == CreateProject(PROJECT.address, "IMAGE")
    assert connect == ConnectOntology(PROJECT.address, ONTOLOGY.address)
    assert isinstance(batch, BatchRows)
    assert batch.name.startswith("reconciler 0of1 ")
    assert batch.rows == ("a", "b")
    assert isinstance(send, SendChunk)
    assert (send.family, send.chunk, send.generation) == (Family.LABELS, CHUNK, 1)
    assert list(map(describe, steps(plan))) == [
        "create project/truth",
        "connect ontology/digits to project/truth",
        "batch 2 data rows into project/truth",
        "send 2 labels (slot 0of1) to project/truth",
    ]


def test_a_batch_has_no_more_rows_than_the_api_takes_at_once() -> None:
    keys = [f"k{n:04}" for n in range(PROJECT_BATCH + 1)]
    truth = uploads(Family.LABELS, {key: [box_line(key)] for key in keys})

    plan = plan_of(ONTOLOGY, PROJECT, sent={PROJECT.address: (truth,)}, owned={})

    first, second = (step for step in steps(plan) if isinstance(step, BatchRows))
    assert first.rows + second.rows == tuple(keys)
    assert len(first.rows) == PROJECT_BATCH
    assert second.name == f"{first.name} 2"


def test_a_project_without_an_ontology_gets_it() -> None:
    plan = plan_of(
        ONTOLOGY,
        PROJECT,
        there={ONTOLOGY.address: CURRENT_ONTOLOGY, PROJECT.address: there(None)},
    )

    assert plan.changes[1].action is Action.UPDATE
    assert steps(plan) == [ConnectOntology(PROJECT.address, ONTOLOGY.address)]


def test_a_project_with_another_ontology_is_blocked() -> None:
    plan = plan_of(
        ONTOLOGY,
        PROJECT,
        there={ONTOLOGY.address: CURRENT_ONTOLOGY, PROJECT.address: there("onto-2")},
    )

    assert [one.code for one in plan.blocked] == ["project-ontology"]
    assert not plan


def test_a_new_project_without_a_media_type_is_blocked() -> None:
    ontology = Ontology("digits", None, ONTOLOGY.schema)

    plan = plan_of(ontology, PROJECT, owned={})

    assert [one.code for one in plan.blocked] == ["project-media-type"]


def test_a_project_that_others_own_is_a_reference() -> None:
    plan = plan_of(Project("truth"), there={PROJECT.address: there("onto-9")})

    assert plan.changes[0].reason is Reason.REFERENCE
    assert plan.blocked == ()


def test_a_project_waits_for_its_ontology_and_the_data_rows_it_takes() -> None:
    taken = Dataset("taken", data_rows={GlobalKey("a"): data_row("a")})
    other = Dataset("other", data_rows={GlobalKey("z"): data_row("z")})

    plan = plan_of(PROJECT, other, taken, ONTOLOGY, sent=SENT, owned={})

    assert plan.work[-1].needs == {ONTOLOGY.address, taken.address}


def labelled(found: LabelsChange, *, run_: Run | None = None) -> Plan:
    wanted = run_ or replace(run(), labels=PINS)
    return plan_of(
        ONTOLOGY,
        PROJECT,
        MODEL,
        wanted,
        there={**PARENTS, RUN: current_run()},
        labels={RUN: LabelsFound(found)},
        sent=SENT,
    )


def test_a_run_that_takes_labels_waits_for_their_project() -> None:
    found = LabelsChange(project=PROJECT.address, added=(PIN,))

    plan = labelled(found)

    assert plan.work[-1].needs == {PROJECT.address}
    assert steps(plan)[-1] == AddLabels(RUN, PROJECT.address, (PIN,))


def test_labels_by_id_wait_for_nobody() -> None:
    plan = labelled(LabelsChange(project=None, ids=(RemoteId("label-1"),)))

    assert plan.work[-1].needs == frozenset()
    assert steps(plan)[-1] == AddLabelIds(RUN, (RemoteId("label-1"),))


def test_labels_of_a_run_that_manages_none_are_left_alone() -> None:
    found = LabelsChange(project=PROJECT.address, added=(PIN,))

    assert labelled(found, run_=run()).changes[-1].action is Action.KEEP


def test_a_run_is_worked_on_in_the_order_that_its_parts_need() -> None:
    wanted = Run(
        "digits",
        "svm",
        {"lr": 1},
        members({"a": Split.TEST}),
        labels=PINS,
        predictions=(),
        status=RunStatus(Status.COMPLETE, {}),
    )
    predictions: Uploads = uploads(Family.PREDICTIONS, {"a": [box_line("a")]})
    sent: dict[Address, tuple[Uploads, ...]] = {RUN: (predictions,)}

    plan = plan_of(
        MODEL,
        wanted,
        there={**PARENTS, RUN: current_run()},
        rows={RUN: {"b": Split.TEST}},
        labels={RUN: LabelsFound(LabelsChange(project=None, added=(PIN,)))},
        sent=sent,
    )

    assert [type(step) for step in steps(plan)][1:] == [
        SetConfig,
        AddRows,
        AddLabels,
        AssignSplits,
        RemoveRows,
        SendChunk,
        SetStatus,
    ]


def test_a_run_whose_rows_and_config_stay_is_not_checked() -> None:
    wanted = replace(run(), status=RunStatus(Status.COMPLETE, {}))

    plan = plan_of(MODEL, wanted, there={**PARENTS, RUN: current_run({"lr": 1})})

    assert steps(plan) == [SetStatus(RUN, RunStatus(Status.COMPLETE, {}))]


def test_what_a_run_stands_on_is_blocked_with_it_though_narrowed_away() -> None:
    plan = plan_of(
        ONTOLOGY,
        PROJECT,
        MODEL,
        replace(run(), labels=PINS),
        there={**PARENTS, PROJECT.address: there("onto-2"), RUN: current_run()},
        selected=frozenset({RUN}),
    )

    assert [one.code for one in plan.blocked] == ["project-ontology"]


def test_a_run_brings_its_project_along_when_narrowed_to() -> None:
    plan = plan_of(
        ONTOLOGY,
        PROJECT,
        MODEL,
        replace(run(), labels=PINS),
        there={**PARENTS, RUN: current_run()},
        labels={RUN: LabelsFound(LabelsChange(project=PROJECT.address, added=(PIN,)))},
        sent=SENT,
        selected=frozenset({RUN}),
    )

    assert [work.address for work in plan.work] == [PROJECT.address, RUN]


def test_what_stays_behind_is_a_notice_where_the_run_is_not_shown() -> None:
    old = uploads(Family.PREDICTIONS, {"a": [box_line("a")], "b": [box_line("b")]})
    now = uploads(Family.PREDICTIONS, {"a": [box_line("a")]})
    recorded = Uploaded(
        digest=now.chunks[0].digest,
        generation=2,
        finished=True,
        parent=RemoteId("run-1"),
        marks=old.chunks[0].marks,
    )

    plan = plan_of(
        MODEL,
        run(),
        there={**PARENTS, RUN: current_run()},
        sent={RUN: (now,)},
        inventory=Inventory(
            owned=OWNED, uploads={(RUN, Family.PREDICTIONS): {Slot(0, 1): recorded}}
        ),
    )

    assert not plan
    assert [one.code for one in plan.notices] == ["uploads-left"]

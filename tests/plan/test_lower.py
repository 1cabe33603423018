"""Changes to steps."""

from reconciler.plan.build import Plan
from reconciler.plan.steps import (
    AddRows,
    AssignSplits,
    CheckRun,
    CreateDataset,
    CreateModel,
    CreateOntology,
    CreateRun,
    RemoveRows,
    SetConfig,
    Step,
    UploadDataRows,
    describe,
)
from reconciler.state.address import RemoteId
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


def steps(plan: Plan) -> list[list[Step]]:
    """List the phases of the last object's work."""
    return [list(phase) for phase in plan.work[-1].phases]


def test_objects_come_in_the_order_in_which_they_need_each_other() -> None:
    dataset = Dataset("images", data_rows={GlobalKey("a"): data_row("a")})
    plan = plan_of(run(rows={"a": Split.TEST}), MODEL, dataset, ONTOLOGY, owned={})

    assert [str(work.address) for work in plan.work] == [
        "ontology/digits",
        "dataset/images",
        "model/digits",
        "run/digits/svm",
    ]
    assert plan.work[-1].needs == {dataset.address, MODEL.address}
    assert plan.work[2].needs == {ONTOLOGY.address}


def test_a_run_does_not_wait_for_data_rows_that_it_does_not_add() -> None:
    dataset = Dataset("images", data_rows={GlobalKey("a"): data_row("a")})
    plan = plan_of(run(rows={"b": Split.TEST}), MODEL, dataset, ONTOLOGY, owned={})

    assert plan.work[-1].needs == {MODEL.address}


def test_a_new_run_is_created_configured_filled_and_split() -> None:
    plan = plan_of(
        MODEL,
        run(config={"lr": 1}, rows={"a": Split.TEST, "b": Split.UNASSIGNED}),
        there=PARENTS,
        owned={},
    )

    by_key = plan.changes[1].rows.by if plan.changes[1].rows else None
    assert by_key is not None
    assert steps(plan) == [
        [CreateRun(RUN)],
        [SetConfig(RUN, {"lr": 1})],
        [AddRows(RUN, by_key, ("a", "b"))],
        [AssignSplits(RUN, by_key, {Split.TEST: ("a",)})],
    ]


def test_rows_of_several_splits_are_added_in_the_order_of_their_names() -> None:
    plan = plan_of(
        MODEL,
        run(
            rows={
                "c": Split.TRAINING,
                "a": Split.TEST,
                "d": Split.TRAINING,
                "b": Split.VALIDATION,
            }
        ),
        there=PARENTS,
        owned={},
        batch_size=3,
    )

    added = [
        step.names
        for phase in steps(plan)
        for step in phase
        if isinstance(step, AddRows)
    ]
    assert added == [("a", "b", "c"), ("d",)]


def test_a_check_says_how_many_rows_the_run_had() -> None:
    plan = plan_of(
        MODEL,
        run(rows={"a": Split.TEST, "b": Split.TEST, "d": Split.TEST}),
        there={**PARENTS, RUN: current_run()},
        rows={RUN: {"a": Split.TEST, "b": Split.TRAINING, "c": Split.TEST}},
    )

    (check,) = steps(plan)[0]
    assert isinstance(check, CheckRun)
    assert check.expected == 3


def test_a_row_that_changes_its_split_is_moved_and_never_removed() -> None:
    plan = plan_of(
        MODEL,
        run(rows={"a": Split.TEST}),
        there={**PARENTS, RUN: current_run()},
        rows={RUN: {"a": Split.TRAINING}},
    )

    kinds = [type(step) for phase in steps(plan) for step in phase]
    assert kinds == [CheckRun, AssignSplits]


def test_rows_are_removed_last_by_the_ids_that_were_read() -> None:
    plan = plan_of(
        MODEL,
        run(rows={"a": Split.TEST, "c": Split.TEST}),
        there={**PARENTS, RUN: current_run()},
        rows={RUN: {"a": Split.TEST, "b": Split.TEST}},
    )

    assert steps(plan)[-1] == [RemoveRows(RUN, (RemoteId("id-of-b"),))]
    assert [type(phase[0]) for phase in steps(plan)] == [
        CheckRun,
        AddRows,
        AssignSplits,
        RemoveRows,
    ]


def test_large_sets_go_in_batches_that_may_overlap() -> None:
    plan = plan_of(
        MODEL,
        run(rows={f"k{n}": Split.TEST for n in range(5)}),
        there=PARENTS,
        owned={},
        batch_size=2,
    )

    assert [len(phase) for phase in steps(plan)] == [1, 3, 3]


def test_every_step_can_be_said_in_a_line() -> None:
    dataset = Dataset("images", data_rows={GlobalKey("a"): data_row("a")})
    plan = plan_of(
        ONTOLOGY,
        dataset,
        MODEL,
        run(config={"lr": 1}, rows={"a": Split.TEST}),
        owned={},
    )

    said = [
        describe(step) for work in plan.work for phase in work.phases for step in phase
    ]
    assert said == [
        "create ontology/digits",
        "create dataset/images",
        "upload 1 data row to dataset/images",
        "create model/digits",
        "create run/digits/svm",
        "set the config of run/digits/svm",
        "add 1 row to run/digits/svm",
        "assign splits in run/digits/svm: 1 to TEST",
    ]
    assert [type(phase[0]) for work in plan.work for phase in work.phases][:4] == [
        CreateOntology,
        CreateDataset,
        UploadDataRows,
        CreateModel,
    ]

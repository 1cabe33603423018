"""What is desired and what is there, to changes."""

from reconciler.plan.changes import Action, FieldChange, Reason
from reconciler.plan.diff import diff
from reconciler.state.address import RemoteId
from reconciler.state.inventory import Inventory
from reconciler.state.resources import Dataset, GlobalKey, Model, Ontology, Split
from reconciler.state.snapshot import Current, CurrentDataset, CurrentOntology
from tests.support.values import (
    CURRENT_MODEL,
    CURRENT_ONTOLOGY,
    MODEL,
    ONTOLOGY,
    OWNED,
    PARENTS,
    RUN,
    current_run,
    data_row,
    desired,
    plan_of,
    run,
)

DATASET = Dataset(
    "images",
    data_rows={
        GlobalKey("a"): data_row("a"),
        GlobalKey("b"): data_row("b"),
    },
)


def dataset_there(*keys: str) -> CurrentDataset:
    return CurrentDataset(
        id=RemoteId("ds-1"),
        name="images",
        description=None,
        keys=frozenset(map(GlobalKey, keys)),
    )


def test_what_is_absent_is_created() -> None:
    plan = plan_of(ONTOLOGY, MODEL, run(config={"lr": 1}), owned={})

    assert [change.action for change in plan.changes] == [Action.CREATE] * 3
    assert [change.reason for change in plan.changes] == [Reason.NOT_FOUND] * 3


def test_what_is_there_and_owned_and_equal_is_kept() -> None:
    plan = plan_of(
        ONTOLOGY,
        MODEL,
        run(config={"lr": 1}, rows={"a": Split.TEST}),
        there={**PARENTS, RUN: current_run({"lr": 1})},
        rows={RUN: {"a": Split.TEST}},
    )

    assert not plan
    assert [change.action for change in plan.changes] == [Action.KEEP] * 3
    assert plan.work == ()


def test_what_is_there_and_not_owned_is_adopted_which_is_no_change() -> None:
    plan = plan_of(ONTOLOGY, there={ONTOLOGY.address: CURRENT_ONTOLOGY}, owned={})

    assert not plan
    assert plan.changes[0].action is Action.ADOPT
    assert plan.changes[0].reason is Reason.FOUND_BY_NAME
    assert [change.id for change in plan.adoptions] == ["onto-1"]


def test_an_adoption_with_differences_is_an_update_that_says_so() -> None:
    plan = plan_of(
        MODEL,
        run(config={"lr": 2}),
        there={**PARENTS, RUN: current_run({"lr": 1})},
        owned={MODEL.address: RemoteId("model-1")},
    )

    change = plan.changes[1]
    assert change.action is Action.UPDATE
    assert change.reason is Reason.FOUND_BY_NAME
    assert plan.adoptions == (change,)


def test_an_object_of_another_id_than_the_owned_one_is_adopted_again() -> None:
    plan = plan_of(
        MODEL,
        run(),
        there={**PARENTS, RUN: current_run()},
        owned={**OWNED, RUN: RemoteId("run-0")},
    )

    assert plan.changes[1].action is Action.ADOPT


def test_a_config_that_differs_is_an_update_by_field_path() -> None:
    plan = plan_of(
        MODEL,
        run(config={"adam": {"beta1": 0.9}, "lr": 1}),
        there={**PARENTS, RUN: current_run({"adam": {"beta1": 0.8}, "lr": 1})},
    )

    assert plan.changes[1].fields == (
        FieldChange(("config", "adam", "beta1"), 0.8, 0.9),
    )
    assert plan.changes[1].config_before is not None


def test_a_run_without_config_leaves_the_remotes_alone() -> None:
    plan = plan_of(MODEL, run(), there={**PARENTS, RUN: current_run({"lr": 1})})

    assert not plan


def test_an_empty_config_resets_the_remotes() -> None:
    plan = plan_of(
        MODEL, run(config={}), there={**PARENTS, RUN: current_run({"lr": 1})}
    )

    assert plan
    assert plan.changes[1].fields[0].path == ("config", "lr")


def test_a_run_without_rows_leaves_the_remotes_alone() -> None:
    plan = plan_of(
        MODEL,
        run(),
        there={**PARENTS, RUN: current_run()},
        rows={RUN: {"a": Split.TEST}},
    )

    assert not plan


def test_an_ontology_that_differs_is_blocked_and_not_touched() -> None:
    there = CurrentOntology(
        id=RemoteId("onto-1"),
        name="digits",
        media_type="IMAGE",
        schema={"tools": [], "classifications": [{"name": "digit"}]},
    )

    plan = plan_of(ONTOLOGY, there={ONTOLOGY.address: there})

    assert [one.code for one in plan.blocked] == ["ontology-differs"]
    assert not plan
    assert plan.work == ()


def test_a_reference_is_neither_owned_nor_compared() -> None:
    plan = plan_of(
        Ontology("digits"), there={ONTOLOGY.address: CURRENT_ONTOLOGY}, owned={}
    )

    assert plan.changes[0].reason is Reason.REFERENCE
    assert plan.adoptions == ()
    assert plan.blocked == ()


def test_a_model_on_another_ontology_is_blocked() -> None:
    other = Ontology("letters", None, ONTOLOGY.schema)
    plan = plan_of(
        other,
        Model("digits", other.address),
        there={
            other.address: CurrentOntology(
                id=RemoteId("onto-2"),
                name="letters",
                media_type=None,
                schema=ONTOLOGY.schema or {},
            ),
            MODEL.address: CURRENT_MODEL,
        },
    )

    assert [one.code for one in plan.blocked] == ["model-ontology"]


def test_a_model_that_exists_while_its_ontology_does_not_is_blocked() -> None:
    plan = plan_of(ONTOLOGY, MODEL, there={MODEL.address: CURRENT_MODEL})

    assert [one.code for one in plan.blocked] == ["model-ontology"]


def test_only_data_rows_that_the_dataset_lacks_are_uploaded() -> None:
    plan = plan_of(DATASET, there={DATASET.address: dataset_there("a")})

    change = plan.changes[0].data_rows
    assert change is not None
    assert [row.global_key for row in change.created] == ["b"]
    assert change.kept == 1


def test_data_rows_that_left_the_files_are_a_notice_and_no_change() -> None:
    plan = plan_of(
        DATASET,
        there={DATASET.address: dataset_there("a", "b", "c")},
        owned={DATASET.address: RemoteId("ds-1")},
    )

    assert not plan
    assert "data-rows-left" in [notice.code for notice in plan.notices]


def test_changed_content_under_an_old_key_is_blocked() -> None:
    found = diff(
        desired=desired(DATASET),
        current=Current(resources={DATASET.address: dataset_there("a", "b")}),
        inventory=Inventory(
            fingerprints={DATASET.address: {GlobalKey("a"): "f0", GlobalKey("b"): "f1"}}
        ),
    )

    assert [one.code for one in found.blocked] == ["data-row-content"]
    assert "'a'" in found.blocked[0].message


def test_content_that_was_not_uploaded_from_here_is_said_to_be_unchecked() -> None:
    found = diff(
        desired=desired(DATASET),
        current=Current(resources={DATASET.address: dataset_there("a", "b")}),
        inventory=Inventory(),
    )

    assert "data-rows-unchecked" in [notice.code for notice in found.notices]
    assert found.blocked == []


def test_a_description_that_differs_is_an_update_where_one_is_declared() -> None:
    declared = Dataset("images", "digits", DATASET.data_rows)

    managed = plan_of(declared, there={DATASET.address: dataset_there("a", "b")})
    unmanaged = plan_of(DATASET, there={DATASET.address: dataset_there("a", "b")})

    assert managed.changes[0].fields == (FieldChange(("description",), None, "digits"),)
    assert unmanaged.changes[0].fields == ()

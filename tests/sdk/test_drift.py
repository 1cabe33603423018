"""What somebody changes by the official SDK is drift: shown exactly, and healed."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.sdk.site import Checkout, config_of, run_of, served, splits_of
from tests.support.workspaces import make_workspace

FIRST = {
    "n1": "TRAINING",
    "n2": "TRAINING",
    "n3": "VALIDATION",
    "n4": "TEST",
    "n5": "UNASSIGNED",
}
SECOND = {"n1": "TRAINING", "n2": "TEST"}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    folder = tmp_path_factory.mktemp("drift")
    workspace = make_workspace(folder / "workspace", remote="labelbox")
    with served(folder / "home") as site:
        checkout = Checkout(workspace, site)
        checkout.apply()
        yield checkout


@pytest.fixture
def first(checkout: Checkout) -> Any:
    """A run by the SDK, before anything was changed behind the tool's back."""
    assert checkout.drift() == {}
    return run_of(checkout.site.sdk(), "animals", "first")


@pytest.fixture
def second(checkout: Checkout) -> Any:
    assert checkout.drift() == {}
    return run_of(checkout.site.sdk(), "animals", "second")


def test_a_row_in_another_split_is_moved_back(checkout: Checkout, first: Any) -> None:
    assert first.assign_data_rows_to_split(global_keys=["n1"], split="TEST")

    assert checkout.drift() == {
        "run/animals/first": {
            "moved": {
                "count": 1,
                "by_split": [{"before": "TEST", "after": "TRAINING", "count": 1}],
                "sample": ["n1"],
            }
        }
    }
    checkout.apply()
    assert splits_of(first) == FIRST


def test_a_row_too_many_is_removed(checkout: Checkout, second: Any) -> None:
    assert second.upsert_data_rows(global_keys=["n3"])

    assert checkout.drift() == {
        "run/animals/second": {"removed": {"count": 1, "sample": ["n3"]}}
    }
    checkout.apply()
    assert splits_of(second) == SECOND


def test_a_row_too_many_that_has_no_key_is_removed_by_its_id(
    checkout: Checkout, second: Any
) -> None:
    dataset = checkout.site.sdk().create_dataset(name="by hand")
    task = dataset.create_data_rows([{"row_data": "a bird sang"}])
    task.wait_till_done()
    (made,) = task.result
    assert second.upsert_data_rows(data_row_ids=[made["id"]])

    assert checkout.drift() == {
        "run/animals/second": {"removed": {"count": 1, "sample": [made["id"]]}}
    }
    checkout.apply()
    assert splits_of(second) == SECOND


def test_a_deleted_row_is_added_again_into_its_split(
    checkout: Checkout, first: Any
) -> None:
    rows = {row.data_row().global_key: row for row in first.model_run_data_rows()}
    first.delete_model_run_data_rows([rows["n3"].data_row().uid])

    assert checkout.drift() == {
        "run/animals/first": {
            "added": {"count": 1, "by_split": {"VALIDATION": 1}, "sample": ["n3"]}
        }
    }
    checkout.apply()
    assert splits_of(first) == FIRST


def test_an_updated_config_is_set_back_in_every_field(
    checkout: Checkout, second: Any
) -> None:
    second.update_config({"batchSize": 32, "optimizer": {"lr": "0.01", "beta": None}})

    assert checkout.drift() == {
        "run/animals/second": {
            "fields": [
                {"path": ["config", "batchSize"], "before": 32},
                {"path": ["config", "batch_size"], "after": 32},
                {"path": ["config", "optimizer", "beta"], "before": None},
                {
                    "path": ["config", "optimizer", "lr"],
                    "before": "0.01",
                    "after": 0.01,
                },
            ]
        }
    }
    checkout.apply()
    assert config_of(second) == '{"batch_size": 32, "optimizer": {"lr": 0.01}}'


def test_a_config_that_was_reset_is_set_again(checkout: Checkout, first: Any) -> None:
    first.reset_config()

    assert checkout.drift() == {
        "run/animals/first": {
            "fields": [
                {"path": ["config", "batch_size"], "after": 32},
                {"path": ["config", "optimizer", "lr"], "after": 0.0001},
            ]
        }
    }
    checkout.apply()
    assert config_of(first) == '{"batch_size": 32, "optimizer": {"lr": 0.0001}}'


def test_a_deleted_run_is_created_again_with_all_that_was_in_it(
    checkout: Checkout, second: Any
) -> None:
    second.delete()

    assert checkout.drift() == {
        "run/animals/second": {
            "added": {
                "count": 2,
                "by_split": {"TEST": 1, "TRAINING": 1},
                "sample": ["n1", "n2"],
            },
            "fields": [
                {"path": ["config", "batch_size"], "after": 32},
                {"path": ["config", "optimizer", "lr"], "after": 0.01},
            ],
        }
    }
    checkout.apply()
    again = run_of(checkout.site.sdk(), "animals", "second")
    assert again.uid != second.uid
    assert splits_of(again) == SECOND
    assert config_of(again) == '{"batch_size": 32, "optimizer": {"lr": 0.01}}'


def test_a_deleted_data_row_is_uploaded_again_and_back_in_its_runs(
    checkout: Checkout, first: Any, second: Any
) -> None:
    checkout.site.sdk().get_data_row_by_global_key("n2").delete()

    added = {"count": 1, "sample": ["n2"]}
    assert checkout.drift() == {
        "dataset/notes": {"uploaded": ["n2"]},
        "run/animals/first": {"added": {**added, "by_split": {"TRAINING": 1}}},
        "run/animals/second": {"added": {**added, "by_split": {"TEST": 1}}},
    }
    checkout.apply()
    assert (splits_of(first), splits_of(second)) == (FIRST, SECOND)


def test_all_at_once_is_healed_at_once(
    checkout: Checkout, first: Any, second: Any
) -> None:
    first.reset_config()
    first.assign_data_rows_to_split(global_keys=["n4", "n5"], split="VALIDATION")
    second.upsert_data_rows(global_keys=["n4", "n5"])
    second.update_config({})

    assert {run: list(what) for run, what in checkout.drift().items()} == {
        "run/animals/first": ["moved", "fields"],
        "run/animals/second": ["removed", "fields"],
    }
    checkout.apply()
    assert (splits_of(first), splits_of(second)) == (FIRST, SECOND)
    assert checkout.drift() == {}


def test_what_the_manifests_dont_speak_of_is_no_drift(
    checkout: Checkout, first: Any
) -> None:
    client = checkout.site.sdk()
    (model,) = [one for one in client.get_models() if one.name == "animals"]
    model.create_model_run("by hand", config={"lr": 1})

    assert checkout.drift() == {}
    checkout.apply()
    assert {run.name for run in model.model_runs()} == {"first", "second", "by hand"}

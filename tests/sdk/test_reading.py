"""What the tool has applied is what the official SDK reads."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from labelbox import Client  # type: ignore[import-untyped]  # publishes no types

from tests.sdk.site import (
    Checkout,
    Site,
    as_a_user,
    config_of,
    run_of,
    served,
    splits_of,
)
from tests.support.workspaces import make_workspace

SPECS = Path(__file__).parents[2] / "specs"
RUNS = ["logistic-regression", "random-forest", "svm-rbf"]
NEIGHBOURS = ["knn-1-uniform", "knn-3-distance", "knn-3-uniform", "knn-7-distance"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Digits, which went into the store before it was served; and a few notes."""
    folder = tmp_path_factory.mktemp("reading")
    home = str(folder / "home")
    ended = as_a_user("apply", str(SPECS), "--auto-approve", RECONCILER_HOME=home)
    assert ended.code == 0, ended.err
    with served(Path(home)) as site:
        Checkout(make_workspace(folder / "notes", remote="labelbox"), site).apply()
        yield site


@pytest.fixture(scope="module")
def client(site: Site) -> Client:
    return site.sdk()


@pytest.fixture(scope="module")
def exported(client: Client) -> tuple[Any, list[Any]]:
    """A run of the digits, and the lines of its export."""
    digits = run_of(client, "digits", "svm-rbf")
    task = digits.export(params={"model_run_details": True})
    task.wait_till_done()
    assert task.status == "COMPLETE"
    return digits, [line.json for line in task.get_buffered_stream()]


def split_by_hash(key: str) -> str:
    h = int(hashlib.sha256(f"v1\n{key}".encode()).hexdigest()[:16], 16)
    if h < 0xCCCCCCCCCCCCCCCC:  # 80% of 2^64, rounded down
        return "TRAINING"
    return "VALIDATION" if h < 0xE666666666666666 else "TEST"  # 90%


DIGITS = {f"digits-{n:04}": split_by_hash(f"digits-{n:04}") for n in range(1, 1798)}


def test_every_model_is_there_with_its_runs(client: Client) -> None:
    found = {
        model.name: sorted(run.name for run in model.model_runs())
        for model in client.get_models()
    }

    assert found == {
        "animals": ["first", "second"],
        "digits": [*NEIGHBOURS, *RUNS],
        "notes": ["by-hand"],
        "scenes": ["by-hand"],
    }


def test_a_model_has_the_ontology_of_its_manifest(client: Client) -> None:
    (model,) = [one for one in client.get_models() if one.name == "digits"]

    ontology = client.get_ontology(model.ontology_id)

    assert (ontology.name, ontology.media_type.value) == ("digits", "IMAGE")
    assert ontology.tools() == []
    (digit,) = ontology.classifications()
    assert (digit.name, digit.class_type.value) == ("digit", "radio")
    assert [option.value for option in digit.options] == [
        *("zero", "one", "two", "three", "four"),
        *("five", "six", "seven", "eight", "nine"),
    ]


def test_a_dataset_has_its_description_and_all_its_rows(client: Client) -> None:
    (dataset,) = [one for one in client.get_datasets() if one.name == "digits"]

    assert dataset.description == (
        "Handwritten digits, 8 by 8 pixels, from the UCI repository (CC BY 4.0)"
    )
    assert dataset.row_count == 1797
    assert {row.global_key for row in dataset.data_rows()} == DIGITS.keys()


def test_configs_keep_their_types_and_the_spelling_of_their_keys(
    client: Client,
) -> None:
    assert config_of(run_of(client, "animals", "first")) == (
        '{"batch_size": 32, "optimizer": {"lr": 0.0001}}'
    )
    assert config_of(run_of(client, "animals", "second")) == (
        '{"batch_size": 32, "optimizer": {"lr": 0.01}}'
    )
    assert config_of(run_of(client, "digits", "logistic-regression")) == (
        '{"estimator": "sklearn.linear_model.LogisticRegression",'
        ' "parameters": {"C": 0.3, "max_iter": 1000, "solver": "lbfgs", "tol": 0.0001},'
        ' "preprocessing": {"pixel_range": [0, 16], "standardize": true},'
        ' "seed": 42}'
    )


def test_small_runs_have_their_rows_and_splits(client: Client) -> None:
    assert splits_of(run_of(client, "animals", "first")) == {
        "n1": "TRAINING",
        "n2": "TRAINING",
        "n3": "VALIDATION",
        "n4": "TEST",
        "n5": "UNASSIGNED",
    }
    assert splits_of(run_of(client, "animals", "second")) == {
        "n1": "TRAINING",
        "n2": "TEST",
    }


def test_the_splits_of_the_digits_are_as_many_as_its_readme_says() -> None:
    assert Counter(DIGITS.values()) == {
        "TRAINING": 1432,
        "VALIDATION": 189,
        "TEST": 176,
    }


@pytest.mark.parametrize("name", RUNS)
def test_every_row_of_the_digits_is_in_its_split(client: Client, name: str) -> None:
    assert splits_of(run_of(client, "digits", name)) == DIGITS


def test_an_export_tells_the_same_rows_and_splits(
    exported: tuple[Any, list[Any]],
) -> None:
    digits, lines = exported

    assert len(lines) == 1797
    assert {
        line["data_row"]["global_key"]: (
            line["experiments"][digits.model_id]["runs"][digits.uid]["split"]
        )
        for line in lines
    } == DIGITS


def test_images_are_downloaded_byte_for_byte(exported: tuple[Any, list[Any]]) -> None:
    _, lines = exported
    some = {line["data_row"]["global_key"]: line["data_row"] for line in lines[::200]}

    assert len(some) == 9
    for key, row in some.items():
        with urlopen(row["row_data"]) as answer:
            assert answer.headers["Content-Type"] == "image/png"
            image = f"{key.replace('digits', 'digit')}.png"
            assert answer.read() == (SPECS / "digits" / "images" / image).read_bytes()


def test_an_image_is_found_by_its_key(client: Client) -> None:
    row = client.get_data_row_by_global_key("digits-1797")

    with urlopen(row.row_data) as answer:
        content = answer.read()
    last = SPECS / "digits" / "images" / "digit-1797.png"
    assert content == last.read_bytes()


def test_a_text_is_its_own_content(client: Client) -> None:
    rows = run_of(client, "animals", "first").model_run_data_rows()

    assert {row.data_row().global_key: row.data_row().row_data for row in rows} == {
        "n1": "the cat sat",
        "n2": "the dog ran",
        "n3": "a cat slept",
        "n4": "a dog barked",
        "n5": "no animal here",
    }

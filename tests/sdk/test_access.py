"""Organisations and keys that may only read, by the official SDK."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from labelbox import Client  # type: ignore[import-untyped]  # publishes no types
from lbox.exceptions import (  # type: ignore[import-untyped]
    AuthorizationError,
    LabelboxError,
    ResourceNotFoundError,
)

from reconciler.server.access import Access
from reconciler.server.settings import ServerSettings
from tests.sdk.inside import client_of, inside

KEYS = {
    "ours": Access(),
    "theirs": Access("vision"),
    "theirs-too": Access("vision"),
    "reader": Access("vision", read_only=True),
}


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    with inside(tmp_path, keys=KEYS) as url:
        yield url


def found(client: Client, name: str, identifier: str) -> Any:
    return getattr(client, f"get_{name}")(identifier)


def test_an_organization_is_called_as_its_keys_say(url: str, tmp_path: Path) -> None:
    names = [client_of(url, key).get_organization().name for key in KEYS]

    assert names == ["Reconciler", "vision", "vision", "vision"]
    assert (tmp_path / "store.vision.db").exists()


def test_keys_of_one_organization_share_what_it_has(url: str) -> None:
    made = client_of(url, "theirs").create_dataset(name="streets")

    assert client_of(url, "theirs-too").get_dataset(made.uid).name == "streets"
    assert list(client_of(url, "ours").get_datasets()) == []


def test_nothing_of_another_organization_can_be_named(url: str) -> None:
    theirs, ours = client_of(url, "theirs"), client_of(url, "ours")
    dataset = theirs.create_dataset(name="streets")
    task = dataset.create_data_rows([{"row_data": "secret", "global_key": "a"}])
    task.wait_till_done()
    row = theirs.get_data_row_by_global_key("a")
    ontology = theirs.create_ontology("pets", {"tools": [], "classifications": []})
    model = theirs.create_model("detector", ontology.uid)
    run = model.create_model_run("first")

    for name, identifier in (
        ("dataset", dataset.uid),
        ("data_row", row.uid),
        ("ontology", ontology.uid),
        ("model", model.uid),
        ("model_run", run.uid),
        ("data_row_by_global_key", "a"),
        ("task_by_id", task.uid),
    ):
        with pytest.raises(ResourceNotFoundError) as refused:
            found(ours, name, identifier)
        assert "secret" not in str(refused.value)
        assert "streets" not in str(refused.value)


def test_the_same_key_of_a_row_may_be_in_both(url: str) -> None:
    for key in ("ours", "theirs"):
        dataset = client_of(url, key).create_dataset(name="s")
        task = dataset.create_data_rows([{"row_data": key, "global_key": "a"}])
        task.wait_till_done()

        assert task.errors is None
        row = client_of(url, key).get_data_row_by_global_key("a")
        assert row.row_data == key


def test_a_file_is_read_with_a_url_of_its_own_store_only(url: str) -> None:
    theirs, ours = client_of(url, "theirs"), client_of(url, "ours")
    file = theirs.upload_data(b"pixels", filename="a.png", content_type="image/png")
    other = ours.upload_data(b"ours", filename="b.png", content_type="image/png")

    with urlopen(file) as answer:
        assert answer.read() == b"pixels"
    swapped = file.partition("?")[0] + "?" + other.partition("?")[2]
    with pytest.raises(HTTPError, match="403"):
        urlopen(swapped)
    # In another organisation the URL is a text like any other.
    dataset = ours.create_dataset(name="s")
    row = dataset.create_data_row(row_data=file)
    assert ours.get_data_row(row.uid).row_data == file


def test_a_key_that_reads_changes_nothing(url: str) -> None:
    theirs, reader = client_of(url, "theirs"), client_of(url, "reader")
    dataset = theirs.create_dataset(name="streets")

    seen = reader.get_dataset(dataset.uid)
    with pytest.raises(AuthorizationError, match="may only read, not updateDataset"):
        seen.update(name="mine")
    with pytest.raises(AuthorizationError, match="not createDataset"):
        reader.create_dataset(name="mine")
    with pytest.raises(AuthorizationError, match="not uploadFile"):
        reader.upload_data(b"x", filename="x", content_type="text/plain")

    assert theirs.get_dataset(dataset.uid).name == "streets"


def test_a_key_that_reads_deletes_no_ontology(url: str) -> None:
    ontology = client_of(url, "theirs").create_ontology("o", {})

    with pytest.raises(LabelboxError, match="this key may only read"):
        client_of(url, "reader").delete_unused_ontology(ontology.uid)
    with pytest.raises(LabelboxError, match="not found"):
        client_of(url, "ours").delete_unused_ontology(ontology.uid)
    with pytest.raises(LabelboxError, match="Invalid API key"):
        client_of(url, "nobody").delete_unused_ontology(ontology.uid)


def test_a_key_that_reads_may_export(url: str) -> None:
    dataset = client_of(url, "theirs").create_dataset(name="streets")
    dataset.create_data_row(row_data="x", global_key="a")

    task = client_of(url, "reader").get_dataset(dataset.uid).export()
    task.wait_till_done()

    (line,) = [one.json for one in task.get_buffered_stream()]
    assert line["data_row"]["global_key"] == "a"


def test_a_key_that_reads_may_not_export_where_that_is_chosen(tmp_path: Path) -> None:
    settings = ServerSettings(read_only_exports=False)
    with inside(tmp_path, settings, KEYS) as url:
        dataset = client_of(url, "theirs").create_dataset(name="streets")
        seen = client_of(url, "reader").get_dataset(dataset.uid)

        with pytest.raises(AuthorizationError, match="not exportDataRowsInCatalog"):
            seen.export()


def test_a_key_of_no_one_learns_nothing(url: str) -> None:
    with pytest.raises(LabelboxError, match="Invalid API key"):
        client_of(url, "nobody").get_organization()

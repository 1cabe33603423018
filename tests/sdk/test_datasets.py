"""Datasets, data rows and their keys, all of it by the official SDK."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from labelbox import (  # type: ignore[import-untyped]  # publishes no types
    Client,
    Dataset,
)
from labelbox.schema.identifiable import (  # type: ignore[import-untyped]
    GlobalKey,
    UniqueId,
)
from lbox.exceptions import (  # type: ignore[import-untyped]
    ResourceConflict,
    ResourceNotFoundError,
)

from reconciler.server.settings import ServerSettings
from tests.sdk.inside import client_of, inside
from tests.sdk.team import short_sleeps


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with inside(tmp_path) as url, short_sleeps():
        yield client_of(url)


@pytest.fixture
def dataset(client: Client) -> Any:
    return client.create_dataset(name="streets")


def brought(dataset: Any, *items: Any) -> list[Any]:
    """Create rows of a dataset, and find them again in the order of their keys."""
    task = dataset.create_data_rows(list(items))
    task.wait_till_done()
    assert task.status == "COMPLETE"
    assert task.errors is None
    keys = [item["global_key"] for item in items]
    client = dataset.client
    return [client.get_data_row_by_global_key(key) for key in keys]


def row(key: str, **more: Any) -> dict[str, Any]:
    return {"row_data": f"https://e.test/{key}.png", "global_key": key, **more}


def test_a_dataset_is_renamed_found_by_its_name_and_deleted(client: Client) -> None:
    client.create_dataset(name="other")
    dataset = client.create_dataset(name="streets", description="by day")
    dataset.update(name="roads", description="by night")

    (found,) = client.get_datasets(where=Dataset.name == "roads")
    assert (found.uid, found.description) == (dataset.uid, "by night")
    assert found.created_by().uid == client.get_user().uid
    assert found.organization().uid == client.get_organization().uid
    dataset.delete()
    assert [one.name for one in client.get_datasets()] == ["other"]
    with pytest.raises(ResourceNotFoundError):
        client.get_dataset(dataset.uid)


def test_a_row_is_changed_field_by_field(client: Client, dataset: Any) -> None:
    (one,) = brought(dataset, row("a", external_id="first"))

    one.update(external_id="second", global_key="b")
    one.update(row_data={"pdf_url": "https://e.test/a.pdf"})

    found = client.get_data_row_by_global_key("b")
    assert (found.uid, found.external_id) == (one.uid, "second")
    assert found.row_data == '{"pdf_url": "https://e.test/a.pdf"}'
    with pytest.raises(ResourceNotFoundError):
        client.get_data_row_by_global_key("a")


def test_a_row_cant_take_the_key_of_another(dataset: Any) -> None:
    one, _ = brought(dataset, row("a"), row("b"))

    with pytest.raises(ResourceConflict, match="Duplicate global key: 'b'"):
        one.update(global_key="b")


def test_a_row_knows_its_dataset_its_maker_and_its_organization(
    client: Client, dataset: Any
) -> None:
    (one,) = brought(dataset, row("a"))

    assert one.dataset().uid == dataset.uid
    assert one.created_by().uid == client.get_user().uid
    assert one.organization().name == "Reconciler"


def test_attachments_are_added_changed_and_deleted(
    client: Client, dataset: Any
) -> None:
    (one,) = brought(dataset, row("a"))
    url = client.upload_data(b"a note", filename="note.txt", content_type="text/plain")
    one.create_attachment("RAW_TEXT", "seen from above", "view")
    note = one.create_attachment("TEXT_URL", url)

    note.update(name="note")

    assert [
        (each.attachment_type, each.attachment_name) for each in one.attachments()
    ] == [("RAW_TEXT", "view"), ("TEXT_URL", "note")]
    with urlopen(note.attachment_value) as answer:
        assert answer.read() == b"a note"
    note.update(type="IMAGE", value="https://e.test/i.png")
    assert note.attachment_value == "https://e.test/i.png"
    note.delete()
    assert [each.attachment_name for each in one.attachments()] == ["view"]


def test_an_upsert_takes_rows_by_id_by_key_and_new_ones(
    client: Client, dataset: Any
) -> None:
    first, _ = brought(dataset, row("a"), row("b"))
    task = dataset.upsert_data_rows(
        [
            {"key": UniqueId(first.uid), "external_id": "by id"},
            {"key": GlobalKey("b"), "external_id": "by key"},
            {"key": GlobalKey("c"), **row("c"), "external_id": "new"},
        ]
    )
    task.wait_till_done()

    assert task.errors is None
    assert {each.global_key: each.external_id for each in dataset.data_rows()} == {
        "a": "by id",
        "b": "by key",
        "c": "new",
    }


def test_rows_of_a_dataset_are_found_by_their_names(dataset: Any) -> None:
    brought(dataset, row("a", external_id="x"), row("b", external_id="y"))

    assert dataset.data_row_for_external_id("y").global_key == "b"
    assert {each.global_key for each in dataset.data_rows()} == {"a", "b"}


def test_what_cant_be_imported_is_told_row_by_row(dataset: Any) -> None:
    brought(dataset, row("a"))
    task = dataset.create_data_rows([row("a"), row("b")])
    task.wait_till_done()

    assert [one["global_key"] for one in task.result] == ["b"]
    (failed,) = task.errors
    assert failed["message"] == "Duplicate global key: 'a'"
    assert failed["failedDataRows"][0]["globalKey"] == "a"


def test_keys_are_assigned_as_far_as_they_can_be(client: Client, dataset: Any) -> None:
    one, two = brought(dataset, row("a"), row("b"))
    outcome = client.assign_global_keys_to_data_rows(
        [
            {"data_row_id": one.uid, "global_key": "c"},
            {"data_row_id": two.uid, "global_key": "k" * 201},
            {"data_row_id": "gone", "global_key": "d"},
        ]
    )

    error = "Invalid assignment. Either DataRow does not exist, or globalKey is invalid"
    assert outcome == {
        "status": "PARTIAL SUCCESS",
        "results": [{"data_row_id": one.uid, "global_key": "c", "sanitized": False}],
        "errors": [
            {"data_row_id": two.uid, "global_key": "k" * 201, "error": error},
            {"data_row_id": "gone", "global_key": "d", "error": error},
        ],
    }
    assert client.get_data_row_by_global_key("c").uid == one.uid


def test_rows_exchange_their_keys_through_a_third(client: Client, dataset: Any) -> None:
    one, two = brought(dataset, row("a"), row("b"))
    outcome = client.assign_global_keys_to_data_rows(
        [
            {"data_row_id": one.uid, "global_key": "c"},
            {"data_row_id": two.uid, "global_key": "a"},
            {"data_row_id": one.uid, "global_key": "b"},
        ]
    )

    assert outcome["status"] == "SUCCESS"
    assert client.get_data_row_by_global_key("a").uid == two.uid
    assert client.get_data_row_by_global_key("b").uid == one.uid


@pytest.mark.parametrize("key", [" a", "a ", "a  b"])
def test_a_key_with_odd_spaces_is_refused(
    client: Client, dataset: Any, key: str
) -> None:
    (one,) = brought(dataset, row("z"))
    asked = [{"data_row_id": one.uid, "global_key": key}]

    assert client.assign_global_keys_to_data_rows(asked)["status"] == "FAILURE"


def test_keys_are_cleared_as_far_as_they_exist(client: Client, dataset: Any) -> None:
    one, _ = brought(dataset, row("a"), row("b"))

    assert client.clear_global_keys(["a", "nowhere"]) == {
        "status": "PARTIAL SUCCESS",
        "results": ["a"],
        "errors": [
            {
                "global_key": "nowhere",
                "error": "Failed to find data row matching provided global key",
            }
        ],
    }
    assert client.get_data_row(one.uid).global_key is None
    assert client.clear_global_keys(["b"])["status"] == "SUCCESS"


def test_a_running_task_can_be_cancelled_and_one_that_ended_cannot(
    tmp_path: Path,
) -> None:
    with inside(tmp_path, ServerSettings(task_seconds=3600)) as url:
        client = client_of(url)
        task = client.create_dataset(name="s").create_data_rows([row("a")])

        assert client.get_task_by_id(task.uid).status == "IN_PROGRESS"
        assert client.cancel_task(task.uid) is True
        assert client.get_task_by_id(task.uid).status == "CANCELED"
        with pytest.raises(Exception, match="Current status: CANCELED"):
            client.cancel_task(task.uid)

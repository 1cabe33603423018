"""Metadata by the official SDK: fields, and the values of data rows."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from labelbox import Client  # type: ignore[import-untyped]  # publishes no types
from labelbox.schema.data_row_metadata import (  # type: ignore[import-untyped]
    DataRowMetadata,
    DataRowMetadataField,
    DataRowMetadataKind,
    DataRowMetadataOntology,
    DeleteDataRowMetadata,
)
from labelbox.schema.identifiable import (  # type: ignore[import-untyped]
    GlobalKey,
    UniqueId,
)
from lbox.exceptions import (  # type: ignore[import-untyped]
    MalformedQueryException,
    UnprocessableEntityError,
)

from tests.sdk.inside import client_of, inside
from tests.sdk.team import short_sleeps

ONE = "https://e.test/a.png"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with inside(tmp_path) as url, short_sleeps():
        yield client_of(url)


@pytest.fixture
def schema(client: Client) -> DataRowMetadataOntology:
    return client.get_data_row_metadata_ontology()


@pytest.fixture
def row(client: Client) -> Any:
    dataset = client.create_dataset(name="streets")
    return dataset.create_data_row(row_data=ONE, global_key="a")


def named(**values: Any) -> list[DataRowMetadataField]:
    return [DataRowMetadataField(name=name, value=one) for name, one in values.items()]


def read(schema: DataRowMetadataOntology, row: Any) -> dict[str, Any]:
    (found,) = schema.bulk_export([row.uid])
    assert (found.data_row_id, found.global_key) == (row.uid, row.global_key)
    return {one.name: one.value for one in found.fields}


def test_the_reserved_fields_are_those_that_scripts_expect(
    schema: DataRowMetadataOntology,
) -> None:
    assert {one.name: one.kind.value for one in schema.reserved_fields} == {
        "tag": "CustomMetadataString",
        "split": "CustomMetadataEnum",
        "captureDateTime": "CustomMetadataDateTime",
        "embedding": "CustomMetadataEmbedding",
        "skipNFrames": "CustomMetadataNumber",
    }
    assert schema.reserved_by_name["split"].keys() == {"train", "valid", "test"}
    assert schema.reserved_by_name["tag"].uid == "cko8s9r5v0001h2dk9elqdidh"


def test_a_row_is_created_with_metadata_by_name(client: Client) -> None:
    moment = datetime(2030, 1, 31, 12, tzinfo=UTC)
    dataset = client.create_dataset(name="streets")
    row = dataset.create_data_row(
        row_data=ONE,
        metadata_fields=named(split="valid", tag="night", captureDateTime=moment),
    )

    found = client.get_data_row(row.uid)
    split = client.get_data_row_metadata_ontology().reserved_by_name["split"]
    assert [(one.name, one.value) for one in found.metadata] == [
        ("valid", split["valid"].uid),
        ("tag", "night"),
        ("captureDateTime", moment),
    ]
    assert [
        (one["name"], one["kind"], one["value"]) for one in found.metadata_fields[:2]
    ] == [
        ("split", "CustomMetadataEnum", "valid"),
        ("tag", "CustomMetadataString", "night"),
    ]


def test_values_are_set_and_replaced_field_by_field(
    schema: DataRowMetadataOntology, row: Any
) -> None:
    schema.create_schema("camera", DataRowMetadataKind.string)
    first = DataRowMetadata(
        data_row_id=row.uid, fields=named(split="train", camera="left")
    )
    second = DataRowMetadata(
        global_key="a", fields=named(camera="right", skipNFrames=2)
    )

    assert schema.bulk_upsert([first]) == []
    assert schema.bulk_upsert([second]) == []

    test = schema.reserved_by_name["split"]["train"].uid
    assert read(schema, row) == {"train": test, "camera": "right", "skipNFrames": 2.0}


def test_a_row_that_isnt_there_is_told(schema: DataRowMetadataOntology) -> None:
    (failed,) = schema.bulk_upsert(
        [DataRowMetadata(data_row_id="gone", fields=named(tag="x"))]
    )

    assert (failed.data_row_id, failed.error) == (
        "gone",
        "there is no data row 'gone'",
    )


@pytest.mark.parametrize("by", [str, UniqueId, GlobalKey])
def test_values_are_deleted_and_what_wasnt_there_is_told(
    schema: DataRowMetadataOntology, row: Any, by: Any
) -> None:
    schema.bulk_upsert(
        [DataRowMetadata(data_row_id=row.uid, fields=named(split="test", tag="x"))]
    )
    split = schema.reserved_by_name_normalized["split"].uid
    moment = schema.reserved_by_name["captureDateTime"].uid
    name = by("a") if by is GlobalKey else by(row.uid)

    (failed,) = schema.bulk_delete(
        [DeleteDataRowMetadata(data_row_id=name, fields=[split, moment])]
    )

    assert (failed.error, failed.fields) == ("Schema did not exist", [moment])
    assert read(schema, row) == {"tag": "x"}


def test_a_field_is_renamed_with_its_options_and_rows_follow(
    client: Client, schema: DataRowMetadataOntology, row: Any
) -> None:
    made = schema.create_schema("light", DataRowMetadataKind.enum, ["day", "night"])
    schema.bulk_upsert(
        [DataRowMetadata(data_row_id=row.uid, fields=named(light="day"))]
    )

    renamed = schema.update_schema("light", "hour")
    schema.update_enum_option("hour", "day", "noon")

    assert (renamed.uid, renamed.kind) == (made.uid, DataRowMetadataKind.enum)
    (told,) = client.get_data_row(row.uid).metadata_fields
    assert told == {
        "schemaId": made.uid,
        "name": "hour",
        "value": "noon",
        "kind": "CustomMetadataEnum",
    }
    assert schema.custom_by_name["hour"].keys() == {"noon", "night"}


def test_a_field_is_deleted_with_the_values_of_rows(
    schema: DataRowMetadataOntology, row: Any
) -> None:
    schema.create_schema("camera", DataRowMetadataKind.string)
    schema.bulk_upsert(
        [DataRowMetadata(data_row_id=row.uid, fields=named(camera="left", tag="x"))]
    )

    assert schema.delete_schema("camera") is True

    assert schema.custom_fields == []
    assert read(schema, row) == {"tag": "x"}


def test_two_fields_cant_have_one_name(schema: DataRowMetadataOntology) -> None:
    schema.create_schema("camera", DataRowMetadataKind.string)

    for name in ("camera", "split"):
        with pytest.raises(MalformedQueryException, match=f"named '{name}' already"):
            schema.create_schema(name, DataRowMetadataKind.number)


def test_two_options_cant_have_one_name(schema: DataRowMetadataOntology) -> None:
    with pytest.raises(UnprocessableEntityError, match="two options"):
        schema.create_schema("light", DataRowMetadataKind.enum, ["day", "day"])

    schema.refresh_ontology()
    assert schema.custom_fields == []

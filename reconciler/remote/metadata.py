"""Metadata of data rows by the names of their fields, as the upload takes it.

The API knows fields, and the options of an enum, by id. Which they are is
looked up once a session, and only when some field is given by name.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from reconciler.api import documents
from reconciler.remote.row_payloads import MetadataData, MetadataField
from reconciler.remote.session import Session
from reconciler.state.canonical import JsonObject, JsonValue
from reconciler.state.resources import DataRow

_ENUM: Final = "CustomMetadataEnum"


@dataclass(frozen=True, slots=True)
class MetadataFields:
    """The metadata fields of the organisation, by name and by id."""

    by_name: Mapping[str, MetadataField]
    by_id: Mapping[str, MetadataField]

    def upload(self, given: Iterable[JsonObject]) -> list[JsonObject]:
        """Write metadata as the upload takes it.

        A choice of an enum takes two entries: the field's and the option's. What
        isn't known goes as it was given, and the remote says what it thinks of it.
        """
        return [entry for item in given for entry in self._entries(item)]

    def _entries(self, item: JsonObject) -> Iterator[JsonObject]:
        value = item.get("value")
        field = self._field(item)
        if field is None:
            yield item
        elif field.kind == _ENUM and (option := _option(field, value)):
            yield {"schemaId": field.id, "value": {}}
            yield {"schemaId": option, "value": {}}
        else:
            yield {"schemaId": field.id, "value": value}

    def _field(self, item: JsonObject) -> MetadataField | None:
        by_id, by_name = item.get("schemaId"), item.get("name")
        if isinstance(by_id, str):
            return self.by_id.get(by_id)
        return self.by_name.get(by_name) if isinstance(by_name, str) else None


def read_fields(session: Session) -> list[MetadataField]:
    """Read the metadata fields of the organisation."""
    return session.client.execute(
        documents.METADATA_FIELDS, MetadataData
    ).custom_metadata_ontology


def metadata_fields(session: Session, rows: Iterable[DataRow]) -> MetadataFields:
    """Read the fields that *rows* may name; nothing is asked when none does."""
    if not any(row.metadata for row in rows):
        return MetadataFields({}, {})
    found = read_fields(session)
    return MetadataFields(
        by_name={field.name: field for field in found},
        by_id={field.id: field for field in found},
    )


def _option(field: MetadataField, value: JsonValue) -> str | None:
    for option in field.options or ():
        if value in (option.id, option.name):
            return option.id
    return None

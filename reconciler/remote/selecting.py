"""Data rows that a live selection chooses from, with the metadata it asks for.

They are read by an export, whole, and not filtered here: what a condition means is
the same for every remote.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from reconciler.api import documents
from reconciler.ports import Incomplete
from reconciler.remote import exports
from reconciler.remote.export_payloads import (
    ExportedDataRow,
    ExportedLabelledRow,
    ExportedMetadata,
    ExportedRowMetadata,
)
from reconciler.remote.metadata import read_fields
from reconciler.remote.row_payloads import MetadataField
from reconciler.remote.session import Session
from reconciler.state.address import Kind, RemoteId
from reconciler.state.canonical import JsonValue
from reconciler.state.contents import ExportParams
from reconciler.state.selection import SelectedRow, Selection

_ENUM: Final = "CustomMetadataEnum"
_MOMENT: Final = "CustomMetadataDateTime"


def select(
    session: Session, selection: Selection, source: RemoteId
) -> Iterator[Sequence[SelectedRow]]:
    """Read the data rows of a dataset or project; see `ports.Reader.select`."""
    fields = _Fields.of(
        read_fields(session) if selection.fields else (), selection.fields
    )
    wanted = ExportParams(metadata_fields=bool(selection.fields))
    seen: set[str] = set()
    for batch in _exported(session, selection, source, wanted):
        rows = [
            SelectedRow(row.id, row.global_key, fields.values(metadata))
            for row, metadata in batch
        ]
        before = len(seen)
        seen.update(row.id for row in rows)
        if len(seen) < before + len(rows):
            raise Incomplete(
                f"the data rows of {selection.source} shifted while they were read",
                hint="somebody else is changing it; try again later",
            )
        yield rows


def _exported(
    session: Session, selection: Selection, source: RemoteId, wanted: ExportParams
) -> Iterator[list[tuple[ExportedDataRow, list[ExportedMetadata]]]]:
    if selection.source.kind is Kind.PROJECT:
        task = exports.start_project_export(
            session, source, wanted, label_details=False
        )
        exports.wait_for_task(session, task, documents.EXPORT_PROJECT)
        for batch in exports.lines(session, task, ExportedLabelledRow):
            yield [
                (row.data_row, row.metadata_fields)
                for row in batch
                if row.labels(source)
            ]
        return
    task = exports.start_dataset_export(session, source, wanted)
    exports.wait_for_task(session, task, documents.EXPORT_CATALOG)
    for rows in exports.lines(session, task, ExportedRowMetadata):
        yield [(row.data_row, row.metadata_fields) for row in rows]


@dataclass(frozen=True, slots=True)
class _Fields:
    """The metadata fields that are asked for.

    Attributes:
        names: Their names.
        by_name: Those of them that the organisation has.
        by_id: The same, by id.
    """

    names: Collection[str]
    by_name: Mapping[str, MetadataField]
    by_id: Mapping[str, MetadataField]

    @classmethod
    def of(cls, known: Iterable[MetadataField], names: Collection[str]) -> "_Fields":
        asked = [field for field in known if field.name in names]
        return cls(
            names,
            {field.name: field for field in asked},
            {field.id: field for field in asked},
        )

    def values(self, metadata: Iterable[ExportedMetadata]) -> dict[str, JsonValue]:
        found: dict[str, JsonValue] = {}
        for one in metadata:
            field = self.by_id.get(one.schema_id or "")
            if field is None:
                field = self.by_name.get(one.schema_name or "")
            name = field.name if field else one.schema_name
            if name is not None and name in self.names:
                found[name] = _value(field, one.value)
        return found


def _value(field: MetadataField | None, value: Any) -> JsonValue:
    match field.kind if field else None, value:
        case str() as kind, _ if kind == _ENUM and field is not None:
            return _option(field, value)
        case str() as kind, str() if kind == _MOMENT:
            return _moment(value)
        case _:
            found: JsonValue = value
            return found


def _option(field: MetadataField, value: Any) -> JsonValue:
    """Name the option that was chosen, however it is told."""
    match value:
        case [only]:
            return _option(field, only)
        case {"schema_name": str(name)} | {"name": str(name)}:
            return name
        case str():
            names = {option.id: option.name for option in field.options or ()}
            return names.get(value, value)
        case _:
            found: JsonValue = value
            return found


def _moment(text: str) -> str:
    """Write a time with its zone; one without is meant in UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()

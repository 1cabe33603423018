"""Metadata of data rows: which fields there are, and values checked by them.

A value is kept with the name and kind of its field, so that rows are read and
exported without looking fields up. What names no known field is kept as it
came, and isn't told where clients look every field up.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

EMBEDDING_LENGTH: Final = 128
"""How many numbers an embedding in metadata has."""

Entry = dict[str, Any]
"""A value as it is kept: schemaId, name, value, kind; the id of an enum's option."""


class Kind(StrEnum):
    """What a field holds, in the API's words."""

    NUMBER = "CustomMetadataNumber"
    DATE_TIME = "CustomMetadataDateTime"
    ENUM = "CustomMetadataEnum"
    STRING = "CustomMetadataString"
    EMBEDDING = "CustomMetadataEmbedding"


OPTION: Final = "CustomMetadataEnumOption"
"""The kind of an enum's options."""


@dataclass(frozen=True, slots=True)
class Option:
    """A choice of an enum."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Field:
    """A field of metadata.

    Attributes:
        id: Its id, unique among fields and options.
        name: Unique among fields.
        kind: What it holds.
        reserved: Whether every organisation has it, and none can change it.
        options: The choices of an enum.
    """

    id: str
    name: str
    kind: Kind
    reserved: bool = False
    options: tuple[Option, ...] = ()


RESERVED: Final = (
    Field("cko8s9r5v0001h2dk9elqdidh", "tag", Kind.STRING, reserved=True),
    Field(
        "cko8sbczn0002h2dkdaxb5kal",
        "split",
        Kind.ENUM,
        reserved=True,
        options=(
            Option("cko8sbscr0003h2dk04w86hof", "train"),
            Option("cko8sc2yr0004h2dk69aj5x63", "valid"),
            Option("cko8scbz70005h2dkastwhgqt", "test"),
        ),
    ),
    Field(
        "cko8sdzv70006h2dk8jg64zvb", "captureDateTime", Kind.DATE_TIME, reserved=True
    ),
    Field("ckpyije740000yxdk81pbgjdc", "embedding", Kind.EMBEDDING, reserved=True),
    Field("ckreservedskipnframes0000", "skipNFrames", Kind.NUMBER, reserved=True),
)
"""Fields of every organisation, with the ids that the real service has for them.

Scripts hold these ids. Only that of skipNFrames isn't public, and is ours.
"""


class Unfit(Exception):  # noqa: N818  # a reason, told as part of another message
    """A value that its field can't hold; says why."""


class MetadataSchema:
    """The fields of an organisation.

    Attributes:
        fields: The reserved ones, then its own.
        by_id: Fields by their id.
        by_name: Fields by their name.
        options: Fields and options by the option's id.
    """

    def __init__(self, custom: Iterable[Field]) -> None:
        self.fields = (*RESERVED, *custom)
        self.by_id = {one.id: one for one in self.fields}
        self.by_name = {one.name: one for one in self.fields}
        self.options = {
            option.id: (one, option) for one in self.fields for option in one.options
        }

    def entries(self, given: Sequence[Mapping[str, Any]]) -> list[Entry]:
        """Check the metadata of one data row.

        Args:
            given: `{"schemaId" or "name", "value"}` each. The choice of an enum
                takes two: the field's and the option's, both with the value `{}`;
                by name it takes one with the option as its value.

        Raises:
            Unfit: When a value isn't what its field holds.
        """
        found: dict[str, Entry] = {}
        undecided: dict[str, Field] = {}
        for one in given:
            schema, name, value = _given(one)
            field, option = self._named(schema, name)
            if field is not None and field.kind is Kind.ENUM:
                option = option or _option(field, value)
                if option is None:
                    undecided[field.id] = field
                    continue
            entry = _entry(field, option, schema or name or "", name, value)
            key = entry["schemaId"]
            if key in found:
                raise Unfit(_twice([key]))
            found[key] = entry
        for field in undecided.values():
            if field.id not in found:
                raise Unfit(f"{field.name} needs one of its options: {_names(field)}")
        return list(found.values())

    def _named(
        self, schema: str | None, name: str | None
    ) -> tuple[Field | None, Option | None]:
        if schema is None:
            return self.by_name.get(name or ""), None
        if schema in self.options:
            return self.options[schema]
        return self.by_id.get(schema), None


def told(entries: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """List values as `schemaId` and `value`, an enum's option as one of its own."""
    found = []
    for one in entries:
        if one.get("option"):
            found.append({"schemaId": one["schemaId"], "value": {}})
            found.append({"schemaId": one["option"], "value": {}})
        elif one.get("defined"):
            found.append({"schemaId": one["schemaId"], "value": one["value"]})
    return found


def merged(entries: Iterable[Entry], new: Iterable[Entry]) -> list[Entry]:
    """Set values, leaving those of other fields."""
    found = {one["schemaId"]: one for one in (*entries, *new)}
    return list(found.values())


def without(
    entries: Iterable[Entry], schemas: Sequence[str]
) -> tuple[list[Entry], list[str]]:
    """Take the values of fields away; answers what is left, and what wasn't there.

    Args:
        entries: What there is.
        schemas: Ids of fields, or of the options that are chosen.
    """
    gone = set(schemas)
    left, met = [], set()
    for one in entries:
        ids = {one["schemaId"], one.get("option")} & gone
        met |= ids
        if not ids:
            left.append(one)
    return left, [schema for schema in schemas if schema not in met]


def _given(one: Mapping[str, Any]) -> tuple[str | None, str | None, Any]:
    schema = one.get("schemaId", one.get("schema_id"))
    name = one.get("name")
    if not isinstance(schema, str) and not isinstance(name, str):
        raise Unfit("metadata needs a schemaId or a name")
    return (
        schema if isinstance(schema, str) else None,
        name if isinstance(name, str) else None,
        one.get("value"),
    )


def _entry(
    field: Field | None,
    option: Option | None,
    schema: str,
    name: str | None,
    value: Any,
) -> Entry:
    if field is None:
        kind = Kind.NUMBER if _is_number(value) else Kind.STRING
        return {"schemaId": schema, "name": name, "value": value, "kind": kind}
    known = {"schemaId": field.id, "name": field.name}
    if option is not None:
        chosen = {"value": option.name, "option": option.id}
        return {**known, **chosen, "kind": field.kind, "defined": True}
    if not _fits(field.kind, value):
        raise Unfit(f"{field.name} takes {_TAKES[field.kind]}")
    return {**known, "value": value, "kind": field.kind, "defined": True}


def _option(field: Field, value: Any) -> Option | None:
    if value in ({}, None):
        return None  # the option comes as a value of its own
    for one in field.options:
        if value in (one.id, one.name):
            return one
    raise Unfit(f"{field.name} has no option {value!r}, only {_names(field)}")


def _names(field: Field) -> str:
    return ", ".join(one.name for one in field.options)


def _twice(schemas: Sequence[str]) -> str:
    return f"A schemaId can only be specified once per DataRow : [{', '.join(schemas)}]"


_TAKES: Final[Mapping[Kind, str]] = {
    Kind.NUMBER: "a number",
    Kind.STRING: "a text",
    Kind.DATE_TIME: "a moment, such as 2030-01-31T12:00:00Z",
    Kind.EMBEDDING: f"a list of {EMBEDDING_LENGTH} numbers",
}


def _fits(kind: Kind, value: Any) -> bool:
    match kind:
        case Kind.NUMBER:
            return _is_number(value)
        case Kind.STRING:
            return isinstance(value, str)
        case Kind.DATE_TIME:
            return isinstance(value, str) and _is_moment(value)
        case Kind.EMBEDDING:
            return (
                isinstance(value, list)
                and len(value) == EMBEDDING_LENGTH
                and all(map(_is_number, value))
            )
        case Kind.ENUM:
            return False  # only its options are values


def _is_number(value: object) -> bool:
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and math.isfinite(value)
    )


def _is_moment(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True

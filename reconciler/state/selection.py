"""Live selections: which data rows are meant, in words that a remote answers.

What a selection chooses changes with the remote, so it is resolved once, by
`reconciler lock`, and the lock is what plans read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from reconciler.state.address import Address
from reconciler.state.canonical import JsonObject, JsonValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What the metadata of a data row must say; a row without the field doesn't.

    Attributes:
        field: Name of the metadata field.
        equals: One of these values; empty for a range.
        minimum: The least value, of numbers or times; None is open.
        maximum: The greatest value, likewise.
    """

    field: str
    equals: tuple[JsonValue, ...] = ()
    minimum: float | str | None = None
    maximum: float | str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Data rows of a dataset or a project, as far as they meet all conditions.

    Attributes:
        source: Where the dataset is declared, or the project whose labelled
            rows are meant.
        keys: Pattern of the whole global key: `*` is any text, `?` any
            character, all else is itself. None takes all.
        metadata: Conditions, all of which hold.
        group: Metadata field that says which rows belong together; None when
            nobody asks.
    """

    source: Address
    keys: str | None = None
    metadata: tuple[Condition, ...] = ()
    group: str | None = None

    @property
    def fields(self) -> frozenset[str]:
        """The metadata fields that are needed to decide."""
        asked = {condition.field for condition in self.metadata}
        return frozenset(asked | ({self.group} if self.group else set()))

    def to_json(self) -> JsonObject:
        """Say the selection in the one form that equal selections share."""
        said: JsonObject = {"source": str(self.source)}
        if self.keys is not None:
            said["keys"] = self.keys
        if self.metadata:
            said["metadata"] = [
                {
                    "field": one.field,
                    "equals": list(one.equals),
                    "minimum": one.minimum,
                    "maximum": one.maximum,
                }
                for one in self.metadata
            ]
        if self.group is not None:
            said["group"] = self.group
        return said


class SelectedRow(NamedTuple):
    """A data row that a selection may choose.

    Attributes:
        id: Its id.
        key: Its global key; None for rows without.
        metadata: The values of the fields that were asked for, as far as it has
            them; times are ISO 8601 with a zone.
    """

    id: str
    key: str | None
    metadata: Mapping[str, JsonValue]

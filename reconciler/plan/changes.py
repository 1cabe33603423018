"""What differs between what is desired and what is there."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from reconciler.diagnostics import Span
from reconciler.rows.change import RowsChange
from reconciler.state.address import Address, RemoteId
from reconciler.state.canonical import JsonValue
from reconciler.state.resources import DataRow, Resource


class Action(StrEnum):
    """What happens to an object."""

    CREATE = "create"
    UPDATE = "update"
    ADOPT = "adopt"
    KEEP = "keep"


class Reason(StrEnum):
    """Why an action was chosen; for people, never a condition of apply."""

    NOT_FOUND = "not-found"
    FOUND_BY_NAME = "found-by-name"
    PINNED = "pinned"
    DIFFERS = "differs"
    IN_SYNC = "in-sync"
    REFERENCE = "reference"

    @property
    def adopts(self) -> bool:
        """Whether the object existed and the workspace did not own it."""
        return self in (Reason.FOUND_BY_NAME, Reason.PINNED)


class Missing:
    """The type of `MISSING`: no value at all, which is not the value null."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing()

Path: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One leaf that differs; either side may be `MISSING`."""

    path: Path
    before: JsonValue | Missing
    after: JsonValue | Missing


@dataclass(frozen=True, slots=True, kw_only=True)
class DataRowsChange:
    """Data rows to bring into a dataset.

    Attributes:
        created: New ones, in the order of their keys.
        kept: How many the dataset already has.
        left: How many it has that the files don't name; they are never deleted.
        unchecked: How many it has whose content this workspace can't compare,
            because they weren't uploaded from here.
    """

    created: tuple[DataRow, ...]
    kept: int
    left: int = 0
    unchecked: int = 0

    def __bool__(self) -> bool:
        return bool(self.created)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One object, and what happens to it.

    Attributes:
        address: The object.
        action: What happens.
        reason: Why.
        desired: What the manifests say of it.
        id: Its id when it exists.
        parent: The id of a run's model, or of a model's ontology, when it exists.
        origin: Where it is declared.
        fields: Leaves that differ, by path; `("config", …)` for a run's config.
        config_before: Digest of a run's config when it was read; None unless
            the config changes and the run exists.
        rows: What happens to a run's rows; None when they aren't managed.
        data_rows: What happens to a dataset's data rows; None when they aren't
            managed.
    """

    address: Address
    action: Action
    reason: Reason
    desired: Resource
    id: RemoteId | None = None
    parent: RemoteId | None = None
    origin: Span | None = None
    fields: tuple[FieldChange, ...] = ()
    config_before: str | None = None
    rows: RowsChange | None = None
    data_rows: DataRowsChange | None = None

    @property
    def effective(self) -> bool:
        """Whether anything on the remote will change."""
        return self.action in (Action.CREATE, Action.UPDATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something to say without a change.

    Attributes:
        code: Stable and kebab-case.
        message: Lower case, no full stop.
        address: What it is about; None for the workspace.
    """

    code: str
    message: str
    address: Address | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocked:
    """A change that a guard holds back.

    Attributes:
        code: Stable and kebab-case.
        address: The object.
        message: What is held back, and why.
        allow: What would let it pass: an option, or a change of the manifests.
    """

    code: str
    address: Address
    message: str
    allow: str


RowChanges: TypeAlias = Mapping[Address, RowsChange]
"""What happens to the rows of each run that manages them."""

"""What differs between what is desired and what is there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias

from reconciler.diagnostics import Span
from reconciler.rows.change import RowsChange
from reconciler.state.address import Address, RemoteId
from reconciler.state.canonical import JsonValue
from reconciler.state.labels import PinnedLabel
from reconciler.state.resources import DataRow, Resource, RowIdentity
from reconciler.state.uploads import Chunk, Family, Slot, Uploaded


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
class LabelsChange:
    """Labels to give to the rows of a run.

    A label can't be taken from a row, only replaced by another one.

    Attributes:
        project: Where labels are found by what they say; None goes by ids.
        added: For rows that have none, sorted by row.
        replaced: For rows that have one that says something else, sorted by row.
        ids: Labels that are wanted by id, and that the run doesn't have; sorted.
        kept: How many are there as they should be.
        surplus: How many rows have a label, and should have none.
        before: Digest of the run's labels when they were read.
    """

    project: Address | None
    added: tuple[PinnedLabel, ...] = ()
    replaced: tuple[PinnedLabel, ...] = ()
    ids: tuple[RemoteId, ...] = ()
    kept: int = 0
    surplus: int = 0
    before: str | None = None

    def __bool__(self) -> bool:
        return bool(self.added or self.replaced or self.ids)

    @property
    def count(self) -> int:
        """How many labels are sent."""
        return len(self.added) + len(self.replaced) + len(self.ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedChunk:
    """A slot to be sent.

    Attributes:
        chunk: What it should hold.
        generation: How often it was sent, with this time.
        job: Name of the import.
        may_exist: Whether an earlier apply may have started this very job.
        left: Marks of what an earlier content of the slot left there.
    """

    chunk: Chunk
    generation: int
    job: str
    may_exist: bool
    left: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadsChange:
    """Slots of one family to be sent.

    Attributes:
        family: What they hold.
        slots: How many slots there are.
        after: Digest of what all slots should hold.
        sent: The slots, in their order.
        kept: How many lines are there already, in slots that are the same.
        stale: How many annotations or metrics were sent before, are no longer
            declared, and stay: the API can't remove them alone.
        by: How the lines name their rows.
        forgotten: Of slots that aren't sent, what there is to remember from now on:
            without what was sent for rows that left, and that the plan adds again.
    """

    family: Family
    slots: int
    after: str
    sent: tuple[PlannedChunk, ...]
    by: RowIdentity
    kept: int = 0
    stale: int = 0
    forgotten: Mapping[Slot, Uploaded] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.sent)

    @property
    def count(self) -> int:
        """How many lines are sent."""
        return sum(planned.chunk.count for planned in self.sent)


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
        fields: Leaves that differ, by path; `("config", …)` for a run's config,
            `("status", …)` for its status.
        config_before: Digest of a run's config when it was read; None unless
            the config changes and the run exists.
        rows: What happens to a run's rows; None when they aren't managed.
        data_rows: What happens to a dataset's data rows; None when they aren't
            managed.
        labels: What happens to a run's labels; None when they aren't managed.
        uploads: What is sent to a project or run, by family; only those that
            are managed.
        media_type: What a project's data rows are, as its ontology says.
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
    labels: LabelsChange | None = None
    uploads: tuple[UploadsChange, ...] = ()
    media_type: str | None = None

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

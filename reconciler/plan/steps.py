"""The closed set of things that can be done: one repeatable call each.

Steps speak addresses. Ids that were known when the plan was made, or that are
learnt on the way, are given to whoever performs a step.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from reconciler.diagnostics import counted
from reconciler.state.address import Address, RemoteId
from reconciler.state.canonical import JsonObject
from reconciler.state.resources import DataRow, RowIdentity, Split


@dataclass(frozen=True, slots=True)
class CreateOntology:
    """Create an ontology, unless exactly one of the name has appeared."""

    address: Address
    media_type: str | None
    schema: JsonObject


@dataclass(frozen=True, slots=True)
class CreateDataset:
    """Create a dataset, unless exactly one of the name has appeared."""

    address: Address
    description: str | None


@dataclass(frozen=True, slots=True)
class DescribeDataset:
    """Replace a dataset's description."""

    address: Address
    description: str


@dataclass(frozen=True, slots=True)
class UploadDataRows:
    """Bring data rows into a dataset, by global key, and wait until they are.

    A row whose key the dataset already has counts as done.
    """

    address: Address
    rows: tuple[DataRow, ...]


@dataclass(frozen=True, slots=True)
class CreateModel:
    """Create a model on an ontology, unless one of the name has appeared."""

    address: Address
    ontology: Address


@dataclass(frozen=True, slots=True)
class CreateRun:
    """Create an empty run of a model, unless one of the name has appeared."""

    address: Address


@dataclass(frozen=True, slots=True)
class CheckRun:
    """Make sure that a run is still as the plan saw it; changes nothing.

    Attributes:
        address: The run.
        config: Digest of its config as planned; None if that doesn't matter.
        rows: Digest of its rows as planned; None if that doesn't matter.
        by: How the rows were named in the digest.
        expected: How many rows it had.
    """

    address: Address
    config: str | None
    rows: str | None
    by: RowIdentity
    expected: int


@dataclass(frozen=True, slots=True)
class SetConfig:
    """Replace a run's config; an empty one resets it."""

    address: Address
    config: JsonObject


@dataclass(frozen=True, slots=True)
class AddRows:
    """Add data rows to a run and wait until they are there."""

    address: Address
    by: RowIdentity
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AssignSplits:
    """Put members of a run into splits and wait until they are there."""

    address: Address
    by: RowIdentity
    assignments: Mapping[Split, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class RemoveRows:
    """Remove members from a run, by the ids that the run's own read gave."""

    address: Address
    ids: tuple[RemoteId, ...]


Step: TypeAlias = (
    CreateOntology
    | CreateDataset
    | DescribeDataset
    | UploadDataRows
    | CreateModel
    | CreateRun
    | CheckRun
    | SetConfig
    | AddRows
    | AssignSplits
    | RemoveRows
)


def size(step: Step) -> int:
    """Count the rows that a step is about; 0 when it is about none."""
    match step:
        case UploadDataRows():
            return len(step.rows)
        case AddRows():
            return len(step.names)
        case AssignSplits():
            return sum(map(len, step.assignments.values()))
        case RemoveRows():
            return len(step.ids)
        case (
            CreateOntology()
            | CreateDataset()
            | DescribeDataset()
            | CreateModel()
            | CreateRun()
            | CheckRun()
            | SetConfig()
        ):
            return 0


def describe(step: Step) -> str:
    """Say a step in one line, for reports and records alike."""
    match step:
        case CreateOntology() | CreateDataset() | CreateModel() | CreateRun():
            return f"create {step.address}"
        case DescribeDataset():
            return f"set the description of {step.address}"
        case UploadDataRows():
            return f"upload {counted(size(step), 'data row')} to {step.address}"
        case CheckRun():
            return f"check that {step.address} is as planned"
        case SetConfig():
            done = "set" if step.config else "reset"
            return f"{done} the config of {step.address}"
        case AddRows():
            return f"add {counted(size(step), 'row')} to {step.address}"
        case AssignSplits():
            where = ", ".join(
                f"{len(names):,} to {split}"
                for split, names in step.assignments.items()
            )
            return f"assign splits in {step.address}: {where}"
        case RemoveRows():
            return f"remove {counted(size(step), 'row')} from {step.address}"

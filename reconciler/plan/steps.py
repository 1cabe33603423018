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
from reconciler.state.labels import PinnedLabel
from reconciler.state.resources import DataRow, RowIdentity, RunStatus, Split
from reconciler.state.uploads import Chunk, Family


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


@dataclass(frozen=True, slots=True)
class CreateProject:
    """Create a labelling project, unless one of the name has appeared.

    Attributes:
        address: The project.
        media_type: As the API spells it.
    """

    address: Address
    media_type: str


@dataclass(frozen=True, slots=True)
class ConnectOntology:
    """Give a project its ontology; one that it has already is done."""

    address: Address
    ontology: Address


@dataclass(frozen=True, slots=True)
class BatchRows:
    """Bring data rows into a project, and wait until they can be labelled.

    Rows that the project has already count as done.

    Attributes:
        address: The project.
        name: The batch's, which follows from the rows in it.
        rows: Global keys, sorted.
    """

    address: Address
    name: str
    rows: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SendChunk:
    """Import the annotations or metrics of one slot, and wait for the outcome.

    Attributes:
        address: The project, for labels; else the run.
        family: What is sent.
        chunk: What the slot should hold.
        job: The import's name, which tells slot, content and generation.
        generation: How often the slot was sent, with this time.
        may_exist: Whether an earlier apply may have started this very job.
        left: Marks of what an earlier content of the slot left there.
    """

    address: Address
    family: Family
    chunk: Chunk
    job: str
    generation: int
    may_exist: bool
    left: bytes = b""


@dataclass(frozen=True, slots=True)
class AddLabels:
    """Give rows of a run their labels, by what the labels say.

    Attributes:
        address: The run.
        project: Where labels of that content are found; None goes by their ids.
        labels: At most one a row, sorted by row.
    """

    address: Address
    project: Address | None
    labels: tuple[PinnedLabel, ...]


@dataclass(frozen=True, slots=True)
class AddLabelIds:
    """Give a run labels by their ids, with the data rows they are of."""

    address: Address
    ids: tuple[RemoteId, ...]


@dataclass(frozen=True, slots=True)
class SetStatus:
    """Say how far a run's training has come."""

    address: Address
    status: RunStatus


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
    | CreateProject
    | ConnectOntology
    | BatchRows
    | SendChunk
    | AddLabels
    | AddLabelIds
    | SetStatus
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
        case RemoveRows() | AddLabelIds():
            return len(step.ids)
        case BatchRows():
            return len(step.rows)
        case SendChunk():
            return step.chunk.count
        case AddLabels():
            return len(step.labels)
        case (
            CreateProject()
            | ConnectOntology()
            | SetStatus()
            | CreateOntology()
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
        case (
            CreateOntology()
            | CreateDataset()
            | CreateProject()
            | CreateModel()
            | CreateRun()
        ):
            return f"create {step.address}"
        case ConnectOntology():
            return f"connect {step.ontology} to {step.address}"
        case BatchRows():
            return f"batch {counted(size(step), 'data row')} into {step.address}"
        case SendChunk():
            return f"send {chunk_words(step)} to {step.address}"
        case AddLabels() | AddLabelIds():
            return f"add {counted(size(step), 'label')} to {step.address}"
        case SetStatus():
            return f"set the status of {step.address} to {step.status.status}"
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


def chunk_words(step: SendChunk) -> str:
    """Say what a chunk holds, such as `12 predictions (slot 3of8)`."""
    return (
        f"{counted(size(step), step.family.value.removesuffix('s'))} "
        f"(slot {step.chunk.slot})"
    )

"""Resources as plain values, the same on both sides of a diff.

A resource holds only what a user may declare. Remote ids, origins and times
live beside it, in `Desired` and `Current`; that is what lets two resources be
compared with `==`. None always means: not managed, leave the remote's alone.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NewType, Protocol, TypeAlias

from reconciler.diagnostics import Span
from reconciler.state.address import (
    Address,
    Kind,
    model_address,
    project_address,
    run_address,
)
from reconciler.state.canonical import JsonObject, JsonValue
from reconciler.state.labels import Labels

GlobalKey = NewType("GlobalKey", str)
"""The user's own key of a data row, unique in an organisation."""

EMBEDDED: Final = "http://embedded.invalid"
"""Where the embedded server of a workspace has its files: nobody else gets there."""


class Split(StrEnum):
    """The part of a run's data that a row belongs to, in the order of hashing."""

    TRAINING = "TRAINING"
    VALIDATION = "VALIDATION"
    TEST = "TEST"
    UNASSIGNED = "UNASSIGNED"


class RowIdentity(StrEnum):
    """How a membership names its rows; never both in one membership."""

    GLOBAL_KEY = "globalKey"
    DATA_ROW_ID = "dataRowId"


class Membership(Protocol):
    """Which data rows belong to a run, and in which split.

    The seam between what a run declares and how rows are kept: small ones as
    plain sets, large ones in DuckDB; `rows` has both.
    """

    @property
    def by(self) -> RowIdentity:
        """Whether rows are named by global key or by data row id."""

    @property
    def assigns_splits(self) -> bool:
        """Whether splits are managed; if not, every row counts as UNASSIGNED."""

    def __len__(self) -> int:
        """Count the rows."""

    def __iter__(self) -> Iterator[tuple[str, Split]]:
        """Go through the rows with their splits, in no promised order."""

    def counts(self) -> Mapping[Split, int]:
        """Count the rows of each split that has any."""

    def digest(self) -> str:
        """Name the rows by the SHA-256 of their sorted `key<TAB>split` lines."""


@dataclass(frozen=True, slots=True)
class Ontology:
    """What annotations may say.

    Attributes:
        name: Exact name.
        media_type: As the API spells it, such as IMAGE; None when not declared.
        schema: `{"tools": […], "classifications": […]}` in the API's normalized
            form without ids and colours; None for a reference to an ontology
            that others own.
    """

    name: str
    media_type: str | None = None
    schema: JsonObject | None = None

    @property
    def address(self) -> Address:
        """Where it is in plans and ledgers."""
        return Address(Kind.ONTOLOGY, (self.name,))


@dataclass(frozen=True, slots=True)
class LocalFile:
    """Content that is uploaded from the workspace.

    Attributes:
        path: Absolute path on this machine; never part of a plan file.
        name: Path relative to the workspace, with `/`.
        sha256: Hash of the bytes, hex.
        size: Length in bytes.
        media_type: MIME type by the name's ending.
    """

    path: str
    name: str
    sha256: str
    size: int
    media_type: str


@dataclass(frozen=True, slots=True)
class DataRow:
    """One data row of a managed dataset.

    Attributes:
        global_key: The key it is known by.
        content: A local file to upload, or row data as the API takes it: a URL,
            a text, or an object.
        external_id: The user's other name for it.
        media_type: As the API spells it; None lets the remote find out.
        metadata: `{"name" or "schemaId", "value"}` each.
        attachments: `{"type", "value", "name"?}` each.
    """

    global_key: GlobalKey
    content: LocalFile | JsonValue
    external_id: str | None = None
    media_type: str | None = None
    metadata: tuple[JsonObject, ...] = ()
    attachments: tuple[JsonObject, ...] = ()
    fingerprint: str = ""
    """SHA-256 over all of the above: what the inventory remembers."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset, and the data rows that manifests bring into it.

    Attributes:
        name: Exact name.
        description: What the dataset page shows; None leaves it alone.
        data_rows: By global key; None for a reference to a dataset that others
            own.
    """

    name: str
    description: str | None = None
    data_rows: Mapping[GlobalKey, DataRow] | None = None

    @property
    def address(self) -> Address:
        """Where it is in plans and ledgers."""
        return Address(Kind.DATASET, (self.name,))


@dataclass(frozen=True, slots=True)
class LineFile:
    """A file with one annotation or metric a line, as the SDK's imports take them.

    Attributes:
        path: Where to open it on this machine; never part of a plan file.
        name: Path relative to the workspace, with `/`.
        span: Where the manifest names it.
    """

    path: str
    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class MetricTable:
    """A CSV file with one metric value a line.

    Attributes:
        path: Where to open it on this machine; never part of a plan file.
        name: Path relative to the workspace, with `/`.
        span: Where the manifest names it.
        columns: Which column holds what, by the field's name: `row`, `name`,
            `value`, `feature`, `subclass`, `aggregation`, `confidence`, and
            `tp`, `fp`, `tn`, `fn` in place of `value`.
        by: What the column `row` holds.
    """

    path: str
    name: str
    span: Span
    columns: Mapping[str, str]
    by: RowIdentity


Locate: TypeAlias = Callable[[Sequence[str | int]], tuple[Span, str | None]]
"""Finds a value in a text: where it is, and the line that it stands on."""


@dataclass(frozen=True, slots=True)
class WrittenMetric:
    """A metric that is written out in a manifest.

    Attributes:
        line: As the SDK's imports take it.
        span: Where it is written.
        locate: Finds a value of the line in the text, by the way that leads to it;
            None when there is no text.
    """

    line: JsonObject
    span: Span
    locate: Locate | None = field(default=None, compare=False, repr=False)


MetricSource: TypeAlias = LineFile | MetricTable | WrittenMetric


@dataclass(frozen=True, slots=True)
class Project:
    """A labelling project, and the ground truth that manifests bring into it.

    Attributes:
        name: Exact name.
        ontology: Where its ontology is declared; None only for a reference.
        dataset: Where the dataset is declared that its data rows are of; None
            when that isn't said.
        labels: Files of ground truth; None for a reference to a project that
            others own.
    """

    name: str
    ontology: Address | None = None
    dataset: Address | None = None
    labels: tuple[LineFile, ...] | None = None

    @property
    def address(self) -> Address:
        """Where it is in plans and ledgers."""
        return project_address(self.name)


class Status(StrEnum):
    """How far the training of a run has come, in the order in which it comes."""

    EXPORTING_DATA = "EXPORTING_DATA"
    PREPARING_DATA = "PREPARING_DATA"
    TRAINING_MODEL = "TRAINING_MODEL"
    COMPLETE = "COMPLETE"
    FAILED = "FAILED"

    @property
    def is_final(self) -> bool:
        """Whether nothing comes after it."""
        return self in (Status.COMPLETE, Status.FAILED)

    def comes_before(self, other: "Status") -> bool:
        """Whether a run may still go on to *other*; nothing leads back."""
        order = list(Status)
        return not self.is_final and order.index(self) < order.index(other)


@dataclass(frozen=True, slots=True)
class RunStatus:
    """What a run's training says of itself.

    Attributes:
        status: How far it has come.
        metadata: What else is known, canonical. The API merges it into what is
            there, so only what is named here is managed.
        error_message: Why it failed; None leaves the remote's alone.
    """

    status: Status
    metadata: JsonObject
    error_message: str | None = None

    def to_json(self) -> JsonObject:
        """Say it as a manifest would; what isn't managed is left out."""
        said: JsonObject = {"status": self.status.value}
        if self.metadata:
            said["metadata"] = self.metadata
        if self.error_message is not None:
            said["errorMessage"] = self.error_message
        return said


@dataclass(frozen=True, slots=True)
class Model:
    """A directory of runs that share an ontology.

    Attributes:
        name: Exact name.
        ontology: Where its ontology is declared.
    """

    name: str
    ontology: Address

    @property
    def address(self) -> Address:
        """Where it is in plans and ledgers."""
        return model_address(self.name)


@dataclass(frozen=True, slots=True)
class Run:
    """One training experiment of a model.

    Attributes:
        model: Name of the model it belongs to.
        name: Name of the run, unique within its model.
        config: Hyperparameters, canonical; None leaves the remote's alone and
            an empty one resets it.
        rows: Members and splits; None leaves the remote's alone.
        labels: Which ground truth its rows have; None leaves the remote's alone.
        predictions: Files of predictions, in the order of the manifest; they may
            hold metrics as well. None leaves the remote's alone.
        metrics: Where metrics are; None leaves the remote's alone.
        status: How far its training has come; None leaves the remote's alone.
    """

    model: str
    name: str
    config: JsonObject | None = None
    rows: Membership | None = None
    labels: Labels | None = None
    predictions: tuple[LineFile, ...] | None = None
    metrics: tuple[MetricSource, ...] | None = None
    status: RunStatus | None = None

    @property
    def address(self) -> Address:
        """Where it is in plans and ledgers."""
        return run_address(self.model, self.name)


Resource: TypeAlias = Ontology | Dataset | Project | Model | Run

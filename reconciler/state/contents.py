"""Runs as they are exported: everything in them, for adopting, keeping, verifying."""

from dataclasses import dataclass

from reconciler.state.address import RemoteId
from reconciler.state.canonical import JsonObject
from reconciler.state.resources import RunStatus, Split


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportParams:
    """What an export brings along, as the SDK's `export(params=...)` names it.

    Labels, splits and media attributes always come.

    Attributes:
        attachments: What is shown beside data rows.
        metadata_fields: Metadata of data rows.
        data_row_details: Dataset, times and creator of data rows.
        embeddings: Vectors of data rows.
        predictions: Predictions, and metrics where the remote gives them.
    """

    attachments: bool = False
    metadata_fields: bool = False
    data_row_details: bool = False
    embeddings: bool = False
    predictions: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One data row of a run, as an export tells it.

    Attributes:
        id: Its id.
        key: Its global key; None for rows without.
        split: Where it is in the run.
        line: The whole line, as it came.
        data_row: Its `data_row` object.
        labels: Labels, as the export has them.
        predictions: Predictions, likewise.
        metrics: Custom metrics as rows of an import, without `dataRow`; only of
            remotes that export them.
    """

    id: str
    key: str | None
    split: Split
    line: bytes
    data_row: JsonObject
    labels: tuple[JsonObject, ...] = ()
    predictions: tuple[JsonObject, ...] = ()
    metrics: tuple[JsonObject, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyedRun:
    """A run that exists.

    Attributes:
        id: Its id.
        name: Its name.
        config: Canonical; a remote null is the empty config.
        status: How far its training has come; None when nobody has said.
    """

    id: RemoteId
    name: str
    config: JsonObject
    status: RunStatus | None


@dataclass(frozen=True, slots=True)
class OddRun:
    """A run that exists, and can't be described.

    Attributes:
        name: Its name.
        why: What is the matter with it.
    """

    name: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """A model that exists, and those of its runs that were asked for.

    Attributes:
        id: Id of the model.
        name: Its name.
        ontology_id: Id of its ontology.
        ontology_name: Name of the ontology.
        media_type: What the ontology is for, as the API spells it.
        schema: The ontology's tools and classifications; see `state.ontology`.
        runs: The runs, sorted by name.
        odd: Those that can't be described; never one that was asked for alone.
    """

    id: RemoteId
    name: str
    ontology_id: RemoteId
    ontology_name: str
    media_type: str | None
    schema: JsonObject
    runs: tuple[SurveyedRun, ...]
    odd: tuple[OddRun, ...] = ()

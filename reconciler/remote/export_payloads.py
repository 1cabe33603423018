"""Answers about exports, and the lines of exports; spelled as exports spell them.

What there is one of per line has gc=False: nothing in it can be part of a cycle,
and the collector would go through a million of them again and again (0.5 instead
of 1.5 microseconds a line).
"""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar

import msgspec

from reconciler.remote.payloads import Wire


class ExportTask(Wire, frozen=True):
    """An export that was started."""

    task_id: str


class ExportRunData(Wire, frozen=True):
    """Answer to `EXPORT_RUN`."""

    export_data_rows_in_model_run: ExportTask


class ExportProjectData(Wire, frozen=True):
    """Answer to `EXPORT_PROJECT`."""

    export_data_rows_in_project: ExportTask


class ExportCatalogData(Wire, frozen=True):
    """Answer to `EXPORT_CATALOG`."""

    export_data_rows_in_catalog: ExportTask


class ExportHeader(Wire, frozen=True):
    """How much a stream holds."""

    total_size: int
    total_lines: int


class HeaderTask(Wire, frozen=True):
    """A job with the header of one stream; null when there is no such stream."""

    export_metadata_header: ExportHeader | None


class HeaderData(Wire, frozen=True):
    """Answer to `EXPORT_HEADER`."""

    task: HeaderTask | None


class Offsets(Wire, frozen=True):
    """The bytes of a stream that a file holds, the last one included."""

    start: int
    end: int


class ExportFile(Wire, frozen=True):
    """A piece of a stream."""

    offsets: Offsets
    file: str


class FileTask(Wire, frozen=True):
    """A job with a piece of one stream."""

    export_file_from_offset: ExportFile | None


class FileData(Wire, frozen=True):
    """Answer to `EXPORT_FILE`."""

    task: FileTask | None


class ExportedDataRow(msgspec.Struct, frozen=True, gc=False):
    """The data row of an exported line; spelled as exports spell it."""

    id: str
    global_key: str | None = None


class ExportedRunDetails(msgspec.Struct, frozen=True, gc=False):
    """What a line says of the row's place in a run.

    Which of the spellings a remote uses isn't known before it is seen; UNSET
    where it uses none.
    """

    data_split: str | msgspec.UnsetType | None = msgspec.UNSET
    split: str | msgspec.UnsetType | None = msgspec.UNSET
    dataSplit: str | msgspec.UnsetType | None = msgspec.UNSET  # noqa: N815

    def split_text(self) -> str | msgspec.UnsetType | None:
        """Take the split by whichever name it goes."""
        for found in (self.data_split, self.split, self.dataSplit):
            if found is not msgspec.UNSET:
                return found
        return msgspec.UNSET


class ExportedRunLabels(msgspec.Struct, frozen=True, gc=False):
    """What a line says of the label that the row has in a run."""

    labels: list[dict[str, Any]] = []


class ExportedRunContents(ExportedRunDetails, frozen=True, gc=False):
    """All that a line says of the row in a run.

    Metrics are told by some remotes only.
    """

    labels: list[dict[str, Any]] = []
    predictions: list[dict[str, Any]] = []
    metrics: list[dict[str, Any]] = []


D = TypeVar("D")


class ExportedExperiment(msgspec.Struct, Generic[D], frozen=True, gc=False):
    """What a line says of a model."""

    runs: dict[str, D] = {}


class ExportedRow(msgspec.Struct, frozen=True, gc=False):
    """A line of which only the data row matters."""

    data_row: ExportedDataRow


class ExportedRunRow(ExportedRow, Generic[D], frozen=True, gc=False):
    """A line of the export of a run."""

    experiments: dict[str, ExportedExperiment[D]] = {}

    def details(self, run: str) -> D | None:
        """Find what the line says of a run; None when it says nothing."""
        return _of_run(self.experiments, run)


class ExportedWholeRow(msgspec.Struct, frozen=True, gc=False):
    """A line of the export of a run, with all of its data row."""

    data_row: dict[str, Any]
    experiments: dict[str, ExportedExperiment[ExportedRunContents]] = {}

    def details(self, run: str) -> ExportedRunContents | None:
        """Find what the line says of a run; None when it says nothing."""
        return _of_run(self.experiments, run)


class ExportedProject(msgspec.Struct, Generic[D], frozen=True, gc=False):
    """What a line says of a project that the row is in."""

    labels: list[D] = []


class ExportedProjectRow(ExportedRow, Generic[D], frozen=True, gc=False):
    """A line of the export of a project; D is what is kept of a label."""

    projects: dict[str, ExportedProject[D]] = {}

    def labels(self, project: str) -> list[D]:
        """List the labels that the row has in a project."""
        found = self.projects.get(project)
        return found.labels if found else []


class ExportedMetadata(msgspec.Struct, frozen=True, gc=False):
    """A value of a data row's metadata."""

    schema_id: str | None = None
    schema_name: str | None = None
    value: Any = None


class ExportedRowMetadata(ExportedRow, frozen=True, gc=False):
    """A line of the export of a dataset, with metadata."""

    metadata_fields: list[ExportedMetadata] = []


class ExportedLabelledRow(ExportedProjectRow[msgspec.Raw], frozen=True, gc=False):
    """A line of the export of a project, with metadata, and whether it has labels."""

    metadata_fields: list[ExportedMetadata] = []


def _of_run(experiments: Mapping[str, ExportedExperiment[D]], run: str) -> D | None:
    for experiment in experiments.values():
        if run in experiment.runs:
            return experiment.runs[run]
    return None

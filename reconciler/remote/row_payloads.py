"""Answers about data rows, and about the jobs that read and write them."""

from typing import Final

import msgspec

from reconciler.ports import Malformed
from reconciler.remote.payloads import Wire
from reconciler.rows.change import CurrentRow
from reconciler.state.resources import Split


class KeyedNode(Wire, frozen=True, gc=False):
    """A data row, by both of its names."""

    id: str
    global_key: str | None


class RunRowNode(Wire, frozen=True, gc=False):
    """A member of a run."""

    data_split: str | None
    data_row: KeyedNode

    def current(self) -> CurrentRow:
        """Turn it into a value.

        Raises:
            Malformed: When its split is none that we know.
        """
        row = self.data_row
        return CurrentRow(row.id, row.global_key, split_of(self.data_split))


class EndCursor(Wire, frozen=True):
    """Where the next page begins; null when there is none."""

    end_cursor: str | None


class RunRowPage(Wire, frozen=True):
    """A page of the members of a run."""

    nodes: list[RunRowNode]
    page_info: EndCursor


class RunRowsData(Wire, frozen=True):
    """Answer to `RUN_ROWS`."""

    annotation_groups: RunRowPage


class StartCursor(Wire, frozen=True):
    """Where the next page begins; the API's own name for it misleads."""

    start_cursor: str | None


class DatasetRowPage(Wire, frozen=True):
    """A page of the data rows of a dataset."""

    nodes: list[KeyedNode]
    page_info: StartCursor


class DatasetRowsData(Wire, frozen=True):
    """Answer to `DATASET_ROWS`."""

    dataset_data_rows: DatasetRowPage


class Job(Wire, frozen=True):
    """A job that looks up global keys."""

    job_id: str


class KeysData(Wire, frozen=True):
    """Answer to `KEYS`."""

    data_rows_for_global_keys: Job


class KeysFound(Wire, frozen=True):
    """The keys that were asked for in vain."""

    not_found_global_keys: list[str] | None = None
    access_denied_global_keys: list[str] | None = None


class KeysResult(Wire, frozen=True):
    """How far the job is."""

    data: KeysFound | None
    job_status: str


class KeysResultData(Wire, frozen=True):
    """Answer to `KEYS_RESULT`."""

    data_rows_for_global_keys_result: KeysResult


class Processed(Wire, frozen=True):
    """Whether data rows may be used."""

    all_data_rows_have_been_processed: bool


class ProcessedData(Wire, frozen=True):
    """Answer to `ALL_PROCESSED`."""

    query_all_data_rows_have_been_processed: Processed


class MetadataOption(Wire, frozen=True):
    """A choice of an enum field."""

    id: str
    name: str


class MetadataField(Wire, frozen=True):
    """A metadata field of the organisation."""

    id: str
    name: str
    kind: str
    options: list[MetadataOption] | None = None


class MetadataData(Wire, frozen=True):
    """Answer to `METADATA_FIELDS`."""

    custom_metadata_ontology: list[MetadataField]


# Jobs


class TaskNode(Wire, frozen=True):
    """A job of the user's."""

    id: str
    status: str | None
    result: object = None
    errors: object = None


class TaskList(Wire, frozen=True):
    """The job that was asked for, once it is listed."""

    created_tasks: list[TaskNode]


class TaskData(Wire, frozen=True):
    """Answer to `TASK`."""

    user: TaskList


class RegistrationStatus(Wire, frozen=True):
    """How far a job on a run is."""

    status: str | None
    error_message: str | None


class AddRowsStatusData(Wire, frozen=True):
    """Answer to `ADD_ROWS_STATUS`."""

    task: RegistrationStatus = msgspec.field(name="MEADataRowRegistrationTaskStatus")


class AssignSplitsStatusData(Wire, frozen=True):
    """Answer to `ASSIGN_SPLITS_STATUS`."""

    task: RegistrationStatus = msgspec.field(name="assignDataRowsToDataSplitTaskStatus")


class FailedSpec(Wire, frozen=True):
    """What was to become a data row."""

    global_key: str | None = None


class FailedImport(Wire, frozen=True):
    """A data row that didn't come to be."""

    message: str | None
    spec: FailedSpec | None


class FailedImportPage(Wire, frozen=True):
    """A page of failures."""

    results: list[FailedImport] | None
    after: str | None


class FailedImportsData(Wire, frozen=True):
    """Answer to `FAILED_IMPORTS`."""

    failed_data_row_imports: FailedImportPage | None


# Exports
#
# What there is one of per line has gc=False: nothing in it can be part of a
# cycle, and the collector would go through a million of them again and again
# (0.5 instead of 1.5 microseconds a line).


class ExportTask(Wire, frozen=True):
    """An export that was started."""

    task_id: str


class ExportRunData(Wire, frozen=True):
    """Answer to `EXPORT_RUN`."""

    export_data_rows_in_model_run: ExportTask


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


class ExportedExperiment(msgspec.Struct, frozen=True, gc=False):
    """What a line says of a model."""

    runs: dict[str, ExportedRunDetails] = {}


class ExportedRunRow(msgspec.Struct, frozen=True, gc=False):
    """A line of the export of a run."""

    data_row: ExportedDataRow
    experiments: dict[str, ExportedExperiment] = {}

    def details(self, run: str) -> ExportedRunDetails | None:
        """Find what the line says of a run; None when it says nothing."""
        for experiment in self.experiments.values():
            if run in experiment.runs:
                return experiment.runs[run]
        return None


class ExportedRow(msgspec.Struct, frozen=True, gc=False):
    """A line of the export of a dataset."""

    data_row: ExportedDataRow


_SPLITS: Final = {
    spelling: split
    for split in Split
    for spelling in (split.value, split.value.lower(), split.value.capitalize())
}


def split_of(text: str | None) -> Split:
    """Read a split in any case; null is UNASSIGNED.

    Raises:
        Malformed: When there is no such split.
    """
    if text is None:
        return Split.UNASSIGNED
    try:
        return _SPLITS[text]
    except KeyError:
        raise Malformed(f"a data row is in the unknown split {text!r}") from None

"""Answers about data rows, and about the jobs that write them."""

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


class AddLabelsStatusData(Wire, frozen=True):
    """Answer to `ADD_LABELS_STATUS`."""

    task: RegistrationStatus = msgspec.field(name="MEALabelRegistrationTaskStatus")


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

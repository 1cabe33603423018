"""What may differ from one twin to another.

Where the real service is documented by nothing but guesses, the guess is a
setting, so that a client can be tried against either reading.
"""

from dataclasses import dataclass, field
from typing import Final, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much is too much; None is no limit.

    The defaults are the highest that are documented, or what a server of one's
    own can bear where nothing is.

    Attributes:
        rows_per_run: Data rows in one run.
        runs_per_model: Runs of one model.
        rows_per_upload: Data rows of one upload task.
        rows_per_batch: Data rows in one batch of a project.
        ids_per_request: Ids or keys in one list of a request; some lists may be
            longer at any time.
        items_per_page: The longest page that may be asked for.
        assignments_per_task: Assignments to splits in one task.
        annotations_per_import: Lines in one import of annotations.
        slices: Slices in one organisation, of models and of the catalog each.
        requests_per_minute: Requests of one organisation.
        request_bytes: The longest request body.
        document_bytes: The longest GraphQL document.
        document_depth: How deep brackets may nest in a document.
        document_fields: Fields in a document, aliases and fragments included.
        file_bytes: The longest file, uploaded or fetched.
    """

    rows_per_run: int | None = 1_000_000
    runs_per_model: int | None = 1_000
    rows_per_upload: int | None = 150_000
    rows_per_batch: int | None = 100_000
    ids_per_request: int | None = 1_000_000
    items_per_page: int = 10_000
    assignments_per_task: int | None = None
    annotations_per_import: int | None = None
    slices: int | None = 100
    requests_per_minute: int | None = None
    request_bytes: int = 256 * 1024 * 1024
    document_bytes: int = 2_000_000
    document_depth: int = 64
    document_fields: int = 1_000
    file_bytes: int = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """The choices of one server.

    Attributes:
        unique_run_names: Refuse a second run of the same name in a model; the
            real service shows no such rule.
        unique_import_names: Refuse a second import of the same name in a run or
            project; otherwise the latest is the one that the name means.
        unknown_rows: What a task does that names unknown data rows: `fail`
            does nothing and fails; `partial` does what it can, and fails too;
            `ignore` does what it can, and completes.
        camel_case_create_echo: Answer `createModelRun` with the config's keys in
            camelCase, as the real service does; what is stored keeps its keys.
        read_only_exports: Let keys that may only read start exports.
        split_export_key: The key of a row's split in the export of a run.
        export_uuids: Say in exports, as `uuid`, which uuid an annotation was
            imported with. The key is ours: the real service gives none.
        strict_annotations: Read annotations by the harshest rules instead of the
            most likely ones.
        task_seconds: How long a task is reported as IN_PROGRESS at least.
        answer_seconds: How long a request waits for the job that it has started
            before it answers that the job is running.
        export_chunk_bytes: Where a streamed export is cut, at the next line's end.
        url_seconds: How long the URL of a file can be read.
        threads: How many requests are worked on at once.
        keep_seconds: How long exports, and files that nothing refers to, are kept;
            longer than their URLs can be read.
        fetch_urls: Fetch imports from addresses that aren't ours.
        limits: How much is too much.
    """

    unique_run_names: bool = False
    unique_import_names: bool = False
    unknown_rows: Literal["fail", "partial", "ignore"] = "fail"
    camel_case_create_echo: bool = True
    read_only_exports: bool = True
    split_export_key: str = "split"
    export_uuids: bool = True
    strict_annotations: bool = False
    task_seconds: float = 0.0
    answer_seconds: float = 20.0
    export_chunk_bytes: int = 10_000_000
    threads: int = 64
    url_seconds: int = 86_400
    keep_seconds: int = 7 * 86_400
    fetch_urls: bool = True
    limits: Limits = field(default_factory=Limits)


STRICT: Final = ServerSettings(
    unique_run_names=True,
    unique_import_names=True,
    unknown_rows="partial",
    camel_case_create_echo=True,
    read_only_exports=False,
    split_export_key="data_split",
    export_uuids=False,
    strict_annotations=True,
    limits=Limits(
        rows_per_run=150_000,
        runs_per_model=20,
        ids_per_request=1_000,
        items_per_page=100,
        assignments_per_task=1,
        annotations_per_import=1_000,
        requests_per_minute=1_500,
    ),
)
"""The harshest reading of all that is open, and the lowest documented quotas.

A client that works against it relies on nothing that isn't documented.
"""

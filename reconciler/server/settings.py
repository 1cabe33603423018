"""What may differ from one twin to another.

Where the real service is documented by nothing but guesses, the guess is a
setting, so that a client can be tried against either reading.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """The choices of one server.

    Attributes:
        unique_run_names: Refuse a second run of the same name in a model; the
            real service shows no such rule.
        camel_case_create_echo: Answer `createModelRun` with the config's keys in
            camelCase, as the real service does; what is stored keeps its keys.
        task_seconds: How long a task is reported as IN_PROGRESS. Its effect is
            there from the start.
        split_export_key: The key of a row's split in the export of a run.
        export_chunk_bytes: Where a streamed export is cut, at the next line's end.
        max_request_bytes: The longest request body.
        max_document_bytes: The longest GraphQL document.
        max_document_depth: How deep brackets may nest in a document.
        url_seconds: How long the URL of a file can be read.
    """

    unique_run_names: bool = False
    camel_case_create_echo: bool = True
    task_seconds: float = 0.0
    split_export_key: str = "split"
    export_chunk_bytes: int = 10_000_000
    max_request_bytes: int = 256 * 1024 * 1024
    max_document_bytes: int = 2_000_000
    max_document_depth: int = 64
    url_seconds: int = 86_400

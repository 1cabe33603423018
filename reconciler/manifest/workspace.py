"""A workspace as a value: where manifests are, and what they are applied to."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from reconciler.plan.guards import Guards

FILE_NAME: Final = "reconciler.yaml"
"""The file that makes a folder a workspace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much there may be, and how much of it goes at a time.

    Attributes:
        requests_per_minute: None for no limit of our own.
        batch_size: Rows written by one request.
        page_size: Rows read by one request.
        export_above: Runs with more rows than this are read by an export.
        runs_per_model: Runs that a model may have; None when nothing limits them.
        predictions_per_job: Annotations or metrics of one import, about.
        lock_rows: Locks of more rows keep them in a Parquet file.
    """

    requests_per_minute: int | None
    batch_size: int
    page_size: int
    export_above: int
    runs_per_model: int | None = None
    predictions_per_job: int = 1000
    lock_rows: int = 100_000


class Severity(StrEnum):
    """What a finding about data means."""

    ERROR = "error"
    WARNING = "warning"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """How strictly data is looked at, by the code of the finding."""

    content_across_splits: Severity = Severity.ERROR
    group_across_splits: Severity = Severity.ERROR
    frozen_trained_on: Severity = Severity.ERROR


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """What `reconciler.yaml` says.

    Attributes:
        root: The folder it is in, absolute, without symbolic links.
        name: Names the workspace in the ledger.
        remote: `local` or `labelbox`.
        folders: Folders of manifests, relative to `root`, with `/`.
        guards: What is held back until it is allowed.
        limits: How much there may be, and how much of it goes at a time.
        checks: How strictly data is looked at.
    """

    root: Path
    name: str
    remote: str
    folders: tuple[str, ...]
    guards: Guards
    limits: Limits
    checks: Checks = Checks()

"""A workspace as a value: where manifests are, and what they are applied to."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reconciler.plan.guards import Guards

FILE_NAME: Final = "reconciler.yaml"
"""The file that makes a folder a workspace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much is asked of the remote at a time.

    Attributes:
        requests_per_minute: None for no limit of our own.
        batch_size: Rows written by one request.
        page_size: Rows read by one request.
        export_above: Runs with more rows than this are read by an export.
    """

    requests_per_minute: int | None
    batch_size: int
    page_size: int
    export_above: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """What `reconciler.yaml` says.

    Attributes:
        root: The folder it is in, absolute, without symbolic links.
        name: Names the workspace in the ledger.
        remote: `local` or `labelbox`.
        folders: Folders of manifests, relative to `root`, with `/`.
        guards: What is held back until it is allowed.
        limits: How much is asked of the remote at a time.
    """

    root: Path
    name: str
    remote: str
    folders: tuple[str, ...]
    guards: Guards
    limits: Limits

"""The shape of `reconciler.yaml`."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from reconciler.manifest.fields import Name
from reconciler.manifest.schema.checks import ChecksShape
from reconciler.manifest.schema.shape import Manifest, Shape


class GuardShape(Shape):
    """A change above both numbers is held back until it is allowed."""

    model_config = ConfigDict(title="Guard")

    count: int = Field(
        default=100,
        ge=0,
        description="So many rows may always be removed.",
        examples=[100],
    )
    percent: float = Field(
        10,
        ge=0,
        le=100,
        description="So many percent of a run's rows may always be removed.",
        examples=[10],
    )


class GuardsShape(Shape):
    """What `apply` does only when it is allowed explicitly."""

    model_config = ConfigDict(title="Guards")

    rows_removed: GuardShape = Field(
        default=GuardShape.model_construct(count=100, percent=10),
        description="Rows removed from one run: blocked above both numbers.",
        examples=[{"count": 100, "percent": 10}],
    )


class LimitsShape(Shape):
    """How much there may be, and how much of it goes at a time."""

    model_config = ConfigDict(title="Limits")

    requests_per_minute: Annotated[int, Field(ge=1)] | None = Field(
        1500,
        description="Requests a minute; null for no limit of our own.",
        examples=[1500],
    )
    batch_size: int = Field(
        10_000,
        ge=1,
        description="Rows written by one request.",
        examples=[10_000],
    )
    page_size: int = Field(
        5000, ge=1, description="Rows read by one request.", examples=[5000]
    )
    export_above: int = Field(
        10_000,
        ge=0,
        description="Runs with more rows than this are read by an export.",
        examples=[10_000],
    )
    runs_per_model: Annotated[int, Field(ge=1)] | None = Field(
        None,
        description="Runs that a model may have; null when nothing limits them. "
        "Those beyond are held back before anything is done.",
        examples=[20],
    )
    predictions_per_job: int = Field(
        1000,
        ge=1,
        description="Annotations or metrics that one import brings, about. Another "
        "number sends everything again, which replaces and doubles nothing.",
        examples=[1000],
    )
    lock_rows: int = Field(
        100_000,
        ge=0,
        description="Locks of more rows than this keep them in a Parquet file beside.",
        examples=[100_000],
    )


class WorkspaceManifest(Manifest):
    """A workspace: which folders hold manifests, and what they are applied to."""

    model_config = ConfigDict(title="Workspace")

    kind: Literal["Workspace"] = Field(description="A workspace.")
    name: Name = Field(
        description="Names the workspace in the ledger.", examples=["vision"]
    )
    remote: Literal["local", "labelbox"] = Field(
        "local",
        description="`local` is the embedded server, `labelbox` is Labelbox.",
        examples=["local", "labelbox"],
    )
    folders: list[Name] = Field(
        default=["specs"],
        min_length=1,
        description="Folders of manifests, relative to this file.",
        examples=[["specs"]],
    )
    guards: GuardsShape = Field(
        default=GuardsShape.model_construct(),
        description="Changes that are held back until they are allowed.",
        examples=[{"rowsRemoved": {"count": 100, "percent": 10}}],
    )
    limits: LimitsShape = Field(
        default=LimitsShape.model_construct(),
        description="Numbers that rarely need another value.",
        examples=[{"requestsPerMinute": 1500}],
    )
    checks: ChecksShape = Field(
        default=ChecksShape.model_construct(),
        description="How strictly data is looked at.",
        examples=[{"groupAcrossSplits": "warning"}],
    )

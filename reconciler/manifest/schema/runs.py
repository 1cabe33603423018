"""The shape of models, and of the runs that are declared of them."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator

from reconciler.manifest.fields import (
    GIVEN,
    AnyStatus,
    Name,
    NoLabels,
    NoRows,
    exactly_one,
    no_use,
)
from reconciler.manifest.schema.checks import WAIVERS, Waivers
from reconciler.manifest.schema.matrix import MatrixShape
from reconciler.manifest.schema.rows import MembersShape, RowNames
from reconciler.manifest.schema.shape import ID, Manifest, Shape
from reconciler.manifest.schema.uploads import LineFileShape, MetricShape


class ModelManifest(Manifest):
    """A model: where runs that answer the same question are kept."""

    model_config = ConfigDict(title="Model")

    kind: Literal["Model"] = Field(description="A model.")
    name: Name = Field(description="Its exact name.", examples=["digits"])
    id: Annotated[Name | None, GIVEN] = Field(
        None, description=ID, examples=["3e8c1f7a-0b1d-4c57-9a0e-5d0f4c1b2a39"]
    )
    ontology: Name = Field(
        description="Name of an Ontology document.", examples=["digits"]
    )


class RunConfigManifest(Manifest):
    """A config with a name, which runs may build on."""

    model_config = ConfigDict(title="RunConfig")

    kind: Literal["RunConfig"] = Field(description="A config with a name.")
    name: Name = Field(description="What runs call it.", examples=["shared"])
    config: dict[str, Any] = Field(
        description="Hyperparameters, of any form.", examples=[{"seed": 42}]
    )


class ConfigFromShape(Shape):
    """A config that builds on a RunConfig."""

    model_config = ConfigDict(title="ConfigFrom")

    name: Name = Field(description="Name of a RunConfig.", examples=["shared"])
    set: dict[str, Any] = Field(
        default={},
        description="Laid over it: mappings are merged at any depth, lists and "
        "single values are replaced.",
        examples=[{"optimizer": {"lr": 1e-4}}],
    )


class LabelsShape(Shape):
    """The ground truth of a run's rows: by id, or as a lock pins it."""

    model_config = ConfigDict(
        title="Labels",
        json_schema_extra={
            "oneOf": [
                {"required": ["labelIds"]},
                {"anyOf": [{"required": ["project"]}, {"required": ["lock"]}]},
            ]
        },
    )

    label_ids: Annotated[RowNames | None, GIVEN] = Field(
        None,
        description="Labels by id: ids, files that list them, or both.",
        examples=[["cm0abcdefghijklmnopqrstuv"], {"file": "labels.txt"}],
    )
    project: Annotated[Name | None, GIVEN] = Field(
        None,
        description="Name of a Project document: its labels, as `reconciler lock` "
        "writes them down.",
        examples=["digits"],
    )
    lock: Annotated[Name | None, GIVEN] = Field(
        None,
        description="The lock of the labels, relative to this manifest; "
        "locks/labels/MODEL/RUN.lock unless given.",
        examples=["truth.lock"],
    )

    @model_validator(mode="after")
    def _ids_or_lock(self) -> "LabelsShape":
        if self.label_ids is None and self.project is None:
            exactly_one(self, "project", "lock", "label_ids")
        else:
            exactly_one(self, "label_ids", "project")
        if self.label_ids is not None and self.lock is not None:
            raise no_use("lock", "with `labelIds`")
        return self


class StatusShape(Shape):
    """How far a run's training has come, with more words on it."""

    model_config = ConfigDict(title="Status")

    status: AnyStatus = Field(description="How far it has come.", examples=["FAILED"])
    metadata: dict[str, Any] = Field(
        default={},
        description="What else is known; merged into what the remote has.",
        examples=[{"epochs": 20}],
    )
    error_message: Annotated[Name | None, GIVEN] = Field(
        None, description="Why it failed.", examples=["out of memory"]
    )


class ModelRunManifest(Manifest):
    """One training experiment of a model."""

    model_config = ConfigDict(
        title="ModelRun",
        json_schema_extra={
            "allOf": [
                {"not": {"required": ["config", "configFrom"]}},
                {"not": {"required": ["id", "matrix"]}},
            ]
        },
    )

    kind: Literal["ModelRun"] = Field(description="A run of a model.")
    model: Name = Field(description="Name of a Model document.", examples=["digits"])
    name: Name = Field(
        description="Its exact name, unique within the model. With a matrix it holds "
        "every axis, as {seed}.",
        examples=["svm-rbf", "svm-{optimizer.lr}-{seed}"],
    )
    id: Annotated[Name | None, GIVEN] = Field(
        None, description=ID, examples=["8d1f3d52-6c0b-4c0e-8a4e-2f0a3b1c9d77"]
    )
    config: Annotated[dict[str, Any] | None, GIVEN] = Field(
        None,
        description="Hyperparameters; {} resets them, absent leaves them alone.",
        examples=[{"lr": 1e-4, "seed": 42}],
    )
    config_from: Annotated[ConfigFromShape | None, GIVEN] = Field(
        None,
        description="Hyperparameters that build on a RunConfig.",
        examples=[{"name": "shared", "set": {"lr": 1e-4}}],
    )
    rows: Annotated[Name | MembersShape | NoRows | None, GIVEN] = Field(
        None,
        description="Name of a DataRows document, a membership, or [] for none; "
        "absent leaves the run's rows alone.",
        examples=["digits-80-20", {"globalKeys": ["a", "b"]}],
    )
    labels: Annotated[NoLabels | LabelsShape | None, GIVEN] = Field(
        None,
        description="Which ground truth the rows have, or `none`; absent leaves the "
        "run's labels alone.",
        examples=["none", {"project": "digits"}],
    )
    predictions: Annotated[list[LineFileShape] | None, GIVEN] = Field(
        None,
        description="Files of predictions; they may hold metrics as well.",
        examples=[[{"file": "predictions.ndjson"}]],
    )
    metrics: Annotated[list[MetricShape] | None, GIVEN] = Field(
        None,
        description="Custom metrics: files, or written out.",
        examples=[
            [
                {"file": "metrics.ndjson"},
                {"globalKey": "digits-0001", "name": "iou_custom", "value": 0.5},
            ]
        ],
    )
    status: Annotated[AnyStatus | StatusShape | None, GIVEN] = Field(
        None,
        description="How far its training has come; it only goes on.",
        examples=["COMPLETE", {"status": "COMPLETE", "metadata": {"epochs": 20}}],
    )
    waivers: Waivers = Field(
        default=[],
        description="Findings about its rows that are known and accepted.",
        examples=[WAIVERS],
    )
    matrix: Annotated[MatrixShape | None, GIVEN] = Field(
        None,
        description="Makes it several runs, one for each combination of values.",
        examples=[{"axes": {"seed": [1, 2, 3]}}],
    )

    @model_validator(mode="after")
    def _fields_fit_together(self) -> "ModelRunManifest":
        if self.config is not None and self.config_from is not None:
            exactly_one(self, "config", "config_from")
        if self.id is not None and self.matrix is not None:
            raise no_use(
                "id",
                "with `matrix`, which makes several runs",
                advice="declare the run of that id on its own",
            )
        return self

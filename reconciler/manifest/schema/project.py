"""The shape of labelling projects."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from reconciler.manifest.fields import GIVEN, Name, needs
from reconciler.manifest.schema.shape import ID, Manifest
from reconciler.manifest.schema.uploads import LineFileShape


class ProjectManifest(Manifest):
    """A labelling project. Without labels: a reference to one."""

    model_config = ConfigDict(
        title="Project",
        json_schema_extra={
            "dependentRequired": {
                "labels": ["ontology"],
                "ontology": ["labels"],
                "dataset": ["labels"],
            }
        },
    )

    kind: Literal["Project"] = Field(description="A labelling project.")
    name: Name = Field(description="Its exact name.", examples=["digits"])
    id: Annotated[Name | None, GIVEN] = Field(
        None, description=ID, examples=["cm0abcdefghijklmnopqrstuv"]
    )
    ontology: Annotated[Name | None, GIVEN] = Field(
        None,
        description="Name of an Ontology document: what labels may say.",
        examples=["digits"],
    )
    dataset: Annotated[Name | None, GIVEN] = Field(
        None,
        description="Name of a Dataset document, that all labelled data rows are of.",
        examples=["digits"],
    )
    labels: Annotated[list[LineFileShape] | None, GIVEN] = Field(
        None,
        description="Files of ground truth, which is imported.",
        examples=[[{"file": "truth.ndjson"}]],
    )

    @model_validator(mode="after")
    def _a_reference_describes_nothing(self) -> "ProjectManifest":
        if self.labels is None:
            needs(self, "ontology", "labels")
            needs(self, "dataset", "labels")
        elif self.ontology is None:
            raise PydanticCustomError(
                "missing-field",
                "needs `ontology`: it has labels",
                {"advice": "name the Ontology document that the labels are by"},
            )
        return self

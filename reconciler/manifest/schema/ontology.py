"""The shape of ontologies."""

from typing import Annotated, Literal, TypeAlias

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from reconciler.manifest.fields import GIVEN, Name
from reconciler.manifest.schema.shape import ID, Manifest, MediaType, Shape

ToolType: TypeAlias = Literal[
    "edge",
    "line",
    "marker",
    "message-multi-selection",
    "message-ranking",
    "message-single-selection",
    "named-entity",
    "point",
    "polygon",
    "raster-segmentation",
    "rectangle",
    "superpixel",
]


class OptionShape(Shape):
    """One answer to a classification."""

    model_config = ConfigDict(title="Option")

    value: Name = Field(description="What is stored.", examples=["seven"])
    label: Annotated[Name | None, GIVEN] = Field(
        None,
        description="What people see; the value unless given.",
        examples=["Seven (7)"],
    )
    classifications: "list[InnerClassificationShape]" = Field(
        default=[],
        description="Asked when this option is chosen.",
        examples=[[{"type": "text", "name": "why"}]],
    )


class InnerClassificationShape(Shape):
    """A question about an object, or one that follows from an answer."""

    model_config = ConfigDict(title="InnerClassification")

    type: Literal["radio", "checklist", "text"] = Field(
        description="One option, any number of options, or free text.",
        examples=["radio"],
    )
    name: Name = Field(description="What annotations call it.", examples=["digit"])
    instructions: Annotated[Name | None, GIVEN] = Field(
        None,
        description="What people see; the name unless given.",
        examples=["Which digit is it?"],
    )
    required: bool = Field(
        default=False, description="Whether it must be answered.", examples=[True]
    )
    options: list[Name | OptionShape] = Field(
        default=[],
        description="The possible answers, of `radio` and `checklist` only.",
        examples=[["zero", "one"], [{"value": "0", "label": "zero"}]],
    )

    @model_validator(mode="after")
    def _options_where_they_belong(self) -> "InnerClassificationShape":
        if self.type == "text" and self.options:
            raise PydanticCustomError(
                "wrong-value", "has no use in a text", {"at": "options"}
            )
        if self.type != "text" and not self.options:
            raise PydanticCustomError(
                "missing-field",
                "needs `options`: it is of type {type}",
                {"type": self.type},
            )
        return self


class ClassificationShape(InnerClassificationShape):
    """A question about a data row."""

    model_config = ConfigDict(title="Classification")

    scope: Literal["global", "index"] = Field(
        "global",
        description="Asked once for all of it, or for each frame or page.",
        examples=["global"],
    )


class ToolShape(Shape):
    """A way to mark an object."""

    model_config = ConfigDict(title="Tool")

    tool: ToolType = Field(
        description="The tool, as the API spells it.", examples=["rectangle"]
    )
    name: Name = Field(description="What annotations call it.", examples=["car"])
    required: bool = Field(
        default=False, description="Whether one must be drawn.", examples=[False]
    )
    classifications: list[InnerClassificationShape] = Field(
        default=[],
        description="Asked about every object.",
        examples=[[{"type": "radio", "name": "color", "options": ["red", "blue"]}]],
    )


class OntologyManifest(Manifest):
    """An ontology. Without tools and classifications: a reference to one."""

    model_config = ConfigDict(title="Ontology")

    kind: Literal["Ontology"] = Field(description="An ontology.")
    name: Name = Field(description="Its exact name.", examples=["digits"])
    id: Annotated[Name | None, GIVEN] = Field(
        None, description=ID, examples=["cm0abcdefghijklmnopqrstuv"]
    )
    media_type: Annotated[MediaType | None, GIVEN] = Field(
        None, description="What it is for.", examples=["IMAGE"]
    )
    tools: Annotated[list[ToolShape] | None, GIVEN] = Field(
        None,
        description="Ways to mark objects.",
        examples=[[{"tool": "rectangle", "name": "car"}]],
    )
    classifications: Annotated[list[ClassificationShape] | None, GIVEN] = Field(
        None,
        description="Questions about a data row.",
        examples=[[{"type": "radio", "name": "digit", "options": ["zero", "one"]}]],
    )

"""What the shapes of all kinds of documents have in common.

Only what a single document can say about itself is checked by shapes. Nothing
is coerced: the text "1" is no number. An optional field may be absent but never
null, so that a value somebody forgot to write isn't taken for a decision.
Descriptions and examples are for editors: they end in the JSON Schema.
"""

from typing import Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

API_VERSION: Final = "reconciler/v1"

MediaType: TypeAlias = Literal[
    "AUDIO",
    "CONVERSATIONAL",
    "HTML",
    "IMAGE",
    "LLM",
    "PDF",
    "POINT_CLOUD",
    "TEXT",
    "TMS_GEO",
    "TMS_SIMPLE",
    "VIDEO",
]

ID: Final = "Pins the object, for names that several objects on the remote have."


class Shape(BaseModel):
    """What all shapes have in common."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        alias_generator=to_camel,
        # A shape is compiled when the first document of its kind is met.
        defer_build=True,
    )


class Manifest(Shape):
    """What all documents have in common."""

    api_version: Literal["reconciler/v1"] = Field(
        description="The version of these fields.", examples=[API_VERSION]
    )

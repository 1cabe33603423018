"""The shape of live selections: which data rows a remote should choose."""

from typing import Annotated

from pydantic import ConfigDict, Field, model_validator

from reconciler.manifest.fields import (
    GIVEN,
    Name,
    Scalar,
    exactly_one,
    require_one,
)
from reconciler.manifest.schema.shape import Shape
from reconciler.manifest.times import check_range, check_time


class ConditionShape(Shape):
    """What the metadata of a data row must say."""

    model_config = ConfigDict(
        title="Condition",
        json_schema_extra={
            "oneOf": [
                {"required": ["equals"]},
                {"anyOf": [{"required": ["min"]}, {"required": ["max"]}]},
            ]
        },
    )

    field: Name = Field(description="Name of the metadata field.", examples=["city"])
    equals: Annotated[
        Scalar | Annotated[list[Scalar], Field(min_length=1)] | None, GIVEN
    ] = Field(
        None,
        description="The value, or several of which it is one.",
        examples=["Oslo", ["day", "night"]],
    )
    min: Annotated[float | str | None, GIVEN] = Field(
        None,
        description="The least value: a number, or a day or time of ISO 8601.",
        examples=[0.5, "2026-01-31", "2026-01-31T12:00:00Z"],
    )
    max: Annotated[float | str | None, GIVEN] = Field(
        None,
        description="The greatest value, likewise.",
        examples=[1, "2026-12-31"],
    )

    @model_validator(mode="after")
    def _equals_or_range(self) -> "ConditionShape":
        if self.min is None and self.max is None:
            exactly_one(self, "equals", "min", "max")
        elif self.equals is not None:
            exactly_one(self, "equals", "min" if self.min is not None else "max")
        for name, bound in (("min", self.min), ("max", self.max)):
            if isinstance(bound, str):
                check_time(bound, at=name)
        if self.min is not None and self.max is not None:
            check_range(self.min, self.max)
        return self


class SelectShape(Shape):
    """Data rows that a remote chooses; `reconciler lock` writes down which."""

    model_config = ConfigDict(
        title="Select", json_schema_extra=require_one("dataset", "project")
    )

    dataset: Annotated[Name | None, GIVEN] = Field(
        None,
        description="Name of a Dataset document: its data rows.",
        examples=["streets"],
    )
    project: Annotated[Name | None, GIVEN] = Field(
        None,
        description="Name of a Project document: its labelled data rows.",
        examples=["streets"],
    )
    keys: Annotated[Annotated[str, Field(min_length=1)] | None, GIVEN] = Field(
        None,
        description="Pattern of the whole global key: `*` is any text, `?` any "
        "character.",
        examples=["night-*"],
    )
    metadata: Annotated[
        Annotated[list[ConditionShape], Field(min_length=1)] | None, GIVEN
    ] = Field(
        None,
        description="Conditions, all of which hold.",
        examples=[[{"field": "city", "equals": "Oslo"}, {"field": "score", "min": 1}]],
    )

    @model_validator(mode="after")
    def _one_source(self) -> "SelectShape":
        exactly_one(self, "dataset", "project")
        return self

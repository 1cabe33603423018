"""The shape of matrices, by which one document declares several runs."""

from typing import Annotated, TypeAlias

from pydantic import ConfigDict, Field

from reconciler.manifest.fields import Name, Scalar
from reconciler.manifest.schema.shape import Shape

AxisValue: TypeAlias = Scalar | None
Point: TypeAlias = Annotated[dict[Name, AxisValue], Field(min_length=1)]


class MatrixShape(Shape):
    """Runs for all combinations of some values, each part of the config."""

    model_config = ConfigDict(title="Matrix")

    axes: Annotated[
        dict[Name, Annotated[list[AxisValue], Field(min_length=1)]],
        Field(min_length=1),
    ] = Field(
        description="The values of each axis, by its dotted path into the config.",
        examples=[{"optimizer.lr": [0.1, 0.01], "seed": [1, 2, 3]}],
    )
    include: list[Point] = Field(
        default=[],
        description="Further combinations, of all axes.",
        examples=[[{"optimizer.lr": 1, "seed": 1}]],
    )
    exclude: list[Point] = Field(
        default=[],
        description="Combinations to leave out; some of the axes are enough.",
        examples=[[{"optimizer.lr": 0.1, "seed": 3}]],
    )
    cap: int = Field(
        100,
        ge=1,
        description="More runs than this are taken for a mistake.",
        examples=[20],
    )

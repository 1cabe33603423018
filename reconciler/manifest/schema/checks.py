"""The shape of checks of data: how strict they are, and what is let pass."""

from typing import Final, Literal, TypeAlias

from pydantic import ConfigDict, Field

from reconciler.manifest.fields import Name
from reconciler.manifest.schema.shape import Shape
from reconciler.manifest.times import Day

Severity: TypeAlias = Literal["error", "warning", "off"]


class ChecksShape(Shape):
    """What findings about data mean: an error, a warning, or nothing."""

    model_config = ConfigDict(title="Checks")

    content_across_splits: Severity = Field(
        "error",
        description="The same content in two splits of a membership.",
        examples=["error"],
    )
    group_across_splits: Severity = Field(
        "error",
        description="Rows of one group in two splits of a membership.",
        examples=["warning"],
    )
    frozen_trained_on: Severity = Field(
        "error",
        description="A model is trained on rows that a frozen DataRows evaluates.",
        examples=["off"],
    )


class WaiverShape(Shape):
    """A finding that is known, and accepted for a while."""

    model_config = ConfigDict(title="Waiver")

    check: Literal[
        "content-across-splits", "group-across-splits", "frozen-trained-on"
    ] = Field(
        description="The code of the finding.", examples=["content-across-splits"]
    )
    reason: Name = Field(
        description="Why it is accepted.",
        examples=["Two cameras on one crossing; looked at by hand."],
    )
    expires: Day = Field(
        description="The last day on which it is, in UTC.", examples=["2027-01-31"]
    )


Waivers: TypeAlias = list[WaiverShape]

WAIVERS: Final = [
    {
        "check": "content-across-splits",
        "reason": "Blank frames, which say nothing.",
        "expires": "2027-01-31",
    }
]
"""An example for editors."""

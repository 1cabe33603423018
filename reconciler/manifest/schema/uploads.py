"""The shape of what is imported: files of labels and predictions, and metrics."""

from typing import Annotated, Any, Final, TypeAlias

from pydantic import (
    AfterValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)
from pydantic_core import PydanticCustomError

from reconciler.manifest.fields import GIVEN, Name, exactly_one, require_one
from reconciler.manifest.schema.shape import Shape


class LineFileShape(Shape):
    """A file with one annotation a line, as the SDK's imports take them."""

    model_config = ConfigDict(title="LineFile")

    file: Name = Field(
        description="Path relative to this manifest: .ndjson or .jsonl. With a matrix "
        "it may hold its axes, as {lr}.",
        examples=["predictions.ndjson"],
    )


_COUNTS: Final = ("tp", "fp", "tn", "fn")


class MetricColumnsShape(Shape):
    """Which column of a CSV file says what of a metric."""

    model_config = ConfigDict(
        title="MetricColumns",
        json_schema_extra={
            "allOf": [
                require_one("globalKey", "dataRowId"),
                {"oneOf": [{"required": ["value"]}, {"required": list(_COUNTS)}]},
            ]
        },
    )

    global_key: Annotated[str | None, GIVEN] = Field(
        None, description="Holds the global key of the data row.", examples=["key"]
    )
    data_row_id: Annotated[str | None, GIVEN] = Field(
        None, description="Holds the id of the data row.", examples=["id"]
    )
    name: str = Field(description="Holds the metric's name.", examples=["metric"])
    value: Annotated[str | None, GIVEN] = Field(
        None, description="Holds its value, a number.", examples=["value"]
    )
    feature: Annotated[str | None, GIVEN] = Field(
        None,
        description="Holds the name of the feature that it is about.",
        examples=["feature"],
    )
    subclass: Annotated[str | None, GIVEN] = Field(
        None,
        description="Holds the name of an answer within the feature.",
        examples=["subclass"],
    )
    aggregation: Annotated[str | None, GIVEN] = Field(
        None,
        description="Holds how values of several data rows come together.",
        examples=["aggregation"],
    )
    confidence: Annotated[str | None, GIVEN] = Field(
        None,
        description="Holds the confidence that the value is for; lines that differ in "
        "nothing else are one metric.",
        examples=["confidence"],
    )
    tp: Annotated[str | None, GIVEN] = Field(
        None, description="Holds the count of true positives.", examples=["tp"]
    )
    fp: Annotated[str | None, GIVEN] = Field(
        None, description="Holds the count of false positives.", examples=["fp"]
    )
    tn: Annotated[str | None, GIVEN] = Field(
        None, description="Holds the count of true negatives.", examples=["tn"]
    )
    fn: Annotated[str | None, GIVEN] = Field(
        None, description="Holds the count of false negatives.", examples=["fn"]
    )

    @model_validator(mode="after")
    def _one_row_and_one_value(self) -> "MetricColumnsShape":
        exactly_one(self, "global_key", "data_row_id")
        given = [name for name in _COUNTS if getattr(self, name) is not None]
        if not given and self.value is None:
            raise PydanticCustomError(
                "missing-field", "needs `value`, or all of `tp`, `fp`, `tn` and `fn`"
            )
        if given and self.value is not None:
            raise PydanticCustomError(
                "wrong-value",
                "is one too many: give `value`, or all of `tp`, `fp`, `tn` and `fn`",
                {"at": given[0]},
            )
        missing = [name for name in _COUNTS if name not in given]
        if given and missing:
            raise PydanticCustomError(
                "missing-field",
                "needs `{name}`: counts are all of `tp`, `fp`, `tn` and `fn`",
                {"name": missing[0]},
            )
        return self


class MetricFileShape(Shape):
    """A file of metrics."""

    model_config = ConfigDict(title="MetricFile")

    file: Name = Field(
        description="Path relative to this manifest: .ndjson or .jsonl as the SDK's "
        "imports take them, or .csv with `columns`. With a matrix it may hold its "
        "axes, as {lr}.",
        examples=["metrics.ndjson", "metrics.csv"],
    )
    columns: Annotated[MetricColumnsShape | None, GIVEN] = Field(
        None,
        description="Which column says what, of a CSV file.",
        examples=[{"globalKey": "key", "name": "metric", "value": "value"}],
    )


def _four(counts: list[int]) -> list[int]:
    if len(counts) != len(_COUNTS):
        raise PydanticCustomError(
            "wrong-value",
            "takes four counts",
            {"advice": "true positives, false positives, true and false negatives"},
        )
    return counts


Counts: TypeAlias = Annotated[
    list[int],
    AfterValidator(_four),
    Field(json_schema_extra={"minItems": 4, "maxItems": 4}),
]
MetricValue: TypeAlias = float | Counts | dict[str, float | Counts]


class WrittenMetricShape(Shape):
    """A metric that is written out."""

    model_config = ConfigDict(
        title="WrittenMetric",
        json_schema_extra=require_one("globalKey", "dataRowId"),
    )

    global_key: Annotated[Name | None, GIVEN] = Field(
        None, description="The global key of its data row.", examples=["digits-0001"]
    )
    data_row_id: Annotated[Name | None, GIVEN] = Field(
        None,
        description="The id of its data row.",
        examples=["cm0abcdefghijklmnopqrstuv"],
    )
    name: Name = Field(description="What it is called.", examples=["iou_custom"])
    value: MetricValue = Field(
        description="A number; [true positives, false positives, true negatives, "
        "false negatives]; or either by confidence, from 0 to 1.",
        examples=[0.5, [3, 0, 1, 2], {"0.5": 0.9, "0.75": 0.4}],
    )
    feature: Annotated[Name | None, GIVEN] = Field(
        None, description="The feature that it is about.", examples=["cat"]
    )
    subclass: Annotated[Name | None, GIVEN] = Field(
        None, description="An answer within the feature.", examples=["orange"]
    )
    aggregation: Annotated[Name | None, GIVEN] = Field(
        None,
        description="How values of several data rows come together, as the API spells "
        "it; the arithmetic mean unless given, and for counts CONFUSION_MATRIX.",
        examples=["SUM"],
    )

    @model_validator(mode="after")
    def _one_row(self) -> "WrittenMetricShape":
        exactly_one(self, "global_key", "data_row_id")
        return self


def _which(value: Any) -> str:
    """Tell files from written metrics, so that only one of the two objects."""
    is_written = isinstance(value, dict) and "file" not in value
    return "a written metric" if is_written else "a file of metrics"


MetricShape: TypeAlias = Annotated[
    Annotated[MetricFileShape, Tag("a file of metrics")]
    | Annotated[WrittenMetricShape, Tag("a written metric")],
    Discriminator(_which),
]

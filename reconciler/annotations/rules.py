"""What an import may hold: limits, and choices that the API leaves open."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

RESERVED: Final = frozenset(
    {
        "true_positive_count",
        "false_positive_count",
        "true_negative_count",
        "false_negative_count",
        "precision",
        "recall",
        "f1",
        "iou",
    }
)
"""Names that no scalar metric may have, because they are computed.

The SDK refuses them lower-cased and stripped; it takes them for confusion
matrices, and for the custom metrics of a prediction.
"""


class Purpose(StrEnum):
    """What annotations are imported as.

    Only predictions have metrics. Labels and pre-labels ignore confidences and
    custom metrics, and only they hold the raster masks of a video.
    """

    PREDICTION = "prediction"
    LABEL = "label"
    PRELABEL = "pre-label"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The limits of an import, and how its open questions are answered.

    Attributes:
        scalar_range: The least and the greatest scalar metric; from the SDK's
            source, which doesn't enforce it.
        count_range: The same for each count of a confusion matrix; enforced by
            the SDK.
        confidence_points: How few and how many confidences a metric may be
            keyed by; enforced by the SDK.
        metrics_per_row: How many metrics a data row may have; from a notebook of
            Labelbox.
        metrics_counted: What is counted there: names, or each name again for
            every feature and subclass that it is given for. Nothing tells.
        annotations_per_feature: How many annotations of one feature an import
            may bring for a data row; enforced by the SDK.
        require_uuid: Whether every annotation needs a uuid. The SDK sends objects
            and texts of videos without one, and metrics.
        mask_metrics: Whether raster masks may have custom metrics: the
            documentation says no, the SDK sends them.
        unknown_metric_features: Whether a metric may name a feature or subclass
            that the ontology doesn't have: the SDK doesn't look.
        reserved_names: Names that no scalar metric may have, in lower case.
    """

    scalar_range: tuple[float, float] = (0, 100_000_000)
    count_range: tuple[int, int] = (0, 10_000_000_000)
    confidence_points: tuple[int, int] = (2, 15)
    metrics_per_row: int = 20
    metrics_counted: Literal["names", "identities"] = "names"
    annotations_per_feature: int = 5000
    require_uuid: bool = False
    mask_metrics: bool = True
    unknown_metric_features: bool = False
    reserved_names: frozenset[str] = RESERVED


STRICT: Final = Rules(
    scalar_range=(0, 100_000),
    metrics_counted="identities",
    require_uuid=True,
    mask_metrics=False,
)
"""The harshest reading of every open question.

The range is that of Labelbox's notebook on custom metrics.
"""

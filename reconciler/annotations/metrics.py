"""Metric rows: numbers, or counts of a confusion matrix, given to a data row."""

from collections.abc import Mapping
from typing import Final

import msgspec

from reconciler.annotations.checked import Aggregation, MetricKey
from reconciler.annotations.features import Features
from reconciler.annotations.problems import Problem, hint, show
from reconciler.annotations.rows import Counts, MetricValue, Row
from reconciler.annotations.rules import Rules

_AGGREGATIONS: Final = {str(one): one for one in Aggregation}
_SCALARS: Final = ", ".join(
    one for one in Aggregation if one is not Aggregation.CONFUSION_MATRIX
)
_read_number = msgspec.json.Decoder(float).decode

METRIC_FIELDS: Final = frozenset({"metricName", "metricValue"})
"""The fields that make a row a metric."""


def is_metric(row: Row) -> bool:
    """Tell whether a row is a metric, and no annotation."""
    return row.metric_value is not None or row.metric_name is not None


def key_of(row: Row) -> MetricKey:
    """Say what a metric is of."""
    return MetricKey(row.metric_name, row.feature_name, row.subclass_name)


def aggregation_of(row: Row) -> Aggregation | None:
    """Read the aggregation, the arithmetic mean where there is none.

    None when it is no aggregation.
    """
    if row.aggregation is None:
        return Aggregation.ARITHMETIC_MEAN
    return _AGGREGATIONS.get(row.aggregation)


def check_metric(
    row: Row, features: Features, rules: Rules, found: list[Problem]
) -> None:
    """Check what a metric is of, and that its values fit its aggregation."""
    aggregation = aggregation_of(row)
    if aggregation is None:
        message = (
            f"aggregation is {show(row.aggregation)}; "
            f"it must be one of {', '.join(_AGGREGATIONS)}"
        )
        found.append(Problem("InvalidMetric", message, "aggregation"))
    _check_name(row.metric_name, aggregation, rules, found)
    _check_feature(row, features, rules, found)
    if row.metric_value is None:
        message = "metricValue is missing"
        found.append(Problem("MissingField", message, "metricValue"))
    else:
        _check_value(row.metric_value, aggregation, rules, found)


def _check_name(
    name: str | None,
    aggregation: Aggregation | None,
    rules: Rules,
    found: list[Problem],
) -> None:
    if name == "":
        # A metric without a name is kept as one of this name.
        message = "metricName is empty; leave it out, or give the metric a name"
        found.append(Problem("InvalidMetric", message, "metricName"))
    elif aggregation is Aggregation.CONFUSION_MATRIX:
        if name is None:
            message = "metricName is missing: a confusion matrix needs one"
            found.append(Problem("MissingField", message, "metricName"))
    elif name is not None and name.strip().lower() in rules.reserved_names:
        message = (
            f"metricName {show(name)} is the name of a metric that is computed; "
            "choose another"
        )
        found.append(Problem("ReservedName", message, "metricName"))


def _check_feature(
    row: Row, features: Features, rules: Rules, found: list[Problem]
) -> None:
    feature, subclass = row.feature_name, row.subclass_name
    if feature is None:
        if subclass is not None:
            message = "featureName is missing: a subclass is one of a feature"
            found.append(Problem("MissingField", message, "featureName"))
        return
    if rules.unknown_metric_features:
        return
    meant = features.top.find(feature, None)
    if not meant:
        near = hint(feature, features.top.names)
        message = f"the ontology has no feature {show(feature)}{near}"
        found.append(Problem("UnknownFeature", message, "featureName"))
    elif subclass is not None and not any(subclass in one.below for one in meant):
        near = hint(subclass, sorted(frozenset[str]().union(*(m.below for m in meant))))
        message = (
            f"{show(feature)} has no classification or option {show(subclass)}{near}"
        )
        found.append(Problem("UnknownSubclass", message, "subclassName"))


def _check_value(
    value: MetricValue,
    aggregation: Aggregation | None,
    rules: Rules,
    found: list[Problem],
) -> None:
    path = "metricValue"
    if not isinstance(value, dict):
        _check_one(value, path, aggregation, rules, found)
        return
    _check_confidences(value, rules, found)
    for key, one in value.items():
        _check_one(one, f"{path}[{show(key)}]", aggregation, rules, found)


def _check_one(
    value: float | Counts,
    path: str,
    aggregation: Aggregation | None,
    rules: Rules,
    found: list[Problem],
) -> None:
    are_counts = isinstance(value, tuple)
    if are_counts and aggregation not in {Aggregation.CONFUSION_MATRIX, None}:
        message = f"{path} has four counts; they need the aggregation CONFUSION_MATRIX"
        found.append(Problem("InvalidMetric", message, path))
    elif not are_counts and aggregation is Aggregation.CONFUSION_MATRIX:
        message = (
            f"{path} is a number; a confusion matrix has four counts, and a number "
            f"one of the aggregations {_SCALARS}"
        )
        found.append(Problem("InvalidMetric", message, path))
    numbers = value if isinstance(value, tuple) else (value,)
    least, most = rules.count_range if are_counts else rules.scalar_range
    for number in numbers:
        if not least <= number <= most:
            message = f"{path} holds {number}; it must be from {least} to {most}"
            found.append(Problem("OutOfRange", message, path))


def _check_confidences(
    values: Mapping[str, object], rules: Rules, found: list[Problem]
) -> None:
    path = "metricValue"
    fewest, most = rules.confidence_points
    if not fewest <= len(values) <= most:
        message = f"{path} takes {fewest} to {most} confidences; it has {len(values)}"
        found.append(Problem("InvalidMetric", message, path))
    seen: dict[float, str] = {}
    for key in values:
        here = f"{path}[{show(key)}]"
        try:
            confidence = _read_number(key)
        except ValueError:
            confidence = -1.0
        if not 0 <= confidence <= 1:
            message = f"{here} is no confidence; it must be a number from 0 to 1"
            found.append(Problem("InvalidMetric", message, here))
        elif (same := seen.setdefault(confidence, key)) != key:
            message = f"{here} repeats the confidence {show(same)}"
            found.append(Problem("InvalidMetric", message, here))

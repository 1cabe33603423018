"""The lines of one import together: limits per data row, and relationships."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

from reconciler.annotations.checked import (
    Annotation,
    Checked,
    Metric,
    MetricKey,
    Refused,
)
from reconciler.annotations.problems import Problem, show
from reconciler.annotations.rows import RowName
from reconciler.annotations.rules import Rules

RowKey = TypeVar("RowKey", bound=Hashable)


def refuse_together(
    checked: Sequence[Checked],
    rules: Rules,
    *,
    row_of: Callable[[RowName], RowKey],
    known_uuids: Mapping[RowKey, Collection[str]],
    known_metrics: Mapping[RowKey, Collection[MetricKey]],
) -> list[Checked]:
    """Refuse what is right on its own, but not beside the other lines.

    That are annotations of a feature beyond the limit for a data row, metrics
    beyond the limit for a data row, and relationships with an end that is
    neither in the import nor in the data row. The first lines stay. A metric that
    replaces one, in the data row or of an earlier line, is no further metric.
    Lines with a repeated uuid stay as well: the later is to replace the earlier.

    Args:
        checked: The lines in the order of the file.
        rules: The limits.
        row_of: Says which data row a name means; ids and keys of one must agree.
        known_uuids: Annotations that are already in the data rows; canonical.
        known_metrics: The same of metrics.

    Returns:
        The lines in the same order, refusals in place of some.
    """
    counted = _refuse_metrics(checked, rules, row_of, known_metrics)
    limited = _refuse_annotations(counted, rules, row_of)
    return _refuse_relationships(limited, row_of, known_uuids)


def _refuse_metrics(
    checked: Iterable[Checked],
    rules: Rules,
    row_of: Callable[[RowName], RowKey],
    known: Mapping[RowKey, Collection[MetricKey]],
) -> list[Checked]:
    by_name = rules.metrics_counted == "names"

    def counted(key: MetricKey) -> MetricKey | str | None:
        return key.name if by_name else key

    there: dict[RowKey, set[MetricKey | str | None]] = {}
    done: list[Checked] = []
    for one in checked:
        if not isinstance(one, Metric):
            done.append(one)
            continue
        row = row_of(one.row)
        if row not in there:
            there[row] = {counted(key) for key in known.get(row, ())}
        metrics, metric = there[row], counted(one.key)
        if metric not in metrics and len(metrics) >= rules.metrics_per_row:
            message = (
                f"a data row takes {rules.metrics_per_row} metrics; "
                "this would be one more"
            )
            done.append(_refuse(one, Problem("TooManyMetrics", message, "metricName")))
        else:
            metrics.add(metric)
            done.append(one)
    return done


def _refuse_annotations(
    checked: Iterable[Checked], rules: Rules, row_of: Callable[[RowName], RowKey]
) -> list[Checked]:
    counts: Counter[tuple[RowKey, object]] = Counter()
    done: list[Checked] = []
    for one in checked:
        if isinstance(one, Annotation) and one.feature:
            like = (row_of(one.row), one.feature)
            counts[like] += 1
            if counts[like] > rules.annotations_per_feature:
                message = (
                    f"the import has more than {rules.annotations_per_feature} "
                    f"annotations of {show(one.feature.name)} for this data row"
                )
                done.append(_refuse(one, Problem("TooManyAnnotations", message)))
                continue
        done.append(one)
    return done


def _refuse_relationships(
    checked: list[Checked],
    row_of: Callable[[RowName], RowKey],
    known: Mapping[RowKey, Collection[str]],
) -> list[Checked]:
    related = {
        row_of(one.row) for one in checked if isinstance(one, Annotation) and one.ends
    }
    if not related:
        return checked
    here: defaultdict[RowKey, set[str]] = defaultdict(set)
    for one in checked:
        if isinstance(one, Annotation) and one.uuid and one.ends is None:
            row = row_of(one.row)
            if row in related:
                here[row].add(one.uuid)
    return [_with_ends(one, row_of, here, known) for one in checked]


def _with_ends(
    one: Checked,
    row_of: Callable[[RowName], RowKey],
    here: Mapping[RowKey, Collection[str]],
    known: Mapping[RowKey, Collection[str]],
) -> Checked:
    if not isinstance(one, Annotation) or one.ends is None:
        return one
    row = row_of(one.row)
    missing = [
        Problem(
            "UnknownAnnotation",
            f"relationship.{end} is {uuid}; neither this import nor the data row has "
            "such an annotation",
            f"relationship.{end}",
        )
        for end, uuid in (("source", one.ends.source), ("target", one.ends.target))
        if uuid is not None
        and uuid not in here.get(row, ())
        and uuid not in known.get(row, ())
    ]
    return _refuse(one, *missing) if missing else one


def _refuse(one: Annotation | Metric, *problems: Problem) -> Refused:
    return Refused(one.uuid, one.row, problems)

"""Clauses become conditions on data rows, and on their place in a run."""

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Float,
    Text,
    and_,
    case,
    cast,
    func,
    literal,
    select,
)

from reconciler.server import clauses
from reconciler.server.clauses import Clause, Order
from reconciler.server.store.bulk import as_list, given
from reconciler.server.store.membership import SPLITS
from reconciler.server.store.tables import (
    data_rows,
    datasets,
    labels,
    metrics,
    predictions,
    run_rows,
)

_COMPARE: Final[Mapping[Order, Callable[[Any, Any], Any]]] = {
    "is": operator.eq,
    "is_not": operator.ne,
    "less_than": operator.lt,
    "less_than_or_equal": operator.le,
    "greater_than": operator.gt,
    "greater_than_or_equal": operator.ge,
}


def matching(
    wanted: Iterable[Clause],
    *,
    in_run: bool,
    features: Callable[[str], Sequence[str]] = lambda _: (),
) -> ColumnElement[bool]:
    """Make the condition that all clauses hold.

    Args:
        wanted: The clauses.
        in_run: Whether the query selects from `run_rows` as well as from
            `data_rows`.
        features: Gives the schema ids of a feature by its name.
    """
    conditions = [_condition(one, features, in_run=in_run) for one in wanted]
    return and_(literal(value=True), *conditions)


def _condition(
    clause: Clause, features: Callable[[str], Sequence[str]], *, in_run: bool
) -> ColumnElement[bool]:
    match clause:
        case clauses.Dataset(ids=ids):
            chosen = select(datasets.c.pk).where(datasets.c.id.in_(_names(ids)))
            return data_rows.c.dataset_pk.in_(chosen)
        case clauses.DataRowId(ids=ids):
            return data_rows.c.id.in_(_names(ids))
        case clauses.GlobalKey(ids=keys):
            return data_rows.c.global_key.in_(_names(keys))
        case clauses.Metadata():
            return _metadata(clause)
        case clauses.DataSplit(values=values):
            return run_rows.c.split.in_([SPLITS.index(one) for one in values])
        case clauses.Label(exists=exists):
            found = run_rows.c.label_id.is_not(None) if in_run else _labelled()
            return found if exists else ~found
        case clauses.Prediction(exists=exists, feature=feature):
            found = _predicted(feature, features)
            return found if exists else ~found
        case clauses.Metric():
            return _measured(clause)


def _names(ids: Sequence[str]) -> Any:
    return given(as_list(ids)[0])


def _metadata(clause: clauses.Metadata) -> ColumnElement[bool]:
    field = func.json_each(data_rows.c.metadata_fields).table_valued("value")
    found = func.json_extract(field.c.value, "$.value")
    number = isinstance(clause.value, float)
    compared: Any = cast(found, Float if number else Text)
    query = (
        select(1)
        .select_from(field)
        .where(
            func.json_extract(field.c.value, "$.name") == clause.name,
            _COMPARE[clause.operator](compared, clause.value),
        )
    )
    if number:
        # Text compares as no number at all.
        query = query.where(func.typeof(found).in_(["integer", "real"]))
    return query.exists()


def _labelled() -> ColumnElement[bool]:
    return (
        select(1).where(labels.c.row_pk == data_rows.c.pk).correlate(data_rows).exists()
    )


def _predicted(
    feature: str | None, features: Callable[[str], Sequence[str]]
) -> ColumnElement[bool]:
    query = select(1).where(
        predictions.c.run_pk == run_rows.c.run_pk,
        predictions.c.row_pk == run_rows.c.row_pk,
    )
    if feature is not None:
        body = predictions.c.body
        # A line names its feature, or the feature's schema, in either spelling.
        schema_id = func.coalesce(
            func.json_extract(body, "$.schemaId"),
            func.json_extract(body, "$.schema_id"),
        )
        query = query.where(
            (func.json_extract(body, "$.name") == feature)
            | schema_id.in_(features(feature))
        )
    return query.correlate(run_rows).exists()


def _measured(clause: clauses.Metric) -> ColumnElement[bool]:
    value = metrics.c.value
    # Only scalars compare; lists of counts and values by confidence don't.
    scalar = case(
        (func.json_type(value).in_(["integer", "real"]), cast(value, Float)),
        else_=None,
    )
    return (
        select(1)
        .where(
            metrics.c.run_pk == run_rows.c.run_pk,
            metrics.c.row_pk == run_rows.c.row_pk,
            metrics.c.name == clause.name,
            metrics.c.feature == clause.feature,
            metrics.c.subclass == clause.subclass,
            _COMPARE[clause.operator](scalar, clause.value),
        )
        .correlate(run_rows)
        .exists()
    )

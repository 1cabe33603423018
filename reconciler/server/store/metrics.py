"""Metrics of data rows in runs."""

from collections.abc import Collection, Hashable, Iterable, Mapping

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, delete, select

from reconciler.annotations.checked import Metric, MetricKey
from reconciler.server.store.bulk import as_numbers, given, put_all
from reconciler.server.store.tables import metrics


def put_metrics(
    db: Connection, run_pk: int, found: Iterable[tuple[int, Metric]]
) -> None:
    """Keep metrics in place of those of the same thing in the same row.

    Args:
        db: The transaction.
        run_pk: The run's number.
        found: Numbers of data rows, and their metrics.
    """
    put_all(
        db,
        metrics,
        (
            (
                run_pk,
                row_pk,
                one.key.name or "",
                one.key.feature or "",
                one.key.subclass or "",
                one.aggregation.value,
                msgspec.json.encode(one.value).decode(),
            )
            for row_pk, one in found
        ),
    )


def known_metrics(
    db: Connection, run_pk: int, row_pks: Collection[int]
) -> Mapping[Hashable, Collection[MetricKey]]:
    """Find what these data rows have metrics of."""
    rows = given(as_numbers(row_pks))
    query = select(
        metrics.c.row_pk, metrics.c.name, metrics.c.feature, metrics.c.subclass
    ).where(metrics.c.run_pk == run_pk, metrics.c.row_pk.in_(rows))
    found: dict[Hashable, set[MetricKey]] = {}
    for row_pk, *key in db.execute(query):
        found.setdefault(row_pk, set()).add(MetricKey(*(part or None for part in key)))
    return found


def forget_metrics(
    db: Connection, run_pk: int, rows: Select[tuple[int]] | ColumnElement[int]
) -> None:
    """Delete the metrics of data rows in a run.

    Args:
        db: The transaction.
        run_pk: The run's number.
        rows: Selects the numbers of the data rows.
    """
    db.execute(
        delete(metrics).where(metrics.c.run_pk == run_pk, metrics.c.row_pk.in_(rows))
    )

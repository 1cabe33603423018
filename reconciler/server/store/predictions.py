"""Predictions in runs: lines of imports, known by data row and uuid."""

from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping

from sqlalchemy import ColumnElement, Connection, Select, delete, select

from reconciler.server.store.bulk import as_numbers, given, put_all
from reconciler.server.store.tables import data_rows, predictions
from reconciler.server.store.targets import uuids_of


def put_predictions(
    db: Connection, run_pk: int, rows: Iterable[tuple[int, str, str]]
) -> None:
    """Keep predictions in place of those with the same uuid on the same row.

    Args:
        db: The transaction.
        run_pk: The run's number.
        rows: Number of the data row, canonical uuid, the line; best in this order.
    """
    put_all(db, predictions, ((run_pk, *row) for row in rows))


def known_uuids(
    db: Connection, run_pk: int, row_pks: Collection[int]
) -> Mapping[Hashable, Collection[str]]:
    """Find the uuids of what these data rows have."""
    return uuids_of(db, predictions, run_pk, row_pks)


def read_predictions(
    db: Connection, run_pk: int, row_pks: Collection[int]
) -> Iterator[tuple[str, str, str]]:
    """Read the predictions of data rows: the row's id, uuid and line of each."""
    query = (
        select(data_rows.c.id, predictions.c.uuid, predictions.c.body)
        .join(data_rows, predictions.c.row_pk == data_rows.c.pk)
        .where(
            predictions.c.run_pk == run_pk,
            predictions.c.row_pk.in_(given(as_numbers(row_pks))),
        )
    )
    for row in db.execute(query):
        yield row.id, row.uuid, row.body


def forget_predictions(
    db: Connection, run_pk: int, rows: Select[tuple[int]] | ColumnElement[int]
) -> None:
    """Delete the predictions of data rows in a run.

    Args:
        db: The transaction.
        run_pk: The run's number.
        rows: Selects the numbers of the data rows.
    """
    db.execute(
        delete(predictions).where(
            predictions.c.run_pk == run_pk, predictions.c.row_pk.in_(rows)
        )
    )

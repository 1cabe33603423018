"""Data rows leave the store, and with them their places in runs."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Select, delete

from reconciler.server.store.tables import data_rows, run_rows


def delete_selected(
    db: Connection, doomed: Select[Any], parameters: Mapping[str, Any]
) -> None:
    """Delete the data rows whose numbers a query selects, with their memberships.

    Args:
        db: The transaction.
        doomed: Selects `data_rows.pk`.
        parameters: What the query is bound to.
    """
    db.execute(delete(run_rows).where(run_rows.c.row_pk.in_(doomed)), parameters)
    db.execute(delete(data_rows).where(data_rows.c.pk.in_(doomed)), parameters)

"""Annotations that labellers find prepared in a project."""

from collections.abc import Collection, Hashable, Iterable, Mapping

from sqlalchemy import Connection

from reconciler.server.store.bulk import put_all
from reconciler.server.store.tables import prelabels
from reconciler.server.store.targets import uuids_of


def put_prelabels(
    db: Connection, project_pk: int, rows: Iterable[tuple[int, str, str]]
) -> None:
    """Keep pre-labels in place of those with the same uuid on the same row.

    Args:
        db: The transaction.
        project_pk: The project's number.
        rows: Number of the data row, canonical uuid, the line; best in this order.
    """
    put_all(db, prelabels, ((project_pk, *row) for row in rows))


def known_uuids(
    db: Connection, project_pk: int, row_pks: Collection[int]
) -> Mapping[Hashable, Collection[str]]:
    """Find the uuids of what is prepared for these data rows."""
    return uuids_of(db, prelabels, project_pk, row_pks)

"""Datasets in the store."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Select, func, insert, select, update

from reconciler.server.errors import not_found
from reconciler.server.shapes import Cut, Shape
from reconciler.server.store.database import Store
from reconciler.server.store.deletion import delete_selected
from reconciler.server.store.names import check_name
from reconciler.server.store.organization import ORGANIZATION_VIEW, USER_VIEW
from reconciler.server.store.tables import (
    data_rows,
    datasets,
    organizations,
    users,
)
from reconciler.server.store.views import View, compile_view
from reconciler.server.store.where import condition, page

VIEW: View = {
    "id": datasets.c.id,
    "name": datasets.c.name,
    "description": datasets.c.description,
    "rowCount": select(func.count())
    .where(data_rows.c.dataset_pk == datasets.c.pk)
    .correlate(datasets)
    .scalar_subquery(),
    "createdBy": USER_VIEW,
    "organization": ORGANIZATION_VIEW,
    "createdAt": datasets.c.created_at,
    "updatedAt": datasets.c.updated_at,
}
_COLUMNS = {
    "id": datasets.c.id,
    "name": datasets.c.name,
    "description": datasets.c.description,
    "deleted": datasets.c.deleted,
    "createdAt": datasets.c.created_at,
    "updatedAt": datasets.c.updated_at,
}


def joined(query: Select[Any], shape: Shape) -> Select[Any]:
    """Join to datasets what the selected fields of a dataset need."""
    if shape.has("createdBy"):
        query = query.join(users, users.c.pk > 0)
    if shape.has("organization"):
        query = query.join(organizations, organizations.c.pk > 0)
    return query


def list_datasets(
    db: Connection,
    shape: Shape,
    where: Mapping[str, Any] | None,
    *,
    skip: int | None,
    first: int | None,
) -> Cut:
    """List datasets, the newest first; deleted ones too unless filtered out."""
    columns, project = compile_view(VIEW, shape)
    query = (
        joined(select(*columns, datasets.c.pk).select_from(datasets), shape)
        .where(condition(where, _COLUMNS))
        .order_by(datasets.c.pk.desc())
    )
    rows = db.execute(page(query, skip=skip, first=first))
    return Cut(project.page(rows.all()))


def read_dataset(
    db: Connection, shape: Shape, identifier: str, *, deleted: bool = False
) -> Cut:
    """Read a dataset, deleted or not as asked for.

    Raises:
        ApiError: When there is none.
    """
    columns, project = compile_view(VIEW, shape)
    row = db.execute(
        joined(select(*columns, datasets.c.pk).select_from(datasets), shape).where(
            datasets.c.id == identifier, datasets.c.deleted.is_(deleted)
        )
    ).first()
    if row is None:
        raise not_found("Dataset", identifier)
    return Cut(project(row))


def create_dataset(db: Connection, store: Store, name: str, description: str) -> str:
    """Create a dataset and answer its id.

    Raises:
        ApiError: When its name is empty.
    """
    check_name("a dataset", name)
    identifier, now = next(store.ids()), store.now()
    db.execute(
        insert(datasets).values(
            id=identifier,
            name=name,
            description=description,
            deleted=False,
            created_at=now,
            updated_at=now,
        )
    )
    return identifier


def update_dataset(
    db: Connection, store: Store, identifier: str, changes: Mapping[str, Any]
) -> None:
    """Change a dataset; deleting it deletes its rows and frees their keys.

    Raises:
        ApiError: When there is none, or its new name is empty.
    """
    if "name" in changes:
        check_name("a dataset", changes["name"])
    found = db.execute(
        update(datasets)
        .where(datasets.c.id == identifier, datasets.c.deleted.is_(False))
        .values(updated_at=store.now(), **changes)
        .returning(datasets.c.pk)
    ).scalar()
    if found is None:
        raise not_found("Dataset", identifier)
    if changes.get("deleted"):
        doomed = select(data_rows.c.pk).where(data_rows.c.dataset_pk == found)
        delete_selected(db, doomed, {})

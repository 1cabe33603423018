"""How the labels of a project are read: one by one, and page by page."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, select

from reconciler.server.errors import not_found
from reconciler.server.files import Urls
from reconciler.server.shapes import Selected, Shape
from reconciler.server.store import data_rows as row_store
from reconciler.server.store.bulk import as_list, listed
from reconciler.server.store.naming import as_ids
from reconciler.server.store.organization import USER_VIEW
from reconciler.server.store.tables import (
    data_rows,
    datasets,
    label_contents,
    labels,
    users,
)
from reconciler.server.store.views import Made, View, compile_view
from reconciler.server.store.where import page

_COLUMNS: Final = {
    "id": labels.c.id,
    "isBenchmarkReference": labels.c.benchmark,
    "createdAt": labels.c.created_at,
    "updatedAt": labels.c.updated_at,
}


def view(db: Connection, urls: Urls) -> View:
    """Say how the fields of a label are read, but for its project."""

    def row(selected: Selected, row_pk: int) -> dict[str, Any]:
        assert selected.shape is not None
        columns, project = compile_view(row_store.view(db, urls), selected.shape)
        query = select(*columns, data_rows.c.pk).select_from(data_rows)
        found = row_store.joined(query, selected.shape)
        return project(db.execute(found.where(data_rows.c.pk == row_pk)).one())

    return {
        "id": labels.c.id,
        "label": label_contents.c.annotations,
        "agreement": Made((), lambda: None),
        "benchmarkAgreement": Made((), lambda: None),
        "secondsToLabel": Made((), lambda: 0.0),
        "isBenchmarkReference": labels.c.benchmark,
        "createdAt": labels.c.created_at,
        "updatedAt": labels.c.updated_at,
        "createdBy": USER_VIEW,
        "dataRow": Made((labels.c.row_pk,), row, shaped=True),
        "reviews": Made((), list),
    }


def list_labels(
    db: Connection,
    fields: View,
    shape: Shape,
    project_pk: int,
    arguments: Mapping[str, Any],
    *conditions: ColumnElement[bool],
) -> list[dict[str, Any]]:
    """List labels of a project.

    Args:
        db: The transaction.
        fields: How the fields of a label are read.
        shape: What is selected.
        project_pk: The project.
        arguments: `where`, `orderBy`, `skip` and `first` of the API.
        conditions: What else must hold.
    """
    columns, project = compile_view(fields, shape)
    # The order of the index, so that a page needs no sorting.
    ranks: list[ColumnElement[Any]] = [labels.c.row_pk, labels.c.pk]
    if order := arguments.get("orderBy"):
        name, _, direction = order.rpartition("_")
        column = _COLUMNS[name]
        ranks.insert(0, column.asc() if direction == "ASC" else column.desc())
    query = (
        _joined(select(*columns, labels.c.pk), shape)
        .where(labels.c.project_pk == project_pk, *conditions)
        .order_by(*ranks)
    )
    where = arguments.get("where") or {}
    parameters: dict[str, Any] = {}
    if author := where.get("createdBy"):
        query = query.where(labels.c.created_by == author["id"])
    asked = ((where.get("dataRow") or {}).get("dataset") or {}).get("id_in")
    if asked is not None:
        names = listed("names")
        parameters["names"] = as_list(as_ids(asked))[0]
        query = (
            query.join(data_rows, labels.c.row_pk == data_rows.c.pk)
            .join(datasets, data_rows.c.dataset_pk == datasets.c.pk)
            .where(datasets.c.id.in_(select(names.c.value)))
        )
    cut_out = page(query, skip=arguments.get("skip"), first=arguments.get("first"))
    return [project(row) for row in db.execute(cut_out, parameters)]


def read_label(
    db: Connection,
    fields: View,
    shape: Shape,
    identifier: str,
    *conditions: ColumnElement[bool],
) -> dict[str, Any]:
    """Read a label for which all conditions hold.

    Raises:
        ApiError: When there is none.
    """
    columns, project = compile_view(fields, shape)
    query = _joined(select(*columns, labels.c.pk), shape)
    row = db.execute(query.where(labels.c.id == identifier, *conditions)).first()
    if row is None:
        raise not_found("Label", identifier)
    return project(row)


def _joined(query: Select[Any], shape: Shape) -> Select[Any]:
    query = query.select_from(labels)
    if shape.has("label"):
        query = query.join(label_contents, labels.c.content_pk == label_contents.c.pk)
    if shape.has("createdBy"):
        query = query.join(users, users.c.id == labels.c.created_by)
    return query

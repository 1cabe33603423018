"""How the labels of a project are read: one by one, and page by page."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, select

from reconciler.server.errors import not_found
from reconciler.server.files import Urls
from reconciler.server.lines import without_marks
from reconciler.server.shapes import Selected, Shape
from reconciler.server.store import data_rows as row_store
from reconciler.server.store.bulk import as_list, listed
from reconciler.server.store.organization import USER_VIEW
from reconciler.server.store.tables import (
    data_rows,
    datasets,
    label_contents,
    labels,
    users,
)
from reconciler.server.store.views import Gathered, Made, View, compile_view
from reconciler.server.store.where import page

_COLUMNS: Final = {
    "id": labels.c.id,
    "isBenchmarkReference": labels.c.benchmark,
    "createdAt": labels.c.created_at,
    "updatedAt": labels.c.updated_at,
}


def view(db: Connection, urls: Urls) -> View:
    """Say how the fields of a label are read, but for its project."""

    def rows(selected: Selected, row_pks: Sequence[int]) -> dict[int, dict[str, Any]]:
        assert selected.shape is not None
        return row_store.read_rows(db, urls, selected.shape, row_pks)

    return {
        "id": labels.c.id,
        "label": Made((label_contents.c.annotations,), without_marks),
        "agreement": Made((), lambda: None),
        "benchmarkAgreement": Made((), lambda: None),
        "secondsToLabel": Made((), lambda: 0.0),
        "isBenchmarkReference": labels.c.benchmark,
        "createdAt": labels.c.created_at,
        "updatedAt": labels.c.updated_at,
        "createdBy": USER_VIEW,
        "dataRow": Gathered(labels.c.row_pk, rows),
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
        parameters["names"] = as_list(asked)[0]
        query = (
            query.join(data_rows, labels.c.row_pk == data_rows.c.pk)
            .join(datasets, data_rows.c.dataset_pk == datasets.c.pk)
            .where(datasets.c.id.in_(select(names.c.value)))
        )
    cut_out = page(query, skip=arguments.get("skip"), first=arguments.get("first"))
    return project.page(db.execute(cut_out, parameters).all())


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


def read_labels(
    db: Connection, fields: View, shape: Shape, identifiers: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """Read some labels, by the label's id."""
    columns, project = compile_view(fields, shape)
    names = listed("names")
    query = _joined(select(*columns, labels.c.id), shape).where(
        labels.c.id.in_(select(names.c.value))
    )
    rows = db.execute(query, {"names": as_list(identifiers)[0]}).all()
    ids = [row[-1] for row in rows]
    return dict(zip(ids, project.page(rows), strict=True))


def _joined(query: Select[Any], shape: Shape) -> Select[Any]:
    query = query.select_from(labels)
    if shape.has("label"):
        query = query.join(label_contents, labels.c.content_pk == label_contents.c.pk)
    if shape.has("createdBy"):
        query = query.join(users, users.c.id == labels.c.created_by)
    return query

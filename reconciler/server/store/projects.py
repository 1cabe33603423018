"""Projects in the store."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    delete,
    func,
    insert,
    select,
    update,
)

from reconciler.server.errors import bad_input, not_found
from reconciler.server.files import Urls
from reconciler.server.shapes import Cut, Shape
from reconciler.server.store.contents import forget_unused
from reconciler.server.store.database import Store
from reconciler.server.store.names import check_name
from reconciler.server.store.project_views import view
from reconciler.server.store.queues import create_queues
from reconciler.server.store.tables import (
    annotation_imports,
    batches,
    labels,
    ontologies,
    prelabels,
    project_rows,
    projects,
    task_queues,
)
from reconciler.server.store.views import compile_view
from reconciler.server.store.where import condition, page

UNTYPED: Final = (None, "UNKNOWN")
"""Media types of ontologies that fit every project."""

_COLUMNS: Final = {
    "id": projects.c.id,
    "name": projects.c.name,
    "description": projects.c.description,
    "deleted": projects.c.deleted,
    "allowedMediaType": projects.c.media_type,
    "isBenchmarkEnabled": projects.c.benchmark,
    "isConsensusEnabled": projects.c.consensus,
    "createdAt": projects.c.created_at,
    "updatedAt": projects.c.updated_at,
}


def list_projects(
    db: Connection,
    urls: Urls,
    shape: Shape,
    where: Mapping[str, Any] | None,
    *,
    order: str | None,
    skip: int | None,
    first: int | None,
) -> Cut:
    """List projects, the newest first unless ordered otherwise.

    Deleted ones are among them unless they are filtered out.
    """
    columns, project = compile_view(view(db, urls), shape)
    ranks: list[ColumnElement[Any]] = [projects.c.pk.desc()]
    if order is not None:
        name, _, direction = order.rpartition("_")
        column = _COLUMNS[name]
        ranks.insert(0, column.asc() if direction == "ASC" else column.desc())
    query = (
        select(*columns, projects.c.pk)
        .select_from(projects)
        .where(condition(where, _COLUMNS))
        .order_by(*ranks)
    )
    rows = db.execute(page(query, skip=skip, first=first)).all()
    return Cut(project.page(rows))


def read_project(
    db: Connection, urls: Urls, shape: Shape, identifier: str, *, deleted: bool = False
) -> Cut:
    """Read a project, deleted or not as asked for.

    Raises:
        ApiError: When there is none.
    """
    columns, project = compile_view(view(db, urls), shape)
    query = (
        select(*columns, projects.c.pk)
        .select_from(projects)
        .where(projects.c.id == identifier, projects.c.deleted.is_(deleted))
    )
    row = db.execute(query).first()
    if row is None:
        raise not_found("Project", identifier)
    return Cut(project(row))


def project_number(db: Connection, identifier: str) -> int:
    """Find the number of a project that isn't deleted.

    Raises:
        ApiError: When there is none.
    """
    query = select(projects.c.pk).where(
        projects.c.id == identifier, projects.c.deleted.is_(False)
    )
    found = db.execute(query).scalar()
    if found is None:
        raise not_found("Project", identifier)
    return int(found)


def create_project(db: Connection, store: Store, data: Mapping[str, Any]) -> str:
    """Create a project with its queues, and answer its id.

    Raises:
        ApiError: When its name is empty.
    """
    given = {name: value for name, value in data.items() if value is not None}
    check_name("a project", given["name"])
    identifier, now = next(store.ids()), store.now()
    number = db.execute(
        insert(projects)
        .values(
            id=identifier,
            name=given["name"],
            description=given.get("description", ""),
            media_type=given.get("allowedMediaType"),
            editor_task_type=given.get("editorTaskType"),
            audit_percentage=given.get("autoAuditPercentage", 1.0),
            audit_labels=given.get("autoAuditNumberOfLabels", 1),
            benchmark=given.get("isBenchmarkEnabled", True),
            consensus=given.get("isConsensusEnabled", False),
            deleted=False,
            created_at=now,
            updated_at=now,
        )
        .returning(projects.c.pk)
    ).scalar_one()
    create_queues(db, store, number)
    return identifier


def update_project(
    db: Connection, store: Store, identifier: str, changes: Mapping[str, Any]
) -> None:
    """Change a project; deleting it deletes what is in it.

    Raises:
        ApiError: When there is none, or its new name is empty.
    """
    if "name" in changes:
        check_name("a project", changes["name"])
    number = project_number(db, identifier)
    db.execute(
        update(projects)
        .where(projects.c.pk == number)
        .values(updated_at=store.now(), **changes)
    )
    if changes.get("deleted"):
        _empty(db, number)


def connect_ontology(
    db: Connection, store: Store, identifier: str, ontology: str
) -> None:
    """Have a project label by an ontology.

    Raises:
        ApiError: When either doesn't exist, or they are about different media.
    """
    number = project_number(db, identifier)
    found = db.execute(
        select(ontologies.c.pk, ontologies.c.media_type).where(
            ontologies.c.id == ontology
        )
    ).first()
    if found is None:
        raise not_found("Ontology", ontology)
    ontology_pk, media_type = found
    query = select(projects.c.media_type).where(projects.c.pk == number)
    wanted = db.execute(query).scalar()
    if media_type not in UNTYPED and wanted not in UNTYPED and media_type != wanted:
        raise bad_input(
            f"the project is about {wanted} and the ontology about {media_type};"
            " connect an ontology of the project's media type, or of none"
        )
    now = store.now()
    db.execute(
        update(projects)
        .where(projects.c.pk == number)
        .values(
            ontology_pk=ontology_pk,
            setup_at=func.coalesce(projects.c.setup_at, now),
            updated_at=now,
        )
    )


def _empty(db: Connection, pk: int) -> None:
    query = select(labels.c.content_pk).where(labels.c.project_pk == pk)
    contents = db.execute(query).scalars().all()
    inside = (labels, prelabels, project_rows, batches, task_queues, annotation_imports)
    for table in inside:
        db.execute(delete(table).where(table.c.project_pk == pk))
    forget_unused(db, contents)

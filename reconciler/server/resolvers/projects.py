"""Projects, and the ontology and editor they are labelled with."""

from collections.abc import Mapping
from typing import Any, Final

from reconciler.server.errors import not_found
from reconciler.server.execution import Info, Resolvers, shape_of
from reconciler.server.request import request_of
from reconciler.server.shapes import Cut
from reconciler.server.store import projects as store
from reconciler.server.store.project_views import EDITOR
from reconciler.server.store.where import position


def project(_: object, info: Info, *, where: Mapping[str, str]) -> Cut:
    request = request_of(info)
    with request.store.read() as db:
        return store.read_project(db, request.urls, shape_of(info), where["id"])


def projects(
    _: object,
    info: Info,
    *,
    where: Mapping[str, Any] | None = None,
    order_by: str | None = None,
    skip: int | None = None,
    first: int | None = None,
) -> Cut:
    request = request_of(info)
    with request.store.read() as db:
        return store.list_projects(
            db,
            request.urls,
            shape_of(info),
            where,
            order=order_by,
            skip=skip,
            first=first,
        )


def create_project(_: object, info: Info, *, data: Mapping[str, Any]) -> Cut:
    request = request_of(info)
    with request.store.write() as db:
        identifier = store.create_project(db, request.store, data)
        return store.read_project(db, request.urls, shape_of(info), identifier)


def update_project(
    _: object,
    info: Info,
    *,
    where: Mapping[str, str],
    data: Mapping[str, Any],
) -> Cut:
    request = request_of(info)
    changes = {name: value for name, value in data.items() if value is not None}
    if editor := changes.pop("labelingFrontend", None):
        _check_editor(editor)
    with request.store.write() as db:
        store.update_project(db, request.store, where["id"], changes)
        return store.read_project(
            db,
            request.urls,
            shape_of(info),
            where["id"],
            deleted=bool(changes.get("deleted")),
        )


def enter(_: object, info: Info, *, where: Mapping[str, str]) -> dict[str, str]:
    """Find the project that the fields below change."""
    with request_of(info).store.read() as db:
        store.project_number(db, where["id"])
    return {"id": where["id"]}


def connect_ontology(source: Mapping[str, str], info: Info, *, ontology_id: str) -> Cut:
    request = request_of(info)
    with request.store.write() as db:
        store.connect_ontology(db, request.store, source["id"], ontology_id)
        return store.read_project(db, request.urls, shape_of(info), source["id"])


def labeling_frontends(
    _: object,
    _info: Info,
    *,
    where: Mapping[str, Any] | None = None,
    skip: int | None = None,
    first: int | None = None,
) -> list[dict[str, str]]:
    found = [EDITOR] if _matches(where or {}) else []
    start = position(skip)
    return found[start:] if first is None else found[start : start + first]


def set_up_editor(_: object, info: Info, *, data: Mapping[str, Any]) -> dict[str, str]:
    _check_editor(data["labelingFrontend"])
    identifier = data["project"]["connect"]["id"]
    options = data["customizationOptions"]
    # Nobody can ask for it again, so it is only checked and answered.
    with request_of(info).store.read() as db:
        store.project_number(db, identifier)
    return {"id": identifier, "customizationOptions": options}


def _matches(where: Mapping[str, Any]) -> bool:
    known = {**EDITOR, "deleted": False}
    wanted = {name: value for name, value in where.items() if name != "AND"}
    return all(
        value is None or known[name] == value for name, value in wanted.items()
    ) and all(map(_matches, where.get("AND") or ()))


def _check_editor(asked: Mapping[str, Any]) -> None:
    identifier = asked["connect"]["id"]
    if identifier != EDITOR["id"]:
        raise not_found("LabelingFrontend", identifier)


RESOLVERS: Final[Resolvers] = {
    ("Query", "project"): project,
    ("Query", "projects"): projects,
    ("Query", "labelingFrontends"): labeling_frontends,
    ("Mutation", "createProject"): create_project,
    ("Mutation", "updateProject"): update_project,
    ("Mutation", "createLabelingFrontendOptions"): set_up_editor,
    ("Mutation", "project"): enter,
    ("ProjectChanges", "connectOntology"): connect_ontology,
}

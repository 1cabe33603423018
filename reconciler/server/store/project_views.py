"""How projects are read, with what is in them."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, func, select

from reconciler.server.files import Urls
from reconciler.server.shapes import Selected, cut
from reconciler.server.store import label_views
from reconciler.server.store import ontologies as ontology_store
from reconciler.server.store.batches import page_of_batches
from reconciler.server.store.label_views import list_labels
from reconciler.server.store.organization import USER_VIEW, read_organization
from reconciler.server.store.queues import count_states, read_queues
from reconciler.server.store.tables import (
    labels,
    ontologies,
    project_rows,
    projects,
    users,
)
from reconciler.server.store.views import Gathered, Made, View, compile_view

EDITOR: Final = {
    "id": "ceditor000000000000000000",
    "name": "Editor",
    "description": "The editor of all media types",
    "iframeUrlPath": "editor",
}
"""The one annotation editor; every project has it from the start."""


def view(db: Connection, urls: Urls) -> View:
    """Say how the fields of a project are read."""
    return {
        "id": projects.c.id,
        "name": projects.c.name,
        "description": projects.c.description,
        "allowedMediaType": projects.c.media_type,
        "editorTaskType": projects.c.editor_task_type,
        "uploadType": Made((), lambda: None),
        "autoAuditNumberOfLabels": projects.c.audit_labels,
        "autoAuditPercentage": projects.c.audit_percentage,
        "isBenchmarkEnabled": projects.c.benchmark,
        "isConsensusEnabled": projects.c.consensus,
        "dataRowCount": _rows(),
        "labelCount": select(func.count())
        .where(labels.c.project_pk == projects.c.pk)
        .correlate(projects)
        .scalar_subquery(),
        "completedDataRowCount": _rows(project_rows.c.queue_pk.is_(None)),
        "setupComplete": projects.c.setup_at,
        "modelSetupComplete": Made((), lambda: None),
        "lastActivityTime": projects.c.last_activity_at,
        "createdAt": projects.c.created_at,
        "updatedAt": projects.c.updated_at,
        "createdBy": Made((), partial(_user, db), shaped=True),
        "organization": Made((), partial(_organization, db), shaped=True),
        "ontology": Made(
            (projects.c.ontology_pk,), partial(_ontology, db), shaped=True
        ),
        "labelingFrontend": Made((), _editor, shaped=True),
        "taskQueues": Made((projects.c.pk,), partial(read_queues, db), shaped=True),
        "batches": Made((projects.c.pk,), partial(page_of_batches, db), shaped=True),
        "labels": Made((projects.c.pk,), partial(_labels, db, urls), shaped=True),
        "benchmarks": Made(
            (projects.c.pk,), partial(_benchmarks, db, urls), shaped=True
        ),
        "workstreamStateCounts": Made(
            (projects.c.pk,), partial(_states, db), shaped=True
        ),
        "issues": Made((), _issues, shaped=True),
    }


def label_view(db: Connection, urls: Urls) -> View:
    """Say how the fields of a label are read, its project among them."""

    def owners(selected: Selected, pks: Sequence[int]) -> dict[int, dict[str, Any]]:
        return {pk: _at(db, urls, selected, pk) for pk in pks}

    return {
        **label_views.view(db, urls),
        "project": Gathered(labels.c.project_pk, owners),
    }


def benchmark_view(db: Connection, urls: Urls) -> View:
    """Say how a label is read as what others are compared with."""

    def references(
        selected: Selected, identifiers: Sequence[str]
    ) -> dict[str, dict[str, Any]]:
        assert selected.shape is not None
        fields = label_view(db, urls)
        return label_views.read_labels(db, fields, selected.shape, identifiers)

    return {
        "id": labels.c.id,
        "averageAgreement": Made((), lambda: None),
        "completedCount": Made((), lambda: 0),
        "lastActivity": labels.c.updated_at,
        "createdAt": labels.c.created_at,
        "createdBy": USER_VIEW,
        "referenceLabel": Gathered(labels.c.id, references),
    }


def _rows(*conditions: ColumnElement[bool]) -> ColumnElement[int]:
    return (
        select(func.count())
        .select_from(project_rows)
        .where(project_rows.c.project_pk == projects.c.pk, *conditions)
        .correlate(projects)
        .scalar_subquery()
    )


def _at(db: Connection, urls: Urls, selected: Selected, pk: int) -> dict[str, Any]:
    assert selected.shape is not None
    columns, project = compile_view(view(db, urls), selected.shape)
    query = select(*columns, projects.c.pk).select_from(projects)
    return project(db.execute(query.where(projects.c.pk == pk)).one())


def _user(db: Connection, selected: Selected) -> dict[str, Any]:
    assert selected.shape is not None
    columns, project = compile_view(USER_VIEW, selected.shape)
    return project(db.execute(select(*columns, users.c.pk)).one())


def _organization(db: Connection, selected: Selected) -> Any:
    assert selected.shape is not None
    return cut(read_organization(db), selected.shape)


def _ontology(
    db: Connection, selected: Selected, pk: int | None
) -> dict[str, Any] | None:
    if pk is None:
        return None
    assert selected.shape is not None
    columns, project = compile_view(ontology_store.VIEW, selected.shape)
    query = select(*columns, ontologies.c.pk).where(ontologies.c.pk == pk)
    return project(db.execute(query).one())


def _editor(selected: Selected) -> Any:
    assert selected.shape is not None
    return cut(EDITOR, selected.shape)


def _issues(selected: Selected) -> Any:
    assert selected.shape is not None
    return cut({"totalCount": 0}, selected.shape)


def _states(db: Connection, selected: Selected, pk: int) -> Any:
    assert selected.shape is not None
    batch_ids = selected.args.get("batchIds")
    return cut(count_states(db, pk, batch_ids), selected.shape)


def _labels(
    db: Connection, urls: Urls, selected: Selected, pk: int
) -> list[dict[str, Any]]:
    assert selected.shape is not None
    fields = label_view(db, urls)
    return list_labels(db, fields, selected.shape, pk, selected.args)


def _benchmarks(
    db: Connection, urls: Urls, selected: Selected, pk: int
) -> list[dict[str, Any]]:
    assert selected.shape is not None
    fields = benchmark_view(db, urls)
    return list_labels(
        db, fields, selected.shape, pk, selected.args, labels.c.benchmark
    )

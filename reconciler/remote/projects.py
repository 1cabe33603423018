"""What a labelling project needs before labels can be imported: ontology and rows."""

from collections.abc import Sequence
from typing import Final

from reconciler.api import documents
from reconciler.plan.steps import BatchRows, ConnectOntology
from reconciler.ports import Incomplete, InDoubt, NotFound, RemoteError, Stale
from reconciler.remote.batches import SMALLEST, batched
from reconciler.remote.creating import CONFLICT, look_again
from reconciler.remote.errors import Refused
from reconciler.remote.finding import project_ontology
from reconciler.remote.payloads import Anything
from reconciler.remote.project_payloads import (
    BatchesData,
    EditorsData,
    ProjectEditorData,
)
from reconciler.remote.session import Session
from reconciler.remote.uploads import wait_until_processed
from reconciler.state.address import RemoteId
from reconciler.state.resources import GlobalKey

_PAGE: Final = 100
_PRIORITY: Final = 5
_EDITOR: Final = "Editor"
_NO_OPTIONS: Final = '{"tools": [], "classifications": []}'


def connect_ontology(
    session: Session, step: ConnectOntology, project: RemoteId, ontology: RemoteId
) -> None:
    """Give a project its ontology; one that it has already is done.

    A project without an editor gets the usual one first, as the SDK does it.

    Raises:
        Stale: When the project has got another ontology.
    """
    found = project_ontology(session, project)
    if found == ontology:
        return
    if found is not None:
        raise Stale(
            f"{step.address} has got the ontology {found} since the plan was made, and "
            f"should have {ontology}",
            operation=documents.CONNECT_ONTOLOGY.root,
        )
    _set_up_editor(session, project)
    session.client.execute(
        documents.CONNECT_ONTOLOGY, Anything, projectId=project, ontologyId=ontology
    )


def batch_rows(session: Session, step: BatchRows, project: RemoteId) -> None:
    """Bring data rows into a project, and wait until they can be labelled.

    Rows that are in the project already stay where they are. A batch of the name
    is one that was made of these rows before.

    Raises:
        InDoubt: When it can't be told whether the batch was created.
    """
    wait_until_processed(session, [GlobalKey(row) for row in step.rows])
    _batch(session, step, project, step.name, step.rows)


def _batch(
    session: Session,
    step: BatchRows,
    project: RemoteId,
    name: str,
    rows: Sequence[str],
) -> None:
    """Create a batch unless there is one of the name; in parts if it is too large."""
    known = session.kept.batches.get(project)
    if known is None:
        known = _batches(session, project)
        session.kept.batches[project] = known
    if name in known:
        return
    try:
        _create_batch(session, project, name, rows)
    except InDoubt as doubt:

        def look() -> list[str]:
            return [one for one in _batches(session, project) if one == name]

        look_again(session, f"batch {name!r} of {step.address}", look, doubt)
    except Refused as refusal:
        if refusal.about_size and len(rows) > SMALLEST:
            parts = batched(rows, max(SMALLEST, (len(rows) + 1) // 2))
            for number, part in enumerate(parts, start=1):
                _batch(session, step, project, f"{name}/{number}", part)
        # Somebody else was quicker, with the very same rows.
        elif refusal.code != CONFLICT or name not in _batches(session, project):
            raise
    known.add(name)


def _create_batch(
    session: Session, project: RemoteId, name: str, rows: Sequence[str]
) -> None:
    session.client.execute(
        documents.CREATE_BATCH,
        Anything,
        projectId=project,
        batchInput={
            "name": name,
            "dataRowIds": [],
            "globalKeys": rows,
            "priority": _PRIORITY,
            "consensusSettings": None,
        },
    )


def _batches(session: Session, project: RemoteId) -> set[str]:
    """List the names of a project's batches."""
    names: set[str] = set()
    cursor: str | None = None
    while True:
        found = session.client.execute(
            documents.BATCHES,
            BatchesData,
            projectId=project,
            from_=cursor,
            first=_PAGE,
        ).project
        if found is None:
            raise NotFound(
                f"there is no project {project}", operation=documents.BATCHES.root
            )
        names.update(node.name for node in found.batches.nodes)
        coming = found.batches.page_info.end_cursor
        if not coming or not found.batches.nodes:
            return names
        if coming == cursor:
            raise Incomplete(
                "the same page comes again and again", operation=documents.BATCHES.root
            )
        cursor = coming


def _set_up_editor(session: Session, project: RemoteId) -> None:
    found = session.client.execute(
        documents.PROJECT_EDITOR, ProjectEditorData, id=project
    ).project
    if found is None:
        raise NotFound(
            f"there is no project {project}", operation=documents.PROJECT_EDITOR.root
        )
    if found.labeling_frontend is not None:
        return
    editors = session.client.execute(
        documents.EDITORS, EditorsData, name=_EDITOR, deleted=False
    ).labeling_frontends
    if not editors:
        raise RemoteError(
            f"there is no editor called {_EDITOR!r} to label with",
            operation=documents.EDITORS.root,
        )
    editor = editors[0].id
    session.client.execute(
        documents.CONNECT_EDITOR,
        Anything,
        projectId=project,
        labelingFrontendId=editor,
    )
    session.client.execute(
        documents.SET_UP_EDITOR,
        Anything,
        project=project,
        labelingFrontend=editor,
        customizationOptions=_NO_OPTIONS,
    )

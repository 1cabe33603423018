"""Objects by their exact name, or by their id.

Names are compared here once more, code point by code point: some searches of
the API match parts of names, and it doesn't say which.
"""

import itertools
from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

from reconciler.api import documents
from reconciler.api.documents import PAGE, Document, page
from reconciler.ports import Incomplete, NotFound
from reconciler.remote.payloads import (
    DatasetData,
    DatasetNode,
    DatasetsData,
    ModelData,
    ModelNode,
    ModelsData,
    NamedRunNode,
    NamedRunsData,
    OntologiesData,
    OntologyData,
    OntologyNode,
    RunNode,
    RunsData,
)
from reconciler.remote.project_payloads import (
    LabelImportsData,
    ListedImport,
    ProjectData,
    ProjectNode,
    ProjectOntologyData,
    ProjectsData,
)
from reconciler.remote.session import Session
from reconciler.state.address import RemoteId


class Named(Protocol):
    """An object that has a name, which isn't unique, and an id, which is."""

    @property
    def id(self) -> str:
        """What it is."""

    @property
    def name(self) -> str:
        """What it is called."""


T = TypeVar("T")
N = TypeVar("N", bound=Named)


def ontologies_named(session: Session, name: str) -> list[OntologyNode]:
    """Find the ontologies of a name."""
    found: dict[str, OntologyNode] = {}
    cursor: str | None = None
    while True:
        listed = session.client.execute(
            documents.ONTOLOGIES,
            OntologiesData,
            search=name,
            filter={"status": "ALL"},
            from_=cursor,
            first=PAGE,
        ).ontologies
        known = len(found)
        found |= {node.id: node for node in listed.nodes}
        cursor = listed.next_cursor
        if not cursor or not listed.nodes:
            return _exactly(name, found.values())
        _moved(known < len(found), "ontologies")


def datasets_named(session: Session, name: str) -> list[DatasetNode]:
    """Find the datasets of a name that aren't deleted."""

    def read(document: Document) -> list[DatasetNode]:
        return session.client.execute(
            document, DatasetsData, name=name, deleted=False
        ).datasets

    return _exactly(name, _numbered(documents.DATASETS, read))


def projects_named(session: Session, name: str) -> list[ProjectNode]:
    """Find the projects of a name that aren't deleted."""

    def read(document: Document) -> list[ProjectNode]:
        return session.client.execute(
            document, ProjectsData, name=name, deleted=False
        ).projects

    return _exactly(name, _numbered(documents.PROJECTS, read))


def models_named(session: Session, name: str) -> list[ModelNode]:
    """Find the models of a name."""

    def read(document: Document) -> list[ModelNode]:
        return session.client.execute(document, ModelsData, name=name).models

    return _exactly(name, _numbered(documents.MODELS, read))


def runs_of(session: Session, model: str) -> list[RunNode]:
    """List the runs of a model with their configs.

    Raises:
        NotFound: When there is no such model.
    """

    def read(document: Document) -> list[RunNode]:
        found = session.client.execute(document, RunsData, id=model).model
        if found is None:
            raise NotFound(f"there is no model {model}", operation=document.root)
        return found.model_runs

    return _numbered(documents.MODEL_RUNS, read)


def runs_named(session: Session, model: str, name: str) -> list[NamedRunNode]:
    """Find the runs of a model that have a name.

    Raises:
        NotFound: When there is no such model.
    """

    def read(document: Document) -> list[NamedRunNode]:
        found = session.client.execute(
            document, NamedRunsData, id=model, name=name
        ).model
        if found is None:
            raise NotFound(f"there is no model {model}", operation=document.root)
        return found.model_runs

    return _exactly(name, _numbered(documents.MODEL_RUNS_NAMED, read))


def ontology_by_id(session: Session, ontology: str) -> OntologyNode | None:
    """Read an ontology; None when there is none of that id."""
    return or_none(
        lambda: (
            session.client.execute(
                documents.ONTOLOGY, OntologyData, id=ontology
            ).ontology
        )
    )


def dataset_by_id(session: Session, dataset: str) -> DatasetNode | None:
    """Read a dataset; None when there is none of that id."""
    return or_none(
        lambda: (
            session.client.execute(documents.DATASET, DatasetData, id=dataset).dataset
        )
    )


def project_by_id(session: Session, project: str) -> ProjectNode | None:
    """Read a project; None when there is none of that id."""
    return or_none(
        lambda: (
            session.client.execute(documents.PROJECT, ProjectData, id=project).project
        )
    )


def project_ontology(session: Session, project: str) -> RemoteId | None:
    """Read the id of a project's ontology; None when none is connected.

    Raises:
        NotFound: When there is no such project.
    """
    found = session.client.execute(
        documents.PROJECT_ONTOLOGY, ProjectOntologyData, id=project
    ).project
    if found is None:
        raise NotFound(
            f"there is no project {project}", operation=documents.PROJECT_ONTOLOGY.root
        )
    return RemoteId(found.ontology.id) if found.ontology else None


def label_imports(session: Session, project: str) -> list[ListedImport]:
    """List the imports of labels into a project."""

    def read(document: Document) -> list[ListedImport]:
        return session.client.execute(
            document, LabelImportsData, projectId=project
        ).label_imports

    return _numbered(documents.LABEL_IMPORTS, read)


def model_by_id(session: Session, model: str) -> ModelNode | None:
    """Read a model; None when there is none of that id."""
    return or_none(
        lambda: session.client.execute(documents.MODEL, ModelData, id=model).model
    )


def or_none(read: Callable[[], T | None]) -> T | None:
    """Read what may not be there."""
    try:
        return read()
    except NotFound:
        return None


def _numbered(document: Document, read: Callable[[Document], list[N]]) -> list[N]:
    found: dict[str, N] = {}
    for number in itertools.count():
        items = read(page(document, number))
        known = len(found)
        found |= {item.id: item for item in items}
        if len(items) < PAGE:
            break
        _moved(known < len(found), document.root)
    return list(found.values())


def _moved(forward: bool, operation: str) -> None:  # noqa: FBT001  # named by its callers
    if not forward:
        raise Incomplete("the same page comes again and again", operation=operation)


def _exactly(name: str, found: Iterable[N]) -> list[N]:
    return sorted((node for node in found if node.name == name), key=lambda n: n.id)

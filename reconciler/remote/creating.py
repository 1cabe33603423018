"""Objects that come to be once, however often they are asked for.

A create is: look, create, and on any doubt wait and look again. It is never
simply repeated, for the API lets several objects have one name.
"""

import colorsys
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

import msgspec

from reconciler.api import documents
from reconciler.plan.steps import (
    CreateDataset,
    CreateModel,
    CreateOntology,
    CreateProject,
    CreateRun,
)
from reconciler.ports import InDoubt, RemoteError, Stale
from reconciler.remote.changing import read_config
from reconciler.remote.errors import Refused
from reconciler.remote.finding import (
    datasets_named,
    models_named,
    ontologies_named,
    projects_named,
    runs_named,
)
from reconciler.remote.payloads import (
    CreateDatasetData,
    CreateModelData,
    CreateProjectData,
    CreateRunData,
    UpsertOntologyData,
)
from reconciler.remote.rows import has_rows
from reconciler.remote.session import Session
from reconciler.state.address import Address, RemoteId, model_address
from reconciler.state.canonical import JsonObject

T = TypeVar("T")

CONFLICT: Final = "RESOURCE_CONFLICT"
"""What a remote that keeps names unique calls it when a name is taken."""

LOOK_AGAIN: Final = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds between the looks for an object that may have been created."""

_ONE_LABEL_A_ROW: Final = {
    "autoAuditPercentage": 1,
    "autoAuditNumberOfLabels": 1,
    "isBenchmarkEnabled": True,
    "isConsensusEnabled": False,
}
"""How the SDK creates projects that compare labels with a benchmark only."""


def create_ontology(session: Session, step: CreateOntology) -> RemoteId:
    """Create an ontology, or find the one that has appeared."""
    name = step.address.name
    normalized = msgspec.json.encode(_coloured(step.schema)).decode()
    return create_once(
        session,
        str(step.address),
        look=lambda: [node.id for node in ontologies_named(session, name)],
        make=lambda: (
            session.client.execute(
                documents.CREATE_ONTOLOGY,
                UpsertOntologyData,
                data={
                    "name": name,
                    "normalized": normalized,
                    "mediaType": step.media_type,
                },
            ).upsert_ontology.id
        ),
    )


def create_dataset(session: Session, step: CreateDataset) -> RemoteId:
    """Create a dataset, or find the one that has appeared."""
    name = step.address.name

    def make() -> str:
        if step.description is None:
            found = session.client.execute(
                documents.CREATE_DATASET, CreateDatasetData, name=name
            )
        else:
            found = session.client.execute(
                documents.CREATE_DESCRIBED_DATASET,
                CreateDatasetData,
                name=name,
                description=step.description,
            )
        return found.create_dataset.id

    return create_once(
        session,
        str(step.address),
        look=lambda: [node.id for node in datasets_named(session, name)],
        make=make,
    )


def create_project(session: Session, step: CreateProject) -> RemoteId:
    """Create a labelling project, or find the one that has appeared.

    Raises:
        RemoteError: When the one that has appeared is for other media.
    """
    name = step.address.name

    def look() -> list[str]:
        found = projects_named(session, name)
        for node in found:
            if node.allowed_media_type not in (None, step.media_type):
                raise RemoteError(
                    f"{step.address} has appeared for {node.allowed_media_type}, and "
                    f"should be for {step.media_type}",
                    operation=documents.CREATE_PROJECT.root,
                )
        return [node.id for node in found]

    return create_once(
        session,
        str(step.address),
        look=look,
        make=lambda: (
            session.client.execute(
                documents.CREATE_PROJECT,
                CreateProjectData,
                name=name,
                allowedMediaType=step.media_type,
                **_ONE_LABEL_A_ROW,
            ).create_project.id
        ),
    )


def create_model(
    session: Session, step: CreateModel, ids: Mapping[Address, RemoteId]
) -> RemoteId:
    """Create a model on an ontology, or find the one that has appeared.

    Raises:
        RemoteError: When the one that has appeared is on another ontology.
    """
    name, ontology = step.address.name, ids[step.ontology]

    def look() -> list[str]:
        found = models_named(session, name)
        for node in found:
            if node.ontology_id not in (None, ontology):
                raise RemoteError(
                    f"{step.address} has appeared with the ontology "
                    f"{node.ontology_id}, and should have {ontology}",
                    operation=documents.CREATE_MODEL.root,
                )
        return [node.id for node in found]

    return create_once(
        session,
        str(step.address),
        look=look,
        make=lambda: (
            session.client.execute(
                documents.CREATE_MODEL, CreateModelData, name=name, ontologyId=ontology
            ).create_model.id
        ),
    )


def create_run(
    session: Session, step: CreateRun, ids: Mapping[Address, RemoteId]
) -> RemoteId:
    """Create an empty run of a model, or find an empty one that has appeared.

    The config is set later: the answer to a create is known to spell its keys
    differently from what is stored.

    Raises:
        Stale: When the one that has appeared holds something. The steps after
            this one would overwrite it, and no plan has shown that.
    """
    model_name, name = step.address.path
    model = ids[model_address(model_name)]
    return create_once(
        session,
        str(step.address),
        look=lambda: [node.id for node in runs_named(session, model, name)],
        make=lambda: (
            session.client.execute(
                documents.CREATE_RUN,
                CreateRunData,
                name=name,
                config=None,
                modelId=model,
            ).create_model_run.id
        ),
        accept=lambda run: _only_empty(session, step.address, run),
    )


def _only_empty(session: Session, address: Address, run: RemoteId) -> None:
    if read_config(session, run) or has_rows(session, run):
        raise Stale(
            f"{address} has appeared since the plan was made, and is not empty",
            hint="plan again, and look at what it holds",
        )


def create_once(
    session: Session,
    what: str,
    *,
    look: Callable[[], list[str]],
    make: Callable[[], str],
    accept: Callable[[RemoteId], None] = lambda _: None,
) -> RemoteId:
    """Find an object or make it.

    Args:
        session: The connection.
        what: What to call it.
        look: Lists the ids of those that have its name.
        make: Creates one.
        accept: Raises when one that somebody else has made can't be taken.

    Raises:
        InDoubt: When it may have been created, and can't be found.
    """
    if found := _only(what, look()):
        accept(found)
        return found
    try:
        return RemoteId(make())
    except InDoubt as doubt:
        return _the_only(what, look_again(session, what, look, doubt))
    except Refused as refusal:
        # Somebody else was quicker, on a remote that keeps names unique.
        if refusal.code == CONFLICT and (found := _only(what, look())):
            accept(found)
            return found
        raise


def look_again(
    session: Session, what: str, look: Callable[[], list[T]], doubt: InDoubt
) -> list[T]:
    """Look for what may have been created, until it is there.

    Raises:
        InDoubt: When it never is.
    """
    for pause in LOOK_AGAIN:
        session.client.timing.sleep(pause)
        try:
            found = look()
        except RemoteError:
            continue  # the doubt is what has to be told, not this
        if found:
            return found
    raise InDoubt(
        f"{doubt.reason}; {what} may have been created, and could not be found "
        f"when looked for {len(LOOK_AGAIN)} times",
        operation=doubt.operation,
        request_id=doubt.request_id,
        hint="apply again: it is looked for before it is created",
    ) from doubt


def _only(what: str, ids: list[str]) -> RemoteId | None:
    return _the_only(what, ids) if ids else None


def _the_only(what: str, ids: list[str]) -> RemoteId:
    if len(ids) > 1:
        raise RemoteError(
            f"{len(ids)} objects of the name of {what} have appeared: {', '.join(ids)}",
            hint="add `id:` with the one that is meant",
        )
    return RemoteId(ids[0])


def _coloured(schema: JsonObject) -> JsonObject:
    """Give every tool a colour of its own, as the editor needs it."""
    tools = schema.get("tools")
    if not isinstance(tools, list):
        return schema
    painted = [
        {**tool, "color": _colour(n / len(tools))}
        for n, tool in enumerate(tools)
        if isinstance(tool, dict)
    ]
    return {**schema, "tools": [*painted]}


def _colour(hue: float) -> str:
    return "#" + "".join(
        f"{int(part * 255):02x}" for part in colorsys.hsv_to_rgb(hue, 1, 1)
    )

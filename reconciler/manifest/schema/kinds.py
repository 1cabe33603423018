"""All kinds of documents, and what editors are told of them."""

from typing import Annotated, Any, Final, TypeAlias

from pydantic import Field, TypeAdapter

from reconciler.manifest.schema.dataset import DatasetManifest
from reconciler.manifest.schema.ontology import OntologyManifest
from reconciler.manifest.schema.project import ProjectManifest
from reconciler.manifest.schema.rows import DataRowsManifest
from reconciler.manifest.schema.runs import (
    ModelManifest,
    ModelRunManifest,
    RunConfigManifest,
)
from reconciler.manifest.schema.shape import API_VERSION
from reconciler.manifest.schema.workspace import WorkspaceManifest

AnyManifest: TypeAlias = (
    WorkspaceManifest
    | OntologyManifest
    | DatasetManifest
    | ProjectManifest
    | ModelManifest
    | RunConfigManifest
    | DataRowsManifest
    | ModelRunManifest
)

KINDS: Final[dict[str, type[AnyManifest]]] = {
    "Workspace": WorkspaceManifest,
    "Ontology": OntologyManifest,
    "Dataset": DatasetManifest,
    "Project": ProjectManifest,
    "Model": ModelManifest,
    "RunConfig": RunConfigManifest,
    "DataRows": DataRowsManifest,
    "ModelRun": ModelRunManifest,
}


def json_schema() -> dict[str, Any]:
    """Describe all kinds for editors, as JSON Schema (draft 2020-12)."""
    adapter: TypeAdapter[AnyManifest] = TypeAdapter(
        Annotated[AnyManifest, Field(discriminator="kind")]
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Manifests of {API_VERSION}",
        **_tidied(adapter.json_schema()),
    }


def _tidied(value: Any) -> Any:
    """Leave out what pydantic adds for itself: null defaults, titles of fields."""
    if isinstance(value, list):
        return list(map(_tidied, value))
    if not isinstance(value, dict):
        return value
    is_field = isinstance(value.get("description"), str) and "properties" not in value
    return {
        key: _tidied(item)
        for key, item in value.items()
        if not (key == "default" and item is None) and not (key == "title" and is_field)
    }

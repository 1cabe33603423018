"""Answers about projects, imports of annotations, and how far training is."""

import msgspec

from reconciler.remote.payloads import Identified, Wire
from reconciler.remote.row_payloads import EndCursor
from reconciler.state.snapshot import JobState

# Projects


class ProjectNode(Wire, frozen=True):
    """A labelling project."""

    id: str
    name: str
    allowed_media_type: str | None


class ProjectsData(Wire, frozen=True):
    """Answer to `PROJECTS`."""

    projects: list[ProjectNode]


class ProjectData(Wire, frozen=True):
    """Answer to `PROJECT`."""

    project: ProjectNode | None


class ProjectOntology(Wire, frozen=True):
    """The ontology of a project; null until one is connected."""

    ontology: Identified | None


class ProjectOntologyData(Wire, frozen=True):
    """Answer to `PROJECT_ONTOLOGY`."""

    project: ProjectOntology | None


class ProjectEditor(Wire, frozen=True):
    """The editor of a project; null until one is connected."""

    labeling_frontend: Identified | None


class ProjectEditorData(Wire, frozen=True):
    """Answer to `PROJECT_EDITOR`."""

    project: ProjectEditor | None


class EditorsData(Wire, frozen=True):
    """Answer to `EDITORS`."""

    labeling_frontends: list[Identified]


class BatchNode(Wire, frozen=True):
    """A batch of a project."""

    name: str


class BatchPage(Wire, frozen=True):
    """A page of the batches of a project."""

    nodes: list[BatchNode]
    page_info: EndCursor


class ProjectBatches(Wire, frozen=True):
    """The batches of a project."""

    batches: BatchPage


class BatchesData(Wire, frozen=True):
    """Answer to `BATCHES`."""

    project: ProjectBatches | None


# Imports


class ImportNode(Wire, frozen=True):
    """An import, and the files that say what came of its lines."""

    id: str
    state: JobState
    status_file_url: str | None
    error_file_url: str | None


class ListedImport(Wire, frozen=True):
    """An import in the list of its project."""

    id: str
    name: str
    state: JobState


class LabelImportsData(Wire, frozen=True):
    """Answer to `LABEL_IMPORTS`."""

    label_imports: list[ListedImport]


class ImportReason(Wire, frozen=True):
    """Why an import failed."""

    error_message: str | None


class StatusProblem(msgspec.Struct, frozen=True):
    """Why a line was refused."""

    name: str | None = None
    message: str | None = None


class StatusRow(msgspec.Struct, frozen=True, rename="camel"):
    """The data row that a line was about."""

    id: str | None = None
    global_key: str | None = None


class LineStatus(msgspec.Struct, frozen=True, rename="camel"):
    """What came of a line of an import."""

    status: str
    uuid: str | None = None
    data_row: StatusRow | None = None
    errors: list[StatusProblem] | None = None


# Runs


class PipelineNode(Wire, frozen=True):
    """How far the training of a run is; all null until somebody says."""

    status: str | None
    error_message: str | None
    metadata: dict[str, object] | None


class PipelineData(Wire, frozen=True):
    """Answer to `RUN_STATUS`."""

    training_pipeline: PipelineNode | None

"""The GraphQL documents that we send, as data: one constant an operation.

Selections are as narrow as their readers. Page numbers of the older lists are
literals, for that is how the API is known to take them.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

PAGE: Final = 100
"""How many items the lists that are paged by number hold on a page."""


class RequestClass(StrEnum):
    """What it means to send a request twice."""

    READ = "read"
    """Nothing changes."""

    IDEMPOTENT = "idempotent"
    """The second time changes nothing."""

    EXPORT_START = "export-start"
    """A job that only reads is started once more; a mutation by name only."""

    UPLOAD = "upload"
    """A file that nothing refers to is left behind."""

    CREATE = "create"
    """A second object of the same name appears: never sent twice in doubt."""


@dataclass(frozen=True, slots=True)
class Document:
    """One operation.

    Attributes:
        kind: `query` or `mutation`.
        name: What the operation calls itself.
        root: The field that it asks for; how errors speak of it.
        body: Variables and selection.
        request: What repeating it means.
        experimental: Whether it is sent to the path of what may still change.
    """

    kind: str
    name: str
    root: str
    body: str
    request: RequestClass
    experimental: bool = False

    @property
    def text(self) -> str:
        """The document as it is sent."""
        return f"{self.kind} {self.name}{self.body}"

    @property
    def changes(self) -> bool:
        """Whether the remote is another one after it."""
        return self.kind == "mutation" and self.request is not (
            RequestClass.EXPORT_START
        )


def page(document: Document, number: int) -> Document:
    """Ask for another page of a list that is paged by number, from 0."""
    return replace(
        document, body=document.body.replace("skip: 0", f"skip: {number * PAGE}")
    )


def _query(name: str, root: str, body: str, *, experimental: bool = False) -> Document:
    return Document("query", name, root, body, RequestClass.READ, experimental)


def _mutation(
    name: str,
    root: str,
    body: str,
    request: RequestClass,
    *,
    experimental: bool = False,
) -> Document:
    return Document("mutation", name, root, body, request, experimental)


# Who we are

ORGANIZATION: Final = _query(
    "GetOrganization", "organization", " { organization { id name } }"
)
USER: Final = _query("GetUser", "user", " { user { id } }")

# Objects by name and by id

ONTOLOGIES: Final = _query(
    "GetOntologies",
    "ontologies",
    """($search: String, $filter: OntologyFilter, $from: String, $first: PageSize) {
  ontologies(where: { filter: $filter, search: $search }, after: $from, first: $first) {
    nodes { id name mediaType normalized }
    nextCursor
  }
}""",
)
ONTOLOGY: Final = _query(
    "GetOntology",
    "ontology",
    """($id: ID!) {
  ontology(where: { id: $id }) { id name mediaType normalized }
}""",
)
DATASETS: Final = _query(
    "GetDatasets",
    "datasets",
    """($name: String!, $deleted: Boolean!) {
  datasets(
    where: { AND: [{ name: $name }, { deleted: $deleted }] }
    skip: 0
    first: 100
  ) { id name description rowCount }
}""",
)
DATASET: Final = _query(
    "GetDataset",
    "dataset",
    """($id: ID!) {
  dataset(where: { id: $id }) { id name description rowCount }
}""",
)
MODELS: Final = _query(
    "GetModels",
    "models",
    """($name: String!) {
  models(where: { name: $name }, skip: 0, first: 100) { id name ontologyId }
}""",
)
MODEL: Final = _query(
    "GetModel",
    "model",
    """($id: ID!) {
  model(where: { id: $id }) { id name ontologyId }
}""",
)
MODEL_RUNS: Final = _query(
    "GetModelRuns",
    "model",
    """($id: ID!) {
  model(where: { id: $id }) {
    modelRuns(skip: 0, first: 100, orderBy: name_ASC) { id name trainingMetadata }
  }
}""",
)
MODEL_RUNS_NAMED: Final = _query(
    "GetModelRunsNamed",
    "model",
    """($id: ID!, $name: String!) {
  model(where: { id: $id }) {
    modelRuns(where: { name: $name }, skip: 0, first: 100) { id name }
  }
}""",
)
RUN_CONFIG: Final = _query(
    "GetModelRunConfig",
    "modelRun",
    """($modelRunId: ID!) {
  modelRun(where: { id: $modelRunId }) { trainingMetadata }
}""",
)

# Data rows

RUN_ROWS: Final = _query(
    "GetModelRunDataRows",
    "annotationGroups",
    """($modelRunId: ID!, $from: String, $first: Int) {
  annotationGroups(
    where: { modelRunId: { id: $modelRunId } }
    after: $from
    first: $first
  ) {
    nodes { dataSplit dataRow { id globalKey } }
    pageInfo { endCursor }
  }
}""",
)
DATASET_ROWS: Final = _query(
    "GetDatasetDataRows",
    "datasetDataRows",
    """($id: ID!, $from: ID, $first: Int) {
  datasetDataRows(id: $id, from: $from, first: $first) {
    nodes { id globalKey }
    pageInfo { hasNextPage startCursor }
  }
}""",
)
KEYS: Final = _query(
    "GetDataRowsForGlobalKeys",
    "dataRowsForGlobalKeys",
    """($globalKeys: [ID!]!) {
  dataRowsForGlobalKeys(where: { ids: $globalKeys }) { jobId }
}""",
)
KEYS_RESULT: Final = _query(
    "GetDataRowsForGlobalKeysResult",
    "dataRowsForGlobalKeysResult",
    """($jobId: ID!) {
  dataRowsForGlobalKeysResult(jobId: { id: $jobId }) {
    data { notFoundGlobalKeys accessDeniedGlobalKeys }
    jobStatus
  }
}""",
)
ALL_PROCESSED: Final = _query(
    "CheckAllDataRowsHaveBeenProcessed",
    "queryAllDataRowsHaveBeenProcessed",
    """($globalKeys: [ID!]) {
  queryAllDataRowsHaveBeenProcessed(globalKeys: $globalKeys) {
    allDataRowsHaveBeenProcessed
  }
}""",
)
METADATA_FIELDS: Final = _query(
    "GetMetadataOntology",
    "customMetadataOntology",
    " { customMetadataOntology { id name kind options { id name } } }",
)

# Jobs

TASK: Final = _query(
    "GetUserCreatedTasks",
    "createdTasks",
    """($userId: ID!, $taskId: ID!) {
  user(where: { id: $userId }) {
    createdTasks(where: { id: $taskId }, skip: 0, first: 1) {
      id
      status
      result
      errors
    }
  }
}""",
)
ADD_ROWS_STATUS: Final = _query(
    "GetDataRowRegistrationTaskStatus",
    "MEADataRowRegistrationTaskStatus",
    """($where: WhereUniqueIdInput!) {
  MEADataRowRegistrationTaskStatus(where: $where) { status errorMessage }
}""",
)
ASSIGN_SPLITS_STATUS: Final = _query(
    "GetAssignDataRowsToDataSplitTaskStatus",
    "assignDataRowsToDataSplitTaskStatus",
    """($id: ID!) {
  assignDataRowsToDataSplitTaskStatus(where: { id: $id }) { status errorMessage }
}""",
    experimental=True,
)
FAILED_IMPORTS: Final = _query(
    "GetFailedDataRowImports",
    "failedDataRowImports",
    """($taskId: ID!, $first: Int, $from: String) {
  failedDataRowImports(data: { taskId: $taskId, first: $first, from: $from }) {
    after
    results { message spec { globalKey } }
  }
}""",
)

# Exports

EXPORT_RUN: Final = _mutation(
    "ExportDataRowsInModelRun",
    "exportDataRowsInModelRun",
    """($input: ExportDataRowsInModelRunInput!) {
  exportDataRowsInModelRun(input: $input) { taskId }
}""",
    RequestClass.EXPORT_START,
)
EXPORT_CATALOG: Final = _mutation(
    "ExportDataRowsInCatalog",
    "exportDataRowsInCatalog",
    """($input: ExportDataRowsInCatalogInput!) {
  exportDataRowsInCatalog(input: $input) { taskId }
}""",
    RequestClass.EXPORT_START,
)
EXPORT_HEADER: Final = _query(
    "GetExportMetadataHeader",
    "exportMetadataHeader",
    """($where: WhereUniqueIdInput, $streamType: TaskStreamType!) {
  task(where: $where) {
    exportMetadataHeader(streamType: $streamType) { totalSize totalLines }
  }
}""",
)
EXPORT_FILE: Final = _query(
    "GetExportFileFromOffset",
    "exportFileFromOffset",
    """($where: WhereUniqueIdInput, $streamType: TaskStreamType!, $offset: UInt64!) {
  task(where: $where) {
    exportFileFromOffset(streamType: $streamType, offset: $offset) {
      offsets { start end }
      file
    }
  }
}""",
)

# Creations

CREATE_ONTOLOGY: Final = _mutation(
    "CreateOntology",
    "upsertOntology",
    """($data: UpsertOntologyInput!) {
  upsertOntology(data: $data) { id }
}""",
    RequestClass.CREATE,
)
CREATE_DATASET: Final = _mutation(
    "CreateDataset",
    "createDataset",
    """($name: String!) {
  createDataset(data: { name: $name }) { id }
}""",
    RequestClass.CREATE,
)
CREATE_DESCRIBED_DATASET: Final = _mutation(
    "CreateDescribedDataset",
    "createDataset",
    """($name: String!, $description: String!) {
  createDataset(data: { name: $name, description: $description }) { id }
}""",
    RequestClass.CREATE,
)
CREATE_MODEL: Final = _mutation(
    "CreateModel",
    "createModel",
    """($name: String!, $ontologyId: ID!) {
  createModel(data: { name: $name, ontologyId: $ontologyId }) { id }
}""",
    RequestClass.CREATE,
)
CREATE_RUN: Final = _mutation(
    "CreateModelRun",
    "createModelRun",
    """($name: String!, $config: Json, $modelId: ID!) {
  createModelRun(data: { name: $name, trainingMetadata: $config, modelId: $modelId }) {
    id
  }
}""",
    RequestClass.CREATE,
)

# Changes

DESCRIBE_DATASET: Final = _mutation(
    "DescribeDataset",
    "updateDataset",
    """($id: ID!, $description: String!) {
  updateDataset(where: { id: $id }, data: { description: $description }) { id }
}""",
    RequestClass.IDEMPOTENT,
)
UPDATE_CONFIG: Final = _mutation(
    "UpdateModelRunConfig",
    "updateModelRunConfig",
    """($modelRunId: ID!, $data: UpdateModelRunConfigInput!) {
  updateModelRunConfig(modelRun: { id: $modelRunId }, data: $data) {
    trainingMetadata
  }
}""",
    RequestClass.IDEMPOTENT,
)
RESET_CONFIG: Final = _mutation(
    "ResetModelRunConfig",
    "resetModelRunConfig",
    """($modelRunId: ID!) {
  resetModelRunConfig(modelRun: { id: $modelRunId }) { trainingMetadata }
}""",
    RequestClass.IDEMPOTENT,
)
ADD_ROWS: Final = _mutation(
    "AddModelRunDataRows",
    "createMEAModelRunDataRowRegistrationTask",
    """($modelRunId: ID!, $dataRowIds: [ID!], $globalKeys: [ID!]) {
  createMEAModelRunDataRowRegistrationTask(
    where: { id: $modelRunId }
    data: { dataRowIds: $dataRowIds, globalKeys: $globalKeys }
  )
}""",
    RequestClass.IDEMPOTENT,
)
ASSIGN_SPLITS: Final = _mutation(
    "AssignDataRowsToDataSplit",
    "createAssignDataRowsToDataSplitTask",
    """($modelRunId: ID!, $data: CreateAssignDataRowsToDataSplitTaskInput!) {
  createAssignDataRowsToDataSplitTask(modelRun: { id: $modelRunId }, data: $data)
}""",
    RequestClass.IDEMPOTENT,
    experimental=True,
)
REMOVE_ROWS: Final = _mutation(
    "DeleteModelRunDataRows",
    "deleteModelRunDataRows",
    """($modelRunId: ID!, $dataRowIds: [ID!]!) {
  deleteModelRunDataRows(where: { modelRunId: $modelRunId, dataRowIds: $dataRowIds })
}""",
    RequestClass.IDEMPOTENT,
)
UPSERT_DATA_ROWS: Final = _mutation(
    "UpsertDataRows",
    "upsertDataRows",
    """($manifestUri: String!) {
  upsertDataRows(data: { manifestUri: $manifestUri }) { id }
}""",
    RequestClass.IDEMPOTENT,
)
UPLOAD_FILE: Final = _mutation(
    "UploadFile",
    "uploadFile",
    """($file: Upload!, $contentLength: Int!, $sign: Boolean) {
  uploadFile(file: $file, contentLength: $contentLength, sign: $sign) { url }
}""",
    RequestClass.UPLOAD,
)

"""Documents that create objects, and that change them."""

from typing import Final

from reconciler.api.documents.document import RequestClass, mutation

# Creations

CREATE_ONTOLOGY: Final = mutation(
    "CreateOntology",
    "upsertOntology",
    """($data: UpsertOntologyInput!) {
  upsertOntology(data: $data) { id }
}""",
    RequestClass.CREATE,
)
CREATE_DATASET: Final = mutation(
    "CreateDataset",
    "createDataset",
    """($name: String!) {
  createDataset(data: { name: $name }) { id }
}""",
    RequestClass.CREATE,
)
CREATE_DESCRIBED_DATASET: Final = mutation(
    "CreateDescribedDataset",
    "createDataset",
    """($name: String!, $description: String!) {
  createDataset(data: { name: $name, description: $description }) { id }
}""",
    RequestClass.CREATE,
)
CREATE_MODEL: Final = mutation(
    "CreateModel",
    "createModel",
    """($name: String!, $ontologyId: ID!) {
  createModel(data: { name: $name, ontologyId: $ontologyId }) { id }
}""",
    RequestClass.CREATE,
)
CREATE_RUN: Final = mutation(
    "CreateModelRun",
    "createModelRun",
    """($name: String!, $config: Json, $modelId: ID!) {
  createModelRun(data: { name: $name, trainingMetadata: $config, modelId: $modelId }) {
    id
  }
}""",
    RequestClass.CREATE,
)
CREATE_PROJECT: Final = mutation(
    "CreateProject",
    "createProject",
    """(
  $name: String!
  $allowedMediaType: MediaType!
  $autoAuditPercentage: Float!
  $autoAuditNumberOfLabels: Int!
  $isBenchmarkEnabled: Boolean!
  $isConsensusEnabled: Boolean!
) {
  createProject(
    data: {
      name: $name
      allowedMediaType: $allowedMediaType
      autoAuditPercentage: $autoAuditPercentage
      autoAuditNumberOfLabels: $autoAuditNumberOfLabels
      isBenchmarkEnabled: $isBenchmarkEnabled
      isConsensusEnabled: $isConsensusEnabled
    }
  ) { id }
}""",
    RequestClass.CREATE,
)
CREATE_BATCH: Final = mutation(
    "CreateBatchV2",
    "createBatchV2",
    """($projectId: ID!, $batchInput: CreateBatchInput!) {
  project(where: { id: $projectId }) {
    createBatchV2(input: $batchInput) { batch { id } }
  }
}""",
    RequestClass.CREATE,
    experimental=True,
)

# Changes

DESCRIBE_DATASET: Final = mutation(
    "DescribeDataset",
    "updateDataset",
    """($id: ID!, $description: String!) {
  updateDataset(where: { id: $id }, data: { description: $description }) { id }
}""",
    RequestClass.IDEMPOTENT,
)
UPDATE_CONFIG: Final = mutation(
    "UpdateModelRunConfig",
    "updateModelRunConfig",
    """($modelRunId: ID!, $data: UpdateModelRunConfigInput!) {
  updateModelRunConfig(modelRun: { id: $modelRunId }, data: $data) {
    trainingMetadata
  }
}""",
    RequestClass.IDEMPOTENT,
)
RESET_CONFIG: Final = mutation(
    "ResetModelRunConfig",
    "resetModelRunConfig",
    """($modelRunId: ID!) {
  resetModelRunConfig(modelRun: { id: $modelRunId }) { trainingMetadata }
}""",
    RequestClass.IDEMPOTENT,
)
ADD_ROWS: Final = mutation(
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
ASSIGN_SPLITS: Final = mutation(
    "AssignDataRowsToDataSplit",
    "createAssignDataRowsToDataSplitTask",
    """($modelRunId: ID!, $data: CreateAssignDataRowsToDataSplitTaskInput!) {
  createAssignDataRowsToDataSplitTask(modelRun: { id: $modelRunId }, data: $data)
}""",
    RequestClass.IDEMPOTENT,
    experimental=True,
)
REMOVE_ROWS: Final = mutation(
    "DeleteModelRunDataRows",
    "deleteModelRunDataRows",
    """($modelRunId: ID!, $dataRowIds: [ID!]!) {
  deleteModelRunDataRows(where: { modelRunId: $modelRunId, dataRowIds: $dataRowIds })
}""",
    RequestClass.IDEMPOTENT,
)
UPSERT_DATA_ROWS: Final = mutation(
    "UpsertDataRows",
    "upsertDataRows",
    """($manifestUri: String!) {
  upsertDataRows(data: { manifestUri: $manifestUri }) { id }
}""",
    RequestClass.IDEMPOTENT,
)
UPLOAD_FILE: Final = mutation(
    "UploadFile",
    "uploadFile",
    """($file: Upload!, $contentLength: Int!, $sign: Boolean) {
  uploadFile(file: $file, contentLength: $contentLength, sign: $sign) { url }
}""",
    RequestClass.UPLOAD,
)
CONNECT_EDITOR: Final = mutation(
    "ConnectProjectAndLabelingFrontend",
    "updateProject",
    """($projectId: ID!, $labelingFrontendId: ID!) {
  updateProject(
    where: { id: $projectId }
    data: { labelingFrontend: { connect: { id: $labelingFrontendId } } }
  ) { id }
}""",
    RequestClass.IDEMPOTENT,
)
SET_UP_EDITOR: Final = mutation(
    "CreateLabelingFrontendOptions",
    "createLabelingFrontendOptions",
    """($project: ID!, $labelingFrontend: ID!, $customizationOptions: String!) {
  createLabelingFrontendOptions(
    data: {
      project: { connect: { id: $project } }
      labelingFrontend: { connect: { id: $labelingFrontend } }
      customizationOptions: $customizationOptions
    }
  ) { id }
}""",
    RequestClass.IDEMPOTENT,
)
CONNECT_ONTOLOGY: Final = mutation(
    "ConnectOntology",
    "connectOntology",
    """($projectId: ID!, $ontologyId: ID!) {
  project(where: { id: $projectId }) {
    connectOntology(ontologyId: $ontologyId) { id }
  }
}""",
    RequestClass.IDEMPOTENT,
)
ADD_LABELS: Final = mutation(
    "AddModelRunLabels",
    "createMEAModelRunLabelRegistrationTask",
    """($modelRunId: ID!, $labelIds: [ID!]!) {
  createMEAModelRunLabelRegistrationTask(
    where: { id: $modelRunId }
    data: { labelIds: $labelIds }
  )
}""",
    RequestClass.IDEMPOTENT,
)
SET_STATUS: Final = mutation(
    "SetPipelineStatus",
    "updateTrainingPipeline",
    """($modelRunId: ID!, $data: UpdateTrainingPipelineInput!) {
  updateTrainingPipeline(modelRun: { id: $modelRunId }, data: $data) { status }
}""",
    RequestClass.IDEMPOTENT,
    experimental=True,
)

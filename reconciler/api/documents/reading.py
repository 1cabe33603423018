"""Documents that read who we are, objects, and data rows."""

from typing import Final

from reconciler.api.documents.document import query

# Who we are

ORGANIZATION: Final = query(
    "GetOrganization", "organization", " { organization { id name } }"
)
USER: Final = query("GetUser", "user", " { user { id } }")

# Objects by name and by id

ONTOLOGIES: Final = query(
    "GetOntologies",
    "ontologies",
    """($search: String, $filter: OntologyFilter, $from: String, $first: PageSize) {
  ontologies(where: { filter: $filter, search: $search }, after: $from, first: $first) {
    nodes { id name mediaType normalized }
    nextCursor
  }
}""",
)
ONTOLOGY: Final = query(
    "GetOntology",
    "ontology",
    """($id: ID!) {
  ontology(where: { id: $id }) { id name mediaType normalized }
}""",
)
DATASETS: Final = query(
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
DATASET: Final = query(
    "GetDataset",
    "dataset",
    """($id: ID!) {
  dataset(where: { id: $id }) { id name description rowCount }
}""",
)
MODELS: Final = query(
    "GetModels",
    "models",
    """($name: String!) {
  models(where: { name: $name }, skip: 0, first: 100) { id name ontologyId }
}""",
)
MODEL: Final = query(
    "GetModel",
    "model",
    """($id: ID!) {
  model(where: { id: $id }) { id name ontologyId }
}""",
)
MODEL_RUNS: Final = query(
    "GetModelRuns",
    "model",
    """($id: ID!) {
  model(where: { id: $id }) {
    modelRuns(skip: 0, first: 100, orderBy: name_ASC) { id name trainingMetadata }
  }
}""",
)
MODEL_RUNS_NAMED: Final = query(
    "GetModelRunsNamed",
    "model",
    """($id: ID!, $name: String!) {
  model(where: { id: $id }) {
    modelRuns(where: { name: $name }, skip: 0, first: 100) { id name }
  }
}""",
)
RUN_CONFIG: Final = query(
    "GetModelRunConfig",
    "modelRun",
    """($modelRunId: ID!) {
  modelRun(where: { id: $modelRunId }) { trainingMetadata }
}""",
)

# Data rows

RUN_ROWS: Final = query(
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
DATASET_ROWS: Final = query(
    "GetDatasetDataRows",
    "datasetDataRows",
    """($id: ID!, $from: ID, $first: Int) {
  datasetDataRows(id: $id, from: $from, first: $first) {
    nodes { id globalKey }
    pageInfo { hasNextPage startCursor }
  }
}""",
)
KEYS: Final = query(
    "GetDataRowsForGlobalKeys",
    "dataRowsForGlobalKeys",
    """($globalKeys: [ID!]!) {
  dataRowsForGlobalKeys(where: { ids: $globalKeys }) { jobId }
}""",
)
KEYS_RESULT: Final = query(
    "GetDataRowsForGlobalKeysResult",
    "dataRowsForGlobalKeysResult",
    """($jobId: ID!) {
  dataRowsForGlobalKeysResult(jobId: { id: $jobId }) {
    data { notFoundGlobalKeys accessDeniedGlobalKeys }
    jobStatus
  }
}""",
)
ALL_PROCESSED: Final = query(
    "CheckAllDataRowsHaveBeenProcessed",
    "queryAllDataRowsHaveBeenProcessed",
    """($globalKeys: [ID!]) {
  queryAllDataRowsHaveBeenProcessed(globalKeys: $globalKeys) {
    allDataRowsHaveBeenProcessed
  }
}""",
)
METADATA_FIELDS: Final = query(
    "GetMetadataOntology",
    "customMetadataOntology",
    " { customMetadataOntology { id name kind options { id name } } }",
)

# Projects

PROJECTS: Final = query(
    "GetProjects",
    "projects",
    """($name: String!, $deleted: Boolean!) {
  projects(
    where: { AND: [{ name: $name }, { deleted: $deleted }] }
    skip: 0
    first: 100
  ) { id name allowedMediaType }
}""",
)
PROJECT: Final = query(
    "GetProject",
    "project",
    """($id: ID!) {
  project(where: { id: $id }) { id name allowedMediaType }
}""",
)
PROJECT_ONTOLOGY: Final = query(
    "GetProjectOntology",
    "project",
    """($id: ID!) {
  project(where: { id: $id }) { ontology { id } }
}""",
)
PROJECT_EDITOR: Final = query(
    "GetProjectLabelingFrontend",
    "project",
    """($id: ID!) {
  project(where: { id: $id }) { labelingFrontend { id } }
}""",
)
EDITORS: Final = query(
    "GetLabelingFrontends",
    "labelingFrontends",
    """($name: String!, $deleted: Boolean!) {
  labelingFrontends(
    where: { AND: [{ name: $name }, { deleted: $deleted }] }
    skip: 0
    first: 100
  ) { id }
}""",
)
BATCHES: Final = query(
    "GetProjectBatches",
    "batches",
    """($projectId: ID!, $from: String, $first: PageSize) {
  project(where: { id: $projectId }) {
    batches(after: $from, first: $first) {
      nodes { name }
      pageInfo { endCursor }
    }
  }
}""",
    experimental=True,
)

# Runs

RUN_STATUS: Final = query(
    "GetTrainingPipeline",
    "trainingPipeline",
    """($modelRunId: ID!) {
  trainingPipeline(where: { id: $modelRunId }) { status errorMessage metadata }
}""",
    experimental=True,
)

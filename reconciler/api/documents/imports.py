"""Documents that import annotations and metrics, and that ask how it goes.

Imports are known by their name and what they belong to. The reason of one that
failed is asked for apart, for not every remote has such a field.
"""

from typing import Final

from reconciler.api.documents.document import RequestClass, mutation, query

LABEL_IMPORTS: Final = query(
    "GetLabelImports",
    "labelImports",
    """($projectId: ID!) {
  labelImports(skip: 0, first: 100, where: { projectId: $projectId }) { id name state }
}""",
)
LABEL_IMPORT: Final = query(
    "GetLabelImport",
    "labelImport",
    """($parent: ID!, $name: String!) {
  labelImport(where: { projectId: $parent, name: $name }) {
    id
    state
    statusFileUrl
    errorFileUrl
  }
}""",
)
LABEL_IMPORT_REASON: Final = query(
    "GetLabelImportReason",
    "labelImport",
    """($parent: ID!, $name: String!) {
  labelImport(where: { projectId: $parent, name: $name }) { errorMessage }
}""",
)
PREDICTION_IMPORT: Final = query(
    "GetModelErrorAnalysisPredictionImport",
    "modelErrorAnalysisPredictionImport",
    """($parent: ID!, $name: String!) {
  modelErrorAnalysisPredictionImport(where: { modelRunId: $parent, name: $name }) {
    id
    state
    statusFileUrl
    errorFileUrl
  }
}""",
)
PREDICTION_IMPORT_REASON: Final = query(
    "GetModelErrorAnalysisPredictionImportReason",
    "modelErrorAnalysisPredictionImport",
    """($parent: ID!, $name: String!) {
  modelErrorAnalysisPredictionImport(where: { modelRunId: $parent, name: $name }) {
    errorMessage
  }
}""",
)
CREATE_LABEL_IMPORT: Final = mutation(
    "CreateLabelImportByFile",
    "createLabelImport",
    """($parent: ID!, $name: String!, $file: Upload!, $contentLength: Int!) {
  createLabelImport(
    data: {
      projectId: $parent
      name: $name
      filePayload: { file: $file, contentLength: $contentLength }
    }
  ) { id state statusFileUrl errorFileUrl }
}""",
    RequestClass.CREATE,
)
CREATE_PREDICTION_IMPORT: Final = mutation(
    "CreateMEAPredictionImportByFile",
    "createModelErrorAnalysisPredictionImport",
    """($parent: ID!, $name: String!, $file: Upload!, $contentLength: Int!) {
  createModelErrorAnalysisPredictionImport(
    data: {
      modelRunId: $parent
      name: $name
      filePayload: { file: $file, contentLength: $contentLength }
    }
  ) { id state statusFileUrl errorFileUrl }
}""",
    RequestClass.CREATE,
)

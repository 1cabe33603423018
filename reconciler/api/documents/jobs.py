"""Documents that ask about jobs, and those that export."""

from typing import Final

from reconciler.api.documents.document import RequestClass, mutation, query

# Jobs

TASK: Final = query(
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
ADD_ROWS_STATUS: Final = query(
    "GetDataRowRegistrationTaskStatus",
    "MEADataRowRegistrationTaskStatus",
    """($where: WhereUniqueIdInput!) {
  MEADataRowRegistrationTaskStatus(where: $where) { status errorMessage }
}""",
)
ASSIGN_SPLITS_STATUS: Final = query(
    "GetAssignDataRowsToDataSplitTaskStatus",
    "assignDataRowsToDataSplitTaskStatus",
    """($id: ID!) {
  assignDataRowsToDataSplitTaskStatus(where: { id: $id }) { status errorMessage }
}""",
    experimental=True,
)
ADD_LABELS_STATUS: Final = query(
    "GetLabelRegistrationTaskStatus",
    "MEALabelRegistrationTaskStatus",
    """($where: WhereUniqueIdInput!) {
  MEALabelRegistrationTaskStatus(where: $where) { status errorMessage }
}""",
)
FAILED_IMPORTS: Final = query(
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

EXPORT_RUN: Final = mutation(
    "ExportDataRowsInModelRun",
    "exportDataRowsInModelRun",
    """($input: ExportDataRowsInModelRunInput!) {
  exportDataRowsInModelRun(input: $input) { taskId }
}""",
    RequestClass.EXPORT_START,
)
EXPORT_PROJECT: Final = mutation(
    "ExportDataRowsInProject",
    "exportDataRowsInProject",
    """($input: ExportDataRowsInProjectInput!) {
  exportDataRowsInProject(input: $input) { taskId }
}""",
    RequestClass.EXPORT_START,
)
EXPORT_CATALOG: Final = mutation(
    "ExportDataRowsInCatalog",
    "exportDataRowsInCatalog",
    """($input: ExportDataRowsInCatalogInput!) {
  exportDataRowsInCatalog(input: $input) { taskId }
}""",
    RequestClass.EXPORT_START,
)
EXPORT_HEADER: Final = query(
    "GetExportMetadataHeader",
    "exportMetadataHeader",
    """($where: WhereUniqueIdInput, $streamType: TaskStreamType!) {
  task(where: $where) {
    exportMetadataHeader(streamType: $streamType) { totalSize totalLines }
  }
}""",
)
EXPORT_FILE: Final = query(
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

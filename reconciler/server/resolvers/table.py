"""Which function answers which field."""

from typing import Final

from reconciler.server.execution import Resolver
from reconciler.server.resolvers import datasets, experiments, exports, identity

RESOLVERS: Final[dict[tuple[str, str], Resolver]] = {
    ("Query", "user"): identity.user,
    ("Query", "organization"): identity.organization,
    ("Query", "task"): identity.task,
    ("Query", "iamIntegrations"): datasets.nothing,
    ("Query", "customMetadataOntology"): datasets.nothing,
    ("Query", "dataset"): datasets.dataset,
    ("Query", "datasets"): datasets.datasets,
    ("Query", "dataRow"): datasets.data_row,
    ("Query", "datasetDataRows"): datasets.dataset_data_rows,
    ("Query", "successesfulDataRowImports"): datasets.successful_imports,
    ("Query", "failedDataRowImports"): datasets.failed_imports,
    ("Query", "dataRowsForGlobalKeys"): datasets.start_lookup,
    ("Query", "dataRowsForGlobalKeysResult"): datasets.lookup_result,
    ("Query", "queryAllDataRowsHaveBeenProcessed"): datasets.all_processed,
    ("Query", "externalIdsToDataRowIds"): datasets.external_ids,
    ("Query", "ontology"): experiments.ontology,
    ("Query", "ontologies"): experiments.list_ontologies,
    ("Query", "model"): experiments.model,
    ("Query", "models"): experiments.models,
    ("Query", "modelRun"): experiments.model_run,
    ("Query", "annotationGroups"): experiments.annotation_groups,
    ("Query", "MEADataRowRegistrationTaskStatus"): experiments.registration_status,
    ("Query", "assignDataRowsToDataSplitTaskStatus"): experiments.assignment_status,
    ("User", "createdTasks"): identity.created_tasks,
    ("Task", "exportMetadataHeader"): identity.export_metadata_header,
    ("Task", "exportFileFromOffset"): identity.export_file_from_offset,
    ("Model", "modelRuns"): experiments.model_runs,
    ("Mutation", "uploadFile"): datasets.upload_file,
    ("Mutation", "createDataset"): datasets.create_dataset,
    ("Mutation", "updateDataset"): datasets.update_dataset,
    ("Mutation", "upsertDataRows"): datasets.upsert_data_rows,
    ("Mutation", "deleteDataRows"): datasets.delete_data_rows,
    ("Mutation", "upsertOntology"): experiments.upsert_ontology,
    ("Mutation", "createModel"): experiments.create_model,
    ("Mutation", "deleteModels"): experiments.delete_models,
    ("Mutation", "createModelRun"): experiments.create_model_run,
    ("Mutation", "deleteModelRuns"): experiments.delete_model_runs,
    ("Mutation", "updateModelRunConfig"): experiments.update_config,
    ("Mutation", "resetModelRunConfig"): experiments.reset_config,
    (
        "Mutation",
        "createMEAModelRunDataRowRegistrationTask",
    ): experiments.register_data_rows,
    ("Mutation", "createAssignDataRowsToDataSplitTask"): experiments.assign_splits,
    ("Mutation", "deleteModelRunDataRows"): experiments.delete_model_run_data_rows,
    ("Mutation", "exportDataRowsInModelRun"): exports.export_model_run,
    ("Mutation", "exportDataRowsInCatalog"): exports.export_catalog,
}
"""By type and field; every other field is read off what its parent answered."""

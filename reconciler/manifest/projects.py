"""Labelling projects as manifests declare them."""

from reconciler.diagnostics import Diagnostic
from reconciler.manifest.document import Document
from reconciler.manifest.imports import ImportBuilder
from reconciler.manifest.references import References
from reconciler.manifest.schema import ProjectManifest
from reconciler.manifest.select import Files
from reconciler.state.address import Kind
from reconciler.state.resources import Project


def read_project(
    files: Files, document: Document, manifest: ProjectManifest, references: References
) -> tuple[Project, tuple[Diagnostic, ...]]:
    """Turn a manifest into a project, or into a reference to one."""
    builder = ImportBuilder(files, document)
    project = Project(
        name=manifest.name,
        ontology=None
        if manifest.ontology is None
        else references.refer(
            document, ("ontology",), Kind.ONTOLOGY, manifest.ontology
        ),
        dataset=None
        if manifest.dataset is None
        else references.refer(document, ("dataset",), Kind.DATASET, manifest.dataset),
        labels=None
        if manifest.labels is None
        else builder.line_files(manifest.labels, "labels", {}),
    )
    return project, tuple(builder.problems)

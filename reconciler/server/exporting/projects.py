"""What lines say of the projects that a row is in: labels and workflow."""

from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.server.exporting.annotations import Reader
from reconciler.server.exporting.files import Say, Section, Wanted, spell
from reconciler.server.exporting.labels import decode_lines, label_of, numbered
from reconciler.server.exporting.readers import Readers, Surroundings
from reconciler.server.store.export import ExportedRow
from reconciler.server.store.export_contents import (
    Membership,
    StoredLabel,
    read_labels,
    read_memberships,
)
from reconciler.server.store.export_search import workflow_of
from reconciler.server.store.export_subjects import Project


def projects_section(around: Surroundings, projects: Sequence[Project]) -> Section:
    """Say what projects say of the rows that are in them."""
    readers = [Readers(around, one.media_type) for one in projects]

    def prepare(batch: Sequence[ExportedRow]) -> Say:
        row_pks = [row.pk for row in batch]
        prepared = []
        for project, reads in zip(projects, readers, strict=True):
            memberships = read_memberships(around.db, project.pk, row_pks)
            if memberships:
                labels = read_labels(around.db, project.pk, row_pks)
                prepared.append((project, reads, memberships, labels))

        def say(row: ExportedRow) -> Mapping[str, Any]:
            found: dict[str, Any] = {}
            for project, reads, memberships, labels in prepared:
                if membership := memberships.get(row.pk):
                    said = [
                        _label(
                            reads.of_label(row, one.content), around.wanted, row, one
                        )
                        for one in labels.get(row.pk, ())
                    ]
                    found[project.id] = {"name": project.name, "labels": said}
                    if around.wanted.project_details:
                        details = _details(project, membership)
                        found[project.id]["project_details"] = details
            return {"projects": found}

        return say

    return prepare


def _details(project: Project, membership: Membership) -> dict[str, Any]:
    return {
        "ontology_id": project.ontology_id,
        "task_id": membership.queue_id,
        "task_name": membership.queue_name,
        "batch_id": membership.batch_id,
        "batch_name": membership.batch_name,
        "workflow_status": workflow_of(membership.queue_type),
        "priority": membership.priority,
    }


def _label(
    reader: Reader, wanted: Wanted, row: ExportedRow, stored: StoredLabel
) -> dict[str, Any]:
    lines = numbered(decode_lines(stored.content.annotations))
    label = label_of(reader, stored.id, lines, between=wanted.interpolated)
    if wanted.label_details:
        label["label_details"] = {
            "is_benchmark_reference": stored.benchmark,
            "created_at": spell(stored.created_at),
            "updated_at": spell(stored.updated_at),
            # A store has one user, who makes its rows and its labels.
            "created_by": row.created_by,
            "content_last_updated_at": spell(stored.content_created_at),
            "reviews": [],
        }
    if wanted.performance_details:
        # Labels are imported here, which takes nobody's time.
        label["performance_details"] = {
            "seconds_to_create": 0,
            "seconds_to_review": 0,
            "skipped": False,
        }
    return label

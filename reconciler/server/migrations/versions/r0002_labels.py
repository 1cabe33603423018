"""Projects, labels, predictions, metrics, slices, and tasks that take a while."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

PK = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables, and make room for what they refer to."""
    _create()
    for name in ("status", "status_error", "status_metadata"):
        op.add_column("model_runs", sa.Column(name, sa.Text(), nullable=True))
    op.add_column(
        "files",
        sa.Column("kept", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column("run_rows", sa.Column("label_id", sa.String(36), nullable=True))
    op.add_column("run_rows", sa.Column("content_pk", PK, nullable=True))
    op.create_index(
        op.f("ix_run_rows_content_pk"),
        "run_rows",
        ["content_pk"],
        sqlite_where=sa.text("content_pk IS NOT NULL"),
    )
    _tell_states()
    _tell_streams()
    _list_features()


def _tell_states() -> None:
    op.add_column(
        "tasks",
        sa.Column("state", sa.Text(), nullable=False, server_default="COMPLETE"),
    )
    op.execute("UPDATE tasks SET state = 'FAILED' WHERE failed")
    op.drop_column("tasks", "failed")


def _tell_streams() -> None:
    # A primary key can't be widened, so the rows move to another table.
    op.rename_table("export_chunks", "export_chunks_0001")
    op.drop_index("ix_export_chunks_file_pk", "export_chunks_0001")
    op.create_table(
        "export_chunks",
        sa.Column("task_pk", PK, nullable=False),
        sa.Column("stream", sa.String(length=6), nullable=False),
        sa.Column("first_byte", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("last_byte", sa.BigInteger(), nullable=False),
        sa.Column("first_line", sa.BigInteger(), nullable=False),
        sa.Column("last_line", sa.BigInteger(), nullable=False),
        sa.Column("file_pk", PK, nullable=False),
        sa.ForeignKeyConstraint(
            ["file_pk"], ["files.pk"], name=op.f("fk_export_chunks_file_pk")
        ),
        sa.ForeignKeyConstraint(
            ["task_pk"],
            ["tasks.pk"],
            name=op.f("fk_export_chunks_task_pk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "task_pk", "stream", "first_byte", name=op.f("pk_export_chunks")
        ),
    )
    op.execute(
        "INSERT INTO export_chunks (task_pk, stream, first_byte, last_byte,"
        " first_line, last_line, file_pk) SELECT task_pk, 'RESULT', first_byte,"
        " last_byte, first_line, last_line, file_pk FROM export_chunks_0001"
    )
    op.drop_table("export_chunks_0001")
    op.create_index(
        op.f("ix_export_chunks_file_pk"), "export_chunks", ["file_pk"], unique=False
    )


def _list_features() -> None:
    op.execute(
        "INSERT OR IGNORE INTO feature_schemas (id, feature_schema_id, name,"
        " normalized, created_at, updated_at)"
        " SELECT node.value ->> 'schemaNodeId', node.value ->> 'featureSchemaId',"
        " coalesce(node.value ->> 'name', node.value ->> 'instructions', ''),"
        " node.value, created_at, updated_at FROM ontologies,"
        " (VALUES ('$.tools'), ('$.classifications')) AS member,"
        " json_each(normalized, member.column1) AS node ORDER BY ontologies.pk"
    )


def _create() -> None:
    op.create_table(
        "feature_schemas",
        sa.Column("pk", PK, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("feature_schema_id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("normalized", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.Column("updated_at", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_feature_schemas")),
        sa.UniqueConstraint(
            "feature_schema_id", name=op.f("uq_feature_schemas_feature_schema_id")
        ),
        sa.UniqueConstraint("id", name=op.f("uq_feature_schemas_id")),
    )
    op.create_index(
        op.f("ix_feature_schemas_name"), "feature_schemas", ["name"], unique=False
    )
    op.create_table(
        "label_contents",
        sa.Column("pk", PK, nullable=False),
        sa.Column("ontology_pk", PK, nullable=True),
        sa.Column("annotations", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(
            ["ontology_pk"],
            ["ontologies.pk"],
            name=op.f("fk_label_contents_ontology_pk"),
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_label_contents")),
    )
    op.create_index(
        op.f("ix_label_contents_ontology_pk"),
        "label_contents",
        ["ontology_pk"],
        unique=False,
    )
    op.create_table(
        "metadata_schemas",
        sa.Column("pk", PK, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("parent_pk", PK, nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["parent_pk"],
            ["metadata_schemas.pk"],
            name=op.f("fk_metadata_schemas_parent_pk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_metadata_schemas")),
        sa.UniqueConstraint("id", name=op.f("uq_metadata_schemas_id")),
    )
    op.create_index(
        op.f("ix_metadata_schemas_parent_pk"),
        "metadata_schemas",
        ["parent_pk"],
        unique=False,
    )
    op.create_table(
        "projects",
        sa.Column("pk", PK, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=True),
        sa.Column("editor_task_type", sa.Text(), nullable=True),
        sa.Column("audit_percentage", sa.Float(), nullable=False),
        sa.Column("audit_labels", sa.Integer(), nullable=False),
        sa.Column("benchmark", sa.Boolean(), nullable=False),
        sa.Column("consensus", sa.Boolean(), nullable=False),
        sa.Column("ontology_pk", PK, nullable=True),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("setup_at", sa.String(length=24), nullable=True),
        sa.Column("last_activity_at", sa.String(length=24), nullable=True),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.Column("updated_at", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(
            ["ontology_pk"], ["ontologies.pk"], name=op.f("fk_projects_ontology_pk")
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_projects")),
        sa.UniqueConstraint("id", name=op.f("uq_projects_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_projects_name"), "projects", ["name"], unique=False)
    op.create_index(
        op.f("ix_projects_ontology_pk"), "projects", ["ontology_pk"], unique=False
    )
    op.create_table(
        "batches",
        sa.Column("pk", PK, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("project_pk", PK, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("consensus_settings", sa.Text(), nullable=True),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.Column("updated_at", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_pk"],
            ["projects.pk"],
            name=op.f("fk_batches_project_pk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_batches")),
        sa.UniqueConstraint("id", name=op.f("uq_batches_id")),
        sa.UniqueConstraint(
            "project_pk", "name", name=op.f("uq_batches_project_pk_name")
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "labels",
        sa.Column("pk", PK, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("project_pk", PK, nullable=False),
        sa.Column("row_pk", PK, nullable=False),
        sa.Column("content_pk", PK, nullable=False),
        sa.Column("benchmark", sa.Boolean(), nullable=False),
        sa.Column("created_by", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.Column("updated_at", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(
            ["content_pk"], ["label_contents.pk"], name=op.f("fk_labels_content_pk")
        ),
        sa.ForeignKeyConstraint(
            ["project_pk"],
            ["projects.pk"],
            name=op.f("fk_labels_project_pk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_labels")),
        sa.UniqueConstraint("id", name=op.f("uq_labels_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_labels_content_pk"), "labels", ["content_pk"], unique=False
    )
    op.create_index(
        op.f("ix_labels_project_pk_row_pk"),
        "labels",
        ["project_pk", "row_pk"],
        unique=False,
    )
    op.create_index(op.f("ix_labels_row_pk"), "labels", ["row_pk"], unique=False)
    op.create_table(
        "prelabels",
        sa.Column("project_pk", PK, nullable=False),
        sa.Column("row_pk", PK, nullable=False),
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_pk"],
            ["projects.pk"],
            name=op.f("fk_prelabels_project_pk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "project_pk", "row_pk", "uuid", name=op.f("pk_prelabels")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "row_embeddings",
        sa.Column("row_pk", PK, nullable=False),
        sa.Column("embedding", sa.Text(), nullable=False),
        sa.Column("vector", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["row_pk"],
            ["data_rows.pk"],
            name=op.f("fk_row_embeddings_row_pk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("row_pk", "embedding", name=op.f("pk_row_embeddings")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "slices",
        sa.Column("pk", PK, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("model_pk", PK, nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("filter", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.Column("updated_at", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(
            ["model_pk"],
            ["models.pk"],
            name=op.f("fk_slices_model_pk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_slices")),
        sa.UniqueConstraint("id", name=op.f("uq_slices_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_slices_model_pk"), "slices", ["model_pk"], unique=False)
    op.create_table(
        "task_queues",
        sa.Column("pk", PK, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("project_pk", PK, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_pk"],
            ["projects.pk"],
            name=op.f("fk_task_queues_project_pk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_task_queues")),
        sa.UniqueConstraint("id", name=op.f("uq_task_queues_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_task_queues_project_pk_pk"),
        "task_queues",
        ["project_pk", "pk"],
        unique=False,
    )
    op.create_table(
        "annotation_imports",
        sa.Column("pk", PK, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("run_pk", PK, nullable=True),
        sa.Column("project_pk", PK, nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("input_pk", PK, nullable=True),
        sa.Column("statuses_pk", PK, nullable=True),
        sa.Column("errors_pk", PK, nullable=True),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.Column("updated_at", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(
            ["errors_pk"], ["files.pk"], name=op.f("fk_annotation_imports_errors_pk")
        ),
        sa.ForeignKeyConstraint(
            ["input_pk"], ["files.pk"], name=op.f("fk_annotation_imports_input_pk")
        ),
        sa.ForeignKeyConstraint(
            ["project_pk"],
            ["projects.pk"],
            name=op.f("fk_annotation_imports_project_pk"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["run_pk"],
            ["model_runs.pk"],
            name=op.f("fk_annotation_imports_run_pk"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["statuses_pk"],
            ["files.pk"],
            name=op.f("fk_annotation_imports_statuses_pk"),
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_annotation_imports")),
        sa.UniqueConstraint("id", name=op.f("uq_annotation_imports_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_annotation_imports_errors_pk"),
        "annotation_imports",
        ["errors_pk"],
        unique=False,
    )
    op.create_index(
        op.f("ix_annotation_imports_input_pk"),
        "annotation_imports",
        ["input_pk"],
        unique=False,
    )
    op.create_index(
        op.f("ix_annotation_imports_project_pk_name"),
        "annotation_imports",
        ["project_pk", "name"],
        unique=False,
    )
    op.create_index(
        op.f("ix_annotation_imports_run_pk_name"),
        "annotation_imports",
        ["run_pk", "name"],
        unique=False,
    )
    op.create_index(
        op.f("ix_annotation_imports_state"),
        "annotation_imports",
        ["state"],
        unique=False,
    )
    op.create_index(
        op.f("ix_annotation_imports_statuses_pk"),
        "annotation_imports",
        ["statuses_pk"],
        unique=False,
    )
    op.create_table(
        "metrics",
        sa.Column("run_pk", PK, nullable=False),
        sa.Column("row_pk", PK, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("feature", sa.Text(), nullable=False),
        sa.Column("subclass", sa.Text(), nullable=False),
        sa.Column("aggregation", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_pk"],
            ["model_runs.pk"],
            name=op.f("fk_metrics_run_pk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "run_pk", "row_pk", "name", "feature", "subclass", name=op.f("pk_metrics")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "predictions",
        sa.Column("run_pk", PK, nullable=False),
        sa.Column("row_pk", PK, nullable=False),
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_pk"],
            ["model_runs.pk"],
            name=op.f("fk_predictions_run_pk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "run_pk", "row_pk", "uuid", name=op.f("pk_predictions")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "project_rows",
        sa.Column("project_pk", PK, nullable=False),
        sa.Column("row_pk", PK, nullable=False),
        sa.Column("batch_pk", PK, nullable=False),
        sa.Column("queue_pk", PK, nullable=True),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["batch_pk"], ["batches.pk"], name=op.f("fk_project_rows_batch_pk")
        ),
        sa.ForeignKeyConstraint(
            ["project_pk"],
            ["projects.pk"],
            name=op.f("fk_project_rows_project_pk"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["queue_pk"], ["task_queues.pk"], name=op.f("fk_project_rows_queue_pk")
        ),
        sa.PrimaryKeyConstraint("project_pk", "row_pk", name=op.f("pk_project_rows")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_project_rows_batch_pk"), "project_rows", ["batch_pk"], unique=False
    )

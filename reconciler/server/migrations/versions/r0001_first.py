"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "datasets",
        sa.Column(
            "pk", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.Column("updated_at", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_datasets")),
        sa.UniqueConstraint("id", name=op.f("uq_datasets_id")),
    )
    op.create_index(op.f("ix_datasets_name"), "datasets", ["name"], unique=False)
    op.create_table(
        "files",
        sa.Column(
            "pk", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_files")),
        sa.UniqueConstraint("id", name=op.f("uq_files_id")),
    )
    op.create_index(op.f("ix_files_sha256"), "files", ["sha256"], unique=False)
    op.create_table(
        "ontologies",
        sa.Column(
            "pk", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("media_type", sa.Text(), nullable=True),
        sa.Column("normalized", sa.Text(), nullable=False),
        sa.Column("object_count", sa.Integer(), nullable=False),
        sa.Column("classification_count", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.Column("updated_at", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_ontologies")),
        sa.UniqueConstraint("id", name=op.f("uq_ontologies_id")),
    )
    op.create_index(op.f("ix_ontologies_name"), "ontologies", ["name"], unique=False)
    op.create_table(
        "organizations",
        sa.Column(
            "pk", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.Column("updated_at", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_organizations")),
        sa.UniqueConstraint("id", name=op.f("uq_organizations_id")),
    )
    op.create_table(
        "secrets",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("value", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_secrets")),
    )
    op.create_table(
        "tasks",
        sa.Column(
            "pk", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("failed", sa.Boolean(), nullable=False),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.Column("updated_at", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_tasks")),
        sa.UniqueConstraint("id", name=op.f("uq_tasks_id")),
    )
    op.create_index(
        op.f("ix_tasks_type_created_at"), "tasks", ["type", "created_at"], unique=False
    )
    op.create_table(
        "users",
        sa.Column(
            "pk", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.Column("updated_at", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_users")),
        sa.UniqueConstraint("id", name=op.f("uq_users_id")),
    )
    op.create_table(
        "data_rows",
        sa.Column(
            "pk", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column(
            "dataset_pk",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("global_key", sa.Text(), nullable=True),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("row_data", sa.Text(), nullable=False),
        sa.Column(
            "file_pk",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
        ),
        sa.Column("media_attributes", sa.Text(), nullable=False),
        sa.Column("metadata_fields", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.Column("updated_at", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(
            ["dataset_pk"],
            ["datasets.pk"],
            name=op.f("fk_data_rows_dataset_pk"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["file_pk"], ["files.pk"], name=op.f("fk_data_rows_file_pk")
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_data_rows")),
        sa.UniqueConstraint("global_key", name=op.f("uq_data_rows_global_key")),
        sa.UniqueConstraint("id", name=op.f("uq_data_rows_id")),
    )
    op.create_index(
        op.f("ix_data_rows_dataset_pk_pk"),
        "data_rows",
        ["dataset_pk", "pk"],
        unique=False,
    )
    op.create_index(
        op.f("ix_data_rows_external_id"), "data_rows", ["external_id"], unique=False
    )
    op.create_index(
        op.f("ix_data_rows_file_pk"), "data_rows", ["file_pk"], unique=False
    )
    op.create_table(
        "export_chunks",
        sa.Column(
            "task_pk",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("first_byte", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("last_byte", sa.BigInteger(), nullable=False),
        sa.Column("first_line", sa.BigInteger(), nullable=False),
        sa.Column("last_line", sa.BigInteger(), nullable=False),
        sa.Column(
            "file_pk",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["file_pk"], ["files.pk"], name=op.f("fk_export_chunks_file_pk")
        ),
        sa.ForeignKeyConstraint(
            ["task_pk"],
            ["tasks.pk"],
            name=op.f("fk_export_chunks_task_pk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("task_pk", "first_byte", name=op.f("pk_export_chunks")),
    )
    op.create_index(
        op.f("ix_export_chunks_file_pk"), "export_chunks", ["file_pk"], unique=False
    )
    op.create_table(
        "import_failures",
        sa.Column(
            "pk", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column(
            "task_pk",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("spec", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["task_pk"],
            ["tasks.pk"],
            name=op.f("fk_import_failures_task_pk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_import_failures")),
    )
    op.create_index(
        op.f("ix_import_failures_task_pk_pk"),
        "import_failures",
        ["task_pk", "pk"],
        unique=False,
    )
    op.create_table(
        "models",
        sa.Column(
            "pk", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "ontology_pk",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(
            ["ontology_pk"], ["ontologies.pk"], name=op.f("fk_models_ontology_pk")
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_models")),
        sa.UniqueConstraint("id", name=op.f("uq_models_id")),
    )
    op.create_index(op.f("ix_models_name"), "models", ["name"], unique=False)
    op.create_index(
        op.f("ix_models_ontology_pk"), "models", ["ontology_pk"], unique=False
    )
    op.create_table(
        "attachments",
        sa.Column(
            "pk", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column(
            "row_pk",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column(
            "file_pk",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
        ),
        sa.ForeignKeyConstraint(
            ["file_pk"], ["files.pk"], name=op.f("fk_attachments_file_pk")
        ),
        sa.ForeignKeyConstraint(
            ["row_pk"],
            ["data_rows.pk"],
            name=op.f("fk_attachments_row_pk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_attachments")),
        sa.UniqueConstraint("id", name=op.f("uq_attachments_id")),
    )
    op.create_index(
        op.f("ix_attachments_file_pk"), "attachments", ["file_pk"], unique=False
    )
    op.create_index(
        op.f("ix_attachments_row_pk"), "attachments", ["row_pk"], unique=False
    )
    op.create_table(
        "import_successes",
        sa.Column(
            "task_pk",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column(
            "row_pk",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["row_pk"],
            ["data_rows.pk"],
            name=op.f("fk_import_successes_row_pk"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["task_pk"],
            ["tasks.pk"],
            name=op.f("fk_import_successes_task_pk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("task_pk", "row_pk", name=op.f("pk_import_successes")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_import_successes_row_pk"), "import_successes", ["row_pk"], unique=False
    )
    op.create_table(
        "model_runs",
        sa.Column(
            "pk", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column(
            "model_pk",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("config", sa.Text(), nullable=True),
        sa.Column("created_by", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.Column("updated_at", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(
            ["model_pk"],
            ["models.pk"],
            name=op.f("fk_model_runs_model_pk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("pk", name=op.f("pk_model_runs")),
        sa.UniqueConstraint("id", name=op.f("uq_model_runs_id")),
    )
    op.create_index(
        op.f("ix_model_runs_model_pk_name"),
        "model_runs",
        ["model_pk", "name"],
        unique=False,
    )
    op.create_table(
        "run_rows",
        sa.Column(
            "run_pk",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column(
            "row_pk",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=False,
        ),
        sa.Column("split", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_pk"],
            ["model_runs.pk"],
            name=op.f("fk_run_rows_run_pk"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("run_pk", "row_pk", name=op.f("pk_run_rows")),
        sqlite_with_rowid=False,
    )

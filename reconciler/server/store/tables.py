"""The store's tables.

Integers join and ids travel: every object has a `pk` for the database and an
`id` for clients. Moments are kept as the text that the API sends, which also
sorts; JSON is kept as text, for it is handed out as it came in.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite gives out row numbers only for columns of the type INTEGER.
Pk = BigInteger().with_variant(Integer, "sqlite")


def _pk() -> Column[int]:
    return Column("pk", Pk, primary_key=True)


def _id() -> Column[str]:
    return Column("id", String(36), nullable=False, unique=True)


def _moments() -> tuple[Column[str], Column[str]]:
    return (
        Column("created_at", String(24), nullable=False),
        Column("updated_at", String(24), nullable=False),
    )


def _refers(name: str, target: str, *, nullable: bool = False) -> Column[int]:
    return Column(
        name, Pk, ForeignKey(f"{target}.pk", ondelete="CASCADE"), nullable=nullable
    )


secrets = Table(
    "secrets",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", String(64), nullable=False),
)

organizations = Table(
    "organizations",
    metadata,
    _pk(),
    _id(),
    Column("name", Text, nullable=False),
    *_moments(),
)

users = Table(
    "users",
    metadata,
    _pk(),
    _id(),
    Column("email", Text, nullable=False),
    Column("name", Text, nullable=False),
    *_moments(),
)

files = Table(
    "files",
    metadata,
    _pk(),
    _id(),
    Column("sha256", String(64), nullable=False, index=True),
    Column("size", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("created_at", String(24), nullable=False),
)

datasets = Table(
    "datasets",
    metadata,
    _pk(),
    _id(),
    Column("name", Text, nullable=False, index=True),
    Column("description", Text, nullable=False),
    Column("deleted", Boolean, nullable=False),
    *_moments(),
)

# `row_data` is empty where `file_pk` says which of our own files is meant.
data_rows = Table(
    "data_rows",
    metadata,
    _pk(),
    _id(),
    _refers("dataset_pk", "datasets"),
    Column("global_key", Text, unique=True),
    Column("external_id", Text, index=True),
    Column("row_data", Text, nullable=False),
    Column("file_pk", Pk, ForeignKey("files.pk")),
    Column("media_attributes", Text, nullable=False),
    Column("metadata_fields", Text, nullable=False),
    *_moments(),
    Index(None, "dataset_pk", "pk"),
    Index(None, "file_pk"),
)

attachments = Table(
    "attachments",
    metadata,
    _pk(),
    _id(),
    _refers("row_pk", "data_rows"),
    Column("type", Text, nullable=False),
    Column("name", Text),
    Column("value", Text, nullable=False),
    Column("file_pk", Pk, ForeignKey("files.pk")),
    Index(None, "row_pk"),
    Index(None, "file_pk"),
)

ontologies = Table(
    "ontologies",
    metadata,
    _pk(),
    _id(),
    Column("name", Text, nullable=False, index=True),
    Column("description", Text),
    Column("media_type", Text),
    Column("normalized", Text, nullable=False),
    Column("object_count", Integer, nullable=False),
    Column("classification_count", Integer, nullable=False),
    *_moments(),
)

models = Table(
    "models",
    metadata,
    _pk(),
    _id(),
    Column("name", Text, nullable=False, index=True),
    Column("ontology_pk", Pk, ForeignKey("ontologies.pk"), nullable=False, index=True),
    Column("created_at", String(24), nullable=False),
)

model_runs = Table(
    "model_runs",
    metadata,
    _pk(),
    _id(),
    _refers("model_pk", "models"),
    Column("name", Text, nullable=False),
    Column("config", Text),
    Column("created_by", String(36), nullable=False),
    *_moments(),
    Index(None, "model_pk", "name"),
)

run_rows = Table(
    "run_rows",
    metadata,
    Column(
        "run_pk", Pk, ForeignKey("model_runs.pk", ondelete="CASCADE"), primary_key=True
    ),
    # Neither a foreign key nor an index: both would cost every row that enters a
    # run (5 times as much in a store of a million), to serve the deletion of data
    # rows, which takes memberships along itself; see `deletion`.
    Column("row_pk", Pk, primary_key=True),
    Column("split", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# `detail` is JSON that only the kind of task can read.
tasks = Table(
    "tasks",
    metadata,
    _pk(),
    _id(),
    Column("type", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("failed", Boolean, nullable=False),
    Column("error_message", Text),
    Column("detail", Text),
    *_moments(),
    Index(None, "type", "created_at"),
)

import_successes = Table(
    "import_successes",
    metadata,
    Column("task_pk", Pk, ForeignKey("tasks.pk", ondelete="CASCADE"), primary_key=True),
    Column(
        "row_pk", Pk, ForeignKey("data_rows.pk", ondelete="CASCADE"), primary_key=True
    ),
    Index(None, "row_pk"),
    sqlite_with_rowid=False,
)

import_failures = Table(
    "import_failures",
    metadata,
    _pk(),
    _refers("task_pk", "tasks"),
    Column("message", Text, nullable=False),
    Column("spec", Text, nullable=False),
    Index(None, "task_pk", "pk"),
)

# Ranges are inclusive at both ends, as they are on the wire.
export_chunks = Table(
    "export_chunks",
    metadata,
    Column("task_pk", Pk, ForeignKey("tasks.pk", ondelete="CASCADE"), primary_key=True),
    Column("first_byte", BigInteger, primary_key=True, autoincrement=False),
    Column("last_byte", BigInteger, nullable=False),
    Column("first_line", BigInteger, nullable=False),
    Column("last_line", BigInteger, nullable=False),
    Column("file_pk", Pk, ForeignKey("files.pk"), nullable=False, index=True),
)

"""The store's tables.

Integers join and ids travel: every object has a `pk` for the database and an
`id` for clients. Moments are kept as the text that the API sends, which also
sorts; JSON is kept as text, for it is handed out as it came in.

The numbers of some tables (`sqlite_autoincrement`) are never given out again. Of
the others SQLite gives out the highest anew once it is free: whoever holds such a
number beyond a transaction compares the id.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
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

# `kept` ones are named inside of a text that is kept, such as a line with a mask,
# which no column refers to.
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
    Column("kept", Boolean, nullable=False, server_default=false()),
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
    Column("status", Text),
    Column("status_error", Text),
    Column("status_metadata", Text),
    Column("created_by", String(36), nullable=False),
    *_moments(),
    Index(None, "model_pk", "name"),
)

# A run's label is a copy by reference: contents are never changed, and a label
# that is edited gets other contents. `label_id` may outlive the label.
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
    Column("label_id", String(36)),
    Column("content_pk", Pk),
    # Says which contents are still needed, and costs rows without a label nothing.
    Index(None, "content_pk", sqlite_where=text("content_pk IS NOT NULL")),
    sqlite_with_rowid=False,
)

# The uuid of a prediction is canonical text. `body` is the line of the import as
# it came in; rows have no foreign key for the reason that `run_rows` gives.
predictions = Table(
    "predictions",
    metadata,
    Column(
        "run_pk", Pk, ForeignKey("model_runs.pk", ondelete="CASCADE"), primary_key=True
    ),
    Column("row_pk", Pk, primary_key=True),
    Column("uuid", String(36), primary_key=True),
    Column("body", Text, nullable=False),
    sqlite_with_rowid=False,
)

# What a metric is not about (a feature, a subclass) is the empty text, and so is
# the name of one that has none: NULLs would make no key.
metrics = Table(
    "metrics",
    metadata,
    Column(
        "run_pk", Pk, ForeignKey("model_runs.pk", ondelete="CASCADE"), primary_key=True
    ),
    Column("row_pk", Pk, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("feature", Text, primary_key=True),
    Column("subclass", Text, primary_key=True),
    Column("aggregation", Text, nullable=False),
    Column("value", Text, nullable=False),
    sqlite_with_rowid=False,
)

# Root schema nodes: those that were made by themselves, and those that came with
# an ontology, which keeps its own copy in `ontologies.normalized`.
feature_schemas = Table(
    "feature_schemas",
    metadata,
    _pk(),
    _id(),
    Column("feature_schema_id", String(36), nullable=False, unique=True),
    Column("name", Text, nullable=False, index=True),
    Column("normalized", Text, nullable=False),
    *_moments(),
)

# The fields that an organisation has made; the reserved ones are in the code. The
# options of an enumeration have their field as parent.
metadata_schemas = Table(
    "metadata_schemas",
    metadata,
    _pk(),
    _id(),
    Column("parent_pk", Pk, ForeignKey("metadata_schemas.pk", ondelete="CASCADE")),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Index(None, "parent_pk"),
)

row_embeddings = Table(
    "row_embeddings",
    metadata,
    Column(
        "row_pk", Pk, ForeignKey("data_rows.pk", ondelete="CASCADE"), primary_key=True
    ),
    Column("embedding", Text, primary_key=True),
    Column("vector", Text, nullable=False),
    sqlite_with_rowid=False,
)

projects = Table(
    "projects",
    metadata,
    _pk(),
    _id(),
    Column("name", Text, nullable=False, index=True),
    Column("description", Text, nullable=False),
    Column("media_type", Text),
    Column("editor_task_type", Text),
    Column("audit_percentage", Float, nullable=False),
    Column("audit_labels", Integer, nullable=False),
    Column("benchmark", Boolean, nullable=False),
    Column("consensus", Boolean, nullable=False),
    Column("ontology_pk", Pk, ForeignKey("ontologies.pk"), index=True),
    Column("deleted", Boolean, nullable=False),
    Column("setup_at", String(24)),
    Column("last_activity_at", String(24)),
    *_moments(),
    sqlite_autoincrement=True,
)

task_queues = Table(
    "task_queues",
    metadata,
    _pk(),
    _id(),
    _refers("project_pk", "projects"),
    Column("name", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("type", Text, nullable=False),
    Index(None, "project_pk", "pk"),
    sqlite_autoincrement=True,
)

batches = Table(
    "batches",
    metadata,
    _pk(),
    _id(),
    _refers("project_pk", "projects"),
    Column("name", Text, nullable=False),
    Column("consensus_settings", Text),
    *_moments(),
    UniqueConstraint("project_pk", "name"),
    sqlite_autoincrement=True,
)

# A data row is in a project once, through one batch. Without a queue it is done.
project_rows = Table(
    "project_rows",
    metadata,
    Column(
        "project_pk",
        Pk,
        ForeignKey("projects.pk", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("row_pk", Pk, primary_key=True),
    Column("batch_pk", Pk, ForeignKey("batches.pk"), nullable=False),
    Column("queue_pk", Pk, ForeignKey("task_queues.pk")),
    Column("priority", Integer, nullable=False),
    Index(None, "batch_pk"),
    sqlite_with_rowid=False,
)

# A list of annotations in the words of an import, without ids of data rows.
# Nothing ever changes them. They are read by the ontology that they were made
# with, whatever their project has by then.
label_contents = Table(
    "label_contents",
    metadata,
    _pk(),
    Column("ontology_pk", Pk, ForeignKey("ontologies.pk"), index=True),
    Column("annotations", Text, nullable=False),
    Column("created_at", String(24), nullable=False),
)

labels = Table(
    "labels",
    metadata,
    _pk(),
    _id(),
    _refers("project_pk", "projects"),
    Column("row_pk", Pk, nullable=False),
    Column("content_pk", Pk, ForeignKey("label_contents.pk"), nullable=False),
    Column("benchmark", Boolean, nullable=False),
    Column("created_by", String(36), nullable=False),
    *_moments(),
    Index(None, "project_pk", "row_pk"),
    Index(None, "row_pk"),
    Index(None, "content_pk"),
    sqlite_autoincrement=True,
)

# Annotations that labellers find prepared; a row's are replaced by uuid.
prelabels = Table(
    "prelabels",
    metadata,
    Column(
        "project_pk",
        Pk,
        ForeignKey("projects.pk", ondelete="CASCADE"),
        primary_key=True,
    ),
    Column("row_pk", Pk, primary_key=True),
    Column("uuid", String(36), primary_key=True),
    Column("body", Text, nullable=False),
    sqlite_with_rowid=False,
)

# A job belongs to a run or to a project. The file of its input is kept as it came;
# `url` says where it came from if it was not uploaded here.
annotation_imports = Table(
    "annotation_imports",
    metadata,
    _pk(),
    _id(),
    Column("type", Text, nullable=False),
    Column("run_pk", Pk, ForeignKey("model_runs.pk", ondelete="CASCADE")),
    Column("project_pk", Pk, ForeignKey("projects.pk", ondelete="CASCADE")),
    Column("name", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("message", Text),
    Column("url", Text),
    Column("detail", Text),
    Column("input_pk", Pk, ForeignKey("files.pk")),
    Column("statuses_pk", Pk, ForeignKey("files.pk")),
    Column("errors_pk", Pk, ForeignKey("files.pk")),
    *_moments(),
    Index(None, "run_pk", "name"),
    Index(None, "project_pk", "name"),
    Index(None, "state"),
    Index(None, "input_pk"),
    Index(None, "statuses_pk"),
    Index(None, "errors_pk"),
    sqlite_autoincrement=True,
)

# A slice of a model's runs has a model, one of the catalog has none.
slices = Table(
    "slices",
    metadata,
    _pk(),
    _id(),
    Column("model_pk", Pk, ForeignKey("models.pk", ondelete="CASCADE"), index=True),
    Column("name", Text, nullable=False),
    Column("description", Text),
    Column("filter", Text, nullable=False),
    *_moments(),
    sqlite_autoincrement=True,
)

# `detail` is JSON that only the kind of task can read.
tasks = Table(
    "tasks",
    metadata,
    _pk(),
    _id(),
    Column("type", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("state", Text, nullable=False),
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
    Column("stream", String(6), primary_key=True),
    Column("first_byte", BigInteger, primary_key=True, autoincrement=False),
    Column("last_byte", BigInteger, nullable=False),
    Column("first_line", BigInteger, nullable=False),
    Column("last_line", BigInteger, nullable=False),
    Column("file_pk", Pk, ForeignKey("files.pk"), nullable=False, index=True),
)

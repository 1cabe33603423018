"""The shape of every kind of document, as pydantic models."""

from reconciler.manifest.schema.checks import (
    ChecksShape,
    Severity,
    Waivers,
    WaiverShape,
)
from reconciler.manifest.schema.dataset import (
    ColumnsShape,
    DataRowShape,
    DatasetFileShape,
    DatasetManifest,
)
from reconciler.manifest.schema.kinds import KINDS, AnyManifest, json_schema
from reconciler.manifest.schema.matrix import MatrixShape, Point
from reconciler.manifest.schema.ontology import (
    ClassificationShape,
    InnerClassificationShape,
    OntologyManifest,
    OptionShape,
    ToolShape,
)
from reconciler.manifest.schema.project import ProjectManifest
from reconciler.manifest.schema.rows import (
    DataRowsManifest,
    GroupShape,
    HashShape,
    MembersShape,
    RowFileShape,
    RowNames,
    SplitsShape,
)
from reconciler.manifest.schema.runs import (
    LabelsShape,
    ModelManifest,
    ModelRunManifest,
    RunConfigManifest,
    StatusShape,
)
from reconciler.manifest.schema.selections import ConditionShape, SelectShape
from reconciler.manifest.schema.shape import API_VERSION, Manifest, Shape
from reconciler.manifest.schema.uploads import (
    LineFileShape,
    MetricColumnsShape,
    MetricFileShape,
    MetricShape,
    MetricValue,
    WrittenMetricShape,
)
from reconciler.manifest.schema.workspace import WorkspaceManifest

__all__ = [
    "API_VERSION",
    "KINDS",
    "AnyManifest",
    "ChecksShape",
    "ClassificationShape",
    "ColumnsShape",
    "ConditionShape",
    "DataRowShape",
    "DataRowsManifest",
    "DatasetFileShape",
    "DatasetManifest",
    "GroupShape",
    "HashShape",
    "InnerClassificationShape",
    "LabelsShape",
    "LineFileShape",
    "Manifest",
    "MatrixShape",
    "MembersShape",
    "MetricColumnsShape",
    "MetricFileShape",
    "MetricShape",
    "MetricValue",
    "ModelManifest",
    "ModelRunManifest",
    "OntologyManifest",
    "OptionShape",
    "Point",
    "ProjectManifest",
    "RowFileShape",
    "RowNames",
    "RunConfigManifest",
    "SelectShape",
    "Severity",
    "Shape",
    "SplitsShape",
    "StatusShape",
    "ToolShape",
    "WaiverShape",
    "Waivers",
    "WorkspaceManifest",
    "WrittenMetricShape",
    "json_schema",
]

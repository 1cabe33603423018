"""The shape of every kind of document, as pydantic models.

Only what a single document can say about itself is checked here. Nothing is
coerced: the text "1" is no number. An optional field may be absent but never
null, so that a value somebody forgot to write isn't taken for a decision.
Descriptions and examples are for editors: they end in the JSON Schema.
"""

from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

from reconciler.manifest.fields import (
    GIVEN,
    AnySplit,
    HashedSplit,
    Name,
    NoRows,
    Slice,
    exactly_one,
    require_one,
)

API_VERSION: Final = "reconciler/v1"

MediaType: TypeAlias = Literal[
    "AUDIO",
    "CONVERSATIONAL",
    "HTML",
    "IMAGE",
    "LLM",
    "PDF",
    "POINT_CLOUD",
    "TEXT",
    "TMS_GEO",
    "TMS_SIMPLE",
    "VIDEO",
]
ToolType: TypeAlias = Literal[
    "edge",
    "line",
    "marker",
    "message-multi-selection",
    "message-ranking",
    "message-single-selection",
    "named-entity",
    "point",
    "polygon",
    "raster-segmentation",
    "rectangle",
    "superpixel",
]


class Shape(BaseModel):
    """What all shapes have in common."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        alias_generator=to_camel,
        # A shape is compiled when the first document of its kind is met.
        defer_build=True,
    )


class Manifest(Shape):
    """What all documents have in common."""

    api_version: Literal["reconciler/v1"] = Field(
        description="The version of these fields.", examples=[API_VERSION]
    )


# --- Workspace


class GuardShape(Shape):
    """A change above both numbers is held back until it is allowed."""

    model_config = ConfigDict(title="Guard")

    count: int = Field(
        default=100,
        ge=0,
        description="So many rows may always be removed.",
        examples=[100],
    )
    percent: float = Field(
        10,
        ge=0,
        le=100,
        description="So many percent of a run's rows may always be removed.",
        examples=[10],
    )


class GuardsShape(Shape):
    """What `apply` does only when it is allowed explicitly."""

    model_config = ConfigDict(title="Guards")

    rows_removed: GuardShape = Field(
        default=GuardShape.model_construct(count=100, percent=10),
        description="Rows removed from one run: blocked above both numbers.",
        examples=[{"count": 100, "percent": 10}],
    )


class LimitsShape(Shape):
    """How much is asked of the remote at a time."""

    model_config = ConfigDict(title="Limits")

    requests_per_minute: Annotated[int, Field(ge=1)] | None = Field(
        1500,
        description="Requests a minute; null for no limit of our own.",
        examples=[1500],
    )
    batch_size: int = Field(
        10_000,
        ge=1,
        description="Rows written by one request.",
        examples=[10_000],
    )
    page_size: int = Field(
        5000, ge=1, description="Rows read by one request.", examples=[5000]
    )
    export_above: int = Field(
        10_000,
        ge=0,
        description="Runs with more rows than this are read by an export.",
        examples=[10_000],
    )


class WorkspaceManifest(Manifest):
    """A workspace: which folders hold manifests, and what they are applied to."""

    model_config = ConfigDict(title="Workspace")

    kind: Literal["Workspace"] = Field(description="A workspace.")
    name: Name = Field(
        description="Names the workspace in the ledger.", examples=["vision"]
    )
    remote: Literal["local", "labelbox"] = Field(
        "local",
        description="`local` is the embedded server, `labelbox` is Labelbox.",
        examples=["local", "labelbox"],
    )
    folders: list[Name] = Field(
        default=["specs"],
        min_length=1,
        description="Folders of manifests, relative to this file.",
        examples=[["specs"]],
    )
    guards: GuardsShape = Field(
        default=GuardsShape.model_construct(),
        description="Changes that are held back until they are allowed.",
        examples=[{"rowsRemoved": {"count": 100, "percent": 10}}],
    )
    limits: LimitsShape = Field(
        default=LimitsShape.model_construct(),
        description="Numbers that rarely need another value.",
        examples=[{"requestsPerMinute": 1500}],
    )


# --- Ontology


class OptionShape(Shape):
    """One answer to a classification."""

    model_config = ConfigDict(title="Option")

    value: Name = Field(description="What is stored.", examples=["seven"])
    label: Annotated[Name | None, GIVEN] = Field(
        None,
        description="What people see; the value unless given.",
        examples=["Seven (7)"],
    )
    classifications: "list[InnerClassificationShape]" = Field(
        default=[],
        description="Asked when this option is chosen.",
        examples=[[{"type": "text", "name": "why"}]],
    )


class InnerClassificationShape(Shape):
    """A question about an object, or one that follows from an answer."""

    model_config = ConfigDict(title="InnerClassification")

    type: Literal["radio", "checklist", "text"] = Field(
        description="One option, any number of options, or free text.",
        examples=["radio"],
    )
    name: Name = Field(description="What annotations call it.", examples=["digit"])
    instructions: Annotated[Name | None, GIVEN] = Field(
        None,
        description="What people see; the name unless given.",
        examples=["Which digit is it?"],
    )
    required: bool = Field(
        default=False, description="Whether it must be answered.", examples=[True]
    )
    options: list[Name | OptionShape] = Field(
        default=[],
        description="The possible answers, of `radio` and `checklist` only.",
        examples=[["zero", "one"], [{"value": "0", "label": "zero"}]],
    )

    @model_validator(mode="after")
    def _options_where_they_belong(self) -> "InnerClassificationShape":
        if self.type == "text" and self.options:
            raise PydanticCustomError(
                "wrong-value", "has no use in a text", {"at": "options"}
            )
        if self.type != "text" and not self.options:
            raise PydanticCustomError(
                "missing-field",
                "needs `options`: it is of type {type}",
                {"type": self.type},
            )
        return self


class ClassificationShape(InnerClassificationShape):
    """A question about a data row."""

    model_config = ConfigDict(title="Classification")

    scope: Literal["global", "index"] = Field(
        "global",
        description="Asked once for all of it, or for each frame or page.",
        examples=["global"],
    )


class ToolShape(Shape):
    """A way to mark an object."""

    model_config = ConfigDict(title="Tool")

    tool: ToolType = Field(
        description="The tool, as the API spells it.", examples=["rectangle"]
    )
    name: Name = Field(description="What annotations call it.", examples=["car"])
    required: bool = Field(
        default=False, description="Whether one must be drawn.", examples=[False]
    )
    classifications: list[InnerClassificationShape] = Field(
        default=[],
        description="Asked about every object.",
        examples=[[{"type": "radio", "name": "color", "options": ["red", "blue"]}]],
    )


_ID: Final = "Pins the object, for names that several objects on the remote have."


class OntologyManifest(Manifest):
    """An ontology. Without tools and classifications: a reference to one."""

    model_config = ConfigDict(title="Ontology")

    kind: Literal["Ontology"] = Field(description="An ontology.")
    name: Name = Field(description="Its exact name.", examples=["digits"])
    id: Annotated[Name | None, GIVEN] = Field(
        None, description=_ID, examples=["cm0abcdefghijklmnopqrstuv"]
    )
    media_type: Annotated[MediaType | None, GIVEN] = Field(
        None, description="What it is for.", examples=["IMAGE"]
    )
    tools: Annotated[list[ToolShape] | None, GIVEN] = Field(
        None,
        description="Ways to mark objects.",
        examples=[[{"tool": "rectangle", "name": "car"}]],
    )
    classifications: Annotated[list[ClassificationShape] | None, GIVEN] = Field(
        None,
        description="Questions about a data row.",
        examples=[[{"type": "radio", "name": "digit", "options": ["zero", "one"]}]],
    )


# --- Dataset

_ROW_FILE: Final = (
    "Path relative to this manifest: .csv, .ndjson, .jsonl, .txt or .parquet."
)


class ColumnsShape(Shape):
    """Which column of the file says what."""

    model_config = ConfigDict(
        title="Columns", json_schema_extra=require_one("upload", "rowData")
    )

    global_key: str = Field(
        description="Holds the key that the data row is known by.",
        examples=["global_key"],
    )
    upload: Annotated[str | None, GIVEN] = Field(
        None,
        description="Holds the path of a file to upload, relative to the row file.",
        examples=["image"],
    )
    row_data: Annotated[str | None, GIVEN] = Field(
        None,
        description="Holds a URL or a text, as the API takes it.",
        examples=["url"],
    )
    external_id: Annotated[str | None, GIVEN] = Field(
        None, description="Holds your other name for it.", examples=["file_name"]
    )
    metadata: Annotated[dict[Name, str] | None, GIVEN] = Field(
        None,
        description="The column of each metadata field, by the field's name.",
        examples=[{"city": "city_column"}],
    )

    @model_validator(mode="after")
    def _one_content(self) -> "ColumnsShape":
        exactly_one(self, "upload", "row_data")
        return self


class DatasetFileShape(Shape):
    """A file of data rows."""

    model_config = ConfigDict(title="DatasetFile")

    file: Name = Field(
        description="Path relative to this manifest: .csv, .ndjson or .jsonl.",
        examples=["rows.csv"],
    )
    columns: Annotated[ColumnsShape | None, GIVEN] = Field(
        None,
        description="Which column says what. Without it an NDJSON file holds data "
        "rows as the SDK takes them: global_key, row_data, external_id, media_type, "
        "metadata_fields, attachments.",
        examples=[{"globalKey": "global_key", "upload": "image"}],
    )
    media_type: Annotated[MediaType | None, GIVEN] = Field(
        None,
        description="What the data rows are; the remote finds out unless given.",
        examples=["IMAGE"],
    )


class DatasetManifest(Manifest):
    """A dataset. Without files: a reference to one."""

    model_config = ConfigDict(
        title="Dataset",
        json_schema_extra={"dependentRequired": {"description": ["files"]}},
    )

    kind: Literal["Dataset"] = Field(description="A dataset.")
    name: Name = Field(description="Its exact name.", examples=["digits"])
    id: Annotated[Name | None, GIVEN] = Field(
        None, description=_ID, examples=["cm0abcdefghijklmnopqrstuv"]
    )
    description: Annotated[str | None, GIVEN] = Field(
        None, description="What its page says.", examples=["Handwritten digits"]
    )
    files: Annotated[
        Annotated[list[DatasetFileShape], Field(min_length=1)] | None, GIVEN
    ] = Field(
        None,
        description="Files of data rows, which are created and never deleted.",
        examples=[[{"file": "rows.ndjson"}]],
    )

    @model_validator(mode="after")
    def _a_reference_describes_nothing(self) -> "DatasetManifest":
        if self.description is not None and self.files is None:
            raise PydanticCustomError(
                "wrong-value",
                "has no use without `files`",
                {
                    "at": "description",
                    "advice": "leave it out: without files this is a reference to "
                    "a dataset that exists",
                },
            )
        return self


class _DataRowPart(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class AttachmentShape(_DataRowPart):
    """Something shown beside a data row."""

    type: Literal[
        "AUDIO",
        "CAMERA_IMAGE",
        "HTML",
        "IMAGE",
        "IMAGE_OVERLAY",
        "PDF_URL",
        "RAW_TEXT",
        "TEXT_URL",
        "VIDEO",
    ]
    value: str = Field(min_length=1)
    name: str | None = None


class MetadataShape(_DataRowPart):
    """A value of a metadata field, which is known by name or by schema id."""

    name: str | None = None
    schema_id: str | None = None
    value: str | int | float | bool

    @model_validator(mode="after")
    def _one_identity(self) -> "MetadataShape":
        if (self.name is None) == (self.schema_id is None):
            raise PydanticCustomError("row-invalid", "needs name or schema_id")
        return self


class DataRowShape(_DataRowPart):
    """A line of an NDJSON file without columns: a data row as the SDK takes it."""

    model_config = ConfigDict(defer_build=True)

    global_key: str
    row_data: Annotated[str, Field(min_length=1)] | dict[str, Any]
    external_id: str | None = None
    media_type: MediaType | None = None
    attachments: list[AttachmentShape] = []
    metadata_fields: list[MetadataShape] = []


# --- Model


class ModelManifest(Manifest):
    """A model: where runs that answer the same question are kept."""

    model_config = ConfigDict(title="Model")

    kind: Literal["Model"] = Field(description="A model.")
    name: Name = Field(description="Its exact name.", examples=["digits"])
    id: Annotated[Name | None, GIVEN] = Field(
        None, description=_ID, examples=["3e8c1f7a-0b1d-4c57-9a0e-5d0f4c1b2a39"]
    )
    ontology: Name = Field(
        description="Name of an Ontology document.", examples=["digits"]
    )


class RunConfigManifest(Manifest):
    """A config with a name, which runs may build on."""

    model_config = ConfigDict(title="RunConfig")

    kind: Literal["RunConfig"] = Field(description="A config with a name.")
    name: Name = Field(description="What runs call it.", examples=["shared"])
    config: dict[str, Any] = Field(
        description="Hyperparameters, of any form.", examples=[{"seed": 42}]
    )


# --- Rows


class RowFileShape(Shape):
    """A file that lists rows."""

    model_config = ConfigDict(title="RowFile")

    file: Name = Field(description=_ROW_FILE, examples=["rows.csv"])
    column: Annotated[str | None, GIVEN] = Field(
        None,
        description="Column that holds the names; text files have none.",
        examples=["global_key"],
    )


RowNames: TypeAlias = RowFileShape | list[str | RowFileShape]


class HashShape(Shape):
    """Splits that follow from a hash of each row's key, for ever."""

    model_config = ConfigDict(title="Hash")

    weights: dict[HashedSplit, float] = Field(
        description="Percent of each split; they sum to exactly 100.",
        examples=[{"TRAINING": 80, "VALIDATION": 10, "TEST": 10}],
    )
    salt: str = Field("", description="Another one deals anew.", examples=["v1"])
    group: Annotated[str | None, GIVEN] = Field(
        None,
        description="Column whose value keeps rows together in one split.",
        examples=["patient"],
    )


class SplitsShape(Shape):
    """How rows are split; what no split names is UNASSIGNED."""

    model_config = ConfigDict(
        title="Splits",
        json_schema_extra=require_one("column", "lists", "positions", "hash"),
    )

    column: Annotated[str | None, GIVEN] = Field(
        None, description="Column that holds the split.", examples=["split"]
    )
    lists: Annotated[dict[AnySplit, RowNames] | None, GIVEN] = Field(
        None,
        description="The rows of each split.",
        examples=[{"TEST": ["a", "b"]}],
    )
    positions: Annotated[dict[AnySplit, Slice] | None, GIVEN] = Field(
        None,
        description="A slice for each split, over the one list or file.",
        examples=[{"TRAINING": "[:80]", "TEST": "[80:]"}],
    )
    hash: Annotated[HashShape | None, GIVEN] = Field(
        None,
        description="Weights, by which a hash decides.",
        examples=[{"weights": {"TRAINING": 80, "TEST": 20}}],
    )

    @model_validator(mode="after")
    def _one_rule(self) -> "SplitsShape":
        exactly_one(self, "column", "lists", "positions", "hash")
        return self


class _Members(Shape):
    """The fields of a membership."""

    global_keys: Annotated[RowNames | None, GIVEN] = Field(
        None,
        description="Rows by global key: names, files that list them, or both.",
        examples=[["a", "b"], {"file": "rows.csv", "column": "global_key"}],
    )
    data_row_ids: Annotated[RowNames | None, GIVEN] = Field(
        None,
        description="Rows by data row id: ids, files that list them, or both.",
        examples=[{"file": "ids.txt"}],
    )
    splits: Annotated[SplitsShape | None, GIVEN] = Field(
        None,
        description="Which row is in which split; unmanaged unless given.",
        examples=[{"column": "split"}],
    )

    @model_validator(mode="after")
    def _one_identity(self) -> "_Members":
        exactly_one(self, "global_keys", "data_row_ids")
        return self


class MembersShape(_Members):
    """A membership written where it is used."""

    model_config = ConfigDict(
        title="Members", json_schema_extra=require_one("globalKeys", "dataRowIds")
    )


class DataRowsManifest(Manifest, _Members):
    """A membership with a name, which several runs may share."""

    model_config = ConfigDict(
        title="DataRows", json_schema_extra=require_one("globalKeys", "dataRowIds")
    )

    kind: Literal["DataRows"] = Field(description="A membership with a name.")
    name: Name = Field(description="What runs call it.", examples=["digits-80-20"])


# --- ModelRun


class ConfigFromShape(Shape):
    """A config that builds on a RunConfig."""

    model_config = ConfigDict(title="ConfigFrom")

    name: Name = Field(description="Name of a RunConfig.", examples=["shared"])
    set: dict[str, Any] = Field(
        default={},
        description="Laid over it: mappings are merged at any depth, lists and "
        "single values are replaced.",
        examples=[{"optimizer": {"lr": 1e-4}}],
    )


class ModelRunManifest(Manifest):
    """One training experiment of a model."""

    model_config = ConfigDict(
        title="ModelRun",
        json_schema_extra={"not": {"required": ["config", "configFrom"]}},
    )

    kind: Literal["ModelRun"] = Field(description="A run of a model.")
    model: Name = Field(description="Name of a Model document.", examples=["digits"])
    name: Name = Field(
        description="Its exact name, unique within the model.", examples=["svm-rbf"]
    )
    id: Annotated[Name | None, GIVEN] = Field(
        None, description=_ID, examples=["8d1f3d52-6c0b-4c0e-8a4e-2f0a3b1c9d77"]
    )
    config: Annotated[dict[str, Any] | None, GIVEN] = Field(
        None,
        description="Hyperparameters; {} resets them, absent leaves them alone.",
        examples=[{"lr": 1e-4, "seed": 42}],
    )
    config_from: Annotated[ConfigFromShape | None, GIVEN] = Field(
        None,
        description="Hyperparameters that build on a RunConfig.",
        examples=[{"name": "shared", "set": {"lr": 1e-4}}],
    )
    rows: Annotated[Name | MembersShape | NoRows | None, GIVEN] = Field(
        None,
        description="Name of a DataRows document, a membership, or [] for none; "
        "absent leaves the run's rows alone.",
        examples=["digits-80-20", {"globalKeys": ["a", "b"]}],
    )

    @model_validator(mode="after")
    def _one_config(self) -> "ModelRunManifest":
        if self.config is not None and self.config_from is not None:
            exactly_one(self, "config", "config_from")
        return self


AnyManifest: TypeAlias = (
    WorkspaceManifest
    | OntologyManifest
    | DatasetManifest
    | ModelManifest
    | RunConfigManifest
    | DataRowsManifest
    | ModelRunManifest
)

KINDS: Final[dict[str, type[AnyManifest]]] = {
    "Workspace": WorkspaceManifest,
    "Ontology": OntologyManifest,
    "Dataset": DatasetManifest,
    "Model": ModelManifest,
    "RunConfig": RunConfigManifest,
    "DataRows": DataRowsManifest,
    "ModelRun": ModelRunManifest,
}


def json_schema() -> dict[str, Any]:
    """Describe all kinds for editors, as JSON Schema (draft 2020-12)."""
    adapter: TypeAdapter[AnyManifest] = TypeAdapter(
        Annotated[AnyManifest, Field(discriminator="kind")]
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Manifests of {API_VERSION}",
        **_tidied(adapter.json_schema()),
    }


def _tidied(value: Any) -> Any:
    """Leave out what pydantic adds for itself: null defaults, titles of fields."""
    if isinstance(value, list):
        return list(map(_tidied, value))
    if not isinstance(value, dict):
        return value
    is_field = isinstance(value.get("description"), str) and "properties" not in value
    return {
        key: _tidied(item)
        for key, item in value.items()
        if not (key == "default" and item is None) and not (key == "title" and is_field)
    }

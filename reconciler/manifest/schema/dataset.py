"""The shape of datasets, and of the data rows that their files hold."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from reconciler.manifest.fields import GIVEN, Name, exactly_one, require_one
from reconciler.manifest.schema.shape import ID, Manifest, MediaType, Shape


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
        None, description=ID, examples=["cm0abcdefghijklmnopqrstuv"]
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

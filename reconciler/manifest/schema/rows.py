"""The shape of memberships: which data rows, in which split."""

from typing import Annotated, Final, Literal, TypeAlias

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from reconciler.manifest.fields import (
    GIVEN,
    AnySplit,
    Digest,
    HashedSplit,
    Name,
    Slice,
    exactly_one,
    needs,
    no_use,
    require_one,
)
from reconciler.manifest.schema.checks import WAIVERS, Waivers
from reconciler.manifest.schema.selections import SelectShape
from reconciler.manifest.schema.shape import Manifest, Shape

_ROW_FILE: Final = (
    "Path relative to this manifest: .csv, .ndjson, .jsonl, .txt or .parquet."
)


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
        description="Column, or metadata field of selected rows, whose value keeps "
        "rows together in one split.",
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


class MembersShape(_Members):
    """A membership written where it is used."""

    model_config = ConfigDict(
        title="Members", json_schema_extra=require_one("globalKeys", "dataRowIds")
    )

    @model_validator(mode="after")
    def _one_identity(self) -> "MembersShape":
        exactly_one(self, "global_keys", "data_row_ids")
        return self


class GroupShape(Shape):
    """What says that rows belong together, and so into one split."""

    model_config = ConfigDict(
        title="Group", json_schema_extra=require_one("column", "metadata")
    )

    column: Annotated[str | None, GIVEN] = Field(
        None,
        description="Column of the files that list the rows.",
        examples=["patient"],
    )
    metadata: Annotated[Name | None, GIVEN] = Field(
        None,
        description="Metadata field of the data rows.",
        examples=["patient"],
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> "GroupShape":
        exactly_one(self, "column", "metadata")
        return self


class DataRowsManifest(Manifest, _Members):
    """A membership with a name, which several runs may share."""

    model_config = ConfigDict(
        title="DataRows",
        json_schema_extra={
            **require_one("globalKeys", "dataRowIds", "select"),
            "dependentRequired": {"lock": ["select"], "frozen": ["digest"]},
        },
    )

    kind: Literal["DataRows"] = Field(description="A membership with a name.")
    name: Name = Field(description="What runs call it.", examples=["digits-80-20"])
    select: Annotated[SelectShape | None, GIVEN] = Field(
        None,
        description="Rows that a remote chooses, once: plans read only the lock.",
        examples=[{"dataset": "streets", "keys": "night-*"}],
    )
    lock: Annotated[Name | None, GIVEN] = Field(
        None,
        description="The lock of the selected rows, relative to this manifest; "
        "locks/rows/NAME.lock unless given.",
        examples=["night.lock"],
    )
    group: Annotated[GroupShape | None, GIVEN] = Field(
        None,
        description="Rows that belong together, and may not be in two splits.",
        examples=[{"column": "patient"}, {"metadata": "patient"}],
    )
    frozen: bool = Field(
        default=False,
        description="Whether the rows are for evaluation: what changes them is an "
        "error, and so is a model that is trained on them. Needs `digest`.",
        examples=[True],
    )
    digest: Annotated[Digest | None, GIVEN] = Field(
        None,
        description="What the membership must be: the hash of its rows and splits.",
        examples=["sha256:" + 64 * "0"],
    )
    waivers: Waivers = Field(
        default=[],
        description="Findings about these rows that are known and accepted.",
        examples=[WAIVERS],
    )

    @model_validator(mode="after")
    def _fields_fit_together(self) -> "DataRowsManifest":
        exactly_one(self, "global_keys", "data_row_ids", "select")
        if self.select is None:
            needs(self, "lock", "select")
        else:
            self._check_selected()
        if self.frozen and self.digest is None:
            raise PydanticCustomError(
                "missing-field",
                "needs `digest`: it is frozen",
                {
                    "advice": "write `sha256:` and 64 zeros: the error then says the right one"
                },
            )
        return self

    def _check_selected(self) -> None:
        """Check what only files have: columns, and an order."""
        for name in ("column", "positions"):
            if self.splits and getattr(self.splits, name) is not None:
                raise no_use("splits", "with `select`", advice="use `hash` or `lists`")
        if self.group and self.group.column is not None:
            raise no_use("group", "as a column of `select`", advice="use `metadata`")
        hashed = self.splits and self.splits.hash and self.splits.hash.group
        if self.group and hashed and self.group.metadata != hashed:
            raise no_use(
                "group",
                "beside another group of `splits.hash`",
                advice="rows have one group: name the same field in both",
            )

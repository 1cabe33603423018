"""The filter of a slice: clauses that all hold, in the words of the API's searches.

`[{"type": "dataset", "operator": "is", "ids": ["..."]}, {"type": "metric", ...}]`
"""

from typing import Annotated, Any, Final, Literal, TypeAlias

import msgspec

from reconciler.server.errors import bad_input

Order: TypeAlias = Literal[
    "is",
    "is_not",
    "less_than",
    "less_than_or_equal",
    "greater_than",
    "greater_than_or_equal",
]
"""How a value compares to the one that is asked for."""

Name: TypeAlias = Annotated[str, msgspec.Meta(min_length=1)]


class _Clause(
    msgspec.Struct, frozen=True, tag_field="type", forbid_unknown_fields=True
):
    pass


class Dataset(_Clause, frozen=True, tag="dataset"):
    """Data rows of one of these datasets."""

    ids: list[str]
    operator: Literal["is"] = "is"


class DataRowId(_Clause, frozen=True, tag="data_row_id"):
    """Data rows with one of these ids."""

    ids: list[str]
    operator: Literal["is"] = "is"


class GlobalKey(_Clause, frozen=True, tag="global_key"):
    """Data rows with one of these global keys."""

    ids: list[str]
    operator: Literal["is"] = "is"


class Metadata(_Clause, frozen=True, tag="metadata"):
    """Data rows with such a value in a metadata field; numbers compare as numbers."""

    name: Name
    value: str | float
    operator: Order = "is"


class DataSplit(_Clause, frozen=True, tag="data_split"):
    """Rows of a run in one of these splits."""

    values: list[Literal["TRAINING", "VALIDATION", "TEST", "UNASSIGNED"]]
    operator: Literal["is"] = "is"


class Label(_Clause, frozen=True, tag="label"):
    """Rows with a label or without: in the run, or in any project."""

    exists: bool = True


class Prediction(_Clause, frozen=True, tag="prediction"):
    """Rows of a run with predictions or without, of one feature or of any."""

    exists: bool = True
    feature: Name | None = None


class Metric(_Clause, frozen=True, tag="metric"):
    """Rows of a run with such a value of a scalar metric.

    Without a feature the metric of the row as a whole is meant.
    """

    name: Name
    value: float
    operator: Order = "is"
    feature: str = ""
    subclass: str = ""


OfRun: TypeAlias = DataSplit | Prediction | Metric
"""What only rows of a run have."""

Clause: TypeAlias = Dataset | DataRowId | GlobalKey | Metadata | Label | OfRun

KNOWN: Final = (
    "data_row_id",
    "data_split",
    "dataset",
    "global_key",
    "label",
    "metadata",
    "metric",
    "prediction",
)
"""The types of clauses."""


def read_clauses(given: object, *, of_run: bool) -> list[Clause]:
    """Understand a filter.

    Args:
        given: Clauses, as JSON has them.
        of_run: Whether it is about the rows of a run.

    Raises:
        ApiError: Naming the clause that isn't understood, and what would be.
    """
    try:
        clauses: list[Clause] = msgspec.convert(given, list[Clause])
    except msgspec.ValidationError as error:
        raise bad_input(
            f"the filter isn't understood: {error}; the types of clauses are"
            f" {', '.join(KNOWN)}"
        ) from error
    if not of_run:
        _refuse_of_run(clauses)
    return clauses


def _refuse_of_run(clauses: list[Clause]) -> None:
    for number, clause in enumerate(clauses):
        if isinstance(clause, OfRun):
            kind: Any = clause.__struct_config__.tag
            raise bad_input(
                f"the filter isn't understood: only rows of a run have what '{kind}'"
                f" asks for - at `$[{number}]`; make a slice of a model for it"
            )

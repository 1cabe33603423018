"""What reading a line gives: an annotation, a metric, or a refusal."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, TypeAlias

import msgspec

from reconciler.annotations.features import Feature
from reconciler.annotations.kinds import Kind
from reconciler.annotations.problems import Problem
from reconciler.annotations.rows import MetricValue, RowName

_SHOWN: Final = 20


class Aggregation(StrEnum):
    """How a metric's values become one for several rows or features."""

    ARITHMETIC_MEAN = "ARITHMETIC_MEAN"
    GEOMETRIC_MEAN = "GEOMETRIC_MEAN"
    HARMONIC_MEAN = "HARMONIC_MEAN"
    SUM = "SUM"
    CONFUSION_MATRIX = "CONFUSION_MATRIX"


class Ends(msgspec.Struct, frozen=True, gc=False):
    """What a relationship relates: canonical uuids of annotations.

    Attributes:
        source: None where a part of the ontology stands in for an annotation.
        target: Never None.
    """

    source: str | None
    target: str


class Annotation(msgspec.Struct, frozen=True, gc=False):
    """An annotation that can be kept.

    Attributes:
        line: The JSON as it came, without white space around it; `rows.decode`
            reads it.
        uuid: Canonical; None where the line has none.
        row: The data row, by id or by key, never by both.
        kind: What it is.
        feature: What it is made with; None for the masks of a video, whose
            instances name theirs.
        ends: What a relationship relates; None for other kinds.
        benchmark: Whether it belongs to the label that others are compared with.
    """

    line: bytes
    uuid: str | None
    row: RowName
    kind: Kind
    feature: Feature | None
    ends: Ends | None
    benchmark: bool


class MetricKey(msgspec.Struct, frozen=True, gc=False):
    """What a metric is of, in its data row: a later value replaces an earlier.

    Attributes:
        name: None where the line has none, as the SDK still allows.
        feature: None for the data row as a whole.
        subclass: A classification or option below the feature.
    """

    name: str | None
    feature: str | None
    subclass: str | None


class Metric(msgspec.Struct, frozen=True, gc=False):
    """A metric that can be kept.

    Attributes:
        row: The data row, by id or by key, never by both.
        key: What it is of.
        aggregation: CONFUSION_MATRIX where the values are counts.
        value: A number, four counts, or either by confidence.
        uuid: Canonical; None where the line has none, as is usual.
    """

    row: RowName
    key: MetricKey
    aggregation: Aggregation
    value: MetricValue
    uuid: str | None


class Refused(msgspec.Struct, frozen=True, gc=False):
    """A line that cannot be kept.

    Attributes:
        uuid: Canonical, or as it came where it is no uuid; None if unknown.
        row: As far as it can be made out; it may have both names, or none.
        problems: All that was found, at least one; of very many, the first.
    """

    uuid: str | None
    row: RowName | None
    problems: tuple[Problem, ...]


def refuse(
    uuid: str | None, row: RowName | None, problems: Sequence[Problem]
) -> Refused:
    """Refuse a line for its problems, of which as many are kept as anyone reads."""
    if len(problems) > _SHOWN:
        more = f"{len(problems) - _SHOWN} more problems in this line"
        problems = [*problems[:_SHOWN], Problem("MoreProblems", more)]
    return Refused(uuid, row, tuple(problems))


Checked: TypeAlias = Annotation | Metric | Refused

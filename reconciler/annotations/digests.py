"""All that a run has, as digests: what two runs share if they are the same.

Every part has a digest of its own, and every data row a hash for each of the
parts that hang on rows, so that what differs can be told apart and pointed at.

    config, ontology, status    of the canonical JSON
    members                     of sorted `row` lines
    splits                      of sorted `row<TAB>split` lines
    labels, predictions,        of sorted `row<TAB>hash` lines, where a row's
    metrics                     hash is of its sorted canonical contents

A row is named by its global key. What the contents are, and what they leave
out, `annotations.content` says: masks are compared by feature, not by pixels.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from heapq import nsmallest
from typing import Final, NamedTuple

from reconciler.rows.digest import digest_lines, digest_rows
from reconciler.state.canonical import JsonObject, canonicalise, digest
from reconciler.state.resources import RunStatus, Split

SAMPLES: Final = 10
"""How many of the rows that differ are named."""


class Part(StrEnum):
    """What a run has, in the order in which it is told."""

    CONFIG = "config"
    ONTOLOGY = "ontology"
    MEMBERS = "members"
    SPLITS = "splits"
    LABELS = "labels"
    PREDICTIONS = "predictions"
    METRICS = "metrics"
    STATUS = "status"


class RowFacts(NamedTuple):
    """What a run has of one data row.

    Attributes:
        split: Where it is.
        label: Hash of what its label says; None for a row without.
        predictions: Hash of its predictions, likewise.
        metrics: Hash of its metrics, likewise.
    """

    split: Split = Split.UNASSIGNED
    label: str | None = None
    predictions: str | None = None
    metrics: str | None = None


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a run has, or what is said that it should have.

    Attributes:
        said: The parts that are known; the others don't count.
        config: Hyperparameters, canonical.
        ontology: `{"mediaType", "schema"}`, see `state.ontology`.
        status: How far its training has come; None when nobody has said.
        rows: By name.
        label_ids: Its labels by id, for comparing those instead of contents.
    """

    said: frozenset[Part]
    config: JsonObject = field(default_factory=dict)
    ontology: JsonObject = field(default_factory=dict)
    status: RunStatus | None = None
    rows: Mapping[str, RowFacts] = field(default_factory=dict)
    label_ids: frozenset[str] | None = None

    def digests(self) -> dict[Part, str]:
        """Name every part that is known by `sha256:` and a hash."""
        return {part: self._digest(part) for part in Part if part in self.said}

    def _digest(self, part: Part) -> str:
        match part:
            case Part.CONFIG:
                return digest(self.config)
            case Part.ONTOLOGY:
                return digest(self.ontology)
            case Part.STATUS:
                return digest(status_fields(self.status))
            case Part.MEMBERS:
                return digest_lines(sorted(f"{name}\n" for name in self.rows))
            case Part.SPLITS:
                return digest_rows((name, row.split) for name, row in self.rows.items())
            case Part.LABELS if self.label_ids is not None:
                return digest_lines(f"{one}\n" for one in sorted(self.label_ids))
            case Part.LABELS | Part.PREDICTIONS | Part.METRICS:
                return digest_lines(
                    sorted(
                        f"{name}\t{found}\n"
                        for name, row in self.rows.items()
                        if (found := _of_row(row, part)) is not None
                    )
                )

    def as_said_by(self, other: "Facts") -> "Facts":
        """Leave out what another account of the run doesn't speak of."""
        status = self.status
        if status is not None and other.status is not None:
            named = other.status.metadata
            status = RunStatus(
                status.status,
                {key: status.metadata[key] for key in named if key in status.metadata},
                None if other.status.error_message is None else status.error_message,
            )
        ontology = self.ontology
        if other.ontology.get("mediaType") is None:
            ontology = {**ontology, "mediaType": None}
        return replace(
            self,
            said=other.said & self.said,
            ontology=ontology,
            status=status,
            label_ids=None if other.label_ids is None else self.label_ids,
        )


class Side(StrEnum):
    """One of two that are compared."""

    DECLARED = "declared"
    RUN = "run"


class RowDifference(NamedTuple):
    """A data row that isn't the same on both sides.

    Attributes:
        row: Its name.
        parts: What of it differs; `MEMBERS` alone when only one side has it.
        only: The side that has it, then.
    """

    row: str
    parts: tuple[Part, ...]
    only: Side | None = None


def differing_rows(
    declared: Facts, run: Facts, parts: Iterable[Part]
) -> tuple[int, tuple[RowDifference, ...]]:
    """Count the rows that differ in any of some parts, and name the first ten."""
    asked = [part for part in Part if part in frozenset(parts)]
    count = 0

    def found() -> Iterator[RowDifference]:
        nonlocal count
        for name in declared.rows.keys() | run.rows.keys():
            one, other = declared.rows.get(name), run.rows.get(name)
            if differing := _differing(one, other, asked):
                count += 1
                only = None
                if Part.MEMBERS in differing:
                    only = Side.RUN if one is None else Side.DECLARED
                yield RowDifference(name, differing, only)

    samples = tuple(nsmallest(SAMPLES, found()))
    return count, samples


def _differing(
    one: RowFacts | None, other: RowFacts | None, asked: Iterable[Part]
) -> tuple[Part, ...]:
    if Part.MEMBERS in asked and (one is None) != (other is None):
        return (Part.MEMBERS,)
    ours, theirs = one or RowFacts(), other or RowFacts()
    return tuple(part for part in asked if _of_row(ours, part) != _of_row(theirs, part))


def _of_row(row: RowFacts, part: Part) -> str | None:
    match part:
        case Part.SPLITS:
            return row.split
        case Part.LABELS:
            return row.label
        case Part.PREDICTIONS:
            return row.predictions
        case Part.METRICS:
            return row.metrics
        case _:
            return None


def status_fields(status: RunStatus | None) -> JsonObject | None:
    """Write a status as manifests do; None when nobody has said."""
    if status is None:
        return None
    said: JsonObject = {"status": status.status.value}
    if status.metadata:
        said["metadata"] = canonicalise(status.metadata)
    if status.error_message is not None:
        said["errorMessage"] = status.error_message
    return said

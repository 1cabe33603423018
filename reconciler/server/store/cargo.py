"""Annotations of data rows, made what another project understands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection, select

from reconciler.annotations.checked import Annotation
from reconciler.annotations.checking import Checker
from reconciler.annotations.features import Features
from reconciler.annotations.rules import Purpose, Rules
from reconciler.server.carrying import (
    Passage,
    carry,
    confidence_of,
    related,
    schema_ids,
)
from reconciler.server.conflicts import conflicting
from reconciler.server.errors import bad_input
from reconciler.server.lines import Line, Merge, body_of, line_of, lines_of
from reconciler.server.store.bulk import as_numbers, given
from reconciler.server.store.tables import label_contents, labels, predictions
from reconciler.server.store.targets import Target, project_target, run_target


@dataclass(frozen=True, slots=True)
class Source:
    """Where annotations come from.

    Attributes:
        owner: Id of the run whose predictions they are, or of the project whose
            labels they are.
        is_run: Which of the two.
        becomes: Schema ids, and those they become in the project.
        confidences: The least and the greatest confidence of a prediction.
        override: Whether they win over what the project has.
    """

    owner: str
    is_run: bool
    becomes: Mapping[str, str]
    confidences: tuple[float, float]
    override: bool


@dataclass(frozen=True, slots=True)
class Cargo:
    """Annotations of one source, as they come to the project.

    Attributes:
        goal: The project as it was when they were judged.
        lines: By number of the data row.
        left_out: How many have no place there.
        merge: How they come to those that a row has.
    """

    goal: Target
    lines: Mapping[int, Sequence[Line]]
    left_out: int
    merge: Merge


def load_cargo(
    db: Connection,
    source: Source,
    rows: Sequence[int],
    *,
    project: str,
    as_labels: bool,
) -> Cargo | None:
    """Read annotations of data rows, and translate them.

    Args:
        db: The transaction.
        source: Where they come from.
        rows: Numbers of data rows.
        project: Id of the project that they go to.
        as_labels: Whether they become labels there, and not pre-labels.

    Answers None where nothing is mapped, so that nothing can come along.

    Raises:
        ApiError: When the source or the project doesn't exist, or the mapping
            names what isn't in their ontologies.
    """
    target = _source(db, source)
    if not source.becomes:
        return None
    goal = project_target(db, project)
    _check_mapping(source.becomes, target, goal)
    features = Features.of(goal.ontology)
    passage = Passage(Features.of(target.ontology), features, source.becomes)
    checker = Checker(
        features,
        goal.media_type,
        Rules(),
        Purpose.LABEL if as_labels else Purpose.PRELABEL,
    )
    low, high = source.confidences
    lines: dict[int, Sequence[Line]] = {}
    count = kept = 0
    for row_pk, found in _annotations(db, source, target, rows).items():
        sure = [one for one in found if low <= confidence_of(one) <= high]
        carried = (carry(one, passage) for one in sure)
        lines[row_pk] = related(
            [one for one in carried if one is not None and _fits(one, checker)]
        )
        count += len(found)
        kept += len(lines[row_pk])
    merge = conflicting(features, override=source.override)
    return Cargo(goal, lines, count - kept, merge)


def _source(db: Connection, source: Source) -> Target:
    if source.is_run:
        return run_target(db, source.owner)
    return project_target(db, source.owner)


def _check_mapping(becomes: Mapping[str, str], source: Target, goal: Target) -> None:
    for asked, target, what in (
        (becomes.keys(), source, "source"),
        (becomes.values(), goal, "destination"),
    ):
        known = set(schema_ids(target.ontology))
        if missing := sorted(one for one in asked if one not in known):
            raise bad_input(
                f"the mapping names {', '.join(missing)}, which the ontology of the"
                f" {what} '{target.name}' doesn't have"
            )


def _annotations(
    db: Connection, source: Source, target: Target, rows: Sequence[int]
) -> dict[int, list[Line]]:
    chosen = given(as_numbers(rows))
    found: dict[int, list[Line]] = {}
    if source.is_run:
        predicted = select(
            predictions.c.row_pk, predictions.c.uuid, predictions.c.body
        ).where(predictions.c.run_pk == target.pk, predictions.c.row_pk.in_(chosen))
        for row_pk, uuid, body in db.execute(predicted):
            found.setdefault(row_pk, []).append(line_of(body, uuid))
        return found
    # A benchmark is no work of the project's, so it doesn't come along twice.
    labelled = (
        select(labels.c.row_pk, label_contents.c.annotations)
        .join(label_contents, labels.c.content_pk == label_contents.c.pk)
        .where(labels.c.project_pk == target.pk, labels.c.row_pk.in_(chosen))
        .order_by(labels.c.benchmark.desc(), labels.c.updated_at, labels.c.pk)
    )
    for row_pk, text in db.execute(labelled):
        found[row_pk] = lines_of(text)
    return found


def _fits(line: Line, checker: Checker) -> bool:
    # A checker wants to know of which row; any will do.
    row = msgspec.Raw(b'{"id":"any"}')
    return isinstance(
        checker.read(body_of({**line, "dataRow": row}).encode()), Annotation
    )

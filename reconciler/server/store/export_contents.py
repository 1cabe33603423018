"""What hangs on data rows, read for a whole batch of them at once.

Every function is given the numbers of a batch's rows in rising order. It may
answer for other rows too: where a batch is a close range, the range is read,
which takes a fraction of the time of looking up each row.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, select

from reconciler.server.store.bulk import listed
from reconciler.server.store.tables import (
    batches,
    label_contents,
    labels,
    metadata_schemas,
    metrics,
    predictions,
    project_rows,
    row_embeddings,
    run_rows,
    task_queues,
)

CLOSE: Final = 4
"""A range is close when it is at most so many times as long as the batch."""


class Place(NamedTuple):
    """A row's place in a run; its split is a place among `SPLITS`."""

    split: int
    label_id: str | None
    content_pk: int | None


class StoredMetric(NamedTuple):
    """A metric of a row in a run; the empty text stands for what it has none of."""

    name: str
    feature: str
    subclass: str
    aggregation: str
    value: str


class Membership(NamedTuple):
    """A row's place in a project; it is in no queue when it is done."""

    priority: int
    batch_id: str
    batch_name: str
    queue_type: str | None
    queue_id: str | None
    queue_name: str | None


class StoredContent(NamedTuple):
    """What a label says, and the number of the ontology that it is made with."""

    annotations: str
    ontology_pk: int | None


class StoredLabel(NamedTuple):
    """A label of a project, with what it says."""

    id: str
    benchmark: bool
    created_at: str
    updated_at: str
    content_created_at: str
    content: StoredContent


class StoredEmbedding(NamedTuple):
    """A vector of a row: its kind by id and name, and its numbers as JSON."""

    id: str
    name: str
    vector: str


def read_places(
    db: Connection, run_pk: int, row_pks: Sequence[int]
) -> Mapping[int, Place]:
    """Read which rows are in a run, by row."""
    query = select(
        run_rows.c.row_pk, run_rows.c.split, run_rows.c.label_id, run_rows.c.content_pk
    ).where(run_rows.c.run_pk == run_pk)
    return {
        row_pk: Place(*values)
        for row_pk, *values in _among(db, query, run_rows.c.row_pk, row_pks)
    }


def read_contents(
    db: Connection, content_pks: Sequence[int]
) -> Mapping[int, StoredContent]:
    """Read what labels say, by content."""
    if not content_pks:
        return {}
    query = select(
        label_contents.c.pk, label_contents.c.annotations, label_contents.c.ontology_pk
    )
    found = _among(db, query, label_contents.c.pk, sorted(content_pks))
    return {pk: StoredContent(*said) for pk, *said in found}


def read_predictions(
    db: Connection, run_pk: int, row_pks: Sequence[int]
) -> Mapping[int, Sequence[tuple[str, str]]]:
    """Read the predictions of a run by row, each its uuid and its line."""
    query = (
        select(predictions.c.row_pk, predictions.c.uuid, predictions.c.body)
        .where(predictions.c.run_pk == run_pk)
        .order_by(predictions.c.row_pk, predictions.c.uuid)
    )
    found = defaultdict(list)
    for row_pk, uuid, body in _among(db, query, predictions.c.row_pk, row_pks):
        found[row_pk].append((uuid, body))
    return found


def read_metrics(
    db: Connection, run_pk: int, row_pks: Sequence[int]
) -> Mapping[int, Sequence[StoredMetric]]:
    """Read the metrics of a run, by row."""
    query = (
        select(
            metrics.c.row_pk,
            metrics.c.name,
            metrics.c.feature,
            metrics.c.subclass,
            metrics.c.aggregation,
            metrics.c.value,
        )
        .where(metrics.c.run_pk == run_pk)
        .order_by(*metrics.primary_key)
    )
    found = defaultdict(list)
    for row_pk, *values in _among(db, query, metrics.c.row_pk, row_pks):
        found[row_pk].append(StoredMetric(*values))
    return found


def read_memberships(
    db: Connection, project_pk: int, row_pks: Sequence[int]
) -> Mapping[int, Membership]:
    """Read which rows are in a project, by row."""
    query = (
        select(
            project_rows.c.row_pk,
            project_rows.c.priority,
            batches.c.id,
            batches.c.name,
            task_queues.c.type,
            task_queues.c.id,
            task_queues.c.name,
        )
        .join(batches, project_rows.c.batch_pk == batches.c.pk)
        .outerjoin(task_queues, project_rows.c.queue_pk == task_queues.c.pk)
        .where(project_rows.c.project_pk == project_pk)
    )
    return {
        row_pk: Membership(*values)
        for row_pk, *values in _among(db, query, project_rows.c.row_pk, row_pks)
    }


def read_labels(
    db: Connection, project_pk: int, row_pks: Sequence[int]
) -> Mapping[int, Sequence[StoredLabel]]:
    """Read the labels of a project by row, the oldest first."""
    query = (
        select(
            labels.c.row_pk,
            labels.c.id,
            labels.c.benchmark,
            labels.c.created_at,
            labels.c.updated_at,
            label_contents.c.created_at,
            label_contents.c.annotations,
            label_contents.c.ontology_pk,
        )
        .join(label_contents, labels.c.content_pk == label_contents.c.pk)
        .where(labels.c.project_pk == project_pk)
        .order_by(labels.c.row_pk, labels.c.pk)
    )
    found = defaultdict(list)
    for row_pk, *values, annotations, ontology_pk in _among(
        db, query, labels.c.row_pk, row_pks
    ):
        said = StoredContent(annotations, ontology_pk)
        found[row_pk].append(StoredLabel._make([*values, said]))
    return found


def read_embeddings(
    db: Connection, row_pks: Sequence[int]
) -> Mapping[int, Sequence[StoredEmbedding]]:
    """Read the vectors of rows, by row."""
    query = (
        select(
            row_embeddings.c.row_pk,
            row_embeddings.c.embedding,
            metadata_schemas.c.name,
            row_embeddings.c.vector,
        )
        .outerjoin(
            metadata_schemas, metadata_schemas.c.id == row_embeddings.c.embedding
        )
        .order_by(*row_embeddings.primary_key)
    )
    found = defaultdict(list)
    for row_pk, identifier, name, vector in _among(
        db, query, row_embeddings.c.row_pk, row_pks
    ):
        found[row_pk].append(StoredEmbedding(identifier, name or identifier, vector))
    return found


def _among(
    db: Connection, query: Select[Any], column: ColumnElement[int], pks: Sequence[int]
) -> Iterator[Any]:
    first, last = pks[0], pks[-1]
    if last - first < CLOSE * len(pks):
        return iter(db.execute(query.where(column.between(first, last))))
    names = select(listed("numbers").c.value)
    parameters = {"numbers": msgspec.json.encode(pks).decode()}
    return iter(db.execute(query.where(column.in_(names)), parameters))

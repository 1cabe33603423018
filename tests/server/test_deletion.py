"""A data row that is deleted is gone everywhere."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from sqlalchemy import func, select

from reconciler.annotations.checked import Aggregation, Metric, MetricKey
from reconciler.annotations.rows import RowName
from reconciler.server.store import deletion
from reconciler.server.store.database import Store
from reconciler.server.store.experiments import run_number
from reconciler.server.store.metrics import put_metrics
from reconciler.server.store.predictions import put_predictions
from reconciler.server.store.prelabels import put_prelabels
from reconciler.server.store.projects import project_number
from reconciler.server.store.tables import (
    data_rows,
    label_contents,
    labels,
    metrics,
    predictions,
    prelabels,
    project_rows,
    run_rows,
)
from tests.support.labelling import box, make_batch, make_project, put, uuid

Gql = Callable[..., Any]

TABLES = (
    data_rows,
    run_rows,
    predictions,
    metrics,
    project_rows,
    labels,
    label_contents,
    prelabels,
)


def counts(store: Store) -> dict[str, int]:
    """Count what is kept of data rows."""
    with store.read() as db:
        return {
            table.name: db.execute(select(func.count()).select_from(table)).scalar_one()
            for table in TABLES
        }


@pytest.fixture
def full(
    gql: Gql, store: Store, run: str, keys: Sequence[str], register: Gql
) -> Sequence[str]:
    """Have two rows of everything in a run and in a project, by their keys."""
    chosen = keys[:2]
    register(globalKeys=chosen)
    project = make_project(gql)
    make_batch(gql, project, chosen)
    put(store, project, {key: [box(n)] for n, key in enumerate(chosen)})
    gql(
        "mutation P($m: ID!, $p: ID!) { createMEAModelRunProjectLabelRegistrationTask("
        "where: {modelRunId: $m, projectId: $p}) }",
        m=run,
        p=project,
    )
    # Now the run has contents that no label has any more.
    put(store, project, {key: [box(10)] for key in chosen})
    with store.write() as db:
        query = select(data_rows.c.global_key, data_rows.c.pk)
        numbers = dict(db.execute(query).all())
        run_pk, project_pk = run_number(db, run), project_number(db, project)
        lines = [(numbers[key], uuid(1), "{}") for key in chosen]
        put_predictions(db, run_pk, lines)
        put_prelabels(db, project_pk, lines)
        put_metrics(db, run_pk, [(numbers[key], _metric(key)) for key in chosen])
    return chosen


def _metric(key: str) -> Metric:
    return Metric(
        row=RowName(global_key=key),
        key=MetricKey("blur", None, None),
        aggregation=Aggregation.SUM,
        value=1.0,
        uuid=None,
    )


@pytest.mark.parametrize("lookups", [1_000_000, 0], ids=["looked up", "walked"])
def test_a_deleted_row_leaves_every_table(
    gql: Gql,
    store: Store,
    full: Sequence[str],
    ids: Mapping[str, str],
    monkeypatch: pytest.MonkeyPatch,
    lookups: int,
) -> None:
    monkeypatch.setattr(deletion, "LOOKUPS", lookups)
    before = counts(store)

    gql(
        "mutation D($ids: [ID!]!) { deleteDataRows(where: {dataRowIds: $ids}) { id } }",
        ids=[ids[full[0]], "gone"],
    )

    assert before == {
        "data_rows": 10,
        "run_rows": 2,
        "predictions": 2,
        "metrics": 2,
        "project_rows": 2,
        "labels": 2,
        "label_contents": 4,
        "prelabels": 2,
    }
    assert counts(store) == {
        "data_rows": 9,
        "run_rows": 1,
        "predictions": 1,
        "metrics": 1,
        "project_rows": 1,
        "labels": 1,
        "label_contents": 2,
        "prelabels": 1,
    }


def test_a_deleted_dataset_leaves_nothing(
    gql: Gql, store: Store, full: Sequence[str], dataset: str
) -> None:
    gql(
        "mutation D($d: ID!) { updateDataset(where: {id: $d} data: {deleted: true})"
        " { id } }",
        d=dataset,
    )

    assert set(counts(store).values()) == {0}


def test_a_row_taken_out_of_a_run_leaves_nothing_there(
    gql: Gql, store: Store, run: str, full: Sequence[str], ids: Mapping[str, str]
) -> None:
    gql(
        "mutation D($m: ID!, $r: [ID!]!) { deleteModelRunDataRows("
        "where: {modelRunId: $m, dataRowIds: $r}) }",
        m=run,
        r=[ids[full[0]]],
    )

    assert counts(store) == {
        "data_rows": 10,
        "run_rows": 1,
        "predictions": 1,
        "metrics": 1,
        "project_rows": 2,
        "labels": 2,
        "label_contents": 3,
        "prelabels": 2,
    }

"""How the store is asked, where the time shall not grow with what isn't asked for."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import Select, event, select
from sqlalchemy.engine import Engine

from reconciler.server.clauses import Label
from reconciler.server.store.database import Store
from reconciler.server.store.export_search import last_activity
from reconciler.server.store.searches import matching
from reconciler.server.store.tables import data_rows
from tests.support.labelling import box, make_batch, make_project, put

Gql = Callable[..., Any]

QUERIES: dict[str, Callable[[], Select[Any]]] = {
    "has a label": lambda: select(data_rows.c.pk).where(
        matching([Label()], in_run=False)
    ),
    "last activity": lambda: select(data_rows.c.pk, last_activity()),
}


@pytest.mark.parametrize("name", QUERIES)
def test_the_labels_of_a_row_are_searched_by_the_row(store: Store, name: str) -> None:
    query = QUERIES[name]()

    with store.read() as db:
        text = query.compile(db, compile_kwargs={"literal_binds": True})
        plan = db.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}").all()

    steps = [step[-1] for step in plan if "labels" in step[-1]]
    assert steps
    assert all("INDEX ix_labels_row_pk (row_pk=?)" in step for step in steps), plan


@pytest.fixture
def statements(gql: Gql) -> Callable[..., int]:
    """Count the statements that a query takes."""

    def count(query: str, **variables: Any) -> int:
        seen: list[str] = []

        def note(_conn: object, _cursor: object, text: str, *_: object) -> None:
            seen.append(text)

        event.listen(Engine, "before_cursor_execute", note)
        try:
            gql(query, **variables)
        finally:
            event.remove(Engine, "before_cursor_execute", note)
        return len(seen)

    return count


def test_the_attachments_of_a_page_are_read_at_once(
    register: Gql, statements: Callable[..., int], keys: Sequence[str], run: str
) -> None:
    register(globalKeys=keys)
    read = (
        "query G($run: ID!, $first: Int) { annotationGroups(where: {modelRunId:"
        " {id: $run}}, first: $first) { nodes { dataRow { attachments { id } } } } }"
    )

    assert statements(read, run=run, first=10) == statements(read, run=run, first=1)


@pytest.mark.parametrize(
    "selection",
    [
        "labels(first: %d) { project { labelCount } }",
        "labels(first: %d) { createdBy { id } dataRow { createdBy { id } } }",
        "labels(first: %d) { dataRow { attachments { id } } }",
        "benchmarks(first: %d) { referenceLabel { label } }",
        "benchmarks(first: %d) { referenceLabel { dataRow { id } } }",
    ],
)
def test_what_labels_refer_to_is_read_at_once(
    gql: Gql,
    store: Store,
    statements: Callable[..., int],
    keys: Sequence[str],
    selection: str,
) -> None:
    project = make_project(gql)
    make_batch(gql, project, keys)
    put(store, project, {key: [box(1)] for key in keys}, benchmark=True)

    def taken(first: int) -> int:
        asked = selection.replace("%d", str(first))
        query = f"query P($p: ID!) {{ project(where: {{id: $p}}) {{ {asked} }} }}"
        return statements(query, p=project)

    assert taken(10) == taken(1)

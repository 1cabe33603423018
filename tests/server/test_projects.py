"""Projects: created, found, changed, set up, deleted."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from sqlalchemy import func, select

from reconciler.server.store.database import Store
from reconciler.server.store.tables import (
    batches,
    label_contents,
    labels,
    prelabels,
    project_rows,
    task_queues,
)
from tests.support.labelling import box, make_batch, make_project, put

Gql = Callable[..., Any]

UPDATE = (
    "mutation U($p: ID!, $data: UpdateProjectInput!)"
    " { updateProject(where: {id: $p}, data: $data) { id name description } }"
)
PROJECT = "query P($id: ID!) { project(where: {id: $id}) { name } }"
CONNECT = (
    "mutation C($p: ID!, $o: ID!) { project(where: {id: $p})"
    " { connectOntology(ontologyId: $o) { id ontology { id } setupComplete } } }"
)


def ontology_of(gql: Gql, media_type: str | None) -> str:
    """Make an ontology and know its id."""
    made = gql(
        "mutation O($m: MediaType) { upsertOntology(data:"
        ' {name: "o", normalized: "{}", mediaType: $m}) { id } }',
        m=media_type,
    )
    identifier: str = made["upsertOntology"]["id"]
    return identifier


def test_projects_are_listed_by_the_grammar_of_generic_queries(gql: Gql) -> None:
    for name in ["b", "c", "a"]:
        make_project(gql, name)
    gql(UPDATE, p=make_project(gql, "d"), data={"deleted": True})
    query = (
        "query G($p0: String!, $p1: Boolean!) { projects(where: {AND: [{name_not: $p0}"
        " {deleted: $p1}]}, skip: 0, first: 100) { name } }"
    )
    ordered = (
        "{ projects(where: {deleted: false}, orderBy: name_ASC, skip: 1, first: 1)"
        " { name } }"
    )

    assert gql(query, p0="c", p1=False)["projects"] == [{"name": "a"}, {"name": "b"}]
    assert gql(query, p0="c", p1=True)["projects"] == [{"name": "d"}]
    assert gql(ordered)["projects"] == [{"name": "b"}]


def test_what_an_update_leaves_out_stays(gql: Gql) -> None:
    project = make_project(gql, "before")
    gql(UPDATE, p=project, data={"description": "d"})

    changed = gql(UPDATE, p=project, data={"name": "after", "description": None})

    assert changed["updateProject"] == {
        "id": project,
        "name": "after",
        "description": "d",
    }


@pytest.mark.parametrize("media_type", ["IMAGE", "UNKNOWN", None])
def test_an_ontology_that_fits_is_connected(
    gql: Gql, clock: Any, media_type: str | None
) -> None:
    project, ontology = make_project(gql), ontology_of(gql, media_type)

    first = gql(CONNECT, p=project, o=ontology)["project"]["connectOntology"]
    clock.seconds += 60
    again = gql(CONNECT, p=project, o=ontology)["project"]["connectOntology"]

    assert first == again
    assert first["ontology"] == {"id": ontology}
    assert first["setupComplete"] == "2030-03-17T17:46:40.250Z"


def test_an_ontology_of_another_medium_is_refused(gql: Gql, refused: Gql) -> None:
    project = make_project(gql)

    assert refused(CONNECT, p=project, o=ontology_of(gql, "TEXT")) == (
        "BAD_USER_INPUT",
        "the project is about IMAGE and the ontology about TEXT;"
        " connect an ontology of the project's media type, or of none",
    )
    assert refused(CONNECT, p=project, o="gone") == (
        "RESOURCE_NOT_FOUND",
        "Ontology 'gone' not found",
    )


def test_the_editor_is_there_from_the_start(gql: Gql, refused: Gql) -> None:
    project = make_project(gql)
    (editor,) = gql(
        '{ labelingFrontends(where: {AND: [{name: "Editor"} {deleted: false}]}'
        " skip: 0 first: 100) { id name description iframeUrlPath } }"
    )["labelingFrontends"]
    options = (
        "mutation O($p: ID!, $e: ID!, $c: String!) { createLabelingFrontendOptions("
        "data: {project: {connect: {id: $p}} labelingFrontend: {connect: {id: $e}}"
        " customizationOptions: $c}) { customizationOptions id } }"
    )
    connect = (
        "mutation C($p: ID!, $e: ID!) { updateProject(where: {id: $p} data:"
        " {labelingFrontend: {connect: {id: $e}}}) { labelingFrontend { id } } }"
    )

    kept = gql(options, p=project, e=editor["id"], c="{}")
    connected = gql(connect, p=project, e=editor["id"])["updateProject"]

    assert kept["createLabelingFrontendOptions"]["customizationOptions"] == "{}"
    assert connected == {"labelingFrontend": {"id": editor["id"]}}
    assert len(editor["id"]) == 25
    assert gql('{ labelingFrontends(where: {name: "x"}) { id } }') == {
        "labelingFrontends": []
    }
    assert refused(connect, p=project, e="x")[0] == "RESOURCE_NOT_FOUND"


def test_a_deleted_project_leaves_nothing_behind(
    gql: Gql, refused: Gql, store: Store, keys: Sequence[str]
) -> None:
    project = make_project(gql)
    batch = make_batch(gql, project, keys)["batch"]["id"]
    put(store, project, {keys[0]: [box(1)], keys[1]: [box(2)]})
    gql(
        "mutation T($p: ID!, $b: ID!) { project(where: {id: $p}) { deleteBatchLabels("
        "batchId: $b, data: {type: RequeueDataWithLabelAsTemplate})"
        " { deletedLabelIds } } }",
        p=project,
        b=batch,
    )
    put(store, project, {keys[0]: [box(3)]})

    gql(UPDATE, p=project, data={"deleted": True})

    assert refused(PROJECT, id=project)[0] == "RESOURCE_NOT_FOUND"
    assert refused(UPDATE, p=project, data={"name": "x"})[0] == "RESOURCE_NOT_FOUND"
    tables = (batches, label_contents, labels, prelabels, project_rows, task_queues)
    with store.read() as db:
        counts = [
            db.execute(select(func.count()).select_from(table)).scalar_one()
            for table in tables
        ]
    assert counts == [0, 0, 0, 0, 0, 0]


def test_arguments_deep_in_a_selection_are_read_as_those_at_the_top(
    gql: Gql, refused: Gql, store: Store, keys: Sequence[str]
) -> None:
    project = make_project(gql)
    batch = make_batch(gql, project, keys[:2])["batch"]["id"]
    put(store, project, {keys[0]: [box(1)]})

    def read(selection: str) -> Any:
        query = f"query P($id: ID!) {{ project(where: {{id: $id}}) {{ {selection} }} }}"
        return gql(query, id=project)["project"]

    one = read('batches(first: "1") { nodes { name } }')
    counted = read(f'workstreamStateCounts(batchIds: "{batch}") {{ count }}')
    labelled = read("labels(where: {dataRow: {dataset: {id_in: 7}}}) { id }")
    code, message = refused(
        "query P($id: ID!) { project(where: {id: $id}) { batches(first: {a: 1})"
        " { nodes { name } } } }",
        id=project,
    )

    assert one == {"batches": {"nodes": [{"name": "b"}]}}
    assert counted["workstreamStateCounts"][0] == {"count": 2}
    assert labelled == {"labels": []}
    assert (code, message) == ("BAD_USER_INPUT", "first: { a: 1 } is no PageSize")


def test_a_project_of_no_medium_takes_any_ontology(gql: Gql) -> None:
    made = gql('mutation { createProject(data: {name: "p"}) { id } }')
    ontology = ontology_of(gql, "TEXT")

    found = gql(CONNECT, p=made["createProject"]["id"], o=ontology)

    assert found["project"]["connectOntology"]["ontology"] == {"id": ontology}


def test_editors_are_paged_as_all_lists_are(gql: Gql, refused: Gql) -> None:
    assert gql("{ labelingFrontends(skip: 1) { id } }")["labelingFrontends"] == []
    assert refused("{ labelingFrontends(skip: -1) { id } }") == (
        "BAD_USER_INPUT",
        "skip must not be negative",
    )

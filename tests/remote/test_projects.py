"""Projects: their editor, their ontology, their batches."""

from typing import Any

import httpx
import pytest

from reconciler.api import documents
from reconciler.plan.steps import BatchRows, ConnectOntology, CreateProject
from reconciler.ports import Incomplete, InDoubt, NotFound, RemoteError
from reconciler.remote.errors import Refused
from reconciler.state.address import RemoteId, project_address
from tests.remote.said import BAD_GATEWAY, IDS, ONTOLOGY
from tests.remote.wire import Answer, Wire, refusal

PROJECT = project_address("digits")
KNOWN = {**IDS, PROJECT: RemoteId("p1")}
CONNECT = ConnectOntology(PROJECT, ONTOLOGY)
BATCH = BatchRows(PROJECT, "b", ("a", "b"))


def connecting(ontology: str | None, editor: str | None, *editors: str) -> Wire:
    wire = Wire()
    told = ontology and {"id": ontology}
    wire.on(documents.PROJECT_ONTOLOGY, {"project": {"ontology": told}})
    frontend = editor and {"id": editor}
    wire.on(documents.PROJECT_EDITOR, {"project": {"labelingFrontend": frontend}})
    listed = [{"id": one} for one in editors]
    wire.on(documents.EDITORS, {"labelingFrontends": listed})
    for document in (
        documents.CONNECT_EDITOR,
        documents.SET_UP_EDITOR,
        documents.CONNECT_ONTOLOGY,
    ):
        wire.on(document, {})
    return wire


def asked(wire: Wire) -> list[str]:
    return [name for name, _ in wire.asked]


def test_a_project_without_an_editor_gets_one_before_its_ontology() -> None:
    wire = connecting(None, None, "e1")

    wire.labelbox().perform(CONNECT, ids=KNOWN)

    assert asked(wire)[-3:] == [
        documents.CONNECT_EDITOR.name,
        documents.SET_UP_EDITOR.name,
        documents.CONNECT_ONTOLOGY.name,
    ]
    assert wire.variables(documents.CONNECT_EDITOR) == [
        {"projectId": "p1", "labelingFrontendId": "e1"}
    ]
    assert wire.variables(documents.CONNECT_ONTOLOGY) == [
        {"projectId": "p1", "ontologyId": "o1"}
    ]


def test_a_project_with_an_editor_keeps_it() -> None:
    wire = connecting(None, "e9", "e1")

    wire.labelbox().perform(CONNECT, ids=KNOWN)

    assert wire.count(documents.CONNECT_EDITOR) == 0
    assert wire.count(documents.CONNECT_ONTOLOGY) == 1


def test_an_ontology_that_is_connected_is_left_alone() -> None:
    wire = connecting("o1", None)

    wire.labelbox().perform(CONNECT, ids=KNOWN)

    assert asked(wire) == [documents.PROJECT_ONTOLOGY.name]


def test_a_remote_without_an_editor_cannot_be_connected() -> None:
    with pytest.raises(RemoteError, match="no editor called 'Editor'"):
        connecting(None, None).labelbox().perform(CONNECT, ids=KNOWN)


@pytest.mark.parametrize(
    "document", [documents.PROJECT_ONTOLOGY, documents.PROJECT_EDITOR]
)
def test_a_project_that_is_gone_is_not_found(document: documents.Document) -> None:
    wire = connecting(None, None)
    wire.on(document, {"project": None})

    with pytest.raises(NotFound, match="there is no project p1"):
        wire.labelbox().perform(CONNECT, ids=KNOWN)


def test_a_project_is_created_for_one_label_a_row() -> None:
    wire = Wire()
    wire.on(documents.PROJECTS, {"projects": []})
    wire.on(documents.CREATE_PROJECT, {"createProject": {"id": "p1"}})

    made = wire.labelbox().perform(CreateProject(PROJECT, "IMAGE"), ids=IDS)

    assert made == "p1"
    assert wire.variables(documents.PROJECTS) == [{"name": "digits", "deleted": False}]
    assert wire.variables(documents.CREATE_PROJECT) == [
        {
            "name": "digits",
            "allowedMediaType": "IMAGE",
            "autoAuditPercentage": 1,
            "autoAuditNumberOfLabels": 1,
            "isBenchmarkEnabled": True,
            "isConsensusEnabled": False,
        }
    ]


def page(*names: str, cursor: str | None = None) -> dict[str, Any]:
    nodes = [{"name": name} for name in names]
    batches = {"nodes": nodes, "pageInfo": {"endCursor": cursor}}
    return {"project": {"batches": batches}}


def batching(*pages: Answer) -> Wire:
    wire = Wire()
    for_sure = {"allDataRowsHaveBeenProcessed": True}
    wire.on(documents.ALL_PROCESSED, {"queryAllDataRowsHaveBeenProcessed": for_sure})
    wire.on(documents.BATCHES, *pages)
    wire.on(documents.CREATE_BATCH, {})
    return wire


def test_rows_are_batched_when_they_are_processed() -> None:
    wire = batching(page())
    waiting = {"allDataRowsHaveBeenProcessed": False}
    done = {"allDataRowsHaveBeenProcessed": True}
    root = "queryAllDataRowsHaveBeenProcessed"
    wire.on(documents.ALL_PROCESSED, {root: waiting}, {root: done})

    wire.labelbox().perform(BATCH, ids=KNOWN)

    assert asked(wire) == [
        documents.ALL_PROCESSED.name,
        documents.ALL_PROCESSED.name,
        documents.BATCHES.name,
        documents.CREATE_BATCH.name,
    ]
    assert wire.variables(documents.CREATE_BATCH) == [
        {
            "projectId": "p1",
            "batchInput": {
                "name": "b",
                "dataRowIds": [],
                "globalKeys": ["a", "b"],
                "priority": 5,
                "consensusSettings": None,
            },
        }
    ]


def test_a_batch_is_looked_for_on_all_pages() -> None:
    wire = batching(page("x", cursor="1"), page("b"))

    wire.labelbox().perform(BATCH, ids=KNOWN)

    assert wire.count(documents.CREATE_BATCH) == 0
    assert [one["from"] for one in wire.variables(documents.BATCHES)] == [None, "1"]


def test_batches_of_a_project_are_listed_once_for_many_steps() -> None:
    wire = batching(page())
    labelbox = wire.labelbox()

    for name in ("x", "y", "x"):
        labelbox.perform(BatchRows(PROJECT, name, ("a",)), ids=KNOWN)

    assert wire.count(documents.BATCHES) == 1
    assert wire.count(documents.CREATE_BATCH) == 2


def test_a_cursor_that_stands_still_is_no_list() -> None:
    with pytest.raises(Incomplete, match="again and again"):
        batching(page("x", cursor="1")).labelbox().perform(BATCH, ids=KNOWN)


def test_batches_of_a_project_that_is_gone_are_not_found() -> None:
    with pytest.raises(NotFound, match="there is no project p1"):
        batching({"project": None}).labelbox().perform(BATCH, ids=KNOWN)


@pytest.mark.parametrize("broken", [BAD_GATEWAY, httpx.ReadError("reset")])
def test_a_batch_in_doubt_is_looked_for_and_not_made_again(broken: Answer) -> None:
    wire = batching(page(), page(), page("b"))
    wire.on(documents.CREATE_BATCH, broken)

    wire.labelbox().perform(BATCH, ids=KNOWN)

    assert wire.count(documents.CREATE_BATCH) == 1


def test_a_batch_that_never_shows_is_in_doubt() -> None:
    wire = batching(page())
    wire.on(documents.CREATE_BATCH, BAD_GATEWAY)

    with pytest.raises(InDoubt, match="batch 'b' of project/digits may have been"):
        wire.labelbox().perform(BATCH, ids=KNOWN)

    assert wire.count(documents.CREATE_BATCH) == 1


def test_a_batch_that_somebody_made_meanwhile_is_taken() -> None:
    wire = batching(page(), page("b"))
    wire.on(documents.CREATE_BATCH, refusal("taken", "RESOURCE_CONFLICT"))

    wire.labelbox().perform(BATCH, ids=KNOWN)

    assert wire.count(documents.BATCHES) == 2


@pytest.mark.parametrize("code", ["RESOURCE_CONFLICT", "BAD_USER_INPUT"])
def test_a_batch_that_is_refused_and_not_there_is_an_error(code: str) -> None:
    wire = batching(page())
    wire.on(documents.CREATE_BATCH, refusal("not like this", code))

    with pytest.raises(Refused, match="not like this"):
        wire.labelbox().perform(BATCH, ids=KNOWN)

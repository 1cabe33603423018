"""Rows of a run or of the catalog are sent to a project."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from sqlalchemy import select

from reconciler.server.settings import Limits, ServerSettings
from reconciler.server.store.annotate import Order, Shipment, load
from reconciler.server.store.annotate import send as deliver
from reconciler.server.store.database import Store
from reconciler.server.store.experiments import run_number
from reconciler.server.store.predictions import put_predictions
from reconciler.server.store.prelabels import put_prelabels
from reconciler.server.store.projects import project_number
from reconciler.server.store.tables import data_rows, prelabels
from tests.support.labelling import (
    box,
    labels_of,
    make_batch,
    make_project,
    put,
    said_in,
    states_of,
    uuid,
)

Gql = Callable[..., Any]

SEND = (
    "mutation S($input: SendToAnnotateFromMeaInput!)"
    " { sendToAnnotateFromMea(input: $input) { taskId } }"
)
SEND_FROM_CATALOG = (
    "mutation S($input: SendToAnnotateFromCatalogInput!)"
    " { sendToAnnotateFromCatalog(input: $input) { taskId } }"
)
CAR, WEATHER = "c" * 25, "w" * 25
ONTOLOGY = json.dumps(
    {
        "tools": [
            {
                "tool": "rectangle",
                "name": "car",
                "featureSchemaId": CAR,
                "classifications": [],
            }
        ],
        "classifications": [
            {
                "type": "radio",
                "name": "weather",
                "instructions": "weather",
                "featureSchemaId": WEATHER,
                "options": [
                    {"value": "dry", "label": "dry", "featureSchemaId": "d" * 25},
                    {"value": "wet", "label": "wet", "featureSchemaId": "e" * 25},
                ],
            }
        ],
    }
)


@pytest.fixture
def ontology(gql: Gql) -> str:
    """Have cars and weather, and know the ontology's id."""
    made = gql(
        'mutation O($n: String!) { upsertOntology(data: {name: "cars", normalized: $n,'
        " mediaType: IMAGE}) { id } }",
        n=ONTOLOGY,
    )
    identifier: str = made["upsertOntology"]["id"]
    return identifier


@pytest.fixture
def model(gql: Gql, ontology: str) -> str:
    created = gql(
        'mutation M($o: ID!) { createModel(data: {name: "m", ontologyId: $o}) { id } }',
        o=ontology,
    )
    identifier: str = created["createModel"]["id"]
    return identifier


@pytest.fixture
def project(gql: Gql, ontology: str) -> str:
    return make_project(gql, ontology=ontology)


@pytest.fixture
def send(gql: Gql, run: str, project: str) -> Gql:
    """Send rows of the run by key, and know how the task ended."""

    def ask(keys: Sequence[str], **more: Any) -> tuple[str, Any]:
        mapping = more.pop("mapping", {CAR: CAR, WEATHER: WEATHER})
        between = more.pop("between", (0, 1))
        asked = {
            "destinationProjectId": project,
            "batchInput": {"batchName": "sent", "batchPriority": 5},
            "destinationTaskQueue": {"type": "done"},
            "excludeDataRowsInProject": False,
            "annotationsInput": None,
            "predictionsInput": {
                "featureSchemaIdsMapping": mapping,
                "modelRunId": run,
                "minConfidence": between[0],
                "maxConfidence": between[1],
            },
            "conflictLabelsResolutionStrategy": "KEEP_EXISTING",
            "searchQuery": [{"type": "global_key", "operator": "is", "ids": keys}],
            "sourceModelRunId": run,
            **more,
        }
        task = gql(SEND, input=asked)["sendToAnnotateFromMea"]["taskId"]
        return ended(gql, task)

    return ask


@pytest.fixture
def predict(store: Store, run: str) -> Callable[..., None]:
    """Give rows of the run predictions, lines of an import by key."""

    def write(said: Mapping[str, Sequence[dict[str, Any]]]) -> None:
        with store.write() as db:
            found = dict(
                db.execute(select(data_rows.c.global_key, data_rows.c.pk)).all()
            )
            put_predictions(
                db,
                run_number(db, run),
                [
                    (
                        found[key],
                        line["uuid"],
                        json.dumps({"dataRow": {"globalKey": key}, **line}),
                    )
                    for key, lines in said.items()
                    for line in lines
                ],
            )

    return write


def ended(gql: Gql, task: str) -> tuple[str, Any]:
    """Know how a task ended: its status, and the JSON of its result."""
    found = gql(
        "query T($w: WhereUniqueIdInput) { task(where: $w) { type status result } }",
        w={"id": task},
    )["task"]
    assert found["type"] == "send-to-annotate"
    return found["status"], json.loads(found["result"])


def weather(number: int, answer: str, **more: Any) -> dict[str, Any]:
    """Say what the weather is like, as a line of an import says it."""
    return {"uuid": uuid(number), "name": "weather", "answer": {"name": answer, **more}}


def queue_of(gql: Gql, project: str) -> str:
    """Know the id of the queue where rows are labelled first."""
    found = gql(
        "query Q($p: ID!) { project(where: {id: $p}) { taskQueues { id } } }", p=project
    )
    identifier: str = found["project"]["taskQueues"][0]["id"]
    return identifier


def prelabels_in(store: Store) -> dict[str, list[tuple[str, str]]]:
    """Know what is prepared in the one project: uuid and name, by key."""
    found: dict[str, list[tuple[str, str]]] = {}
    with store.read() as db:
        query = (
            select(data_rows.c.global_key, prelabels.c.uuid, prelabels.c.body)
            .join(data_rows, prelabels.c.row_pk == data_rows.c.pk)
            .order_by(data_rows.c.pk, prelabels.c.uuid)
        )
        for key, identifier, body in db.execute(query):
            line = json.loads(body)
            answer = line.get("answer", {}).get("name", line["name"])
            found.setdefault(key, []).append((identifier, answer))
    return found


def batches_of(gql: Gql, project: str) -> dict[str, int]:
    """Know the sizes of batches by name."""
    found = gql(
        "query B($p: ID!) { project(where: {id: $p}) { batches { nodes"
        " { name size } } } }",
        p=project,
    )
    return {one["name"]: one["size"] for one in found["project"]["batches"]["nodes"]}


def test_predictions_become_labels_where_rows_are_done(
    gql: Gql,
    project: str,
    keys: Sequence[str],
    register: Gql,
    predict: Any,
    send: Gql,
) -> None:
    register(globalKeys=keys[:3])
    predict({keys[0]: [box(1), weather(2, "wet")], keys[2]: [box(3)]})

    status, result = send(keys[:2])

    assert status == "COMPLETE"
    assert len(result.pop("batchIds")) == 1
    assert result == {"dataRows": 2, "annotations": 2, "leftOut": 0}
    assert batches_of(gql, project) == {"sent": 2}
    (label,) = labels_of(gql, project)
    assert label["dataRow"] == {"globalKey": keys[0]}
    assert label["label"] == [
        {**box(1), "schemaId": CAR},
        {
            "uuid": uuid(2),
            "name": "weather",
            "schemaId": WEATHER,
            "answer": {"name": "wet", "schemaId": "e" * 25},
        },
    ]
    assert states_of(gql, project) == {"All": 2, "Labeled": 1, "Done": 2}


def test_predictions_become_prelabels_in_a_queue(
    gql: Gql,
    store: Store,
    project: str,
    keys: Sequence[str],
    register: Gql,
    predict: Any,
    send: Gql,
) -> None:
    register(globalKeys=keys[:2])
    predict({keys[0]: [box(1)], keys[1]: [weather(2, "dry")]})
    queue = {"type": "id", "value": queue_of(gql, project)}

    status, _ = send(keys[:2], destinationTaskQueue=queue)

    assert status == "COMPLETE"
    assert prelabels_in(store) == {
        keys[0]: [(uuid(1), "car")],
        keys[1]: [(uuid(2), "dry")],
    }
    assert states_of(gql, project) == {"All": 2, "Unlabeled": 2}


def test_only_what_is_sure_enough_and_mapped_comes_along(
    gql: Gql,
    project: str,
    keys: Sequence[str],
    register: Gql,
    predict: Any,
    send: Gql,
) -> None:
    register(globalKeys=keys[:1])
    predict(
        {
            keys[0]: [
                box(1, confidence=0.2),
                box(2, confidence=0.5),
                box(3, confidence=0.8),
                box(4),
                weather(5, "wet", confidence=0.5),
            ]
        }
    )

    _, result = send(keys[:1], mapping={CAR: CAR}, between=(0.5, 0.8))

    assert said_in(gql, project) == {keys[0]: [uuid(2), uuid(3)]}
    assert (result["annotations"], result["leftOut"]) == (2, 3)


def test_nothing_comes_along_without_a_mapping(
    gql: Gql,
    project: str,
    keys: Sequence[str],
    register: Gql,
    predict: Any,
    send: Gql,
) -> None:
    register(globalKeys=keys[:1])
    predict({keys[0]: [box(1)]})

    status, _ = send(keys[:1], mapping={})

    assert status == "COMPLETE"
    assert said_in(gql, project) == {}
    assert states_of(gql, project) == {"All": 1, "Done": 1}


@pytest.mark.parametrize(
    ("strategy", "expected", "written"),
    [
        ("KEEP_EXISTING", ["dry", "car"], 1),
        ("OVERRIDE_WITH_ANNOTATIONS", ["dry", "car"], 1),
        ("OVERRIDE_WITH_PREDICTIONS", ["car", "wet"], 2),
    ],
)
def test_conflicts_are_settled_by_the_strategy(
    gql: Gql,
    store: Store,
    project: str,
    keys: Sequence[str],
    register: Gql,
    predict: Any,
    send: Gql,
    strategy: str,
    expected: list[str],
    written: int,
) -> None:
    make_batch(gql, project, keys[:1])
    put(store, project, {keys[0]: [weather(1, "dry")]})
    register(globalKeys=keys[:1])
    predict({keys[0]: [box(2), weather(3, "wet")]})

    _, result = send(keys[:1], conflictLabelsResolutionStrategy=strategy)

    assert result["annotations"] == written
    (label,) = labels_of(gql, project)
    assert [
        line.get("answer", {}).get("name", line["name"]) for line in label["label"]
    ] == expected
    assert batches_of(gql, project) == {"b": 1}


def test_prelabels_are_settled_by_the_strategy_as_well(
    gql: Gql,
    store: Store,
    project: str,
    keys: Sequence[str],
    register: Gql,
    predict: Any,
    send: Gql,
) -> None:
    register(globalKeys=keys[:2])
    queue = {"type": "id", "value": queue_of(gql, project)}
    predict({keys[0]: [weather(1, "dry")], keys[1]: [box(2)]})
    send(keys[:2], destinationTaskQueue=queue)
    predict({keys[0]: [weather(0, "wet")]})

    send(
        keys[:2],
        destinationTaskQueue=queue,
        conflictLabelsResolutionStrategy="OVERRIDE_WITH_PREDICTIONS",
    )

    # Both answers of the run come, and the first of them was there.
    assert prelabels_in(store) == {
        keys[0]: [(uuid(0), "wet"), (uuid(1), "dry")],
        keys[1]: [(uuid(2), "car")],
    }


def test_prelabels_that_were_not_written_are_not_counted(
    gql: Gql, project: str, keys: Sequence[str], register: Gql, predict: Any, send: Gql
) -> None:
    register(globalKeys=keys[:1])
    queue = {"type": "id", "value": queue_of(gql, project)}
    predict({keys[0]: [weather(1, "dry"), box(2)]})

    _, first = send(keys[:1], destinationTaskQueue=queue)
    _, again = send(keys[:1], destinationTaskQueue=queue)

    assert (first["annotations"], again["annotations"]) == (2, 0)


def test_rows_of_the_project_move_unless_they_are_excluded(
    gql: Gql, project: str, keys: Sequence[str], register: Gql, send: Gql
) -> None:
    register(globalKeys=keys[:3])
    make_batch(gql, project, keys[:1])

    send(keys[:2], excludeDataRowsInProject=True)
    excluded = states_of(gql, project)
    send(keys[:3], batchInput={"batchName": "again"})

    assert excluded == {"All": 2, "Unlabeled": 1, "Done": 1}
    assert states_of(gql, project) == {"All": 3, "Done": 3}
    assert batches_of(gql, project) == {"b": 1, "sent": 1, "again": 1}


@pytest.mark.parametrize("settings", [ServerSettings(limits=Limits(rows_per_batch=4))])
def test_many_rows_come_in_several_batches(
    gql: Gql, project: str, keys: Sequence[str], register: Gql, send: Gql
) -> None:
    register(globalKeys=keys)

    _, result = send(keys)

    assert batches_of(gql, project) == {"sent": 4, "sent_1": 4, "sent_2": 2}
    assert len(result["batchIds"]) == 3


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"destinationProjectId": "gone"}, "Project 'gone' not found"),
        ({"sourceModelRunId": "gone"}, "ModelRun 'gone' not found"),
        (
            {"destinationTaskQueue": {"type": "id", "value": "gone"}},
            "TaskQueue 'gone' not found",
        ),
        (
            {"destinationTaskQueue": {"type": "id"}},
            "the task queue of the destination is"
            ' {"type": "id", "value": <its id>} or {"type": "done"}',
        ),
        (
            {"batchInput": {"batchName": "b"}},
            "the project has a batch named 'b' already",
        ),
        (
            {"mapping": {CAR: "x" * 25}},
            f"the mapping names {'x' * 25}, which the ontology of the destination 'p'"
            " doesn't have",
        ),
        (
            {"mapping": {"x" * 25: CAR}},
            f"the mapping names {'x' * 25}, which the ontology of the source 'first'"
            " doesn't have",
        ),
        (
            {"mapping": ["x"]},
            "featureSchemaIdsMapping must be an object of schema ids",
        ),
        (
            {"searchQuery": [{"type": "global_key", "ids": ["street-09", "nope"]}]},
            "1 unknown global keys: nope",
        ),
        (
            {"searchQuery": [{"type": "global_key", "ids": ["street-09"]}]},
            "1 global keys that are not in the model run: street-09",
        ),
    ],
)
def test_a_task_that_fails_says_why_and_does_nothing(
    gql: Gql,
    project: str,
    keys: Sequence[str],
    register: Gql,
    send: Gql,
    more: dict[str, Any],
    error: str,
) -> None:
    make_batch(gql, project, keys[5:6])
    register(globalKeys=keys[:2])

    assert send(keys[:2], **more) == ("FAILED", {"error": error})
    assert states_of(gql, project) == {"All": 1, "Unlabeled": 1}


@pytest.mark.parametrize(
    ("settings", "status"),
    [
        (ServerSettings(unknown_rows="partial"), "FAILED"),
        (ServerSettings(unknown_rows="ignore"), "COMPLETE"),
    ],
)
def test_unknown_rows_are_treated_as_is_chosen(
    gql: Gql, project: str, keys: Sequence[str], register: Gql, send: Gql, status: str
) -> None:
    register(globalKeys=keys[:2])

    ended_so, _ = send([keys[0], "nope"])

    assert ended_so == status
    assert batches_of(gql, project) == {"sent": 1}


def test_labels_of_another_project_come_from_the_catalog(
    gql: Gql, store: Store, project: str, ontology: str, keys: Sequence[str]
) -> None:
    source = make_project(gql, "source", ontology)
    make_batch(gql, source, keys[:3])
    put(store, source, {keys[0]: [box(1)], keys[1]: [weather(2, "dry")]})
    asked = {
        "destinationProjectId": project,
        "batchInput": {"batchName": "sent", "batchPriority": 1},
        "destinationTaskQueue": {"type": "done"},
        "excludeDataRowsInProject": False,
        "annotationsInput": {
            "projectId": source,
            "featureSchemaIdsMapping": {CAR: CAR, WEATHER: WEATHER},
        },
        "predictionsInput": None,
        "conflictLabelsResolutionStrategy": "OVERRIDE_WITH_ANNOTATIONS",
        "searchQuery": {
            "scope": None,
            "query": [{"type": "global_key", "operator": "is", "ids": keys[:3]}],
        },
        "ordering": {"type": "RANDOM", "random": {"seed": 1}, "sorting": None},
        "sorting": None,
        "limit": 2,
    }

    task = gql(SEND_FROM_CATALOG, input=asked)["sendToAnnotateFromCatalog"]["taskId"]

    assert ended(gql, task)[0] == "COMPLETE"
    assert batches_of(gql, project) == {"sent": 2}
    assert said_in(gql, project) == {keys[0]: [uuid(1)], keys[1]: [uuid(2)]}
    assert said_in(gql, source).keys() == {keys[0], keys[1]}


def test_what_is_overridden_in_a_queue_is_gone(
    gql: Gql,
    store: Store,
    project: str,
    keys: Sequence[str],
    register: Gql,
    predict: Any,
    send: Gql,
) -> None:
    register(globalKeys=keys[:1])
    make_batch(gql, project, keys[:1])
    with store.write() as db:
        row_pk = db.execute(
            select(data_rows.c.pk).where(data_rows.c.global_key == keys[0])
        ).scalar_one()
        there = [(row_pk, uuid(9), json.dumps(weather(9, "dry")))]
        put_prelabels(db, project_number(db, project), there)
    predict({keys[0]: [weather(1, "wet")]})

    send(
        keys[:1],
        destinationTaskQueue={"type": "id", "value": queue_of(gql, project)},
        conflictLabelsResolutionStrategy="OVERRIDE_WITH_PREDICTIONS",
    )

    assert prelabels_in(store) == {keys[0]: [(uuid(1), "wet")]}


def test_what_the_other_feature_cant_be_is_left_out(
    gql: Gql,
    project: str,
    keys: Sequence[str],
    register: Gql,
    predict: Any,
    send: Gql,
) -> None:
    register(globalKeys=keys[:1])
    predict({keys[0]: [box(1)]})

    _, result = send(keys[:1], mapping={CAR: WEATHER})

    assert said_in(gql, project) == {}
    assert (result["annotations"], result["leftOut"]) == (0, 1)


def test_rows_that_are_gone_meanwhile_are_not_sent(
    gql: Gql, store: Store, project: str, keys: Sequence[str]
) -> None:
    order = Order(
        project=project,
        queue=None,
        batch_name="sent",
        priority=None,
        exclude=False,
        rows_per_batch=None,
    )
    with store.write() as db:
        (two, seven) = db.execute(
            select(data_rows.c.id).where(data_rows.c.pk.in_([2, 7]))
        ).scalars()
        rows = {2: two, 3: "was-another", 7: seven, 999: "gone"}
        done = deliver(db, store, Shipment(order, rows, []))

    assert done["dataRows"] == 2
    assert batches_of(gql, project) == {"sent": 2}


def meanwhile(
    monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]
) -> list[bool]:
    """Let something happen once, after a shipment was made and before it is sent."""
    done: list[bool] = []

    def interrupted(*given: Any) -> Shipment:
        shipment = load(*given)
        if not done:
            done.append(True)
            happens()
        return shipment

    monkeypatch.setattr("reconciler.server.store.annotate.load", interrupted)
    return done


@pytest.mark.parametrize("in_queue", [False, True])
def test_a_row_never_gets_the_annotations_of_another(
    gql: Gql,
    store: Store,
    project: str,
    keys: Sequence[str],
    ids: Mapping[str, str],
    register: Gql,
    predict: Any,
    send: Gql,
    bring: Gql,
    monkeypatch: pytest.MonkeyPatch,
    *,
    in_queue: bool,
) -> None:
    register(globalKeys=keys)
    predict({keys[0]: [box(1)], keys[9]: [box(2), box(3)]})
    more = (
        {"destinationTaskQueue": {"type": "id", "value": queue_of(gql, project)}}
        if in_queue
        else {}
    )

    def replace_the_last() -> None:
        gql(
            "mutation D($i: [ID!]!) { deleteDataRows(where: {dataRowIds: $i}) { id } }",
            i=[ids[keys[9]]],
        )
        bring({"row_data": "https://e.test/new.png", "global_key": "new"})
        make_batch(gql, project, ["new"], "theirs")

    once = meanwhile(monkeypatch, replace_the_last)

    _, result = send([keys[0], keys[9]], **more)

    assert once == [True]
    assert batches_of(gql, project) == {"theirs": 1, "sent": 1}
    labelled, prepared = said_in(gql, project), prelabels_in(store)
    assert {**labelled, **prepared}.keys() == {keys[0]}
    assert (result["dataRows"], result["annotations"], result["leftOut"]) == (1, 1, 2)
    states = states_of(gql, project)
    assert states == (
        {"All": 2, "Unlabeled": 2}
        if in_queue
        else {"All": 2, "Unlabeled": 1, "Labeled": 1, "Done": 1}
    )


def test_annotations_are_made_fit_for_the_ontology_that_the_project_has_in_the_end(
    gql: Gql,
    project: str,
    keys: Sequence[str],
    register: Gql,
    predict: Any,
    send: Gql,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    register(globalKeys=keys[:1])
    predict({keys[0]: [box(1)]})
    other = gql(
        'mutation { upsertOntology(data: {name: "none", normalized: "{}",'
        " mediaType: IMAGE}) { id } }"
    )["upsertOntology"]["id"]
    once = meanwhile(
        monkeypatch,
        lambda: gql(
            "mutation C($p: ID!, $o: ID!) { project(where: {id: $p})"
            " { connectOntology(ontologyId: $o) { id } } }",
            p=project,
            o=other,
        ),
    )

    status, result = send(keys[:1], mapping={CAR: CAR})

    assert once == [True]
    assert (status, result) == (
        "FAILED",
        {
            "error": f"the mapping names {CAR}, which the ontology of the destination"
            " 'p' doesn't have"
        },
    )
    assert states_of(gql, project) == {}


def test_a_project_that_is_deleted_meanwhile_takes_nothing(
    gql: Gql,
    project: str,
    keys: Sequence[str],
    register: Gql,
    predict: Any,
    send: Gql,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    register(globalKeys=keys[:1])
    predict({keys[0]: [box(1)]})
    meanwhile(
        monkeypatch,
        lambda: gql(
            "mutation D($p: ID!) {"
            " updateProject(where: {id: $p}, data: {deleted: true}) { id } }",
            p=project,
        ),
    )

    assert send(keys[:1]) == ("FAILED", {"error": f"Project '{project}' not found"})

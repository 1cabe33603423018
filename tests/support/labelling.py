"""Projects and labels in a twin in this process."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import select

from reconciler.server.store.database import Store
from reconciler.server.store.labels import NewLabel, put_labels
from reconciler.server.store.projects import project_number
from reconciler.server.store.tables import data_rows

Gql = Callable[..., Any]

CREATE_BATCH = (
    "mutation B($p: ID!, $input: CreateBatchInput!) { project(where: {id: $p})"
    " { createBatchV2(input: $input) { batch { id name size } failedDataRowIds } } }"
)


def uuid(number: int) -> str:
    """Name an annotation."""
    return f"00000000-0000-4000-8000-{number:012x}"


def box(number: int, **more: Any) -> dict[str, Any]:
    """Draw a car, as a line of an import says it."""
    return {
        "uuid": uuid(number),
        "name": "car",
        "bbox": {"top": 1, "left": 2, "height": 3, "width": 4},
        **more,
    }


def cars_and_weather(prefix: str) -> dict[str, Any]:
    """Make cars of a colour, and weather with what falls, all of a prefix."""

    def node(key: str, /, **more: Any) -> dict[str, Any]:
        return {"featureSchemaId": f"{prefix}-{key}", **more}

    def radio(name: str, *options: dict[str, Any]) -> dict[str, Any]:
        named = {"type": "radio", "name": name, "instructions": name}
        return node(name, **named, options=list(options))

    def option(name: str, *below: dict[str, Any]) -> dict[str, Any]:
        return node(name, value=name, label=name, options=list(below))

    return {
        "tools": [
            node(
                "car",
                tool="rectangle",
                name=f"{prefix} car",
                classifications=[radio("colour", option("red"), option(f"{prefix}!"))],
            ),
            node("edge", tool="edge", name=f"{prefix} edge", classifications=[]),
        ],
        "classifications": [
            radio(
                "weather", option("dry"), option("wet", radio("falls", option("rain")))
            ),
            node(
                "seen",
                type="checklist",
                name="seen",
                instructions="seen",
                options=[option("cats"), option("dogs")],
            ),
            node("note", type="text", name="note", instructions="note", options=[]),
        ],
    }


def make_project(gql: Gql, name: str = "p", ontology: str | None = None) -> str:
    """Make a project and know its id."""
    made = gql(
        "mutation P($name: String!) { createProject(data: {name: $name,"
        " allowedMediaType: IMAGE}) { id } }",
        name=name,
    )
    identifier: str = made["createProject"]["id"]
    if ontology is not None:
        gql(
            "mutation C($p: ID!, $o: ID!) { project(where: {id: $p})"
            " { connectOntology(ontologyId: $o) { id } } }",
            p=identifier,
            o=ontology,
        )
    return identifier


def make_batch(
    gql: Gql, project: str, keys: Sequence[str], name: str = "b"
) -> Mapping[str, Any]:
    """Bring rows into a project, and get what is answered."""
    asked = {"name": name, "dataRowIds": [], "globalKeys": list(keys)}
    found = gql(CREATE_BATCH, p=project, input=asked)
    created: Mapping[str, Any] = found["project"]["createBatchV2"]
    return created


def put(
    store: Store,
    project: str,
    said: Mapping[str, Sequence[dict[str, Any]]],
    *,
    benchmark: bool = False,
) -> None:
    """Write labels: lines of an import by global key."""
    with store.write() as db:
        query = select(data_rows.c.global_key, data_rows.c.pk)
        numbers: dict[str, int] = dict(db.execute(query).all())
        new = [
            NewLabel(
                numbers[key],
                [
                    json.dumps({"dataRow": {"globalKey": key}, **line}).encode()
                    for line in lines
                ],
                benchmark=benchmark,
            )
            for key, lines in said.items()
        ]
        put_labels(db, store, project_number(db, project), new)


def labels_of(gql: Gql, project: str) -> list[dict[str, Any]]:
    """Read the labels of a project, in the order of the rows."""
    found = gql(
        "query L($p: ID!) { project(where: {id: $p}) { labels(skip: 0, first: 1000)"
        " { id label isBenchmarkReference dataRow { globalKey } } } }",
        p=project,
    )
    listed: list[dict[str, Any]] = found["project"]["labels"]
    return [{**one, "label": json.loads(one["label"])} for one in listed]


def said_in(gql: Gql, project: str) -> dict[str, list[str]]:
    """Know the uuids in the labels of a project, by global key."""
    return {
        one["dataRow"]["globalKey"]: [line["uuid"] for line in one["label"]]
        for one in labels_of(gql, project)
    }


def states_of(gql: Gql, project: str) -> dict[str, int]:
    """Count the rows of a project by state, leaving out those without any."""
    found = gql(
        "query S($p: ID!) { project(where: {id: $p}) { workstreamStateCounts"
        " { state count } } }",
        p=project,
    )
    counts = found["project"]["workstreamStateCounts"]
    return {one["state"]: one["count"] for one in counts if one["count"]}

"""What was imported comes back out of exports: through the API, kind by kind."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import httpx
import pytest

from reconciler.annotations.exported import exported_content
from reconciler.server.settings import STRICT, ServerSettings
from reconciler.state.canonical import JsonObject, canonical_bytes
from tests.annotations.fitting import ONTOLOGY
from tests.annotations.round_trips import CASES, VIDEO_MASKS, said, taken
from tests.server.test_exports import CHUNK, HEADER, RUN
from tests.server.test_exports_contents import PROJECT, of_project
from tests.support.annotation_files import ndjson, send, statuses
from tests.support.labelling import make_batch

Gql = Callable[..., Any]
Lines = Mapping[str, Sequence[Mapping[str, Any]]]

MEDIA_TYPES = sorted({media for media, _ in CASES.values() if media is not None})
KNOWN = {"usual": ServerSettings(), "strict": replace(STRICT, strict_annotations=False)}


@pytest.fixture(params=list(KNOWN.values()), ids=list(KNOWN))
def settings(request: pytest.FixtureRequest) -> ServerSettings:
    settings: ServerSettings = request.param
    return settings


@pytest.fixture(params=MEDIA_TYPES)
def media_type(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def lines(media_type: str, bring: Gql) -> Lines:
    """Have a data row for every case that is taken, and its lines."""
    cases = {
        f"{media_type} {name}": rows
        for name, (media, rows) in CASES.items()
        if media == media_type and all(taken(rows, media)) and "schema" not in str(rows)
    }
    bring(*({"row_data": "https://e.test/1", "global_key": key} for key in cases))
    return cases


@pytest.fixture
def ontology(gql: Gql, media_type: str) -> str:
    """Have an ontology of every kind."""
    made = gql(
        "mutation O($data: UpsertOntologyInput!) { upsertOntology(data: $data) { id } }",
        data={
            "name": "all",
            "normalized": json.dumps(ONTOLOGY),
            "mediaType": media_type,
        },
    )
    identifier: str = made["upsertOntology"]["id"]
    return identifier


@pytest.fixture
def model(gql: Gql, ontology: str) -> str:
    """Have a model and know its id."""
    created = gql(
        'mutation M($o: ID!) { createModel(data: {name: "m", ontologyId: $o}) { id } }',
        o=ontology,
    )
    identifier: str = created["createModel"]["id"]
    return identifier


@pytest.fixture
def project(gql: Gql, ontology: str, media_type: str) -> str:
    """Have a project and know its id."""
    made = gql(
        "mutation P($data: CreateProjectInput!) { createProject(data: $data) { id } }",
        data={"name": "p", "allowedMediaType": media_type},
    )
    identifier: str = made["createProject"]["id"]
    gql(
        "mutation C($p: ID!, $o: ID!) { project(where: {id: $p})"
        " { connectOntology(ontologyId: $o) { id } } }",
        p=identifier,
        o=ontology,
    )
    return identifier


def named(lines: Lines) -> Iterator[dict[str, Any]]:
    """Give every line its data row."""
    for key, rows in lines.items():
        for row in rows:
            yield {**row, "dataRow": {"globalKey": key}}


def export(
    gql: Gql, http: httpx.Client, mutation: str, filters: Any, **params: Any
) -> dict[str, Any]:
    """Export by a mutation, and read the lines by global key."""
    asked = {"filters": filters, "params": params, "streamable": True}
    (started,) = gql(mutation, input=asked).values()
    where = {"where": {"id": started["taskId"]}, "streamType": "RESULT"}
    size = gql(HEADER, **where)["task"]["exportMetadataHeader"]["totalSize"]
    content, offset = b"", 0
    while offset < size:
        part = gql(CHUNK, **where, offset=offset)["task"]["exportFileFromOffset"]
        content += http.get(part["file"]).content
        offset = part["offsets"]["end"] + 1
    found = [json.loads(line) for line in content.splitlines()]
    return {one["data_row"]["global_key"]: one for one in found}


def contents(
    entries: Mapping[str, Any], media_type: str, *, marks: bool
) -> dict[str, list[bytes]]:
    return {
        key: in_any_order(exported_content(one, media_type=media_type, marks=marks))
        for key, one in entries.items()
    }


def in_any_order(said_of_row: Sequence[JsonObject]) -> list[bytes]:
    return sorted(map(canonical_bytes, said_of_row))


def test_predictions_of_a_run_come_back(
    gql: Gql,
    http: httpx.Client,
    model: str,
    run: str,
    register: Gql,
    lines: Lines,
    media_type: str,
    settings: ServerSettings,
) -> None:
    register(globalKeys=list(lines))
    mutation = "createModelErrorAnalysisPredictionImport"
    body = send(http, mutation, run, ndjson(*named(lines)))
    (job,) = body["data"].values()
    assert {one["status"] for one in statuses(http, job)} == {"SUCCESS"}

    found = export(gql, http, RUN, {"modelRunId": run}, includePredictions=True)

    entries = {
        key: line["experiments"][model]["runs"][run]["predictions"][0]
        for key, line in found.items()
    }
    assert contents(entries, media_type, marks=True) == {
        key: in_any_order(said(rows)) for key, rows in lines.items()
    }
    told = set(re.findall('"uuid": "([^"]+)"', json.dumps(entries)))
    given = {row["uuid"] for rows in lines.values() for row in rows if "uuid" in row}
    assert bool(told) is (settings is KNOWN["usual"])
    assert told >= given or not told


def test_labels_of_a_project_come_back(
    gql: Gql,
    http: httpx.Client,
    project: str,
    lines: Lines,
    media_type: str,
    bring: Gql,
) -> None:
    if media_type == "VIDEO":
        bring({"row_data": "https://e.test/1", "global_key": "masks"})
        instances = VIDEO_MASKS["masks"]["instances"][:1]
        masks = {"masks": {**VIDEO_MASKS["masks"], "instances": instances}}
        lines = {**lines, "masks": [masks]}
    make_batch(gql, project, list(lines))
    body = send(http, "createLabelImport", project, ndjson(*named(lines)))
    (job,) = body["data"].values()
    assert {one["status"] for one in statuses(http, job)} == {"SUCCESS"}

    found = export(gql, http, PROJECT, of_project(project))

    entries = {
        key: line["projects"][project]["labels"][0] for key, line in found.items()
    }
    assert contents(entries, media_type, marks=False) == {
        key: in_any_order(said(rows, marks=False)) for key, rows in lines.items()
    }

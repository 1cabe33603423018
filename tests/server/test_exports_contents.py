"""What exports say of runs and projects, and of nothing else."""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx
import pytest
from sqlalchemy import insert, select

from reconciler.server.exporting.readers import media_type_of
from reconciler.server.store.database import Store
from reconciler.server.store.labels import NewLabel, put_labels
from reconciler.server.store.predictions import put_predictions
from reconciler.server.store.tables import (
    data_rows,
    metadata_schemas,
    model_runs,
    projects,
)
from tests.server.test_exports import CATALOG, CHUNK, HEADER, RUN

Gql = Callable[..., Any]
Export = Callable[..., list[Any]]

PROJECT = (
    "mutation E($input: ExportDataRowsInProjectInput!)"
    " { exportDataRowsInProject(input: $input) { taskId isStreamable } }"
)
UUID = "0a000000-0000-4000-8000-00000000000{}"


@pytest.fixture
def export(gql: Gql, http: httpx.Client) -> Export:
    """Export by a mutation, and read the lines."""

    def read(
        mutation: str, filters: Mapping[str, Any], stream: str = "RESULT", **params: Any
    ) -> list[Any]:
        asked = {"filters": filters, "params": params, "streamable": True}
        (started,) = gql(mutation, input=asked).values()
        where = {"where": {"id": started["taskId"]}, "streamType": stream}
        header = gql(HEADER, **where)["task"]["exportMetadataHeader"]
        size = header["totalSize"] if header else 0
        content, offset = b"", 0
        while offset < size:
            part = gql(CHUNK, **where, offset=offset)["task"]["exportFileFromOffset"]
            content += http.get(part["file"]).content
            offset = part["offsets"]["end"] + 1
        return [json.loads(line) for line in content.splitlines()]

    return read


@pytest.fixture
def make_project(gql: Gql, store: Store) -> Callable[..., str]:
    """Make a project with rows, all of them labelled with a box."""

    def make(
        name: str,
        keys: Sequence[str],
        media_type: str | None = None,
        *,
        labelled: bool = True,
    ) -> str:
        created = gql(
            "mutation P($data: CreateProjectInput!)"
            " { createProject(data: $data) { id } }",
            data={"name": name, "allowedMediaType": media_type},
        )
        identifier: str = created["createProject"]["id"]
        gql(
            "mutation B($id: ID!, $input: CreateBatchInput!) { project(where: {id: $id})"
            " { createBatchV2(input: $input) { batch { id } } } }",
            id=identifier,
            input={"name": "b", "globalKeys": keys},
        )
        with store.write() as db:
            query = select(projects.c.pk).where(projects.c.id == identifier)
            project_pk = db.execute(query).scalar_one()
            rows = [number(db, key) for key in keys if labelled]
            put_labels(
                db, store, project_pk, [NewLabel(one, [box()], False) for one in rows]
            )
        return identifier

    return make


def number(db: Any, key: str) -> int:
    query = select(data_rows.c.pk).where(data_rows.c.global_key == key)
    found: int = db.execute(query).scalar_one()
    return found


def box(**more: Any) -> bytes:
    shape = {"top": 1, "left": 2, "height": 3, "width": 4}
    line = {"uuid": UUID.format(0), "name": "cat", "bbox": shape, "confidence": 0.5}
    return json.dumps({**line, **more}).encode()


@pytest.fixture
def predict(store: Store, run: str) -> Callable[..., None]:
    """Give a row of the run a prediction."""

    def put(key: str, line: bytes, uuid: str = UUID.format(0)) -> None:
        with store.write() as db:
            query = select(model_runs.c.pk).where(model_runs.c.id == run)
            run_pk = db.execute(query).scalar_one()
            put_predictions(db, run_pk, [(number(db, key), uuid, line.decode())])

    return put


def of_project(project: str) -> dict[str, Any]:
    return {"projectId": project, "searchQuery": {"query": []}}


def test_each_project_has_its_own_rows_and_labels(
    export: Export, make_project: Callable[..., str], keys: Sequence[str]
) -> None:
    first, second = make_project("first", keys[:3]), make_project("second", keys[2:4])

    found = export(PROJECT, of_project(first))
    both = export(CATALOG, {"searchQuery": {"query": []}}, allProjects=True)

    assert [line["data_row"]["global_key"] for line in found] == list(keys[:3])
    assert [set(line["projects"]) for line in found] == [{first}] * 3
    assert [set(line["projects"]) for line in both[:5]] == [
        {first},
        {first},
        {first, second},
        {second},
        set(),
    ]
    labels = [
        one["id"]
        for line in both
        for inside in line["projects"].values()
        for one in inside["labels"]
    ]
    assert len(set(labels)) == 5


def test_labels_of_another_project_are_not_searched(
    export: Export, make_project: Callable[..., str], keys: Sequence[str]
) -> None:
    first = make_project("first", keys[:2])
    second = make_project("second", keys[1:3], labelled=False)
    clause = {
        "type": "labeled_at",
        "value": {"operator": "GREATER_THAN_OR_EQUAL", "value": "2020-01-01"},
    }

    def found(project: str) -> list[str]:
        search = {"projectId": project, "searchQuery": {"query": [clause]}}
        return [line["data_row"]["global_key"] for line in export(PROJECT, search)]

    assert found(first) == list(keys[:2])
    assert found(second) == []


def test_a_deleted_project_is_gone(
    gql: Gql, refused: Gql, make_project: Callable[..., str], keys: Sequence[str]
) -> None:
    project = make_project("first", keys[:1])
    gql(
        "mutation D($where: WhereUniqueIdInput!, $data: UpdateProjectInput!)"
        " { updateProject(where: $where, data: $data) { id } }",
        where={"id": project},
        data={"deleted": True},
    )

    assert refused(PROJECT, input={"filters": of_project(project)}) == (
        "RESOURCE_NOT_FOUND",
        f"Project '{project}' not found",
    )


def test_a_label_has_no_confidence_whatever_was_imported(
    export: Export, make_project: Callable[..., str], keys: Sequence[str]
) -> None:
    project = make_project("first", keys[:1])

    (line,) = export(PROJECT, of_project(project))

    (label,) = line["projects"][project]["labels"]
    assert "confidence" not in label["annotations"]["objects"][0]


@pytest.fixture
def connect(gql: Gql) -> Callable[[str, str], str]:
    """Have a project label by a new ontology that has one tool; answers its id."""

    def send(project: str, schema_id: str) -> str:
        tool = {"tool": "rectangle", "name": "cat", "featureSchemaId": schema_id}
        made = gql(
            "mutation O($n: String!)"
            ' { upsertOntology(data: {name: "o", normalized: $n}) { id } }',
            n=json.dumps({"tools": [tool], "classifications": []}),
        )
        identifier: str = made["upsertOntology"]["id"]
        gql(
            "mutation C($p: ID!, $o: ID!) { project(where: {id: $p})"
            " { connectOntology(ontologyId: $o) { id } } }",
            p=project,
            o=identifier,
        )
        return identifier

    return send


def test_a_label_says_the_same_whatever_ontology_its_project_has_later(
    export: Export,
    gql: Gql,
    store: Store,
    make_project: Callable[..., str],
    connect: Callable[[str, str], str],
    keys: Sequence[str],
    run: str,
    model: str,
) -> None:
    first, second = "a" * 25, "b" * 25
    project = make_project("first", keys[:2], labelled=False)
    connect(project, first)

    def draw(key: str) -> None:
        with store.write() as db:
            pk = db.execute(select(projects.c.pk)).scalar_one()
            put_labels(db, store, pk, [NewLabel(number(db, key), [box()], False)])

    def made_with(inside: Mapping[str, Any]) -> str:
        (label,) = inside["labels"]
        found: str = label["annotations"]["objects"][0]["feature_schema_id"]
        return found

    draw(keys[0])
    gql(
        "mutation T($r: ID!, $p: ID!) { createMEAModelRunProjectLabelRegistrationTask("
        "where: {modelRunId: $r, projectId: $p}) }",
        r=run,
        p=project,
    )
    connect(project, second)
    draw(keys[1])

    lines = export(PROJECT, of_project(project))
    (taken,) = export(RUN, {"modelRunId": run})
    assert [made_with(one["projects"][project]) for one in lines] == [first, second]
    assert made_with(taken["experiments"][model]["runs"][run]) == first

    draw(keys[0])

    redrawn = export(PROJECT, of_project(project))[0]
    (taken,) = export(RUN, {"modelRunId": run})
    assert made_with(redrawn["projects"][project]) == second
    assert made_with(taken["experiments"][model]["runs"][run]) == first


def test_an_ontology_stays_while_there_are_labels_made_with_it(
    http: httpx.Client,
    store: Store,
    make_project: Callable[..., str],
    connect: Callable[[str, str], str],
    keys: Sequence[str],
) -> None:
    project = make_project("first", keys[:1], labelled=False)
    ontology = connect(project, "a" * 25)
    with store.write() as db:
        pk = db.execute(select(projects.c.pk)).scalar_one()
        put_labels(db, store, pk, [NewLabel(number(db, keys[0]), [box()], False)])
    unused = connect(project, "b" * 25)
    connect(project, "c" * 25)

    kept = http.delete(f"/api/v1/ontologies/{ontology}")
    gone = http.delete(f"/api/v1/ontologies/{unused}")

    assert kept.status_code == 409
    assert "used by labels" in kept.text
    assert gone.is_success


@pytest.mark.parametrize(
    ("media_type", "kind"),
    [(None, "ImageBoundingBox"), ("PDF", "DocumentBoundingBox")],
)
def test_labels_are_read_as_what_the_project_is_about(
    export: Export,
    make_project: Callable[..., str],
    keys: Sequence[str],
    media_type: str | None,
    kind: str,
) -> None:
    project = make_project("first", keys[:1], media_type)

    (line,) = export(PROJECT, of_project(project))

    (label,) = line["projects"][project]["labels"]
    assert label["annotations"]["objects"][0]["annotation_kind"] == kind


@pytest.mark.parametrize(
    ("known", "media_type"),
    [
        ({"mimeType": "image/png"}, "IMAGE"),
        ({"mimeType": "video/mp4"}, "VIDEO"),
        ({"mimeType": "text/plain"}, "TEXT"),
        ({"mimeType": "text/html"}, "HTML"),
        ({"mimeType": "application/pdf"}, "PDF"),
        ({"mimeType": "application/zip"}, None),
        ({"mimeType": "application/json", "assetType": "tms_geo"}, "TMS_GEO"),
        ({}, None),
    ],
)
def test_a_row_tells_its_media_type_when_nobody_else_does(
    known: Mapping[str, str], media_type: str | None
) -> None:
    assert media_type_of(json.dumps(known)) == media_type


def test_rows_are_read_as_what_they_are_when_their_run_does_not_say(
    export: Export, bring: Gql, register: Gql, predict: Gql, run: str, model: str
) -> None:
    bring({"row_data": "https://e.test/a.mp4", "global_key": "film"})
    register(globalKeys=["film"])
    predict("film", box())

    (line,) = export(RUN, {"modelRunId": run}, includePredictions=True)

    (entry,) = line["experiments"][model]["runs"][run]["predictions"]
    assert entry["label_kind"] == "Video"
    (one,) = entry["annotations"]["objects"]
    assert (one["annotation_kind"], one["confidence"]) == ("VideoBoundingBox", 0.5)


def test_rows_that_lie_far_apart_say_what_they_have(
    export: Export, register: Gql, predict: Gql, keys: Sequence[str], run: str
) -> None:
    register(globalKeys=[keys[0], keys[5], keys[9]])
    for key in keys:
        predict(key, box())
    clause = {"type": "global_key", "ids": [keys[0], keys[9]]}

    lines = export(
        CATALOG,
        {"searchQuery": {"query": [clause]}},
        allModelRuns=True,
        includePredictions=True,
    )

    found = [line["experiments"].popitem()[1]["runs"][run] for line in lines]
    assert [len(one["predictions"]) for one in found] == [1, 1]
    assert found[0]["predictions"][0]["id"] != found[1]["predictions"][0]["id"]


def test_runs_of_one_model_are_beside_each_other(
    export: Export, gql: Gql, register: Gql, keys: Sequence[str], run: str, model: str
) -> None:
    register(globalKeys=keys[:1])
    other = gql(
        'mutation R($m: ID!) { createModelRun(data: {name: "2", modelId: $m}) { id } }',
        m=model,
    )["createModelRun"]["id"]
    gql(
        "mutation A($m: ID!, $k: [ID!]) { createMEAModelRunDataRowRegistrationTask("
        "where: {id: $m}, data: {globalKeys: $k}) }",
        m=other,
        k=keys[:2],
    )

    lines = export(CATALOG, {"searchQuery": {"query": []}}, modelRunIds=[run, other])

    assert [
        set(line["experiments"][model]["runs"]) if line["experiments"] else set()
        for line in lines[:3]
    ] == [{run, other}, {other}, set()]


def test_pixels_of_masks_are_files_that_can_be_fetched_again_and_again(
    export: Export,
    http: httpx.Client,
    register: Gql,
    predict: Gql,
    keys: Sequence[str],
    run: str,
    model: str,
) -> None:
    register(globalKeys=keys[:1])
    png = base64.b64encode(b"pixels").decode()
    predict(keys[0], json.dumps({"name": "fur", "mask": {"png": png}}).encode())

    def url() -> str:
        (line,) = export(RUN, {"modelRunId": run}, includePredictions=True)
        (entry,) = line["experiments"][model]["runs"][run]["predictions"]
        found: str = entry["annotations"]["objects"][0]["mask"]["url"]
        return found

    first, second = url(), url()

    assert first == second
    answer = http.get(first, headers={"Authorization": ""})
    assert (answer.content, answer.headers["Content-Type"]) == (b"pixels", "image/png")


def test_vectors_of_rows_are_exported_with_their_names(
    export: Export, bring: Gql, store: Store
) -> None:
    with store.write() as db:
        kind = {"kind": "CustomMetadataEmbedding", "name": "clip"}
        db.execute(insert(metadata_schemas).values(id="known", **kind))
    vectors = [
        {"embeddingId": "known", "vector": [0.5, 1.0]},
        {"embeddingId": "other", "vector": [2.0]},
    ]
    bring({"row_data": "a", "embeddings": vectors}, {"row_data": "b"})

    lines = export(CATALOG, {"searchQuery": {"query": []}}, includeEmbeddings=True)

    assert lines[0]["embeddings"] == [
        {
            "id": "known",
            "name": "clip",
            "dimensions": 2,
            "is_custom": True,
            "values": [{"value": [0.5, 1.0]}],
        },
        {
            "id": "other",
            "name": "other",
            "dimensions": 1,
            "is_custom": True,
            "values": [{"value": [2.0]}],
        },
    ]
    assert lines[1]["embeddings"] == []


def test_moments_without_a_zone_are_meant_in_the_users(gql: Gql) -> None:
    assert gql("{ user { timezone } }") == {"user": {"timezone": "UTC"}}


def test_a_row_that_would_have_too_many_frames_is_told_and_the_others_exported(
    export: Export,
    predict: Callable[..., None],
    register: Gql,
    keys: Sequence[str],
    ids: Mapping[str, str],
    run: str,
) -> None:
    shape = {"top": 1, "left": 2, "height": 3, "width": 4}
    for key, last in ((keys[0], 3), (keys[1], 10**9)):
        frames = [{"frame": n, "bbox": shape} for n in (0, last)]
        segments = [{"keyframes": frames}]
        predict(key, json.dumps({"name": "cat", "segments": segments}).encode())
    register(globalKeys=keys[:3])
    asked = {"includePredictions": True, "includeInterpolatedFrames": True}
    rows = {"searchQuery": {"query": [{"type": "global_key", "ids": keys[:3]}]}}

    lines = export(CATALOG, rows, **asked, modelRunIds=[run])
    errors = export(CATALOG, rows, "ERRORS", **asked, modelRunIds=[run])

    assert [one["data_row"]["global_key"] for one in lines] == [keys[0], keys[2]]
    assert errors == [
        {
            "data_row_id": ids[keys[1]],
            "global_key": keys[1],
            "message": "a label has more than 100000 frames between its key frames; "
            "export it without interpolated frames",
        }
    ]


def test_rows_of_another_dataset_and_deleted_datasets_are_told(
    export: Export, gql: Gql, dataset: str, keys: Sequence[str], ids: Mapping[str, str]
) -> None:
    made = gql('mutation { createDataset(data: {name: "other"}) { id } }')
    other = made["createDataset"]["id"]

    def told(dataset: str, **clause: Any) -> list[Any]:
        query = [{"type": "dataset", "ids": [dataset]}, clause]
        return export(CATALOG, {"searchQuery": {"query": query}}, "ERRORS")

    by_key = {"type": "global_key", "ids": [keys[0]]}
    by_id = {"type": "data_row_id", "ids": [ids[keys[0]]]}
    assert told(dataset, **by_key) == []
    assert told(other, **by_key) == [
        {
            "global_key": keys[0],
            "message": "there is no data row with the global key 'street-00'"
            " in the dataset",
        }
    ]
    assert told(other, **by_id) == [
        {
            "data_row_id": ids[keys[0]],
            "message": f"there is no data row '{ids[keys[0]]}' in the dataset",
        }
    ]

    gql(
        "mutation D($id: ID!) { updateDataset(where: {id: $id}, data: {deleted: true})"
        " { id } }",
        id=other,
    )

    assert told(other, **by_id)[0] == {
        "dataset_id": other,
        "message": f"there is no dataset '{other}'",
    }

"""Labels and pre-labels: imported into a project, and taken over from a run."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx
import pytest
from sqlalchemy import delete, select, text

from reconciler.server.files import Files
from reconciler.server.jobs import Job, Jobs
from reconciler.server.settings import ServerSettings
from reconciler.server.store.database import Store
from reconciler.server.store.projects import connect_ontology, update_project
from reconciler.server.store.tables import (
    annotation_imports,
    label_contents,
    labels,
    prelabels,
)
from tests.support.annotation_files import (
    FIELDS,
    ONTOLOGY,
    box,
    errors,
    meanwhile,
    metric,
    ndjson,
    said,
    send,
    statuses,
    uuid_of,
)

Gql = Callable[..., Any]

LABELS = "createLabelImport"
PRELABELS = "createModelAssistedLabelingPredictionImport"
PREDICTIONS = "createModelErrorAnalysisPredictionImport"
COPY = (
    "mutation C($n: String!, $m: ID!, $d: [ID!]!, $p: ID!)"
    " { createMalPredictionImportForModelRunDataRows(data: {name: $n modelRunId: $m"
    " dataRowIds: $d projectId: $p}) { " + FIELDS + " project { id name } } }"
)
_EVERY_WAY_TO_ASK = [
    *(
        f'query F($p: ID!) {{ {field}(where: {{projectId: $p, name: "import"}})'
        f" {{ {selected} }} }}"
        for field in (
            "labelImport",
            "modelAssistedLabelingPredictionImport",
            "meaToMalPredictionImport",
        )
        for selected in ("id", "id project { id }")
    ),
    *(
        f"query F($p: ID!) {{ {field}(where: {{projectId: $p}}) {{ {selected} }} }}"
        for field in ("labelImports", "modelAssistedLabelingPredictionImports")
        for selected in ("id", "id project { id }")
    ),
]


@pytest.fixture
def ontology(gql: Gql) -> str:
    """Have an ontology of cats and know its id."""
    made = gql(
        "mutation O($data: UpsertOntologyInput!) { upsertOntology(data: $data) { id } }",
        data={"name": "pets", "normalized": json.dumps(ONTOLOGY), "mediaType": "IMAGE"},
    )
    identifier: str = made["upsertOntology"]["id"]
    return identifier


@pytest.fixture
def model(gql: Gql, ontology: str) -> str:
    """Have a model of cats and know its id."""
    made = gql(
        'mutation M($o: ID!) { createModel(data: {name: "m", ontologyId: $o}) { id } }',
        o=ontology,
    )
    identifier: str = made["createModel"]["id"]
    return identifier


@pytest.fixture
def bare(gql: Gql) -> str:
    """Have a project without an ontology and know its id."""
    made = gql('mutation { createProject(data: {name: "pets"}) { id } }')
    identifier: str = made["createProject"]["id"]
    return identifier


@pytest.fixture
def project(gql: Gql, bare: str, ontology: str, keys: Sequence[str]) -> str:
    """Have a project with the first nine of ten data rows and know its id."""
    gql(
        "mutation C($p: ID!, $o: ID!) { project(where: {id: $p})"
        " { connectOntology(ontologyId: $o) { id } } }",
        p=bare,
        o=ontology,
    )
    gql(
        "mutation B($p: ID!, $b: CreateBatchInput!) { project(where: {id: $p})"
        " { createBatchV2(input: $b) { failedDataRowIds } } }",
        p=bare,
        b={"name": "b", "dataRowIds": [], "globalKeys": keys[:9], "priority": 5},
    )
    return bare


@pytest.fixture
def bring_in(http: httpx.Client, project: str) -> Gql:
    """Import lines into the project and get the job."""

    def work(mutation: str, *lines: Any, name: str = "import") -> Any:
        body = send(http, mutation, project, ndjson(*lines), name=name)
        assert "errors" not in body, body
        return body["data"][mutation]

    return work


def labelled(store: Store) -> list[tuple[bool, list[dict[str, Any]]]]:
    """Read all labels: whether each is a benchmark, and its annotations."""
    query = (
        select(labels.c.benchmark, label_contents.c.annotations)
        .join(label_contents, labels.c.content_pk == label_contents.c.pk)
        .order_by(labels.c.row_pk, labels.c.benchmark)
    )
    with store.read() as db:
        return [(mark, json.loads(text)) for mark, text in db.execute(query)]


def prepared(store: Store) -> list[tuple[str, dict[str, Any]]]:
    """Read all pre-labels: uuid and line."""
    with store.read() as db:
        found = db.execute(select(prelabels.c.uuid, prelabels.c.body)).all()
    return [(uuid, json.loads(body)) for uuid, body in found]


def without_row(line: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in line.items() if name != "dataRow"}


def test_the_annotations_of_a_row_become_one_label(
    bring_in: Gql, http: httpx.Client, store: Store, keys: Sequence[str]
) -> None:
    one, two, three = box(keys[0], 2), box(keys[1], 3), box(keys[0], 1)

    job = bring_in(LABELS, one, two, three)

    assert said(statuses(http, job)) == ["SUCCESS"] * 3
    assert labelled(store) == [
        (False, [without_row(one), without_row(three)]),
        (False, [without_row(two)]),
    ]


def test_annotations_of_a_label_are_replaced_by_uuid_and_joined_otherwise(
    bring_in: Gql, store: Store, keys: Sequence[str]
) -> None:
    bring_in(LABELS, box(keys[0], 1), box(keys[0], 2))
    again, new = box(keys[0], 1, page=None), box(keys[0], 3)

    bring_in(LABELS, again, new, name="second")

    assert labelled(store) == [
        (False, [without_row(one) for one in (again, box(keys[0], 2), new)])
    ]


def test_benchmark_lines_make_a_label_of_their_own(
    bring_in: Gql, store: Store, keys: Sequence[str]
) -> None:
    bring_in(LABELS, box(keys[0], 1), box(keys[0], 2, isBenchmarkReferenceLabel=True))

    assert labelled(store) == [
        (False, [without_row(box(keys[0], 1))]),
        (True, [without_row(box(keys[0], 2))]),
    ]


def test_an_annotation_without_a_uuid_is_given_the_one_that_its_status_tells(
    bring_in: Gql, http: httpx.Client, store: Store, keys: Sequence[str]
) -> None:
    job = bring_in(LABELS, box(keys[0]), {**box(keys[0]), "uuid": None})

    ((_, annotations),) = labelled(store)
    given = [one["uuid"] for one in statuses(http, job)]
    assert [one["uuid"] for one in annotations] == given
    assert None not in given


def test_metrics_are_no_labels(
    bring_in: Gql, http: httpx.Client, store: Store, keys: Sequence[str]
) -> None:
    job = bring_in(LABELS, metric(keys[0]), box(keys[0], 1))

    assert said(statuses(http, job)) == ["NotSupported", "SUCCESS"]
    assert len(labelled(store)) == 1


@pytest.mark.parametrize("mutation", [LABELS, PRELABELS])
def test_a_row_outside_the_project_is_told(
    bring_in: Gql, http: httpx.Client, keys: Sequence[str], mutation: str
) -> None:
    job = bring_in(mutation, box(keys[9], 1), box("gone", 2))

    outside, unknown = errors(http, job)
    assert outside["errors"][0]["message"] == (
        "the data row with the globalKey 'street-09' is not in the project 'pets'"
    )
    assert unknown["errors"][0]["name"] == "UnknownDataRow"


@pytest.mark.parametrize("mutation", [LABELS, PRELABELS])
def test_a_project_without_an_ontology_takes_nothing(
    http: httpx.Client, bare: str, mutation: str
) -> None:
    body = send(http, mutation, bare, ndjson(box("x", 1)))

    (error,) = body["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["message"] == (
        "the project 'pets' has no ontology; connect one before you import"
    )


@pytest.mark.parametrize("mutation", [LABELS, PRELABELS])
def test_no_project_is_not_found(http: httpx.Client, mutation: str) -> None:
    body = send(http, mutation, "gone", ndjson(box("x", 1)))

    assert body["errors"][0]["message"] == "Project 'gone' not found"


@pytest.mark.parametrize("mutation", [LABELS, PRELABELS])
def test_a_relationship_may_refer_to_what_the_row_has(
    bring_in: Gql, http: httpx.Client, keys: Sequence[str], mutation: str
) -> None:
    def near(uuid: int, target: int) -> dict[str, Any]:
        ends = {"source": uuid_of(1), "target": uuid_of(target)}
        return {
            "uuid": uuid_of(uuid),
            "dataRow": {"globalKey": keys[0]},
            "name": "near",
            "relationship": {**ends, "type": "unidirectional"},
        }

    bring_in(mutation, box(keys[0], 1), box(keys[0], 2))

    job = bring_in(mutation, near(3, 2), near(4, 5), name="second")

    assert said(statuses(http, job)) == ["SUCCESS", "UnknownAnnotation"]


def test_a_deleted_project_takes_nothing(
    gql: Gql, http: httpx.Client, project: str, keys: Sequence[str]
) -> None:
    gql(
        "mutation D($p: ID!) {"
        " updateProject(where: {id: $p}, data: {deleted: true}) { id } }",
        p=project,
    )

    body = send(http, LABELS, project, ndjson(box(keys[0], 1)))

    assert body["errors"][0]["message"] == f"Project '{project}' not found"


class TestUniqueNames:
    """Where names of imports must be unique."""

    @pytest.fixture
    def settings(self) -> ServerSettings:
        return ServerSettings(unique_import_names=True)

    def test_labels_and_pre_labels_may_share_a_name(
        self, bring_in: Gql, http: httpx.Client, project: str, keys: Sequence[str]
    ) -> None:
        bring_in(LABELS, box(keys[0], 1))
        bring_in(PRELABELS, box(keys[0], 1))

        body = send(http, LABELS, project, ndjson(box(keys[0], 1)))

        assert body["errors"][0]["extensions"]["code"] == "RESOURCE_CONFLICT"


def test_an_import_that_is_deleted_under_way_brings_nothing(
    bring_in: Gql,
    store: Store,
    keys: Sequence[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    write = Files.write

    def interrupted(files: Files, pieces: Any) -> Any:
        with store.write() as db:
            db.execute(
                delete(annotation_imports).where(
                    annotation_imports.c.input_pk.is_not(None)
                )
            )
        return write(files, pieces)

    monkeypatch.setattr(Files, "write", interrupted)

    job = bring_in(PRELABELS, box(keys[0], 1))

    assert job["state"] == "RUNNING"
    assert prepared(store) == []


def test_the_job_of_a_deleted_import_leaves_the_next_one_alone(
    bring_in: Gql,
    http: httpx.Client,
    gql: Gql,
    store: Store,
    project: str,
    keys: Sequence[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waiting: list[Job] = []
    with monkeypatch.context() as patch:
        patch.setattr(Jobs, "do", lambda _, job: waiting.append(job))
        patch.setattr(Jobs, "resume", lambda *_: None)
        first = bring_in(PRELABELS, box(keys[0], 1), name="first")
        _forget(store, first["id"])
        bring_in(PRELABELS, box(keys[1], 2), name="second")
        (theirs, ours) = waiting

        theirs.work()
        theirs.fail("the other one")
        theirs.prepare()
        untouched = prepared(store)
        ours.work()

    job = gql(
        "query F($p: ID!) { modelAssistedLabelingPredictionImport("
        'where: {projectId: $p, name: "second"}) { state statusFileUrl } }',
        p=project,
    )["modelAssistedLabelingPredictionImport"]
    assert untouched == []
    assert prepared(store) == [(uuid_of(2), box(keys[1], 2))]
    assert (job["state"], said(statuses(http, job))) == ("FINISHED", ["SUCCESS"])


def _forget(store: Store, identifier: str) -> None:
    """Delete an import, and let its number be given out again."""
    with store.write() as db:
        db.execute(
            delete(annotation_imports).where(annotation_imports.c.id == identifier)
        )
        db.execute(text("DELETE FROM sqlite_sequence"))


def test_labels_are_judged_by_the_ontology_that_the_project_has_in_the_end(
    bring_in: Gql,
    http: httpx.Client,
    gql: Gql,
    store: Store,
    project: str,
    keys: Sequence[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = gql(
        'mutation { upsertOntology(data: {name: "none", normalized: "{}",'
        " mediaType: IMAGE}) { id } }"
    )["upsertOntology"]["id"]
    once = meanwhile(
        store, monkeypatch, lambda db: connect_ontology(db, store, project, other)
    )

    job = bring_in(LABELS, box(keys[0], 1), box(keys[1], 2))

    assert once == [True]
    assert said(statuses(http, job)) == ["UnknownFeature"] * 2
    assert labelled(store) == []


def test_a_project_that_is_deleted_under_way_takes_the_import_along(
    bring_in: Gql,
    store: Store,
    project: str,
    keys: Sequence[str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    once = meanwhile(
        store,
        monkeypatch,
        lambda db: update_project(db, store, project, {"deleted": True}),
    )

    bring_in(LABELS, box(keys[0], 1))

    assert once == [True]
    assert labelled(store) == []
    assert caplog.messages == []


def test_the_imports_of_a_deleted_project_are_not_found(
    gql: Gql, refused: Gql, bring_in: Gql, project: str, keys: Sequence[str]
) -> None:
    for mutation in (LABELS, PRELABELS):
        bring_in(mutation, box(keys[0], 1))
    gql(
        "mutation D($p: ID!) {"
        " updateProject(where: {id: $p}, data: {deleted: true}) { id } }",
        p=project,
    )

    for query in _EVERY_WAY_TO_ASK:
        assert refused(query, p=project) == (
            "RESOURCE_NOT_FOUND",
            f"Project '{project}' not found",
        )


@pytest.mark.parametrize("query", _EVERY_WAY_TO_ASK)
def test_the_imports_of_no_project_are_not_found(refused: Gql, query: str) -> None:
    assert refused(query, p="gone") == (
        "RESOURCE_NOT_FOUND",
        "Project 'gone' not found",
    )


def test_pre_labels_are_replaced_by_uuid(
    bring_in: Gql, store: Store, keys: Sequence[str]
) -> None:
    bring_in(PRELABELS, box(keys[0], 1), box(keys[1], 2))
    again = box(keys[0], 1, confidence=0.5)

    bring_in(PRELABELS, again, name="second")

    assert prepared(store) == [(uuid_of(1), again), (uuid_of(2), box(keys[1], 2))]


def test_names_of_labels_and_of_pre_labels_are_apart(
    gql: Gql, bring_in: Gql, project: str, keys: Sequence[str]
) -> None:
    first = bring_in(LABELS, box(keys[0], 1), name="a")
    second = bring_in(PRELABELS, box(keys[0], 1), name="a")
    third = bring_in(LABELS, box(keys[0], 1), name="b")

    found = gql(
        "query F($p: ID!) {"
        ' labelImport(where: {projectId: $p, name: "a"}) { id project { name } }'
        " modelAssistedLabelingPredictionImport("
        'where: {projectId: $p, name: "a"}) { id }'
        " labelImports(skip: 0, first: 100, where: {projectId: $p})"
        " { id project { id dataRowCount } }"
        " second: labelImports(skip: 1, first: 1, where: {projectId: $p}) { name }"
        " modelAssistedLabelingPredictionImports("
        "skip: 0, first: 100, where: {projectId: $p}) { id } }",
        p=project,
    )

    whole = {"id": project, "dataRowCount": 9}
    assert found == {
        "labelImport": {"id": first["id"], "project": {"name": "pets"}},
        "modelAssistedLabelingPredictionImport": {"id": second["id"]},
        "labelImports": [
            {"id": third["id"], "project": whole},
            {"id": first["id"], "project": whole},
        ],
        "second": [{"name": "a"}],
        "modelAssistedLabelingPredictionImports": [{"id": second["id"]}],
    }


def test_an_import_of_pre_labels_can_be_forgotten(
    gql: Gql,
    refused: Gql,
    bring_in: Gql,
    store: Store,
    project: str,
    keys: Sequence[str],
) -> None:
    delete = (
        "mutation D($id: ID!) {"
        " deleteModelAssistedLabelingPredictionImport(where: {id: $id}) { id } }"
    )
    job = bring_in(PRELABELS, box(keys[0], 1))

    gql(delete, id=job["id"])

    assert refused(delete, id=job["id"])[0] == "RESOURCE_NOT_FOUND"
    assert refused(
        "query F($p: ID!) { modelAssistedLabelingPredictionImport("
        'where: {projectId: $p, name: "import"}) { id } }',
        p=project,
    ) == ("RESOURCE_NOT_FOUND", "Import 'import' not found")
    assert len(prepared(store)) == 1


class TestFromARun:
    """Predictions of a run that become pre-labels."""

    @pytest.fixture
    def predicted(
        self, http: httpx.Client, run: str, register: Gql, keys: Sequence[str]
    ) -> str:
        """Have a run of ten rows with predictions for three and know its id."""
        register(globalKeys=keys)
        lines = (
            box(keys[0], 1, confidence=0.5),
            box(keys[0]),
            box(keys[1], 3),
            box(keys[9], 4),
            metric(keys[0]),
        )
        body = send(http, PREDICTIONS, run, ndjson(*lines))
        assert errors(http, body["data"][PREDICTIONS]) == []
        return run

    @pytest.fixture
    def copy(
        self, gql: Gql, predicted: str, project: str, ids: Mapping[str, str]
    ) -> Gql:
        """Copy the predictions of rows, and get the job."""

        def work(*named: str) -> Any:
            rows = [ids.get(one, one) for one in named]
            job = gql(COPY, n="copy", m=predicted, d=rows, p=project)
            return job["createMalPredictionImportForModelRunDataRows"]

        return work

    def test_predictions_keep_their_uuids(
        self,
        copy: Gql,
        http: httpx.Client,
        store: Store,
        project: str,
        keys: Sequence[str],
        ids: Mapping[str, str],
    ) -> None:
        job = copy(keys[0])

        assert job["state"] == "FINISHED"
        assert job["project"] == {"id": project, "name": "pets"}
        uuids = {one["uuid"] for one in statuses(http, job)}
        assert len(uuids) == 2
        assert uuid_of(1) in uuids
        found = dict(prepared(store))
        assert set(found) == uuids
        assert found[uuid_of(1)] == {
            **box(keys[0], 1, confidence=0.5),
            "dataRow": {"id": ids[keys[0]]},
        }

    def test_predictions_of_another_run_stay_where_they_are(
        self,
        copy: Gql,
        gql: Gql,
        http: httpx.Client,
        store: Store,
        model: str,
        keys: Sequence[str],
    ) -> None:
        other = gql(
            "mutation R($m: ID!) {"
            ' createModelRun(data: {name: "other", modelId: $m}) { id } }',
            m=model,
        )["createModelRun"]["id"]
        gql(
            "mutation A($m: ID!, $k: [ID!]) { createMEAModelRunDataRowRegistrationTask("
            "where: {id: $m}, data: {globalKeys: $k}) }",
            m=other,
            k=keys,
        )
        body = send(http, PREDICTIONS, other, ndjson(box(keys[1], 9)))
        assert errors(http, body["data"][PREDICTIONS]) == []

        copy(keys[1])

        assert [uuid for uuid, _ in prepared(store)] == [uuid_of(3)]

    def test_to_copy_again_replaces(
        self, copy: Gql, store: Store, keys: Sequence[str]
    ) -> None:
        copy(keys[0], keys[1])
        copy(keys[0], keys[1])

        assert len(prepared(store)) == 3

    def test_rows_that_have_nothing_to_copy_are_told(
        self, copy: Gql, http: httpx.Client, store: Store, keys: Sequence[str]
    ) -> None:
        job = copy(keys[1], keys[2], keys[9], "gone", "gone")

        assert sorted(said(statuses(http, job))) == [
            "DataRowNotIncluded",
            "DataRowNotIncluded",
            "SUCCESS",
        ]
        outside, unknown = errors(http, job)
        assert outside["uuid"] == uuid_of(4)
        assert unknown["dataRow"] == {"id": "gone"}
        assert unknown["errors"][0]["message"] == (
            "the model run has no data row with the id 'gone'"
        )
        assert [uuid for uuid, _ in prepared(store)] == [uuid_of(3)]

    def test_rows_without_predictions_are_no_failure(
        self, copy: Gql, http: httpx.Client, store: Store, keys: Sequence[str]
    ) -> None:
        job = copy(keys[2])

        assert job["state"] == "FINISHED"
        assert statuses(http, job) == errors(http, job) == []
        assert prepared(store) == []

    def test_it_is_found_by_its_name(
        self, copy: Gql, gql: Gql, project: str, keys: Sequence[str]
    ) -> None:
        job = copy(keys[0])

        found = gql(
            "query F($p: ID!) { meaToMalPredictionImport("
            'where: {projectId: $p, name: "copy"}) { id state } }',
            p=project,
        )
        assert found["meaToMalPredictionImport"] == {
            "id": job["id"],
            "state": "FINISHED",
        }

    def test_no_run_is_not_found(self, refused: Gql, project: str) -> None:
        assert refused(COPY, n="copy", m="gone", d=[], p=project) == (
            "RESOURCE_NOT_FOUND",
            "ModelRun 'gone' not found",
        )

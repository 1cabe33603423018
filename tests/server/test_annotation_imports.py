"""Predictions and metrics: imported into a run line by line, and told of."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx
import pytest
from sqlalchemy import delete, select

from reconciler.server.importing import reading
from reconciler.server.jobs import Jobs
from reconciler.server.settings import Limits, ServerSettings
from reconciler.server.store.database import Store
from reconciler.server.store.tables import (
    metrics,
    model_runs,
    predictions,
    run_rows,
)
from tests.server.conftest import Clock
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

CREATE = "createModelErrorAnalysisPredictionImport"
FIND = (
    "query F($modelRunId: ID!, $name: String!) { modelErrorAnalysisPredictionImport("
    "where: {modelRunId: $modelRunId, name: $name}) { modelRunId " + FIELDS + " } }"
)


@pytest.fixture
def model(gql: Gql) -> str:
    """Have a model of cats and know its id."""
    ontology = gql(
        "mutation O($data: UpsertOntologyInput!) { upsertOntology(data: $data) { id } }",
        data={"name": "pets", "normalized": json.dumps(ONTOLOGY), "mediaType": "IMAGE"},
    )
    created = gql(
        'mutation M($o: ID!) { createModel(data: {name: "m", ontologyId: $o}) { id } }',
        o=ontology["upsertOntology"]["id"],
    )
    identifier: str = created["createModel"]["id"]
    return identifier


@pytest.fixture
def rows(keys: Sequence[str], register: Gql) -> Sequence[str]:
    """Have a run with the first nine of ten data rows, and know all their keys."""
    assert register(globalKeys=keys[:9])["status"] == "COMPLETE"
    return keys


@pytest.fixture
def bring_in(http: httpx.Client, run: str, rows: Sequence[str]) -> Gql:
    """Import lines into the run and get the job."""

    def work(*lines: Mapping[str, Any] | str, name: str = "import") -> Any:
        body = send(http, CREATE, run, ndjson(*lines), name=name)
        assert "errors" not in body, body
        return body["data"][CREATE]

    return work


def kept(store: Store) -> list[tuple[str, dict[str, Any]]]:
    with store.read() as db:
        found = db.execute(select(predictions.c.uuid, predictions.c.body)).all()
    return [(uuid, json.loads(body)) for uuid, body in found]


def measured(store: Store) -> list[tuple[Any, ...]]:
    with store.read() as db:
        return [tuple(row)[2:] for row in db.execute(select(metrics))]


def test_predictions_are_kept_as_they_came(
    bring_in: Gql, http: httpx.Client, store: Store, rows: Sequence[str]
) -> None:
    line = box(
        rows[0],
        1,
        confidence=0,
        customMetrics=[{"name": "iou", "value": 0.5}],
        classifications=[{"name": "breed", "answer": {"name": "tabby"}}],
    )

    job = bring_in(line, box(rows[1], 2))

    assert (job["state"], job["progress"]) == ("FINISHED", "100%")
    assert job["errorMessage"] is None
    assert kept(store) == [(uuid_of(1), line), (uuid_of(2), box(rows[1], 2))]


def test_every_line_has_a_status_in_its_place(
    bring_in: Gql, http: httpx.Client, rows: Sequence[str], ids: Mapping[str, str]
) -> None:
    job = bring_in(box(rows[0], 1), "", box(rows[1], 2, name="dog"), metric(rows[2]))

    first, second, third = statuses(http, job)
    assert first == {
        "uuid": uuid_of(1),
        "dataRow": {"id": ids[rows[0]], "globalKey": rows[0]},
        "status": "SUCCESS",
        "errors": [],
    }
    assert second == {
        "uuid": uuid_of(2),
        "dataRow": {"id": ids[rows[1]], "globalKey": rows[1]},
        "status": "FAILURE",
        "errors": [
            {
                "name": "UnknownFeature",
                "message": "the ontology has no feature 'dog'",
                "additionalInfo": "line 3, at name",
            }
        ],
    }
    assert third == {
        "uuid": None,
        "dataRow": {"id": ids[rows[2]], "globalKey": rows[2]},
        "status": "SUCCESS",
        "errors": [],
    }
    assert errors(http, job) == [second]


def test_a_line_that_fails_leaves_the_others(
    bring_in: Gql, http: httpx.Client, store: Store, rows: Sequence[str]
) -> None:
    job = bring_in(box(rows[0], 1), "{broken", '{"metricValue": NaN}', box(rows[1], 2))

    assert job["state"] == "FINISHED"
    found = said(statuses(http, job))
    assert (found[0], found[3]) == ("SUCCESS", "SUCCESS")
    assert found[1] == "NotJson"
    assert "NotFinite" in found[2]
    assert [uuid for uuid, _ in kept(store)] == [uuid_of(1), uuid_of(2)]


def test_white_space_around_a_line_is_not_kept(
    http: httpx.Client, run: str, store: Store, rows: Sequence[str]
) -> None:
    line = ndjson(box(rows[0], 1)).strip()

    send(http, CREATE, run, b"\n \t" + line + b" \r\n")

    with store.read() as db:
        assert db.execute(select(predictions.c.body)).scalars().all() == [line.decode()]


def test_no_errors_are_an_empty_file(
    bring_in: Gql, http: httpx.Client, rows: Sequence[str]
) -> None:
    job = bring_in(box(rows[0], 1))

    assert http.get(job["errorFileUrl"]).content == b""


def test_the_file_can_be_had_again_byte_for_byte(
    http: httpx.Client, run: str, rows: Sequence[str]
) -> None:
    content = b"\n" + ndjson(box(rows[0], 1)).replace(b"\n", b"\r\n") + b"  \n{"

    job = send(http, CREATE, run, content)["data"][CREATE]

    assert http.get(job["inputFileUrl"]).content == content
    assert said(statuses(http, job)) == ["SUCCESS", "NotJson"]


def test_a_row_that_nobody_knows_and_one_outside_the_run_are_told_apart(
    bring_in: Gql, http: httpx.Client, store: Store, rows: Sequence[str]
) -> None:
    job = bring_in(box("nowhere", 1), box(rows[9], 2))

    unknown, outside = errors(http, job)
    assert unknown["dataRow"] == {"id": None, "globalKey": "nowhere"}
    assert unknown["errors"] == [
        {
            "name": "UnknownDataRow",
            "message": "there is no data row with the globalKey 'nowhere'",
            "additionalInfo": "line 1, at dataRow.globalKey",
        }
    ]
    assert outside["errors"][0]["name"] == "DataRowNotIncluded"
    assert outside["errors"][0]["message"] == (
        "the data row with the globalKey 'street-09' is not in the model run 'first'"
    )
    assert kept(store) == []


def test_rows_may_be_named_by_id(
    bring_in: Gql,
    http: httpx.Client,
    store: Store,
    rows: Sequence[str],
    ids: Mapping[str, str],
) -> None:
    line = {**box("", 1), "dataRow": {"id": ids[rows[3]]}}

    job = bring_in(line, {**line, "dataRow": {"id": "gone"}})

    assert said(statuses(http, job)) == ["SUCCESS", "UnknownDataRow"]
    assert errors(http, job)[0]["dataRow"] == {"id": "gone"}
    assert kept(store) == [(uuid_of(1), line)]


def test_the_same_uuid_on_the_same_row_replaces(
    bring_in: Gql, http: httpx.Client, store: Store, rows: Sequence[str]
) -> None:
    bring_in(box(rows[0], 1), box(rows[0], 2))
    last = box(rows[0], 1, confidence=0.9)

    bring_in(
        {**box(rows[0], confidence=0.1), "uuid": uuid_of(1)},
        box(rows[1], 1),
        last,
        name="second",
    )

    assert kept(store) == [
        (uuid_of(1), last),
        (uuid_of(2), box(rows[0], 2)),
        (uuid_of(1), box(rows[1], 1)),
    ]


def test_a_prediction_without_a_uuid_is_given_one(
    bring_in: Gql, http: httpx.Client, store: Store, rows: Sequence[str]
) -> None:
    job = bring_in(box(rows[0]), box(rows[0]))

    given = {one["uuid"] for one in statuses(http, job)}
    assert len(given) == 2
    assert {uuid for uuid, _ in kept(store)} == given


def test_statuses_are_ascii_whatever_the_keys_are(
    bring_in: Gql, bring: Gql, register: Gql, http: httpx.Client
) -> None:
    key = 'k\u2028\u0085"\\é'
    bring({"row_data": "x", "global_key": key})
    register(globalKeys=[key])

    job = bring_in(box(key, 1), box(key + "!", 2))

    assert http.get(job["statusFileUrl"]).content.isascii()
    assert [one["dataRow"]["globalKey"] for one in statuses(http, job)] == [
        key,
        key + "!",
    ]


def test_metrics_replace_those_of_the_same_name_feature_and_subclass(
    bring_in: Gql, store: Store, rows: Sequence[str]
) -> None:
    of_cats = {**metric(rows[0]), "featureName": "cat"}
    of_tabbies = {**of_cats, "subclassName": "tabby", "aggregation": "SUM"}
    bring_in(metric(rows[0], 0.1), of_cats, of_tabbies)

    bring_in(metric(rows[0], 0.2), metric(rows[0], 0.3), name="second")

    assert measured(store) == [
        ("score", "", "", "ARITHMETIC_MEAN", "0.3"),
        ("score", "cat", "", "ARITHMETIC_MEAN", "0.5"),
        ("score", "cat", "tabby", "SUM", "0.5"),
    ]


def test_metrics_that_are_there_count_towards_the_limit_of_a_row(
    bring_in: Gql, http: httpx.Client, store: Store, rows: Sequence[str]
) -> None:
    bring_in(*(metric(rows[0], name=f"m{n}") for n in range(19)))

    job = bring_in(
        metric(rows[0], 1, name="m0"),
        metric(rows[0], name="m19"),
        metric(rows[0], name="m20"),
        metric(rows[1], name="m20"),
        name="second",
    )

    assert said(statuses(http, job)) == [
        "SUCCESS",
        "SUCCESS",
        "TooManyMetrics",
        "SUCCESS",
    ]
    assert len(measured(store)) == 21


def test_a_relationship_may_refer_to_what_is_there(
    bring_in: Gql, http: httpx.Client, rows: Sequence[str]
) -> None:
    bring_in(box(rows[0], 1), box(rows[1], 2))

    def near(row: str, target: int) -> dict[str, Any]:
        ends = {"source": uuid_of(3), "target": uuid_of(target)}
        return {
            "uuid": uuid_of(10 + target),
            "dataRow": {"globalKey": row},
            "name": "near",
            "relationship": {**ends, "type": "unidirectional"},
        }

    job = bring_in(
        near(rows[0], 1), near(rows[0], 2), box(rows[0], 3), name="relationships"
    )

    assert said(statuses(http, job)) == ["SUCCESS", "UnknownAnnotation", "SUCCESS"]


@pytest.mark.parametrize("content", [b"", b"\n  \r\n\n"])
def test_a_file_without_lines_fails_as_a_whole(
    http: httpx.Client, run: str, content: bytes
) -> None:
    job = send(http, CREATE, run, content)["data"][CREATE]

    assert job["state"] == "FAILED"
    assert job["errorMessage"] == "the file has no lines"
    assert job["statusFileUrl"] is job["errorFileUrl"] is None
    assert http.get(job["inputFileUrl"]).content == content


class TestLimits:
    """Files and lines that are too long."""

    @pytest.fixture
    def settings(self) -> ServerSettings:
        limits = Limits(annotations_per_import=2, file_bytes=5000)
        return ServerSettings(limits=limits)

    def test_a_file_of_too_many_lines_fails_as_a_whole(
        self, bring_in: Gql, store: Store, rows: Sequence[str]
    ) -> None:
        job = bring_in(*(metric(rows[0], n) for n in range(3)))

        assert (job["state"], job["errorMessage"]) == (
            "FAILED",
            "the file has more than 2 lines",
        )
        assert measured(store) == []

    def test_a_file_that_is_too_long_fails_as_a_whole(
        self, bring_in: Gql, rows: Sequence[str]
    ) -> None:
        job = bring_in(box(rows[0], 1, note="." * 5000))

        assert (job["state"], job["errorMessage"]) == (
            "FAILED",
            "the file is longer than 5000 bytes",
        )


def test_a_line_that_is_too_long_fails_alone(
    bring_in: Gql,
    http: httpx.Client,
    rows: Sequence[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reading, "LONGEST_LINE", 400)

    job = bring_in(box(rows[0], 1, note="." * 400), box(rows[0], 2))

    assert said(statuses(http, job)) == ["TooLong", "SUCCESS"]


def test_a_name_means_the_latest_import_of_it(
    gql: Gql, bring_in: Gql, run: str, rows: Sequence[str]
) -> None:
    first = bring_in(box(rows[0], 1))
    second = bring_in(box(rows[0], 2))

    found = gql(FIND, modelRunId=run, name="import")
    assert found["modelErrorAnalysisPredictionImport"] == {**second, "modelRunId": run}
    assert first["id"] != second["id"]


def test_an_unknown_import_is_not_found(refused: Gql, run: str) -> None:
    assert refused(FIND, modelRunId=run, name="none") == (
        "RESOURCE_NOT_FOUND",
        "Import 'none' not found",
    )


def test_the_import_of_an_unknown_run_is_not_found(refused: Gql) -> None:
    assert refused(FIND, modelRunId="nobody's", name="none") == (
        "RESOURCE_NOT_FOUND",
        "ModelRun 'nobody's' not found",
    )


class TestUniqueNames:
    """Where names of imports must be unique."""

    @pytest.fixture
    def settings(self) -> ServerSettings:
        return ServerSettings(unique_import_names=True)

    def test_a_second_import_of_a_name_is_refused(
        self, bring_in: Gql, http: httpx.Client, run: str, rows: Sequence[str]
    ) -> None:
        bring_in(box(rows[0], 1))

        body = send(http, CREATE, run, ndjson(box(rows[0], 2)))

        assert body["errors"] == [
            {
                "message": "there is an import named 'import' already",
                "extensions": {"code": "RESOURCE_CONFLICT"},
            }
        ]


class TestSlowTasks:
    """Where tasks take their time."""

    @pytest.fixture
    def settings(self) -> ServerSettings:
        return ServerSettings(task_seconds=5)

    def test_an_import_is_reported_as_running_for_a_while(
        self, gql: Gql, http: httpx.Client, run: str, clock: Clock
    ) -> None:
        job = send(http, CREATE, run, ndjson(box("x", 1)))["data"][CREATE]
        clock.seconds += 5.01
        later = gql(FIND, modelRunId=run, name="import")

        assert (job["state"], job["progress"]) == ("RUNNING", "0%")
        assert job["statusFileUrl"] is job["errorFileUrl"] is None
        assert job["inputFileUrl"] is not None
        found = later["modelErrorAnalysisPredictionImport"]
        assert (found["state"], found["progress"]) == ("FINISHED", "100%")
        assert found["statusFileUrl"] is not None


def test_an_import_into_no_run_is_refused(http: httpx.Client) -> None:
    body = send(http, CREATE, "gone", ndjson(box("x", 1)))

    assert body["errors"][0]["extensions"]["code"] == "RESOURCE_NOT_FOUND"
    assert body["errors"][0]["message"] == "ModelRun 'gone' not found"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("", "an import needs either a filePayload or a fileUrl"),
        (
            'fileUrl: "x" filePayload: {file: "f"}',
            "an import needs either a filePayload or a fileUrl",
        ),
        ('filePayload: {file: "f"}', "file must be a part of a multipart request"),
        (
            'fileUrl: "ftp://e.test/a"',
            "a file is fetched by a URL that begins with http or https",
        ),
    ],
)
def test_an_import_of_nothing_is_refused(
    refused: Gql, run: str, given: str, message: str
) -> None:
    mutation = (
        f'mutation {{ {CREATE}(data: {{modelRunId: "{run}" name: "n" {given}}})'
        " { id } }"
    )

    assert refused(mutation) == ("BAD_USER_INPUT", message)


def test_rows_that_leave_the_run_under_way_are_judged_anew(
    bring_in: Gql,
    http: httpx.Client,
    store: Store,
    rows: Sequence[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    once = meanwhile(store, monkeypatch, lambda db: db.execute(delete(run_rows)))

    job = bring_in(box(rows[0], 1))

    assert once == [True]
    assert said(statuses(http, job)) == ["DataRowNotIncluded"]
    assert kept(store) == []


def test_a_run_that_is_deleted_under_way_takes_the_import_along(
    bring_in: Gql,
    store: Store,
    rows: Sequence[str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    once = meanwhile(store, monkeypatch, lambda db: db.execute(delete(model_runs)))

    job = bring_in(box(rows[0], 1))

    assert once == [True]
    assert job["state"] == "RUNNING"
    assert kept(store) == []
    assert caplog.messages == []


def test_an_import_that_nobody_works_on_is_done_by_whoever_asks(
    gql: Gql,
    bring_in: Gql,
    run: str,
    store: Store,
    rows: Sequence[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Jobs, "do", lambda *_: None)
        patch.setattr(Jobs, "resume", lambda *_: None)
        begun = bring_in(box(rows[0], 1))
    untouched = kept(store)

    def ask() -> str:
        found = gql(FIND, modelRunId=run, name="import")
        state: str = found["modelErrorAnalysisPredictionImport"]["state"]
        return state

    end = time.monotonic() + 20
    while ask() == "RUNNING":
        assert time.monotonic() < end
        time.sleep(0.01)
    assert (begun["state"], untouched) == ("RUNNING", [])
    assert ask() == "FINISHED"
    assert kept(store) == [(uuid_of(1), box(rows[0], 1))]

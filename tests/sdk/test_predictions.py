"""Predictions and metrics by the official SDK: uploaded, and told of."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import labelbox.types as lb  # type: ignore[import-untyped]  # publishes no types
import pytest
import requests
from labelbox import MEAPredictionImport
from lbox.exceptions import ResourceNotFoundError  # type: ignore[import-untyped]
from sqlalchemy import func, select

from reconciler.server.settings import ServerSettings
from reconciler.server.store.database import open_store
from reconciler.server.store.tables import metrics, predictions, prelabels
from tests.sdk.inside import client_of, inside
from tests.sdk.pets import KEYS, Pets, kept
from tests.sdk.site import KEY
from tests.support.annotation_files import box, metric, ndjson, uuid_of


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("predictions")


@pytest.fixture(scope="module")
def pets(folder: Path) -> Iterator[Pets]:
    with inside(folder) as url:
        yield kept(client_of(url))


def count(folder: Path, *tables: Any) -> tuple[int, ...]:
    with open_store(folder / "store.db") as store, store.read() as db:
        return tuple(
            db.execute(select(func.count()).select_from(one)).scalar_one()
            for one in tables
        )


def test_python_types_are_uploaded_with_their_metrics(pets: Pets) -> None:
    cat = lb.ObjectAnnotation(
        name="cat",
        value=lb.Rectangle(start=lb.Point(x=1, y=2), end=lb.Point(x=5, y=6)),
        confidence=0.9,
        custom_metrics=[{"name": "iou", "value": 0.8}],
        classifications=[
            lb.ClassificationAnnotation(
                name="breed",
                value=lb.Radio(
                    answer=lb.ClassificationAnswer(name="tabby", confidence=0.7)
                ),
            )
        ],
    )
    weather = lb.ClassificationAnnotation(
        name="weather", value=lb.Radio(answer=lb.ClassificationAnswer(name="sun"))
    )
    scores = [
        lb.ScalarMetric(metric_name="blur", value=0.25),
        lb.ScalarMetric(
            metric_name="cats",
            feature_name="cat",
            value={0.1: 3, 0.5: 2},
            aggregation=lb.ScalarMetricAggregation.SUM,
        ),
        lb.ConfusionMatrixMetric(
            metric_name="50pct_iou", feature_name="cat", value=(1, 0, 2, 3)
        ),
    ]
    label = lb.Label(data={"global_key": KEYS[0]}, annotations=[cat, weather, *scores])

    job = pets.run.add_predictions("types", [label])

    assert job.state.name == "FINISHED"
    assert job.progress == "100%"
    assert job.errors == []
    assert len(job.inputs) == 5
    row = {"id": pets.ids[KEYS[0]], "globalKey": KEYS[0]}
    assert job.statuses == [
        {
            "uuid": one.get("uuid"),
            "dataRow": row,
            "status": "SUCCESS",
            "errors": [],
        }
        for one in job.inputs
    ]


def test_a_list_that_is_half_right_is_half_imported(pets: Pets) -> None:
    good, bad = box(KEYS[1], 1), box(KEYS[9], 2)

    job = pets.run.add_predictions("half", [good, bad])

    assert job.state.name == "FINISHED"
    assert job.inputs == [good, bad]
    assert [one["status"] for one in job.statuses] == ["SUCCESS", "FAILURE"]
    (error,) = job.errors
    assert error["uuid"] == uuid_of(2)
    assert error["errors"] == [
        {
            "name": "DataRowNotIncluded",
            "message": "the data row with the globalKey 'pet-9' is not in the model "
            "run 'first'",
            "additionalInfo": "line 2, at dataRow.globalKey",
        }
    ]


def test_a_number_that_is_none_fails_its_line(pets: Pets) -> None:
    job = pets.run.add_predictions(
        "nan", [metric(KEYS[1], float("nan")), metric(KEYS[1], 1.0)]
    )

    assert [one["status"] for one in job.statuses] == ["FAILURE", "SUCCESS"]


def test_a_file_is_uploaded_as_it_is(pets: Pets, tmp_path: Path) -> None:
    path = tmp_path / "predictions.ndjson"
    content = ndjson(box(KEYS[2], 1), metric(KEYS[2]))
    path.write_bytes(content)

    job = pets.run.add_predictions("file", path)

    assert requests.get(job.input_file_url).content == content
    assert job.errors == []


def test_a_file_is_read_by_its_url(pets: Pets) -> None:
    content = ndjson(box(KEYS[3], 1))
    url = pets.client.upload_data(content, filename="p.ndjson", sign=True)

    job = pets.run.add_predictions("url", url)

    assert job.errors == []
    assert job.inputs == [box(KEYS[3], 1)]


@pytest.mark.parametrize("name", ['a "b" \\ c.d', "naïve №1", "a/b?c#d%20", "1" * 300])
def test_a_job_is_found_by_any_name(pets: Pets, name: str) -> None:
    job = pets.run.add_predictions(name, [box(KEYS[4], 1)])

    found = MEAPredictionImport.from_name(pets.client, pets.run.uid, name)
    assert found.uid == job.uid
    assert found.name == name
    assert found.statuses == job.statuses
    assert found.inputs == [box(KEYS[4], 1)]


def test_a_job_that_nobody_began_is_not_found(pets: Pets) -> None:
    with pytest.raises(ResourceNotFoundError):
        MEAPredictionImport.from_name(pets.client, pets.run.uid, "never")


def test_an_empty_file_makes_the_job_fail(pets: Pets, tmp_path: Path) -> None:
    path = tmp_path / "empty.ndjson"
    path.write_bytes(b"")

    job = pets.run.add_predictions("empty", path)

    assert job.state.name == "FAILED"
    with pytest.raises(ValueError, match="Import failed"):
        job.statuses  # noqa: B018  # it asks the server


def test_a_slow_job_is_waited_for(tmp_path: Path) -> None:
    with inside(tmp_path) as url:
        run_id = kept(client_of(url)).run.uid
    with inside(tmp_path, ServerSettings(task_seconds=0.3)) as url:
        run = client_of(url).get_model_run(run_id)

        job = run.add_predictions("slow", [box(KEYS[0], 1)])

        assert job.state.name == "RUNNING"
        assert (job.status_file_url, job.error_file_url) == (None, None)
        assert job.inputs == [box(KEYS[0], 1)]
        job.wait_till_done(sleep_time_seconds=0.2)
        assert job.state.name == "FINISHED"
        assert job.errors == []


# It waits by a method that it calls deprecated itself.
@pytest.mark.filterwarnings("ignore:The method wait_until_done:DeprecationWarning")
def test_predictions_are_sent_on_to_a_project(pets: Pets, folder: Path) -> None:
    project = pets.client.create_project(
        name="next", media_type=pets.project.media_type
    )
    project.connect_ontology(pets.project.ontology())
    before = count(folder, prelabels)

    job, batch, copied = pets.run.upsert_predictions_and_send_to_project(
        "sent on", [box(KEYS[5], 1), box(KEYS[6], 2), box(KEYS[9], 3)], project.uid
    )

    assert [one["status"] for one in job.statuses] == ["SUCCESS", "SUCCESS", "FAILURE"]
    assert batch.size == 2
    assert copied.state.name == "FINISHED"
    assert copied.project().uid == project.uid
    assert copied.errors == []
    assert sorted(one["uuid"] for one in copied.statuses) == [uuid_of(1), uuid_of(2)]
    assert count(folder, prelabels) == (before[0] + 2,)


@contextmanager
def impatient(folder: Path) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """Serve a store in a process that answers before an import has ended."""
    code = f"""
from pathlib import Path
from reconciler.server.app import make_app
from reconciler.server.settings import ServerSettings
from reconciler.server.store.database import open_store
from reconciler.server.web import serve
with open_store(Path({str(folder / "store.db")!r})) as store:
    app = make_app(store, ServerSettings(answer_seconds=0), [{KEY!r}])
    serve(app, "127.0.0.1", 0, lambda url: print(url, flush=True))
"""
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip(), process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def test_an_import_whose_server_is_killed_is_done_once(tmp_path: Path) -> None:
    lines = 20_000
    with impatient(tmp_path) as (url, process):
        pets = kept(client_of(url))
        job = pets.run.add_predictions(
            "long",
            [
                *(box(KEYS[number % 9], number) for number in range(lines)),
                *(metric(key) for key in KEYS[:9]),
            ],
        )
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    begun = count(tmp_path, predictions, metrics)

    with impatient(tmp_path) as (url, _):
        again = MEAPredictionImport.from_name(client_of(url), pets.run.uid, "long")
        state = again.state.name
        again.wait_till_done(sleep_time_seconds=0.2)
        errors = again.errors

    assert job.state.name == "RUNNING"
    assert begun == (0, 0)
    assert (state, again.state.name) == ("RUNNING", "FINISHED")
    assert again.uid == job.uid
    assert errors == []
    assert count(tmp_path, predictions, metrics) == (lines, 9)

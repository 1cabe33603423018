"""Labels and pre-labels by the official SDK."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import labelbox.types as lb  # type: ignore[import-untyped]  # publishes no types
import pytest
import requests
from labelbox import (
    LabelImport,
    MALPredictionImport,
    MEAToMALPredictionImport,
)
from lbox.exceptions import (  # type: ignore[import-untyped]
    LabelboxError,
    ResourceNotFoundError,
)

from tests.sdk.inside import client_of, inside
from tests.sdk.pets import KEYS, Pets, kept
from tests.support.annotation_files import box, ndjson, uuid_of


@pytest.fixture(scope="module")
def pets(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pets]:
    with inside(tmp_path_factory.mktemp("labels")) as url:
        yield kept(client_of(url))


@pytest.fixture(params=[LabelImport, MALPredictionImport])
def kind(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_python_types_become_labels(pets: Pets) -> None:
    cat = lb.ObjectAnnotation(
        name="cat",
        value=lb.Rectangle(start=lb.Point(x=1, y=2), end=lb.Point(x=5, y=6)),
    )
    label = lb.Label(data={"global_key": KEYS[0]}, annotations=[cat])
    before = pets.project.get_label_count()

    job = LabelImport.create_from_objects(
        pets.client, pets.project.uid, "types", [label]
    )
    job.wait_till_done()

    assert job.state.name == "FINISHED"
    assert job.errors == []
    assert [one["dataRow"]["globalKey"] for one in job.statuses] == [KEYS[0]]
    assert pets.project.get_label_count() == before + 1


def test_a_file_is_imported_as_it_is(pets: Pets, kind: Any, tmp_path: Path) -> None:
    path = tmp_path / "labels.ndjson"
    path.write_bytes(ndjson(box(KEYS[1], 1), box(KEYS[9], 2)))

    job = kind.create_from_file(pets.client, pets.project.uid, "file", str(path))

    assert requests.get(job.input_file_url).content == path.read_bytes()
    assert [one["status"] for one in job.statuses] == ["SUCCESS", "FAILURE"]
    assert [one["uuid"] for one in job.errors] == [uuid_of(2)]
    assert "is not in the project 'pets'" in job.errors[0]["errors"][0]["message"]


def test_a_url_is_imported(pets: Pets, kind: Any) -> None:
    content = ndjson(box(KEYS[2], 1))
    url = pets.client.upload_data(content, filename="l.ndjson", sign=True)

    job = kind.create_from_url(pets.client, pets.project.uid, "url", url)

    assert job.errors == []
    assert job.inputs == [box(KEYS[2], 1)]


def test_confidence_is_no_reason_to_refuse(pets: Pets, kind: Any) -> None:
    job = kind.create_from_objects(
        pets.client, pets.project.uid, "sure", [box(KEYS[3], 1, confidence=0.5)]
    )

    assert job.errors == []


def test_an_import_knows_its_project_and_is_found_by_its_name(
    pets: Pets, kind: Any
) -> None:
    job = kind.create_from_objects(
        pets.client, pets.project.uid, "found", [box(KEYS[4], 1)]
    )

    found = kind.from_name(pets.client, pets.project.uid, "found")
    assert found.uid == job.uid
    assert found.project().uid == pets.project.uid
    assert found.statuses == job.statuses


def test_an_import_that_nobody_began_is_not_found(pets: Pets, kind: Any) -> None:
    with pytest.raises(ResourceNotFoundError):
        kind.from_name(pets.client, pets.project.uid, "never")
    with pytest.raises(ResourceNotFoundError):
        MEAToMALPredictionImport.from_name(pets.client, pets.project.uid, "never")


def test_all_imports_of_a_project_are_listed_the_newest_first(pets: Pets) -> None:
    project = pets.client.create_project(
        name="many", media_type=pets.project.media_type
    )
    project.connect_ontology(pets.project.ontology())
    lines = [box(KEYS[0], 1)]
    for number in range(3):
        LabelImport.create_from_objects(pets.client, project.uid, f"n{number}", lines)
    MALPredictionImport.create_from_objects(pets.client, project.uid, "mal", lines)

    listed = [one.name for one in project.get_label_imports()]
    assert listed == [f"n{number}" for number in reversed(range(3))]
    assert [one.name for one in project.get_mal_prediction_imports()] == ["mal"]


def test_an_import_of_pre_labels_can_be_deleted(pets: Pets) -> None:
    job = MALPredictionImport.create_from_objects(
        pets.client, pets.project.uid, "doomed", [box(KEYS[5], 1)]
    )

    job.delete()

    with pytest.raises(ResourceNotFoundError):
        MALPredictionImport.from_name(pets.client, pets.project.uid, "doomed")


def test_predictions_of_a_run_become_pre_labels(pets: Pets) -> None:
    pets.run.add_predictions("to copy", [box(KEYS[6], 1), box(KEYS[7], 2)])
    rows = [pets.ids[KEYS[6]], pets.ids[KEYS[8]]]

    job = MEAToMALPredictionImport.create_for_model_run_data_rows(
        pets.client, pets.run.uid, rows, pets.project.uid, "copied"
    )
    job.wait_till_done()

    assert job.state.name == "FINISHED"
    assert job.errors == []
    assert [one["uuid"] for one in job.statuses] == [uuid_of(1)]
    found = MEAToMALPredictionImport.from_name(pets.client, pets.project.uid, "copied")
    assert found.inputs == [{**box(KEYS[6], 1), "dataRow": {"id": rows[0]}}]


def test_a_project_without_an_ontology_refuses(pets: Pets, kind: Any) -> None:
    bare = pets.client.create_project(name="bare", media_type=pets.project.media_type)

    with pytest.raises(LabelboxError, match="has no ontology; connect one"):
        kind.create_from_objects(pets.client, bare.uid, "none", [box(KEYS[0], 1)])

"""Labels, predictions, metrics and status: from the client to the server and back."""

from dataclasses import replace

import pytest

from reconciler.api import documents
from reconciler.diagnostics import InputError
from reconciler.plan.steps import (
    AddLabelIds,
    AddLabels,
    AddRows,
    AssignSplits,
    BatchRows,
    ConnectOntology,
    CreateOntology,
    CreateProject,
    UploadDataRows,
)
from reconciler.ports import LinesRefused, RemoteError, Stale
from reconciler.remote.errors import TaskFailed
from reconciler.remote.graphql import ReadOnlyError
from reconciler.remote.session import Bounds
from reconciler.server.settings import Limits, ServerSettings
from reconciler.state.address import (
    Address,
    Kind,
    RemoteId,
    model_address,
    run_address,
)
from reconciler.state.canonical import JsonObject
from reconciler.state.contents import ExportParams
from reconciler.state.resources import (
    DataRow,
    GlobalKey,
    Project,
    Split,
)
from reconciler.state.selection import Condition, Selection
from reconciler.state.snapshot import Desired, JobState
from reconciler.state.uploads import Family
from tests.contract.evidence import (
    FIRST,
    PROJECT,
    TRUTH,
    by_row,
    cat,
    contents,
    pin,
    project,
    score,
    selected,
    truth,
    with_a_project,
)
from tests.contract.test_ports import (
    BY_KEY,
    DATASET,
    MODEL,
    ONTOLOGY,
    RUN,
    data_rows,
    desired,
    performed,
    with_a_run,
)
from tests.contract.twin import Connect
from tests.support.sending import sending

AREAS = Address(Kind.ONTOLOGY, ("areas",))


def test_a_project_whose_answer_got_lost_is_created_once(connect: Connect) -> None:
    ids = performed(
        connect(lose=documents.CREATE_PROJECT), CreateProject(PROJECT, "IMAGE")
    )

    assert performed(connect(), CreateProject(PROJECT, "IMAGE")) == ids


@pytest.mark.parametrize("lost", [True, False])
def test_rows_that_are_batched_twice_are_in_the_project_once(
    connect: Connect, lost: bool
) -> None:
    remote = connect(lose=documents.CREATE_BATCH if lost else None)
    ids = with_a_project(remote)

    performed(remote, FIRST, ids=ids)
    performed(connect(), FIRST, ids=ids)
    again = BatchRows(PROJECT, "reconciler 0of1 c", ("b", "c"))
    performed(connect(), again, ids=ids)

    performed(remote, truth(cat("a", 1), cat("b", 2), cat("c", 3)), ids=ids)
    assert sorted(by_row(remote.read_project_labels(ids[PROJECT]))) == ["a", "b", "c"]


def test_a_batch_that_is_too_large_goes_in_parts(connect: Connect) -> None:
    keys = tuple(f"k{n:03}" for n in range(150))
    settings = ServerSettings(limits=Limits(rows_per_batch=120))
    remote = connect(settings=settings)
    ids = with_a_run(remote, *keys)
    ids = performed(
        remote,
        CreateProject(PROJECT, "IMAGE"),
        ConnectOntology(PROJECT, ONTOLOGY),
        BatchRows(PROJECT, "all", keys),
        ids=ids,
    )

    performed(connect(), BatchRows(PROJECT, "all", keys), ids=ids)

    performed(remote, truth(*(cat(key, n) for n, key in enumerate(keys))), ids=ids)
    assert len(remote.read_project_labels(ids[PROJECT])) == 150


def test_labels_that_the_project_no_longer_has_are_stale(connect: Connect) -> None:
    remote = connect()
    ids = with_a_project(remote, cat("a", 1), cat("b", 2))
    labels = by_row(remote.read_project_labels(ids[PROJECT]))
    performed(connect(), truth(cat("b", 2, left=50), generation=2), ids=ids)
    step = AddLabels(RUN, PROJECT, (pin(labels["a"]), pin(labels["b"])))

    with pytest.raises(Stale) as caught:
        connect().perform(step, ids=ids)

    assert caught.value.reason == (
        "1 label of 2 labels that run/vision/r1 pins are not in project/digits any "
        "more: b"
    )
    assert "reconciler lock --update run/vision/r1" in (caught.value.hint or "")
    assert remote.read_labels(ids[RUN]) == ()


def test_labels_of_a_project_are_read_once_until_some_are_imported(
    connect: Connect,
) -> None:
    remote = connect()
    ids = with_a_project(remote, cat("a", 1))
    before = remote.read_project_labels(ids[PROJECT])
    performed(connect(), truth(cat("b", 2), generation=2), ids=ids)

    assert remote.read_project_labels(ids[PROJECT]) is before
    performed(remote, truth(cat("b", 2), generation=3), ids=ids)
    assert sorted(by_row(remote.read_project_labels(ids[PROJECT]))) == ["a", "b"]


def test_labels_can_be_added_by_their_ids(connect: Connect) -> None:
    remote = connect(Bounds(batch=1))
    ids = with_a_project(remote, cat("a", 1), cat("b", 2))
    labels = by_row(remote.read_project_labels(ids[PROJECT]))

    performed(remote, AddLabelIds(RUN, (labels["a"].label_id,)), ids=ids)
    assert sorted(by_row(remote.read_labels(ids[RUN]))) == ["a"]

    hinted = pin(labels["b"], label_id=labels["b"].label_id)
    performed(remote, AddLabels(RUN, None, (hinted,)), ids=ids)
    assert sorted(by_row(remote.read_labels(ids[RUN]))) == ["a", "b"]

    with pytest.raises(Stale, match="have no id"):
        remote.perform(AddLabels(RUN, None, (pin(labels["b"]),)), ids=ids)
    with pytest.raises(TaskFailed, match="unknown label ids"):
        remote.perform(AddLabelIds(RUN, (RemoteId("c" * 25),)), ids=ids)


@pytest.mark.parametrize(
    ("family", "document"),
    [
        (Family.LABELS, documents.CREATE_LABEL_IMPORT),
        (Family.PREDICTIONS, documents.CREATE_PREDICTION_IMPORT),
    ],
)
def test_an_import_whose_answer_got_lost_is_found_by_name_and_sent_once(
    connect: Connect, family: Family, document: documents.Document
) -> None:
    remote = connect(lose=document)
    ids = with_a_project(remote)
    performed(remote, AddRows(RUN, BY_KEY, ("a",)), ids=ids)
    address = PROJECT if family is Family.LABELS else RUN

    performed(remote, sending(address, family, cat("a", 1)), ids=ids)

    if family is Family.LABELS:
        assert list(project(remote).imports.values()) == [JobState.FINISHED]
        assert len(remote.read_project_labels(ids[PROJECT])) == 1
    else:
        (row,) = contents(remote, ids)
        assert len(row.predictions) == 1


def test_an_import_that_an_earlier_apply_started_is_not_sent_again(
    connect: Connect,
) -> None:
    ids = with_a_project(connect())
    first = truth(cat("a", 1))
    performed(connect(), first, ids=ids)
    emptied = replace(first, chunk=truth(cat("a", 1, left=7)).chunk, may_exist=True)

    performed(connect(), emptied, ids=ids)

    (label,) = connect().read_project_labels(ids[PROJECT])
    performed(connect(), truth(cat("a", 1), generation=2), ids=ids)
    (same,) = connect().read_project_labels(ids[PROJECT])
    assert label.content == same.content


def test_the_status_of_a_run_that_is_gone_is_not_read_as_none(connect: Connect) -> None:
    with pytest.raises(RemoteError):
        connect().read_status(RemoteId("0" * 36))


def test_runs_of_one_name_cannot_be_told_apart_by_it(connect: Connect) -> None:
    settings = ServerSettings(unique_run_names=False)
    remote = connect(settings=settings)
    ids = with_a_run(remote)
    again = documents.CREATE_RUN
    remote._session.client.execute(
        again, dict, name="r1", config=None, modelId=ids[MODEL]
    )

    for address in (MODEL, RUN):
        with pytest.raises(InputError, match="2 runs are called 'r1'"):
            remote.survey(address)


def test_a_project_that_is_only_referred_to_must_be_there(connect: Connect) -> None:
    remote = connect()
    with pytest.raises(InputError, match="there is no project called 'digits'"):
        remote.read(desired(Project("digits")))

    performed(remote, CreateProject(PROJECT, "IMAGE"))
    found = remote.read(desired(Project("digits"))).resources[PROJECT]
    pinned = Desired(resources={PROJECT: TRUTH}, pins={PROJECT: RemoteId("c" * 25)})
    assert found.name == "digits"
    with pytest.raises(InputError, match="no project with the id"):
        remote.read(pinned)


def test_a_project_that_appeared_for_other_media_is_not_taken(connect: Connect) -> None:
    remote = connect()
    performed(remote, CreateProject(PROJECT, "VIDEO"))

    with pytest.raises(
        RemoteError, match="appeared for VIDEO, and should be for IMAGE"
    ):
        remote.perform(CreateProject(PROJECT, "IMAGE"), ids={})


def test_another_ontology_than_planned_is_stale(connect: Connect) -> None:
    remote = connect()
    ids = with_a_project(remote)

    with pytest.raises(Stale, match="has got the ontology"):
        remote.perform(
            ConnectOntology(PROJECT, ONTOLOGY),
            ids={**ids, ONTOLOGY: RemoteId("x" * 25)},
        )


def test_an_import_of_labels_is_listed_by_its_name(connect: Connect) -> None:
    remote = connect()
    first = truth(cat("a", 1))
    ids = with_a_project(remote, cat("a", 1))
    others = replace(truth(cat("b", 2)), job="theirs")
    performed(remote, others, ids=ids)

    assert project(remote).imports == {first.job: JobState.FINISHED}


@pytest.mark.parametrize("family", [Family.LABELS, Family.PREDICTIONS])
def test_lines_that_were_refused_are_told_one_by_one(
    connect: Connect, family: Family
) -> None:
    remote = connect()
    ids = with_a_project(remote)
    performed(remote, AddRows(RUN, BY_KEY, ("a", "b")), ids=ids)
    address = PROJECT if family is Family.LABELS else RUN
    step = sending(address, family, cat("a", 1), cat("c", 2), cat("zz", 3))

    with pytest.raises(LinesRefused) as caught:
        remote.perform(step, ids=ids)

    assert str(caught.value).endswith("2 of 3 lines were refused")
    assert caught.value.of == 3
    by_key = {one.row: one for one in caught.value.refusals}
    assert by_key["c"].uuid == "00000000-0000-4000-8000-000000000002"
    assert "is not in the" in by_key["c"].reason
    assert by_key["zz"].reason == "there is no data row with the globalKey 'zz'"


def test_everything_in_a_run_comes_back(connect: Connect) -> None:
    remote = connect()
    ids = with_a_project(remote, cat("a", 1))
    (label,) = remote.read_project_labels(ids[PROJECT])
    performed(
        remote,
        AddRows(RUN, BY_KEY, ("a", "b")),
        AssignSplits(RUN, BY_KEY, {Split.TEST: ("a",)}),
        AddLabels(RUN, PROJECT, (pin(label),)),
        sending(RUN, Family.PREDICTIONS, cat("a", 5, confidence=0.5)),
        sending(RUN, Family.METRICS, score("a", 0.25)),
        ids=ids,
    )

    rows = {row.key: row for row in contents(remote, ids)}

    assert sorted(rows) == ["a", "b"]
    assert rows["a"].split is Split.TEST
    assert rows["b"].split is Split.UNASSIGNED
    assert rows["a"].id == rows["a"].data_row["id"] == label.row_id
    assert rows["a"].labels[0]["id"] == label.label_id
    predicted = rows["a"].predictions[0]["annotations"]["objects"]
    assert [(one["name"], one["confidence"]) for one in predicted] == [("cat", 0.5)]
    assert rows["a"].metrics == (
        {
            "metricName": "score",
            "metricValue": 0.25,
            "aggregation": "ARITHMETIC_MEAN",
        },
    )
    assert (rows["b"].labels, rows["b"].predictions, rows["b"].metrics) == ((), (), ())
    assert rows["a"].line.startswith(b'{"data_row":{"id":"')


def test_what_an_export_brings_along_is_what_was_asked_for(connect: Connect) -> None:
    remote = connect()
    ids = with_a_run(remote, "a")
    performed(remote, AddRows(RUN, BY_KEY, ("a",)), ids=ids)

    (plain,) = contents(remote, ids, ExportParams())
    (whole,) = contents(
        remote,
        ids,
        ExportParams(
            attachments=True,
            metadata_fields=True,
            data_row_details=True,
            embeddings=True,
        ),
    )

    assert b'"attachments"' not in plain.line
    assert "details" not in plain.data_row
    assert b'"attachments"' in whole.line
    assert b'"metadata_fields"' in whole.line
    assert b'"embeddings"' in whole.line
    assert whole.data_row["details"]["dataset_name"] == "digits"


def test_metadata_come_with_the_rows_in_one_form(connect: Connect) -> None:
    remote = connect()
    ids = with_a_run(remote)
    metadata: tuple[JsonObject, ...] = (
        {"name": "tag", "value": "night"},
        {"name": "split", "value": "test"},
        {"name": "captureDateTime", "value": "2030-01-31T12:00:00Z"},
        {"name": "skipNFrames", "value": 2},
    )
    row = DataRow(GlobalKey("a"), "https://x.test/a.png", metadata=metadata)
    performed(remote, UploadDataRows(DATASET, (row, *data_rows("b"))), ids=ids)
    asked = Selection(
        source=DATASET,
        metadata=tuple(
            Condition(field=name, equals=("x",))
            for name in ("tag", "captureDateTime", "skipNFrames")
        ),
        group="split",
    )

    found = {row.key: row.metadata for row in selected(remote, ids[DATASET], asked)}

    assert found == {
        "a": {
            "tag": "night",
            "split": "test",
            "captureDateTime": "2030-01-31T12:00:00+00:00",
            "skipNFrames": 2,
        },
        "b": {},
    }


@pytest.mark.parametrize(
    ("address", "message"),
    [
        (model_address("sight"), "there is no model called 'sight'"),
        (run_address("sight", "r1"), "there is no model called 'sight'"),
        (run_address("vision", "r9"), "there is no run called 'r9' in model 'vision'"),
    ],
)
def test_what_is_not_there_cannot_be_surveyed(
    connect: Connect, address: Address, message: str
) -> None:
    remote = connect()
    with_a_run(remote)

    with pytest.raises(InputError, match=message):
        remote.survey(address)


def test_a_client_that_may_only_read_reads_labels_and_all_else(
    connect: Connect,
) -> None:
    ids = with_a_project(connect(), cat("a", 1))
    reader = connect(read_only=True)

    assert len(reader.read_project_labels(ids[PROJECT])) == 1
    assert list(reader.read_labels(ids[RUN])) == []
    assert reader.read_status(ids[RUN]) is None
    assert len(selected(reader, ids[PROJECT], Selection(source=PROJECT))) == 1
    assert contents(reader, ids) == []
    assert reader.survey(RUN).id == ids[MODEL]
    with pytest.raises(ReadOnlyError):
        reader.perform(truth(cat("a", 1), generation=2), ids=ids)


def test_when_a_mask_was_drawn_is_told_by_the_project(connect: Connect) -> None:
    remote = connect()
    tool: JsonObject = {
        "tool": "raster-segmentation",
        "name": "area",
        "required": False,
        "classifications": [],
    }
    schema: JsonObject = {"tools": [tool], "classifications": []}
    ids = with_a_run(remote, "a")
    ids |= performed(
        remote, CreateOntology(AREAS, "IMAGE", schema), CreateProject(PROJECT, "IMAGE")
    )
    mask = {
        "uuid": "00000000-0000-4000-8000-000000000001",
        "dataRow": {"globalKey": "a"},
        "name": "area",
        "mask": {"size": [4, 2], "counts": [3, 5]},
    }
    performed(
        remote,
        ConnectOntology(PROJECT, AREAS),
        BatchRows(PROJECT, "b", ("a",)),
        truth(mask),
        ids=ids,
    )

    (label,) = remote.read_project_labels(ids[PROJECT])
    assert label.changed is not None
    performed(remote, AddLabels(RUN, PROJECT, (pin(label),)), ids=ids)
    (taken,) = remote.read_labels(ids[RUN])

    assert taken.content == label.content
    assert taken.changed is None

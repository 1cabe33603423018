"""What only a real server can be asked: exports, files, keys, concurrency."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from reconciler.api import documents
from reconciler.diagnostics import InputError
from reconciler.plan.steps import (
    AddRows,
    AssignSplits,
    CreateDataset,
    CreateRun,
    RemoveRows,
    SetConfig,
    Step,
    UploadDataRows,
)
from reconciler.ports import NotFound, Reader, RemoteError, Stale, Unauthorized
from reconciler.remote.graphql import ReadOnlyError
from reconciler.remote.session import Bounds
from reconciler.rows.change import CurrentRow
from reconciler.server.settings import ServerSettings
from reconciler.state.address import Address, Kind, RemoteId, run_address
from reconciler.state.resources import (
    DataRow,
    Dataset,
    GlobalKey,
    LocalFile,
    Ontology,
    RowIdentity,
    Split,
)
from reconciler.state.snapshot import CurrentDataset, Desired
from tests.contract.test_ports import (
    ALL,
    BY_KEY,
    DATASET,
    RUN,
    data_rows,
    desired,
    performed,
    with_a_run,
)
from tests.contract.twin import Connect

KEYS = tuple(f"key-{n:05}" for n in range(3_000))


def test_an_export_reads_what_pages_read(connect: Connect) -> None:
    small_pieces = ServerSettings(export_chunk_bytes=50_000)
    remote = connect(settings=small_pieces)
    ids = with_a_run(remote, *KEYS)
    assign = AssignSplits(
        RUN, BY_KEY, {Split.TRAINING: KEYS[:2_000], Split.VALIDATION: KEYS[2_000:2_500]}
    )
    performed(remote, AddRows(RUN, BY_KEY, KEYS), assign, ids=ids)

    pages = remote.read_rows(ids[RUN], expected=0)
    export = remote.read_rows(ids[RUN], expected=10_000)

    assert remote.notices() == ()
    assert set(pages) == set(export)
    assert len(export) == 3_000
    assert {row.key: row.split for row in export}["key-02499"] == "VALIDATION"


@pytest.mark.parametrize("key", ["split", "data_split"])
def test_a_split_is_found_by_either_name_in_an_export(
    connect: Connect, key: str
) -> None:
    remote = connect(settings=ServerSettings(split_export_key=key))
    ids = with_a_run(remote, "ä b", 'quo"te')
    assign = AssignSplits(RUN, BY_KEY, {Split.TEST: ("ä b",)})
    performed(remote, AddRows(RUN, BY_KEY, ("ä b", 'quo"te')), assign, ids=ids)

    rows = remote.read_rows(ids[RUN], expected=10_000)

    assert {row.key: row.split for row in rows} == {
        "ä b": Split.TEST,
        'quo"te': Split.UNASSIGNED,
    }
    assert remote.notices() == ()


def test_a_run_without_rows_is_exported_as_none(connect: Connect) -> None:
    remote = connect()
    ids = with_a_run(remote)

    assert len(remote.read_rows(ids[RUN], expected=10_000)) == 0


def test_a_large_dataset_is_read_by_an_export(connect: Connect) -> None:
    remote = connect(Bounds(export_dataset_above=1, page=10))
    with_a_run(remote, *KEYS[:20])

    dataset = remote.read(ALL).resources[DATASET]

    assert isinstance(dataset, CurrentDataset)
    assert dataset.keys == frozenset(KEYS[:20])


def test_a_client_that_may_only_read_reads_everything(connect: Connect) -> None:
    ids = with_a_run(connect(), "a", "b")
    reader = connect(read_only=True)

    assert reader.read(ALL).id_of(RUN) == ids[RUN]
    assert len(reader.read_rows(ids[RUN], expected=10_000)) == 0
    with pytest.raises(ReadOnlyError):
        reader.perform(CreateRun(run_address("vision", "r2")), ids=ids)


def test_a_wrong_key_is_told(connect: Connect) -> None:
    with pytest.raises(Unauthorized, match="Invalid API key"):
        connect(key="another").organisation()


def test_files_arrive_as_they_are(connect: Connect, tmp_path: Path) -> None:
    remote = connect()
    ids = with_a_run(remote)
    rows = []
    for n in range(20):
        content = bytes([n]) * (n + 1)
        path = tmp_path / f"{n}.png"
        path.write_bytes(content)
        sha256 = hashlib.sha256(content).hexdigest()
        file = LocalFile(str(path), f"img/{n}.png", sha256, n + 1, "image/png")
        rows.append(DataRow(GlobalKey(f"file-{n}"), file))

    performed(remote, UploadDataRows(DATASET, tuple(rows)), ids=ids)

    assert remote.unknown_keys(row.global_key for row in rows) == frozenset()


def test_a_key_of_another_dataset_is_told(connect: Connect) -> None:
    remote = connect()
    ids = with_a_run(remote, "a")
    other = Address(Kind.DATASET, ("letters",))
    ids = performed(remote, CreateDataset(other, None), ids=ids)
    declared = {row.global_key: row for row in data_rows("a", "new")}

    current = remote.read(desired(Dataset("letters", data_rows=declared)))

    assert current.elsewhere == {other: frozenset({"a"})}
    with pytest.raises(RemoteError, match="already used by a row of another dataset"):
        remote.perform(UploadDataRows(other, data_rows("a")), ids=ids)


def keys_of(remote: Reader) -> frozenset[GlobalKey] | None:
    dataset = remote.read(ALL).resources[DATASET]
    assert isinstance(dataset, CurrentDataset)
    return dataset.keys


def test_a_row_that_somebody_else_uploaded_is_not_taken_for_ours(
    connect: Connect,
) -> None:
    ids = with_a_run(connect(), "a")
    remote = connect()

    with pytest.raises(Stale, match="data rows of 1 key have appeared in dataset/"):
        remote.perform(UploadDataRows(DATASET, data_rows("a", "b")), ids=ids)

    assert keys_of(remote) == frozenset({"a", "b"})


def test_an_upload_whose_answer_got_lost_is_done_once(connect: Connect) -> None:
    ids = with_a_run(connect())
    lossy = connect(lose=documents.UPSERT_DATA_ROWS)

    lossy.perform(UploadDataRows(DATASET, data_rows("a", "b")), ids=ids)

    assert keys_of(lossy) == frozenset({"a", "b"})


@pytest.mark.parametrize(
    "step", [SetConfig(RUN, {"lr": 1}), AddRows(RUN, BY_KEY, ("a",))]
)
def test_a_run_that_somebody_else_made_and_filled_is_not_taken_over(
    connect: Connect, step: Step
) -> None:
    ids = with_a_run(connect(), "a")
    connect().perform(step, ids=ids)

    with pytest.raises(Stale, match="run/vision/r1 has appeared"):
        connect().perform(CreateRun(RUN), ids=ids)


def test_rows_that_do_not_exist_cannot_be_added(connect: Connect) -> None:
    remote = connect()
    ids = with_a_run(remote, "a")

    with pytest.raises(RemoteError, match="nobody"):
        remote.perform(AddRows(RUN, BY_KEY, ("a", "nobody")), ids=ids)


def test_what_is_only_referred_to_must_be_there(connect: Connect) -> None:
    with pytest.raises(InputError, match="there is no ontology called 'shapes'"):
        connect().read(desired(Ontology("shapes")))


def test_a_pinned_object_is_read_by_its_id(connect: Connect) -> None:
    remote = connect()
    ids = with_a_run(remote)

    current = remote.read(Desired(resources=ALL.resources, pins=ids))

    assert {address: current.id_of(address) for address in ids} == ids


def test_a_run_that_is_gone_is_not_found(connect: Connect) -> None:
    remote = connect()
    ids = with_a_run(remote)

    with pytest.raises(NotFound):
        remote.read_rows(RemoteId("0" * 36), expected=0)
    with pytest.raises(NotFound):
        remote.perform(
            RemoveRows(RUN, (RemoteId("x"),)), ids={**ids, RUN: RemoteId("0" * 36)}
        )


def test_many_threads_share_a_client(connect: Connect) -> None:
    remote = connect()
    ids = with_a_run(remote, *KEYS[:80])
    parts = [KEYS[n : n + 10] for n in range(0, 80, 10)]

    with ThreadPoolExecutor(8) as pool:
        added = [
            pool.submit(remote.perform, AddRows(RUN, BY_KEY, part), ids=ids)
            for part in parts
        ]
        assert [future.result() for future in added] == [None] * 8

    assert len(remote.read_rows(ids[RUN], expected=0)) == 80


def test_rows_without_keys_are_read(connect: Connect) -> None:
    remote = connect()
    ids = with_a_run(remote, "a")
    performed(remote, AddRows(RUN, BY_KEY, ("a",)), ids=ids)
    (row,) = remote.read_rows(ids[RUN], expected=0)

    assert row == CurrentRow(row.id, "a", Split.UNASSIGNED)
    performed(remote, AddRows(RUN, RowIdentity.DATA_ROW_ID, (row.id,)), ids=ids)
    assert len(remote.read_rows(ids[RUN], expected=0)) == 1

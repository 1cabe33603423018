"""A run that exists, written as a folder that it can be made of again."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from reconciler.annotations.digests import Part
from reconciler.apply.events import Done
from reconciler.diagnostics import InputError
from reconciler.pipeline import bundles, planning, verifying, workspaces
from reconciler.pipeline.bundle_file import read_bundle
from reconciler.pipeline.sessions import Session
from reconciler.pipeline.verifying import Verification
from reconciler.plan.build import LOCAL
from reconciler.plan.steps import CreateRun
from reconciler.ports import Reader, Unavailable
from reconciler.state.address import run_address
from reconciler.state.contents import ExportParams
from reconciler.state.labels import LabelPins
from reconciler.state.resources import GlobalKey, LocalFile, Run
from tests.pipeline.test_pipeline import apply
from tests.support.twins import session_on, twin
from tests.support.whole_runs import (
    CONFIG,
    KEYS,
    RUN,
    STATUS,
    Maker,
    whole_run,
    without_keys,
)

PLAIN = ExportParams()
WHOLE = ExportParams(attachments=True, metadata_fields=True, data_row_details=True)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[tuple[Session, Maker]]:
    with whole_run(tmp_path) as found:
        yield found


def lines(file: Path) -> list[Any]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_a_bundle_declares_all_that_the_run_has(
    made: tuple[Session, Maker], tmp_path: Path
) -> None:
    session, _ = made
    bundles.export(session, RUN, tmp_path / "b", wanted=PLAIN, media=True)

    desired = workspaces.specify(tmp_path / "b").desired
    run = desired.resources[RUN]
    assert isinstance(run, Run)
    assert run.config == CONFIG
    assert run.status == STATUS
    assert run.rows is not None
    assert {name: split.value for name, split in run.rows} == {
        "photo 1": "TRAINING",
        "photo,2": "TRAINING",
        "photo-3": "TEST",
        "photo-4": "UNASSIGNED",
    }
    assert isinstance(run.labels, LabelPins)
    assert sorted(run.labels.labels) == ["photo 1", "photo-3"]
    assert list(map(str, desired.resources)) == [
        "dataset/pets%2Fnight%20data%20rows",
        "ontology/pets",
        "model/pets",
        "project/pets%2Fnight%20ground%20truth",
        "run/pets/night",
    ]


def test_a_bundle_is_files_that_people_can_read(
    made: tuple[Session, Maker], tmp_path: Path
) -> None:
    session, _ = made
    done = bundles.export(session, RUN, tmp_path / "b", wanted=PLAIN)

    assert sorted(done.bundle.files) == [
        "export.ndjson",
        "specs/bundle.yaml",
        "specs/labels.ndjson",
        "specs/locks/labels.lock",
        "specs/metrics.ndjson",
        "specs/predictions.ndjson",
        "specs/rows.csv",
        "specs/rows.ndjson",
        "splits/TEST.txt",
        "splits/TRAINING.txt",
        "splits/UNASSIGNED.txt",
    ]
    assert done.counts == {"rows": 4, "labels": 2, "predictions": 5, "metrics": 3}
    assert (tmp_path / "b/splits/TRAINING.txt").read_text() == "photo 1\nphoto,2\n"
    exported = lines(tmp_path / "b" / "export.ndjson")
    assert [one["data_row"]["global_key"] for one in exported] == list(KEYS)
    assert "details" not in exported[0]["data_row"]
    assert read_bundle(tmp_path / "b") == done.bundle
    assert list(done.bundle.digests) == list(Part)


def test_media_and_masks_come_along_only_when_they_are_asked_for(
    made: tuple[Session, Maker], tmp_path: Path
) -> None:
    session, _ = made
    without = bundles.export(session, RUN, tmp_path / "a", wanted=PLAIN)
    complete = bundles.export(session, RUN, tmp_path / "b", wanted=PLAIN, media=True)

    assert [one.message for one in without.notices] == [
        "the content of 4 data rows will not be there elsewhere: its URLs are of this "
        "remote, and end; --media fetches them",
        "2 masks will not be there elsewhere: their URLs are of this remote, and end; "
        "--media fetches them",
    ]
    assert complete.notices == ()
    assert without.bundle.digests == complete.bundle.digests
    masks = [one["mask"] for one in lines(tmp_path / "b/specs/labels.ndjson")[1:2]]
    assert list(masks[0]) == ["png"]
    (dataset,) = workspaces.specify(tmp_path / "b").desired.datasets()
    assert dataset.data_rows is not None
    first = dataset.data_rows[GlobalKey(KEYS[0])]
    assert isinstance(first.content, LocalFile)
    original = tmp_path / "files" / "0.png"
    assert Path(first.content.path).read_bytes() == original.read_bytes()
    assert first.external_id == "0.png"


def test_from_an_embedded_server_media_and_masks_are_always_taken_along(
    made: tuple[Session, Maker], tmp_path: Path
) -> None:
    session, _ = made
    embedded = replace(session, target=replace(session.target, endpoint=LOCAL))

    done = bundles.export(embedded, RUN, tmp_path / "b", wanted=PLAIN)

    assert done.notices == ()
    (dataset,) = workspaces.specify(tmp_path / "b").desired.datasets()
    assert dataset.data_rows is not None
    for row in dataset.data_rows.values():
        assert isinstance(row.content, LocalFile)
    masks = [one["mask"] for one in lines(tmp_path / "b/specs/labels.ndjson")[1:2]]
    assert list(masks[0]) == ["png"]


def test_what_can_not_be_fetched_is_named_with_its_row(
    made: tuple[Session, Maker], tmp_path: Path
) -> None:
    session, _ = made
    gone = cast("Reader", _WithoutFiles(session.reader))

    with pytest.raises(Unavailable) as caught:
        bundles.export(
            replace(session, reader=gone), RUN, tmp_path / "b", wanted=PLAIN, media=True
        )

    assert re.fullmatch(
        r"a mask of data row photo 1, twin\.test/files/[^?]*/mask\.png: it is gone",
        caught.value.reason,
    )


class _WithoutFiles:
    """Answers as another reader does, but has lost the files."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)

    def download(self, _: str) -> bytes:
        raise Unavailable("it is gone")


@pytest.mark.parametrize("target", ["specs", "specs/b", "specs/a/b"])
def test_a_bundle_is_not_put_among_manifests(
    made: tuple[Session, Maker], target: str
) -> None:
    session, _ = made
    root = session.specification.workspace.root

    with pytest.raises(InputError) as caught:
        bundles.export(session, RUN, root / target, wanted=PLAIN)

    assert [one.code for one in caught.value.diagnostics] == ["among-manifests"]
    assert list((root / "specs").iterdir()) == []


@pytest.mark.parametrize("target", ["specs-of-others/b", "specs/.hidden/b", "b"])
def test_a_bundle_may_be_elsewhere_in_a_workspace(
    made: tuple[Session, Maker], target: str
) -> None:
    session, _ = made
    root = session.specification.workspace.root

    bundles.export(session, RUN, root / target, wanted=PLAIN)

    assert (root / target / "bundle.json").exists()


def test_a_run_whose_name_no_manifest_could_say_is_told(
    made: tuple[Session, Maker], tmp_path: Path
) -> None:
    session, maker = made
    padded = run_address("pets", " padded")
    maker.perform(CreateRun(padded))

    with pytest.raises(InputError) as caught:
        bundles.export(session, padded, tmp_path / "b", wanted=PLAIN)

    assert [str(one) for one in caught.value.diagnostics] == [
        "run/pets/%20padded can't be declared: a name can't begin or end with white "
        "space [not-declarable]"
    ]


def test_with_details_datasets_keep_their_names(
    made: tuple[Session, Maker], tmp_path: Path
) -> None:
    session, _ = made
    bundles.export(session, RUN, tmp_path / "b", wanted=WHOLE)

    (dataset,) = workspaces.specify(tmp_path / "b").desired.datasets()
    assert dataset.name == "photos"
    exported = lines(tmp_path / "b" / "export.ndjson")
    assert exported[0]["data_row"]["details"]["dataset_name"] == "photos"
    assert exported[0]["metadata_fields"][0]["value"] == "number 0"
    assert dataset.data_rows is not None
    first = dataset.data_rows[GlobalKey(KEYS[0])]
    assert first.metadata == ({"name": "tag", "value": "number 0"},)
    assert first.attachments == ({"type": "RAW_TEXT", "value": "photo 0"},)


def test_attachments_have_no_place_beside_media(
    made: tuple[Session, Maker], tmp_path: Path
) -> None:
    session, _ = made
    done = bundles.export(session, RUN, tmp_path / "b", wanted=WHOLE, media=True)

    (dataset,) = workspaces.specify(tmp_path / "b").desired.datasets()
    assert dataset.data_rows is not None
    first = dataset.data_rows[GlobalKey(KEYS[0])]
    assert first.metadata == ({"name": "tag", "value": "number 0"},)
    assert first.attachments == ()
    assert [one.message for one in done.notices] == [
        "4 attachments of data rows with media can't be declared: only export.ndjson "
        "has them"
    ]


def test_a_run_without_anything_is_a_bundle_too(
    made: tuple[Session, Maker], tmp_path: Path
) -> None:
    session, maker = made
    empty = run_address("pets", "empty/run")
    maker.perform(CreateRun(empty))

    done = bundles.export(session, empty, tmp_path / "b", wanted=PLAIN)

    run = workspaces.specify(tmp_path / "b").desired.resources[empty]
    assert isinstance(run, Run)
    assert run == Run("pets", "empty/run", config={}, rows=run.rows)
    assert run.rows is not None
    assert len(run.rows) == 0
    assert sorted(done.bundle.files) == ["specs/bundle.yaml"]


def test_rows_without_a_global_key_are_counted_and_nothing_is_written(
    made: tuple[Session, Maker], tmp_path: Path
) -> None:
    session, _ = made
    keyless = replace(session, reader=without_keys(session.reader, KEYS[1], KEYS[3]))

    with pytest.raises(InputError) as caught:
        bundles.export(keyless, RUN, tmp_path / "b", wanted=PLAIN)

    (found,) = caught.value.diagnostics
    assert found.code == "row-without-key"
    assert found.message.startswith("run/pets/night: 2 data rows of 4 can't be named")
    assert not (tmp_path / "b").exists()
    assert list(tmp_path.glob(".b.*")) == []


def test_nothing_is_exported_over_what_is_there(
    made: tuple[Session, Maker], tmp_path: Path
) -> None:
    session, _ = made
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "mine").touch()

    with pytest.raises(InputError) as caught:
        bundles.export(session, RUN, tmp_path / "b", wanted=PLAIN)

    assert [one.code for one in caught.value.diagnostics] == ["file-exists"]


@pytest.mark.parametrize(
    "content",
    ["{", "[]", "{}", '{"format_version": "2.0"}', "\xff", "[" * 100_000],
    ids=["cut", "list", "empty", "newer", "binary", "deep"],
)
def test_a_damaged_bundle_is_told(tmp_path: Path, content: str) -> None:
    (tmp_path / "bundle.json").write_bytes(content.encode("latin-1"))

    with pytest.raises(InputError) as caught:
        read_bundle(tmp_path)

    assert [one.code for one in caught.value.diagnostics] == ["bundle-damaged"]


def test_a_folder_without_a_bundle_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_bundle(tmp_path)

    (found,) = caught.value.diagnostics
    assert found.code == "bundle-damaged"
    assert found.message.endswith("can't be read: no such file or directory")


@pytest.mark.parametrize("wanted", [PLAIN, WHOLE], ids=["plain", "whole"])
@pytest.mark.parametrize("media", [False, True], ids=["urls", "media"])
def test_a_bundle_is_made_again_on_an_empty_remote_and_is_the_same(
    tmp_path: Path, wanted: ExportParams, media: bool
) -> None:
    folder = tmp_path / "b"
    with whole_run(tmp_path / "there") as (session, _):
        before = bundles.export(session, RUN, folder, wanted=wanted, media=media)
    (tmp_path / "here").mkdir()
    with twin(tmp_path / "here") as connect:
        with session_on(connect(), folder) as session:
            finished = apply(session)
            assert {type(one.outcome) for one in finished} == {Done}
        with session_on(connect(), folder) as session:
            assert not planning.make_plan(session)
            found = verifying.verify_bundle(session, folder, before.bundle)
            again = tmp_path / "again"
            after = bundles.export(session, RUN, again, wanted=wanted, media=media)

    assert found == Verification(address=RUN, compared=tuple(Part), differences=())
    assert after.bundle.digests == before.bundle.digests
    for name in ("specs/rows.csv", "specs/metrics.ndjson"):
        assert after.bundle.files[name] == before.bundle.files[name]

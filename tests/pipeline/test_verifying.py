"""A run compared with a bundle of it, or with what is declared."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.annotations.digests import Part, RowDifference, Side
from reconciler.diagnostics import InputError
from reconciler.pipeline import bundles, verifying, workspaces
from reconciler.pipeline.bundle_file import read_bundle
from reconciler.pipeline.sessions import Session
from reconciler.pipeline.verifying import ChangedFile, Verification
from reconciler.plan.build import LOCAL
from reconciler.plan.changes import FieldChange
from reconciler.plan.steps import (
    AssignSplits,
    RemoveRows,
    SetConfig,
    SetStatus,
)
from reconciler.state.address import run_address
from reconciler.state.contents import ExportParams
from reconciler.state.resources import RowIdentity, RunStatus, Split, Status
from reconciler.state.uploads import Family
from tests.support.whole_runs import (
    KEYS,
    PROJECT,
    RUN,
    Maker,
    box,
    mask,
    metric,
    weather,
    whole_run,
)

KEY = RowIdentity.GLOBAL_KEY


@pytest.fixture
def made(tmp_path: Path) -> Iterator[tuple[Session, Maker, Path]]:
    """Have a whole run, and a bundle of it."""
    with whole_run(tmp_path) as (session, maker):
        bundles.export(session, RUN, tmp_path / "b", wanted=ExportParams())
        yield session, maker, tmp_path / "b"


def verify(session: Session, folder: Path) -> Verification:
    return verifying.verify_bundle(session, folder, read_bundle(folder))


def verify_declared(session: Session, folder: Path) -> Verification:
    declared = replace(session, specification=workspaces.specify(folder))
    return verifying.verify_run(declared, RUN)


def differing(done: Verification) -> list[Part]:
    return [one.part for one in done.differences]


def split(maker: Maker) -> None:
    maker.perform(AssignSplits(RUN, KEY, {Split.VALIDATION: (KEYS[1],)}))


def label(maker: Maker) -> None:
    maker.label(RUN, maker.send(PROJECT, Family.LABELS, [box(KEYS[1], 90)]))


def correct_prediction(maker: Maker) -> None:
    maker.send(RUN, Family.PREDICTIONS, [weather(KEYS[1], 14, "sun", confidence=0.25)])


def add_prediction(maker: Maker) -> None:
    maker.send(RUN, Family.PREDICTIONS, [mask(KEYS[1], 91, 255)])


def doubt_prediction(maker: Maker) -> None:
    maker.send(RUN, Family.PREDICTIONS, [weather(KEYS[1], 14, "no", confidence=0.5)])


def measure(maker: Maker) -> None:
    maker.send(RUN, Family.METRICS, [metric(KEYS[1], 0.75)])


def configure(maker: Maker) -> None:
    maker.perform(SetConfig(RUN, {"lr": 0.1}))


def finish(maker: Maker) -> None:
    maker.perform(SetStatus(RUN, RunStatus(Status.COMPLETE, {})))


def remove(maker: Maker) -> None:
    row = maker.row_ids(RUN)[KEYS[1]]
    maker.perform(RemoveRows(RUN, (row,)))


CHANGES: dict[str, tuple[Callable[[Maker], None], list[Part], list[Part] | None]] = {
    "split": (split, [Part.SPLITS], [Part.SPLITS]),
    "label": (label, [Part.LABELS], [Part.LABELS]),
    "corrected prediction": (
        correct_prediction,
        [Part.PREDICTIONS],
        [Part.PREDICTIONS],
    ),
    "further prediction": (add_prediction, [Part.PREDICTIONS], [Part.PREDICTIONS]),
    "confidence": (doubt_prediction, [Part.PREDICTIONS], [Part.PREDICTIONS]),
    "metric": (measure, [Part.METRICS], [Part.METRICS]),
    "config": (configure, [Part.CONFIG], None),
    "status": (finish, [Part.STATUS], None),
    "row": (
        remove,
        [Part.MEMBERS, Part.SPLITS, Part.PREDICTIONS, Part.METRICS],
        [Part.MEMBERS],
    ),
}


def test_a_run_is_the_same_as_its_bundle(
    made: tuple[Session, Maker, Path],
) -> None:
    session, _, folder = made

    found = verify(session, folder)

    assert found == Verification(
        address=RUN, compared=tuple(Part), differences=(), files=()
    )
    assert found
    assert verify_declared(session, folder)
    assert verify_declared(session, folder).compared == tuple(Part)


@pytest.mark.parametrize(
    ("change", "parts", "of_row"), CHANGES.values(), ids=CHANGES.keys()
)
def test_whatever_changes_is_found(
    made: tuple[Session, Maker, Path],
    change: Callable[[Maker], None],
    parts: list[Part],
    of_row: list[Part] | None,
) -> None:
    session, maker, folder = made
    change(maker)

    found, declared = verify(session, folder), verify_declared(session, folder)

    assert not found
    assert differing(found) == differing(declared) == parts
    only = Side.DECLARED if of_row == [Part.MEMBERS] else None
    rows = () if of_row is None else (RowDifference(KEYS[1], tuple(of_row), only),)
    assert found.rows == declared.rows == rows
    assert found.row_count == len(rows)


def test_what_differs_in_config_and_status_is_told_by_field(
    made: tuple[Session, Maker, Path],
) -> None:
    session, maker, folder = made
    configure(maker)
    finish(maker)

    for found in (verify(session, folder), verify_declared(session, folder)):
        config, status = found.differences
        assert ("config", "lr") in [one.path for one in config.fields]
        lr = next(one for one in config.fields if one.path == ("config", "lr"))
        assert (lr.before, lr.after) == (0.1, 1e-4)
        assert (
            FieldChange(("status", "status"), "COMPLETE", "TRAINING_MODEL")
            in status.fields
        )


def test_a_row_that_came_to_a_run_is_told_from_one_that_is_gone(
    made: tuple[Session, Maker, Path],
) -> None:
    session, maker, folder = made
    rows = folder / "specs" / "rows.csv"
    rows.write_text(rows.read_text().replace("photo-4,UNASSIGNED\n", ""))
    manifests = folder / "specs" / "bundle.yaml"
    text = manifests.read_text()
    for part in ("predictions", "metrics"):
        text = text.replace(f"{part}:\n  - file: {part}.ndjson\n", "")
    manifests.write_text(text)
    remove(maker)

    found = verify_declared(session, folder)

    assert found.rows == (
        RowDifference("photo,2", (Part.MEMBERS,), Side.DECLARED),
        RowDifference("photo-4", (Part.MEMBERS,), Side.RUN),
    )


def test_rows_are_named_whatever_was_added_to_a_bundle(
    made: tuple[Session, Maker, Path],
) -> None:
    session, maker, folder = made
    split(maker)
    (folder / "specs" / "notes.txt").write_text("No manifest names it.\n")
    added = verify(session, folder)
    shutil.copy(folder / "specs" / "bundle.yaml", folder / "specs" / "twice.yaml")
    twice = verify(session, folder)

    assert added.files == (ChangedFile("specs/notes.txt", "added"),)
    assert [one.row for one in added.rows] == [KEYS[1]]
    assert differing(twice) == [Part.SPLITS]
    assert twice.rows == ()


def test_of_a_run_that_is_not_there_it_is_told_where_it_was_looked_for(
    made: tuple[Session, Maker, Path],
) -> None:
    session, _, folder = made
    bundle = replace(read_bundle(folder), address=run_address("pets", "day"))
    own = workspaces.specify_remote(folder)

    with pytest.raises(InputError) as elsewhere:
        verifying.verify_bundle(session, folder, bundle)
    with pytest.raises(InputError) as here:
        verifying.verify_bundle(
            replace(
                session,
                specification=own,
                target=replace(session.target, endpoint=LOCAL),
            ),
            folder,
            bundle,
        )

    (one,), (other,) = elsewhere.value.diagnostics, here.value.diagnostics
    said = "there is no run called 'day' in model 'pets'"
    assert one.message == f"http://twin.test/graphql: {said}"
    assert one.hint == "name the workspace it came from with `--workspace PATH`"
    assert other.message == f"the embedded server of {folder.resolve()}: {said}"
    assert other.hint == (
        f"apply {folder} first, or name the workspace it came from with "
        "`--workspace PATH`"
    )


def test_of_a_workspace_only_what_is_declared_is_compared(
    made: tuple[Session, Maker, Path],
) -> None:
    session, maker, folder = made
    split(maker)
    measure(maker)
    manifests = folder / "specs" / "bundle.yaml"
    text = manifests.read_text()
    for line in ("splits:\n  column: split\n", "metrics:\n  - file: metrics.ndjson\n"):
        assert line in text
        text = text.replace(line, "")
    manifests.write_text(text)

    found = verify_declared(session, folder)

    assert found
    assert found.compared == (
        Part.CONFIG,
        Part.ONTOLOGY,
        Part.MEMBERS,
        Part.LABELS,
        Part.PREDICTIONS,
        Part.STATUS,
    )


def test_labels_that_are_declared_by_id_are_compared_by_id(
    made: tuple[Session, Maker, Path],
) -> None:
    session, maker, folder = made
    lock = (folder / "specs/locks/labels.lock").read_text().splitlines()[2:]
    ids = [line.split("\t")[2] for line in lock]
    manifests = folder / "specs" / "bundle.yaml"
    old = "labels:\n  project: pets/night ground truth\n  lock: locks/labels.lock\n"
    assert old in manifests.read_text()
    new = f"labels: {{labelIds: [{', '.join(ids)}]}}\n"
    manifests.write_text(manifests.read_text().replace(old, new))

    assert verify_declared(session, folder)
    label(maker)
    found = verify_declared(session, folder)
    assert differing(found) == [Part.LABELS]
    assert found.rows == ()


def test_files_that_were_edited_removed_or_added_are_named(
    made: tuple[Session, Maker, Path],
) -> None:
    session, _, folder = made
    (folder / "specs" / "rows.csv").write_text("global_key,split\n")
    (folder / "splits" / "TEST.txt").unlink()
    (folder / "specs" / "more.yaml").write_text("kind: Model\n")
    (folder / "README").write_text("No manifest, so nobody minds.\n")
    (folder / "reconciler.yaml").write_text("Says where, and not what.\n")

    found = verify(session, folder)

    assert not found
    assert found.differences == ()
    assert found.files == (
        ChangedFile("specs/more.yaml", "added"),
        ChangedFile("specs/rows.csv", "edited"),
        ChangedFile("splits/TEST.txt", "missing"),
    )


def test_what_is_not_declared_or_not_there_is_told(
    made: tuple[Session, Maker, Path],
) -> None:
    session, _, folder = made
    bundle = read_bundle(folder)
    other = run_address("pets", "day")

    with pytest.raises(InputError) as undeclared:
        verifying.verify_run(session, RUN)
    with pytest.raises(InputError) as missing:
        verifying.verify_bundle(session, folder, replace(bundle, address=other))

    assert [one.code for one in undeclared.value.diagnostics] == ["not-found"]
    assert [one.code for one in missing.value.diagnostics] == ["not-found"]

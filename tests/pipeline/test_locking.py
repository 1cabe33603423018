"""What a remote says, to locks that are made, compared and made again."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from reconciler.diagnostics import InputError, Span
from reconciler.ledger.directory import DirectoryLedger
from reconciler.manifest.load import find_workspace, load
from reconciler.pipeline.answers import pin
from reconciler.pipeline.locking import (
    Fate,
    Locked,
    Mode,
    compare,
    due,
    lock,
    specify_to_lock,
    unresolved,
)
from reconciler.pipeline.sessions import Session
from reconciler.plan.build import Target
from reconciler.ports import Incomplete, Reader
from reconciler.state.address import Address, RemoteId, run_address
from reconciler.state.labels import ContentHash, CurrentLabel, LabelPins
from reconciler.state.resources import Run, Split
from reconciler.state.selection import SelectedRow, Selection
from reconciler.state.snapshot import (
    Current,
    CurrentDataset,
    CurrentProject,
    CurrentResource,
    Desired,
)

T, V, E, U = Split
NIGHT, FIRST, SECOND = map(Address.parse, ("rows/night", "run/m/first", "run/m/second"))
ROWS_LOCK = "specs/locks/rows/night.lock"
LABELS_LOCK = "specs/truth.lock"

WORKSPACE = """\
apiVersion: reconciler/v1
kind: Workspace
name: example
limits: {lockRows: 3}
"""

MANIFESTS = """\
apiVersion: reconciler/v1
kind: Ontology
name: o
---
apiVersion: reconciler/v1
kind: Dataset
name: streets
---
apiVersion: reconciler/v1
kind: Project
name: truth
---
apiVersion: reconciler/v1
kind: Model
name: m
ontology: o
---
apiVersion: reconciler/v1
kind: DataRows
name: night
select: {dataset: streets, keys: "n*"}
group: {metadata: city}
---
apiVersion: reconciler/v1
kind: ModelRun
model: m
name: first
rows: night
labels: {project: truth, lock: truth.lock}
---
apiVersion: reconciler/v1
kind: ModelRun
model: m
name: second
labels: {project: truth, lock: truth.lock}
"""


def content(letter: str) -> ContentHash:
    return ContentHash("sha256:" + letter * 64)


def label(row: str, letter: str, *, benchmark: bool = False) -> CurrentLabel:
    return CurrentLabel(
        f"id-of-{row}",
        row,
        RemoteId(f"{row}-{letter}"),
        content(letter),
        None,
        benchmark,
    )


@dataclass
class FakeReader:
    """A dataset and a project; knows how often it was asked."""

    rows: dict[str, str] = field(default_factory=dict)
    labels: list[CurrentLabel] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)
    cut: bool = False
    asked: list[str] = field(default_factory=list)

    def read(self, desired: Desired) -> Current:
        there: dict[Address, CurrentResource] = {}
        for address in desired.resources:
            found = RemoteId(f"id-of-{address}")
            if str(address) in self.missing:
                continue
            if str(address) == "dataset/streets":
                there[address] = CurrentDataset(
                    id=found, name="streets", description=None, keys=None
                )
            else:
                there[address] = CurrentProject(
                    id=found, name="truth", media_type=None, ontology_id=None
                )
        return Current(resources=there)

    def select(
        self, selection: Selection, source: RemoteId
    ) -> Iterator[Sequence[SelectedRow]]:
        assert source == "id-of-dataset/streets"
        assert selection.fields == {"city"}
        self.asked.append("rows")
        for key, city in self.rows.items():
            yield [SelectedRow(f"id-of-{key}", key, {"city": city})]
        if self.cut:
            raise Incomplete("the export is cut")

    def read_project_labels(self, project: RemoteId) -> Sequence[CurrentLabel]:
        assert project == "id-of-project/truth"
        self.asked.append("labels")
        return self.labels


@dataclass
class Place:
    """A workspace, and a remote for it."""

    root: Path
    reader: FakeReader

    def lock(self, mode: Mode = Mode.MISSING, *only: Address) -> dict[str, Locked]:
        specification, locks = specify_to_lock(self.root)
        target = Target("https://remote.test", RemoteId("org"), "Org")
        asked = due(locks, only=only, mode=mode)
        found = [*unresolved(asked)]
        if any(each.resolve for each in asked):
            session = Session(
                specification,
                cast("Reader", self.reader),
                None,
                target,
                DirectoryLedger(self.root / ".reconciler", target),
            )
            found += lock(session, specification.desired, asked, mode=mode)
        return {one.name: one for one in found}

    def text(self, name: str) -> list[str]:
        return (self.root / name).read_text(encoding="utf-8").splitlines()[2:]

    def run(self, name: str = "first") -> Run:
        found = load(find_workspace(self.root)).resources[run_address("m", name)]
        assert isinstance(found, Run)
        return found

    def files(self) -> list[str]:
        return sorted(
            path.relative_to(self.root).as_posix()
            for path in self.root.rglob("*")
            if path.is_file() and path.suffix != ".yaml"
        )


@pytest.fixture
def place(tmp_path: Path) -> Place:
    (tmp_path / "specs").mkdir()
    (tmp_path / "reconciler.yaml").write_text(WORKSPACE)
    (tmp_path / "specs" / "a.yaml").write_text(MANIFESTS)
    reader = FakeReader(
        rows={"n2": "Oslo", "n1": "Bergen", "x": "Oslo"},
        labels=[label("n1", "a"), label("n2", "b")],
    )
    return Place(tmp_path, reader)


def codes(error: InputError) -> list[str]:
    return [one.code for one in error.diagnostics]


def test_missing_locks_are_made_and_plans_read_them(place: Place) -> None:
    found = place.lock()
    run = place.run()

    assert [one.fate for one in found.values()] == [Fate.MADE, Fate.MADE]
    assert found[LABELS_LOCK].addresses == (FIRST, SECOND)
    assert place.text(ROWS_LOCK) == ["n1\t\tBergen", "n2\t\tOslo"]
    assert place.text(LABELS_LOCK) == [
        f"n1\t{'a' * 64}\tn1-a\t",
        f"n2\t{'b' * 64}\tn2-b\t",
    ]
    assert run.rows is not None
    assert dict(run.rows) == {"n1": U, "n2": U}
    assert isinstance(run.labels, LabelPins)
    assert run.labels.labels["n1"].content == content("a")
    assert run.labels == place.run("second").labels
    assert place.files() == [ROWS_LOCK, LABELS_LOCK]


def test_a_lock_is_readable_for_whoever_may_read_the_workspace(place: Place) -> None:
    before = os.umask(0o022)
    try:
        place.lock()
    finally:
        os.umask(before)

    assert (place.root / ROWS_LOCK).stat().st_mode & 0o777 == 0o644


def test_what_is_locked_stays_and_nobody_is_asked(place: Place) -> None:
    place.lock()
    place.reader.rows["n3"] = "Turku"
    place.reader.asked.clear()

    found = place.lock()

    assert {one.fate for one in found.values()} == {Fate.KEPT}
    assert place.reader.asked == []
    assert len(place.text(ROWS_LOCK)) == 2


def test_each_lock_is_asked_for_once(place: Place) -> None:
    place.lock()

    assert place.reader.asked == ["rows", "labels"]


def test_a_check_tells_what_differs_and_writes_nothing(place: Place) -> None:
    place.lock()
    before = (place.root / ROWS_LOCK).read_bytes()
    place.reader.rows = {"n1": "Turku", "n3": "Oslo"}
    place.reader.labels = [label("n1", "c"), label("n2", "b")]

    found = place.lock(Mode.CHECK)

    rows, labels = found[ROWS_LOCK], found[LABELS_LOCK]
    assert (rows.fate, labels.fate) == (Fate.DIFFERS, Fate.DIFFERS)
    assert rows.change is not None
    assert rows.change.samples == ("+ n3", "- n2", "~ n1 (Bergen -> Turku)")
    assert (rows.change.added, rows.change.removed, rows.change.changed) == (1, 1, 1)
    assert labels.change is not None
    assert labels.change.samples == ("~ n1",)
    assert (place.root / ROWS_LOCK).read_bytes() == before


def test_a_check_finds_what_is_the_same_and_what_is_missing(place: Place) -> None:
    place.lock(Mode.MISSING, NIGHT)

    found = place.lock(Mode.CHECK)

    missing = found[LABELS_LOCK]
    assert found[ROWS_LOCK].fate is Fate.KEPT
    assert missing.fate is Fate.DIFFERS
    assert missing.problem is not None
    assert missing.problem.code == "lock-missing"
    assert place.files() == [ROWS_LOCK]


def test_a_lock_for_other_words_is_no_longer_right_though_its_rows_are(
    place: Place,
) -> None:
    place.lock()
    manifest = place.root / "specs" / "a.yaml"
    manifest.write_text(MANIFESTS.replace('keys: "n*"', 'keys: "n?"'))

    checked = place.lock(Mode.CHECK)[ROWS_LOCK]
    updated = place.lock(Mode.UPDATE)[ROWS_LOCK]

    assert checked.fate is Fate.DIFFERS
    assert checked.problem is not None
    assert checked.problem.code == "lock-outdated"
    assert updated.fate is Fate.UPDATED
    assert not updated.change
    assert place.lock(Mode.CHECK)[ROWS_LOCK].fate is Fate.KEPT


def test_an_update_makes_locks_anew(place: Place) -> None:
    place.lock()
    place.reader.rows["n3"] = "Turku"

    found = place.lock(Mode.UPDATE)

    assert found[ROWS_LOCK].fate is Fate.UPDATED
    assert found[LABELS_LOCK].fate is Fate.KEPT
    assert place.text(ROWS_LOCK) == ["n1\t\tBergen", "n2\t\tOslo", "n3\t\tTurku"]


def test_labels_that_say_the_same_under_other_ids_are_locked_by_those(
    place: Place,
) -> None:
    place.lock()
    old = (place.root / LABELS_LOCK).stat().st_ino
    place.lock(Mode.UPDATE)
    untouched = (place.root / LABELS_LOCK).stat().st_ino
    place.reader.labels = [
        one._replace(label_id=RemoteId(f"new-{one.label_id}"))
        for one in place.reader.labels
    ]

    found = place.lock(Mode.UPDATE)

    assert untouched == old
    assert not found[LABELS_LOCK].change
    assert place.text(LABELS_LOCK) == [
        f"n1\t{'a' * 64}\tnew-n1-a\t",
        f"n2\t{'b' * 64}\tnew-n2-b\t",
    ]


def test_what_was_not_known_before_or_is_not_any_more_is_called_none() -> None:
    before = {"a": ("TRAINING", ""), "b": ("TRAINING", "Oslo")}
    after = {"a": ("TRAINING", "Oslo"), "b": ("TEST", "")}

    assert compare(before, after).samples == (
        "~ a (none -> Oslo)",
        "~ b (TRAINING -> TEST, Oslo -> none)",
    )


def test_only_what_is_named_is_locked(place: Place) -> None:
    assert list(place.lock(Mode.MISSING, SECOND)) == [LABELS_LOCK]
    assert place.files() == [LABELS_LOCK]


def test_a_lock_that_cannot_be_used_waits_for_an_update(place: Place) -> None:
    place.lock()
    manifest = place.root / "specs" / "a.yaml"
    manifest.write_text(MANIFESTS.replace('keys: "n*"', 'keys: "*"'))

    left = place.lock()[ROWS_LOCK]
    updated = place.lock(Mode.UPDATE)[ROWS_LOCK]

    assert left.fate is Fate.OUTDATED
    assert left.problem is not None
    assert left.problem.code == "lock-outdated"
    assert updated.fate is Fate.UPDATED
    assert updated.change is not None
    assert updated.change.samples == ("+ x",)
    assert place.lock()[ROWS_LOCK].fate is Fate.KEPT


def test_a_damaged_lock_is_mended_by_an_update(place: Place) -> None:
    place.lock()
    file = place.root / ROWS_LOCK
    whole = file.read_bytes()
    file.write_bytes(whole.replace(b"Oslo", b"Turku"))

    assert place.lock()[ROWS_LOCK].fate is Fate.OUTDATED
    assert place.lock(Mode.CHECK)[ROWS_LOCK].fate is Fate.DIFFERS
    place.lock(Mode.UPDATE)
    assert file.read_bytes() == whole


def test_nothing_is_written_when_anything_cannot_be_locked(place: Place) -> None:
    place.reader.labels += [label("n1", "b"), label("n2", "c")]
    place.reader.rows = {"n": "Oslo", "n  x": "Oslo"}

    with pytest.raises(InputError) as caught:
        place.lock()

    assert codes(caught.value) == ["row-invalid", "several-labels"]
    assert place.files() == []


def test_what_could_be_locked_is_not_written_when_something_else_cannot(
    place: Place,
) -> None:
    place.reader.labels = []

    with pytest.raises(InputError):
        place.lock()

    assert place.files() == []


def test_a_read_that_is_cut_makes_no_lock(place: Place) -> None:
    place.reader.cut = True

    with pytest.raises(Incomplete):
        place.lock()

    assert place.files() == []


def test_a_source_that_does_not_exist_is_an_error(place: Place) -> None:
    place.reader.missing = {"dataset/streets"}

    with pytest.raises(InputError) as caught:
        place.lock()

    [found] = caught.value.diagnostics
    assert str(found) == (
        "specs/a.yaml:21:1: dataset/streets does not exist on the remote [not-found]"
    )


# --- Many rows


def test_many_rows_go_beside_the_lock_and_the_manifest_must_name_them(
    place: Place,
) -> None:
    place.reader.rows = {f"n{n}": "Oslo" for n in range(4)}
    beside = "specs/locks/rows/night.parquet"

    made = place.lock()[ROWS_LOCK]
    unnamed = place.lock()[ROWS_LOCK]
    manifest = place.root / "specs" / "a.yaml"
    manifest.write_text(
        MANIFESTS.replace("group: {", f"digest: {made.digest}\ngroup: {{")
    )
    named = place.lock(Mode.UPDATE)[ROWS_LOCK]
    rows = place.run().rows

    assert beside in place.files()
    assert place.text(ROWS_LOCK) == []
    assert unnamed.fate is Fate.KEPT
    assert unnamed.problem is not None
    assert unnamed.problem.code == "digest-missing"
    assert (named.fate, named.digest) == (Fate.KEPT, None)
    assert rows is not None
    assert rows.digest() == made.digest
    assert len(rows) == 4


def test_a_lock_that_became_small_has_nothing_beside_it(place: Place) -> None:
    place.reader.rows = {f"n{n}": "Oslo" for n in range(4)}
    place.lock()
    place.reader.rows.popitem()

    found = place.lock(Mode.UPDATE)[ROWS_LOCK]

    assert found.change is not None
    assert found.change.samples == ("- n3",)
    assert place.files() == [ROWS_LOCK, LABELS_LOCK]


def test_a_file_that_is_not_the_locks_is_not_written_over(place: Place) -> None:
    place.reader.rows = {f"n{n}": "Oslo" for n in range(4)}
    mine = place.root / "specs" / "locks" / "rows" / "night.parquet"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")

    with pytest.raises(InputError) as caught:
        place.lock()
    place.reader.rows.popitem()
    place.lock()

    assert codes(caught.value) == ["file-exists"]
    assert mine.read_text() == "mine"


# --- Labels

HERE = Span("runs.yaml", 1, 1)


def test_the_benchmark_is_the_label_of_a_row_with_several() -> None:
    labels = [label("a", "a"), label("a", "b", benchmark=True), label("b", "c")]

    found = pin(labels, HERE)

    assert {key: one.content for key, one in found.items()} == {
        "a": content("b"),
        "b": content("c"),
    }


def test_rows_whose_label_is_not_clear_are_counted() -> None:
    several = [label(f"r{n:02}", letter) for n in range(11) for letter in "ab"]
    both = [label("x", letter, benchmark=True) for letter in "ab"]
    nameless = CurrentLabel("id-1", None, RemoteId("l"), content("a"))

    with pytest.raises(InputError) as caught:
        pin([*several, *both, nameless], HERE)

    first, second = caught.value.diagnostics
    assert first.message.startswith("12 data rows with several labels")
    assert first.details == tuple(f"r{n:02}" for n in range(10))
    assert second.code == "row-without-key"
    assert second.details == ("id-1",)


def test_a_project_without_labels_is_an_error() -> None:
    with pytest.raises(InputError) as caught:
        pin([], HERE)

    assert codes(caught.value) == ["selects-nothing"]

"""The inventory in a directory."""

import fcntl
import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.apply.events import Done, Event, Failed, Finished, Started
from reconciler.diagnostics import InputError
from reconciler.ledger.directory import DirectoryLedger
from reconciler.plan.build import Target
from reconciler.plan.steps import CreateRun, SetConfig, UploadDataRows
from reconciler.state.address import Address, Kind, RemoteId, run_address
from reconciler.state.inventory import Inventory
from tests.support.values import CURRENT_ONTOLOGY, ONTOLOGY, TARGET, data_row, plan_of

RUN = run_address("digits/ü", "svm %*")
DATASET = Address(Kind.DATASET, ("images",))


def record(ledger: DirectoryLedger, *events: Event) -> list[Event]:
    return list(ledger.record(events))


def created(number: int) -> Finished:
    return Finished(CreateRun(RUN), Done(RemoteId(f"run-{number}")))


def uploaded(*keys: str, fingerprint: str = "f1") -> Finished:
    rows = tuple(data_row(key, fingerprint) for key in keys)
    return Finished(UploadDataRows(DATASET, rows), Done())


def recalled(ledger: DirectoryLedger) -> Inventory:
    """Recall an inventory without its lineage, which is random."""
    return replace(ledger.recall(), lineage="")


def files(home: Path) -> list[Path]:
    return sorted(path for path in home.rglob("*") if path.is_file())


def test_nothing_written_is_an_empty_inventory(tmp_path: Path) -> None:
    assert recalled(DirectoryLedger(tmp_path, TARGET)) == Inventory()


def test_what_was_created_is_owned_and_the_last_word_holds(tmp_path: Path) -> None:
    ledger = DirectoryLedger(tmp_path, TARGET)

    record(ledger, created(1), created(2))

    assert DirectoryLedger(tmp_path, TARGET).recall().owned == {RUN: "run-2"}


def test_every_event_is_passed_on(tmp_path: Path) -> None:
    events: list[Event] = [Started(CreateRun(RUN)), created(1)]

    assert record(DirectoryLedger(tmp_path, TARGET), *events) == events


def test_it_is_written_before_it_is_passed_on(tmp_path: Path) -> None:
    ledger = DirectoryLedger(tmp_path, TARGET)
    events = ledger.record([created(1), created(2)])

    next(events)

    assert ledger.recall().owned == {RUN: "run-1"}


def test_what_failed_or_made_nothing_is_not_owned(tmp_path: Path) -> None:
    ledger = DirectoryLedger(tmp_path, TARGET)

    record(
        ledger,
        Started(CreateRun(RUN)),
        Finished(CreateRun(RUN), Failed("no")),
        Finished(SetConfig(RUN, {}), Done()),
    )

    assert recalled(ledger) == Inventory()


def test_uploaded_data_rows_are_remembered_by_fingerprint(tmp_path: Path) -> None:
    ledger = DirectoryLedger(tmp_path, TARGET)

    record(ledger, uploaded("a", "b"), uploaded("b", fingerprint="f2"))

    assert ledger.recall().fingerprints == {DATASET: {"a": "f1", "b": "f2"}}


def test_an_adoption_is_written_down(tmp_path: Path) -> None:
    plan = plan_of(ONTOLOGY, there={ONTOLOGY.address: CURRENT_ONTOLOGY}, owned={})
    ledger = DirectoryLedger(tmp_path, TARGET)

    ledger.adopt(plan)

    assert ledger.recall().owned == {ONTOLOGY.address: "onto-1"}


def test_remotes_and_organisations_are_kept_apart(tmp_path: Path) -> None:
    record(DirectoryLedger(tmp_path, TARGET), created(1))

    for other in (
        Target("https://api.labelbox.com/graphql", TARGET.organisation, ""),
        Target(TARGET.endpoint, RemoteId("../org"), ""),
    ):
        assert recalled(DirectoryLedger(tmp_path, other)) == Inventory()


def test_a_line_cut_short_by_a_kill_is_dropped_and_the_next_one_is_whole(
    tmp_path: Path,
) -> None:
    ledger = DirectoryLedger(tmp_path, TARGET)
    record(ledger, created(1), created(2))
    (file,) = files(tmp_path)

    for cut in range(1, 40):
        whole = file.read_bytes()
        file.write_bytes(whole[:-cut])
        assert ledger.recall().owned == {RUN: "run-1"}
        record(ledger, created(2))
        assert ledger.recall().owned == {RUN: "run-2"}
        assert file.read_bytes() == whole


@pytest.mark.parametrize(
    "line",
    ["not json", "[]", '{"address": "nothing"}', '{"address": "run/x", "id": "1"}'],
)
def test_a_damaged_line_is_a_diagnostic_with_its_place(
    tmp_path: Path, line: str
) -> None:
    ledger = DirectoryLedger(tmp_path, TARGET)
    record(ledger, created(1))
    (file,) = files(tmp_path)
    file.write_text(f"{file.read_text()}{line}\n")

    with pytest.raises(InputError) as caught:
        ledger.recall()

    (found,) = caught.value.diagnostics
    assert found.code == "inventory-damaged"
    assert found.span is not None
    assert found.span.line == 2


def test_one_apply_at_a_time_works_on_a_remote_from_here(tmp_path: Path) -> None:
    first, second = (DirectoryLedger(tmp_path, TARGET) for _ in range(2))
    elsewhere = DirectoryLedger(tmp_path, Target("https://x", RemoteId("org"), ""))

    with first.exclusive():
        with elsewhere.exclusive():
            pass
        with pytest.raises(InputError) as caught, second.exclusive():
            pass
    with second.exclusive():
        pass

    (found,) = caught.value.diagnostics
    assert found.code == "apply-running"
    assert str(os.getpid()) in found.message


def test_a_line_is_written_only_when_nobody_else_is_writing(tmp_path: Path) -> None:
    ledger = DirectoryLedger(tmp_path, TARGET)
    record(ledger, created(1))
    (file,) = files(tmp_path)
    before = file.read_bytes()
    writing = threading.Thread(target=record, args=(ledger, created(2)))

    with file.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        writing.start()
        writing.join(timeout=0.3)
        assert writing.is_alive()
        assert file.read_bytes() == before
    writing.join(timeout=30)

    assert ledger.recall().owned == {RUN: "run-2"}


def test_a_plan_that_was_carried_out_is_remembered(tmp_path: Path) -> None:
    ledger = DirectoryLedger(tmp_path, TARGET)

    ledger.finish("sha256:one")
    ledger.finish("sha256:two")

    assert ledger.carried_out() == ("sha256:one", "sha256:two")

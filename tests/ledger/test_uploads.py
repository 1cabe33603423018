"""What the inventory remembers of predictions, metrics and labels."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.annotations.marks import mark, merged
from reconciler.apply.events import Done, Failed, Finished, Outcome, Skipped, Unknown
from reconciler.diagnostics import InputError
from reconciler.ledger.directory import DirectoryLedger
from reconciler.plan.build import Plan
from reconciler.plan.steps import CreateRun, SendChunk
from reconciler.state.address import RemoteId, run_address
from reconciler.state.inventory import Inventory
from reconciler.state.resources import Split
from reconciler.state.uploads import Family, LineRefusal, Slot, Uploaded, Uploads
from tests.support.values import (
    MODEL,
    OWNED,
    PARENTS,
    RUN,
    TARGET,
    box_line,
    current_run,
    identity,
    plan_of,
    run,
    uploads,
)

SENT = uploads(Family.PREDICTIONS, {"a": [box_line("a")], "b": [box_line("b")]})
(CHUNK,) = SENT.chunks
WHOLE = Slot(0, 1)
LEFT = mark("c", "gone")
JOB = "reconciler l predictions 0of1 x/y 3"
STEP = SendChunk(
    RUN,
    Family.PREDICTIONS,
    CHUNK,
    job=JOB,
    generation=3,
    may_exist=False,
    left=LEFT,
)
IDS = {RUN: RemoteId("run-1")}


def ledger(home: Path) -> DirectoryLedger:
    return DirectoryLedger(home, TARGET)


def after(home: Path, outcome: Outcome) -> Uploaded | None:
    list(ledger(home).record([Finished(STEP, outcome)], ids=IDS))
    return ledger(home).recall().uploads.get((RUN, Family.PREDICTIONS), {}).get(WHOLE)


def sending(wanted: Uploads = SENT, *, exists: bool = True, lineage: str = "l") -> Plan:
    there = {**PARENTS, RUN: current_run()} if exists else PARENTS
    return plan_of(
        MODEL,
        run(),
        there=there,
        sent={RUN: (wanted,)},
        inventory=Inventory(owned=OWNED, lineage=lineage),
    )


def test_what_was_sent_is_remembered_with_all_that_may_be_there(
    tmp_path: Path,
) -> None:
    assert after(tmp_path, Done()) == Uploaded(
        digest=CHUNK.digest,
        generation=3,
        finished=True,
        job=JOB,
        parent=RemoteId("run-1"),
        marks=merged(LEFT, CHUNK.marks),
    )


def test_what_was_refused_is_remembered_and_is_not_there(tmp_path: Path) -> None:
    uuid = identity(box_line("a"))
    refusal = LineRefusal("a", uuid, "no such feature")

    assert after(tmp_path, Failed("1 of 2", refusals=(refusal,))) == Uploaded(
        digest=CHUNK.digest,
        generation=3,
        finished=False,
        refused=1,
        job=JOB,
        parent=RemoteId("run-1"),
        marks=merged(LEFT, mark("b", identity(box_line("b")))),
    )


def test_a_job_that_came_to_nothing_is_not_waited_for_again(tmp_path: Path) -> None:
    found = after(tmp_path, Failed("no memory", job_failed=True))

    assert found is not None
    assert (found.finished, found.refused) == (False, 2)


@pytest.mark.parametrize("outcome", [Failed("no answer"), Unknown("perhaps")])
def test_an_end_that_nobody_knows_leaves_the_intent(
    tmp_path: Path, outcome: Outcome
) -> None:
    ledger(tmp_path).adopt(sending())
    before = ledger(tmp_path).recall().uploads

    after(tmp_path, outcome)

    assert ledger(tmp_path).recall().uploads == before


def test_every_refused_line_is_kept_in_a_file_of_its_job(tmp_path: Path) -> None:
    refusals = (
        LineRefusal("a", "u-1", "no such feature"),
        LineRefusal(None, None, "nö"),
    )

    after(tmp_path, Failed("2 of 2", refusals=refusals))
    after(tmp_path, Failed("2 of 2", refusals=refusals))

    (folder,) = ledger(tmp_path).refused.iterdir()
    (file,) = folder.iterdir()
    assert folder.name == "run%2Fdigits%2Fsvm"
    assert file.name == "reconciler%20l%20predictions%200of1%20x%2Fy%203.ndjson"
    assert list(map(json.loads, file.read_text().splitlines())) == [
        {"row": "a", "uuid": "u-1", "reason": "no such feature"},
        {"row": None, "uuid": None, "reason": "nö"},
    ]


def test_what_will_be_sent_is_written_down_before_anything_is_done(
    tmp_path: Path,
) -> None:
    first = ledger(tmp_path)
    lineage = first.recall().lineage
    first.adopt(sending(lineage=lineage))

    assert ledger(tmp_path).recall().uploads == {
        (RUN, Family.PREDICTIONS): {
            WHOLE: Uploaded(
                digest=CHUNK.digest,
                generation=1,
                finished=False,
                job=f"reconciler {lineage} predictions 0of1 {CHUNK.digest[:16]} 1",
                parent=RemoteId("run-1"),
                marks=CHUNK.marks,
            )
        }
    }


def test_the_intent_for_a_run_to_be_made_names_no_run(tmp_path: Path) -> None:
    ledger(tmp_path).adopt(sending(exists=False))

    found = ledger(tmp_path).recall().uploads[RUN, Family.PREDICTIONS][WHOLE]
    assert found.parent is None


def test_what_is_sent_to_a_new_run_is_remembered_with_its_id(tmp_path: Path) -> None:
    events = [
        Finished(CreateRun(RUN), Done(RemoteId("run-7"))),
        Finished(STEP, Done()),
    ]

    list(ledger(tmp_path).record(events))

    found = ledger(tmp_path).recall().uploads[RUN, Family.PREDICTIONS][WHOLE]
    assert found.parent == "run-7"


def test_what_went_with_a_row_is_forgotten_before_the_row_comes_back(
    tmp_path: Path,
) -> None:
    after(tmp_path, Done())
    plan = plan_of(
        MODEL,
        run(rows={"c": Split.TEST}),
        there={**PARENTS, RUN: current_run()},
        sent={RUN: (uploads(Family.PREDICTIONS, {}),)},
        inventory=ledger(tmp_path).recall(),
    )

    ledger(tmp_path).adopt(plan)

    found = ledger(tmp_path).recall().uploads[RUN, Family.PREDICTIONS][WHOLE]
    assert found.marks == CHUNK.marks


def test_what_is_there_already_can_be_remembered_as_sent(tmp_path: Path) -> None:
    there = Uploaded(digest="d", generation=1, finished=True, parent=RemoteId("run-1"))
    sent = {(RUN, Family.METRICS): {Slot(1, 2): there}}

    ledger(tmp_path).remember_uploads(sent)

    assert ledger(tmp_path).recall().uploads == sent


def test_each_session_has_a_lineage_of_its_own_and_writes_none_down(
    tmp_path: Path,
) -> None:
    sessions = [ledger(tmp_path) for _ in range(3)]
    for one in sessions:
        one.adopt(sending())

    lineages = [one.recall().lineage for one in sessions]

    assert len(set(lineages)) == 3
    assert lineages == [one.recall().lineage for one in sessions]
    assert {len(one) for one in lineages} == {8}
    written = {path.name for path in tmp_path.rglob("*") if path.is_file()}
    assert written == {"objects.jsonl", "uploads.jsonl"}


def test_an_inventory_from_before_jobs_were_named_in_it_can_be_read(
    tmp_path: Path,
) -> None:
    after(tmp_path, Done())
    (file,) = (path for path in tmp_path.rglob("*") if path.is_file())
    file.write_text(file.read_text().replace(f'"job": "{JOB}", ', ""))

    found = ledger(tmp_path).recall().uploads[RUN, Family.PREDICTIONS][WHOLE]

    assert found.job == ""


def test_of_lines_that_were_skipped_only_what_was_there_before_is_left(
    tmp_path: Path,
) -> None:
    ledger(tmp_path).adopt(sending())

    found = after(tmp_path, Skipped(blocked_by=None))

    assert found is not None
    assert (found.finished, found.refused, found.job) == (False, 0, JOB)
    assert found.marks == LEFT


def test_what_an_earlier_apply_may_have_sent_is_not_forgotten_when_it_is_skipped(
    tmp_path: Path,
) -> None:
    ledger(tmp_path).adopt(sending())
    before = ledger(tmp_path).recall().uploads
    step = replace(STEP, may_exist=True)

    list(ledger(tmp_path).record([Finished(step, Skipped(None))], ids=IDS))

    assert ledger(tmp_path).recall().uploads == before


def uploads_file(home: Path) -> Path:
    (file,) = home.rglob("uploads.jsonl")
    return file


def sent_times(home: Path, times: int) -> None:
    for generation in range(1, times + 1):
        step = replace(STEP, generation=generation)
        list(ledger(home).record([Finished(step, Done())], ids=IDS))


def test_only_the_last_entry_of_a_slot_is_looked_into(tmp_path: Path) -> None:
    sent_times(tmp_path, 2)
    file = uploads_file(tmp_path)
    first, last = file.read_text().splitlines()
    nothing = json.dumps({**json.loads(first), "marks": "no marks at all"})
    file.write_text(f"{nothing}\n{last}\n")

    (found,) = ledger(tmp_path).recall().uploads[RUN, Family.PREDICTIONS].values()

    assert found.generation == 2


def test_an_apply_drops_what_no_longer_holds_when_that_is_most(tmp_path: Path) -> None:
    sent_times(tmp_path, 5)
    before = ledger(tmp_path).recall().uploads
    last = uploads_file(tmp_path).read_text().splitlines()[-1]

    with ledger(tmp_path).exclusive():
        pass

    assert uploads_file(tmp_path).read_text() == f"{last}\n"
    assert ledger(tmp_path).recall().uploads == before


def test_an_apply_leaves_an_inventory_alone_of_which_enough_holds(
    tmp_path: Path,
) -> None:
    sent_times(tmp_path, 4)
    before = uploads_file(tmp_path).read_text()

    with ledger(tmp_path).exclusive():
        pass

    assert uploads_file(tmp_path).read_text() == before


def test_a_name_too_long_for_a_folder_is_cut_and_told_from_others(
    tmp_path: Path,
) -> None:
    for end in "xy":
        step = replace(STEP, address=run_address("m" * 200, "r" * 200 + end))
        refused = Failed("1 of 2", refusals=(LineRefusal("a", None, "no"),))
        list(ledger(tmp_path).record([Finished(step, refused)]))

    names = [folder.name for folder in ledger(tmp_path).refused.iterdir()]
    assert sorted(map(len, names)) == [200, 200]


def test_a_line_longer_than_any_block_is_whole_or_dropped(tmp_path: Path) -> None:
    marks = bytes(range(250)) * 4_000
    there = Uploaded(digest="d" * 300_000, generation=1, finished=True, marks=marks)
    sent = {(RUN, Family.METRICS): {WHOLE: there}}
    ledger(tmp_path).remember_uploads(sent)
    (file,) = (path for path in tmp_path.rglob("*") if path.is_file())
    whole = file.read_bytes()

    file.write_bytes(whole + whole[:-1])
    ledger(tmp_path).remember_uploads({})

    assert file.read_bytes() == whole
    assert ledger(tmp_path).recall().uploads == sent


@pytest.mark.parametrize("old", ['"family": "predictions"', '"marks": "'])
def test_a_damaged_upload_is_a_diagnostic(tmp_path: Path, old: str) -> None:
    after(tmp_path, Done())
    (file,) = (path for path in tmp_path.rglob("*") if path.is_file())
    file.write_text(file.read_text().replace(old, f"{old[:-1]}e"))

    with pytest.raises(InputError) as caught:
        ledger(tmp_path).recall()

    assert caught.value.diagnostics[0].code == "inventory-damaged"

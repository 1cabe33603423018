"""Which slots have to be sent, and under which names."""

from collections.abc import Mapping

import pytest

from reconciler.annotations.marks import merged
from reconciler.plan.changes import UploadsChange
from reconciler.plan.jobs import label_job
from reconciler.plan.uploads import Destination, compare_uploads, left_behind
from reconciler.state.address import RemoteId
from reconciler.state.resources import Split
from reconciler.state.snapshot import JobState
from reconciler.state.uploads import Chunk, Family, Slot, Uploaded, Uploads
from tests.support.values import box_line, members, uploads

RUN = RemoteId("run-1")
WHOLE = Slot(0, 1)


def boxes(*keys: str, number: int = 0, slots: int = 1) -> Uploads:
    lines = {key: [box_line(key, number)] for key in keys}
    return uploads(Family.PREDICTIONS, lines, slots=slots)


def truth(*keys: str) -> Uploads:
    return uploads(Family.LABELS, {key: [box_line(key)] for key in keys})


def sent(
    chunk: Chunk,
    *,
    generation: int = 1,
    finished: bool = True,
    refused: int = 0,
    parent: str | None = RUN,
    marks: bytes | None = None,
    job: str = "reconciler before",
) -> Uploaded:
    return Uploaded(
        digest=chunk.digest,
        generation=generation,
        finished=finished,
        refused=refused,
        job=job,
        parent=None if parent is None else RemoteId(parent),
        marks=chunk.marks if marks is None else marks,
    )


def compare(
    wanted: Uploads,
    recorded: Mapping[Slot, Uploaded],
    *,
    run: RemoteId | None = RUN,
    added: tuple[str, ...] = (),
    rows: tuple[str, ...] | None = None,
    labelled: frozenset[str] | None = frozenset(),
) -> UploadsChange:
    to = Destination(
        id=run,
        members=None if rows is None else members(dict.fromkeys(rows, Split.TEST)),
        added=frozenset(added),
        labelled=labelled,
    )
    return compare_uploads(wanted, to=to, recorded=recorded, lineage="0a1b2c3d")


def turns(change: UploadsChange) -> list[tuple[str, int, bool]]:
    return [(str(one.chunk.slot), one.generation, one.may_exist) for one in change.sent]


NOW = boxes("a", "b")
(CHUNK,) = NOW.chunks
(OLD,) = boxes("a", number=1).chunks


@pytest.mark.parametrize(
    ("recorded", "expected"),
    [
        pytest.param(None, [("0of1", 1, False)], id="never sent"),
        pytest.param(sent(CHUNK), [], id="sent"),
        pytest.param(
            sent(OLD, generation=3), [("0of1", 4, False)], id="another content"
        ),
        pytest.param(
            sent(CHUNK, generation=3, finished=False),
            [("0of1", 3, True)],
            id="begun",
        ),
        pytest.param(
            sent(CHUNK, generation=3, finished=False, parent=None),
            [("0of1", 3, True)],
            id="begun when there was no run yet",
        ),
        pytest.param(
            sent(OLD, generation=3, finished=False),
            [("0of1", 4, False)],
            id="begun with another content",
        ),
        pytest.param(
            sent(CHUNK, finished=False, refused=1),
            [("0of1", 2, False)],
            id="partly refused",
        ),
        pytest.param(
            sent(CHUNK, parent="run-0"), [("0of1", 2, False)], id="another run"
        ),
        pytest.param(
            sent(CHUNK, finished=False, parent="run-0"),
            [("0of1", 2, False)],
            id="begun in another run",
        ),
    ],
)
def test_a_slot_is_sent_unless_it_is_known_to_be_there(
    recorded: Uploaded | None, expected: list[tuple[str, int, bool]]
) -> None:
    change = compare(NOW, {WHOLE: recorded} if recorded else {})

    assert turns(change) == expected
    assert change.kept == (0 if expected else 2)


def test_a_job_is_named_after_lineage_slot_content_and_generation() -> None:
    (planned,) = compare(NOW, {}).sent

    assert planned.job == f"reconciler 0a1b2c3d predictions 0of1 {CHUNK.digest[:16]} 1"


def test_a_job_that_may_have_begun_keeps_the_name_that_it_began_with() -> None:
    begun = sent(CHUNK, generation=3, finished=False, job="reconciler its name")

    (planned,) = compare(NOW, {WHOLE: begun}).sent

    assert (planned.job, planned.may_exist) == ("reconciler its name", True)


def test_a_job_whose_name_nobody_knows_is_begun_anew() -> None:
    begun = sent(CHUNK, generation=3, finished=False, job="")

    (planned,) = compare(NOW, {WHOLE: begun}).sent

    assert planned.job.startswith("reconciler 0a1b2c3d ")
    assert (planned.generation, planned.may_exist) == (4, False)


def test_rows_that_come_with_a_label_have_their_slots_sent_again() -> None:
    wanted = boxes("a", "b", "c", "d", slots=4)
    recorded = {chunk.slot: sent(chunk) for chunk in wanted.chunks}

    some = compare(wanted, recorded, labelled=frozenset({"a"}))
    unknown = compare(wanted, recorded, labelled=None)

    assert [one.chunk.slot for one in some.sent] == [Slot.holding("a", 4)]
    assert [one.chunk.slot for one in unknown.sent] == [
        chunk.slot for chunk in wanted.chunks
    ]


def test_what_was_sent_for_a_row_that_left_and_comes_back_is_forgotten() -> None:
    (wider,) = boxes("a", "z").chunks
    recorded = {WHOLE: sent(wider, marks=wider.marks)}

    change = compare(boxes(), recorded, added=("z",))

    assert change.sent == ()
    assert {slot: one.marks for slot, one in change.forgotten.items()} == {
        WHOLE: boxes("a").chunks[0].marks
    }
    assert compare(boxes(), recorded, added=("y",)).forgotten == {}
    assert compare(boxes("a"), recorded, added=("z",)).forgotten == {}  # it is sent
    assert (
        compare(boxes(), recorded, run=RemoteId("run-2"), added=("z",)).forgotten == {}
    )


def test_a_run_that_is_created_gets_everything_as_a_new_job() -> None:
    assert turns(compare(NOW, {WHOLE: sent(CHUNK)}, run=None)) == [("0of1", 2, False)]


def test_only_the_slots_of_added_rows_are_sent_again() -> None:
    wanted = boxes("a", "b", "c", "d", slots=4)
    recorded = {chunk.slot: sent(chunk) for chunk in wanted.chunks}
    assert len(recorded) > 1

    change = compare(wanted, recorded, added=("a",))

    assert [one.chunk.slot for one in change.sent] == [Slot.holding("a", 4)]


def test_a_slot_is_sent_when_one_of_another_cut_was_sent_after_it() -> None:
    halves = {chunk.slot: sent(chunk) for chunk in boxes("a", "b", slots=2).chunks}
    assert turns(compare(NOW, halves)) == [("0of1", 2, False)]

    back = compare(boxes("a", "b", slots=2), halves | {WHOLE: sent(OLD, generation=2)})

    assert {generation for _, generation, _ in turns(back)} == {3}


def test_what_left_the_files_is_counted_once_and_as_long_as_its_row_is_there() -> None:
    (wider,) = boxes("a", "b", "c").chunks
    recorded = {
        WHOLE: sent(CHUNK, generation=2, marks=wider.marks),
        Slot(0, 2): sent(OLD, marks=OLD.marks),
        Slot(1, 2): sent(OLD, marks=OLD.marks),
    }

    def stale(rows: tuple[str, ...] | None, *added: str) -> int:
        return compare(NOW, recorded, rows=rows, added=added).stale

    assert stale(None) == 1
    assert stale(("a", "b", "c")) == 1
    assert stale(("a", "b")) == 0
    assert stale(("a", "b", "c"), "c") == 0
    assert compare(NOW, recorded, run=RemoteId("run-2")).stale == 0


def test_what_was_sent_in_an_older_cut_is_still_there() -> None:
    half = boxes("a", slots=2)
    (now,) = half.chunks

    change = compare(half, {WHOLE: sent(OLD)})
    again = compare(half, {WHOLE: sent(OLD), now.slot: sent(now, generation=2)})

    assert change.stale == 1
    assert [one.left for one in change.sent] == [OLD.marks]
    assert again.stale == 0  # its marks would have them, were they still there


def test_what_stays_of_a_slot_goes_with_it_but_not_of_rows_that_come_anew() -> None:
    (one,) = compare(NOW, {WHOLE: sent(OLD, generation=1)}).sent
    assert one.left == OLD.marks
    assert len(merged(one.left, CHUNK.marks)) == 30

    (other,) = compare(NOW, {WHOLE: sent(OLD, generation=1)}, added=("a",)).sent

    assert other.left == b""


def test_what_stays_is_said_in_words() -> None:
    change = compare(NOW, {WHOLE: sent(CHUNK, marks=boxes("c").chunks[0].marks)})

    assert left_behind(change) == (
        "1 prediction sent before is no longer declared; "
        "it stays until its data row leaves the run"
    )


def test_the_digest_of_all_slots_knows_what_is_kept_too() -> None:
    kept = compare(NOW, {WHOLE: sent(CHUNK)})

    assert kept.after == compare(NOW, {}).after
    assert kept.after != compare(boxes("a"), {}).after


TRUTH = truth("a")
(LABELS,) = TRUTH.chunks


def job(
    state: JobState, *, generation: int = 2, digest: str = LABELS.digest
) -> dict[str, JobState]:
    return {label_job(WHOLE, digest, generation): state}


BEGUN = sent(LABELS, generation=2, finished=False, parent="project")


@pytest.mark.parametrize(
    ("imports", "recorded", "expected"),
    [
        pytest.param({}, None, [("0of1", 1, False)], id="none"),
        pytest.param(job(JobState.FINISHED), None, [], id="finished"),
        pytest.param(job(JobState.RUNNING), None, [("0of1", 2, True)], id="running"),
        pytest.param(job(JobState.FAILED), None, [("0of1", 3, False)], id="failed"),
        pytest.param(
            job(JobState.FINISHED, digest="0" * 64),
            None,
            [("0of1", 3, False)],
            id="another content",
        ),
        pytest.param(
            {
                **job(JobState.FINISHED),
                **job(JobState.FINISHED, generation=3, digest="0" * 64),
            },
            None,
            [("0of1", 4, False)],
            id="another content since",
        ),
        pytest.param(
            job(JobState.FINISHED), BEGUN, [("0of1", 2, True)], id="nobody saw the end"
        ),
        pytest.param(
            job(JobState.FINISHED),
            sent(LABELS, generation=2, finished=False, refused=1),
            [("0of1", 3, False)],
            id="partly refused",
        ),
        pytest.param(
            job(JobState.FINISHED, generation=3),
            sent(LABELS, generation=2, finished=False, refused=1),
            [],
            id="refused before, and taken since by somebody else",
        ),
        pytest.param(
            job(JobState.FINISHED, generation=1, digest="0" * 64),
            BEGUN,
            [("0of1", 2, True)],
            id="asked for and not listed yet",
        ),
        pytest.param(
            {},
            sent(LABELS, generation=1, finished=False, refused=1, parent="project"),
            [("0of1", 2, False)],
            id="came to nothing and not listed",
        ),
        pytest.param(
            {label_job(Slot(1, 2), LABELS.digest, 5): JobState.FINISHED},
            None,
            [("0of1", 6, False)],
            id="another cut",
        ),
        pytest.param(
            {"my import": JobState.RUNNING}, None, [("0of1", 1, False)], id="others'"
        ),
    ],
)
def test_of_labels_the_projects_own_list_is_believed(
    imports: dict[str, JobState],
    recorded: Uploaded | None,
    expected: list[tuple[str, int, bool]],
) -> None:
    change = compare_uploads(
        TRUTH,
        to=Destination(id=RemoteId("project"), imports=imports),
        recorded={WHOLE: recorded} if recorded else {},
        lineage="0a1b2c3d",
    )

    assert turns(change) == expected
    assert [one.job for one in change.sent] == [
        label_job(WHOLE, LABELS.digest, generation) for _, generation, _ in expected
    ]

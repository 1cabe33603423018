"""How an apply ended, as an exit code and for a program."""

import pytest

from reconciler.apply.events import Done, Failed, Finished, Outcome
from reconciler.cli.exits import Exit
from reconciler.cli.outcomes import exit_of, step_entry
from reconciler.plan.steps import SendChunk
from reconciler.state.uploads import Family, LineRefusal
from tests.support.values import RUN, box_line, uploads

(CHUNK,) = uploads(
    Family.PREDICTIONS, {"a": [box_line("a")], "b": [box_line("b")]}
).chunks
STEP = SendChunk(
    RUN, Family.PREDICTIONS, CHUNK, job="job", generation=1, may_exist=False
)
REFUSED = LineRefusal("a", None, "no such feature")


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        pytest.param(Done(), Exit.DONE, id="done"),
        pytest.param(Failed("no"), Exit.ERROR, id="nothing was done"),
        pytest.param(
            Failed("1 of 2", refusals=(REFUSED,)), Exit.PARTIAL, id="a line was taken"
        ),
        pytest.param(
            Failed("2 of 2", refusals=(REFUSED, REFUSED)), Exit.ERROR, id="none was"
        ),
    ],
)
def test_lines_that_were_taken_count_as_something_done(
    outcome: Outcome, expected: Exit
) -> None:
    assert exit_of([Finished(STEP, outcome)], None) is expected


def test_a_program_is_told_why_lines_were_refused() -> None:
    said = step_entry(Finished(STEP, Failed("1 of 2", refusals=(REFUSED,))))

    assert said == {
        "address": "run/digits/svm",
        "step": "SendChunk",
        "rows": 2,
        "outcome": "failed",
        "reason": "1 of 2",
        "refusals": [
            {
                "reason": "no such feature",
                "count": 1,
                "sample": [{"row": "a", "uuid": None}],
            }
        ],
    }

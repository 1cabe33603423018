"""How far a run has come, against how far it should have."""

import pytest

from reconciler.plan.changes import MISSING, FieldChange
from reconciler.plan.diffing.statuses import compare_status
from reconciler.state.canonical import JsonObject
from reconciler.state.resources import RunStatus, Status
from tests.support.values import RUN

TRAINING, COMPLETE, FAILED = (
    RunStatus(status, {})
    for status in (Status.TRAINING_MODEL, Status.COMPLETE, Status.FAILED)
)
METADATA: JsonObject = {"epochs": 3, "by": {"who": "me"}}


def fields(wanted: RunStatus, current: RunStatus | None) -> list[FieldChange]:
    found = compare_status(wanted, address=RUN, current=current)
    assert (found.notice, found.blocked) == (None, None)
    return list(found.fields)


@pytest.mark.parametrize(
    ("wanted", "current", "expected"),
    [
        pytest.param(
            COMPLETE, None, [FieldChange(("status",), MISSING, "COMPLETE")], id="unsaid"
        ),
        pytest.param(COMPLETE, COMPLETE, [], id="the same"),
        pytest.param(
            COMPLETE,
            TRAINING,
            [FieldChange(("status",), "TRAINING_MODEL", "COMPLETE")],
            id="forward",
        ),
        pytest.param(
            FAILED,
            TRAINING,
            [FieldChange(("status",), "TRAINING_MODEL", "FAILED")],
            id="to a failure",
        ),
    ],
)
def test_a_status_moves_forward(
    wanted: RunStatus, current: RunStatus | None, expected: list[FieldChange]
) -> None:
    assert fields(wanted, current) == expected


@pytest.mark.parametrize("current", [COMPLETE, FAILED], ids=["complete", "failed"])
def test_a_run_that_is_further_along_is_a_notice(current: RunStatus) -> None:
    found = compare_status(TRAINING, address=RUN, current=current)

    assert found.fields == ()
    assert found.blocked is None
    assert found.notice is not None
    assert found.notice.code == "status-ahead"


@pytest.mark.parametrize(
    ("wanted", "current"), [(COMPLETE, FAILED), (FAILED, COMPLETE)]
)
def test_a_final_status_is_never_replaced(
    wanted: RunStatus, current: RunStatus
) -> None:
    found = compare_status(wanted, address=RUN, current=current)

    assert found.fields == ()
    assert found.blocked is not None
    assert found.blocked.code == "status-final"


def test_only_the_metadata_that_are_declared_count() -> None:
    wanted = RunStatus(Status.COMPLETE, METADATA)
    more = RunStatus(Status.COMPLETE, {**METADATA, "other": 1})
    other = RunStatus(Status.COMPLETE, {"epochs": 2, "by": {"who": "you", "x": 1}})

    assert fields(wanted, more) == []
    assert fields(wanted, other) == [
        FieldChange(("status", "metadata", "by", "who"), "you", "me"),
        FieldChange(("status", "metadata", "by", "x"), 1, MISSING),
        FieldChange(("status", "metadata", "epochs"), 2, 3),
    ]
    assert [one.path for one in fields(wanted, COMPLETE)] == [
        ("status", "metadata", "by"),
        ("status", "metadata", "epochs"),
    ]


def test_an_error_message_counts_where_one_is_declared() -> None:
    wanted = RunStatus(Status.FAILED, {}, "out of memory")

    assert fields(FAILED, wanted) == []
    assert fields(wanted, FAILED) == [
        FieldChange(("status", "errorMessage"), MISSING, "out of memory")
    ]
    assert fields(wanted, RunStatus(Status.FAILED, {}, "no disk")) == [
        FieldChange(("status", "errorMessage"), "no disk", "out of memory")
    ]

"""What runs are given and lose, on a remote that errs and comes late."""

from typing import Any

import httpx
import pytest

from reconciler.api import documents
from reconciler.plan.steps import (
    AddRows,
    AssignSplits,
    CheckRun,
    RemoveRows,
    SetConfig,
)
from reconciler.ports import (
    Malformed,
    RemoteError,
    Stale,
)
from reconciler.remote.errors import Refused, TaskFailed
from reconciler.state.address import (
    RemoteId,
)
from reconciler.state.canonical import digest
from reconciler.state.resources import (
    RowIdentity,
    Split,
)
from tests.remote.said import (
    BY_KEY,
    IDS,
    RUN,
    config,
    row_page,
)
from tests.remote.wire import Wire, refusal


def test_a_config_that_reads_back_late_is_waited_for() -> None:
    wire = Wire()
    wire.on(documents.UPDATE_CONFIG, {})
    wire.on(documents.RUN_CONFIG, config(None), config({"lr": 0.1, "n": 2.0}))

    wire.labelbox().perform(SetConfig(RUN, {"lr": 0.1, "n": 2}), ids=IDS)

    assert wire.variables(documents.UPDATE_CONFIG) == [
        {"modelRunId": "r1", "data": {"config": {"lr": 0.1, "n": 2}}}
    ]


def test_a_remote_that_changes_the_keys_of_a_config_is_found_out() -> None:
    wire = Wire()
    wire.on(documents.UPDATE_CONFIG, {})
    wire.on(documents.RUN_CONFIG, config({"batchSize": 32, "lr": 1, "flag": 1}))

    with pytest.raises(RemoteError) as caught:
        wire.labelbox().perform(
            SetConfig(RUN, {"batch_size": 32, "lr": 1, "flag": True}), ids=IDS
        )

    assert caught.value.reason == (
        "the config of run/vision/r1 was set, but reads back with other keys or "
        "values: batchSize, batch_size, flag"
    )


def test_a_remote_that_makes_numbers_of_truth_values_is_found_out() -> None:
    wire = Wire()
    wire.on(documents.UPDATE_CONFIG, {})
    wire.on(documents.RUN_CONFIG, config({"flag": 1}))

    with pytest.raises(RemoteError, match="other keys or values: flag"):
        wire.labelbox().perform(SetConfig(RUN, {"flag": True}), ids=IDS)


def test_an_empty_config_is_a_reset() -> None:
    wire = Wire()
    wire.on(documents.RESET_CONFIG, {})
    wire.on(documents.RUN_CONFIG, config(None))

    wire.labelbox().perform(SetConfig(RUN, {}), ids=IDS)

    assert wire.count(documents.RESET_CONFIG) == 1


def status(root: str, value: str, reason: str | None = None) -> dict[str, Any]:
    return {root: {"status": value, "errorMessage": reason}}


ADDING = "MEADataRowRegistrationTaskStatus"
ASSIGNING = "assignDataRowsToDataSplitTaskStatus"


def test_adding_rows_waits_until_they_are_there() -> None:
    wire = Wire()
    wire.on(documents.ADD_ROWS, {"createMEAModelRunDataRowRegistrationTask": "t"})
    wire.on(
        documents.ADD_ROWS_STATUS,
        status(ADDING, "IN_PROGRESS"),
        status(ADDING, "IN_PROGRESS"),
        status(ADDING, "COMPLETE"),
    )

    wire.labelbox().perform(AddRows(RUN, BY_KEY, ("a", "b")), ids=IDS)

    assert wire.variables(documents.ADD_ROWS) == [
        {"modelRunId": "r1", "dataRowIds": None, "globalKeys": ["a", "b"]}
    ]
    assert wire.count(documents.ADD_ROWS_STATUS) == 3


def test_rows_may_be_added_by_id() -> None:
    wire = Wire()
    wire.on(documents.ADD_ROWS, {"createMEAModelRunDataRowRegistrationTask": "t"})
    wire.on(documents.ADD_ROWS_STATUS, status(ADDING, "COMPLETE"))

    wire.labelbox().perform(AddRows(RUN, RowIdentity.DATA_ROW_ID, ("1",)), ids=IDS)

    assert wire.variables(documents.ADD_ROWS) == [
        {"modelRunId": "r1", "dataRowIds": ["1"], "globalKeys": None}
    ]
    assert wire.clock.slept == []


def test_a_failed_task_is_told_word_for_word() -> None:
    wire = Wire()
    wire.on(documents.ADD_ROWS, {"createMEAModelRunDataRowRegistrationTask": "t"})
    wire.on(documents.ADD_ROWS_STATUS, status(ADDING, "FAILED", "No data row 'b'."))

    with pytest.raises(TaskFailed) as caught:
        wire.labelbox().perform(AddRows(RUN, BY_KEY, ("a", "b")), ids=IDS)

    assert caught.value.reason == "No data row 'b'."


def test_rows_that_are_too_many_for_a_request_are_halved() -> None:
    wire = Wire()

    def add(given: dict[str, Any]) -> dict[str, Any] | httpx.Response:
        if len(given["globalKeys"]) > 300:
            return httpx.Response(413, text="too large")
        return {"createMEAModelRunDataRowRegistrationTask": "t"}

    wire.on(documents.ADD_ROWS, add)
    wire.on(documents.ADD_ROWS_STATUS, status(ADDING, "COMPLETE"))
    names = tuple(f"k{n:04}" for n in range(1_000))

    wire.labelbox().perform(AddRows(RUN, BY_KEY, names), ids=IDS)

    sent = [given["globalKeys"] for given in wire.variables(documents.ADD_ROWS)]
    assert [len(keys) for keys in sent] == [1000, 500, 250, 250, 500, 250, 250]
    taken = [key for keys in sent if len(keys) == 250 for key in keys]
    assert taken == list(names)


def test_the_smallest_batch_is_not_halved() -> None:
    wire = Wire()
    wire.on(documents.ADD_ROWS, httpx.Response(413, text="too large"))

    with pytest.raises(Refused, match="413"):
        wire.labelbox().perform(AddRows(RUN, BY_KEY, ("a",) * 400), ids=IDS)

    sizes = [len(v["globalKeys"]) for v in wire.variables(documents.ADD_ROWS)]
    assert sizes == [400, 200, 100]


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(413),
        refusal("no", "PAYLOAD_TOO_LARGE"),
        refusal("Too many items", "MALFORMED_REQUEST"),
        refusal("the list exceeds 250 ids"),
        refusal("The maximum is 250"),
        refusal("over the limit of 250"),
    ],
)
def test_whatever_speaks_of_size_is_halved(answer: httpx.Response) -> None:
    wire = Wire()
    done = {"createMEAModelRunDataRowRegistrationTask": "t"}
    wire.on(documents.ADD_ROWS, answer, done)
    wire.on(documents.ADD_ROWS_STATUS, status(ADDING, "COMPLETE"))

    wire.labelbox().perform(AddRows(RUN, BY_KEY, ("a",) * 400), ids=IDS)

    sizes = [len(v["globalKeys"]) for v in wire.variables(documents.ADD_ROWS)]
    assert sizes == [400, 200, 200]


@pytest.mark.parametrize("code", ["MALFORMED_REQUEST", "BAD_USER_INPUT"])
def test_a_refusal_that_is_not_about_size_is_told_at_once(code: str) -> None:
    wire = Wire()
    wire.on(documents.ADD_ROWS, refusal("unknown id 'unlimited'", code))

    with pytest.raises(Refused, match="unknown id"):
        wire.labelbox().perform(AddRows(RUN, BY_KEY, ("a",) * 400), ids=IDS)

    assert wire.count(documents.ADD_ROWS) == 1


SPLITS = AssignSplits(RUN, BY_KEY, {Split.TRAINING: ("a", "b"), Split.TEST: ("c",)})


def test_several_splits_go_into_one_task() -> None:
    wire = Wire()
    wire.on(documents.ASSIGN_SPLITS, {"createAssignDataRowsToDataSplitTask": "t"})
    wire.on(documents.ASSIGN_SPLITS_STATUS, status(ASSIGNING, "COMPLETE"))

    wire.labelbox().perform(SPLITS, ids=IDS)

    (given,) = wire.variables(documents.ASSIGN_SPLITS)
    assert given["data"]["assignments"] == [
        {"split": "TRAINING", "dataRowIds": None, "globalKeys": ["a", "b"]},
        {"split": "TEST", "dataRowIds": None, "globalKeys": ["c"]},
    ]


def test_a_remote_that_takes_one_split_a_task_gets_one_from_then_on() -> None:
    wire = Wire()

    def assign(given: dict[str, Any]) -> dict[str, Any] | httpx.Response:
        if len(given["data"]["assignments"]) > 1:
            return refusal("one assignment, please")
        return {"createAssignDataRowsToDataSplitTask": "t"}

    wire.on(documents.ASSIGN_SPLITS, assign)
    wire.on(documents.ASSIGN_SPLITS_STATUS, status(ASSIGNING, "COMPLETE"))
    labelbox = wire.labelbox()

    labelbox.perform(SPLITS, ids=IDS)
    labelbox.perform(SPLITS, ids=IDS)

    given = wire.variables(documents.ASSIGN_SPLITS)
    assert [len(each["data"]["assignments"]) for each in given] == [2, 1, 1, 1, 1]


def test_splits_that_fail_one_by_one_too_are_told() -> None:
    wire = Wire()
    wire.on(documents.ASSIGN_SPLITS, {"createAssignDataRowsToDataSplitTask": "t"})
    wire.on(
        documents.ASSIGN_SPLITS_STATUS, status(ASSIGNING, "FAILED", "'a' is no member")
    )

    with pytest.raises(TaskFailed, match="'a' is no member"):
        wire.labelbox().perform(SPLITS, ids=IDS)


def test_rows_are_removed_by_id() -> None:
    wire = Wire()
    wire.on(documents.REMOVE_ROWS, {"deleteModelRunDataRows": None})

    wire.labelbox().perform(RemoveRows(RUN, (RemoteId("1"), RemoteId("2"))), ids=IDS)

    assert wire.variables(documents.REMOVE_ROWS) == [
        {"modelRunId": "r1", "dataRowIds": ["1", "2"]}
    ]


def test_rows_that_are_gone_already_are_removed() -> None:
    wire = Wire()
    wire.on(
        documents.REMOVE_ROWS,
        refusal("no row 1", "RESOURCE_NOT_FOUND"),
        {"deleteModelRunDataRows": True},
    )
    wire.on(documents.RUN_ROWS, row_page(("2", "b", "TEST"), ("3", "c", "TEST")))

    wire.labelbox().perform(RemoveRows(RUN, (RemoteId("1"), RemoteId("2"))), ids=IDS)

    given = wire.variables(documents.REMOVE_ROWS)
    assert [each["dataRowIds"] for each in given] == [["1", "2"], ["2"]]


def check(config_: dict[str, Any] | None, rows: str | None = None) -> CheckRun:
    return CheckRun(
        RUN, None if config_ is None else digest(config_), rows, BY_KEY, expected=1
    )


def test_a_run_as_planned_passes_its_check() -> None:
    wire = Wire()
    wire.on(documents.RUN_CONFIG, config({"lr": 1.0}))

    wire.labelbox().perform(check({"lr": 1}), ids=IDS)

    assert wire.clock.slept == []


def test_a_stale_read_is_not_believed_at_once() -> None:
    wire = Wire()
    wire.on(documents.RUN_CONFIG, config(None), config({"lr": 1}))

    wire.labelbox().perform(check({"lr": 1}), ids=IDS)


def test_a_run_that_changed_since_the_plan_is_stale() -> None:
    wire = Wire()
    wire.on(documents.RUN_CONFIG, config({"lr": 2}))
    wire.on(documents.RUN_ROWS, row_page(("1", "a", "TEST")))

    with pytest.raises(Stale, match="the config and the rows of run/vision/r1 changed"):
        wire.labelbox().perform(check({"lr": 1}, "sha256:other"), ids=IDS)


def test_a_config_that_cannot_be_compared_is_told_with_run_and_place() -> None:
    wire = Wire()
    wire.on(documents.RUN_CONFIG, config({"opt": {"seed": 2**53}}))

    with pytest.raises(
        Malformed, match=r"the config of run/vision/r1 can't be compared: opt\.seed: "
    ):
        wire.labelbox().perform(check({"lr": 1}), ids=IDS)


def test_a_run_that_is_gone_is_stale() -> None:
    wire = Wire()
    wire.on(documents.RUN_CONFIG, {"modelRun": None})

    with pytest.raises(Stale, match="no longer there"):
        wire.labelbox().perform(check({"lr": 1}), ids=IDS)

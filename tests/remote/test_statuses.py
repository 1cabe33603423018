"""How far training has come: read, and said."""

from typing import Any

import pytest

from reconciler.api import documents
from reconciler.plan.steps import SetStatus
from reconciler.ports import Malformed, NotFound, RemoteError
from reconciler.state.address import RemoteId
from reconciler.state.canonical import JsonObject
from reconciler.state.resources import RunStatus, Status
from tests.remote.said import BAD_GATEWAY, IDS, RUN
from tests.remote.wire import Answer, Wire

NOTHING: JsonObject = {}


def pipeline(
    status: str | None, metadata: Any = None, error: str | None = None
) -> dict[str, Any]:
    told = {"status": status, "metadata": metadata, "errorMessage": error}
    return {"trainingPipeline": told}


def telling(*answers: Answer) -> Wire:
    wire = Wire()
    wire.on(documents.RUN_STATUS, *answers)
    wire.on(documents.SET_STATUS, {})
    return wire


def read(wire: Wire) -> RunStatus | None:
    return wire.labelbox().read_status(RemoteId("r1"))


def test_nobody_has_said_anything_of_a_new_run() -> None:
    assert read(telling(pipeline(None))) is None


def test_a_status_is_read_with_canonical_metadata() -> None:
    wire = telling(pipeline("FAILED", {"b": 1.0, "a": [2.5]}, "no memory"))

    assert read(wire) == RunStatus(Status.FAILED, {"a": [2.5], "b": 1}, "no memory")
    assert wire.requests[0].url.path == "/_gql"


def test_metadata_that_cannot_be_compared_is_left_out_and_said() -> None:
    wire = telling(pipeline("COMPLETE", {"seed": 2**60, "epoch": 3}))
    labelbox = wire.labelbox()

    found = labelbox.read_status(RemoteId("r1"))

    assert found == RunStatus(Status.COMPLETE, {"epoch": 3})
    (notice,) = labelbox.notices()
    assert notice.code == "status-metadata-left-out"
    assert "'seed' in the status of run r1" in notice.message


def test_an_unknown_status_is_malformed() -> None:
    with pytest.raises(Malformed, match="unknown status 'DREAMING'"):
        read(telling(pipeline("DREAMING")))


def test_the_status_of_no_run_is_not_found() -> None:
    with pytest.raises(NotFound, match="there is no run r1"):
        read(telling({"trainingPipeline": None}))


@pytest.mark.parametrize(
    ("status", "data"),
    [
        (RunStatus(Status.COMPLETE, {}), {"status": "COMPLETE"}),
        (
            RunStatus(Status.FAILED, {"k": 1}, "why"),
            {"status": "FAILED", "metadata": {"k": 1}, "errorMessage": "why"},
        ),
    ],
)
def test_only_what_is_declared_is_sent(status: RunStatus, data: JsonObject) -> None:
    wire = telling(pipeline(status.status.value, {"k": 1}, "why"))

    wire.labelbox().perform(SetStatus(RUN, status), ids=IDS)

    assert wire.variables(documents.SET_STATUS) == [{"modelRunId": "r1", "data": data}]


def test_a_status_in_doubt_is_said_again() -> None:
    wire = telling(pipeline("COMPLETE"))
    wire.on(documents.SET_STATUS, BAD_GATEWAY, {})

    wire.labelbox().perform(SetStatus(RUN, RunStatus(Status.COMPLETE, {})), ids=IDS)

    assert wire.count(documents.SET_STATUS) == 2


def test_a_status_that_shows_late_is_waited_for() -> None:
    wire = telling(pipeline(None), pipeline("TRAINING_MODEL"), pipeline("COMPLETE"))

    wire.labelbox().perform(SetStatus(RUN, RunStatus(Status.COMPLETE, {})), ids=IDS)

    assert wire.count(documents.RUN_STATUS) == 3


@pytest.mark.parametrize(
    ("found", "what"),
    [
        (pipeline(None), "status$"),
        (pipeline("FAILED", {"k": 1}, "why"), "status$"),
        (pipeline("COMPLETE", {"k": 2}, "why"), "metadata 'k'$"),
        (pipeline("COMPLETE", {}, "why"), "metadata 'k'$"),
        (pipeline("COMPLETE", {"k": 1, "more": 1}, "no"), "error message$"),
    ],
)
def test_a_status_that_reads_back_otherwise_is_told(
    found: dict[str, Any], what: str
) -> None:
    step = SetStatus(RUN, RunStatus(Status.COMPLETE, {"k": 1}, "why"))

    with pytest.raises(RemoteError, match=f"reads back with another {what}"):
        telling(found).labelbox().perform(step, ids=IDS)

"""Imports: sent once, found by name, and looked into."""

import json
from typing import Any

import httpx
import pytest

from reconciler.api import documents
from reconciler.ports import (
    InDoubt,
    LinesRefused,
    Malformed,
    NotFound,
    RateLimited,
    RemoteError,
    Unavailable,
)
from reconciler.remote.errors import Refused, TaskFailed
from reconciler.remote.session import Bounds
from reconciler.state.address import RemoteId, project_address
from reconciler.state.uploads import Family, LineRefusal
from tests.remote.said import BAD_GATEWAY, IDS, RUN
from tests.remote.wire import Answer, Wire, refusal, sent_files
from tests.support.sending import sending

PROJECT = project_address("digits")
KNOWN = {**IDS, PROJECT: RemoteId("p1")}
LINE = {"uuid": "u1", "dataRow": {"globalKey": "a"}, "name": "cat"}
ERRORS = "https://files.test/errors"
STATUSES = "https://files.test/statuses"

CREATE = documents.CREATE_PREDICTION_IMPORT
LOOK = documents.PREDICTION_IMPORT
REASON = documents.PREDICTION_IMPORT_REASON


def job(
    state: str,
    *,
    id_: str = "i1",
    errors: str | None = None,
    statuses: str | None = None,
) -> dict[str, Any]:
    ended = state == "FINISHED"
    return {
        "id": id_,
        "state": state,
        "statusFileUrl": statuses,
        "errorFileUrl": errors or (ERRORS if ended and not statuses else None),
    }


def created(state: str, **more: Any) -> Answer:
    return {CREATE.root: job(state, **more)}


def found(state: str, **more: Any) -> Answer:
    return {LOOK.root: job(state, **more)}


ABSENT = refusal("no such import", "RESOURCE_NOT_FOUND")
RUNNING, FINISHED, FAILED = found("RUNNING"), found("FINISHED"), found("FAILED")


def ready(create: Answer, *looks: Answer, errors: bytes = b"") -> Wire:
    wire = Wire(files={ERRORS: httpx.Response(200, content=errors)})
    wire.on(CREATE, create)
    wire.on(LOOK, *looks or (ABSENT,))
    return wire


def send(wire: Wire, *, may_exist: bool = False, bounds: Bounds | None = None) -> None:
    step = sending(RUN, Family.PREDICTIONS, LINE, may_exist=may_exist)
    wire.labelbox(bounds).perform(step, ids=KNOWN)


def test_a_chunk_goes_as_one_file_in_one_request() -> None:
    wire = ready(created("FINISHED"))

    send(wire)

    (file,) = sent_files(wire)
    assert file == json.dumps(LINE).encode() + b"\n"
    (given,) = wire.variables(CREATE)
    job_name = sending(RUN, Family.PREDICTIONS, LINE).job
    assert given == {
        "file": None,
        "contentLength": len(file),
        "parent": "r1",
        "name": job_name,
    }
    body = wire.requests[0].content
    assert b'name="map"\r\n\r\n{"1": ["variables.file"]}' in body
    assert f'filename="r1__{job_name}.ndjson"'.encode() in body
    assert b"Content-Type: application/x-ndjson" in body
    assert wire.count(LOOK) == 0


def test_labels_go_to_the_project() -> None:
    wire = Wire(files={ERRORS: httpx.Response(200)})
    create = documents.CREATE_LABEL_IMPORT
    wire.on(create, {create.root: job("FINISHED")})

    wire.labelbox().perform(sending(PROJECT, Family.LABELS, LINE), ids=KNOWN)

    assert [given["parent"] for given in wire.variables(create)] == ["p1"]


def test_metrics_go_the_way_of_predictions() -> None:
    wire = ready(created("FINISHED"))

    wire.labelbox().perform(sending(RUN, Family.METRICS, LINE), ids=KNOWN)

    assert wire.count(CREATE) == 1


def test_an_import_is_waited_for_by_its_name() -> None:
    wire = ready(created("RUNNING"), RUNNING, ABSENT, FINISHED)

    send(wire)

    name = sending(RUN, Family.PREDICTIONS, LINE).job
    assert wire.variables(LOOK) == [{"parent": "r1", "name": name}] * 3


def test_an_import_that_is_lost_after_it_was_started_is_not_found() -> None:
    wire = ready(created("RUNNING"), ABSENT)

    with pytest.raises(NotFound, match="can't be found"):
        send(wire)


def test_an_import_that_never_ends_is_in_doubt() -> None:
    wire = ready(created("RUNNING"), RUNNING)

    with pytest.raises(InDoubt, match="not over after 60 seconds"):
        send(wire, bounds=Bounds(task_timeout=60))


def test_the_reason_of_a_failed_import_is_told_word_for_word() -> None:
    wire = ready(created("FAILED"))
    wire.on(REASON, {REASON.root: {"errorMessage": "the file is empty"}})

    with pytest.raises(TaskFailed) as caught:
        send(wire)

    assert str(caught.value) == f"{CREATE.root}: the file is empty"


def test_a_remote_without_reasons_still_tells_that_an_import_failed() -> None:
    wire = ready(created("FAILED"))
    wire.on(REASON, refusal("Cannot query field", "GRAPHQL_VALIDATION_FAILED"))

    with pytest.raises(TaskFailed, match="the import failed without a reason"):
        send(wire)


@pytest.mark.parametrize("broken", [BAD_GATEWAY, httpx.ReadTimeout("slow")])
def test_an_import_in_doubt_is_looked_for_and_not_started_again(
    broken: Answer,
) -> None:
    wire = ready(broken, ABSENT, BAD_GATEWAY, ABSENT, FINISHED)

    send(wire)

    assert wire.count(CREATE) == 1


def test_an_import_that_never_shows_is_in_doubt() -> None:
    wire = ready(BAD_GATEWAY, ABSENT)

    with pytest.raises(InDoubt, match="may have been created, and could not be found"):
        send(wire)

    assert wire.count(CREATE) == 1


def test_too_many_requests_are_waited_out_and_the_same_file_is_sent() -> None:
    wire = ready(created("FINISHED"))
    wire.on(CREATE, httpx.Response(429), created("FINISHED"))

    send(wire)

    first, second = sent_files(wire)
    assert first == second != b""


def test_an_import_that_never_reached_the_remote_is_sent_again() -> None:
    wire = ready(created("FINISHED"))
    wire.on(CREATE, httpx.ConnectError("down"), created("FINISHED"))

    send(wire)

    assert wire.count(CREATE) == 2


def test_an_import_that_may_exist_is_looked_for_first() -> None:
    wire = ready(created("FINISHED"), RUNNING, FINISHED)

    send(wire, may_exist=True)

    assert wire.count(CREATE) == 0


def test_an_import_that_came_to_nothing_is_sent_anew() -> None:
    wire = ready(created("FINISHED", id_="i2"), FAILED)
    wire.on(REASON, {REASON.root: {"errorMessage": "disk full"}})

    send(wire, may_exist=True)

    assert wire.count(CREATE) == 1


def test_one_that_came_to_nothing_is_not_taken_for_one_in_doubt() -> None:
    wire = ready(BAD_GATEWAY, FAILED, FAILED, found("FINISHED", id_="i2"))
    wire.on(REASON, {REASON.root: {"errorMessage": "disk full"}})

    send(wire, may_exist=True)

    assert wire.count(CREATE) == 1
    assert wire.count(LOOK) == 3


def test_an_import_whose_files_are_kept_no_longer_is_sent_anew() -> None:
    gone = "https://files.test/gone"
    wire = ready(created("FINISHED"), found("FINISHED", errors=gone))
    wire.files[gone] = httpx.Response(404)

    send(wire, may_exist=True)

    assert wire.count(CREATE) == 1


def test_an_import_of_the_same_name_that_may_be_this_one_is_taken() -> None:
    wire = ready(refusal("taken", "RESOURCE_CONFLICT"), ABSENT, FINISHED)

    send(wire, may_exist=True)

    assert wire.count(LOOK) == 2


def test_an_import_of_the_same_name_that_somebody_else_started_is_not_believed() -> (
    None
):
    wire = ready(refusal("taken", "RESOURCE_CONFLICT"), FINISHED)

    with pytest.raises(TaskFailed, match="wasn't started by this apply") as caught:
        send(wire)

    assert caught.value.job_failed
    assert wire.count(LOOK) == 0


def test_a_name_that_is_taken_by_nothing_is_told_as_it_is() -> None:
    wire = ready(refusal("taken", "RESOURCE_CONFLICT"), ABSENT)

    with pytest.raises(Refused, match="taken"):
        send(wire, may_exist=True)


def test_a_refused_import_is_told_as_it_is() -> None:
    wire = ready(refusal("too many annotations"), ABSENT)

    with pytest.raises(Refused, match="too many annotations"):
        send(wire)


def status(uuid: str | None, row: Any, *errors: Any) -> bytes:
    line = {"uuid": uuid, "dataRow": row, "status": "FAILURE", "errors": errors}
    return json.dumps(line).encode() + b"\n"


def test_every_refused_line_is_told() -> None:
    errors = [
        status("u1", {"id": "1", "globalKey": "a"}, {"name": "N", "message": "bad"}),
        status(None, {"id": "2"}, {"message": "x"}, {"name": "Y"}),
        status("u3", None),
    ]
    wire = ready(created("FINISHED"), errors=b"".join(errors))

    with pytest.raises(LinesRefused) as caught:
        send(wire)

    assert caught.value.refusals == (
        LineRefusal("a", "u1", "bad"),
        LineRefusal("2", None, "x; Y"),
        LineRefusal(None, "u3", "no reason given"),
    )
    assert caught.value.of == 1
    assert "authorization" not in wire.requests[-1].headers


def test_statuses_do_where_there_is_no_file_of_errors() -> None:
    fine = json.dumps({"uuid": "u0", "dataRow": {"id": "1"}, "status": "SUCCESS"})
    wire = ready(created("FINISHED", statuses=STATUSES))
    content = fine.encode() + b"\n" + status("u1", {"id": "2"}, {"message": "bad"})
    wire.files[STATUSES] = httpx.Response(200, content=content)

    with pytest.raises(LinesRefused) as caught:
        send(wire)

    assert caught.value.refusals == (LineRefusal("2", "u1", "bad"),)


def test_an_import_that_says_nothing_of_its_lines_is_not_believed() -> None:
    silent = {CREATE.root: {**job("FINISHED"), "errorFileUrl": None}}

    with pytest.raises(Malformed, match="says nothing of its lines"):
        send(ready(silent))


def test_a_file_of_errors_that_is_none_is_malformed() -> None:
    with pytest.raises(Malformed):
        send(ready(created("FINISHED"), errors=b"<html>"))


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (httpx.Response(403), Refused),
        (httpx.Response(502), Unavailable),
        (httpx.Response(429), RateLimited),
    ],
)
def test_a_file_of_errors_that_cannot_be_fetched_is_an_error(
    response: httpx.Response, kind: type[RemoteError]
) -> None:
    wire = ready(created("FINISHED"))
    wire.files[ERRORS] = response

    with pytest.raises(kind):
        send(wire)

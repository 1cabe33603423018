"""Rows of a run: whole, or an error."""

import json
from typing import Any

import httpx
import pytest

from reconciler.api import documents
from reconciler.ports import (
    Incomplete,
    Malformed,
    RemoteError,
    Unauthorized,
)
from reconciler.remote.errors import TaskFailed
from reconciler.remote.session import Bounds
from reconciler.rows.change import CurrentRow
from reconciler.state.address import (
    RemoteId,
)
from reconciler.state.resources import (
    Split,
)
from tests.remote.exported import exporting
from tests.remote.said import (
    row_page,
    task,
)
from tests.remote.wire import Wire, refusal


def rows_of(
    wire: Wire, expected: int = 0, bounds: Bounds | None = None
) -> set[CurrentRow]:
    return set(wire.labelbox(bounds).read_rows(RemoteId("r1"), expected=expected))


def test_few_rows_are_read_by_pages_until_there_is_no_cursor() -> None:
    wire = Wire()
    wire.on(
        documents.RUN_ROWS,
        row_page(("1", "a", "TRAINING"), ("2", None, None), cursor="2"),
        row_page(("3", "c", "TEST")),
    )

    assert rows_of(wire) == {
        CurrentRow("1", "a", Split.TRAINING),
        CurrentRow("2", None, Split.UNASSIGNED),
        CurrentRow("3", "c", Split.TEST),
    }
    assert wire.variables(documents.RUN_ROWS) == [
        {"modelRunId": "r1", "from": None, "first": 5000},
        {"modelRunId": "r1", "from": "2", "first": 5000},
    ]


def test_pages_end_with_an_empty_one_too() -> None:
    wire = Wire()
    wire.on(
        documents.RUN_ROWS,
        row_page(("1", "a", "TEST"), cursor="1"),
        row_page(cursor="1"),
    )

    assert len(rows_of(wire)) == 1


def test_a_row_that_comes_on_two_pages_makes_a_read_incomplete() -> None:
    wire = Wire()
    wire.on(
        documents.RUN_ROWS,
        row_page(("1", "a", "TEST"), cursor="1"),
        row_page(("1", "a", "TEST")),
    )

    with pytest.raises(Incomplete, match="shifted while they were read"):
        rows_of(wire)


def test_a_cursor_that_stands_still_makes_a_read_incomplete() -> None:
    wire = Wire()
    wire.on(documents.RUN_ROWS, row_page(("1", "a", "TEST"), cursor="1"))

    with pytest.raises(Incomplete, match="again and again"):
        rows_of(wire)


def test_a_remote_that_refuses_large_pages_is_asked_for_small_ones_from_then_on() -> (
    None
):
    wire = Wire()

    def pages(given: dict[str, Any]) -> dict[str, Any] | httpx.Response:
        return refusal("first is at most 100") if given["first"] > 100 else row_page()

    wire.on(documents.RUN_ROWS, pages)
    labelbox = wire.labelbox()

    labelbox.read_rows(RemoteId("r1"), expected=0)
    labelbox.read_rows(RemoteId("r1"), expected=0)

    sizes = [given["first"] for given in wire.variables(documents.RUN_ROWS)]
    assert sizes == [5000, 1000, 100, 100]


def test_an_unknown_split_is_malformed() -> None:
    wire = Wire()
    wire.on(documents.RUN_ROWS, row_page(("1", "a", "HOLDOUT")))

    with pytest.raises(Malformed, match="unknown split 'HOLDOUT'"):
        rows_of(wire)


def line(row: str, key: str | None, **details: Any) -> bytes:
    run = {"name": "r", **details}
    data = {"id": row} | ({} if key is None else {"global_key": key})
    told = {"data_row": data, "experiments": {"m1": {"runs": {"r1": run}}}}
    return json.dumps(told).encode() + b"\n"


def test_many_rows_are_read_by_an_export_whose_pieces_cut_through_lines() -> None:
    text = (
        line("1", "ä", data_split="TRAINING")
        + line("2", None, split="validation")
        + line("3", "c", data_split=None)
    )
    wire = Wire()
    exporting(wire, text[:50], text[50:260], text[260:])

    assert rows_of(wire, expected=50_000) == {
        CurrentRow("1", "ä", Split.TRAINING),
        CurrentRow("2", None, Split.VALIDATION),
        CurrentRow("3", "c", Split.UNASSIGNED),
    }
    (given,) = wire.variables(documents.EXPORT_RUN)
    assert given["input"]["filters"] == {"modelRunId": "r1"}
    assert given["input"]["params"]["includeModelRunDetails"] is True
    assert wire.count(documents.RUN_ROWS) == 0


def test_an_export_without_a_stream_has_no_rows() -> None:
    wire = Wire()
    exporting(wire)

    assert rows_of(wire, expected=50_000) == set()


def test_a_last_line_needs_no_newline() -> None:
    wire = Wire()
    exporting(wire, line("1", "a", split="TEST").rstrip(), lines=1)

    assert len(rows_of(wire, expected=50_000)) == 1


def test_an_export_with_too_few_lines_is_incomplete() -> None:
    wire = Wire()
    exporting(wire, line("1", "a", split="TEST"), lines=2)

    with pytest.raises(Incomplete, match="has 1 lines, and says that it has 2"):
        rows_of(wire, expected=50_000)


def test_an_export_that_ends_early_is_incomplete() -> None:
    wire = Wire()
    exporting(wire, line("1", "a", split="TEST"), size=10_000)

    with pytest.raises(Incomplete, match="before its end"):
        rows_of(wire, expected=50_000)


def test_a_piece_that_is_shorter_than_it_says_is_incomplete() -> None:
    wire = Wire()
    text = line("1", "a", split="TEST")
    exporting(wire, text)
    wire.files["https://f.test/0"] = httpx.Response(200, content=text[:-5])

    with pytest.raises(Incomplete, match="a piece of the export at 0"):
        rows_of(wire, expected=50_000)


def test_a_row_that_is_exported_twice_makes_a_read_incomplete() -> None:
    wire = Wire()
    exporting(wire, line("1", "a", split="TEST") * 2)

    with pytest.raises(Incomplete, match="shifted"):
        rows_of(wire, expected=50_000)


def test_an_export_with_errors_beside_it_is_incomplete() -> None:
    wire = Wire()
    exporting(wire, line("1", "a", split="TEST"))
    header = {"totalSize": 10, "totalLines": 4}
    wire.on(documents.EXPORT_HEADER, {"task": {"exportMetadataHeader": header}})

    with pytest.raises(Incomplete, match="left out 4 rows"):
        rows_of(wire, expected=50_000)


def test_a_line_of_another_shape_is_malformed() -> None:
    wire = Wire()
    exporting(wire, b'{"data_row": 7}\n')

    with pytest.raises(Malformed, match="a line of the file"):
        rows_of(wire, expected=50_000)


def test_a_failed_export_is_told_word_for_word() -> None:
    wire = Wire()
    exporting(wire)
    wire.on(documents.TASK, task("FAILED", "Export limit reached."))

    with pytest.raises(TaskFailed, match="Export limit reached"):
        rows_of(wire, expected=50_000)


def test_a_task_that_is_listed_late_is_waited_for() -> None:
    wire = Wire()
    exporting(wire)
    wire.on(documents.TASK, {"user": {"createdTasks": []}}, task("COMPLETE"))

    assert rows_of(wire, expected=50_000) == set()


def test_a_task_that_is_never_listed_is_lost() -> None:
    wire = Wire()
    exporting(wire)
    wire.on(documents.TASK, {"user": {"createdTasks": []}})

    with pytest.raises(RemoteError, match="task t1 is not listed"):
        rows_of(wire, expected=50_000)


def test_exports_that_do_not_tell_splits_are_left_alone_from_then_on() -> None:
    wire = Wire()
    exporting(wire, line("1", "a"))
    wire.on(documents.RUN_ROWS, row_page(("1", "a", "TEST")))
    labelbox = wire.labelbox()

    for _ in range(2):
        rows = labelbox.read_rows(RemoteId("r1"), expected=50_000)
        assert list(rows) == [CurrentRow("1", "a", Split.TEST)]

    assert wire.count(documents.EXPORT_RUN) == 1
    assert [notice.code for notice in labelbox.notices()] == ["export-without-splits"]


@pytest.mark.parametrize("code", ["AUTHORIZATION_ERROR", "OPERATION_NOT_ALLOWED"])
def test_a_key_that_may_not_export_reads_pages_and_says_so(code: str) -> None:
    wire = Wire()
    wire.on(documents.EXPORT_RUN, refusal("viewers may not export", code))
    wire.on(documents.RUN_ROWS, row_page(("1", "a", "TEST")))
    labelbox = wire.labelbox()

    for _ in range(2):
        assert len(labelbox.read_rows(RemoteId("r1"), expected=50_000)) == 1

    assert wire.count(documents.EXPORT_RUN) == 1
    (notice,) = labelbox.notices()
    assert notice.code == "exports-refused"
    assert "viewers may not export" in notice.message


def test_a_wrong_key_is_not_taken_for_a_small_one() -> None:
    wire = Wire()
    wrong = refusal("who?", "AUTHENTICATION_ERROR")
    wire.on(documents.EXPORT_RUN, wrong)
    wire.on(documents.RUN_ROWS, wrong)

    with pytest.raises(Unauthorized):
        rows_of(wire, expected=50_000)


def test_a_run_with_far_more_rows_than_expected_is_read_by_an_export() -> None:
    wire = Wire()
    exporting(wire, b"".join(line(str(n), None, split="TEST") for n in range(9)))
    wire.on(
        documents.RUN_ROWS,
        row_page(("0", None, "TEST"), ("1", None, "TEST"), cursor="1"),
        row_page(("2", None, "TEST"), ("3", None, "TEST"), cursor="3"),
        row_page(("4", None, "TEST"), cursor="4"),
    )

    assert len(rows_of(wire, expected=1, bounds=Bounds(export_above=2))) == 9
    assert wire.count(documents.RUN_ROWS) == 3

"""The clauses of an export's search, understood or refused."""

from typing import Any

import pytest

from reconciler.server.errors import ApiError
from reconciler.server.exporting.search import (
    During,
    Moment,
    Named,
    Naming,
    Standing,
    Workflow,
    read_clauses,
)


def moments(operator: str, value: object, timezone: str | None = "UTC") -> Any:
    clause = {
        "type": "labeled_at",
        "value": {"operator": operator, "timezone": timezone, "value": value},
    }
    (found,) = read_clauses([clause])
    assert isinstance(found, During)
    assert found.moment is Moment.LABELED
    return found.first, found.last


def test_rows_are_named_by_what_they_belong_to() -> None:
    query = [
        {"type": "batch", "operator": "is", "ids": ["b"]},
        {"type": "global_key", "ids": ["k"]},
    ]

    assert read_clauses(query) == [
        Named(Naming.BATCH, ["b"]),
        Named(Naming.GLOBAL_KEY, ["k"]),
    ]


@pytest.mark.parametrize(
    ("clause", "workflow"),
    [
        ({"type": "task_queue_not_exist"}, Workflow.TO_LABEL),
        ({"type": "task_queue_status", "status": "InReview"}, Workflow.IN_REVIEW),
        ({"type": "task_queue_status", "status": "InRework"}, Workflow.IN_REWORK),
        ({"type": "task_queue_status", "status": "Done"}, Workflow.DONE),
    ],
)
def test_rows_stand_somewhere_in_the_workflow(
    clause: dict[str, str], workflow: Workflow
) -> None:
    assert read_clauses([clause]) == [Standing(workflow)]


def test_a_bound_is_a_day_a_time_or_a_time_with_its_offset() -> None:
    between = {"min": "2030-01-31", "max": "2030-01-31 23:59:59"}

    assert moments("BETWEEN", between) == (
        "2030-01-31T00:00:00.000Z",
        "2030-01-31T23:59:59.000Z",
    )
    assert moments("GREATER_THAN_OR_EQUAL", "2030-01-31T12:00:00+0530") == (
        "2030-01-31T06:30:00.000Z",
        None,
    )
    assert moments("LESS_THAN_OR_EQUAL", "2030-01-31") == (
        None,
        "2030-01-31T00:00:00.000Z",
    )


def test_a_bound_is_meant_in_the_time_zone_of_its_clause() -> None:
    at_noon = "2030-07-31 12:00:00"

    assert moments("GREATER_THAN_OR_EQUAL", at_noon, "Europe/Berlin") == (
        "2030-07-31T10:00:00.000Z",
        None,
    )
    assert moments("GREATER_THAN_OR_EQUAL", at_noon, None) == (
        "2030-07-31T12:00:00.000Z",
        None,
    )


@pytest.mark.parametrize(
    ("clause", "reason"),
    [
        ({"type": "colour", "ids": ["red"]}, "can't search by 'colour' is"),
        (
            {"type": "dataset", "operator": "is_not", "ids": ["d"]},
            "can't search by 'dataset' is_not",
        ),
        (
            {"type": "task_queue_status", "status": "Lost"},
            "the status 'Lost' is unknown; use one of ToLabel, InReview",
        ),
        ({"type": "labeled_at"}, "labeled_at needs a value with an operator"),
        (
            {"type": "labeled_at", "value": {"operator": "AROUND", "value": "x"}},
            "labeled_at needs a value with an operator",
        ),
        (
            {
                "type": "labeled_at",
                "value": {"operator": "LESS_THAN_OR_EQUAL", "value": "soon"},
            },
            "labeled_at: 'soon' is no moment such as 2030-01-31",
        ),
        (
            {
                "type": "labeled_at",
                "value": {
                    "operator": "LESS_THAN_OR_EQUAL",
                    "value": "2030-01-31",
                    "timezone": "../etc/passwd",
                },
            },
            "the time zone '../etc/passwd' is unknown here",
        ),
    ],
)
def test_what_is_not_understood_is_refused(clause: dict[str, Any], reason: str) -> None:
    with pytest.raises(ApiError) as refused:
        read_clauses([clause])

    assert refused.value.message.startswith(reason)

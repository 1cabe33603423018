"""The clauses of an export's search become what is looked for.

Moments come as texts with or without a time zone; without one they are meant in
the zone that the clause names. A moment without a time of day is its midnight.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from enum import StrEnum
from typing import Any, Final, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from reconciler.server.errors import bad_input
from reconciler.server.store.database import moment


class Naming(StrEnum):
    """What a clause names rows by, in the API's words."""

    DATASET = "dataset"
    DATA_ROW_ID = "data_row_id"
    GLOBAL_KEY = "global_key"
    BATCH = "batch"


class Moment(StrEnum):
    """Which moment of a row a clause is about, in the API's words."""

    LABELED = "labeled_at"
    ACTIVE = "data_row_last_activity_at"


class Workflow(StrEnum):
    """How far a row has come in its project, as exports say it."""

    TO_LABEL = "TO_LABEL"
    IN_REVIEW = "IN_REVIEW"
    IN_REWORK = "IN_REWORK"
    DONE = "DONE"


@dataclass(frozen=True, slots=True)
class Named:
    """Rows that are named, or belong to what is named."""

    naming: Naming
    names: Sequence[str]


@dataclass(frozen=True, slots=True)
class During:
    """Rows with a moment between two others, both included; None is no bound."""

    moment: Moment
    first: str | None
    last: str | None


@dataclass(frozen=True, slots=True)
class Standing:
    """Rows that have come so far in a project."""

    workflow: Workflow


Clause: TypeAlias = Named | During | Standing
"""What must hold of a row."""

_STATUSES: Final = {
    "ToLabel": Workflow.TO_LABEL,
    "InReview": Workflow.IN_REVIEW,
    "InRework": Workflow.IN_REWORK,
    "Done": Workflow.DONE,
}

KNOWN: Final = (*Naming, *Moment, "task_queue_status", "task_queue_not_exist")
"""The types of clauses."""


def read_clauses(query: Iterable[Mapping[str, Any]]) -> list[Clause]:
    """Understand the clauses of a search, all of which must hold.

    Raises:
        ApiError: Naming what isn't understood, and what would be.
    """
    return [_clause(one) for one in query]


def _clause(clause: Mapping[str, Any]) -> Clause:
    kind, operator = clause["type"], clause.get("operator") or "is"
    if kind in set(Naming) and operator == "is":
        return Named(Naming(kind), clause.get("ids") or ())
    if kind in set(Moment):
        return _during(Moment(kind), clause.get("value"))
    if kind == "task_queue_not_exist":
        return Standing(Workflow.TO_LABEL)
    if kind == "task_queue_status":
        status = clause.get("status")
        if status not in _STATUSES:
            known = ", ".join(_STATUSES)
            raise bad_input(f"the status '{status}' is unknown; use one of {known}")
        return Standing(_STATUSES[status])
    raise bad_input(
        f"can't search by '{kind}' {operator}; "
        f"use one of {', '.join(KNOWN)}, the operator being 'is'"
    )


def _during(kind: Moment, value: object) -> During:
    first = last = zone = None
    match value:
        case {"operator": "BETWEEN", "value": {"min": first, "max": last}, **rest}:
            zone = _zone(rest.get("timezone"))
        case {"operator": "GREATER_THAN_OR_EQUAL", "value": first, **rest}:
            zone = _zone(rest.get("timezone"))
        case {"operator": "LESS_THAN_OR_EQUAL", "value": last, **rest}:
            zone = _zone(rest.get("timezone"))
        case _:
            raise bad_input(
                f"{kind} needs a value with an operator: BETWEEN a min and a max, "
                "GREATER_THAN_OR_EQUAL, or LESS_THAN_OR_EQUAL"
            )
    return During(kind, _moment(kind, first, zone), _moment(kind, last, zone))


def _zone(name: object) -> tzinfo:
    if name is None or name == "UTC":
        return UTC
    try:
        return ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise bad_input(f"the time zone '{name}' is unknown here") from error


def _moment(kind: Moment, given: object, zone: tzinfo) -> str | None:
    if given is None:
        return None
    try:
        parsed = datetime.fromisoformat(str(given))
        aware = parsed if parsed.tzinfo else parsed.replace(tzinfo=zone)
        return moment(aware.timestamp())
    except (ValueError, OverflowError) as error:
        raise bad_input(
            f"{kind}: '{given}' is no moment such as 2030-01-31 or 2030-01-31 23:59:59"
        ) from error

"""Days and times as manifests write them: texts of ISO 8601."""

import re
from datetime import date
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from reconciler.rows.conditions import read_time

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def _day(text: str) -> str:
    try:
        date.fromisoformat(text if _DAY.fullmatch(text) else "")
    except ValueError:
        raise PydanticCustomError(
            "wrong-value", "is no day", {"advice": "write it as 2027-01-31"}
        ) from None
    return text


Day: TypeAlias = Annotated[
    str,
    AfterValidator(_day),
    Field(json_schema_extra={"pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}),
]
"""A day such as 2027-01-31, as text: `date.fromisoformat` reads it."""


def check_time(text: str, *, at: str) -> None:
    """Check that an inner field holds a day, or a time with a zone.

    Raises:
        PydanticCustomError: When it doesn't.
    """
    try:
        read_time(text)
    except ValueError:
        raise PydanticCustomError(
            "wrong-value",
            "is neither a number, nor a day, nor a time with a zone",
            {"at": at, "advice": "write it as 2027-01-31 or 2027-01-31T12:00:00Z"},
        ) from None


def check_range(least: float | str, most: float | str) -> None:
    """Check that the bounds `min` and `max` are of one kind, and in order.

    Raises:
        PydanticCustomError: When they aren't.
    """
    if isinstance(least, str) != isinstance(most, str):
        raise PydanticCustomError(
            "wrong-value",
            "is no bound like `min`: one is a number and one a time",
            {"at": "max", "advice": "give two numbers, or two times"},
        )
    if isinstance(least, str) and isinstance(most, str):
        is_empty = read_time(least) > read_time(most, last=True)
    else:
        is_empty = least > most  # type: ignore[operator]  # two numbers, by now
    if is_empty:
        raise PydanticCustomError(
            "wrong-value",
            "is less than `min`: nothing is between",
            {"at": "max", "advice": "exchange the two"},
        )

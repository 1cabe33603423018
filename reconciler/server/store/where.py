"""The API's filters and orders become SQL."""

import operator
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, literal

from reconciler.server.errors import bad_input
from reconciler.server.store.database import moment

_COMPARISONS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "": operator.eq,
    # What has no value is not that value either.
    "_not": lambda column, value: column.is_distinct_from(value),
    "_lt": operator.lt,
    "_lte": operator.le,
    "_gt": operator.gt,
    "_gte": operator.ge,
}
_FIELD = re.compile(r"(?P<name>.+?)(?P<suffix>_not|_lte?|_gte?)?")


def condition(
    where: Mapping[str, Any] | None, columns: Mapping[str, ColumnElement[Any]]
) -> ColumnElement[bool]:
    """Turn a filter into a condition; fields set to null don't count.

    Args:
        where: Fields with a suffix for the comparison, and `AND` for a list of
            further filters.
        columns: What the fields are called in the store.
    """
    terms: list[ColumnElement[bool]] = []
    for key, value in (where or {}).items():
        if value is None:
            continue
        if key == "AND":
            terms.extend(condition(part, columns) for part in value)
            continue
        match = _FIELD.fullmatch(key)
        assert match, "the schema has checked the names"
        compare = _COMPARISONS[match["suffix"] or ""]
        name = match["name"]
        terms.append(
            compare(columns[name], _moment(value) if name.endswith("At") else value)
        )
    return and_(literal(value=True), *terms)


def page(query: Select[Any], *, skip: int | None, first: int | None) -> Select[Any]:
    """Cut a page out of a list by position."""
    return query.offset(position(skip)).limit(length(first))


def position(skip: int | None) -> int:
    """Check where a page begins.

    Raises:
        ApiError: When that is before the first item.
    """
    if skip is not None and skip < 0:
        raise bad_input("skip must not be negative")
    return skip or 0


def length(first: int | None, default: int = 100) -> int:
    """Say how long a page is; whether that is too long was checked before."""
    return default if first is None else first


def cursor(text: str | None) -> int | None:
    """Read the cursor that an earlier page has ended with."""
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise bad_input(f"{text!r} is no cursor of an earlier page")
    return int(text)


def _moment(value: object) -> str:
    if not isinstance(value, str):
        raise bad_input(f"{value!r} is no moment")
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError as error:
        raise bad_input(f"{value!r} is no moment") from error
    if parsed.tzinfo is None:
        raise bad_input(f"{value!r} says no time zone")
    return moment(parsed.timestamp())

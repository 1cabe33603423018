"""Whether a data row meets what a selection asks of its key and metadata."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Final, TypeAlias

from reconciler.diagnostics import Diagnostic, InputError, Span
from reconciler.state.canonical import JsonValue, canonical_bytes, canonicalise
from reconciler.state.selection import Condition

Metadata: TypeAlias = Mapping[str, JsonValue]

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_WILD: Final = {"*": ".*", "?": "."}


def key_filter(
    pattern: str | None, span: Span
) -> Callable[[Sequence[str]], Sequence[bool]]:
    """Make a filter of global keys by a pattern; an absent key is given as nothing.

    `*` is any text and `?` any character. Patterns are matched by RE2, whose time
    grows with the length of a key, however many stars there are.

    Args:
        pattern: Of the whole key; None lets all pass.
        span: Where it is written; the filter raises an InputError there for a
            pattern that is beyond any key.
    """
    if pattern is None:
        return lambda keys: [True] * len(keys)
    import duckdb  # slow, and needed for patterns only

    from reconciler.rows import tables  # imports duckdb

    expression = "".join(
        _WILD.get(part[:1]) or re.escape(part)
        for part in re.split(r"(\*+|\?)", pattern)
        if part
    )

    def match(keys: Sequence[str]) -> Sequence[bool]:
        with tables.cursor() as cursor:
            try:
                cursor.execute(
                    "SELECT regexp_full_match(key, $1, 's') "
                    "FROM (SELECT unnest($2::VARCHAR[]) AS key)",
                    [expression, list(keys)],
                )
            except duckdb.Error as error:
                why = Diagnostic(
                    code="wrong-value",
                    message=f"`keys` is no usable pattern: {str(error).splitlines()[0]}",
                    span=span,
                    hint="no global key has more than 200 characters",
                )
                raise InputError([why]) from error
            return [bool(found) for (found,) in cursor.fetchall()]

    return match


def meets(condition: Condition) -> Callable[[Metadata], bool]:
    """Make a test of the metadata of a data row.

    Values are equal as canonical JSON is: 1 is 1.0, and neither is true. A range
    of numbers holds numbers only, and a range of times holds times only.
    """
    name = condition.field
    if condition.equals:
        wanted = set(map(identity, condition.equals))
        return lambda metadata: name in metadata and identity(metadata[name]) in wanted
    low, high = condition.minimum, condition.maximum
    of_times = isinstance(low, str) or isinstance(high, str)
    least = -math.inf if low is None else _bound(low, last=False)
    most = math.inf if high is None else _bound(high, last=True)

    def is_within(metadata: Metadata) -> bool:
        value = metadata.get(name)
        number = _seconds(value) if of_times else _number(value)
        return number is not None and least <= number <= most

    return is_within


def identity(value: JsonValue) -> bytes:
    """Write a value of metadata so that equals are written equally."""
    # A remote keeps numbers as doubles, whatever their digits.
    return canonical_bytes(canonicalise(float(value) if type(value) is int else value))


def _bound(bound: float | str, *, last: bool) -> float:
    if isinstance(bound, str):
        return read_time(bound, last=last).timestamp()
    return bound


def read_time(text: str, *, last: bool = False) -> datetime:
    """Read a day, or a time with a zone, of ISO 8601.

    A day is one of UTC, and belongs to a range with all of its hours.

    Args:
        text: As it is written.
        last: Whether a day is the end of a range rather than its beginning.

    Raises:
        ValueError: When it is neither.
    """
    if _DAY.fullmatch(text):
        day = date.fromisoformat(text)
        return datetime.combine(day, time.max if last else time.min, UTC)
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("the time has no zone")
    return moment


def _number(value: JsonValue) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    return None


def _seconds(value: JsonValue) -> float | None:
    if not isinstance(value, str):
        return None
    try:
        return read_time(value).timestamp()
    except ValueError:
        return None

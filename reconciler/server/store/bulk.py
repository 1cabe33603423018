"""Long lists of names as one parameter of a statement.

The one place that is SQLite's: a list travels as a JSON array and is unfolded
inside the database. Arrays are sorted, because walking an index in its own
order is five times as fast as jumping about in it.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Insert, Select, Table, TableValuedAlias, bindparam, func
from sqlalchemy.dialects.sqlite import insert


def as_list(values: Iterable[str]) -> tuple[str, int]:
    """Turn names into the parameter of `listed`, and count the distinct ones."""
    distinct = sorted(set(values))
    return msgspec.json.encode(distinct).decode(), len(distinct)


def listed(parameter: str) -> TableValuedAlias:
    """Unfold the list bound to *parameter* into rows with one column, `value`."""
    return func.json_each(bindparam(parameter)).table_valued("value").alias()


def insert_new(table: Table, columns: Sequence[str], rows: Select[Any]) -> Insert:
    """Insert the rows of a SELECT that aren't there yet.

    The SELECT needs a WHERE: without one SQLite reads ON CONFLICT as a join.
    """
    return insert(table).from_select(columns, rows).on_conflict_do_nothing()

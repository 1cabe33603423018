"""Long lists of names as one parameter of a statement.

The one place that is SQLite's: a list travels as a JSON array and is unfolded
inside the database. Arrays are sorted, because walking an index in its own
order is five times as fast as jumping about in it.
"""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, Final

import msgspec
from sqlalchemy import (
    Column,
    Connection,
    Insert,
    Select,
    Table,
    TableValuedAlias,
    bindparam,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.sqlite import insert

BATCH: Final = 10_000
"""How many rows are handed to the driver at once."""


def as_list(values: Iterable[str]) -> tuple[str, int]:
    """Turn names into the parameter of `listed`, and count the distinct ones."""
    # Sorted first: names often come so, and sorting these takes next to no time.
    distinct = list(dict.fromkeys(sorted(values)))
    text = msgspec.json.encode(distinct).decode()
    if "\\u0000" in text:
        # SQLite ends a text of an array at NUL, which makes it another name.
        # Nothing has a name with NUL, so that it is found nowhere, but counted.
        whole = [one for one in distinct if "\0" not in one]
        text = msgspec.json.encode(whole).decode()
    return text, len(distinct)


def as_numbers(pks: Iterable[int]) -> str:
    """Turn numbers into the parameter of `listed`, in their order."""
    return msgspec.json.encode(sorted(set(pks))).decode()


def listed(parameter: str) -> TableValuedAlias:
    """Unfold the list bound to *parameter* into rows with one column, `value`."""
    return func.json_each(bindparam(parameter)).table_valued("value").alias()


def given(text: str) -> Select[Any]:
    """Select the values of a list that is bound here and now."""
    return select(func.json_each(literal(text)).table_valued("value").alias().c.value)


def look_up(
    db: Connection, key: Column[Any], value: Column[Any], names: Iterable[str]
) -> dict[str, Any]:
    """Look up values by names; what isn't there is left out.

    Args:
        db: The transaction.
        key: What has the names, each once.
        value: A column of the same table.
        names: In any order.
    """
    wanted = listed("names")
    query = select(key, value).join(wanted, key == wanted.c.value)
    return dict(db.execute(query, {"names": as_list(names)[0]}).all())


def insert_new(table: Table, columns: Sequence[str], rows: Select[Any]) -> Insert:
    """Insert the rows of a SELECT that aren't there yet.

    The SELECT needs a WHERE: without one SQLite reads ON CONFLICT as a join.
    """
    return insert(table).from_select(columns, rows).on_conflict_do_nothing()


def put_all(
    db: Connection, table: Table, rows: Iterable[Sequence[str | int | None]]
) -> None:
    """Insert rows, each in place of one that has the same primary key.

    Whole batches go to the driver, which takes half the time of going through
    SQLAlchemy's parameters, and three quarters of a JSON array's.

    Args:
        db: The transaction.
        table: Where to.
        rows: Values in the order of the table's columns.
    """
    statement = insert(table)
    keys = set(table.primary_key)
    statement = statement.on_conflict_do_update(
        index_elements=table.primary_key,
        set_={
            column.name: statement.excluded[column.name]
            for column in table.columns
            if column not in keys
        },
    )
    text = str(statement.compile(dialect=db.dialect))
    left = iter(rows)
    while batch := list(islice(left, BATCH)):
        db.exec_driver_sql(text, batch)


def insert_all(
    db: Connection,
    columns: Sequence[Column[Any]],
    rows: Iterable[Sequence[str | int | None]],
) -> None:
    """Insert rows, their values in the order of the columns, which is the table's."""
    table = columns[0].table
    assert isinstance(table, Table)
    names = [one.name for one in columns]
    text = str(insert(table).compile(dialect=db.dialect, column_keys=names))
    left = iter(rows)
    while batch := list(islice(left, BATCH)):
        db.exec_driver_sql(text, batch)


def change_all(
    db: Connection,
    key: Column[Any],
    columns: Sequence[Column[Any]],
    rows: Iterable[Sequence[str | int | None]],
) -> None:
    """Set columns of rows that a key names.

    Args:
        db: The transaction.
        key: What names a row.
        columns: What is set.
        rows: The new values in the order of the columns, then the key.
    """
    statement = (
        update(key.table)
        .where(key == bindparam("the_key"))
        .ordered_values(*((one, bindparam(f"new_{one.name}")) for one in columns))
    )
    text = str(statement.compile(dialect=db.dialect))
    left = iter(rows)
    while batch := list(islice(left, BATCH)):
        db.exec_driver_sql(text, batch)

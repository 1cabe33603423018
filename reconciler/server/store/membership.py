"""Which data rows are in a run, and in which split.

A change of many rows is a handful of statements over a list of names. It
happens whole or, when a single name is unknown, not at all.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    delete,
    func,
    literal,
    select,
    update,
)

from reconciler.server.files import Urls
from reconciler.server.shapes import Cut, Shape
from reconciler.server.store import data_rows as row_store
from reconciler.server.store.bulk import as_list, insert_new, listed
from reconciler.server.store.ids import run_row_ids
from reconciler.server.store.tables import data_rows, run_rows
from reconciler.server.store.views import Made, View, compile_view
from reconciler.server.store.where import cursor, length

SPLITS: Final = ("TRAINING", "VALIDATION", "TEST", "UNASSIGNED")
"""A split's place in this order is what the store keeps."""

UNASSIGNED: Final = SPLITS.index("UNASSIGNED")

SHOWN: Final = 20
"""How many unknown names an error lists."""


@dataclass(frozen=True, slots=True)
class Naming:
    """Data rows by id, by global key, or some by either.

    Attributes:
        ids: Ids of data rows.
        keys: Global keys.
    """

    ids: Sequence[str]
    keys: Sequence[str]

    def columns(self) -> Iterator[tuple[ColumnElement[Any], str, str, int]]:
        """Give each way of naming: column, what to call it, names, how many."""
        if self.ids:
            yield (data_rows.c.id, "data row ids", *as_list(self.ids))
        if self.keys:
            yield (data_rows.c.global_key, "global keys", *as_list(self.keys))


def add_members(db: Connection, run_pk: int, rows: Naming) -> str | None:
    """Bring data rows into a run; those in it keep their split.

    Answers why nothing was added, or None.
    """
    if error := _unknown(db, rows):
        return error
    names = listed("names")
    for column, _, text, _ in rows.columns():
        members = (
            select(literal(run_pk), data_rows.c.pk, literal(UNASSIGNED))
            .join_from(names, data_rows, column == names.c.value)
            .where(literal(value=True))
        )
        statement = insert_new(run_rows, ["run_pk", "row_pk", "split"], members)
        db.execute(statement, {"names": text})
    return None


def assign_split(db: Connection, run_pk: int, rows: Naming, split: str) -> str | None:
    """Put members of a run into a split.

    Answers why nothing was assigned, or None.
    """
    if error := _unknown(db, rows) or _strangers(db, run_pk, rows):
        return error
    for column, _, text, _ in rows.columns():
        db.execute(
            update(run_rows)
            .where(run_rows.c.run_pk == run_pk, run_rows.c.row_pk.in_(_named(column)))
            .values(split=SPLITS.index(split)),
            {"names": text},
        )
    return None


def remove_members(db: Connection, run_pk: int, ids: Sequence[str]) -> None:
    """Take data rows out of a run; those that aren't in it don't matter."""
    db.execute(
        delete(run_rows).where(
            run_rows.c.run_pk == run_pk, run_rows.c.row_pk.in_(_named(data_rows.c.id))
        ),
        {"names": as_list(ids)[0]},
    )


def page_of_members(
    db: Connection,
    urls: Urls,
    shape: Shape,
    run: tuple[int, str],
    *,
    after: str | None,
    first: int | None,
) -> tuple[Cut, str | None]:
    """Read rows of a run in the order of creation, and the next page's cursor.

    Args:
        db: The transaction.
        urls: How files are named.
        shape: What is selected of a row.
        run: The run's number and id.
        after: The cursor of the page before.
        first: How many.
    """
    run_pk, run_id = run
    view: View = {
        "id": Made((data_rows.c.id,), run_row_ids(run_id)),
        "modelRunId": Made((), lambda: run_id),
        "labelId": Made((), lambda: None),
        "dataSplit": Made((run_rows.c.split,), SPLITS.__getitem__),
        "dataRow": row_store.view(db, urls),
    }
    columns, project = compile_view(view, shape)
    size = length(first)
    query = (
        row_store.joined(
            select(*columns, run_rows.c.row_pk)
            .select_from(run_rows)
            .join(data_rows, run_rows.c.row_pk == data_rows.c.pk),
            shape.inside("dataRow"),
        )
        .where(run_rows.c.run_pk == run_pk, run_rows.c.row_pk > (cursor(after) or 0))
        .order_by(run_rows.c.row_pk)
        .limit(size + 1)
    )
    rows = db.execute(query).all()
    end = str(rows[size - 1][-1]) if len(rows) > size > 0 else None
    return Cut([project(row) for row in rows[:size]]), end


def _named(column: ColumnElement[Any]) -> Select[Any]:
    names = listed("names")
    return select(data_rows.c.pk).join_from(names, data_rows, column == names.c.value)


def _unknown(db: Connection, rows: Naming) -> str | None:
    for column, kind, text, wanted in rows.columns():
        names = listed("names")
        known = select(func.count()).select_from(
            names.join(data_rows, column == names.c.value)
        )
        found = db.execute(known, {"names": text}).scalar_one()
        if found != wanted:
            absent = select(names.c.value).where(
                ~select(data_rows.c.pk).where(column == names.c.value).exists()
            )
            shown = db.execute(absent.limit(SHOWN), {"names": text}).scalars()
            return _complain(f"unknown {kind}", wanted - found, shown.all())
    return None


def _strangers(db: Connection, run_pk: int, rows: Naming) -> str | None:
    # EXISTS and not a join: joined, SQLite walks the run and searches the list
    # for each of its rows.
    member = (
        select(run_rows.c.row_pk)
        .where(run_rows.c.run_pk == run_pk, run_rows.c.row_pk == data_rows.c.pk)
        .correlate(data_rows)
        .exists()
    )
    for column, kind, text, wanted in rows.columns():
        names = listed("names")
        rows_named = names.join(data_rows, column == names.c.value)
        members = select(func.count()).select_from(rows_named).where(member)
        found = db.execute(members, {"names": text}).scalar_one()
        if found != wanted:
            absent = select(names.c.value).select_from(rows_named).where(~member)
            shown = db.execute(absent.limit(SHOWN), {"names": text}).scalars()
            return _complain(
                f"{kind} that are not in the model run", wanted - found, shown.all()
            )
    return None


def _complain(what: str, count: int, shown: Sequence[str]) -> str:
    more = f" and {count - len(shown)} more" if count > len(shown) else ""
    return f"{count} {what}: {', '.join(shown)}{more}"

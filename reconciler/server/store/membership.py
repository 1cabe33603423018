"""Which data rows are in a run, and in which split.

A change of many rows is a handful of statements over a list of names. When a
single name is unknown, it happens not at all, or for the others, as is chosen.
"""

from collections.abc import Callable, Sequence
from typing import Final, Literal, TypeAlias

from sqlalchemy import (
    ColumnElement,
    Connection,
    delete,
    func,
    literal,
    select,
    update,
)

from reconciler.server.files import Urls
from reconciler.server.shapes import Cut, Shape
from reconciler.server.store import data_rows as row_store
from reconciler.server.store.bulk import as_list, as_numbers, given, insert_new, listed
from reconciler.server.store.contents import forget_unused
from reconciler.server.store.ids import run_row_ids
from reconciler.server.store.metrics import forget_metrics
from reconciler.server.store.naming import Naming, numbers, strangers, unknown
from reconciler.server.store.predictions import forget_predictions
from reconciler.server.store.tables import data_rows, run_rows
from reconciler.server.store.views import Made, View, compile_view
from reconciler.server.store.where import cursor, length

SPLITS: Final = ("TRAINING", "VALIDATION", "TEST", "UNASSIGNED")
"""A split's place in this order is what the store keeps."""

UNASSIGNED: Final = SPLITS.index("UNASSIGNED")

Mode: TypeAlias = Literal["fail", "partial", "ignore"]
"""What a task does that names unknown data rows; see `ServerSettings`."""


def whole_or_part(
    db: Connection, act: Callable[[], str | None], mode: Mode
) -> str | None:
    """Do something that says which of its names it couldn't use.

    Args:
        db: The transaction.
        act: Does what it can, and says what it couldn't.
        mode: `fail` undoes all of it when there was anything; `ignore` finds
            nothing wrong with that.

    Answers what was wrong, or None.
    """
    with db.begin_nested() as savepoint:
        error = act()
        if error is not None and mode == "fail":
            savepoint.rollback()
    return None if mode == "ignore" else error


def add_members(db: Connection, run_pk: int, rows: Naming) -> str | None:
    """Bring data rows into a run; those in it keep their split.

    Answers which of them don't exist, or None.
    """
    names = listed("names")
    all_new = True
    for column, _, text, wanted in rows.columns():
        members = (
            select(literal(run_pk), data_rows.c.pk, literal(UNASSIGNED))
            .join_from(names, data_rows, column == names.c.value)
            .where(literal(value=True))
        )
        statement = insert_new(run_rows, ["run_pk", "row_pk", "split"], members)
        all_new &= db.execute(statement, {"names": text}).rowcount == wanted
    # As many rows as names: all of them exist, and nobody needs to look.
    return None if all_new else unknown(db, rows)


def too_many(db: Connection, run_pk: int, limit: int | None) -> str | None:
    """Say that a run has more rows than it may, or None."""
    if limit is None:
        return None
    # Nothing needs counting while the whole store has fewer rows.
    if (db.execute(select(func.max(data_rows.c.pk))).scalar() or 0) <= limit:
        return None
    query = select(func.count()).where(run_rows.c.run_pk == run_pk)
    found = db.execute(query).scalar_one()
    if found <= limit:
        return None
    return f"a model run holds at most {limit} data rows; this one would hold {found}"


def assign_split(db: Connection, run_pk: int, rows: Naming, split: str) -> str | None:
    """Put members of a run into a split.

    Answers which of them don't exist or aren't members, or None.
    """
    all_found = True
    for column, _, text, wanted in rows.columns():
        changed = db.execute(
            update(run_rows)
            .where(run_rows.c.run_pk == run_pk, run_rows.c.row_pk.in_(numbers(column)))
            .values(split=SPLITS.index(split)),
            {"names": text},
        )
        all_found &= changed.rowcount == wanted
    if all_found:
        return None
    return unknown(db, rows) or strangers(db, rows, in_run(run_pk), "the model run")


def remove_members(db: Connection, run_pk: int, ids: Sequence[str]) -> None:
    """Take data rows out of a run, with what it has of them.

    Those that aren't in it don't matter.
    """
    names = {"names": as_list(ids)[0]}
    found = db.execute(numbers(data_rows.c.id), names).scalars().all()
    rows = given(as_numbers(found))
    mine = (run_rows.c.run_pk == run_pk, run_rows.c.row_pk.in_(rows))
    query = select(run_rows.c.content_pk).where(
        *mine, run_rows.c.content_pk.is_not(None)
    )
    contents = db.execute(query).scalars().all()
    forget_predictions(db, run_pk, rows)
    forget_metrics(db, run_pk, rows)
    db.execute(delete(run_rows).where(*mine))
    forget_unused(db, contents)


def in_run(run_pk: int) -> ColumnElement[bool]:
    """Make the condition that a data row is in a run."""
    return (
        select(run_rows.c.row_pk)
        .where(run_rows.c.run_pk == run_pk, run_rows.c.row_pk == data_rows.c.pk)
        .correlate(data_rows)
        .exists()
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
        "labelId": run_rows.c.label_id,
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
    return Cut(project.page(rows[:size])), end

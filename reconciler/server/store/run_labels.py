"""Labels that a run has taken: as they are at that moment, whatever comes later.

A row of a run refers to the label by its id, which is only a name, and to what
it says. Contents never change, so a reference is a copy.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, func, literal, select
from sqlalchemy.dialects.sqlite import insert

from reconciler.server.store.bulk import as_list, given, listed
from reconciler.server.store.contents import forget_unused
from reconciler.server.store.membership import UNASSIGNED
from reconciler.server.store.naming import SHOWN, complain
from reconciler.server.store.tables import labels, run_rows


def take_labels(db: Connection, run_pk: int, identifiers: Sequence[str]) -> str | None:
    """Bring labels into a run by their ids, with their data rows.

    Of several for one data row a benchmark is taken, otherwise the one that
    changed last. Answers which of them don't exist, or None.
    """
    text, wanted = as_list(identifiers)
    names = listed("names")
    there = names.join(labels, labels.c.id == names.c.value)
    known = select(func.count()).select_from(there)
    found = db.execute(known, {"names": text}).scalar_one()
    chosen = select(labels).where(labels.c.id.in_(given(text)))
    _take(db, run_pk, chosen)
    if found == wanted:
        return None
    absent = select(names.c.value).where(
        ~select(labels.c.pk).where(labels.c.id == names.c.value).exists()
    )
    shown = db.execute(absent.limit(SHOWN), {"names": text}).scalars().all()
    return complain("unknown label ids", wanted - found, shown)


def take_project(db: Connection, run_pk: int, project_pk: int) -> None:
    """Bring the labels of a project into a run, with their data rows.

    A row's benchmark is taken, otherwise the label that changed last.
    """
    _take(db, run_pk, select(labels).where(labels.c.project_pk == project_pk))


def _take(db: Connection, run_pk: int, chosen: Select[Any]) -> None:
    one = chosen.subquery()
    rank = func.row_number().over(
        partition_by=one.c.row_pk,
        order_by=(one.c.benchmark.desc(), one.c.updated_at.desc(), one.c.pk.desc()),
    )
    ranked = select(one.c.row_pk, one.c.id, one.c.content_pk, rank.label("rank"))
    best = ranked.subquery()
    taken = select(best.c.row_pk, best.c.id, best.c.content_pk).where(best.c.rank == 1)
    before = taken.subquery()
    replaced = (
        select(run_rows.c.content_pk)
        .join_from(
            before,
            run_rows,
            (run_rows.c.run_pk == run_pk) & (run_rows.c.row_pk == before.c.row_pk),
        )
        .where(run_rows.c.content_pk != before.c.content_pk)
    )
    contents = db.execute(replaced).scalars().all()
    coming = taken.subquery()
    statement = insert(run_rows).from_select(
        ["run_pk", "row_pk", "split", "label_id", "content_pk"],
        select(
            literal(run_pk),
            coming.c.row_pk,
            literal(UNASSIGNED),
            coming.c.id,
            coming.c.content_pk,
        )
        .where(literal(value=True))
        # The order of the table that they go into.
        .order_by(coming.c.row_pk),
    )
    db.execute(
        statement.on_conflict_do_update(
            index_elements=[run_rows.c.run_pk, run_rows.c.row_pk],
            set_={
                "label_id": statement.excluded.label_id,
                "content_pk": statement.excluded.content_pk,
            },
        )
    )
    forget_unused(db, contents)

"""Data rows leave the store, and with them whatever is kept of them anywhere."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import (
    Connection,
    Select,
    Table,
    delete,
    func,
    literal,
    select,
    tuple_,
)

from reconciler.server.store.bulk import as_numbers, given
from reconciler.server.store.contents import forget_unused
from reconciler.server.store.tables import (
    data_rows,
    labels,
    metrics,
    model_runs,
    predictions,
    prelabels,
    project_rows,
    projects,
    run_rows,
)

LOOKUPS: Final = 1_000_000
"""So many places are looked up one by one; for more, tables are walked."""


def delete_selected(
    db: Connection, doomed: Select[Any], parameters: Mapping[str, Any]
) -> None:
    """Delete the data rows whose numbers a query selects, wherever they are.

    Args:
        db: The transaction.
        doomed: Selects `data_rows.pk`.
        parameters: What the query is bound to.
    """
    found = db.execute(doomed, parameters).scalars().all()
    rows = given(as_numbers(found))
    runs = _places(db, run_rows, model_runs, rows, len(found))
    taken = db.execute(
        select(run_rows.c.content_pk).where(
            tuple_(run_rows.c.run_pk, run_rows.c.row_pk).in_(runs),
            run_rows.c.content_pk.is_not(None),
        )
    )
    contents = set(taken.scalars())
    for table in (predictions, metrics, run_rows):
        db.execute(
            delete(table).where(tuple_(table.c.run_pk, table.c.row_pk).in_(runs))
        )
    inside = _places(db, project_rows, projects, rows, len(found))
    said = db.execute(
        select(labels.c.content_pk).where(
            tuple_(labels.c.project_pk, labels.c.row_pk).in_(inside)
        )
    )
    contents.update(said.scalars())
    for table in (labels, prelabels, project_rows):
        db.execute(
            delete(table).where(tuple_(table.c.project_pk, table.c.row_pk).in_(inside))
        )
    db.execute(delete(data_rows).where(data_rows.c.pk.in_(rows)))
    forget_unused(db, contents)


def _places(
    db: Connection, members: Table, owners: Table, rows: Select[Any], count: int
) -> Select[Any]:
    # No index leads from a data row to where it is. A few rows are looked up in
    # every run or project; for many, walking the members costs less.
    owner, row, *_ = members.columns
    number = db.execute(select(func.count()).select_from(owners)).scalar_one()
    if count * number > LOOKUPS:
        return select(owner, row).where(row.in_(rows))
    one = rows.subquery()
    return select(owners.c.pk, one.c.value).select_from(
        owners.join(one, literal(value=True))
    )

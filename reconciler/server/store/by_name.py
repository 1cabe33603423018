"""Lists that are searched by name and read page by page."""

from sqlalchemy import Connection, Table, select

from reconciler.server.shapes import Cut, Shape
from reconciler.server.store.views import View, compile_view
from reconciler.server.store.where import cursor, length


def page_by_name(
    db: Connection,
    table: Table,
    view: View,
    shape: Shape,
    *,
    search: str | None,
    after: str | None,
    first: int | None,
) -> tuple[Cut, str | None]:
    """Read a page, the newest first, and the next page's cursor.

    Args:
        db: The transaction.
        table: What is listed; it has a `pk` and a `name`.
        view: How its fields are read.
        shape: What is selected of them.
        search: A part of the name, in any case.
        after: The cursor of the page before.
        first: How many.
    """
    columns, project = compile_view(view, shape)
    size = length(first)
    query = select(*columns, table.c.pk).order_by(table.c.pk.desc())
    if search:
        query = query.where(table.c.name.icontains(search, autoescape=True))
    start = cursor(after)
    if start is not None:
        query = query.where(table.c.pk < start)
    rows = db.execute(query.limit(size + 1)).all()
    end = str(rows[size - 1][-1]) if len(rows) > size > 0 else None
    return Cut(project.page(rows[:size])), end

"""What labels say, kept once for all who refer to it.

Labels and the rows of runs share contents. Nothing ever changes them; they go
when the last reference to them is gone.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, select

from reconciler.server.store.bulk import as_numbers, listed, put_all
from reconciler.server.store.database import Store
from reconciler.server.store.tables import label_contents, labels, run_rows


def add_contents(
    db: Connection, store: Store, texts: Sequence[str], *, ontology_pk: int | None
) -> range:
    """Keep contents, and answer their numbers in the same order.

    Args:
        db: The transaction.
        store: The clock.
        texts: What labels say.
        ontology_pk: The ontology that they are made with.
    """
    last = db.execute(select(func.max(label_contents.c.pk))).scalar() or 0
    now = store.now()
    given = range(last + 1, last + 1 + len(texts))
    put_all(
        db,
        label_contents,
        ((pk, ontology_pk, text, now) for pk, text in zip(given, texts, strict=True)),
    )
    return given


def forget_unused(db: Connection, pks: Iterable[int]) -> None:
    """Delete those of these contents that nothing refers to any more."""
    numbers = listed("numbers")
    db.execute(
        delete(label_contents).where(
            label_contents.c.pk.in_(select(numbers.c.value)),
            ~_refers(labels.c.content_pk),
            ~_refers(run_rows.c.content_pk),
        ),
        {"numbers": as_numbers(pks)},
    )


def _refers(column: ColumnElement[Any]) -> ColumnElement[bool]:
    return select(1).where(column == label_contents.c.pk).exists()

"""Files and tasks that have served their purpose leave the store.

Exports are results to fetch, and uploads are read once: after a while only what
a data row, an attachment or an import still refers to is kept, and what a text
names that was brought in.
"""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from sqlalchemy import Column, Connection, delete, exists, select

from reconciler.server.store.bulk import as_list, listed
from reconciler.server.store.database import Store, moment
from reconciler.server.store.tables import (
    annotation_imports,
    attachments,
    data_rows,
    export_chunks,
    files,
    tasks,
)
from reconciler.server.store.tasks import PASSING, TaskState

DAY: Final = 86_400
"""How long a store isn't cleaned again, in seconds."""

_USED_BY: Final[Sequence[Column[int]]] = (
    data_rows.c.file_pk,
    attachments.c.file_pk,
    export_chunks.c.file_pk,
    annotation_imports.c.input_pk,
    annotation_imports.c.statuses_pk,
    annotation_imports.c.errors_pk,
)


def clean(store: Store, keep_seconds: float) -> None:
    """Remove old exports, unlisted tasks and files of no use, at most once a day.

    Args:
        store: The store; its files may be written meanwhile.
        keep_seconds: What is younger stays.
    """
    marker = store.files.root / "cleaned"
    if _is_young(marker):
        return
    with store.write() as db:
        _forget(db, moment(store.clock() - keep_seconds))
    store.files.sweep(time.time() - keep_seconds, lambda names: _known(store, names))
    store.files.root.mkdir(parents=True, exist_ok=True)
    marker.touch()


def _is_young(marker: Path) -> bool:
    try:
        return time.time() < marker.stat().st_mtime + DAY
    except FileNotFoundError:
        return False


def _forget(db: Connection, past: str) -> None:
    db.execute(
        delete(tasks).where(
            tasks.c.type.in_(PASSING),
            tasks.c.state != TaskState.IN_PROGRESS,
            tasks.c.updated_at < past,
        )
    )
    used = [exists().where(column == files.c.pk) for column in _USED_BY]
    old = files.c.created_at < past
    db.execute(delete(files).where(old, ~files.c.kept, *(~one for one in used)))


def _known(store: Store, names: Sequence[str]) -> set[str]:
    given = listed("names")
    query = select(files.c.sha256).join(given, files.c.sha256 == given.c.value)
    with store.read() as db:
        return set(db.execute(query, {"names": as_list(names)[0]}).scalars())

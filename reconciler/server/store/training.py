"""How far the training of a run has come, as whoever trains tells it."""

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import Connection, func, select, update

from reconciler.server.errors import not_found
from reconciler.server.store.database import Store
from reconciler.server.store.tables import model_runs


def read_pipeline(db: Connection, run_id: str) -> dict[str, Any]:
    """Read the status of a run; all of it is None until it is first told.

    Raises:
        ApiError: When there is no such run.
    """
    found = db.execute(
        select(
            model_runs.c.status,
            model_runs.c.status_error,
            model_runs.c.status_metadata,
        ).where(model_runs.c.id == run_id)
    ).first()
    if found is None:
        raise not_found("ModelRun", run_id)
    status, error, metadata = found
    known = None if metadata is None else msgspec.json.decode(metadata)
    return {"status": status, "errorMessage": error, "metadata": known}


def update_pipeline(
    db: Connection,
    store: Store,
    run_id: str,
    *,
    status: str,
    error: str | None,
    metadata: Mapping[str, Any] | None,
) -> None:
    """Tell the status of a run.

    An earlier error stays where none is given, and metadata is merged into what
    there is, key by key at its top level.

    Raises:
        ApiError: When there is no such run.
    """
    values: dict[str, Any] = {
        "status": status,
        "status_error": func.coalesce(error, model_runs.c.status_error),
        "updated_at": store.now(),
    }
    known = read_pipeline(db, run_id)["metadata"]
    if metadata is not None:
        merged = {**(known or {}), **metadata}
        values["status_metadata"] = msgspec.json.encode(merged).decode()
    db.execute(update(model_runs).where(model_runs.c.id == run_id).values(**values))

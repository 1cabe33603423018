"""How a store of any earlier version becomes one of this version.

Alembic is imported only when there is something to do: reading one row tells,
and importing it takes longer than opening the store.
"""

from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, text

from reconciler.server.errors import StoreError

HEAD: Final = "0002"
"""The revision that this version's tables are of."""


def revision(connection: Connection) -> str | None:
    """Read which revision a store is of; None for an empty database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def upgrade(connection: Connection) -> None:
    """Bring a store to `HEAD`, inside the transaction of *connection*.

    Raises:
        StoreError: When a later version of the tool has written the store.
    """
    from alembic import command  # 200 ms, and seldom needed
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, HEAD)
    except CommandError as error:
        msg = f"the store is of revision {revision(connection)}, this version knows {HEAD}"
        raise StoreError(msg) from error

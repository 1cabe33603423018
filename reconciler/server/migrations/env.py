"""Runs migrations on the connection that `upgrade` hands over."""

from alembic import context

from reconciler.server.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # The caller's transaction holds the database's write lock already.
    transactional_ddl=False,
)
context.run_migrations()

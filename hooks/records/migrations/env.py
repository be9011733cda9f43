"""What Alembic runs for ``hooks.records.database.migrate``: within the transaction of the connection it is given."""

from alembic import context

from hooks.records.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()

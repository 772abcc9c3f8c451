"""What Alembic runs: the migrations, on the connection that `freezer.ledger.migrate` gives."""

from alembic import context

from freezer.ledger.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()

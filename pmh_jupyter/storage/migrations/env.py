"""Runs migrations on the connection and in the transaction of `storage.revision`. Alembic executes this file."""

from alembic import context

from pmh_jupyter.storage import tables  # noqa: F401  (importing it fills Base.metadata)
from pmh_jupyter.storage.columns import Base
from pmh_jupyter.storage.revision import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    version_table=VERSION_TABLE,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()

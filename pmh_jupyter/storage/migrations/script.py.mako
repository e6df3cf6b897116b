"""${message}.

Never edit a migration that has landed: databases have run it already. Every change of a table is a new migration.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """There is no downgrade: restore the backup instead."""
    ${upgrades if upgrades else "pass"}

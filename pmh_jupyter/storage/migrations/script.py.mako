"""${message}.

A migration that has landed is never edited: the next change is a new one.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """Forward only: the way back is the backup."""
    ${upgrades if upgrades else "pass"}

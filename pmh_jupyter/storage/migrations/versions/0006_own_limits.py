"""The limits that a classroom sets for an assignment, in place of the lesson's."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Forward only: the way back is the backup."""
    op.add_column("assignments", sa.Column("own_limits", JSON, server_default="{}", nullable=False))

"""How each release is judged by a version of the grader, found out once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Forward only: the way back is the backup."""
    op.create_table(
        "judgings",
        sa.Column("release_id", sa.String(length=64), nullable=False),
        sa.Column("grader", sa.String(length=32), nullable=False),
        sa.Column("body", JSON, nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["release_id"], ["releases.id"], name=op.f("fk_judgings_release_id")),
        sa.PrimaryKeyConstraint("release_id", "grader", name=op.f("pk_judgings")),
    )

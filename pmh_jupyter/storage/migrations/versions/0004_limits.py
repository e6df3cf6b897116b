"""All limits of a lesson and what is imported before it; the seed and the grader of a grading."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Forward only: the way back is the backup."""
    for table in ("version_lessons", "assignments"):
        op.add_column(table, sa.Column("submission_seconds", sa.Double(), nullable=True))
        op.add_column(table, sa.Column("processes", sa.Integer(), nullable=True))
        op.add_column(table, sa.Column("output_bytes", sa.BigInteger(), nullable=True))
        op.add_column(table, sa.Column("file_bytes", sa.BigInteger(), nullable=True))
        op.add_column(table, sa.Column("preload", JSON, server_default="[]", nullable=False))
    op.add_column("jobs", sa.Column("seed", sa.BigInteger(), nullable=True))
    op.add_column("jobs", sa.Column("graded_by", sa.String(length=32), nullable=True))

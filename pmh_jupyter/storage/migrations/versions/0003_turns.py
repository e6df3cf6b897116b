"""Whose turn it is in the queue: jobs know their classroom and its turn; an attempt knows the regrade that replaced it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

CLASSROOMS = (
    "UPDATE jobs SET turn = 0, classroom_id = (SELECT assignments.classroom_id FROM submissions"
    " JOIN assignments ON assignments.id = submissions.assignment_id WHERE submissions.id = jobs.submission_id)"
)


def upgrade() -> None:
    """Forward only: the way back is the backup."""
    op.add_column("jobs", sa.Column("classroom_id", sa.Uuid(), nullable=True))
    op.add_column("jobs", sa.Column("turn", sa.Integer(), nullable=True))
    op.execute(CLASSROOMS)
    op.drop_index(op.f("ix_jobs_state_priority_created_at"), "jobs")
    with op.batch_alter_table("jobs") as jobs:
        jobs.alter_column("classroom_id", existing_type=sa.Uuid(), nullable=False)
        jobs.alter_column("turn", existing_type=sa.Integer(), nullable=False)
        jobs.create_foreign_key(op.f("fk_jobs_classroom_id"), "classrooms", ["classroom_id"], ["id"])
    op.create_index(
        op.f("ix_jobs_state_priority_turn_created_at_id"), "jobs", ["state", "priority", "turn", "created_at", "id"]
    )
    op.create_index(
        op.f("ix_jobs_state_priority_classroom_id_turn"), "jobs", ["state", "priority", "classroom_id", "turn"]
    )
    op.add_column("attempts", sa.Column("replaced_by", sa.Uuid(), nullable=True))

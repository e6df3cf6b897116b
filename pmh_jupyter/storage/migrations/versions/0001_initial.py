"""The first schema.

Never edit a migration that has landed: databases have run it already. Every change of a table is a new migration.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

UTC_TIME = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """There is no downgrade: restore the backup instead."""
    _create_people_and_courses()
    _create_releases()
    _create_course_versions()
    _create_classrooms()
    _create_assignments()
    _create_submissions()
    _create_jobs()
    _create_verdicts()
    _create_ledger()
    _create_events()
    for table in ("ledger", "events"):
        _make_append_only(table)


def _create_people_and_courses() -> None:
    """People, blobs and courses."""
    op.create_table(
        "people",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("created_at", UTC_TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_people")),
        sa.UniqueConstraint("name", name=op.f("uq_people_name")),
    )
    op.create_table(
        "blobs",
        sa.Column("namespace", sa.String(length=16), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("namespace", "sha256", name=op.f("pk_blobs")),
    )
    op.create_table(
        "courses",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(length=100), nullable=False),
        sa.Column("created_at", UTC_TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_courses")),
        sa.UniqueConstraint("slug", name=op.f("uq_courses_slug")),
    )
    op.create_table(
        "lessons",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(["course_id"], ["courses.id"], name=op.f("fk_lessons_course_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lessons")),
        sa.UniqueConstraint("course_id", "slug", name=op.f("uq_lessons_course_id_slug")),
    )


def _create_releases() -> None:
    """Release of lessons: files, exercises, and how their tests are isolated."""
    op.create_table(
        "releases",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("created_at", UTC_TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_releases")),
    )
    op.create_table(
        "release_files",
        sa.Column("release_id", sa.String(length=64), nullable=False),
        sa.Column("namespace", sa.String(length=16), nullable=False),
        sa.Column("path", sa.String(length=400), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.CheckConstraint("namespace IN ('student', 'sealed')", name=op.f("ck_release_files_namespace")),
        sa.ForeignKeyConstraint(["release_id"], ["releases.id"], name=op.f("fk_release_files_release_id")),
        sa.PrimaryKeyConstraint("release_id", "namespace", "path", name=op.f("pk_release_files")),
    )
    op.create_table(
        "exercises",
        sa.Column("release_id", sa.String(length=64), nullable=False),
        sa.Column("grade_id", sa.String(length=255), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("notebook", sa.String(length=400), nullable=False),
        sa.Column("max_millipoints", sa.Integer(), nullable=False),
        sa.Column("solution_cells", JSON, nullable=False),
        sa.Column("test_cells", JSON, nullable=False),
        sa.Column("is_manually_graded", sa.Boolean(), nullable=False),
        sa.Column("concepts", JSON, nullable=False),
        sa.Column("hints", JSON, nullable=False),
        sa.ForeignKeyConstraint(["release_id"], ["releases.id"], name=op.f("fk_exercises_release_id")),
        sa.PrimaryKeyConstraint("release_id", "grade_id", name=op.f("pk_exercises")),
    )
    op.create_table(
        "release_isolation",
        sa.Column("release_id", sa.String(length=64), nullable=False),
        sa.Column("grader_version", sa.String(length=32), nullable=False),
        sa.Column("body", JSON, nullable=False),
        sa.Column("determined_at", UTC_TIME, nullable=False),
        sa.ForeignKeyConstraint(["release_id"], ["releases.id"], name=op.f("fk_release_isolation_release_id")),
        sa.PrimaryKeyConstraint("release_id", "grader_version", name=op.f("pk_release_isolation")),
    )


def _create_course_versions() -> None:
    """Versions of a course, with the releases that they list."""
    op.create_table(
        "course_versions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("course_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("achievements", JSON, nullable=False),
        sa.Column("created_at", UTC_TIME, nullable=False),
        sa.ForeignKeyConstraint(["course_id"], ["courses.id"], name=op.f("fk_course_versions_course_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_course_versions")),
        sa.UniqueConstraint("course_id", "number", name=op.f("uq_course_versions_course_id_number")),
    )
    op.create_table(
        "version_lessons",
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("lesson_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("release_id", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("cell_seconds", sa.Double(), nullable=True),
        sa.Column("submission_seconds", sa.Double(), nullable=True),
        sa.Column("memory_bytes", sa.BigInteger(), nullable=True),
        sa.Column("processes", sa.Integer(), nullable=True),
        sa.Column("output_bytes", sa.BigInteger(), nullable=True),
        sa.Column("file_bytes", sa.BigInteger(), nullable=True),
        sa.Column("preload", JSON, server_default="[]", nullable=False),
        sa.ForeignKeyConstraint(["lesson_id"], ["lessons.id"], name=op.f("fk_version_lessons_lesson_id")),
        sa.ForeignKeyConstraint(["release_id"], ["releases.id"], name=op.f("fk_version_lessons_release_id")),
        sa.ForeignKeyConstraint(["version_id"], ["course_versions.id"], name=op.f("fk_version_lessons_version_id")),
        sa.PrimaryKeyConstraint("version_id", "lesson_id", name=op.f("pk_version_lessons")),
    )


def _create_classrooms() -> None:
    """Classrooms, their members and join codes."""
    op.create_table(
        "classrooms",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(length=100), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("time_zone", sa.String(length=100), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("last_event", sa.BigInteger(), nullable=False),
        sa.Column("created_at", UTC_TIME, nullable=False),
        sa.ForeignKeyConstraint(["version_id"], ["course_versions.id"], name=op.f("fk_classrooms_version_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_classrooms")),
        sa.UniqueConstraint("slug", name=op.f("uq_classrooms_slug")),
    )
    op.create_table(
        "members",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("classroom_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("joined_at", UTC_TIME, nullable=False),
        sa.CheckConstraint("role IN ('student', 'assistant', 'instructor', 'admin')", name=op.f("ck_members_role")),
        sa.ForeignKeyConstraint(["classroom_id"], ["classrooms.id"], name=op.f("fk_members_classroom_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_members_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_members")),
        sa.UniqueConstraint("classroom_id", "person_id", name=op.f("uq_members_classroom_id_person_id")),
    )
    op.create_index(op.f("ix_members_person_id"), "members", ["person_id"])
    op.create_table(
        "join_codes",
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("classroom_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("created_at", UTC_TIME, nullable=False),
        sa.CheckConstraint("role IN ('student', 'assistant', 'instructor', 'admin')", name=op.f("ck_join_codes_role")),
        sa.ForeignKeyConstraint(["classroom_id"], ["classrooms.id"], name=op.f("fk_join_codes_classroom_id")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_join_codes")),
    )


def _create_assignments() -> None:
    """The schedule of a classroom, and the releases that its members opened."""
    op.create_table(
        "assignments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("classroom_id", sa.Uuid(), nullable=False),
        sa.Column("lesson_id", sa.Uuid(), nullable=False),
        sa.Column("time_zone", sa.String(length=100), nullable=False),
        sa.Column("opens", sa.DateTime(), nullable=True),
        sa.Column("due", sa.DateTime(), nullable=True),
        sa.Column("closes", sa.DateTime(), nullable=True),
        sa.Column("max_submissions", sa.Integer(), nullable=True),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("cell_seconds", sa.Double(), nullable=True),
        sa.Column("submission_seconds", sa.Double(), nullable=True),
        sa.Column("memory_bytes", sa.BigInteger(), nullable=True),
        sa.Column("processes", sa.Integer(), nullable=True),
        sa.Column("output_bytes", sa.BigInteger(), nullable=True),
        sa.Column("file_bytes", sa.BigInteger(), nullable=True),
        sa.Column("preload", JSON, server_default="[]", nullable=False),
        sa.Column("limit_overrides", JSON, server_default="{}", nullable=False),
        sa.Column("check_tests", sa.String(length=16), nullable=False),
        sa.CheckConstraint("check_tests IN ('visible', 'all')", name=op.f("ck_assignments_check_tests")),
        sa.CheckConstraint("max_submissions > 0", name=op.f("ck_assignments_max_submissions")),
        sa.ForeignKeyConstraint(["classroom_id"], ["classrooms.id"], name=op.f("fk_assignments_classroom_id")),
        sa.ForeignKeyConstraint(["lesson_id"], ["lessons.id"], name=op.f("fk_assignments_lesson_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignments")),
        sa.UniqueConstraint("classroom_id", "lesson_id", name=op.f("uq_assignments_classroom_id_lesson_id")),
    )
    op.create_table(
        "opened_releases",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("assignment_id", sa.Uuid(), nullable=False),
        sa.Column("release_id", sa.String(length=64), nullable=False),
        sa.Column("opened_at", UTC_TIME, nullable=False),
        sa.ForeignKeyConstraint(["assignment_id"], ["assignments.id"], name=op.f("fk_opened_releases_assignment_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_opened_releases_person_id")),
        sa.ForeignKeyConstraint(["release_id"], ["releases.id"], name=op.f("fk_opened_releases_release_id")),
        sa.PrimaryKeyConstraint("person_id", "assignment_id", name=op.f("pk_opened_releases")),
    )


def _create_submissions() -> None:
    """Submissions and their files."""
    op.create_table(
        "submissions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("assignment_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("release_id", sa.String(length=64), nullable=False),
        sa.Column("exercises", JSON, nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("received_at", UTC_TIME, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("receipt", JSON, nullable=True),
        sa.Column("graded_at", UTC_TIME, nullable=True),
        sa.Column("repairs", JSON, nullable=False),
        sa.Column("flags", JSON, nullable=False),
        sa.Column("grader_error", JSON, nullable=True),
        sa.CheckConstraint("kind = 'check' OR receipt IS NOT NULL", name=op.f("ck_submissions_receipt")),
        sa.CheckConstraint("kind IN ('check', 'final')", name=op.f("ck_submissions_kind")),
        sa.CheckConstraint("state IN ('queued', 'running', 'graded', 'failed')", name=op.f("ck_submissions_state")),
        sa.ForeignKeyConstraint(["assignment_id"], ["assignments.id"], name=op.f("fk_submissions_assignment_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_submissions_person_id")),
        sa.ForeignKeyConstraint(["release_id"], ["releases.id"], name=op.f("fk_submissions_release_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submissions")),
    )
    op.create_index(
        op.f("ix_submissions_person_id_assignment_id_received_at"),
        "submissions",
        ["person_id", "assignment_id", "received_at"],
    )
    op.create_table(
        "submission_files",
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("path", sa.String(length=400), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["submission_id"], ["submissions.id"], name=op.f("fk_submission_files_submission_id")),
        sa.PrimaryKeyConstraint("submission_id", "path", name=op.f("pk_submission_files")),
    )


def _create_jobs() -> None:
    """The grading queue."""
    op.create_table(
        "jobs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("release_id", sa.String(length=64), nullable=False),
        sa.Column("grading_key", sa.String(length=32), nullable=False),
        sa.Column("classroom_id", sa.Uuid(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("slot", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("claim_count", sa.Integer(), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=True),
        sa.Column("grader_version", sa.String(length=32), nullable=True),
        sa.Column("worker", sa.String(length=100), nullable=True),
        sa.Column("lease_until", UTC_TIME, nullable=True),
        sa.Column("request_id", sa.String(length=64), nullable=False),
        sa.Column("created_at", UTC_TIME, nullable=False),
        sa.CheckConstraint("state IN ('queued', 'running', 'done')", name=op.f("ck_jobs_state")),
        sa.ForeignKeyConstraint(["classroom_id"], ["classrooms.id"], name=op.f("fk_jobs_classroom_id")),
        sa.ForeignKeyConstraint(["release_id"], ["releases.id"], name=op.f("fk_jobs_release_id")),
        sa.ForeignKeyConstraint(["submission_id"], ["submissions.id"], name=op.f("fk_jobs_submission_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        sa.UniqueConstraint(
            "submission_id", "release_id", "grading_key", name=op.f("uq_jobs_submission_id_release_id_grading_key")
        ),
    )
    op.create_index(
        op.f("ix_jobs_state_priority_classroom_id_slot"), "jobs", ["state", "priority", "classroom_id", "slot"]
    )
    op.create_index(
        op.f("ix_jobs_state_priority_slot_created_at_id"), "jobs", ["state", "priority", "slot", "created_at", "id"]
    )


def _create_verdicts() -> None:
    """Verdicts, and the attempts that they count as."""
    op.create_table(
        "verdicts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("grade_id", sa.String(length=255), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("body", JSON, nullable=False),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_verdicts_job_id")),
        sa.ForeignKeyConstraint(["submission_id"], ["submissions.id"], name=op.f("fk_verdicts_submission_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verdicts")),
        sa.UniqueConstraint("job_id", "grade_id", name=op.f("uq_verdicts_job_id_grade_id")),
    )
    op.create_index(op.f("ix_verdicts_submission_id"), "verdicts", ["submission_id"])
    op.create_table(
        "attempts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("verdict_id", sa.Uuid(), nullable=False),
        sa.Column("submission_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("assignment_id", sa.Uuid(), nullable=False),
        sa.Column("grade_id", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("millipoints", sa.Integer(), nullable=False),
        sa.Column("max_millipoints", sa.Integer(), nullable=False),
        sa.Column("is_answered", sa.Boolean(), nullable=False),
        sa.Column("replaced_by", sa.Uuid(), nullable=True),
        sa.Column("received_at", UTC_TIME, nullable=False),
        sa.CheckConstraint("millipoints BETWEEN 0 AND max_millipoints", name=op.f("ck_attempts_millipoints")),
        sa.ForeignKeyConstraint(["assignment_id"], ["assignments.id"], name=op.f("fk_attempts_assignment_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_attempts_person_id")),
        sa.ForeignKeyConstraint(["submission_id"], ["submissions.id"], name=op.f("fk_attempts_submission_id")),
        sa.ForeignKeyConstraint(["verdict_id"], ["verdicts.id"], name=op.f("fk_attempts_verdict_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
        sa.UniqueConstraint("verdict_id", name=op.f("uq_attempts_verdict_id")),
    )
    op.create_index(op.f("ix_attempts_assignment_id_person_id"), "attempts", ["assignment_id", "person_id"])


def _create_ledger() -> None:
    """The grade ledger."""
    op.create_table(
        "ledger",
        sa.Column("number", ROW_NUMBER, autoincrement=True, nullable=False),
        sa.Column("member_id", sa.Uuid(), nullable=False),
        sa.Column("assignment_id", sa.Uuid(), nullable=False),
        sa.Column("grade_id", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("millipoints", sa.Integer(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("attempt_id", sa.Uuid(), nullable=True),
        sa.Column("supersedes", ROW_NUMBER, nullable=True),
        sa.Column("recorded_at", UTC_TIME, nullable=False),
        sa.CheckConstraint("kind IN ('verdict', 'manual', 'penalty', 'override')", name=op.f("ck_ledger_kind")),
        sa.ForeignKeyConstraint(["actor_id"], ["people.id"], name=op.f("fk_ledger_actor_id")),
        sa.ForeignKeyConstraint(["assignment_id"], ["assignments.id"], name=op.f("fk_ledger_assignment_id")),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempts.id"], name=op.f("fk_ledger_attempt_id")),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name=op.f("fk_ledger_member_id")),
        sa.ForeignKeyConstraint(["supersedes"], ["ledger.number"], name=op.f("fk_ledger_supersedes")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_ledger")),
    )
    op.create_index(op.f("ix_ledger_assignment_id_member_id"), "ledger", ["assignment_id", "member_id"])


def _create_events() -> None:
    """The event log, and the tables derived from it."""
    op.create_table(
        "events",
        sa.Column("classroom_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("occurred_at", UTC_TIME, nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("data", JSON, nullable=False),
        sa.ForeignKeyConstraint(["classroom_id"], ["classrooms.id"], name=op.f("fk_events_classroom_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_events_person_id")),
        sa.PrimaryKeyConstraint("classroom_id", "number", name=op.f("pk_events")),
    )
    op.create_index(op.f("ix_events_classroom_id_person_id_number"), "events", ["classroom_id", "person_id", "number"])
    op.create_table(
        "achievement_counters",
        sa.Column("classroom_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("last_event", sa.BigInteger(), nullable=False),
        sa.Column("body", JSON, nullable=False),
        sa.ForeignKeyConstraint(["classroom_id"], ["classrooms.id"], name=op.f("fk_achievement_counters_classroom_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_achievement_counters_person_id")),
        sa.PrimaryKeyConstraint("classroom_id", "person_id", name=op.f("pk_achievement_counters")),
    )
    op.create_table(
        "awards",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("classroom_id", sa.Uuid(), nullable=False),
        sa.Column("achievement", sa.String(length=100), nullable=False),
        sa.Column("earned_at", UTC_TIME, nullable=False),
        sa.ForeignKeyConstraint(["classroom_id"], ["classrooms.id"], name=op.f("fk_awards_classroom_id")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_awards_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_awards")),
        sa.UniqueConstraint(
            "person_id", "classroom_id", "achievement", name=op.f("uq_awards_person_id_classroom_id_achievement")
        ),
    )


def _make_append_only(table: str) -> None:
    """Add triggers that reject UPDATE and DELETE."""
    message = f"{table} is append-only"
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
            )
        return
    op.execute(
        f"CREATE FUNCTION {table}_reject_change() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{message}'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {table}_reject_change()"
    )

"""Serializers from domain values to wire messages. Milli-points become points.

Functions for students and functions for staff are separate: a student's reply has no field for flags or for anything sealed.
"""

from __future__ import annotations

from pmh_jupyter.authoring.validation import ValidationReport
from pmh_jupyter.domain import outline as domain
from pmh_jupyter.domain.course_versions import CourseVersion
from pmh_jupyter.domain.events import Event
from pmh_jupyter.domain.feedback_text import list_param_names
from pmh_jupyter.domain.gradebook import Gradebook, GradebookRow
from pmh_jupyter.domain.lesson_files import LessonFiles, StudentFiles
from pmh_jupyter.domain.people import Membership, Person
from pmh_jupyter.domain.submission import MemberSubmission, Submission
from pmh_jupyter.domain.verdict import ExerciseVerdict, Message, TestResult, to_points
from pmh_jupyter.domain.verdict_summary import summarize_verdict
from pmh_jupyter.wire import outline, people, staff, submission
from pmh_jupyter.wire.errors import serialize_problem
from pmh_jupyter.wire.files import encode_file


def serialize_me(person: Person, memberships: tuple[Membership, ...]) -> people.MeReply:
    """Return a person with their classrooms."""
    return people.MeReply(id=person.id, name=person.name, classrooms=tuple(map(serialize_classroom, memberships)))


def serialize_classroom(membership: Membership) -> people.ClassroomReply:
    """Return a classroom with the role of the member who asked."""
    classroom = membership.classroom
    return people.ClassroomReply(
        slug=classroom.slug,
        title=classroom.title,
        role=membership.role.value,
        time_zone=classroom.time_zone,
        course=classroom.course,
        course_title=classroom.course_title,
    )


def serialize_outline(member_outline: domain.Outline) -> outline.OutlineReply:
    """Return the outline of one member. Milli-points become points."""
    lessons = member_outline.lessons
    return outline.OutlineReply(
        classroom=serialize_classroom(member_outline.membership),
        units=tuple(_serialize_unit(title, unit_lessons) for title, unit_lessons in member_outline.units),
        points=to_points(sum(lesson.millipoints for lesson in lessons)),
        max_points=to_points(sum(lesson.max_millipoints for lesson in lessons)),
        solved_count=sum(lesson.solved_count for lesson in lessons),
        exercise_count=sum(len(lesson.exercises) for lesson in lessons),
        next_lesson=member_outline.next_lesson,
        achievements=tuple(map(_serialize_achievement, member_outline.achievements)),
        last_event_number=member_outline.last_event_number,
    )


def _serialize_unit(title: str, lessons: tuple[domain.OutlineLesson, ...]) -> outline.UnitReply:
    return outline.UnitReply(
        title=title,
        lessons=tuple(map(_serialize_lesson, lessons)),
        solved_count=sum(lesson.solved_count for lesson in lessons),
        exercise_count=sum(len(lesson.exercises) for lesson in lessons),
    )


def _serialize_lesson(lesson: domain.OutlineLesson) -> outline.LessonReply:
    return outline.LessonReply(
        slug=lesson.slug,
        title=lesson.title,
        release_id=lesson.release_id,
        notebooks=lesson.notebooks,
        state=lesson.state.value,
        points=to_points(lesson.millipoints),
        max_points=to_points(lesson.max_millipoints),
        solved_count=lesson.solved_count,
        exercises=tuple(map(_serialize_exercise, lesson.exercises)),
        opens_at=lesson.schedule.opens_at,
        due_at=lesson.schedule.due_at,
        closes_at=lesson.schedule.closes_at,
        submissions_left=lesson.submissions_left,
        submitted_at=lesson.submitted_at,
        check_tests=lesson.check_tests.value,
    )


def _serialize_exercise(outline_exercise: domain.OutlineExercise) -> outline.ExerciseReply:
    exercise = outline_exercise.exercise
    return outline.ExerciseReply(
        grade_id=exercise.grade_id,
        title=exercise.title,
        notebook=exercise.notebook,
        solution_cells=exercise.solution_cells,
        test_cells=exercise.test_cells,
        state=outline_exercise.progress.state.value,
        points=to_points(outline_exercise.progress.millipoints),
        max_points=to_points(exercise.max_millipoints),
        attempts=outline_exercise.progress.attempts,
        hints=exercise.hints,
    )


def _serialize_achievement(outline_achievement: domain.OutlineAchievement) -> outline.AchievementReply:
    achievement = outline_achievement.achievement
    return outline.AchievementReply(
        slug=achievement.slug,
        title=achievement.title,
        description=achievement.description,
        icon=achievement.icon,
        earned_at=outline_achievement.earned_at,
        current=outline_achievement.current,
        target=outline_achievement.target,
    )


def serialize_lesson_files(files: LessonFiles) -> submission.LessonFilesReply:
    """Return the files of a lesson that a student receives."""
    base = _serialize_release(files.base) if files.base else None
    return submission.LessonFilesReply(current=_serialize_release(files.current), base=base)


def _serialize_release(files: StudentFiles) -> submission.StudentRelease:
    return submission.StudentRelease(
        id=files.release_id, lesson=files.lesson, files=tuple(map(encode_file, files.files))
    )


def serialize_submission(own_submission: Submission) -> submission.SubmissionReply:
    """Return a student's own submission, without flags."""
    return submission.SubmissionReply(
        id=own_submission.id,
        kind=own_submission.kind.value,
        classroom=own_submission.classroom,
        lesson=own_submission.lesson,
        release_id=own_submission.release_id,
        state=own_submission.state.value,
        received_at=own_submission.received_at,
        graded_at=own_submission.graded_at,
        queue_position=own_submission.queue_position,
        verdicts=tuple(
            _serialize_verdict(verdict, own_submission.exercise_titles.get(verdict.grade_id, ""))
            for verdict in own_submission.verdicts
        ),
        repairs=tuple(map(serialize_message, own_submission.repairs)),
        grader_error=_serialize_optional_message(own_submission.grader_error),
        receipt=submission.Receipt.model_validate(own_submission.receipt) if own_submission.receipt else None,
    )


def serialize_member_submission(member_submission: MemberSubmission) -> staff.MemberSubmissionReply:
    """Return a member's submission with its flags, for staff."""
    flags = tuple(
        submission.FlagReply(code=flag.code, cell=flag.cell, detail=flag.detail)
        for flag in member_submission.submission.flags
    )
    return staff.MemberSubmissionReply(
        person_id=member_submission.person.id,
        name=member_submission.person.name,
        submission=serialize_submission(member_submission.submission),
        flags=flags,
    )


def _serialize_verdict(verdict: ExerciseVerdict, title: str) -> submission.VerdictReply:
    summary = summarize_verdict(verdict)
    return submission.VerdictReply(
        grade_id=verdict.grade_id,
        title=title or verdict.grade_id,
        outcome=verdict.outcome.value,
        points=to_points(verdict.millipoints),
        max_points=to_points(verdict.max_millipoints),
        reason=_serialize_optional_message(summary.reason),
        is_reason_in_tests=summary.is_reason_in_tests,
        reason_cell=summary.reason_cell,
        reason_line=summary.reason_line,
        tests=tuple(map(_serialize_test, verdict.tests, summary.listed_flags)),
        unevaluated_count=summary.unevaluated_count,
    )


def _serialize_test(test: TestResult, is_listed: bool) -> submission.TestReply:
    # The grader gives hidden tests a neutral name and no values. The values are withheld here as well.
    return submission.TestReply(
        grade_id=test.grade_id,
        name=test.name,
        is_hidden=test.is_hidden,
        outcome=test.outcome.value,
        message=_serialize_optional_message(test.message),
        is_listed=is_listed,
        expected=None if test.is_hidden else test.expected,
        got=None if test.is_hidden else test.got,
        cell=test.cell,
        line=test.line,
    )


def serialize_message(message: Message) -> submission.MessageReply:
    """Return a message as code and parameters. Only parameters that its sentence shows are sent."""
    names = list_param_names(message.code)
    return submission.MessageReply(
        code=message.code, params={name: value for name, value in message.params.items() if name in names}
    )


def _serialize_optional_message(message: Message | None) -> submission.MessageReply | None:
    return serialize_message(message) if message else None


def serialize_gradebook(gradebook: Gradebook) -> staff.GradebookReply:
    """Return one page of the gradebook."""
    return staff.GradebookReply(
        classroom=gradebook.classroom,
        columns=tuple(
            staff.GradebookColumnReply(
                lesson=column.lesson,
                lesson_title=column.lesson_title,
                grade_id=column.grade_id,
                title=column.title,
                max_points=to_points(column.max_millipoints),
            )
            for column in gradebook.columns
        ),
        rows=tuple(map(_serialize_gradebook_row, gradebook.rows)),
        page=gradebook.page,
        page_count=gradebook.page_count,
    )


def _serialize_gradebook_row(row: GradebookRow) -> staff.GradebookRowReply:
    cells = tuple(
        staff.GradebookCellReply(
            state=cell.progress.state.value,
            points=to_points(cell.progress.millipoints),
            attempts=cell.progress.attempts,
            submission_id=cell.submission_id,
        )
        for cell in row.cells
    )
    return staff.GradebookRowReply(
        person_id=row.person.id,
        name=row.person.name,
        role=row.role.value,
        points=to_points(row.millipoints),
        cells=cells,
    )


def serialize_event(event: Event) -> submission.EventReply:
    """Return an event without the data that its recipient may not read."""
    return submission.EventReply(
        number=event.number, kind=event.kind.value, occurred_at=event.occurred_at, data=event.to_public_data()
    )


def serialize_course_validation(report: ValidationReport, *, has_trial_run: bool) -> staff.CourseValidationReply:
    """Return the lessons and warnings of a valid course. has_trial_run: whether its solutions were graded."""
    return staff.CourseValidationReply(
        course=report.course,
        releases=tuple(
            staff.ValidatedLesson(
                slug=release.lesson,
                exercise_count=len(release.exercises),
                points=to_points(release.max_millipoints),
                release_id=release.id,
            )
            for release in report.releases
        ),
        warnings=tuple(map(serialize_problem, report.warnings)),
        has_trial_run=has_trial_run,
    )


def serialize_course_release(version: CourseVersion) -> staff.CourseReleaseReply:
    """Return a course version, with which of its lessons have changed."""
    lessons = tuple(
        staff.ReleasedLesson(slug=lesson.slug, release_id=lesson.release_id, is_changed=lesson.is_changed)
        for lesson in version.lessons
    )
    return staff.CourseReleaseReply(course=version.course, version=version.number, lessons=lessons)

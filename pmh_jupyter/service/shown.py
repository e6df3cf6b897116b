"""From the domain's values to the wire's messages: points instead of milli-points, sentences instead of codes.

Functions for a student and for staff are apart; nothing here can put a flag or something sealed into a student's reply.
"""

from __future__ import annotations

import base64

from pmh_jupyter.authoring.validation import Report
from pmh_jupyter.domain import outline as domain
from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.events import Event
from pmh_jupyter.domain.ids import sha256
from pmh_jupyter.domain.people import Membership, Person
from pmh_jupyter.domain.verdict import ExerciseVerdict, Message, TestVerdict
from pmh_jupyter.domain.versions import CourseVersion
from pmh_jupyter.domain.words import flag_words, words
from pmh_jupyter.domain.work import StaffWork, Work
from pmh_jupyter.errors import Problem
from pmh_jupyter.wire import outline, people, staff, work
from pmh_jupyter.wire.base import FileContent, ProblemReply


def points(millipoints: int) -> float:
    """1,500 milli-points are 1.5 points."""
    return millipoints / 1000


def me(person: Person, memberships: tuple[Membership, ...]) -> people.MeReply:
    return people.MeReply(id=person.id, name=person.name, classrooms=tuple(map(classroom, memberships)))


def classroom(membership: Membership) -> people.ClassroomReply:
    room = membership.classroom
    return people.ClassroomReply(
        slug=room.slug,
        title=room.title,
        role=membership.role.value,
        time_zone=room.time_zone,
        course=room.course,
        course_title=room.course_title,
    )


def map_of(seen: domain.Outline) -> outline.OutlineReply:
    """The outline of one member."""
    lessons = seen.lessons
    return outline.OutlineReply(
        classroom=classroom(seen.membership),
        units=tuple(_unit(title, members) for title, members in seen.units),
        points=points(sum(lesson.millipoints for lesson in lessons)),
        max_points=points(sum(lesson.max_millipoints for lesson in lessons)),
        solved=sum(lesson.solved for lesson in lessons),
        total=sum(len(lesson.exercises) for lesson in lessons),
        continue_with=seen.continue_with,
        awards=tuple(map(_award, seen.awards)),
        last_event=seen.last_event,
    )


def _unit(title: str, lessons: tuple[domain.OutlineLesson, ...]) -> outline.UnitReply:
    return outline.UnitReply(
        title=title,
        lessons=tuple(map(_lesson, lessons)),
        solved=sum(lesson.solved for lesson in lessons),
        total=sum(len(lesson.exercises) for lesson in lessons),
    )


def _lesson(lesson: domain.OutlineLesson) -> outline.LessonReply:
    return outline.LessonReply(
        slug=lesson.slug,
        title=lesson.title,
        release=lesson.release,
        notebooks=lesson.notebooks,
        state=lesson.state.value,
        points=points(lesson.millipoints),
        max_points=points(lesson.max_millipoints),
        solved=lesson.solved,
        exercises=tuple(map(_exercise, lesson.exercises)),
        opens_at=lesson.schedule.opens_at,
        due_at=lesson.schedule.due_at,
        closes_at=lesson.schedule.closes_at,
        attempts_left=lesson.attempts_left,
        submitted_at=lesson.submitted_at,
        checks="visible" if lesson.checks == "visible" else "all",
    )


def _exercise(seen: domain.OutlineExercise) -> outline.ExerciseReply:
    exercise = seen.exercise
    return outline.ExerciseReply(
        grade_id=exercise.grade_id,
        title=exercise.title,
        notebook=exercise.notebook,
        solution_cells=exercise.solution_cells,
        test_cells=exercise.test_cells,
        state=seen.progress.state.value,
        points=points(seen.progress.millipoints),
        max_points=points(exercise.max_millipoints),
        tries=seen.progress.tries,
        hints=exercise.hints,
    )


def _award(award: domain.OutlineAward) -> outline.AwardReply:
    return outline.AwardReply(
        slug=award.achievement.slug,
        title=award.achievement.title,
        description=award.achievement.description,
        icon=award.achievement.icon,
        earned_at=award.earned_at,
        reached=award.reached,
        needed=award.needed,
    )


def lesson_files(files: domain.LessonFiles) -> work.LessonFilesReply:
    """What a student receives of a lesson."""
    base = _student_release(files.base) if files.base else None
    return work.LessonFilesReply(current=_student_release(files.current), base=base)


def _student_release(files: domain.StudentFiles) -> work.StudentRelease:
    return work.StudentRelease(id=files.release, lesson=files.lesson, files=tuple(map(_file, files.files)))


def _file(file: File) -> FileContent:
    content = base64.b64encode(file.content).decode()
    return FileContent(path=file.path, sha256=sha256(file.content), content=content)


def own_work(one: Work) -> work.WorkReply:
    """A student's own work. Flags stay out."""
    return work.WorkReply(
        id=one.id,
        kind=one.kind.value,
        classroom=one.classroom,
        lesson=one.lesson,
        release=one.release,
        state=one.state.value,
        received_at=one.received_at,
        graded_at=one.graded_at,
        position=one.position,
        verdicts=tuple(_verdict(verdict, one.titles.get(verdict.grade_id, "")) for verdict in one.verdicts),
        healed=tuple(words(message) for message in one.healed),
        fault=_said(one.fault),
        receipt=work.Receipt.model_validate(one.receipt) if one.receipt else None,
    )


def staff_work(one: StaffWork) -> staff.StaffWorkReply:
    """A member's work with its flags."""
    flags = tuple(
        work.FlagReply(code=flag.code, cell=flag.cell, detail=flag.detail, text=flag_words(flag))
        for flag in one.work.flags
    )
    return staff.StaffWorkReply(person=one.person.id, name=one.person.name, work=own_work(one.work), flags=flags)


def _verdict(verdict: ExerciseVerdict, title: str) -> work.VerdictReply:
    return work.VerdictReply(
        grade_id=verdict.grade_id,
        title=title or verdict.grade_id,
        outcome=verdict.outcome.value,
        points=points(verdict.millipoints),
        max_points=points(verdict.max_millipoints),
        message=_said(verdict.message),
        tests=tuple(map(_test, verdict.tests)),
    )


def _test(test: TestVerdict) -> work.TestReply:
    # A grader names a hidden test neutrally and gives neither value; here it is made sure of.
    return work.TestReply(
        grade_id=test.grade_id,
        name=test.name,
        hidden=test.hidden,
        outcome=test.outcome.value,
        message=_said(test.message),
        expected=None if test.hidden else test.expected,
        got=None if test.hidden else test.got,
        cell=test.cell,
        line=test.line,
    )


def _said(message: Message | None) -> str:
    return words(message) if message else ""


def board(seen: domain.Board) -> staff.BoardReply:
    """One page of the board."""
    return staff.BoardReply(
        classroom=seen.classroom,
        columns=tuple(
            staff.BoardColumn(
                lesson=column.lesson,
                lesson_title=column.lesson_title,
                grade_id=column.grade_id,
                title=column.title,
                max_points=points(column.max_millipoints),
            )
            for column in seen.columns
        ),
        rows=tuple(map(_row, seen.rows)),
        page=seen.page,
        pages=seen.pages,
    )


def _row(row: domain.BoardRow) -> staff.BoardRow:
    cells = tuple(
        staff.BoardCell(
            state=cell.progress.state.value,
            points=points(cell.progress.millipoints),
            tries=cell.progress.tries,
            work=cell.work,
        )
        for cell in row.cells
    )
    return staff.BoardRow(
        person=row.person.id, name=row.person.name, role=row.role.value, points=points(row.millipoints), cells=cells
    )


def event(one: Event) -> work.EventReply:
    """An event as the person whom it concerns may read it."""
    return work.EventReply(number=one.number, kind=one.kind.value, at=one.at, data=one.public())


def course_validated(report: Report, *, tried: bool) -> staff.CourseValidated:
    return staff.CourseValidated(
        course=report.course,
        lessons=tuple(release.lesson for release in report.releases),
        releases=tuple(
            staff.ValidatedLesson(
                slug=release.lesson,
                exercises=len(release.exercises),
                points=points(release.max_millipoints),
                release=release.id,
            )
            for release in report.releases
        ),
        advice=tuple(map(problem, report.advice)),
        tried=tried,
    )


def problem(found: Problem) -> ProblemReply:
    return ProblemReply(file=found.file, cell=found.cell, message=found.message, remedy=found.remedy)


def course_released(version: CourseVersion) -> staff.CourseReleased:
    lessons = tuple(
        staff.ReleasedLesson(slug=lesson.slug, release=lesson.release, changed=lesson.changed)
        for lesson in version.lessons
    )
    return staff.CourseReleased(course=version.course, version=version.number, lessons=lessons)

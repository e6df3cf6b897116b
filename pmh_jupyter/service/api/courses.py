"""Upload of courses by instructors: validation, release, and adoption by classrooms."""

from __future__ import annotations

from pmh_jupyter.authoring.course import read_course
from pmh_jupyter.authoring.validation import validate_course
from pmh_jupyter.domain.course import Course
from pmh_jupyter.domain.people import Person
from pmh_jupyter.errors import BadInput, InvalidCourse, NotFound
from pmh_jupyter.grading.backends import find_contained_backend
from pmh_jupyter.service import serializers
from pmh_jupyter.service.course_releases import CourseBuild, build_releases, save_course
from pmh_jupyter.service.handler import ApiHandler
from pmh_jupyter.service.jobs.grader import Grader
from pmh_jupyter.service.permissions import AccessRule, Scope, require_course_release, require_releaser
from pmh_jupyter.service.routes import Operation, Route
from pmh_jupyter.service.uploaded_files import decode_files
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records import courses, members
from pmh_jupyter.wire.staff import CourseReleaseReply, CourseUpload, CourseValidationReply


class ValidateCourseHandler(ApiHandler):
    """Validates a course: builds its releases, with a trial run of each, without saving anything. Reports all problems at once."""

    async def post(self, course: str) -> None:
        request = await self.read_body(CourseUpload)
        await self.query(_require_releaser, self.identity.person)
        self.send(await self.service.expensive_call_runner.run(_validate_upload, self.service.grader, course, request))


class CourseReleasesHandler(ApiHandler):
    """Releases a new version of a course, which the classrooms named in the request adopt."""

    async def post(self, course: str) -> None:
        request = await self.read_body(CourseUpload)
        await self.query(_require_course_release, self.identity.person, course, request.classrooms)
        build = await self.service.expensive_call_runner.run(_build_upload, self.service.grader, course, request)
        version = await self.query(save_course, build, request.classrooms)
        self.service.broadcaster.notify()
        self.send(serializers.serialize_course_release(version), 201)


def _validate_upload(grader: Grader, slug: str, request: CourseUpload) -> CourseValidationReply:
    course = _read_upload(slug, request)
    backend = find_contained_backend(grader.get_backend)
    report = validate_course(course, backend)
    if report.problems:
        raise InvalidCourse(f"The course {slug} cannot be released.", problems=report.problems)
    return serializers.serialize_course_validation(report, has_trial_run=backend is not None)


def _build_upload(grader: Grader, slug: str, request: CourseUpload) -> CourseBuild:
    return build_releases(_read_upload(slug, request), find_contained_backend(grader.get_backend))


def _require_releaser(database: Database, person: Person) -> None:
    require_releaser(members.list_memberships(database, person.id))


def _read_upload(slug: str, request: CourseUpload) -> Course:
    course = read_course(decode_files(request.files))
    if course.slug != slug:
        raise BadInput(f"The files belong to the course {course.slug!r}, not to {slug!r}.")
    return course


def _require_course_release(database: Database, person: Person, course: str, classrooms: tuple[str, ...]) -> None:
    memberships = members.list_memberships(database, person.id)
    require_course_release(memberships, course, classrooms, is_new_course=not _has_course(database, course))


def _has_course(database: Database, course: str) -> bool:
    try:
        courses.find_newest_version_number(database, course)
    except NotFound:
        return False
    return True


AUTHOR_ACCESS = AccessRule(Scope.AUTHOR)

ROUTES = (
    Route(
        "courses/{course}/validate",
        ValidateCourseHandler,
        {
            "POST": Operation(
                "Validate a course's source",
                AUTHOR_ACCESS,
                CourseValidationReply,
                CourseUpload,
                has_strict_rate_limit=True,
                error_statuses=(422,),
            )
        },
    ),
    Route(
        "courses/{course}/releases",
        CourseReleasesHandler,
        {
            "POST": Operation(
                "Release a course",
                AUTHOR_ACCESS,
                CourseReleaseReply,
                CourseUpload,
                status=201,
                has_strict_rate_limit=True,
                error_statuses=(422,),
            )
        },
    ),
)

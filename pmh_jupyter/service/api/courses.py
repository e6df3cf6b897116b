"""Courses as instructors send them: validated, released, adopted."""

from __future__ import annotations

from pmh_jupyter.authoring.course import read_course
from pmh_jupyter.authoring.validation import validate_course
from pmh_jupyter.domain.people import Person
from pmh_jupyter.domain.roles import Permission, may
from pmh_jupyter.errors import BadInput, InvalidCourse, NotAllowed, NotFound, NoWall
from pmh_jupyter.grading.walls import Wall
from pmh_jupyter.service import shown
from pmh_jupyter.service.files import received
from pmh_jupyter.service.handler import ApiHandler
from pmh_jupyter.service.jobs.grader import Grader
from pmh_jupyter.service.load import Made, make_releases, save_course
from pmh_jupyter.service.rights import Right, Scope
from pmh_jupyter.service.routes import Operation, Route
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records import courses, members
from pmh_jupyter.wire.staff import CourseReleased, CourseUpload, CourseValidated


class Validate(ApiHandler):
    """Reads the course, makes its releases without keeping them, and tries each; every fault is told at once."""

    async def post(self, course: str) -> None:
        request = await self.read(CourseUpload)
        await self.service.run(_require_instructor, self.service.database, self.standing.person)
        self.send(await self.service.trials.run(_validate, self.service.grader, course, request))


class Releases(ApiHandler):
    """Makes a new version of the course, finds out how its lessons are judged, and has it adopted where the request says so."""

    async def post(self, course: str) -> None:
        request = await self.read(CourseUpload)
        database = self.service.database
        await self.service.run(_require_rights, database, self.standing.person, course, request.classrooms)
        made = await self.service.trials.run(_make, self.service.grader, course, request)
        version = await self.service.run(save_course, database, made, request.classrooms)
        self.service.feed.poke()
        self.send(shown.course_released(version), 201)


def _validate(grader: Grader, slug: str, request: CourseUpload) -> CourseValidated:
    course = read_course(received(request.files))
    _require_slug(course.slug, slug)
    wall = _wall(grader)
    report = validate_course(course, wall)
    if report.problems:
        raise InvalidCourse(f"The course {slug} cannot be released.", problems=report.problems)
    return shown.course_validated(report, tried=wall is not None)


def _wall(grader: Grader) -> Wall | None:
    """The grader's wall if it really holds, else None: what an instructor sends is not known to be theirs."""
    try:
        wall = grader.wall()
    except NoWall:
        return None
    return wall if wall.contained else None


def _make(grader: Grader, slug: str, request: CourseUpload) -> Made:
    files = received(request.files)
    _require_slug(read_course(files).slug, slug)
    return make_releases(files, _wall(grader))


def _require_instructor(database: Database, person: Person) -> None:
    """Everybody's token may author: without this, any student could keep the graders busy with a course of endless loops."""
    if not any(may(one.role, Permission.RELEASE) for one in members.memberships(database, person.id)):
        raise NotAllowed("You are instructor of no classroom.")


def _require_slug(found: str, slug: str) -> None:
    if found != slug:
        raise BadInput(f"The files are of the course {found!r}, and were sent as {slug!r}.")


def _require_rights(database: Database, person: Person, course: str, classrooms: tuple[str, ...]) -> None:
    """Who may release in a classroom may release the course that it takes, and any course that nobody released before."""
    mine = members.memberships(database, person.id)
    taken = {one.classroom.course for one in mine if may(one.role, Permission.RELEASE)}
    if not taken or (course not in taken and _exists(database, course)):
        raise NotAllowed("You are instructor of no classroom that takes this course.")
    adopting = {one.classroom.slug for one in mine if may(one.role, Permission.ADOPT)}
    for slug in classrooms:
        if slug not in adopting:
            raise NotAllowed(f"You may not decide what the classroom {slug!r} takes.")


def _exists(database: Database, course: str) -> bool:
    try:
        courses.newest_version(database, course)
    except NotFound:
        return False
    return True


AUTHOR = Right(Scope.AUTHOR)

ROUTES = (
    Route(
        "courses/{course}/validate",
        Validate,
        {
            "POST": Operation(
                "Validate a course's source", AUTHOR, CourseValidated, CourseUpload, dear=True, errors=(422,)
            )
        },
    ),
    Route(
        "courses/{course}/releases",
        Releases,
        {
            "POST": Operation(
                "Release a course", AUTHOR, CourseReleased, CourseUpload, status=201, dear=True, errors=(422,)
            )
        },
    ),
)

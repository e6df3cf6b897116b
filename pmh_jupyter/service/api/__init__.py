"""The API: one module per resource, with its ROUTES at the end. This module collects them."""

from __future__ import annotations

from pmh_jupyter.service.api.courses import ROUTES as COURSES
from pmh_jupyter.service.api.documents import ROUTES as DOCUMENTS
from pmh_jupyter.service.api.enrolments import ROUTES as ENROLMENTS
from pmh_jupyter.service.api.events import ROUTES as EVENTS
from pmh_jupyter.service.api.lessons import ROUTES as LESSONS
from pmh_jupyter.service.api.outline import ROUTES as OUTLINE
from pmh_jupyter.service.api.people import ROUTES as PEOPLE
from pmh_jupyter.service.api.regrades import ROUTES as REGRADES
from pmh_jupyter.service.api.resource_limits import ROUTES as RESOURCE_LIMITS
from pmh_jupyter.service.api.staff import ROUTES as STAFF
from pmh_jupyter.service.api.submissions import ROUTES as SUBMISSIONS
from pmh_jupyter.service.routes import Route

ROUTES: tuple[Route, ...] = (
    *PEOPLE,
    *ENROLMENTS,
    *OUTLINE,
    *LESSONS,
    *SUBMISSIONS,
    *EVENTS,
    *COURSES,
    *STAFF,
    *RESOURCE_LIMITS,
    *REGRADES,
    *DOCUMENTS,
)

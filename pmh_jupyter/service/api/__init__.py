"""The API: one module per resource, with its ROUTES at the end. This module collects them."""

from __future__ import annotations

from pmh_jupyter.service.api import (
    courses,
    documents,
    enrolments,
    events,
    lessons,
    outline,
    people,
    regrades,
    resource_limits,
    staff,
    submissions,
)
from pmh_jupyter.service.routes import Route

ROUTES: tuple[Route, ...] = (
    *people.ROUTES,
    *enrolments.ROUTES,
    *outline.ROUTES,
    *lessons.ROUTES,
    *submissions.ROUTES,
    *events.ROUTES,
    *courses.ROUTES,
    *staff.ROUTES,
    *resource_limits.ROUTES,
    *regrades.ROUTES,
    *documents.ROUTES,
)

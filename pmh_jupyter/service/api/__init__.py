"""The API: a resource a file, its routes at its foot, all of them gathered here."""

from __future__ import annotations

from pmh_jupyter.service.api import (
    courses,
    documents,
    enrolments,
    events,
    lessons,
    outline,
    people,
    staff,
    work,
)
from pmh_jupyter.service.routes import Route

ROUTES: tuple[Route, ...] = (
    *people.ROUTES,
    *enrolments.ROUTES,
    *outline.ROUTES,
    *lessons.ROUTES,
    *work.ROUTES,
    *events.ROUTES,
    *courses.ROUTES,
    *staff.ROUTES,
    *documents.ROUTES,
)

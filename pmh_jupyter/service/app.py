"""The tornado application: which address is answered by what."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tornado.web import Application, RequestHandler, StaticFileHandler

from pmh_jupyter.errors import NotFound
from pmh_jupyter.service import openapi
from pmh_jupyter.service.api import ROUTES
from pmh_jupyter.service.context import Service
from pmh_jupyter.service.handler import BaseHandler
from pmh_jupyter.service.pages import board, home, member, progress
from pmh_jupyter.service.pages.environment import STATIC, make_environment
from pmh_jupyter.service.probes import Figures, Health, Ready
from pmh_jupyter.service.routes import pattern_of
from pmh_jupyter.service.sessions import LogOut, OAuthCallback

Rule = tuple[str, type[RequestHandler], dict[str, Any]]


class NothingHere(BaseHandler):
    """Every address that nobody else answers."""

    async def prepare(self) -> None:
        await super().prepare()
        raise NotFound("There is nothing at this address.")


class Static(BaseHandler, StaticFileHandler):
    """Style sheets and icons of the pages, which a browser may keep for an hour."""

    route_name = "static"

    def initialize(self, service: Service, path: str = "") -> None:  # type: ignore[override]
        BaseHandler.initialize(self, service)
        StaticFileHandler.initialize(self, path)

    def set_extra_headers(self, path: str) -> None:
        self.set_header("Cache-Control", "max-age=3600")

    def compute_etag(self) -> str | None:
        return StaticFileHandler.compute_etag(self)


def make_app(service: Service) -> Application:
    """The application for one service process, below its prefix (`/services/pmh/`)."""
    base = service.hub.oauth.base_url
    shared = {"service": service}
    api: list[Rule] = [(f"{base}api/{route.pattern}", route.handler, {**shared, "route": route}) for route in ROUTES]
    probes: list[Rule] = [
        (f"{base}health", Health, shared),
        (f"{base}ready", Ready, shared),
        (f"{base}metrics", Figures, shared),
        (f"{base}oauth_callback", OAuthCallback, shared),
        (f"{base}logout", LogOut, shared),
        (f"{base}static/(.*)", Static, {**shared, "path": str(STATIC)}),
    ]
    return Application(
        [*api, *probes, *_pages(base, shared)],
        default_handler_class=NothingHere,
        default_handler_args=shared,
        cookie_secret=service.cookie_secret,
        openapi=json.dumps(openapi.document(ROUTES, f"{base}api")),
        jinja=make_environment(),
        log_function=lambda handler: None,  # every handler of ours writes its own line, with the request id
    )


def _pages(base: str, shared: dict[str, Any]) -> Sequence[Rule]:
    """Pages are `(address below the prefix, handler)` at the foot of their files; a new page is added here."""
    pages = (*home.PAGES, *progress.PAGES, *board.PAGES, *member.PAGES)
    return [(f"{base}{pattern_of(path)}", handler, shared) for path, handler in pages]

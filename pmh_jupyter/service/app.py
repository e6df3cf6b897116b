"""The tornado application: maps URLs to handlers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tornado.web import Application, RequestHandler, StaticFileHandler

from pmh_jupyter.errors import NotFound
from pmh_jupyter.service import openapi
from pmh_jupyter.service.api import ROUTES
from pmh_jupyter.service.context import ServiceContext
from pmh_jupyter.service.handler import BaseHandler
from pmh_jupyter.service.health import HealthHandler, MetricsHandler, ReadinessHandler
from pmh_jupyter.service.pages import gradebook, home, member, progress
from pmh_jupyter.service.pages.template_environment import STATIC_FOLDER, make_template_environment
from pmh_jupyter.service.routes import make_path_pattern
from pmh_jupyter.service.session_handlers import LogoutHandler, OAuthCallbackHandler

Rule = tuple[str, type[RequestHandler], dict[str, Any]]


class NotFoundHandler(BaseHandler):
    """Responds to every URL that has no other handler."""

    async def prepare(self) -> None:
        await super().prepare()
        raise NotFound("There is no page at this address.")


class StaticHandler(BaseHandler, StaticFileHandler):
    """Serves style sheets and icons, which a browser may cache for an hour."""

    route_name = "static"

    def initialize(self, service: ServiceContext, path: str = "") -> None:  # type: ignore[override]
        BaseHandler.initialize(self, service)
        StaticFileHandler.initialize(self, path)

    def set_extra_headers(self, path: str) -> None:
        self.set_header("Cache-Control", "max-age=3600")

    def compute_etag(self) -> str | None:
        return StaticFileHandler.compute_etag(self)


def make_app(service: ServiceContext) -> Application:
    """Create the application of one service process, below its URL prefix (`/services/pmh/`)."""
    base_url = service.hub.oauth.base_url
    handler_kwargs = {"service": service}
    api_rules: list[Rule] = [
        (f"{base_url}api/{route.regex}", route.handler, {**handler_kwargs, "route": route}) for route in ROUTES
    ]
    service_rules: list[Rule] = [
        (f"{base_url}health", HealthHandler, handler_kwargs),
        (f"{base_url}ready", ReadinessHandler, handler_kwargs),
        (f"{base_url}metrics", MetricsHandler, handler_kwargs),
        (f"{base_url}oauth_callback", OAuthCallbackHandler, handler_kwargs),
        (f"{base_url}logout", LogoutHandler, handler_kwargs),
        (f"{base_url}static/(.*)", StaticHandler, {**handler_kwargs, "path": str(STATIC_FOLDER)}),
    ]
    return Application(
        [*api_rules, *service_rules, *_make_page_rules(base_url, handler_kwargs)],
        default_handler_class=NotFoundHandler,
        default_handler_args=handler_kwargs,
        cookie_secret=service.cookie_secret,
        openapi=json.dumps(openapi.build_document(ROUTES, f"{base_url}api")),
        jinja=make_template_environment(),
        log_function=lambda handler: None,  # BaseHandler.on_finish logs each request with its id
    )


def _make_page_rules(base_url: str, handler_kwargs: dict[str, Any]) -> Sequence[Rule]:
    """Return the rules of all pages. Each page module lists its `(path, handler)` pairs as PAGES; add a new module here."""
    page_routes = (*home.PAGES, *progress.PAGES, *gradebook.PAGES, *member.PAGES)
    return [(f"{base_url}{make_path_pattern(path)}", handler, handler_kwargs) for path, handler in page_routes]

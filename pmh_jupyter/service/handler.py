"""Base classes of all request handlers: request id, authentication, permissions, rate and size limits, and error responses.

`ApiHandler` takes its access rule and models from its route. `PageHandler` serves pages that a person opens in a browser.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Any, ClassVar, Concatenate, ParamSpec, TypeVar, cast

import structlog
from jinja2 import Environment
from tornado.httputil import HTTPServerRequest
from tornado.web import RequestHandler, stream_request_body

from pmh_jupyter.domain.roles import Permission
from pmh_jupyter.errors import BadInput, NotAllowed, NotLoggedIn, PmhError, TooLarge
from pmh_jupyter.service import error_replies, login, logs
from pmh_jupyter.service.context import ServiceContext
from pmh_jupyter.service.hub_client import Caller
from pmh_jupyter.service.identity import Identity, resolve_identity
from pmh_jupyter.service.permissions import AccessRule
from pmh_jupyter.service.routes import Operation, Route
from pmh_jupyter.storage.database import Database
from pmh_jupyter.wire.base import WireModel
from pmh_jupyter.wire.errors import serialize_error

M = TypeVar("M", bound=WireModel)
P = ParamSpec("P")
T = TypeVar("T")

# Every user's server shares this origin. So pages cannot be framed, load nothing from other origins, and cannot be controlled by a
# page that opened them in a window.
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; script-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "noopener-allow-popups",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}


class BaseHandler(RequestHandler):
    """Gives every response a request id and security headers, and reports errors as JSON. Does not authenticate."""

    service: ServiceContext
    route_name = "other"

    def initialize(self, service: ServiceContext) -> None:
        self.service = service

    def set_default_headers(self) -> None:
        for name, value in SECURITY_HEADERS.items():
            self.set_header(name, value)
        self.clear_header("Server")
        self.set_header("X-Request-ID", self.request_id)

    @property
    def request_id(self) -> str:
        """The request's own id if it is valid, else a new one. Constant during a request."""
        if not hasattr(self, "_request_id"):
            self._request_id = logs.choose_request_id(self.request.headers.get("X-Request-ID"))
        return self._request_id

    async def query(self, function: Callable[Concatenate[Database, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function with the service's database and these arguments, in a thread."""
        return await self.service.run_blocking(function, self.service.database, *args, **kwargs)

    async def prepare(self) -> None:
        self._bind_request_id()

    def _bind_request_id(self) -> None:
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=self.request_id)

    async def authenticate(self) -> Caller | None:
        """Identify the caller by the request's token, else by the browser session.

        Returns None if there is neither, or if the Hub does not know it. Raises NotAllowed for a request with a session but without
        its XSRF token, unless it is a navigation: a page of another service on this origin could have sent it.
        """
        token = _read_authorization_token(self.request)
        if token:
            return await self.service.hub.find_caller(token)
        oauth = self.service.hub.oauth
        token = login.get_session_token(self, oauth)
        if not token:
            return None
        if login.needs_xsrf_check(str(self.request.method), self.request.headers.get("Sec-Fetch-Mode", "")):
            self._require_xsrf(token)
        caller = await self.service.hub.find_caller(token)
        return replace(caller, has_session=True) if caller else None

    def _require_xsrf(self, token: str) -> None:
        submitted_token = self.request.headers.get("X-Xsrftoken") or self.get_argument("_xsrf", "")
        if submitted_token != login.compute_xsrf_token(self.service.cookie_secret, token):
            raise NotAllowed(
                "This request did not come from a page of this service.", advice="Reload the page, then try again."
            )

    def send(self, reply: WireModel, status: int = 200) -> None:
        """Send a reply as JSON."""
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        self.finish(reply.model_dump_json())

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Respond to every exception that a handler raised, and to tornado's own errors. tornado calls this."""
        exception = kwargs.get("exc_info", (None, None, None))[1]
        error = error_replies.to_pmh_error(exception, status_code)
        self.set_default_headers()
        for name, value in error_replies.make_error_headers(error).items():
            self.set_header(name, value)
        self.send_error_reply(error)

    def send_error_reply(self, error: PmhError) -> None:
        """Send an error as JSON."""
        self.send(serialize_error(error, self.request_id), error.status)

    def get_query_int(self, name: str, default: int, minimum: int = 0) -> int:
        """Return an integer query parameter; raise BadInput if it is not an integer, or less than `minimum`."""
        value = parse_small_int(self.get_query_argument(name, str(default)))
        if value is None or value < minimum:
            raise BadInput(f"{name} must be a whole number, at least {minimum}.")
        return value

    def compute_etag(self) -> str | None:
        """Compute no ETag, because browsers must not cache responses."""
        return None

    def log_exception(
        self, typ: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        error = error_replies.to_pmh_error(value)
        if error.status >= 500:
            logs.log.error("request failed", code=error.code, route=self.route_name, exc_info=value)

    def on_finish(self) -> None:
        seconds = self.request.request_time()
        status, method = self.get_status(), str(self.request.method)
        method_label = method if method in self.SUPPORTED_METHODS else "other"
        self.service.metrics.request_duration_seconds.labels(self.route_name, method_label, str(status)).observe(
            seconds
        )
        logs.log.info("request", route=self.route_name, method=method_label, status=status, seconds=round(seconds, 4))


@stream_request_body
class ApiHandler(BaseHandler):
    """Handles a request to a route of the API.

    Before a method such as `get` runs, `prepare` has authenticated the caller, checked the route's access rule, and applied the rate
    limits. Only then is the body read, so that an unauthorized caller cannot fill the memory.
    """

    route: Route
    operation: Operation
    caller: Caller
    identity: Identity

    def initialize(self, service: ServiceContext, route: Route | None = None) -> None:
        super().initialize(service)
        if route is not None:
            self.route = route
            self.route_name = route.path
        self._chunks: list[bytes] = []
        self._received_bytes = 0

    async def prepare(self) -> None:
        self._bind_request_id()
        self._require_acceptable_length()
        self.operation = self._find_operation()
        access_rule = self.operation.access_rule
        if access_rule is None:
            return
        self.caller = await self._require_caller()
        self.service.request_rate_limit.consume(self.caller.name)
        access_rule.require_scope(self.caller)
        await self._resolve_identity(access_rule)
        if self.operation.has_strict_rate_limit:
            self.service.strict_rate_limit.consume(self.caller.name)

    async def _require_caller(self) -> Caller:
        caller = await self.authenticate()
        if caller is None:
            raise NotLoggedIn("You are not logged in, or your session has expired.")
        return caller

    async def _resolve_identity(self, access_rule: AccessRule) -> None:
        """Set `identity`. A Hub service is not a person, so it can only use routes that need none."""
        if self.caller.kind == "user":
            slug = self.path_kwargs.get("classroom")
            self.identity = await self.query(resolve_identity, self.caller.name, slug, access_rule.permission)
        elif access_rule.permission is not None or self.operation.needs_person:
            raise NotAllowed(
                "Only people can do this, and this token belongs to a service.", advice="Use a person's token."
            )

    def _find_operation(self) -> Operation:
        operation = self.route.operations.get(str(self.request.method))
        if operation is None:
            error = error_replies.MethodNotAllowed("This address does not support this method.")
            error.allowed_methods = tuple(self.route.operations)
            raise error
        return operation

    @property
    def _max_body_bytes(self) -> int:
        return self.service.settings.body_limit_mb << 20

    def _require_acceptable_length(self) -> None:
        # A request whose Content-Length is too large is rejected at once, but tornado still reads and discards up to four times the
        # limit: a client that is still sending would otherwise see a broken connection instead of the response.
        connection = cast(Any, self.request.connection)
        connection.set_max_body_size(4 * self._max_body_bytes)
        content_length = parse_small_int(self.request.headers.get("Content-Length", "0"))
        if content_length is not None and content_length > self._max_body_bytes:
            raise self._make_too_large_error()

    def data_received(self, chunk: bytes) -> None:
        self._received_bytes += len(chunk)
        if self._received_bytes <= self._max_body_bytes:
            self._chunks.append(chunk)

    def _make_too_large_error(self) -> TooLarge:
        return TooLarge(f"The request is larger than the limit of {self.service.settings.body_limit_mb} MiB.")

    async def read_body(self, model: type[M]) -> M:
        """Parse the body. Raises pydantic's ValidationError (answered as BadInput, with the invalid fields), BadInput or TooLarge."""
        if self._received_bytes > self._max_body_bytes:
            raise self._make_too_large_error()
        body = b"".join(self._chunks)
        self._chunks.clear()
        if b"\\u0000" in body:
            raise BadInput("The request contains a NUL character, which cannot be stored.")
        # Parsing tens of MiB in the event loop would delay all other requests.
        return await self.service.run_blocking(model.model_validate_json, body)


class PageHandler(BaseHandler):
    """Handles a page. Redirects to the Hub's login if the browser has no session.

    permission: must be among those of the caller's role in the classroom of the URL; None if the URL names no classroom.

    Templates always have the variables `caller`, `base_url` (the URL prefix of the service), `hub_home_url`, `xsrf` (for a field
    `_xsrf` in every form) and `request_id`.
    """

    permission: ClassVar[Permission | None] = None
    caller: Caller
    identity: Identity

    async def prepare(self) -> None:
        self._bind_request_id()
        caller = await self.authenticate()
        # A token is not enough: every kernel of a user's server has the server's token.
        if caller is None or not caller.has_session:
            self._redirect_to_login()
            return
        self.caller = caller
        self.service.request_rate_limit.consume(caller.name)
        self.identity = await self.query(
            resolve_identity, caller.name, self.path_kwargs.get("classroom"), self.permission
        )

    def _redirect_to_login(self) -> None:
        if self.request.method not in {"GET", "HEAD"}:
            raise NotLoggedIn("Your session has expired.")
        self.redirect(login.begin_login(self, self.service.hub.oauth, str(self.request.uri)))

    def send_error_reply(self, error: PmhError) -> None:
        if not hasattr(self, "caller"):
            self.caller = Caller("", "user", frozenset())
        self.set_status(error.status)
        self.render_page("error.html", error=error)

    def render_page(self, template: str, **values: Any) -> None:
        """Send a page rendered from a template of `service/templates`, with these variables. Values are escaped."""
        environment: Environment = self.settings["jinja"]
        oauth = self.service.hub.oauth
        token = login.get_session_token(self, oauth)
        page = environment.get_template(template).render(
            caller=self.caller,
            base_url=oauth.base_url,
            hub_home_url=f"{oauth.hub_host}{oauth.hub_prefix}home",
            xsrf=login.compute_xsrf_token(self.service.cookie_secret, token) if token else "",
            request_id=self.request_id,
            **values,
        )
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(page)


def parse_small_int(text: str) -> int | None:
    """Parse a string of 1 to 15 ASCII digits. Returns None for any other string."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def _read_authorization_token(request: HTTPServerRequest) -> str | None:
    """Return the token of an `Authorization: token …` (or `Bearer …`) header."""
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() or None if kind.lower() in {"token", "bearer"} else None

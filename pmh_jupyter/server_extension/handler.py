"""Base class of all handlers: owner-only access, a request id, and one format of errors."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

from jupyter_server.base.handlers import APIHandler

from pmh_jupyter.errors import NotAllowed, NotConnected, NotLoggedIn, PmhError

if TYPE_CHECKING:
    from pmh_jupyter.server_extension.context import ExtensionContext
    from pmh_jupyter.wire.base import WireModel


class Extension(Protocol):
    """The attributes of the extension application that handlers use."""

    @property
    def owner(self) -> str: ...

    @property
    def is_connected(self) -> bool: ...

    @property
    def context(self) -> ExtensionContext: ...


class OwnerHandler(APIHandler):
    """Serves the owner of the server only.

    JupyterHub may let other users into a shared server. They may use its kernels and files, but not the owner's identity at the
    service, so `prepare` rejects them before a method runs. Methods of leaf classes are also decorated with `authenticated` and
    `authorized`, so that an operator's authorizer applies too.
    """

    auth_resource = "pmh"
    needs_service = True
    # The panel polls on its own. If that counted as activity, an idle server would never be culled.
    _track_activity = False

    def initialize(self) -> None:
        self.request_id = uuid4().hex

    @property
    def extension(self) -> Extension:
        extension: Extension = self.settings["pmh_jupyter"]
        return extension

    @property
    def context(self) -> ExtensionContext:
        return self.extension.context

    async def prepare(self) -> None:  # type: ignore[override]
        self.set_header("X-Request-ID", self.request_id)
        self.set_header("Cache-Control", "no-store")
        await super().prepare()
        if self.current_user is None:
            raise NotLoggedIn("You are not logged in to this server.")
        if self.extension.owner and not is_owner(self.current_user, self.extension.owner):
            raise NotAllowed(
                "This server belongs to another user, and so do its lessons and grades.",
                advice="Open your own server to work on your own lessons.",
            )
        if self.needs_service and not self.extension.is_connected:
            raise NotConnected("This Jupyter server is not connected to a hub with courses.")

    def reply(self, message: WireModel, status: int = 200) -> None:
        """Reply with a model of `wire/` as JSON."""
        self.set_status(status)
        self.finish(message.model_dump_json())

    def log_exception(self, typ: Any, value: BaseException | None, tb: Any) -> None:
        """Log a traceback of unexpected errors only. `write_error` logs one line for every error."""
        # A ServiceError has a reply. Its class is not imported here, because that would import pydantic at every spawn.
        if not isinstance(value, PmhError) and not hasattr(value, "reply"):
            super().log_exception(typ, value, tb)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Reply to every error with an ErrorReply."""
        # Imported late, because it imports pydantic.
        from pmh_jupyter.server_extension.error_replies import to_error_response

        error = (kwargs.get("exc_info") or (None, None, None))[1]
        response = to_error_response(error, status_code, self.request_id)
        self.log.warning(
            "pmh: %s %s failed: %s %s: %s [request %s]",
            self.request.method,
            self.request.path,
            response.status,
            response.reply.code,
            response.reply.message,
            self.request_id,
        )
        self.set_status(response.status)
        # Tornado has cleared the headers that `prepare` had set.
        self.set_header("X-Request-ID", self.request_id)
        self.set_header("Cache-Control", "no-store")
        if response.retry_after is not None:
            self.set_header("Retry-After", str(math.ceil(response.retry_after)))
        self.finish(response.reply.model_dump_json())


def is_owner(user: Any, owner: str) -> bool:
    """Return whether the caller is the owner, not a Hub service that has the owner's name."""
    hub_user = getattr(user, "hub_user", None) or {}
    return bool(user.username == owner and hub_user.get("kind", "user") == "user")

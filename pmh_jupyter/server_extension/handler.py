"""What every route has in common: for the owner of the server only, one request id, one error shape."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from jupyter_server.base.handlers import APIHandler

from pmh_jupyter.errors import NotAllowed, NotConnected, NotLoggedIn, PmhError

if TYPE_CHECKING:
    from pmh_jupyter.server_extension.app import PmhExtension
    from pmh_jupyter.server_extension.context import ExtensionContext
    from pmh_jupyter.wire.base import WireModel


class OwnerHandler(APIHandler):
    """Base of every route.

    Sharing a server shares its kernels and files, not its owner's identity towards the service: whoever is let in besides the
    owner is refused here, before a method runs. The methods of leaf classes are decorated with `authenticated` and
    `authorized` all the same, so that an operator's authorizer has its say.
    """

    auth_resource = "pmh"
    needs_service = True
    # The panel reads by itself; only what a person does counts as activity, or an idle server would never be culled.
    _track_activity = False

    def initialize(self) -> None:
        self.request_id = uuid4().hex

    @property
    def extension(self) -> PmhExtension:
        extension: PmhExtension = self.settings["pmh_jupyter"]
        return extension

    @property
    def context(self) -> ExtensionContext:
        return self.extension.context

    async def prepare(self) -> None:  # type: ignore[override]
        self.set_header("X-Request-ID", self.request_id)
        self.set_header("Cache-Control", "no-store")
        await super().prepare()
        if self.current_user is None:
            raise NotLoggedIn("Nobody is logged in to this server.")
        if self.extension.owner and not is_owner(self.current_user, self.extension.owner):
            raise NotAllowed(
                "This server belongs to somebody else; its lessons and marks are theirs.",
                advice="Open your own server to work on your own lessons.",
            )
        if self.needs_service and not self.extension.is_connected:
            raise NotConnected("This Jupyter server is not connected to a hub with lessons.")

    def reply(self, message: WireModel, status: int = 200) -> None:
        """Answers with one of the models of `wire/`."""
        self.set_status(status)
        self.finish(message.model_dump_json())

    def log_exception(self, typ: Any, value: BaseException | None, tb: Any) -> None:
        """A failure that we tell of ourselves is one line in the log; anything else keeps its traceback."""
        if not isinstance(value, PmhError) and not hasattr(value, "reply"):
            super().log_exception(typ, value, tb)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Every failure as an `ErrorReply`. Imported here: only failures and the desk need it."""
        from pmh_jupyter.server_extension.error_replies import to_error_response

        error = (kwargs.get("exc_info") or (None, None, None))[1]
        failure = to_error_response(error, status_code, self.request_id)
        self.log.warning(
            "pmh: %s %s failed: %s %s: %s [request %s]",
            self.request.method,
            self.request.path,
            failure.status,
            failure.reply.code,
            failure.reply.message,
            self.request_id,
        )
        self.set_status(failure.status)
        # tornado has cleared what `prepare` had set.
        self.set_header("X-Request-ID", self.request_id)
        self.set_header("Cache-Control", "no-store")
        if failure.retry_after is not None:
            self.set_header("Retry-After", str(math.ceil(failure.retry_after)))
        self.finish(failure.reply.model_dump_json())


def is_owner(user: Any, owner: str) -> bool:
    """True for the owner as a person. The Hub also lets services in, and a service may be named like a person."""
    hub_user = getattr(user, "hub_user", None) or {}
    return bool(user.username == owner and hub_user.get("kind", "user") == "user")

"""Coming back from the Hub's log-in, and leaving."""

from __future__ import annotations

from pmh_jupyter.errors import BadInput, NotAllowed
from pmh_jupyter.service import login
from pmh_jupyter.service.handler import BaseHandler, PageHandler
from pmh_jupyter.service.logs import log

LOGIN_AGAIN_ADVICE = "Open the page you wanted once more; you will be asked to log in again."


class OAuthCallbackHandler(BaseHandler):
    """The Hub sends the browser here with a code, which becomes a session."""

    route_name = "oauth_callback"

    async def get(self) -> None:
        oauth = self.service.hub.oauth
        code, state = self.get_query_argument("code", ""), self.get_query_argument("state", "")
        if not code:
            raise BadInput("The hub did not complete the log-in.", advice=LOGIN_AGAIN_ADVICE)
        pending = login.finish_login(self, oauth, state)
        if pending is None:
            raise NotAllowed(
                "This log-in was begun in another browser, or more than ten minutes ago.", advice=LOGIN_AGAIN_ADVICE
            )
        token = await self.service.hub.token_for_code(code, pending.verifier)
        caller = await self.service.hub.find_caller(token)
        if caller is None:
            raise NotAllowed("The hub does not know the session it has just opened.", advice=LOGIN_AGAIN_ADVICE)
        login.open_session(self, oauth, token)
        log.info("session opened", kind=caller.kind)
        self.redirect(_safe_redirect_url(pending.next_url, oauth.base_url))


class LogoutHandler(PageHandler):
    """Ends this browser's session of the service; the Hub's own is ended at the Hub."""

    route_name = "logout"

    async def post(self) -> None:
        oauth = self.service.hub.oauth
        login.close_session(self, oauth)
        self.redirect(f"{oauth.hub_host}{oauth.hub_prefix}logout")


def _safe_redirect_url(url: str, base_url: str) -> str:
    """Only an address of ours is gone on to, whatever was in the cookie."""
    return url if url.startswith(base_url) else base_url

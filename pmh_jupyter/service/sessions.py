"""Coming back from the Hub's log-in, and leaving."""

from __future__ import annotations

from pmh_jupyter.errors import BadInput, NotAllowed
from pmh_jupyter.service import login
from pmh_jupyter.service.handler import BaseHandler, PageHandler
from pmh_jupyter.service.logs import log

AGAIN = "Open the page you wanted once more; you will be asked to log in again."


class OAuthCallback(BaseHandler):
    """The Hub sends the browser here with a code, which becomes a session."""

    route_name = "oauth_callback"

    async def get(self) -> None:
        oauth = self.service.hub.oauth
        code, state = self.get_query_argument("code", ""), self.get_query_argument("state", "")
        if not code:
            raise BadInput("The hub did not complete the log-in.", advice=AGAIN)
        pending = login.finish(self, oauth, state)
        if pending is None:
            raise NotAllowed("This log-in was begun in another browser, or more than ten minutes ago.", advice=AGAIN)
        token = await self.service.hub.token_for_code(code, pending.verifier)
        caller = await self.service.hub.caller(token)
        if caller is None:
            raise NotAllowed("The hub does not know the session it has just opened.", advice=AGAIN)
        login.open_session(self, oauth, token)
        log.info("session opened", kind=caller.kind)
        self.redirect(_here(pending.next_url, oauth.base_url))


class LogOut(PageHandler):
    """Ends this browser's session of the service; the Hub's own is ended at the Hub."""

    route_name = "logout"

    async def post(self) -> None:
        oauth = self.service.hub.oauth
        login.close_session(self, oauth)
        self.redirect(f"{oauth.hub_host}{oauth.hub_prefix}logout")


def _here(url: str, base: str) -> str:
    """Only an address of ours is gone on to, whatever was in the cookie."""
    return url if url.startswith(base) else base

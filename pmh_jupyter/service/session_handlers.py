"""The end of a login at the Hub, and logout."""

from __future__ import annotations

from pmh_jupyter.errors import BadInput, NotAllowed
from pmh_jupyter.service import login
from pmh_jupyter.service.handler import BaseHandler, PageHandler
from pmh_jupyter.service.logs import log

LOGIN_AGAIN_ADVICE = "Open the page again; you will be asked to log in."


class OAuthCallbackHandler(BaseHandler):
    """Receives the browser from the Hub with an authorization code, and opens a session."""

    route_name = "oauth_callback"

    async def get(self) -> None:
        oauth = self.service.hub.oauth
        code, state = self.get_query_argument("code", ""), self.get_query_argument("state", "")
        if not code:
            raise BadInput("The hub did not complete the login.", advice=LOGIN_AGAIN_ADVICE)
        pending_login = login.finish_login(self, oauth, state)
        if pending_login is None:
            raise NotAllowed(
                "You started this login in another browser, or more than ten minutes ago.", advice=LOGIN_AGAIN_ADVICE
            )
        token = await self.service.hub.exchange_code_for_token(code, pending_login.verifier)
        caller = await self.service.hub.find_caller(token)
        if caller is None:
            raise NotAllowed(
                "The hub does not recognize the session that it has just opened.", advice=LOGIN_AGAIN_ADVICE
            )
        login.open_session(self, oauth, token)
        log.info("session opened", kind=caller.kind)
        self.redirect(_choose_redirect_url(pending_login.next_url, oauth.base_url))


class LogoutHandler(PageHandler):
    """Closes the browser's session of the service, then redirects to the Hub, which closes its own."""

    route_name = "logout"

    async def post(self) -> None:
        oauth = self.service.hub.oauth
        login.close_session(self, oauth)
        self.redirect(f"{oauth.hub_host}{oauth.hub_prefix}logout")


def _choose_redirect_url(url: str, base_url: str) -> str:
    """Return the URL if it belongs to the service, else the service's home page."""
    return url if url.startswith(base_url) else base_url

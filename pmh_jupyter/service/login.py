"""A browser's log-in through the Hub (OAuth, code with PKCE), and the session that comes of it.

What must be remembered between leaving for the Hub and coming back, where to go and the verifier, travels in a cookie that is
signed, expires in ten minutes, and is bound to the `state` of this very attempt by its name. So any process of the service
can finish what another began, and two tabs can log in at once. A session is the token that the Hub gave, in a signed cookie.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass

from jupyterhub.services.auth import HubOAuth
from jupyterhub.utils import get_browser_protocol
from tornado.httputil import url_concat
from tornado.web import RequestHandler

STATE_COOKIE_SECONDS = 600
_STATE_COOKIE_PREFIX = "pmh-login-"


@dataclass(frozen=True)
class PendingLogin:
    """A log-in on its way: the page to go on to, and the PKCE verifier."""

    next_url: str
    verifier: str


def begin_login(handler: RequestHandler, oauth: HubOAuth, next_url: str) -> str:
    """Sets the cookie and returns the Hub's address to send the browser to."""
    verifier, challenge, method = oauth.generate_pkce_code_challenge()
    state = secrets.token_hex(16)
    value = json.dumps({"next": next_url, "verifier": verifier})
    _set_signed_cookie(handler, oauth, _STATE_COOKIE_PREFIX + state, value, max_age=STATE_COOKIE_SECONDS)
    query = {"state": state, "code_challenge": challenge, "code_challenge_method": method}
    return str(url_concat(oauth.login_url, query))


def finish_login(handler: RequestHandler, oauth: HubOAuth, state: str) -> PendingLogin | None:
    """Takes the log-in that `state` names from its cookie, once; None: begun elsewhere, altered or too long ago."""
    if not (state.isascii() and state.isalnum()):
        return None
    name = _STATE_COOKIE_PREFIX + state
    value = handler.get_signed_cookie(name, max_age_days=STATE_COOKIE_SECONDS / 86400)
    handler.clear_cookie(name, path=oauth.cookie_path)
    if value is None:
        return None
    data = json.loads(value)
    return PendingLogin(str(data["next"]), str(data["verifier"]))


def open_session(handler: RequestHandler, oauth: HubOAuth, token: str) -> None:
    """Keeps the Hub's token in the browser until it is closed or the Hub takes the token back."""
    _set_signed_cookie(handler, oauth, oauth.cookie_name, token)


def close_session(handler: RequestHandler, oauth: HubOAuth) -> None:
    """Forgets the session in this browser."""
    handler.clear_cookie(oauth.cookie_name, path=oauth.cookie_path)


def session_token(handler: RequestHandler, oauth: HubOAuth) -> str | None:
    """The Hub's token of this browser's session, if it has one."""
    value = handler.get_signed_cookie(oauth.cookie_name)
    return value.decode("ascii", "replace") if value else None


def xsrf_token(cookie_secret: bytes, token: str) -> str:
    """What a page of ours puts into its forms and requests: only who can read our pages in this session knows it."""
    return hmac.new(cookie_secret, b"xsrf:" + token.encode(), hashlib.sha256).hexdigest()


def needs_xsrf_check(method: str, fetch_mode: str) -> bool:
    """False for a page that a person navigates to. Everything else could be another page's script on the same address.

    All users' servers share the hub's origin, so that a script of one of them can send requests with this browser's cookies:
    reads are protected like writes. Old browsers and programs send no Sec-Fetch-Mode; they may read.
    """
    is_read = method in {"GET", "HEAD", "OPTIONS"}
    return not (is_read and fetch_mode in {"", "navigate"})


def _set_signed_cookie(
    handler: RequestHandler, oauth: HubOAuth, name: str, value: str, max_age: int | None = None
) -> None:
    handler.set_signed_cookie(
        name,
        value,
        expires_days=None,
        max_age=max_age,
        path=oauth.cookie_path,
        httponly=True,
        samesite="Lax",
        secure=get_browser_protocol(handler.request) == "https",
    )

"""Login of a browser through the Hub (OAuth authorization code with PKCE), and the session that results from it.

The data of a login in progress (the page to return to, the PKCE verifier) is in a signed cookie that expires after ten minutes and has
the login's `state` in its name. So any process of the service can finish a login that another process began, and two tabs can log in at
the same time. A session is a signed cookie with the token that the Hub issued.
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
    """A login in progress: the page to return to, and the PKCE verifier."""

    next_url: str
    verifier: str


def begin_login(handler: RequestHandler, oauth: HubOAuth, next_url: str) -> str:
    """Set the cookie of a new login, and return the Hub's URL to redirect to."""
    verifier, challenge, method = oauth.generate_pkce_code_challenge()
    state = secrets.token_hex(16)
    value = json.dumps({"next": next_url, "verifier": verifier})
    _set_signed_cookie(handler, oauth, _STATE_COOKIE_PREFIX + state, value, max_age=STATE_COOKIE_SECONDS)
    query = {"state": state, "code_challenge": challenge, "code_challenge_method": method}
    return str(url_concat(oauth.login_url, query))


def finish_login(handler: RequestHandler, oauth: HubOAuth, state: str) -> PendingLogin | None:
    """Return the login with this `state` and delete its cookie. Returns None if the cookie is missing, altered or expired."""
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
    """Store the Hub's token in a session cookie. The session ends when the browser closes or the Hub revokes the token."""
    _set_signed_cookie(handler, oauth, oauth.cookie_name, token)


def close_session(handler: RequestHandler, oauth: HubOAuth) -> None:
    """Delete the session cookie."""
    handler.clear_cookie(oauth.cookie_name, path=oauth.cookie_path)


def get_session_token(handler: RequestHandler, oauth: HubOAuth) -> str | None:
    """Return the Hub's token of the browser's session, or None."""
    value = handler.get_signed_cookie(oauth.cookie_name)
    return value.decode("ascii", "replace") if value else None


def compute_xsrf_token(cookie_secret: bytes, token: str) -> str:
    """Compute the XSRF token of a session, which pages of the service include in forms and requests. Other pages cannot read it."""
    return hmac.new(cookie_secret, b"xsrf:" + token.encode(), hashlib.sha256).hexdigest()


def needs_xsrf_check(method: str, fetch_mode: str) -> bool:
    """Return whether the request needs the XSRF token: every request except a read that navigates to a page.

    All users' servers share the hub's origin, so a script on one of them can send requests with this browser's cookies, and could read
    the responses. Therefore reads by scripts need the XSRF token like writes. Old browsers and programs send no Sec-Fetch-Mode; they may
    read without it.
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

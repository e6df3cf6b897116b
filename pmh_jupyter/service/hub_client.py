"""Asking the Hub who a token belongs to. Nothing else says who somebody is.

Answers are kept for at most a minute, so that a token that was taken back works no longer than that, and under the token's hash,
so that no token stands in memory longer than its request. A Hub that does not answer is told apart from a Hub that says no.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from jupyterhub.httpclient import JupyterHubHTTPClient
from jupyterhub.services.auth import HubOAuth
from tornado.web import HTTPError

from pmh_jupyter.config import Settings
from pmh_jupyter.errors import BadInput, Unavailable

CALLER_CACHE_SECONDS = 60.0
REJECTED_CACHE_SECONDS = 10.0
CACHE_SIZE = 20_000
REQUEST_TIMEOUT_SECONDS = 10.0
MAX_CONCURRENT_REQUESTS = 32


@dataclass(frozen=True)
class Caller:
    """Who a token belongs to, as the Hub says. `kind` is "user" or "service"; `session`: it came in a browser session's cookie."""

    name: str
    kind: str
    scopes: frozenset[str]
    has_session: bool = False


class HubClient:
    """The Hub as the service sees it. `oauth` holds addresses, client id and our own token; `clock` gives monotonic seconds."""

    def __init__(self, oauth: HubOAuth, clock: Callable[[], float]) -> None:
        self.oauth = oauth
        self._clock = clock
        self._caller_cache: OrderedDict[str, tuple[float, Caller | None]] = OrderedDict()
        self._request_slots = asyncio.Semaphore(MAX_CONCURRENT_REQUESTS)

    async def find_caller(self, token: str) -> Caller | None:
        """The owner of a token; None when the Hub does not know it. Raises Unavailable when the Hub cannot be asked."""
        key = hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
        cached = self._caller_cache.get(key)
        if cached and cached[0] > self._clock():
            return cached[1]
        caller = await self._query_hub(token)
        self._caller_cache.pop(key, None)
        self._caller_cache[key] = (self._clock() + (CALLER_CACHE_SECONDS if caller else REJECTED_CACHE_SECONDS), caller)
        while len(self._caller_cache) > CACHE_SIZE:
            self._caller_cache.popitem(last=False)
        return caller

    async def token_for_code(self, code: str, verifier: str) -> str:
        """Trades the code of a finished log-in for the session's token."""
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT_SECONDS):
                token: str = await self.oauth.token_for_code(code, code_verifier=verifier, sync=False)
        except (HTTPError, TimeoutError) as error:
            raise Unavailable("The hub did not complete the log-in.") from error
        return token

    async def close(self) -> None:
        """Closes the connections that this event loop keeps to the Hub."""
        await JupyterHubHTTPClient.loop_instance().close()

    async def _query_hub(self, token: str) -> Caller | None:
        if not token.isascii() or not token.isprintable():
            return None  # such a token cannot stand in a header, so the Hub never gave it out
        try:
            async with self._request_slots, asyncio.timeout(REQUEST_TIMEOUT_SECONDS):
                model = await self.oauth.user_for_token(token, use_cache=False, sync=False)
        except (HTTPError, TimeoutError) as error:
            raise Unavailable("The hub cannot be asked who you are.") from error
        return _to_caller(model) if model else None


def _to_caller(model: dict[str, Any]) -> Caller:
    return Caller(
        name=str(model["name"]),
        kind=str(model.get("kind", "user")),
        scopes=frozenset(model.get("scopes", ())),
    )


def make_hub_oauth(environ: Mapping[str, str]) -> HubOAuth:
    """The Hub's addresses and our token from JUPYTERHUB_* variables, as the Hub sets them for a service that it manages.

    A service that is started alone needs at least JUPYTERHUB_API_URL and JUPYTERHUB_API_TOKEN; the rest has the values of
    a service named `pmh`. Raises BadInput when the token is missing.
    """
    token = environ.get("JUPYTERHUB_API_TOKEN")
    if not token:
        raise BadInput(
            "JUPYTERHUB_API_TOKEN is not set, so the service cannot ask the hub who anybody is.",
            advice="Let JupyterHub start the service, or set the token of a service of that name and JUPYTERHUB_API_URL.",
        )
    settings = Settings.from_environ(environ)
    hub_prefix = f"{environ.get('JUPYTERHUB_BASE_URL') or settings.base_url}hub/"
    prefix = environ.get("JUPYTERHUB_SERVICE_PREFIX") or settings.service_path
    name = environ.get("JUPYTERHUB_SERVICE_NAME") or "pmh"
    return HubOAuth(
        base_url=prefix,
        hub_prefix=hub_prefix,
        api_url=environ.get("JUPYTERHUB_API_URL") or f"http://127.0.0.1:8081{hub_prefix}api",
        api_token=token,
        oauth_client_id=environ.get("JUPYTERHUB_CLIENT_ID") or f"service-{name}",
        hub_host=environ.get("JUPYTERHUB_HOST", ""),
        access_scopes={f"access:services!service={name}", "access:services"},
    )

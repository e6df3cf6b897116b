"""Asks the Hub who owns a token. The service has no other source of identity.

Responses are cached for at most a minute, so a revoked token stops working within that time. The cache's keys are hashes of tokens, so
no token stays in memory longer than its request. If the Hub does not respond, Unavailable is raised; a rejected token has no owner.
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
    """The owner of a token, as reported by the Hub.

    kind: "user" or "service".
    has_session: the token came from the cookie of a browser session.
    """

    name: str
    kind: str
    scopes: frozenset[str]
    has_session: bool = False


class HubClient:
    """Calls the Hub's API.

    oauth: JupyterHub's client, with the Hub's URLs, the service's client id and its token.
    clock: monotonic seconds.
    """

    def __init__(self, oauth: HubOAuth, clock: Callable[[], float]) -> None:
        self.oauth = oauth
        self._clock = clock
        self._caller_cache: OrderedDict[str, tuple[float, Caller | None]] = OrderedDict()
        self._request_slots = asyncio.Semaphore(MAX_CONCURRENT_REQUESTS)

    async def find_caller(self, token: str) -> Caller | None:
        """Return the owner of a token, or None if the Hub does not know it. Raises Unavailable if the Hub does not respond."""
        key = hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
        cache_entry = self._caller_cache.get(key)
        if cache_entry and cache_entry[0] > self._clock():
            return cache_entry[1]
        caller = await self._query_hub(token)
        self._caller_cache.pop(key, None)
        self._caller_cache[key] = (self._clock() + (CALLER_CACHE_SECONDS if caller else REJECTED_CACHE_SECONDS), caller)
        while len(self._caller_cache) > CACHE_SIZE:
            self._caller_cache.popitem(last=False)
        return caller

    async def exchange_code_for_token(self, code: str, verifier: str) -> str:
        """Exchange the authorization code of a login for the session's token. Raises Unavailable."""
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT_SECONDS):
                token: str = await self.oauth.token_for_code(code, code_verifier=verifier, sync=False)
        except (HTTPError, TimeoutError) as error:
            raise Unavailable("The hub did not complete the login.") from error
        return token

    async def close(self) -> None:
        """Close this event loop's connections to the Hub."""
        await JupyterHubHTTPClient.loop_instance().close()

    async def _query_hub(self, token: str) -> Caller | None:
        if not token.isascii() or not token.isprintable():
            return None  # cannot be sent in a header, so the Hub never issued it
        try:
            async with self._request_slots, asyncio.timeout(REQUEST_TIMEOUT_SECONDS):
                model = await self.oauth.user_for_token(token, use_cache=False, sync=False)
        except (HTTPError, TimeoutError) as error:
            raise Unavailable("The hub does not respond, so the service cannot check who you are.") from error
        return _to_caller(model) if model else None


def _to_caller(model: dict[str, Any]) -> Caller:
    return Caller(
        name=str(model["name"]),
        kind=str(model.get("kind", "user")),
        scopes=frozenset(model.get("scopes", ())),
    )


def make_hub_oauth(environ: Mapping[str, str]) -> HubOAuth:
    """Create JupyterHub's client from the JUPYTERHUB_* variables that the Hub sets for a managed service.

    A service that runs on its own needs at least JUPYTERHUB_API_URL and JUPYTERHUB_API_TOKEN; the other variables default to the
    values of a service named `pmh`. Raises BadInput if the token is missing.
    """
    token = environ.get("JUPYTERHUB_API_TOKEN")
    if not token:
        raise BadInput(
            "JUPYTERHUB_API_TOKEN is not set, so the service cannot authenticate users.",
            advice="Let JupyterHub start the service, or set JUPYTERHUB_API_URL and the API token of the service.",
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

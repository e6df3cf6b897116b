"""The `accounts` authenticator: people sign up by themselves with a classroom's join code, and log in with a password.

JupyterHub decides who somebody is by what this says; who may do what in a classroom is the service's to know.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from jupyterhub.auth import Authenticator
from tornado import web
from traitlets import Unicode, default

from pmh_jupyter.hub.accounts import pages
from pmh_jupyter.hub.accounts.enrol import enrol
from pmh_jupyter.hub.accounts.names import name_problem, normal_name
from pmh_jupyter.hub.accounts.store import AccountStore, Match
from pmh_jupyter.hub.accounts.throttle import Throttle

HASHES_AT_ONCE = 2
"""Each takes a core and 64 MiB: a flood of log-ins waits in line rather than stopping the hub."""

T = TypeVar("T")


def ensure_admin(path: Path, name: str) -> str | None:
    """Makes the first administrator's account in the accounts file; returns its password for one use, or None when it is there."""
    store = AccountStore(path)
    return None if store.knows(normal_name(name)) else store.reset(normal_name(name))


class AccountsAuthenticator(Authenticator):  # type: ignore[misc]
    """Names and passwords from our own store. The pages are in pages."""

    path = Unicode(help="The accounts file.").tag(config=True)
    service_url = Unicode(help="The service's address, as the hub reaches it.").tag(config=True)
    service_token = Unicode(help="The credential with which join codes are redeemed.").tag(config=True)

    @default("any_allow_config")
    def _default_any_allowed(self) -> bool:
        return True

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.store = AccountStore(Path(self.path))
        self.throttle = Throttle(time.monotonic)
        self._hashing = ThreadPoolExecutor(HASHES_AT_ONCE, "pmh-accounts")

    async def in_pool(self, work: Callable[..., T], *arguments: Any) -> T:
        """Runs one of the store's functions apart from the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._hashing, work, *arguments)

    def normalize_username(self, username: str) -> str:
        return normal_name(username)

    async def authenticate(self, handler: Any, data: dict[str, str]) -> str | None:
        """The name when the password is right. Raises HTTPError with a sentence for the page when it is not looked at or not enough."""
        name = normal_name(data.get("username", ""))
        match = await self.match(name, data.get("password", ""), handler.request.remote_ip)
        if match is Match.ONE_TIME:
            raise pages.OneTimePassword
        return name if match is Match.YES else None

    async def match(self, name: str, password: str, address: str) -> Match:
        """Whether this is the password; counts the failure. Raises HTTPError 429 for who has failed too often."""
        self.refuse_hurry(name, address)
        match = await self.in_pool(self.store.check, name, password)
        if match is Match.NO:
            self.throttle.failed(name, address)
        else:
            self.throttle.succeeded(name, address)
        return match

    def refuse_hurry(self, name: str, address: str) -> None:
        """Raises HTTPError 429 when too much has failed; what is refused so is not even looked at."""
        wait = self.throttle.wait(name, address)
        if wait > 0:
            minutes = max(1, round(wait / 60))
            raise web.HTTPError(
                429,
                f"Too many tries. Wait {minutes} minute{'s' if minutes > 1 else ''}, then try again.",
                reason="Too Many Requests",
            )

    def name_taken(self, name: str, hub_has: bool) -> str | None:
        """What is wrong with a name for a new account; None when it is free. An administrator's name is never given away."""
        if problem := name_problem(name):
            return problem
        if hub_has or name in self.admin_users or self.store.knows(name):
            return "This name is taken. Choose another."
        return None

    async def sign_up(self, name: str, password: str, join_code: str) -> None:
        """Makes an account and the classroom's member, or neither. Raises Conflict, BadJoinCode or Unavailable."""
        await self.in_pool(self.store.begin, name, password)
        try:
            await enrol(self.service_url, self.service_token, name, join_code)
        except BaseException:
            await asyncio.shield(self.in_pool(self.store.give_up, name))
            raise
        await self.in_pool(self.store.finish, name)

    def delete_user(self, user: Any) -> None:
        """Who is removed from the Hub can no longer log in, and nobody else gets their name: home and grades are known by it."""
        super().delete_user(user)
        self.store.retire(user.name)

    def get_handlers(self, app: Any) -> list[tuple[str, type]]:
        return pages.handlers()

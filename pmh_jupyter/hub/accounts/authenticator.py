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
from pmh_jupyter.hub.accounts.credential_rules import name_problem, normalize_name
from pmh_jupyter.hub.accounts.enrol import enrol
from pmh_jupyter.hub.accounts.store import AccountStore, PasswordMatch
from pmh_jupyter.hub.accounts.throttle import LoginThrottle

MAX_CONCURRENT_HASHES = 2
"""Each takes a core and 64 MiB: a flood of log-ins waits in line rather than stopping the hub."""

T = TypeVar("T")


def ensure_admin(path: Path, name: str) -> str | None:
    """Makes the first administrator's account in the accounts file; returns its password for one use, or None when it is there."""
    store = AccountStore(path)
    return None if store.is_taken(normalize_name(name)) else store.reset_password(normalize_name(name))


class AccountsAuthenticator(Authenticator):  # type: ignore[misc]
    """Names and passwords from our own store. The pages are in pages."""

    path = Unicode(help="The accounts file.").tag(config=True)
    service_url = Unicode(help="The service's address, as the hub reaches it.").tag(config=True)
    service_token = Unicode(help="The credential with which join codes are redeemed.").tag(config=True)

    @default("any_allow_config")
    def _default_any_allow_config(self) -> bool:
        return True

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.store = AccountStore(Path(self.path))
        self.throttle = LoginThrottle(time.monotonic)
        self._hashing_pool = ThreadPoolExecutor(MAX_CONCURRENT_HASHES, "pmh-accounts")

    async def run_in_pool(self, function: Callable[..., T], *arguments: Any) -> T:
        """Runs one of the store's functions apart from the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._hashing_pool, function, *arguments)

    def normalize_username(self, username: str) -> str:
        return normalize_name(username)

    async def authenticate(self, handler: Any, data: dict[str, str]) -> str | None:
        """The name when the password is right. Raises HTTPError with a sentence for the page when it is not looked at or not enough."""
        name = normalize_name(data.get("username", ""))
        password_match = await self.check_password(name, data.get("password", ""), handler.request.remote_ip)
        if password_match is PasswordMatch.ONE_TIME:
            raise pages.PasswordChangeRequired
        return name if password_match is PasswordMatch.YES else None

    async def check_password(self, name: str, password: str, address: str) -> PasswordMatch:
        """Whether this is the password; counts the failure. Raises HTTPError 429 for who has failed too often."""
        self.check_throttle(name, address)
        password_match = await self.run_in_pool(self.store.check_password, name, password)
        if password_match is PasswordMatch.NO:
            self.throttle.record_failure(name, address)
        else:
            self.throttle.record_success(name, address)
        return password_match

    def check_throttle(self, name: str, address: str) -> None:
        """Raises HTTPError 429 when too much has failed; what is refused so is not even looked at."""
        wait_seconds = self.throttle.wait_seconds(name, address)
        if wait_seconds > 0:
            minutes = max(1, round(wait_seconds / 60))
            raise web.HTTPError(
                429,
                f"Too many tries. Wait {minutes} minute{'s' if minutes > 1 else ''}, then try again.",
                reason="Too Many Requests",
            )

    def new_name_problem(self, name: str, is_hub_user: bool) -> str | None:
        """What is wrong with a name for a new account; None when it is free. An administrator's name is never given away."""
        if problem := name_problem(name):
            return problem
        if is_hub_user or name in self.admin_users or self.store.is_taken(name):
            return "This name is taken. Choose another."
        return None

    async def sign_up(self, name: str, password: str, join_code: str) -> None:
        """Makes an account and the classroom's member, or neither. Raises Conflict, BadJoinCode or Unavailable."""
        await self.run_in_pool(self.store.reserve_name, name, password)
        try:
            await enrol(self.service_url, self.service_token, name, join_code)
        except BaseException:
            await asyncio.shield(self.run_in_pool(self.store.release_name, name))
            raise
        await self.run_in_pool(self.store.activate, name)

    def delete_user(self, user: Any) -> None:
        """Who is removed from the Hub can no longer log in, and nobody else gets their name: home and grades are known by it."""
        super().delete_user(user)
        self.store.retire(user.name)

    def get_handlers(self, app: Any) -> list[tuple[str, type]]:
        return pages.handlers()

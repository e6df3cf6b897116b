"""The `accounts` authenticator: people sign up with a classroom's join code, and log in with a name and a password.

It identifies people to JupyterHub. The service decides what they may do in a classroom.
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
from pmh_jupyter.hub.accounts.credential_rules import find_name_problem, normalize_name
from pmh_jupyter.hub.accounts.enrol import enrol
from pmh_jupyter.hub.accounts.store import AccountStore, PasswordMatch
from pmh_jupyter.hub.accounts.throttle import LoginThrottle

# Each hash takes a core and 64 MiB. Further log-ins wait, so that many log-ins at once do not block the hub.
MAX_CONCURRENT_HASHES = 2

T = TypeVar("T")


class AccountsAuthenticator(Authenticator):  # type: ignore[misc]
    """Checks names and passwords against the account store. Its pages are in `pages`."""

    path = Unicode(help="Path of the accounts file.").tag(config=True)
    service_url = Unicode(help="Address of the service as the hub reaches it.").tag(config=True)
    service_token = Unicode(help="Token with which join codes are redeemed at the service.").tag(config=True)

    @default("any_allow_config")
    def _default_any_allow_config(self) -> bool:
        return True

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.store = AccountStore(Path(self.path))
        self.throttle = LoginThrottle(time.monotonic)
        self._hashing_pool = ThreadPoolExecutor(MAX_CONCURRENT_HASHES, "pmh-accounts")

    async def run_in_pool(self, function: Callable[..., T], *arguments: Any) -> T:
        """Run a function of the store in a thread pool, because hashing would block the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self._hashing_pool, function, *arguments)

    def normalize_username(self, username: str) -> str:
        return normalize_name(username)

    async def authenticate(self, handler: Any, data: dict[str, str]) -> str | None:
        """Return the name if the password is right, else None.

        Raises HTTPError with a text for the log-in page: after too many attempts, or if the password is a one-time password.
        """
        name = normalize_name(data.get("username", ""))
        password_match = await self.check_password(name, data.get("password", ""), handler.request.remote_ip)
        if password_match is PasswordMatch.ONE_TIME:
            raise pages.PasswordChangeRequired
        return name if password_match is PasswordMatch.YES else None

    async def check_password(self, name: str, password: str, address: str) -> PasswordMatch:
        """Check a password and count a failure. Raises HTTPError 429 after too many failures."""
        self.require_not_throttled(name, address)
        password_match = await self.run_in_pool(self.store.check_password, name, password)
        if password_match is PasswordMatch.NO:
            self.throttle.record_failure(name, address)
        else:
            self.throttle.record_success(name, address)
        return password_match

    def require_not_throttled(self, name: str, address: str) -> None:
        """Raise HTTPError 429 after too many failures. Even the right password is not accepted then."""
        wait_seconds = self.throttle.compute_wait_seconds(name, address)
        if wait_seconds > 0:
            minutes = max(1, round(wait_seconds / 60))
            raise web.HTTPError(
                429,
                f"Too many attempts. Wait {minutes} minute{'s' if minutes > 1 else ''}, then try again.",
                reason="Too Many Requests",
            )

    def find_new_name_problem(self, name: str, is_hub_user: bool) -> str | None:
        """Return the problem with the name of a new account, or None. Nobody can sign up with an administrator's name."""
        if problem := find_name_problem(name):
            return problem
        if is_hub_user or name in self.admin_users or self.store.is_taken(name):
            return "This username is taken. Choose another."
        return None

    async def sign_up(self, name: str, password: str, join_code: str) -> None:
        """Create an account and a member of the classroom, or neither. Raises Conflict, BadJoinCode or Unavailable."""
        await self.run_in_pool(self.store.reserve_name, name, password)
        try:
            await enrol(self.service_url, self.service_token, name, join_code)
        except BaseException:
            await asyncio.shield(self.run_in_pool(self.store.release_name, name))
            raise
        await self.run_in_pool(self.store.activate, name)

    def delete_user(self, user: Any) -> None:
        """Retire the account of a user who is deleted at the Hub. The name stays taken, because home and grades belong to it."""
        super().delete_user(user)
        self.store.retire(user.name)

    def get_handlers(self, app: Any) -> list[tuple[str, type]]:
        return pages.list_handlers()

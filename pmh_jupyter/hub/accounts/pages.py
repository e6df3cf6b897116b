"""Pages to log in, sign up, change a password, and (for administrators) reset one.

They extend the Hub's own templates. Problems appear beside their fields. Pages are not cached, because they may show a password.
"""

from __future__ import annotations

from typing import Any

from jupyterhub import orm
from jupyterhub.handlers.base import BaseHandler
from jupyterhub.handlers.login import LoginHandler
from jupyterhub.scopes import needs_scope
from jupyterhub.utils import url_path_join
from tornado import web
from tornado.httputil import url_concat

from pmh_jupyter.errors import Conflict, PmhError
from pmh_jupyter.hub.accounts.credential_rules import find_password_problem, normalize_name
from pmh_jupyter.hub.accounts.enrol import BadJoinCode
from pmh_jupyter.hub.accounts.store import PasswordMatch

MAX_ROWS = 200


class PasswordChangeRequired(web.HTTPError):
    """The password is right, but for one use only: its owner must choose a new one."""

    def __init__(self) -> None:
        super().__init__(403, "This is a one-time password. Choose a new password.")


class LoginPage(LoginHandler):  # type: ignore[misc]
    """Logs a person in, as the Hub's own page does. A one-time password redirects to the page to choose a new one."""

    async def post(self) -> None:
        if not {"username", "password"} <= set(self.request.body_arguments):
            raise web.HTTPError(400, "Fill in your username and your password.")
        try:
            await super().post()
        except PasswordChangeRequired:
            query_arguments = {
                "name": normalize_name(self.get_argument("username")),
                "next": self.get_argument("next", ""),
            }
            self.redirect(url_concat(url_path_join(self.hub.base_url, "password"), query_arguments))


class AccountPage(BaseHandler):  # type: ignore[misc]
    """Base of the pages with a form. If there are problems, the page is shown again with the typed values, but no password."""

    template = ""

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header("Cache-Control", "no-store")

    def read_form_field(self, name: str) -> str:
        """Return the typed value; empty if the field is absent."""
        value: str = self.get_body_argument(name, "", strip=False)
        return value

    async def render_form(self, problems: dict[str, str] | None = None, status: int = 200, **values: Any) -> None:
        """Send the page with its form. `problems` are by field; "form" is the key of problems with the form as a whole."""
        self.set_status(400 if problems and status == 200 else status)
        page = await self.render_template(
            self.template, problems=problems or {}, next=self.get_argument("next", ""), **({"typed_name": ""} | values)
        )
        self.finish(page)

    async def log_in_and_redirect(self, name: str, password: str) -> None:
        """Log in a person who has just chosen this password, and redirect to the page that they requested."""
        user = await self.login_user({"username": name, "password": password})
        self._jupyterhub_user = user
        self.redirect(self.get_next_url(user))

    @property
    def remote_address(self) -> str:
        return str(self.request.remote_ip)


class SignUpPage(AccountPage):
    """Creates an account with a name, a password and a join code."""

    template = "pmh-signup.html"

    async def get(self) -> None:
        if self.current_user:
            self.redirect(self.get_next_url(self.current_user))
            return
        await self.render_form(join_code=self.get_argument("join_code", ""))

    async def post(self) -> None:
        authenticator = self.authenticator
        name, password, join_code = (
            normalize_name(self.read_form_field("name")),
            self.read_form_field("password"),
            self.read_form_field("join_code").strip(),
        )
        problems = {
            "name": authenticator.find_new_name_problem(name, is_hub_user=self.find_user(name) is not None),
            "password": find_password_problem(name, password),
            "join_code": None if join_code else "Type the code that your instructor gave you.",
        }
        form_problems = {field: problem for field, problem in problems.items() if problem}
        if not form_problems:
            form_problems = await self._sign_up(name, password, join_code)
        if form_problems:
            await self.render_form(form_problems, typed_name=name, join_code=join_code)
        else:
            await self.log_in_and_redirect(name, password)

    async def _sign_up(self, name: str, password: str, join_code: str) -> dict[str, str]:
        """Create the account. Returns problems by field, empty on success. Wrong codes count as failures, like wrong passwords."""
        authenticator = self.authenticator
        authenticator.require_not_throttled("", self.remote_address)
        try:
            await authenticator.sign_up(name, password, join_code)
        except Conflict as error:
            return {"name": error.message}
        except BadJoinCode as error:
            authenticator.throttle.record_failure("", self.remote_address)
            return {"join_code": f"{error.message} {error.advice}"}
        except PmhError as error:
            self.log.error("Sign-up failed", exc_info=True)
            return {"form": f"{error.message} {error.advice}"}
        return {}


class PasswordPage(AccountPage):
    """Changes a password. Its owner types the current one, and is logged in or has a one-time password."""

    template = "pmh-password.html"

    async def get(self) -> None:
        await self.render_form(
            typed_name=normalize_name(self.get_argument("name", "")), current_user_name=self._get_current_user_name()
        )

    async def post(self) -> None:
        authenticator = self.authenticator
        name = self._get_current_user_name() or normalize_name(self.read_form_field("name"))
        password = self.read_form_field("new_password")
        problem = find_password_problem(name, password)
        if problem:
            await self.render_form(
                {"new_password": problem}, typed_name=name, current_user_name=self._get_current_user_name()
            )
            return
        password_match = await authenticator.check_password(name, self.read_form_field("password"), self.remote_address)
        if password_match is PasswordMatch.NO:
            await self.render_form(
                {"password": "This is not your current password."},
                typed_name=name,
                current_user_name=self._get_current_user_name(),
            )
            return
        await authenticator.run_in_pool(authenticator.store.set_password, name, password)
        end_sessions(self, name)
        await self.log_in_and_redirect(name, password)

    def _get_current_user_name(self) -> str | None:
        return self.current_user.name if self.current_user else None


class AccountsPage(AccountPage):
    """Lists accounts, and resets a password to a one-time password. For administrators."""

    template = "pmh-accounts.html"

    @web.authenticated
    @needs_scope("admin:users")  # type: ignore[untyped-decorator]
    async def get(self) -> None:
        await self._render_accounts()

    @web.authenticated
    @needs_scope("admin:users")  # type: ignore[untyped-decorator]
    async def post(self) -> None:
        name = normalize_name(self.read_form_field("name"))
        if not self.authenticator.store.is_taken(name) and self.find_user(name) is None:
            await self._render_accounts({"name": "No account has this username."}, typed_name=name)
            return
        password = await self.authenticator.run_in_pool(self.authenticator.store.reset_password, name)
        end_sessions(self, name)
        self.log.info("%s reset the password of %s", self.current_user.name, name)
        await self._render_accounts(reset_name=name, password=password)

    async def _render_accounts(self, problems: dict[str, str] | None = None, **values: Any) -> None:
        query = normalize_name(self.get_query_argument("q", ""))
        accounts = [account for account in self.authenticator.store.list_accounts() if query in account.name]
        await self.render_form(
            problems, accounts=accounts[:MAX_ROWS], account_count=len(accounts), query=query, **values
        )


def end_sessions(handler: BaseHandler, name: str) -> None:
    """Log a person out everywhere: somebody else may have used the old password. Servers keep running."""
    user = handler.db.query(orm.User).filter_by(name=name).first()
    if user is None:
        return
    user.cookie_id = orm.new_token()
    for token in user.api_tokens:
        if token.session_id:
            handler.db.delete(token)
    handler.db.commit()
    if handler.current_user and handler.current_user.name == name:
        handler._jupyterhub_user = None


def list_handlers() -> list[tuple[str, type]]:
    """Return the routes, relative to the Hub's base URL."""
    return [("/login", LoginPage), ("/signup", SignUpPage), ("/password", PasswordPage), ("/accounts", AccountsPage)]

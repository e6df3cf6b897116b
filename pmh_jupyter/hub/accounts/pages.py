"""The pages of the accounts: log in, sign up, change a password, and for administrators reset one.

They extend the Hub's own templates. What is wrong is said beside the field it is about; a page that shows a password is not cached.
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
from pmh_jupyter.hub.accounts.enrol import BadJoinCode
from pmh_jupyter.hub.accounts.names import normal_name, password_problem
from pmh_jupyter.hub.accounts.store import Match

MOST_ROWS = 200


class OneTimePassword(web.HTTPError):
    """Right name, and a password that is good for choosing another one only."""

    def __init__(self) -> None:
        super().__init__(403, "This password was for one use. Choose your own.")


class LoginPage(LoginHandler):  # type: ignore[misc]
    """The Hub's own page; a password for one use leads on to the page where one's own is chosen."""

    async def post(self) -> None:
        if not {"username", "password"} <= set(self.request.body_arguments):
            raise web.HTTPError(400, "Fill in your name and your password.")
        try:
            await super().post()
        except OneTimePassword:
            asked = {"name": normal_name(self.get_argument("username")), "next": self.get_argument("next", "")}
            self.redirect(url_concat(url_path_join(self.hub.base_url, "password"), asked))


class AccountPage(BaseHandler):  # type: ignore[misc]
    """What the pages with a form have in common: fields as typed, problems by field, and the page again when there are any."""

    template = ""

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header("Cache-Control", "no-store")

    def field(self, name: str) -> str:
        """What was typed; an absent field is an empty one."""
        value: str = self.get_body_argument(name, "", strip=False)
        return value

    async def show(self, problems: dict[str, str] | None = None, status: int = 200, **values: Any) -> None:
        """The page with its form. `problems` by field; the field "form" is the form as a whole."""
        self.set_status(400 if problems and status == 200 else status)
        page = await self.render_template(
            self.template, problems=problems or {}, next=self.get_argument("next", ""), **({"typed_name": ""} | values)
        )
        self.finish(page)

    async def enter(self, name: str, password: str) -> None:
        """Logs in somebody who has just chosen this password, and goes where they were going."""
        user = await self.login_user({"username": name, "password": password})
        self._jupyterhub_user = user
        self.redirect(self.get_next_url(user))

    @property
    def address(self) -> str:
        return str(self.request.remote_ip)


class SignUpPage(AccountPage):
    """A name, a password, a join code."""

    template = "pmh-signup.html"

    async def get(self) -> None:
        if self.current_user:
            self.redirect(self.get_next_url(self.current_user))
            return
        await self.show(join_code=self.get_argument("join_code", ""))

    async def post(self) -> None:
        accounts = self.authenticator
        name, password, join_code = (
            normal_name(self.field("name")),
            self.field("password"),
            self.field("join_code").strip(),
        )
        problems = {
            "name": accounts.name_taken(name, hub_has=self.find_user(name) is not None),
            "password": password_problem(name, password),
            "join_code": None if join_code else "Type the code that your instructor gave you.",
        }
        found = {field: problem for field, problem in problems.items() if problem}
        if not found:
            found = await self._sign_up(name, password, join_code)
        if found:
            await self.show(found, typed_name=name, join_code=join_code)
        else:
            await self.enter(name, password)

    async def _sign_up(self, name: str, password: str, join_code: str) -> dict[str, str]:
        """Makes the account; what is wrong by field, empty when it was made. Wrong codes are counted as wrong passwords are."""
        accounts = self.authenticator
        accounts.refuse_hurry("", self.address)
        try:
            await accounts.sign_up(name, password, join_code)
        except Conflict as error:
            return {"name": error.message}
        except BadJoinCode as error:
            accounts.throttle.failed("", self.address)
            return {"join_code": f"{error.message} {error.advice}"}
        except PmhError as error:
            self.log.error("Sign-up failed", exc_info=True)
            return {"form": f"{error.message} {error.advice}"}
        return {}


class PasswordPage(AccountPage):
    """One's own password, by whoever knows the present one: logged in, or with a password for one use."""

    template = "pmh-password.html"

    async def get(self) -> None:
        await self.show(typed_name=normal_name(self.get_argument("name", "")), own=self._own_name())

    async def post(self) -> None:
        accounts = self.authenticator
        name = self._own_name() or normal_name(self.field("name"))
        password = self.field("new_password")
        problem = password_problem(name, password)
        if problem:
            await self.show({"new_password": problem}, typed_name=name, own=self._own_name())
            return
        match = await accounts.match(name, self.field("password"), self.address)
        if match is Match.NO:
            await self.show({"password": "This is not the present password."}, typed_name=name, own=self._own_name())
            return
        await accounts.in_pool(accounts.store.set_password, name, password)
        end_sessions(self, name)
        await self.enter(name, password)

    def _own_name(self) -> str | None:
        return self.current_user.name if self.current_user else None


class AccountsPage(AccountPage):
    """Every account, and a password for one use for whoever forgot theirs. For administrators."""

    template = "pmh-accounts.html"

    @web.authenticated
    @needs_scope("admin:users")  # type: ignore[untyped-decorator]
    async def get(self) -> None:
        await self._show_accounts()

    @web.authenticated
    @needs_scope("admin:users")  # type: ignore[untyped-decorator]
    async def post(self) -> None:
        name = normal_name(self.field("name"))
        if not self.authenticator.store.knows(name) and self.find_user(name) is None:
            await self._show_accounts({"name": "Nobody here has this name."}, typed_name=name)
            return
        password = await self.authenticator.in_pool(self.authenticator.store.reset, name)
        end_sessions(self, name)
        self.log.info("%s reset the password of %s", self.current_user.name, name)
        await self._show_accounts(reset=name, password=password)

    async def _show_accounts(self, problems: dict[str, str] | None = None, **values: Any) -> None:
        asked = normal_name(self.get_query_argument("q", ""))
        accounts = [(name, waits) for name, waits in self.authenticator.store.names() if asked in name]
        await self.show(problems, accounts=accounts[:MOST_ROWS], found=len(accounts), asked=asked, **values)


def end_sessions(handler: BaseHandler, name: str) -> None:
    """Logs somebody out everywhere: whoever knew the old password may be there. Servers go on running."""
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


def handlers() -> list[tuple[str, type]]:
    """Routes below the Hub's own address."""
    return [("/login", LoginPage), ("/signup", SignUpPage), ("/password", PasswordPage), ("/accounts", AccountsPage)]

"""Accounts on a real hub with the real service: sign up, log in, change and reset passwords, and the messages for errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pmh_jupyter.hub.accounts.first_admin import ensure_admin
from tests.support.hub.hub_process import HubProcess, Person, page_text

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    hub = HubProcess(tmp_path_factory.mktemp("accounts") / "hub-data", {"PMH_AUTHENTICATOR": "accounts"})
    hub.join_codes = hub.prepare()
    try:
        yield hub.start()
    finally:
        hub.stop()


@pytest.fixture(scope="module")
def admin(hub: HubProcess) -> Person:
    password = ensure_admin(hub.data / "accounts.sqlite", "admin").one_time_password
    assert password
    admin = hub.person("admin")
    page = admin.try_log_in(password)
    assert page.headers["location"].startswith("/hub/password"), (
        "a one-time password leads to the page to choose another"
    )
    assert admin.api("GET", "user").status_code == 403, "nobody is logged in yet"
    chosen = admin.submit(page.headers["location"], follow=False, password=password, new_password=admin.password)
    assert chosen.status_code == 302, page_text(chosen.text)
    return admin


def sign_up(hub: HubProcess, name: str) -> Person:
    person = hub.person(name)
    reply = person.sign_up(hub.join_codes["student"])
    assert reply.status_code == 302, page_text(reply.text)
    return person


def test_student_who_signs_up_is_a_member(hub: HubProcess) -> None:
    ada = sign_up(hub, "ada")
    token = ada.token()
    me = ada.browser.get("/services/pmh/api/me", headers={"Authorization": f"token {token}"}).json()
    assert (me["name"], [(classroom["slug"], classroom["role"]) for classroom in me["classrooms"]]) == (
        "ada",
        [("demo", "student")],
    )
    user = hub.person("ada").log_in().api("GET", "user").json()
    assert (user["name"], user["admin"]) == ("ada", False)


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"name": "Ünal"}, "name", "lower-case letters"),
        ({"name": "admin"}, "name", "taken"),
        ({"name": "root"}, "name", "reserved"),
        ({"password": "short"}, "password", "at least 8"),
        ({"join_code": "NOPE-NOPE"}, "join_code", "No classroom"),
        ({"join_code": ""}, "join_code", "Type the code"),
        ({"join_code": "x" * 200}, "join_code", "No classroom"),
    ],
)
def test_problem_is_shown_beside_its_field_and_no_account_is_created(
    hub: HubProcess, change: dict[str, str], field: str, message: str
) -> None:
    name = f"eve-{field.replace('_', '-')}-{len(message)}"  # a name per case, because failures are counted by name
    code = hub.join_codes["student"]
    typed: dict[str, Any] = {"name": name, "password": "correct horse battery", "join_code": code} | change
    eve = hub.person(typed["name"], typed["password"])
    page = eve.submit("/hub/signup", **typed)
    assert page.status_code == 400
    problem = page.text.split(f'id="{field}-problem"')[1].split("</div>")[0]
    assert message in problem
    assert f'aria-describedby="{field}-problem"' in page.text
    assert "correct horse" not in page.text, "a password is never sent back"
    assert eve.try_log_in().status_code == 403


def test_taken_name_is_refused_and_keeps_its_password(hub: HubProcess) -> None:
    sign_up(hub, "grace")
    mallory = hub.person("grace", "mallory's own password")
    assert "taken" in page_text(mallory.sign_up(hub.join_codes["student"]).text)
    assert mallory.try_log_in().status_code == 403
    hub.person("grace").log_in()


def test_form_without_xsrf_field_is_refused(hub: HubProcess) -> None:
    eve = hub.person("eve")
    typed = {"name": "eve", "password": eve.password, "join_code": hub.join_codes["student"]}
    for page in ("/hub/signup", "/hub/password", "/hub/accounts", "/hub/login"):
        assert eve.browser.post(page, data=typed).status_code == 403


def test_password_change_logs_out_other_sessions(hub: HubProcess) -> None:
    joan = sign_up(hub, "joan")
    elsewhere = hub.person("joan").log_in()
    wrong = joan.submit("/hub/password", password="not this one", new_password="another long one")
    assert "not your current password" in wrong.text
    assert ">Change your password</h1>" in wrong.text
    weak = joan.submit("/hub/password", password=joan.password, new_password="joan")
    assert "at least 8" in weak.text
    assert (
        joan.submit("/hub/password", follow=False, password=joan.password, new_password="another long one").status_code
        == 302
    )
    assert joan.api("GET", "user").status_code == 200, "this session stays logged in"
    assert elsewhere.api("GET", "user").status_code == 403
    assert hub.person("joan").try_log_in().status_code == 403
    hub.person("joan", "another long one").log_in()


def test_administrator_resets_a_password(hub: HubProcess, admin: Person) -> None:
    alan = sign_up(hub, "alan")
    page = admin.submit("/hub/accounts", name="alan")
    one_time_password = page.text.split('id="one-time-password"')[1].split(">")[1].split("<")[0].strip()
    assert page.headers["cache-control"] == "no-store"
    assert alan.api("GET", "user").status_code == 403, "all sessions are logged out"
    assert alan.try_log_in().status_code == 403
    redirect = alan.try_log_in(one_time_password)
    assert redirect.headers["location"].startswith("/hub/password")
    assert ">Choose a password</h1>" in alan.browser.get(redirect.headers["location"]).text
    chosen = alan.submit(
        redirect.headers["location"], follow=False, password=one_time_password, new_password="alan chose this one"
    )
    assert chosen.headers["location"] == "/hub/home"
    assert hub.person("alan").try_log_in(one_time_password).status_code == 403
    assert "No account has this username" in admin.submit("/hub/accounts", name="nobody-here").text


def test_only_administrators_see_accounts(hub: HubProcess) -> None:
    eve = sign_up(hub, "eve2")
    assert eve.browser.get("/hub/accounts").status_code in (403, 404)
    assert "Accounts" not in eve.browser.get("/hub/home").text
    assert "login" in str(hub.person("eve2").browser.get("/hub/accounts").url)


def test_too_many_failures_refuse_even_the_right_password(hub: HubProcess) -> None:
    sign_up(hub, "kurt")
    kurt = hub.person("kurt")
    for guess in range(5):
        assert kurt.try_log_in(f"guess number {guess}").status_code == 403
    refusal = kurt.try_log_in()
    assert refusal.status_code == 429
    assert "Too many attempts. Wait" in page_text(refusal.text)


def test_name_of_a_deleted_user_stays_taken(hub: HubProcess, admin: Person) -> None:
    tim = sign_up(hub, "tim")
    assert admin.api("DELETE", "users/tim").status_code == 204
    assert tim.try_log_in().status_code == 403
    assert "taken" in page_text(hub.person("tim").sign_up(hub.join_codes["student"]).text)


def test_files_of_the_hub_are_closed_to_others(hub: HubProcess) -> None:
    paths = [
        hub.data,
        *(hub.data / name for name in ("accounts.sqlite", "jupyterhub.sqlite", "jupyterhub_cookie_secret")),
    ]
    assert [path.stat().st_mode & 0o077 for path in paths] == [0] * len(paths)

"""Accounts on a real hub with the real service: sign up, log in, change, reset, and what is said when it does not work."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pmh_jupyter.hub.accounts.authenticator import ensure_admin
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
    once = ensure_admin(hub.data / "accounts.sqlite", "admin")
    assert once
    admin = hub.person("admin")
    page = admin.try_log_in(once)
    assert page.headers["location"].startswith("/hub/password"), "a password for one use only leads to choosing another"
    assert admin.api("GET", "user").status_code == 403, "nobody is logged in yet"
    chosen = admin.submit(page.headers["location"], follow=False, password=once, new_password=admin.password)
    assert chosen.status_code == 302, page_text(chosen.text)
    return admin


def signed_up(hub: HubProcess, name: str) -> Person:
    person = hub.person(name)
    reply = person.sign_up(hub.join_codes["student"])
    assert reply.status_code == 302, page_text(reply.text)
    return person


def test_a_student_signs_up_and_is_a_member(hub: HubProcess) -> None:
    ada = signed_up(hub, "ada")
    token = ada.token()
    me = ada.browser.get("/services/pmh/api/me", headers={"Authorization": f"token {token}"}).json()
    assert (me["name"], [(room["slug"], room["role"]) for room in me["classrooms"]]) == ("ada", [("demo", "student")])
    again = hub.person("ada").log_in()
    assert again.api("GET", "user").json()["name"] == "ada"
    assert again.api("GET", "user").json()["admin"] is False


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"name": "Ünal"}, "name", "lower-case letters"),
        ({"name": "admin"}, "name", "taken"),
        ({"name": "root"}, "name", "kept for the hub"),
        ({"password": "short"}, "password", "at least 8"),
        ({"join_code": "NOPE-NOPE"}, "join_code", "No classroom"),
        ({"join_code": ""}, "join_code", "Type the code"),
        ({"join_code": "x" * 200}, "join_code", "No classroom"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_no_account_is_left(
    hub: HubProcess, change: dict[str, str], field: str, said: str
) -> None:
    name = f"eve-{field.replace('_', '-')}-{len(said)}"  # one for each case: failures are counted by name
    typed = {"name": name, "password": "correct horse battery", "join_code": hub.join_codes["student"]} | change
    eve = hub.person(typed["name"], typed["password"])
    page = eve.submit("/hub/signup", **typed)
    assert page.status_code == 400
    problem = page.text.split(f'id="{field}-problem"')[1].split("</div>")[0]
    assert said in problem
    assert f'aria-describedby="{field}-hint {field}-problem"' in page.text
    assert "correct horse" not in page.text, "a password is never sent back"
    assert eve.try_log_in().status_code == 403


def test_a_taken_name_is_refused_and_keeps_its_password(hub: HubProcess) -> None:
    signed_up(hub, "grace")
    mallory = hub.person("grace", "mallory's own password")
    assert "taken" in page_text(mallory.sign_up(hub.join_codes["student"]).text)
    assert mallory.try_log_in().status_code == 403
    hub.person("grace").log_in()


def test_a_form_without_its_xsrf_field_is_refused(hub: HubProcess) -> None:
    eve = hub.person("eve")
    typed = {"name": "eve", "password": eve.password, "join_code": hub.join_codes["student"]}
    for page in ("/hub/signup", "/hub/password", "/hub/accounts", "/hub/login"):
        assert eve.browser.post(page, data=typed).status_code == 403


def test_one_changes_ones_password_and_is_logged_out_elsewhere(hub: HubProcess) -> None:
    joan = signed_up(hub, "joan")
    elsewhere = hub.person("joan").log_in()
    wrong = joan.submit("/hub/password", password="not this one", new_password="another long one")
    assert "not the present password" in wrong.text
    weak = joan.submit("/hub/password", password=joan.password, new_password="joan")
    assert "at least 8" in weak.text
    assert (
        joan.submit("/hub/password", follow=False, password=joan.password, new_password="another long one").status_code
        == 302
    )
    assert joan.api("GET", "user").status_code == 200, "here one stays"
    assert elsewhere.api("GET", "user").status_code == 403
    assert hub.person("joan").try_log_in().status_code == 403
    hub.person("joan", "another long one").log_in()


def test_an_administrator_resets_a_password(hub: HubProcess, admin: Person) -> None:
    alan = signed_up(hub, "alan")
    page = admin.submit("/hub/accounts", name="alan")
    once = page.text.split('id="one-time-password"')[1].split(">")[1].split("<")[0].strip()
    assert page.headers["cache-control"] == "no-store"
    assert alan.api("GET", "user").status_code == 403, "whoever was logged in is not any longer"
    assert alan.try_log_in().status_code == 403
    sent_on = alan.try_log_in(once)
    assert sent_on.headers["location"].startswith("/hub/password")
    chosen = alan.submit(sent_on.headers["location"], follow=False, password=once, new_password="alan chose this one")
    assert chosen.headers["location"] == "/hub/home"
    assert hub.person("alan").try_log_in(once).status_code == 403
    assert "Nobody here has this name" in admin.submit("/hub/accounts", name="nobody-here").text


def test_only_administrators_see_accounts(hub: HubProcess) -> None:
    eve = signed_up(hub, "eve2")
    assert eve.browser.get("/hub/accounts").status_code in (403, 404)
    assert "Accounts" not in eve.browser.get("/hub/home").text
    assert "login" in str(hub.person("eve2").browser.get("/hub/accounts").url)


def test_guessing_is_slowed_down_even_with_the_right_guess(hub: HubProcess) -> None:
    signed_up(hub, "kurt")
    kurt = hub.person("kurt")
    for guess in range(5):
        assert kurt.try_log_in(f"guess number {guess}").status_code == 403
    stopped = kurt.try_log_in()
    assert stopped.status_code == 429
    assert "Too many tries. Wait" in page_text(stopped.text)


def test_who_is_removed_cannot_come_back_as_somebody_new(hub: HubProcess, admin: Person) -> None:
    tim = signed_up(hub, "tim")
    assert admin.api("DELETE", "users/tim").status_code == 204
    assert tim.try_log_in().status_code == 403
    assert "taken" in page_text(hub.person("tim").sign_up(hub.join_codes["student"]).text)


def test_what_the_hub_keeps_is_the_hubs_alone(hub: HubProcess) -> None:
    kept = [
        hub.data,
        *(hub.data / name for name in ("accounts.sqlite", "jupyterhub.sqlite", "jupyterhub_cookie_secret")),
    ]
    assert [path.stat().st_mode & 0o077 for path in kept] == [0] * len(kept)

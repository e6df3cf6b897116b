"""The summary that `pmh up` prints once a hub is up."""

from __future__ import annotations

from pmh_jupyter.config import Settings
from pmh_jupyter.hub.accounts.first_admin import AdminPassword
from pmh_jupyter.hub.up.summary import format_startup_summary

CODES = {"student": "ABCD-EFGH", "instructor": "JKMN-PQRS"}
CHOSEN = AdminPassword(None, is_chosen=True)


def _summary(password: AdminPassword | None = CHOSEN, **settings: str) -> str:
    settings_object = Settings(data_dir="/srv/pmh", **settings)
    return "\n".join(format_startup_summary(settings_object, "http://127.0.0.1:8000", CODES, password))


def test_summary_names_address_data_and_logs() -> None:
    text = _summary()
    for part in ("http://127.0.0.1:8000", "/srv/pmh\n", "/srv/pmh/logs"):
        assert part in text


def test_summary_has_the_join_codes() -> None:
    text = _summary()
    assert "Students       sign up with the join code ABCD-EFGH" in text
    assert "Instructors    sign up with the join code JKMN-PQRS" in text


def test_new_one_time_password_is_shown() -> None:
    assert "password plum-tree (for one use, shown only now)" in _summary(AdminPassword("plum-tree", is_chosen=False))


def test_chosen_password_is_mentioned_only_if_one_was_chosen() -> None:
    assert "with the password chosen at the first log-in" in _summary(CHOSEN)
    text = _summary(AdminPassword(None, is_chosen=False), admin="grace")
    assert "chosen" not in text
    assert "grace, with the one-time password shown at the first start" in text
    assert "pmh accounts reset-password grace" in text


def test_dummy_authenticator_has_join_codes_and_no_administrator() -> None:
    text = _summary(None, authenticator="dummy")
    assert "any name, with any password" in text
    assert "Students       log in and join with the join code ABCD-EFGH" in text
    assert "Administrator" not in text


def test_summary_says_whether_other_machines_can_connect() -> None:
    assert "Only this machine can connect" in _summary()
    text = _summary(ip="0.0.0.0", base_url="jupyter")
    assert "From other machines: http://" in text
    assert ":8000/jupyter/" in text

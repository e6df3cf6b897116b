"""What is told once a hub is up."""

from __future__ import annotations

from pmh_jupyter.config import Settings
from pmh_jupyter.hub.up.summary import startup_summary

CODES = {"student": "ABCD-EFGH", "instructor": "JKMN-PQRS"}


def _told(password: str | None = None, **settings: str) -> str:
    return "\n".join(
        startup_summary(Settings(data_dir="/srv/pmh", **settings), "http://127.0.0.1:8000", CODES, password)
    )


def test_the_address_the_data_and_the_logs() -> None:
    told = _told()
    for part in ("http://127.0.0.1:8000", "/srv/pmh\n", "/srv/pmh/logs"):
        assert part in told


def test_who_can_log_in_and_how() -> None:
    told = _told()
    assert "Students       sign up with the join code ABCD-EFGH" in told
    assert "Instructors    sign up with the join code JKMN-PQRS" in told


def test_the_first_password_is_shown_only_when_it_was_made_just_now() -> None:
    assert "password plum-tree (for one use, shown only now)" in _told("plum-tree")
    assert "with the password chosen earlier" in _told()


def test_where_anybody_may_log_in_there_are_no_codes() -> None:
    told = _told(authenticator="dummy")
    assert "any name, with any password" in told
    assert "ABCD-EFGH" not in told


def test_whether_other_machines_can_reach_it() -> None:
    assert "this machine alone" in _told()
    assert "From other machines: http://" in _told(ip="0.0.0.0")

"""When a session's request must show that a page of ours made it."""

from __future__ import annotations

import pytest

from pmh_jupyter.service.login import needs_xsrf_check, xsrf_token


@pytest.mark.parametrize(
    ("method", "mode", "needed"),
    [
        ("GET", "navigate", False),
        ("GET", "", False),
        ("HEAD", "navigate", False),
        ("GET", "cors", True),
        ("GET", "no-cors", True),
        ("GET", "same-origin", True),
        ("POST", "navigate", True),
        ("POST", "", True),
        ("PUT", "cors", True),
        ("DELETE", "", True),
    ],
)
def test_only_a_person_who_navigates_needs_none(method: str, mode: str, needed: bool) -> None:
    assert needs_xsrf_check(method, mode) is needed


def test_the_token_is_the_sessions_own() -> None:
    assert xsrf_token(b"key", "one") == xsrf_token(b"key", "one")
    assert len({xsrf_token(b"key", "one"), xsrf_token(b"key", "two"), xsrf_token(b"other", "one")}) == 3

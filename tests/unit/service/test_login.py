"""Which requests with a session need the session's XSRF token."""

from __future__ import annotations

import pytest

from pmh_jupyter.service.login import compute_xsrf_token, needs_xsrf_check


@pytest.mark.parametrize(
    ("method", "fetch_mode", "is_needed"),
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
def test_only_navigation_needs_no_xsrf_token(method: str, fetch_mode: str, is_needed: bool) -> None:
    assert needs_xsrf_check(method, fetch_mode) is is_needed


def test_xsrf_token_depends_on_session_and_secret() -> None:
    assert compute_xsrf_token(b"key", "one") == compute_xsrf_token(b"key", "one")
    assert (
        len({compute_xsrf_token(b"key", "one"), compute_xsrf_token(b"key", "two"), compute_xsrf_token(b"other", "one")})
        == 3
    )

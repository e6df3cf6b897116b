"""Names and passwords that people may choose, and the messages for those that they may not."""

from __future__ import annotations

import pytest

from pmh_jupyter.hub.accounts.credential_rules import find_name_problem, find_password_problem, normalize_name


@pytest.mark.parametrize(
    ("typed", "normalized"),
    [("ada", "ada"), (" Ada ", "ada"), ("ａｄａ", "ada"), ("ADA-L", "ada-l"), ("ﬁona", "fiona")],
)
def test_name_has_one_spelling(typed: str, normalized: str) -> None:
    assert normalize_name(typed) == normalized
    assert find_name_problem(normalized) is None


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a",
        "-ada",
        "ada-",
        "ada--l",
        "1ada",
        "ada l",
        "ada.l",
        "ada/l",
        "../ada",
        "аda",
        "jürgen",
        "x" * 32,
        "ada\n",
        "ada\0",
    ],
)
def test_ambiguous_or_unsafe_name_is_refused(name: str) -> None:
    assert find_name_problem(name)


@pytest.mark.parametrize("name", ["root", "pmh", "signup", "service"])
def test_reserved_name_is_refused(name: str) -> None:
    assert "reserved" in str(find_name_problem(name))


@pytest.mark.parametrize(
    ("password", "expected_problem"),
    [
        ("correct horse battery", None),
        (" eight ch", None),
        ("short", "at least 8"),
        ("x" * 257, "at most 256"),
        ("Ada-Lovelace", "try your username"),
        ("abababab", "too easy"),
    ],
)
def test_weak_password_is_refused_with_the_reason(password: str, expected_problem: str | None) -> None:
    problem = find_password_problem("ada-lovelace", password)
    assert (problem is None) if expected_problem is None else (expected_problem in str(problem))

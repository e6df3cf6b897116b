"""Names and passwords that people may choose, and what they are told otherwise."""

from __future__ import annotations

import pytest

from pmh_jupyter.hub.accounts.credential_rules import name_problem, normalize_name, password_problem


@pytest.mark.parametrize(
    ("typed", "kept"),
    [("ada", "ada"), (" Ada ", "ada"), ("ａｄａ", "ada"), ("ADA-L", "ada-l"), ("ﬁona", "fiona")],
)
def test_a_name_has_one_way_to_be_written(typed: str, kept: str) -> None:
    assert normalize_name(typed) == kept
    assert name_problem(kept) is None


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
def test_what_could_be_mistaken_or_misused_is_refused(name: str) -> None:
    assert name_problem(name)


@pytest.mark.parametrize("name", ["root", "pmh", "signup", "service"])
def test_the_hubs_own_names_are_kept(name: str) -> None:
    assert "kept for the hub" in str(name_problem(name))


@pytest.mark.parametrize(
    ("password", "wrong"),
    [
        ("correct horse battery", None),
        (" eight ch", None),
        ("short", "at least 8"),
        ("x" * 257, "at most 256"),
        ("Ada-Lovelace", "first thing"),
        ("abababab", "too easily"),
    ],
)
def test_passwords(password: str, wrong: str | None) -> None:
    problem = password_problem("ada-lovelace", password)
    assert (problem is None) if wrong is None else (wrong in str(problem))

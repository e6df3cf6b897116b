"""Homes: one for each user, no name leaves the folder, and as root a uid for each."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pmh_jupyter.hub.homes import home_folder_name, make_home

FIRST = 1_900_000_000


@pytest.mark.parametrize("name", ["../etc", "a/b", "a\0b", ".", "..", "Ada", "é", "a" * 300, "ada@uni.example"])
def test_any_name_becomes_one_safe_part_of_a_path(name: str) -> None:
    folder = home_folder_name(name)
    assert folder not in ("", ".", "..") and "/" not in folder and folder.isascii() and len(folder) <= 60
    assert folder.startswith("user--")


def test_a_safe_name_stays_as_it_is_and_two_names_never_share() -> None:
    assert home_folder_name("ada-l") == "ada-l"
    assert len({home_folder_name(name) for name in ("ada", "Ada", "ADA", "ada ", "a/da")}) == 5


def test_a_home_is_its_owners_alone(tmp_path: Path) -> None:
    home, uid = make_home(tmp_path / "homes", "ada", FIRST)
    assert home == tmp_path / "homes" / "ada"
    assert home.stat().st_mode & 0o777 == 0o700
    assert home.stat().st_uid == uid
    assert make_home(tmp_path / "homes", "ada", FIRST) == (home, uid)


@pytest.mark.needs("root")
def test_as_root_every_user_has_a_uid_that_stays(tmp_path: Path) -> None:
    _, ada = make_home(tmp_path, "ada", FIRST)
    _, bob = make_home(tmp_path, "bob", FIRST)
    assert (ada, bob) == (FIRST, FIRST + 1)
    assert make_home(tmp_path, "ada", FIRST)[1] == ada


@pytest.mark.needs("root")
def test_a_home_restored_as_root_is_given_back_with_all_that_is_in_it(tmp_path: Path) -> None:
    outside = tmp_path / "not-hers"
    outside.write_text("the hub's")
    home = tmp_path / "homes" / "ada"
    (home / "work").mkdir(parents=True)
    (home / "work" / "notes.txt").write_text("mine")
    (home / "link").symlink_to(outside)
    _, uid = make_home(tmp_path / "homes", "ada", FIRST)
    assert {path.lstat().st_uid for path in [home, home / "work", home / "work" / "notes.txt", home / "link"]} == {uid}
    assert outside.stat().st_uid == os.getuid(), "a link is hers, what it points to is not"

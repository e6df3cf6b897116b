"""Homes: one folder per user, for any name, and one uid per user if the hub runs as root."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pmh_jupyter.hub.homes import make_home, make_home_folder_name

FIRST_UID = 1_900_000_000


@pytest.mark.parametrize("name", ["../etc", "a/b", "a\0b", ".", "..", "Ada", "é", "a" * 300, "ada@uni.example"])
def test_unusual_name_becomes_a_safe_folder_name(name: str) -> None:
    folder = make_home_folder_name(name)
    assert folder not in ("", ".", "..")
    assert "/" not in folder
    assert folder.isascii()
    assert len(folder) <= 60
    assert folder.startswith("user--")


def test_plain_name_is_kept_and_different_names_get_different_folders() -> None:
    assert make_home_folder_name("ada-l") == "ada-l"
    assert len({make_home_folder_name(name) for name in ("ada", "Ada", "ADA", "ada ", "a/da")}) == 5


def test_home_is_closed_to_others(tmp_path: Path) -> None:
    home, uid = make_home(tmp_path / "homes", "ada", FIRST_UID)
    assert home == tmp_path / "homes" / "ada"
    assert home.stat().st_mode & 0o777 == 0o700
    assert home.stat().st_uid == uid
    assert make_home(tmp_path / "homes", "ada", FIRST_UID) == (home, uid)


@pytest.mark.needs("root")
def test_each_user_keeps_a_uid_if_the_hub_is_root(tmp_path: Path) -> None:
    _, ada = make_home(tmp_path, "ada", FIRST_UID)
    _, bob = make_home(tmp_path, "bob", FIRST_UID)
    assert (ada, bob) == (FIRST_UID, FIRST_UID + 1)
    assert make_home(tmp_path, "ada", FIRST_UID)[1] == ada


@pytest.mark.needs("root")
def test_home_restored_as_root_gets_a_new_owner_recursively(tmp_path: Path) -> None:
    link_target = tmp_path / "file-of-the-hub"
    link_target.write_text("secret")
    home = tmp_path / "homes" / "ada"
    (home / "work").mkdir(parents=True)
    (home / "work" / "notes.txt").write_text("mine")
    (home / "link").symlink_to(link_target)
    _, uid = make_home(tmp_path / "homes", "ada", FIRST_UID)
    assert {path.lstat().st_uid for path in [home, home / "work", home / "work" / "notes.txt", home / "link"]} == {uid}
    assert link_target.stat().st_uid == os.getuid(), "targets of links keep their owner"

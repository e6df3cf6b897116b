"""Homes of users on the hub's own disk. Started as root, a home's owner is the record of which uid its user's servers run under."""

from __future__ import annotations

import os
from pathlib import Path

from jupyterhub.slugs import safe_slug

from pmh_jupyter.hub.accounts.credential_rules import NAME_PATTERN


def home_folder_name(user: str) -> str:
    """One part of a path for a user: their name where it is a plain one, else a slug; different for different users.

    Plain names have no double hyphen, so no slug can be mistaken for one.
    """
    return user if NAME_PATTERN.fullmatch(user) else f"user--{safe_slug(user)}"


def make_home(homes: Path, user: str, first_uid: int) -> tuple[Path, int]:
    """The user's home, made at need, and the uid of their servers.

    As root each home belongs to a uid of its own, counted up from `first_uid`; otherwise all belong to whoever runs the hub, and
    what keeps users apart is the wall alone. A home that lost its owner (restored as root) is given a new one, with all that is in it.
    """
    homes.mkdir(mode=0o700, parents=True, exist_ok=True)
    home = homes / home_folder_name(user)
    home.mkdir(mode=0o700, exist_ok=True)
    if os.geteuid() != 0:
        return home, os.getuid()
    uid = home.stat().st_uid
    if uid < first_uid:
        uid = _next_uid(homes, first_uid)
        _change_owner(home, uid)
    return home, uid


def _next_uid(homes: Path, first_uid: int) -> int:
    return max([first_uid - 1, *(home.stat().st_uid for home in homes.iterdir())]) + 1


def _change_owner(home: Path, uid: int) -> None:
    """Changes the owner of links, not of what they point to: a home holds what a user put there."""
    for folder, folders, files in os.walk(home):
        for name in [*folders, *files]:
            os.chown(os.path.join(folder, name), uid, uid, follow_symlinks=False)
    os.chown(home, uid, uid)

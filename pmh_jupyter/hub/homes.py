"""Users' home folders on the hub's disk. If the hub runs as root, the owner of a home records the uid of its user's servers."""

from __future__ import annotations

import os
from pathlib import Path

from jupyterhub.slugs import safe_slug

from pmh_jupyter.hub.accounts.credential_rules import NAME_PATTERN


def make_home_folder_name(user: str) -> str:
    """Return the name of a user's home folder: the user name if it matches NAME_PATTERN, else a slug.

    Different users get different folders, because every slug contains a double hyphen and no plain name does.
    """
    return user if NAME_PATTERN.fullmatch(user) else f"user--{safe_slug(user)}"


def make_home(homes: Path, user: str, first_uid: int) -> tuple[Path, int]:
    """Create the user's home if it is missing. Returns its path and the uid of the user's servers.

    If the hub runs as root, each home has its own uid, counted up from `first_uid`. Otherwise all homes belong to the hub's user,
    and only the sandbox separates users. A home below `first_uid` (restored as root) gets a new owner, with everything in it.
    """
    homes.mkdir(mode=0o700, parents=True, exist_ok=True)
    home = homes / make_home_folder_name(user)
    home.mkdir(mode=0o700, exist_ok=True)
    if os.geteuid() != 0:
        return home, os.getuid()
    uid = home.stat().st_uid
    if uid < first_uid:
        uid = _find_next_uid(homes, first_uid)
        _change_owner(home, uid)
    return home, uid


def _find_next_uid(homes: Path, first_uid: int) -> int:
    return max([first_uid - 1, *(home.stat().st_uid for home in homes.iterdir())]) + 1


def _change_owner(home: Path, uid: int) -> None:
    """Change the owner of symbolic links, not of their targets: users can put links to any file into their home."""
    for folder, folders, files in os.walk(home):
        for name in [*folders, *files]:
            os.chown(os.path.join(folder, name), uid, uid, follow_symlinks=False)
    os.chown(home, uid, uid)

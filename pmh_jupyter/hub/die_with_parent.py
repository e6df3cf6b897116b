"""Runs a command that ends when its parent process ends: `python -m pmh_jupyter.hub.die_with_parent COMMAND…`.

The Hub stops its proxy and services itself, except when it is killed. Linux only; on other systems this only runs the command.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def build_die_with_parent_command(command: list[str]) -> list[str]:
    """Return a command line that runs `command` and ends with the process that starts it."""
    return [sys.executable, "-m", "pmh_jupyter.hub.die_with_parent", *command]


def main(command: list[str]) -> None:
    """Replace this process by the command. The death signal survives exec."""
    parent_pid = os.getppid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent_pid:
            sys.exit("The parent process has ended.")
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])

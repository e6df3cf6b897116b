"""Runs a command that ends when the process that started it ends, killed or not: `python -m pmh_jupyter.hub.die_with_parent COMMAND…`.

The Hub stops its proxy and services when it is stopped; when it is killed nobody would. Linux only; elsewhere it just runs the command.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def die_with_parent(command: list[str]) -> list[str]:
    """The command, tied to whichever process starts it."""
    return [sys.executable, "-m", "pmh_jupyter.hub.die_with_parent", *command]


def main(command: list[str]) -> None:
    """Becomes the command. The kernel keeps the tie through exec."""
    parent = os.getppid()
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            sys.exit("The process that started this one has ended.")
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])

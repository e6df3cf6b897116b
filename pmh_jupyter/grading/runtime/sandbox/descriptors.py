"""Numbers of the judge's own open files: connections to the host, the sandbox and the student process, and files of its control group.

They are higher than those of all files that tests and libraries open, so that policies can recognize them (see `policies.file_policy`).
"""

from __future__ import annotations

import fcntl
import os
import resource
import socket

_MAX_FIRST_PRIVATE_DESCRIPTOR = 900  # select() takes numbers below 1024
_MIN_PRIVATE_COUNT = 32


def _find_first_private_descriptor() -> int:
    soft_limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if soft_limit == resource.RLIM_INFINITY:
        return _MAX_FIRST_PRIVATE_DESCRIPTOR
    return min(_MAX_FIRST_PRIVATE_DESCRIPTOR, soft_limit - _MIN_PRIVATE_COUNT)


FIRST_PRIVATE_DESCRIPTOR = _find_first_private_descriptor()


def move_to_private(descriptor: int) -> int:
    """Give an open file the number of a private descriptor, which is returned. Raises OSError."""
    private_descriptor = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, FIRST_PRIVATE_DESCRIPTOR)
    os.close(descriptor)
    return private_descriptor


def make_private(sock: socket.socket) -> socket.socket:
    """Return the same socket with the number of a private descriptor. The one that is passed is closed. Raises OSError."""
    return socket.socket(fileno=move_to_private(sock.detach()))

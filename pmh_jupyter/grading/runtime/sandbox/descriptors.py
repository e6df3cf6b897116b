"""Numbers of the judge's connections: to the host, to the sandbox and to the student process.

They are higher than those of all files that tests and libraries open, so that policies can recognize them (see `policies.file_policy`).
"""

from __future__ import annotations

import fcntl
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


def make_private(sock: socket.socket) -> socket.socket:
    """Return the same socket with the number of a private descriptor. The one that is passed is closed. Raises OSError."""
    with sock:
        return socket.socket(fileno=fcntl.fcntl(sock.fileno(), fcntl.F_DUPFD_CLOEXEC, FIRST_PRIVATE_DESCRIPTOR))

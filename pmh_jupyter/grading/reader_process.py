"""The process that reads submissions: `python -m pmh_jupyter.grading.reader_process [MODULE…]`. See `submission_reader`.

It reads requests from the socket on standard input until it is closed. A request is a function of this package with its arguments, the
reply is its result or error. The process imports the modules named on the command line first.
"""

from __future__ import annotations

import importlib
import os
import pickle
import resource
import signal
import socket
import sys
import time
from contextlib import suppress
from typing import Any

from pmh_jupyter.errors import PmhError
from pmh_jupyter.python_source.resource_exhaustion import count_exhaustions, record_exhaustion

# How much a request may add to the memory of the process.
MAX_REQUEST_MEMORY_BYTES = 300 << 20
MAX_REQUEST_CPU_SECONDS = 8
# A process that has grown by more than this ends after its reply, so that every request has the same memory.
MAX_GROWTH_BYTES = 64 << 20
# So does one that has come this near to the limit, because code may have handled a MemoryError and kept what came of it.
MAX_PEAK_BYTES = 200 << 20
HEADER_BYTES = 8
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def main(modules: list[str]) -> None:
    """Serve requests until the other end closes the socket."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole process group; the host closes the socket
    for module in modules:
        importlib.import_module(module)
    channel = socket.socket(fileno=os.dup(0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    start_bytes = _measure_memory()
    _send(channel, b"")
    os.dup2(os.open(os.devnull, os.O_RDWR), 2)  # from here on, errors are reported in replies
    while (request := receive(channel)) is not None:
        _limit_request()
        reply = _serve(request)
        retires = _must_retire(start_bytes)
        _send(channel, b"\1" if retires else b"\0", reply)
        if retires:
            return


def receive(channel: socket.socket) -> bytes | None:
    """Return the next message, without its header; None if the other end has closed the socket."""
    try:
        return bytes(receive_exactly(channel, int.from_bytes(receive_exactly(channel, HEADER_BYTES))))
    except ConnectionResetError:
        return None


def receive_exactly(channel: socket.socket, size: int, deadline: float | None = None) -> bytearray:
    """Return `size` bytes. Raises ConnectionResetError if the other end closes the socket, and TimeoutError.

    deadline: in seconds of `time.monotonic`; None waits without limit.
    """
    content = bytearray(size)
    view = memoryview(content)
    while view:
        if deadline is not None:
            channel.settimeout(max(0.001, deadline - time.monotonic()))
        count = channel.recv_into(view)
        if not count:
            raise ConnectionResetError
        view = view[count:]
    return content


def _send(channel: socket.socket, *parts: bytes) -> None:
    channel.sendall(sum(map(len, parts)).to_bytes(HEADER_BYTES))
    for part in parts:
        channel.sendall(part)


def _serve(request: bytes) -> bytes:
    """Call the function of a request, and return the encoded reply: the result, or the type, text and advice of an error."""
    reply: tuple[Any, ...]
    try:
        function, arguments = pickle.loads(request)
        return pickle.dumps(("result", function(*arguments)), protocol=5)
    except PmhError as error:
        record_exhaustion(error)
        reply = ("error", error.code, error.message, error.advice)
    except MemoryError as error:
        record_exhaustion(error)
        reply = ("unreadable", "it needs too much memory")
    except RecursionError as error:
        record_exhaustion(error)
        reply = ("unreadable", "it is nested too deeply")
    except Exception as error:  # noqa: BLE001 - any error must affect this submission only
        record_exhaustion(error)
        reply = ("unreadable", f"an unexpected {type(error).__name__} occurred")
    return pickle.dumps(reply, protocol=5)


def _must_retire(start_bytes: int) -> bool:
    """Return whether the state of the process may depend on the submissions that it has read. start_bytes: its memory before the first."""
    return (
        count_exhaustions() > 0
        or _measure_memory() - start_bytes > MAX_GROWTH_BYTES
        or _measure_peak_memory() - start_bytes > MAX_PEAK_BYTES
    )


def _limit_request() -> None:
    """Set the limits for the next request: the current usage of the process plus the limits of one request."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    _set_soft_limit(resource.RLIMIT_CPU, int(usage.ru_utime + usage.ru_stime) + MAX_REQUEST_CPU_SECONDS)
    if used_bytes := _measure_memory():
        _set_soft_limit(resource.RLIMIT_AS, used_bytes + MAX_REQUEST_MEMORY_BYTES)


def _set_soft_limit(kind: int, value: int) -> None:
    _, hard_limit = resource.getrlimit(kind)
    resource.setrlimit(kind, (value if hard_limit == resource.RLIM_INFINITY else min(value, hard_limit), hard_limit))


def _measure_memory() -> int:
    """Return the size of the address space in bytes; 0 if /proc is not available."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[0]) * _PAGE_BYTES
    except OSError:
        return 0


def _measure_peak_memory() -> int:
    """Return the largest size of the address space so far in bytes; 0 if /proc is not available."""
    try:
        with open("/proc/self/status", "rb") as file:
            return int(file.read().partition(b"\nVmPeak:")[2].split()[0]) << 10
    except (OSError, IndexError):
        return 0


if __name__ == "__main__":
    with suppress(BrokenPipeError):  # the host was interrupted and needs no more replies
        main(sys.argv[1:])

"""Parts of a running hub taken away, as a power cut or a crash takes them."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psutil

from tests.support.hub.up_process import UpProcess


@contextmanager
def without_service(up: UpProcess) -> Iterator[None]:
    """The service is killed. The Hub, which would start it again at once, is held until the end and does so then."""
    hub = _one(up, lambda process: process.cmdline()[1:4] == ["-m", "jupyterhub", "--config"])
    service = _one(up, lambda process: process.cmdline()[1:] == ["-m", "pmh_jupyter.service"])
    hub.send_signal(signal.SIGSTOP)
    try:
        service.kill()
        yield
    finally:
        hub.send_signal(signal.SIGCONT)


def kill_server(up: UpProcess, user: str) -> None:
    """Kills a user's notebook server with all that it runs; returns once the Hub has noticed, which it looks for twice a minute."""
    server = [process for process in up.family() if _is(process, lambda one: one.environ()["JUPYTERHUB_USER"] == user)]
    assert server, f"{user} has no server"
    for process in server:
        with suppress(psutil.NoSuchProcess):  # it has gone with the one before it
            process.kill()
    psutil.wait_procs(server)


def _one(up: UpProcess, wanted: Callable[[psutil.Process], bool]) -> psutil.Process:
    found = [process for process in up.family() if _is(process, wanted)]
    assert len(found) == 1, found
    return found[0]


def _is(process: psutil.Process, wanted: Callable[[psutil.Process], bool]) -> bool:
    try:
        return wanted(process)
    except (psutil.Error, KeyError):  # it has ended, or is not one of ours
        return False

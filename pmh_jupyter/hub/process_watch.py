"""How soon the Hub notices that a process of its own has died, proxy or service, and starts it again.

A class waits meanwhile, and a look costs one waitpid(2): so the Hub looks more often here than by itself.
"""

from __future__ import annotations

from jupyterhub.proxy import ConfigurableHTTPProxy
from jupyterhub.services import service
from traitlets import Integer

PROXY_POLL_INTERVAL_SECONDS = 1
SERVICE_POLL_INTERVAL_SECONDS = 3
"""Not much less: a service that cannot start would be started again and again, which costs a second of CPU each time."""


class WatchedProxy(ConfigurableHTTPProxy):  # type: ignore[misc]
    """The proxy as the Hub starts it, looked after more often, and by one watch however often it was started again.

    By itself the Hub leaves the old watch running beside the new one, and a Hub that stops had its proxy started again by it.
    """

    check_running_interval = Integer(
        PROXY_POLL_INTERVAL_SECONDS, help="Seconds between two looks whether the proxy runs."
    ).tag(config=True)

    async def start(self) -> None:
        """Starts it; the watch that had it started again ends only now, so that a start that fails is tried again."""
        previous_callback = self._check_running_callback
        await super().start()
        if previous_callback is not None:
            previous_callback.stop()


class _WatchedServiceSpawner(service._ServiceSpawner):  # type: ignore[misc]
    """A service's process as the Hub starts it. The Hub looks every half minute by itself, and no setting reaches this class."""

    poll_interval = Integer(SERVICE_POLL_INTERVAL_SECONDS)


def watch_services() -> None:
    """Has the Hub in this process start its services so. It is private to JupyterHub, whose version is pinned; a test kills one."""
    service._ServiceSpawner = _WatchedServiceSpawner

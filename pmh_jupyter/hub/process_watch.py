"""Watches the Hub's proxy and services: restarts them soon after they die, and refuses to open ports that are not in the settings.

While the proxy is down, the whole hub is unreachable. A poll costs one waitpid(2), so the Hub polls more often than by default.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from jupyterhub.proxy import ConfigurableHTTPProxy
from jupyterhub.services import service
from traitlets import Integer, Unicode

from pmh_jupyter.config import Settings
from pmh_jupyter.errors import BadInput

PROXY_POLL_INTERVAL_SECONDS = 1
# A much shorter interval would be expensive: a service that cannot start is restarted at each poll, at a second of CPU time each.
SERVICE_POLL_INTERVAL_SECONDS = 3


class WatchedProxy(ConfigurableHTTPProxy):  # type: ignore[misc]
    """The Hub's proxy, polled more often, and started only on the addresses that the settings name.

    After a restart, JupyterHub leaves the old watch running beside the new one. A Hub that is stopping would then restart its proxy.
    """

    check_running_interval = Integer(
        PROXY_POLL_INTERVAL_SECONDS, help="Seconds between two polls of the proxy's process."
    ).tag(config=True)
    allowed_bind_url = Unicode(help="The only address on which the proxy may listen for browsers.").tag(config=True)
    allowed_api_url = Unicode(help="The only address on which the proxy may listen for the Hub.").tag(config=True)
    allowed_hub_url = Unicode(help="The only address on which the Hub may listen.").tag(config=True)

    async def start(self) -> None:
        """Start the proxy, then stop the watch that restarted it. If the start fails, that watch continues and tries again.

        Raises BadInput if the configuration has changed an address. The Hub then ends, before anything listens.
        """
        self._require_addresses()
        previous_callback = self._check_running_callback
        await super().start()
        if previous_callback is not None:
            previous_callback.stop()

    def _require_addresses(self) -> None:
        require_address("browsers", self.public_url, self.allowed_bind_url, "PMH_IP, PMH_PORT and PMH_BASE_URL")
        require_address("the Hub's orders", self.api_url, self.allowed_api_url, "PMH_PROXY_API_PORT")
        require_address(
            "proxy, service and users' servers", self.hub.bind_url, self.allowed_hub_url, "PMH_HUB_IP and PMH_HUB_PORT"
        )


def configure_addresses(c: Any, settings: Settings) -> None:
    """Configure the addresses of Hub and proxy as the only ones.

    JupyterHub's `base_url` stays unset: beside `bind_url`, it would replace host and port by port 8000 of every interface.
    """
    c.JupyterHub.proxy_class = WatchedProxy
    c.JupyterHub.bind_url = c.WatchedProxy.allowed_bind_url = settings.bind_url
    c.JupyterHub.hub_ip = settings.hub_ip
    c.JupyterHub.hub_port = settings.hub_port
    c.WatchedProxy.allowed_hub_url = settings.hub_url
    c.ConfigurableHTTPProxy.api_url = c.WatchedProxy.allowed_api_url = f"http://127.0.0.1:{settings.proxy_api_port}"


def require_address(audience: str, url: str, allowed_url: str, variables: str) -> None:
    """Raise BadInput if two addresses differ in host, port or path. http and https count as the same."""
    if _parse_endpoint(url) != _parse_endpoint(allowed_url):
        raise BadInput(
            f"JupyterHub is configured to listen for {audience} at {url}, but the settings name {allowed_url}. "
            f"Use {variables} instead of JupyterHub's own options for addresses.",
            advice=f"Remove bind_url, base_url, ip, port, hub_ip, hub_port and api_url from your configuration, and set {variables}.",
        )


def _parse_endpoint(url: str) -> tuple[str, str, int | None, str]:
    parts = urlsplit(url)
    return parts.scheme.removesuffix("s"), parts.hostname or "", parts.port, parts.path.rstrip("/")


class _WatchedServiceSpawner(service._ServiceSpawner):  # type: ignore[misc]
    """Starts a service's process. JupyterHub polls every half minute by default, and no setting reaches this class."""

    poll_interval = Integer(SERVICE_POLL_INTERVAL_SECONDS)


def watch_services() -> None:
    """Make the Hub in this process poll its services more often. Replaces a private class of JupyterHub; an integration test covers it."""
    service._ServiceSpawner = _WatchedServiceSpawner

"""Waits until a lesson can really be opened: every process answers, the way in leads to each, and the service says it is ready."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

from pmh_jupyter.config import Settings
from pmh_jupyter.errors import Unavailable

POLL_INTERVAL_SECONDS = 0.1
REQUEST_TIMEOUT_SECONDS = 10.0
WILDCARD_ADDRESSES = frozenset({"", "*", "0.0.0.0", "::"})

# What the machine's own proxy settings say is not for addresses of this machine.
_opener = build_opener(ProxyHandler({}))


@dataclass(frozen=True)
class HealthCheck:
    """One thing that must answer 200: what it is, and its address."""

    name: str
    url: str


def health_checks(settings: Settings) -> tuple[HealthCheck, ...]:
    """What is asked, in the order in which it comes up: each process itself, and then everything through the proxy as a browser."""
    proxy_url = base_url(settings.ip, settings.port)
    return (
        HealthCheck("JupyterHub", f"{base_url(settings.hub_ip, settings.hub_port)}/hub/health"),
        HealthCheck("the service", f"{base_url(settings.service_ip, settings.service_port)}/services/pmh/health"),
        HealthCheck("the proxy", f"{proxy_url}/hub/health"),
        HealthCheck("grading", f"{proxy_url}/services/pmh/ready"),
    )


def base_url(ip: str, port: int) -> str:
    """Where this machine itself reaches what listens there; without a slash at its end."""
    host = "127.0.0.1" if ip in WILDCARD_ADDRESSES else ip
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def wait_until_healthy(check: HealthCheck, is_alive: Callable[[], bool], timeout_seconds: float) -> None:
    """Returns once it answers 200; raises Unavailable with its last answer when the time is over, or nobody is left to answer."""
    deadline = time.monotonic() + timeout_seconds
    while (failure := _probe(check)) is not None:
        if not is_alive():
            raise Unavailable(f"The hub ended before {check.name} answered.")
        if time.monotonic() > deadline:
            raise Unavailable(f"After {timeout_seconds:.0f} s {check.name} is still not ready: {failure}")
        time.sleep(POLL_INTERVAL_SECONDS)


def _probe(check: HealthCheck) -> str | None:
    """None when it is ready, else what it says."""
    try:
        with _opener.open(Request(check.url), timeout=REQUEST_TIMEOUT_SECONDS):
            return None
    except HTTPError as error:
        return _describe_failure(error.code, error.read())
    except (OSError, HTTPException) as error:
        return str(error)


def _describe_failure(status: int, body: bytes) -> str:
    """What a reply that is not 200 says of itself: which of the service's parts are not ready and why, or the status alone."""
    try:
        components = json.loads(body)["parts"].values()
        return f"{' '.join(component['message'] for component in components if not component['ready'])} ({status})"
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"status {status}"

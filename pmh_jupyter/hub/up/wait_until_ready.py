"""Waits until students can open a lesson: each process answers, the proxy forwards to each, and the service is ready to grade."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

from pmh_jupyter.config import Settings, format_host
from pmh_jupyter.errors import Unavailable

POLL_INTERVAL_SECONDS = 0.1
REQUEST_TIMEOUT_SECONDS = 10.0
WILDCARD_ADDRESSES = frozenset({"", "*", "0.0.0.0", "::"})

# Ignores the machine's proxy settings, which do not apply to its own addresses.
_opener = build_opener(ProxyHandler({}))


@dataclass(frozen=True)
class HealthCheck:
    """A URL that must answer 200, and the name of its component."""

    name: str
    url: str


def list_health_checks(settings: Settings) -> tuple[HealthCheck, ...]:
    """Return the checks in the order in which they succeed: each process directly, then both through the proxy, as a browser would."""
    hub_path = f"{settings.base_url}hub/health"
    proxy_origin = make_local_origin(settings.ip, settings.port)
    service_origin = make_local_origin(settings.service_ip, settings.service_port)
    return (
        HealthCheck("JupyterHub", f"{make_local_origin(settings.hub_ip, settings.hub_port)}{hub_path}"),
        HealthCheck("the service", f"{service_origin}{settings.service_path}health"),
        HealthCheck("the proxy", f"{proxy_origin}{hub_path}"),
        HealthCheck("grading", f"{proxy_origin}{settings.service_path}ready"),
    )


def make_browser_url(settings: Settings) -> str:
    """Return the hub's address for a browser on this machine. It ends with a slash only if the hub runs below a path."""
    return make_local_origin(settings.ip, settings.port) + (settings.base_url if settings.base_url != "/" else "")


def make_local_origin(ip: str, port: int) -> str:
    """Return the origin at which this machine itself reaches a server that listens on this address."""
    return f"http://{'127.0.0.1' if ip in WILDCARD_ADDRESSES else format_host(ip)}:{port}"


def wait_until_healthy(check: HealthCheck, is_alive: Callable[[], bool], timeout_seconds: float) -> None:
    """Return once the URL answers 200. Raises Unavailable with the last answer after the timeout, or once `is_alive` is false."""
    deadline = time.monotonic() + timeout_seconds
    while (failure := _probe(check)) is not None:
        if not is_alive():
            raise Unavailable(f"The hub ended before {check.name} answered.")
        if time.monotonic() > deadline:
            name = check.name[0].upper() + check.name[1:]
            raise Unavailable(
                f"{name} is not ready after {timeout_seconds:.0f} s: {failure}",
                advice="Run `pmh doctor` to see what is missing and how to install it.",
            )
        time.sleep(POLL_INTERVAL_SECONDS)


def _probe(check: HealthCheck) -> str | None:
    """Return None if the URL answers 200, else a description of the failure."""
    try:
        with _opener.open(Request(check.url), timeout=REQUEST_TIMEOUT_SECONDS):
            return None
    except HTTPError as error:
        return _describe_failure(error.code, error.read())
    except (OSError, HTTPException) as error:
        return str(error)


def _describe_failure(status: int, body: bytes) -> str:
    """Return the messages of the service's components that are not ready, or only the status if another program answered."""
    try:
        components = json.loads(body)["components"].values()
        return f"{' '.join(component['message'] for component in components if not component['ready'])} ({status})"
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"status {status}"

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

PAUSE_SECONDS = 0.1
ANSWER_SECONDS = 10.0
EVERYWHERE = frozenset({"", "*", "0.0.0.0", "::"})

# What the machine's own proxy settings say is not for addresses of this machine.
_opener = build_opener(ProxyHandler({}))


@dataclass(frozen=True)
class Question:
    """One thing that must answer 200: what it is, and its address."""

    what: str
    url: str


def questions(settings: Settings) -> tuple[Question, ...]:
    """What is asked, in the order in which it comes up: each process itself, and then everything through the proxy as a browser."""
    way_in = address(settings.ip, settings.port)
    return (
        Question("JupyterHub", f"{address(settings.hub_ip, settings.hub_port)}/hub/health"),
        Question("the service", f"{address(settings.service_ip, settings.service_port)}/services/pmh/health"),
        Question("the proxy", f"{way_in}/hub/health"),
        Question("grading", f"{way_in}/services/pmh/ready"),
    )


def address(ip: str, port: int) -> str:
    """Where this machine itself reaches what listens there; without a slash at its end."""
    host = "127.0.0.1" if ip in EVERYWHERE else ip
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def wait_for(question: Question, alive: Callable[[], bool], seconds: float) -> None:
    """Returns once it answers 200; raises Unavailable with its last answer when the time is over, or nobody is left to answer."""
    end = time.monotonic() + seconds
    while (answer := _ask(question)) is not None:
        if not alive():
            raise Unavailable(f"The hub ended before {question.what} answered.")
        if time.monotonic() > end:
            raise Unavailable(f"After {seconds:.0f} s {question.what} is still not ready: {answer}")
        time.sleep(PAUSE_SECONDS)


def _ask(question: Question) -> str | None:
    """None when it is ready, else what it says."""
    try:
        with _opener.open(Request(question.url), timeout=ANSWER_SECONDS):
            return None
    except HTTPError as error:
        return _words(error.code, error.read())
    except (OSError, HTTPException) as error:
        return str(error)


def _words(status: int, body: bytes) -> str:
    """What a reply that is not 200 says of itself: which of the service's parts are not ready and why, or the status alone."""
    try:
        parts = json.loads(body)["parts"].values()
        return f"{' '.join(part['message'] for part in parts if not part['ready'])} ({status})"
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"status {status}"

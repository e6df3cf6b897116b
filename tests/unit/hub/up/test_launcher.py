"""The addresses that `pmh up` checks, and the hub's environment."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from pmh_jupyter.config import Settings
from pmh_jupyter.hub.up.launcher import make_hub_environ
from pmh_jupyter.hub.up.ports import list_listeners
from pmh_jupyter.hub.up.wait_until_ready import list_health_checks, make_browser_url, make_local_origin


@pytest.mark.parametrize(
    ("ip", "expected"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),
        ("::", "http://127.0.0.1:80"),
        ("::1", "http://[::1]:80"),
        ("192.0.2.1", "http://192.0.2.1:80"),
    ],
)
def test_wildcard_listener_is_reached_on_loopback(ip: str, expected: str) -> None:
    assert make_local_origin(ip, 80) == expected


def test_processes_are_checked_before_the_proxy() -> None:
    settings = Settings(port=1, hub_port=2, service_port=3)
    assert [check.url for check in list_health_checks(settings)] == [
        "http://127.0.0.1:2/hub/health",
        "http://127.0.0.1:3/services/pmh/health",
        "http://127.0.0.1:1/hub/health",
        "http://127.0.0.1:1/services/pmh/ready",
    ]
    assert make_browser_url(settings) == "http://127.0.0.1:1"


def test_health_checks_include_the_base_path() -> None:
    settings = Settings(port=1, hub_port=2, service_port=3, base_url="/jupyter/")
    assert [check.url for check in list_health_checks(settings)] == [
        "http://127.0.0.1:2/jupyter/hub/health",
        "http://127.0.0.1:3/jupyter/services/pmh/health",
        "http://127.0.0.1:1/jupyter/hub/health",
        "http://127.0.0.1:1/jupyter/services/pmh/ready",
    ]
    assert make_browser_url(settings) == "http://127.0.0.1:1/jupyter/"


def test_every_port_is_checked_and_has_a_setting() -> None:
    settings = Settings(port=1, hub_port=2, proxy_api_port=3, service_port=4)
    assert {listener.port for listener in list_listeners(settings)} == {1, 2, 3, 4}
    assert {listener.setting for listener in list_listeners(settings)} <= set(Settings.list_traits_by_variable())


def test_hub_gets_the_settings_and_its_own_commands_first() -> None:
    environ = make_hub_environ(Settings(port=1234, base_url="/jupyter/"))
    assert (environ["PMH_PORT"], environ["PMH_BASE_URL"]) == ("1234", "/jupyter/")
    assert Path(environ["PATH"].split(os.pathsep)[0]) == Path(sys.executable).parent
    assert environ["HOME"] == os.environ["HOME"]

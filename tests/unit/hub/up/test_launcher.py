"""Where `pmh up` asks, and what the hub is started with."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from pmh_jupyter.config import Settings
from pmh_jupyter.hub.up.launcher import hub_environ
from pmh_jupyter.hub.up.ports import listeners
from pmh_jupyter.hub.up.wait_until_ready import base_url, health_checks


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
def test_the_address_at_which_this_machine_reaches_it(ip: str, expected: str) -> None:
    assert base_url(ip, 80) == expected


def test_every_process_is_asked_and_the_way_in_last() -> None:
    settings = Settings(port=1, hub_port=2, service_port=3)
    assert [question.url.split("/")[2] for question in health_checks(settings)] == [
        "127.0.0.1:2",
        "127.0.0.1:3",
        "127.0.0.1:1",
        "127.0.0.1:1",
    ]


def test_every_port_is_looked_at_and_its_setting_is_one() -> None:
    settings = Settings(port=1, hub_port=2, proxy_api_port=3, service_port=4)
    assert {listener.port for listener in listeners(settings)} == {1, 2, 3, 4}
    assert {listener.setting for listener in listeners(settings)} <= set(Settings.traits_by_variable())


def test_the_hub_gets_the_settings_and_its_own_commands_first() -> None:
    given = hub_environ(Settings(port=1234))
    assert given["PMH_PORT"] == "1234"
    assert Path(given["PATH"].split(os.pathsep)[0]) == Path(sys.executable).parent
    assert given["HOME"] == os.environ["HOME"]

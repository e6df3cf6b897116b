"""Servers start and stop, and end with their hub without leaving processes behind."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from pmh_jupyter.hub.roles import SERVER_GRANTS
from tests.integration.hub.conftest import Neighbors
from tests.support.hub.hub_process import HubProcess, running_hub
from tests.support.processes import find_processes
from tests.support.waiting import TIMEOUT_SECONDS

pytestmark = [pytest.mark.slow, pytest.mark.needs("bubblewrap", "setpriv"), pytest.mark.timeout(300)]

DETACHED = """
import subprocess
subprocess.Popen(["setsid", "nohup", "sh", "-c", "trap '' TERM INT HUP; while :; do sleep 60; done", MARK],
                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
"""


def test_stopping_a_server_ends_its_detached_processes(sandboxed: Neighbors) -> None:
    people, marker = sandboxed, "pmh-detached-by-bob"
    people.bob.run(DETACHED.replace("MARK", repr(marker)))
    assert find_processes(marker, includes_environment=True)
    people.bob.stop_server()
    assert not find_processes(marker, includes_environment=True)
    people.bob.start_server()


@pytest.mark.parametrize("end", [HubProcess.stop, HubProcess.kill], ids=["TERM", "KILL"])
def test_no_process_outlives_the_hub(end: Callable[[HubProcess], None], tmp_path: Path) -> None:
    with running_hub(tmp_path) as hub:
        hub.person("ada").log_in().start_server().run(DETACHED.replace("MARK", "'x'"))
        data = str(hub.data)
        hub_api = f"127.0.0.1:{hub.settings['PMH_HUB_PORT']}/hub/api"
        assert find_processes(hub_api, includes_environment=True)
        end(hub)
        hub.wait_until(
            lambda: not find_processes(hub_api, includes_environment=True),
            TIMEOUT_SECONDS,
            "servers and services to end",
        )
        hub.wait_until(lambda: not find_processes(data, includes_environment=True), TIMEOUT_SECONDS, "the proxy to end")


def test_killed_server_is_noticed_and_can_be_started_again(sandboxed: Neighbors) -> None:
    bob = sandboxed.bob
    for process in find_processes("JUPYTERHUB_SERVICE_PREFIX=/user/bob/", includes_environment=True):
        if f":{sandboxed.hub.settings['PMH_HUB_PORT']}/" in Path(f"/proc/{process}/environ").read_text():
            os.kill(process, signal.SIGKILL)
            break
    bob.browser.get("/hub/home")  # makes the Hub poll the server
    sandboxed.hub.wait_until(lambda: not bob.server_is_ready(), TIMEOUT_SECONDS, "the Hub to notice")
    bob.start_server()
    assert bob.run("print(6 * 7)") == "42\n"


def test_files_in_the_home_survive_a_restart(sandboxed: Neighbors) -> None:
    sandboxed.bob.run("open('notes.txt', 'w').write('still here')")
    sandboxed.bob.stop_server()
    sandboxed.bob.start_server()
    assert sandboxed.bob.run("print(open('notes.txt').read())") == "still here\n"


def test_server_token_has_the_scopes_of_the_table(sandboxed: Neighbors) -> None:
    code = """
import json, os
from urllib.request import Request, urlopen
headers = {"Authorization": f"token {os.environ['JUPYTERHUB_API_TOKEN']}"}
print(json.load(urlopen(Request(os.environ["JUPYTERHUB_API_URL"] + "/user", headers=headers)))["scopes"])
"""
    scopes = sandboxed.ada.run(code)
    for scope in ("custom:pmh:learn", "custom:pmh:author", "access:services!service=pmh"):
        assert scope in scopes and scope in {grant.scope for grant in SERVER_GRANTS}
    for scope in ("teach", "enrol", "tokens", "'servers", "delete:"):
        assert scope not in scopes


def test_environment_of_a_server_contains_nothing_of_the_hub(sandboxed: Neighbors) -> None:
    names = set(sandboxed.ada.run("import os; print(*os.environ)").split())
    expected = {
        "HOME",
        "USER",
        "LOGNAME",
        "SHELL",
        "LANG",
        "PATH",
        "PWD",
        "MEM_LIMIT",
        "PMH_SERVICE_URL",
        "JPY_API_TOKEN",
    }
    set_by_jupyter = {
        "JPY_PARENT_PID",
        "TERM",
        "CLICOLOR",
        "CLICOLOR_FORCE",
        "FORCE_COLOR",
        "PAGER",
        "GIT_PAGER",
        "MPLBACKEND",
    }
    others = {name for name in names if not name.startswith(("JUPYTERHUB_", "JUPYTER_"))} - expected - set_by_jupyter
    assert others <= {"PYDEVD_USE_FRAME_EVAL", "JPY_SESSION_NAME"}


def test_culler_can_only_list_users_and_stop_servers(sandboxed: Neighbors) -> None:
    hub, bob = sandboxed.hub, sandboxed.bob
    culler = httpx.Client(base_url=f"{hub.address}/hub/api/", headers={"Authorization": f"token {culler_token(hub)}"})
    with culler:
        assert {user["name"] for user in culler.get("users?state=active").json()} == {"ada", "bob"}
        assert culler.delete("users/bob").status_code == 403
        assert culler.post("users/bob/tokens", json={}).status_code in (403, 404)
        assert culler.delete("users/bob/server").status_code == 204
    assert not bob.server_is_ready()
    bob.start_server()


def culler_token(hub: HubProcess) -> str:
    """The token in the environment of the culler's process, which root can read."""
    for process in find_processes("jupyterhub_idle_culler", includes_environment=True):
        pairs = Path(f"/proc/{process}/environ").read_text().split("\0")
        environ = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
        if f":{hub.settings['PMH_HUB_PORT']}/" in environ.get("JUPYTERHUB_API_URL", ""):
            return environ["JUPYTERHUB_API_TOKEN"]
    raise AssertionError("The culler does not run.")

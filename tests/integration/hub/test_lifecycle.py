"""Servers start, stop and end with their hub; nothing of them stays."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from pmh_jupyter.hub.roles import SERVER_GRANTS
from tests.integration.hub.conftest import Neighbours
from tests.support.hub.hub_process import HubProcess, running_hub

pytestmark = [pytest.mark.slow, pytest.mark.needs("bubblewrap", "setpriv"), pytest.mark.timeout(300)]

DETACHED = """
import subprocess
subprocess.Popen(["setsid", "nohup", "sh", "-c", "trap '' TERM INT HUP; while :; do sleep 60; done", MARK],
                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
"""


def processes_with(mark: str) -> list[int]:
    """Processes of this machine with this argument or in whose environment it stands; a zombie has neither."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            seen = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        except OSError:
            continue
        if mark.encode() in seen:
            found.append(int(process.name))
    return found


def test_stopping_a_server_ends_all_that_it_started(walled: Neighbours) -> None:
    people, mark = walled, "pmh-detached-by-bob"
    people.bob.run(DETACHED.replace("MARK", repr(mark)))
    assert processes_with(mark)
    people.bob.stop_server()
    assert not processes_with(mark)
    people.bob.start_server()


@pytest.mark.parametrize("end", [HubProcess.stop, HubProcess.kill], ids=["TERM", "KILL"])
def test_nothing_outlives_the_hub(end: Callable[[HubProcess], None], tmp_path: Path) -> None:
    with running_hub(tmp_path) as hub:
        hub.person("ada").log_in().start_server().run(DETACHED.replace("MARK", "'x'"))
        data = str(hub.data)
        port = hub.settings["PMH_HUB_PORT"]
        assert processes_with(f"127.0.0.1:{port}/hub/api")
        end(hub)
        hub.until(lambda: not processes_with(f"127.0.0.1:{port}/hub/api"), 20, "servers and services to end")
        hub.until(lambda: not processes_with(data), 20, "the proxy to end")


def test_a_server_that_dies_is_noticed_and_can_be_started_again(walled: Neighbours) -> None:
    bob = walled.bob
    for process in processes_with("JUPYTERHUB_SERVICE_PREFIX=/user/bob/"):
        if f":{walled.hub.settings['PMH_HUB_PORT']}/" in Path(f"/proc/{process}/environ").read_text():
            os.kill(process, signal.SIGKILL)
            break
    bob.browser.get("/hub/home")  # the page on which somebody looks after their server, and has the Hub look as well
    walled.hub.until(lambda: not bob.server_is_ready(), 20, "the Hub to notice")
    bob.start_server()
    assert bob.run("print(6 * 7)") == "42\n"


def test_work_stays_in_the_home(walled: Neighbours) -> None:
    walled.bob.run("open('notes.txt', 'w').write('still here')")
    walled.bob.stop_server()
    walled.bob.start_server()
    assert walled.bob.run("print(open('notes.txt').read())") == "still here\n"


def test_a_servers_token_holds_what_the_table_says(walled: Neighbours) -> None:
    code = """
import json, os
from urllib.request import Request, urlopen
headers = {"Authorization": f"token {os.environ['JUPYTERHUB_API_TOKEN']}"}
print(json.load(urlopen(Request(os.environ["JUPYTERHUB_API_URL"] + "/user", headers=headers)))["scopes"])
"""
    me = walled.ada.run(code)
    for scope in ("custom:pmh:learn", "custom:pmh:author", "access:services!service=pmh"):
        assert scope in me and scope in {grant.scope for grant in SERVER_GRANTS}
    for scope in ("teach", "enrol", "tokens", "'servers", "delete:"):
        assert scope not in me


def test_the_environment_tells_nothing_of_the_hub(walled: Neighbours) -> None:
    names = set(walled.ada.run("import os; print(*os.environ)").split())
    known = {"HOME", "USER", "LOGNAME", "SHELL", "LANG", "PATH", "PWD", "MEM_LIMIT", "PMH_SERVICE_URL", "JPY_API_TOKEN"}
    of_jupyters = {
        "JPY_PARENT_PID",
        "TERM",
        "CLICOLOR",
        "CLICOLOR_FORCE",
        "FORCE_COLOR",
        "PAGER",
        "GIT_PAGER",
        "MPLBACKEND",
    }
    others = {name for name in names if not name.startswith(("JUPYTERHUB_", "JUPYTER_"))} - known - of_jupyters
    assert others <= {"PYDEVD_USE_FRAME_EVAL", "JPY_SESSION_NAME"}


def test_idle_servers_are_stopped(walled: Neighbours) -> None:
    """The culler's own role suffices: its token stops a server and does nothing else."""
    hub, bob = walled.hub, walled.bob
    culler = httpx.Client(base_url=f"{hub.address}/hub/api/", headers={"Authorization": f"token {culler_token(hub)}"})
    with culler:
        assert {user["name"] for user in culler.get("users?state=active").json()} == {"ada", "bob"}
        assert culler.delete("users/bob").status_code == 403
        assert culler.post("users/bob/tokens", json={}).status_code in (403, 404)
        assert culler.delete("users/bob/server").status_code == 204
    assert not bob.server_is_ready()
    bob.start_server()


def culler_token(hub: HubProcess) -> str:
    """From the environment of its process, which the machine's owner can read."""
    for process in processes_with("jupyterhub_idle_culler"):
        pairs = Path(f"/proc/{process}/environ").read_text().split("\0")
        found = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
        if f":{hub.settings['PMH_HUB_PORT']}/" in found.get("JUPYTERHUB_API_URL", ""):
            return found["JUPYTERHUB_API_TOKEN"]
    raise AssertionError("The culler does not run.")

"""Starting: what a spawn pays for, and a JupyterLab that no hub started."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tornado.httpclient import AsyncHTTPClient
from tornado.netutil import bind_sockets

import pmh_jupyter.server_extension as extension
from tests.support.lab.server import Lab

REPOSITORY = Path(__file__).parents[3]
TOKEN = "start-token"

LOADED = """
import sys
import jupyter_server.serverapp, jupyter_server.base.handlers, jupyter_server.extension.application
before = set(sys.modules)
import pmh_jupyter.server_extension
print(*sorted(set(sys.modules) - before))
"""


def test_a_spawn_loads_only_our_own_small_modules() -> None:
    printed = subprocess.run([sys.executable, "-c", LOADED], cwd=REPOSITORY, capture_output=True, text=True, check=True)

    loaded = printed.stdout.split()
    assert "pmh_jupyter.server_extension.app" in loaded
    assert [name for name in loaded if not name.startswith("pmh_jupyter")] == []
    assert not {"pmh_jupyter.wire", "pmh_jupyter.domain"} & set(loaded)


async def test_the_rest_is_loaded_once_the_server_answers(lab: Lab) -> None:
    await lab.extension._start_task
    assert "context" in vars(lab.extension)


def test_the_extension_says_where_it_and_the_panel_are() -> None:
    [point] = extension._jupyter_server_extension_points()
    assert point == {"module": "pmh_jupyter.server_extension", "app": extension.PmhExtension}
    [path] = extension._jupyter_labextension_paths()
    folder = Path(extension.__file__).parent / path["src"]
    assert folder.resolve() == REPOSITORY / "pmh_jupyter" / "labextension"
    assert path["dest"] == "pmh-jupyter"


def _free_port() -> int:
    [listener] = bind_sockets(0, "127.0.0.1")
    with listener:
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture
def standalone(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """`jupyter lab` with our extension enabled as the wheel enables it."""
    enabled = Path(os.environ["JUPYTER_CONFIG_DIR"]) / "jupyter_server_config.d"
    enabled.mkdir()
    shutil.copy(REPOSITORY / "jupyter-config" / "server-config" / "pmh_jupyter.json", enabled)
    root = tmp_path / "root"
    root.mkdir()
    options = [
        f"--ServerApp.root_dir={root}",
        f"--IdentityProvider.token={TOKEN}",
        f"--port={_free_port()}",
        "--no-browser",
    ]
    environment = {name: value for name, value in os.environ.items() if name != "JUPYTER_NO_CONFIG"}
    command = [sys.executable, "-m", "jupyterlab", "--allow-root", *options]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.wait()
    assert process.stderr is not None
    process.stderr.close()


async def test_jupyterlab_without_a_hub_starts_and_says_that_it_is_not_connected(
    standalone: subprocess.Popen[str],
) -> None:
    assert standalone.stderr is not None
    log = ""
    while "pmh: not connected" not in log:  # said once the server listens
        line = await asyncio.to_thread(standalone.stderr.readline)
        assert line, f"it ended: {log}"
        log += line
    port = re.findall(r"http://127\.0\.0\.1:(\d+)/", log)[-1]
    address = f"http://127.0.0.1:{port}/pmh/api"
    headers = {"Authorization": f"token {TOKEN}"}

    status = await AsyncHTTPClient().fetch(f"{address}/status", headers=headers)
    me = await AsyncHTTPClient().fetch(f"{address}/me", headers=headers, raise_error=False)

    assert json.loads(status.body) == {"version": "0.1.0", "name": "", "is_reachable": False, "outbox_size": 0}
    assert (me.code, json.loads(me.body)["code"]) == (503, "not-connected")
    assert "Traceback" not in log

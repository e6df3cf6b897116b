"""Startup: what every spawn pays for, and a JupyterLab that no hub has started."""

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
from pmh_jupyter.server_extension.app import PmhExtension
from tests.support.lab.server import Lab

REPOSITORY = Path(__file__).parents[3]
TOKEN = "start-token"

PRINT_NEW_MODULES = """
import sys
import jupyter_server.serverapp, jupyter_server.base.handlers, jupyter_server.extension.application
before = set(sys.modules)
import pmh_jupyter.server_extension
print(*sorted(set(sys.modules) - before))
"""
# Small modules that import nothing but the standard library and what a Jupyter server has loaded anyway.
MODULES_OF_A_SPAWN = {
    "pmh_jupyter",
    "pmh_jupyter.domain",
    "pmh_jupyter.domain.slugs",
    "pmh_jupyter.domain.uuids",
    "pmh_jupyter.errors",
    "pmh_jupyter.server_extension",
    "pmh_jupyter.server_extension.app",
    "pmh_jupyter.server_extension.event_stream_handler",
    "pmh_jupyter.server_extension.handler",
    "pmh_jupyter.server_extension.lesson_handlers",
    "pmh_jupyter.server_extension.outbox_handlers",
    "pmh_jupyter.server_extension.proxy_handlers",
    "pmh_jupyter.server_extension.route_patterns",
}


def test_spawn_loads_only_our_small_modules() -> None:
    process = subprocess.run(
        [sys.executable, "-c", PRINT_NEW_MODULES], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert set(process.stdout.split()) == MODULES_OF_A_SPAWN


async def test_context_is_loaded_after_the_server_has_started_to_answer(lab: Lab) -> None:
    await lab.extension._start_task
    assert "context" in vars(lab.extension)


def test_extension_points_name_the_app_and_the_panel() -> None:
    [point] = extension._jupyter_server_extension_points()
    assert point == {"module": "pmh_jupyter.server_extension", "app": PmhExtension}
    [path] = extension._jupyter_labextension_paths()
    folder = Path(extension.__file__).parent / path["src"]
    assert folder.resolve() == (REPOSITORY / "pmh_jupyter" / "labextension").resolve()
    assert path["dest"] == "pmh-jupyter"


def _free_port() -> int:
    [listener] = bind_sockets(0, "127.0.0.1")
    with listener:
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture
def standalone(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """`jupyter lab` with our extension enabled as the wheel enables it."""
    config_folder = Path(os.environ["JUPYTER_CONFIG_DIR"]) / "jupyter_server_config.d"
    config_folder.mkdir()
    shutil.copy(REPOSITORY / "jupyter-config" / "server-config" / "pmh_jupyter.json", config_folder)
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


async def test_jupyterlab_without_a_hub_starts_and_reports_that_it_is_not_connected(
    standalone: subprocess.Popen[str],
) -> None:
    assert standalone.stderr is not None
    log = ""
    while "pmh: not connected" not in log:  # logged once the server listens
        line = await asyncio.to_thread(standalone.stderr.readline)
        assert line, f"it ended: {log}"
        log += line
    port = re.findall(r"http://127\.0\.0\.1:(\d+)/", log)[-1]
    address = f"http://127.0.0.1:{port}/pmh/api"
    headers = {"Authorization": f"token {TOKEN}"}

    status = await AsyncHTTPClient().fetch(f"{address}/status", headers=headers)
    me = await AsyncHTTPClient().fetch(f"{address}/me", headers=headers, raise_error=False)

    assert json.loads(status.body) == {"version": "0.1.0"}
    assert (me.code, json.loads(me.body)["code"]) == (503, "not-connected")
    assert "Traceback" not in log

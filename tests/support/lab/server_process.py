"""The server of `tests.support.lab.server` in a process of its own, which a test can kill."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tornado.httpclient import AsyncHTTPClient, HTTPRequest

ROOT = Path(__file__).parents[3]


class LabProcess:
    """`python -m tests.support.lab.server_process`, to be started and killed repeatedly. Its records are in `home`."""

    def __init__(self, python: str, root: Path, home: Path, service_url: str) -> None:
        self._command = [python, "-m", "tests.support.lab.server_process", str(root), str(home), service_url]
        self._process: subprocess.Popen[str] | None = None
        self.port = 0

    async def start(self) -> None:
        """Start the process and wait until it answers."""
        self._process = subprocess.Popen(self._command, cwd=ROOT, env=os.environ, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port = int(await asyncio.to_thread(self._process.stdout.readline))

    async def post(self, path: str, body: Any) -> Any:
        url = f"http://127.0.0.1:{self.port}/user/ada/pmh/api/{path}"
        headers = {"Authorization": "token ada-token"}
        request = HTTPRequest(url, method="POST", headers=headers, body=json.dumps(body), request_timeout=60)
        return json.loads((await AsyncHTTPClient().fetch(request)).body)

    def kill(self) -> None:
        """Send SIGKILL if the process runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None


async def _serve(root: str, home: str, service_url: str) -> None:
    from tests.support.lab.server import Lab

    lab = await Lab(Path(root), Path(home), service_url).start()
    print(lab.port, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(*sys.argv[1:]))

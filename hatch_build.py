"""Puts the built panel where JupyterLab looks for it, and refuses to make a wheel that lacks what npm builds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PANEL = "pmh_jupyter/labextension"
PROXY = "pmh_jupyter/hub/proxy/bin/configurable-http-proxy.mjs"

NOT_BUILT = """
{missing} is missing: npm builds it from this checkout, and a wheel without it would start no classroom.
Run `make assets` (Node.js comes from a wheel where there is none), or make the wheel with `make wheel`.
"""


class Assets(BuildHookInterface[Any]):
    """For the wheel alone. An editable installation takes the panel if it is there: `make package` comes back once it is."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        if version != "editable":
            for needed in (f"{PANEL}/package.json", PROXY):
                if not (root / needed).exists():
                    raise FileNotFoundError(NOT_BUILT.format(missing=needed))
        if (root / PANEL).exists():
            build_data["shared_data"][PANEL] = "share/jupyter/labextensions/pmh-jupyter"

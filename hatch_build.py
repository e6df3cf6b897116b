"""What goes into the wheel beside the package: the built panel where JupyterLab looks for it, and what a checkout keeps elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PANEL = "pmh_jupyter/labextension"
PROXY = "pmh_jupyter/hub/proxy/bin/configurable-http-proxy.mjs"

# From the checkout to where pmh_jupyter/resource_paths.py looks for it in an installed package.
ALONG = {
    "courses/python-mastery": "pmh_jupyter/courses/python-mastery",
    "jupyterhub_config.py": "pmh_jupyter/hub/jupyterhub_config.py",
    "requirements/server.lock": "pmh_jupyter/requirements/server.lock",
}

NOT_BUILT = """
{missing} is missing: npm builds it from this checkout, and a wheel without it would start no classroom.
Run `make assets` (Node.js comes from a wheel where there is none), or make the wheel with `make wheel`.
"""


class Assets(BuildHookInterface[Any]):
    """For the wheel. An editable installation leaves the files where they are, and has the panel only once it is built."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root = Path(self.root)
        if version != "editable":
            for needed in (f"{PANEL}/package.json", PROXY):
                if not (root / needed).exists():
                    raise FileNotFoundError(NOT_BUILT.format(missing=needed))
            build_data["force_include"].update(ALONG)
        if (root / PANEL).exists():
            build_data["shared_data"][PANEL] = "share/jupyter/labextensions/pmh-jupyter"

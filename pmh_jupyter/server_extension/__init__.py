"""The Jupyter server extension. It runs in each user's notebook server and talks to the service as that user only.

Imports of this package delay every spawn, so this module and `app` import only modules that a Jupyter server loads in any case.
`context` and its dependencies, such as pydantic and httpx, are imported after the server has started to respond.
"""

from __future__ import annotations

from typing import Any

from pmh_jupyter.server_extension.app import PmhExtension


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Register the extension with a Jupyter server."""
    return [{"module": "pmh_jupyter.server_extension", "app": PmhExtension}]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Return the folder of the built panel for `jupyter labextension develop`."""
    return [{"src": "../labextension", "dest": "pmh-jupyter"}]

"""The Jupyter server extension. It runs in each user's notebook server and talks to the service as that user only.

Every spawn pays for the imports of this package, so this module and `app` import only what a Jupyter server has loaded anyway.
`context` and what it needs, such as pydantic and httpx, is imported after the server has started to answer.
"""

from __future__ import annotations

from typing import Any

from pmh_jupyter.server_extension.app import PmhExtension


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Tells a Jupyter server where the extension is."""
    return [{"module": "pmh_jupyter.server_extension", "app": PmhExtension}]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Tells `jupyter labextension develop` where the built panel is."""
    return [{"src": "../labextension", "dest": "pmh-jupyter"}]

"""The part of the platform that runs in each user's notebook server: it speaks to the service as that user, and nobody else.

Everything imported from here is paid at every spawn, so this module and `app` import nothing that a Jupyter server has not loaded
already; the rest (`desk` and what it needs, pydantic among it) is loaded once the server answers.
"""

from __future__ import annotations

from typing import Any

from pmh_jupyter.server_extension.app import PmhExtension


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """Where a Jupyter server finds the extension."""
    return [{"module": "pmh_jupyter.server_extension", "app": PmhExtension}]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Where `jupyter labextension develop` finds the built panel."""
    return [{"src": "../labextension", "dest": "pmh-jupyter"}]

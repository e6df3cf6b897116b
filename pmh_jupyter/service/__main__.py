"""Entry point `python -m pmh_jupyter.service`.

JupyterHub starts it as a managed service. It can also run on its own, with JUPYTERHUB_API_URL and JUPYTERHUB_API_TOKEN set.
"""

from __future__ import annotations

import asyncio
import os
import sys

from pmh_jupyter.config import Settings
from pmh_jupyter.errors import PmhError
from pmh_jupyter.service import logs
from pmh_jupyter.service.process import serve


def main() -> int:
    """Run the service. Returns 0 after SIGTERM or SIGINT, and 2 if it cannot start; the log then has the reason and advice."""
    try:
        settings = Settings.from_environ()
        logs.configure_logging(settings.log_level, settings.log_json)
        asyncio.run(serve(settings, os.environ))
    except PmhError as error:
        logs.log.error("service cannot start", code=error.code, reason=error.message, advice=error.advice)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

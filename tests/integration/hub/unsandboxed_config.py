"""The project's hub with its walls taken away: what a probe must be able to do here before its failure elsewhere means anything."""

import os

from tests.support.hub.hub_process import CONFIG

load_subconfig(str(CONFIG))  # noqa: F821 (JupyterHub provides it)
c = get_config()  # noqa: F821

c.LocalSpawner.wall = "none"
# Kernels on TCP, as Jupyter has them by itself.
c.Spawner.args = ["--allow-root"] if os.geteuid() == 0 else []

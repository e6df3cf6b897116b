"""The product's configuration without sandboxes. A probe must succeed on this hub before its failure on the other one counts."""

import os

from tests.support.hub.hub_process import CONFIG

load_subconfig(str(CONFIG))  # noqa: F821 (JupyterHub provides it)
c = get_config()  # noqa: F821

c.LocalSpawner.sandbox = "none"
# Kernels listen on TCP ports, as by default in Jupyter.
c.Spawner.args = ["--allow-root"] if os.geteuid() == 0 else []

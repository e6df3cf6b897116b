"""The product's configuration, with containers that mount this machine's software, so that no registry is needed."""

import os
import sys

from tests.support.docker.engine import machine_folders
from tests.support.hub.hub_process import CONFIG, ROOT

load_subconfig(str(CONFIG))  # noqa: F821 (JupyterHub provides it)
c = get_config()  # noqa: F821

python = os.environ.get("PMH_SERVER_PYTHON") or sys.executable
c.DockerSpawner.pull_policy = "never"
c.DockerSpawner.cmd = [python, "-m", "jupyterhub.singleuser"]
c.DockerSpawner.read_only_volumes = {folder: folder for folder in ["/usr", *machine_folders(python)]} | {
    str(
        ROOT / "deploy" / "ipython_kernel_config.py"
    ): "/etc/ipython/ipython_kernel_config.py"  # as deploy/Dockerfile has it
}

"""Every setting of ours: its name, its meaning, its unit, and the environment variable it is read from.

One class for all processes of a hub. `jupyterhub_config.py`, the service, the spawners and `pmh` read the same variables, so that
an operator sets a thing once. docs/reference/settings.md is generated from the traits below.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from traitlets import Bool, Enum, Float, HasTraits, Int, TraitError, TraitType, Unicode

from pmh_jupyter.domain.limits import MIB, EffectiveLimits
from pmh_jupyter.errors import BadInput

LOOPBACK_ADDRESSES = frozenset({"127.0.0.1", "::1", "localhost"})


class Settings(HasTraits):
    """The settings of one hub. Relative paths are relative to the folder in which the process was started."""

    data_dir = Unicode(".pmh", help="Folder of everything that must survive: databases, blobs, keys, homes, logs.").tag(
        env="PMH_DATA_DIR"
    )
    ip = Unicode("127.0.0.1", help="Address on which the hub answers browsers.").tag(env="PMH_IP")
    port = Int(8000, min=1, max=65535, help="Port on which the hub answers browsers.").tag(env="PMH_PORT")
    hub_ip = Unicode(
        "",
        help="Address on which JupyterHub itself answers proxy, service and users' servers; empty: 127.0.0.1, with "
        "docker the gateway of PMH_DOCKER_NETWORK.",
    ).tag(env="PMH_HUB_IP")
    hub_port = Int(8081, min=1, max=65535, help="Port on which JupyterHub itself answers.").tag(env="PMH_HUB_PORT")
    proxy_api_port = Int(
        8001, min=1, max=65535, help="Port on 127.0.0.1 on which the proxy takes the Hub's orders."
    ).tag(env="PMH_PROXY_API_PORT")

    config_file = Unicode(
        "",
        help="JupyterHub's configuration file that `pmh up` starts, one of your own that loads ours; empty: ours. "
        "`jupyterhub -f` does not ask for it.",
    ).tag(env="PMH_CONFIG")

    authenticator = Enum(
        ["accounts", "dummy"],
        "accounts",
        help="How people log in. accounts: sign up with a name, a password and a classroom's join code. "
        "dummy: any name, any password; for tests and demos, refused when the hub listens on more than loopback.",
    ).tag(env="PMH_AUTHENTICATOR")
    admin = Unicode("admin", help="Name of the first administrator, made at the first start.").tag(env="PMH_ADMIN")

    spawner = Enum(
        ["local", "docker"],
        "local",
        help="Where a user's notebook server runs. local: a process behind a bubblewrap wall. docker: a container.",
    ).tag(env="PMH_SPAWNER")
    server_python = Unicode(
        "", help="Python of the lean environment in which users' servers run; empty: the one that runs the hub."
    ).tag(env="PMH_SERVER_PYTHON")
    server_memory_mb = Int(1024, min=128, help="Memory that one user's server may use, in MiB.").tag(
        env="PMH_SERVER_MEMORY_MB"
    )
    server_cpus = Float(2.0, min=0.1, help="Processor cores that one user's server may use (docker).").tag(
        env="PMH_SERVER_CPUS"
    )
    server_pids = Int(256, min=32, help="Processes and threads that one user's server may hold.").tag(
        env="PMH_SERVER_PIDS"
    )
    idle_seconds = Int(3600, min=60, help="Seconds without activity after which a user's server is stopped.").tag(
        env="PMH_IDLE_SECONDS"
    )
    docker_image = Unicode("pmh-jupyter-server", help="Image of a user's server (docker).").tag(env="PMH_DOCKER_IMAGE")
    docker_network = Unicode(
        "pmh", help="Docker network of the users' servers; neighbours cannot reach each other."
    ).tag(env="PMH_DOCKER_NETWORK")

    service_ip = Unicode("127.0.0.1", help="Address on which the service answers; users' servers must reach it.").tag(
        env="PMH_SERVICE_IP"
    )
    service_port = Int(10101, min=1, max=65535, help="Port on which the service answers.").tag(env="PMH_SERVICE_PORT")
    service_url = Unicode(
        "",
        help="Address of the service as users' servers reach it; empty: made of PMH_SERVICE_IP and PMH_SERVICE_PORT.",
    ).tag(env="PMH_SERVICE_URL")
    database_url = Unicode(
        "", help="SQLAlchemy URL of our database; empty: SQLite in PMH_DATA_DIR. For PostgreSQL postgresql+psycopg://…"
    ).tag(env="PMH_DATABASE_URL", secret=True)
    body_limit_mb = Int(50, min=1, help="Largest request that the service takes, in MiB.").tag(env="PMH_BODY_LIMIT_MB")
    checks_per_minute = Int(30, min=1, help="Checks and submissions that one person may send in a minute.").tag(
        env="PMH_CHECKS_PER_MINUTE"
    )
    requests_per_minute = Int(600, min=10, help="Requests that one person may send to the service in a minute.").tag(
        env="PMH_REQUESTS_PER_MINUTE"
    )

    grading_workers = Int(
        0, min=0, help="Gradings at once; 0: two for each core, at least four. Some stay for checks."
    ).tag(env="PMH_GRADING_WORKERS")
    grader_sandbox = Enum(
        ["auto", "bubblewrap", "docker"],
        "auto",
        help="What keeps students' code in while it is graded. auto: bubblewrap, and on loopback nothing where it cannot be had. "
        "bubblewrap: nothing is graded without it. docker: a container for each submission.",
    ).tag(env="PMH_GRADER_SANDBOX")
    grader_image = Unicode(
        "", help="Image in whose containers submissions are graded (docker); empty: PMH_DOCKER_IMAGE."
    ).tag(env="PMH_GRADER_IMAGE")
    grader_python = Unicode(
        "",
        help="Python that runs students' code in the sandbox; empty: PMH_SERVER_PYTHON, with docker the image's python3.",
    ).tag(env="PMH_GRADER_PYTHON")
    cell_seconds = Float(
        10.0, min=0.1, help="Seconds that one cell may run while grading, unless the course says otherwise."
    ).tag(env="PMH_CELL_SECONDS")
    submission_seconds = Float(60.0, min=1, help="Seconds that the grading of one submission may take.").tag(
        env="PMH_SUBMISSION_SECONDS"
    )
    grading_memory_mb = Int(1024, min=64, help="Memory that a submission may use while it is graded, in MiB.").tag(
        env="PMH_GRADING_MEMORY_MB"
    )

    log_level = Enum(["debug", "info", "warning", "error"], "info", help="Least level that is logged.").tag(
        env="PMH_LOG_LEVEL"
    )
    log_json = Bool(False, help="Log JSON also on a terminal; elsewhere it is always JSON.").tag(env="PMH_LOG_JSON")

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Reads the settings from PMH_* variables; raises BadInput naming the variable, its value and its meaning."""
        environ = os.environ if environ is None else environ
        settings = cls()
        for name, trait in cls.traits_by_variable().items():
            if name in environ:
                _assign(settings, trait, name, environ[name])
        return settings

    @classmethod
    def traits_by_variable(cls) -> dict[str, TraitType[Any, Any]]:
        """Environment variable to trait, in the order of the class."""
        traits = cls.class_traits(env=lambda env: env is not None)
        return {traits[name].metadata["env"]: traits[name] for name in vars(cls) if name in traits}

    def to_environ(self) -> dict[str, str]:
        """The settings as variables, for a child process of our own (never for a user's server: it may hold a password)."""
        return {name: str(getattr(self, str(trait.name))) for name, trait in self.traits_by_variable().items()}

    @property
    def data_path(self) -> Path:
        return Path(self.data_dir).absolute()

    @property
    def resolved_database_url(self) -> str:
        """The SQLAlchemy URL in force."""
        return self.database_url or f"sqlite:///{self.data_path / 'pmh.sqlite'}"

    @property
    def resolved_service_url(self) -> str:
        """Base address of the service for processes beside it, without a slash at its end."""
        return (self.service_url or f"http://{self.service_ip}:{self.service_port}/services/pmh").rstrip("/")

    @property
    def grading_limits(self) -> EffectiveLimits:
        """The limits of a grading for which neither the lesson nor the classroom requests others."""
        return EffectiveLimits(
            cell_seconds=self.cell_seconds,
            submission_seconds=self.submission_seconds,
            memory_bytes=self.grading_memory_mb * MIB,
        )

    @property
    def is_on_loopback(self) -> bool:
        """True where nobody but this machine can reach the hub."""
        return self.ip in LOOPBACK_ADDRESSES


def _assign(settings: Settings, trait: TraitType[Any, Any], name: str, value: str) -> None:
    try:
        setattr(settings, str(trait.name), trait.from_string(value))
    except (TraitError, ValueError) as error:
        raise BadInput(
            f"{name}={value!r} is not a value that this setting can take.",
            advice=f"{name}: {trait.help} See docs/reference/settings.md.",
        ) from error

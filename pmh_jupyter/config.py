"""All settings: name, meaning, unit and environment variable.

All processes of a hub use the same class: jupyterhub_config.py, the service, the spawners and `pmh` read the same variables.
docs/reference/settings.md is generated from the traits.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from traitlets import Bool, Enum, Float, HasTraits, Int, TraitError, TraitType, Unicode, validate

from pmh_jupyter.domain.limits import MIB, EffectiveLimits
from pmh_jupyter.errors import BadInput

LOOPBACK_ADDRESSES = frozenset({"127.0.0.1", "::1", "localhost"})
BASE_URL_PATTERN = re.compile(r"/(?:(?!\.{1,2}/)[A-Za-z0-9._~-]+/)*")


class Settings(HasTraits):
    """The settings of one hub. Relative paths are relative to the working directory of the process."""

    data_dir = Unicode(".pmh", help="Folder of all persistent data: databases, blobs, keys, home folders, logs.").tag(
        env="PMH_DATA_DIR"
    )
    ip = Unicode("127.0.0.1", help="Address on which the hub listens for browsers.").tag(env="PMH_IP")
    port = Int(8000, min=1, max=65535, help="Port on which the hub listens for browsers.").tag(env="PMH_PORT")
    base_url = Unicode(
        "/",
        help="Path of the hub's URLs, for example /jupyter/ behind the web server of a department. Allowed are letters, "
        "digits, `-`, `.`, `_` and `~`, in parts separated by slashes.",
    ).tag(env="PMH_BASE_URL")
    hub_ip = Unicode(
        "",
        help="Address on which JupyterHub's API listens for proxy, service and users' servers; empty: 127.0.0.1, or with "
        "docker the gateway of PMH_DOCKER_NETWORK.",
    ).tag(env="PMH_HUB_IP")
    hub_port = Int(8081, min=1, max=65535, help="Port on which JupyterHub's API listens.").tag(env="PMH_HUB_PORT")
    proxy_api_port = Int(
        8001, min=1, max=65535, help="Port on 127.0.0.1 on which the proxy's API listens for the Hub."
    ).tag(env="PMH_PROXY_API_PORT")

    config_file = Unicode(
        "",
        help="Your own JupyterHub configuration file for `pmh up`, which must load ours; empty: ours. "
        "`jupyterhub -f` ignores this setting.",
    ).tag(env="PMH_CONFIG")

    authenticator = Enum(
        ["accounts", "dummy"],
        "accounts",
        help="How people log in. accounts: sign up with a name, a password and a classroom's join code. "
        "dummy: any name and any password; for tests and demos, only allowed on loopback addresses.",
    ).tag(env="PMH_AUTHENTICATOR")
    admin = Unicode("admin", help="Name of the first administrator, who is created at the first start.").tag(
        env="PMH_ADMIN"
    )

    spawner = Enum(
        ["local", "docker"],
        "local",
        help="Where users' notebook servers run. local: in processes, sandboxed with bubblewrap. docker: in containers.",
    ).tag(env="PMH_SPAWNER")
    server_python = Unicode(
        "", help="Python interpreter of the lean environment of users' servers; empty: the one that runs the hub."
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
        "pmh", help="Docker network of users' servers, in which containers cannot reach each other."
    ).tag(env="PMH_DOCKER_NETWORK")

    service_ip = Unicode(
        "127.0.0.1", help="Address on which the service listens; users' servers must be able to reach it."
    ).tag(env="PMH_SERVICE_IP")
    service_port = Int(10101, min=1, max=65535, help="Port on which the service listens.").tag(env="PMH_SERVICE_PORT")
    service_url = Unicode(
        "",
        help="URL of the service for users' servers; empty: made of PMH_SERVICE_IP and PMH_SERVICE_PORT.",
    ).tag(env="PMH_SERVICE_URL")
    database_url = Unicode(
        "", help="SQLAlchemy URL of the database; empty: SQLite in PMH_DATA_DIR. For PostgreSQL: postgresql+psycopg://…"
    ).tag(env="PMH_DATABASE_URL", secret=True)
    body_limit_mb = Int(50, min=1, help="Maximum size of a request to the service, in MiB.").tag(
        env="PMH_BODY_LIMIT_MB"
    )
    checks_per_minute = Int(
        30, min=1, help="Checks, submissions, joins, regrades and course uploads of one person in a minute."
    ).tag(env="PMH_CHECKS_PER_MINUTE")
    requests_per_minute = Int(600, min=10, help="Requests that one person may send to the service in a minute.").tag(
        env="PMH_REQUESTS_PER_MINUTE"
    )

    grading_workers = Int(
        0, min=0, help="Number of concurrent gradings; 0: two per core, at least four. Some are reserved for checks."
    ).tag(env="PMH_GRADING_WORKERS")
    grader_sandbox = Enum(
        ["auto", "bubblewrap", "docker"],
        "auto",
        help="Sandbox of students' code during grading. auto: bubblewrap; without it, no sandbox, but only on loopback addresses. "
        "bubblewrap: no grading without it. docker: a container for each submission.",
    ).tag(env="PMH_GRADER_SANDBOX")
    grader_image = Unicode(
        "", help="Image of the containers in which submissions are graded (docker); empty: PMH_DOCKER_IMAGE."
    ).tag(env="PMH_GRADER_IMAGE")
    grader_python = Unicode(
        "",
        help="Python interpreter for students' code in the sandbox; empty: PMH_SERVER_PYTHON, or with docker python3 of the image.",
    ).tag(env="PMH_GRADER_PYTHON")
    cell_seconds = Float(
        10.0,
        min=0.1,
        help="Seconds that one cell may run during grading, unless the course or the classroom sets another limit.",
    ).tag(env="PMH_CELL_SECONDS")
    submission_seconds = Float(60.0, min=1, help="Seconds that the grading of one submission may take.").tag(
        env="PMH_SUBMISSION_SECONDS"
    )
    grading_memory_mb = Int(1024, min=64, help="Memory that a submission may use while it is graded, in MiB.").tag(
        env="PMH_GRADING_MEMORY_MB"
    )

    log_level = Enum(["debug", "info", "warning", "error"], "info", help="Minimum level of log messages.").tag(
        env="PMH_LOG_LEVEL"
    )
    log_json = Bool(False, help="Also log JSON on a terminal; elsewhere logs are always JSON.").tag(env="PMH_LOG_JSON")

    @validate("base_url")
    def _validate_base_url(self, proposal: Mapping[str, Any]) -> str:
        """Return the path with one slash at each end. Raises TraitError unless it is a plain path."""
        parts = str(proposal["value"]).strip("/")
        path = f"/{parts}/" if parts else "/"
        if not BASE_URL_PATTERN.fullmatch(path):
            raise TraitError(f"{proposal['value']!r} is not a path such as /jupyter/.")
        return path

    @classmethod
    def from_environ(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read the settings from PMH_* variables. Raises BadInput, which names the variable, its value and its meaning."""
        environ = os.environ if environ is None else environ
        settings = cls()
        for name, trait in cls.list_traits_by_variable().items():
            if name in environ:
                _assign(settings, trait, name, environ[name])
        return settings

    @classmethod
    def list_traits_by_variable(cls) -> dict[str, TraitType[Any, Any]]:
        """Return the traits by environment variable, in the order of the class."""
        traits = cls.class_traits(env=lambda env: env is not None)
        return {traits[name].metadata["env"]: traits[name] for name in vars(cls) if name in traits}

    def to_environ(self) -> dict[str, str]:
        """Return the settings as variables for our own child processes. Not for users' servers: the database URL may contain a password."""
        return {name: str(getattr(self, str(trait.name))) for name, trait in self.list_traits_by_variable().items()}

    @property
    def data_path(self) -> Path:
        return Path(self.data_dir).absolute()

    @property
    def resolved_database_url(self) -> str:
        """The SQLAlchemy URL of the database."""
        return self.database_url or f"sqlite:///{self.data_path / 'pmh.sqlite'}"

    @property
    def bind_url(self) -> str:
        """The URL on which the proxy listens for browsers, with the hub's path."""
        return f"http://{format_host(self.ip)}:{self.port}{self.base_url}"

    @property
    def hub_url(self) -> str:
        """The URL on which JupyterHub's API listens."""
        return f"http://{format_host(self.hub_ip)}:{self.hub_port}{self.base_url}hub/"

    @property
    def service_path(self) -> str:
        """The path of the service's URLs, with a slash at each end."""
        return f"{self.base_url}services/pmh/"

    @property
    def resolved_service_url(self) -> str:
        """Base URL of the service, without a trailing slash."""
        default_url = f"http://{format_host(self.service_ip)}:{self.service_port}{self.service_path}"
        return (self.service_url or default_url).rstrip("/")

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
        """Whether only processes of this machine can reach the hub."""
        return self.ip in LOOPBACK_ADDRESSES


def format_host(ip: str) -> str:
    """Return an IP address as it is written in URLs: IPv6 in brackets."""
    return f"[{ip}]" if ":" in ip else ip


def _assign(settings: Settings, trait: TraitType[Any, Any], name: str, value: str) -> None:
    try:
        setattr(settings, str(trait.name), trait.from_string(value))
    except (TraitError, ValueError) as error:
        raise BadInput(
            f"{name}={value!r} is not a valid value.",
            advice=f"{name}: {trait.help} See docs/reference/settings.md.",
        ) from error

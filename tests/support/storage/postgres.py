"""A PostgreSQL server for tests, with its data in a temporary folder. It stops at the end of the session.

It listens only on a socket in that folder, requires a password, and does not run as root, which PostgreSQL refuses. Its data is
deleted afterwards, so fsync is off.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import URL

from tests.support.needs import needs, postgres_bin

SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "max_connections": "100",
    "shared_buffers": "32MB",
}


class Cluster:
    """A running server. `make` creates databases."""

    def __init__(self, folder: Path, password: str) -> None:
        self.folder = folder
        self.password = password

    def url(self, name: str) -> str:
        """Return the SQLAlchemy URL of a database."""
        query = {"host": str(self.folder)}
        url = URL.create("postgresql+psycopg", "pmh", self.password, database=name, query=query)
        return url.render_as_string(hide_password=False)

    def make(self, template: str = "template1") -> str:
        """Create a copy of the template and return its name. Nobody may be connected to the template."""
        name = f"test_{secrets.token_hex(6)}"
        self._run("CREATE DATABASE {} TEMPLATE {}", name, template)
        return name

    def drop(self, name: str) -> None:
        """Drop a database and close its connections."""
        self._run("DROP DATABASE {} WITH (FORCE)", name)

    def _run(self, statement: str, *names: str) -> None:
        identifiers = (sql.Identifier(name) for name in names)
        with psycopg.connect(
            host=str(self.folder), user="pmh", password=self.password, dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(sql.SQL(statement).format(*identifiers))


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    """Start a server, and stop it at the end. Skips the test if PostgreSQL is not installed."""
    needs("postgres")
    programs = postgres_bin()
    assert programs
    # Not in pytest's folder: the server's user must be able to read it, and the path of a socket has at most 107 characters.
    folder = Path(tempfile.mkdtemp(prefix="pmh-pg-"))
    folder.chmod(0o755)
    try:
        user = _other_user()
        if user:
            shutil.chown(folder, user)
        password = secrets.token_hex(16)
        secret = folder / "password"
        secret.write_text(password)
        if user:
            shutil.chown(secret, user)
        data = folder / "data"
        _as(user, programs / "initdb", "-D", data, "-U", "pmh", "-A", "scram-sha-256", "--pwfile", secret, "-N")
        options = " ".join(f"-c {name}={value or repr('')}" for name, value in SETTINGS.items())
        control = programs / "pg_ctl"
        _as(user, control, "-D", data, "-l", folder / "log", "-o", f"-k {folder} {options}", "-w", "start")
        try:
            yield Cluster(folder, password)
        finally:
            _as(user, control, "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _other_user() -> str | None:
    """Return the user that runs the server if the tests run as root: the one that PostgreSQL's package created."""
    if os.geteuid() != 0:
        return None
    needs("setpriv")
    return "postgres"


def _as(user: str | None, *command: object) -> None:
    privilege_options = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"] if user else []
    environ = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    result = subprocess.run(
        [*privilege_options, *map(str, command)],
        env=environ,
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if result.returncode != 0:
        raise RuntimeError(f"{command[0]} failed: {result.stdout}{result.stderr}")

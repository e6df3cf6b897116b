"""A private PostgreSQL for tests: a cluster of its own in a temporary folder, ended with the session.

It listens on a socket in that folder alone, asks for a password, and runs as a user who is not root, because PostgreSQL refuses to.
Its data is thrown away, so that it need not be durable: fsync is off.
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
    """A running server. `make` gives an empty database, or a copy of one that is there."""

    def __init__(self, folder: Path, password: str) -> None:
        self.folder = folder
        self.password = password

    def url(self, name: str) -> str:
        """The SQLAlchemy URL of a database."""
        query = {"host": str(self.folder)}
        url = URL.create("postgresql+psycopg", "pmh", self.password, database=name, query=query)
        return url.render_as_string(hide_password=False)

    def make(self, template: str = "template1") -> str:
        """Makes a database and returns its name. Nobody may be connected to the template."""
        name = f"test_{secrets.token_hex(6)}"
        self._run("CREATE DATABASE {} TEMPLATE {}", name, template)
        return name

    def drop(self, name: str) -> None:
        """Drops a database, and with it whoever is still connected."""
        self._run("DROP DATABASE {} WITH (FORCE)", name)

    def _run(self, statement: str, *names: str) -> None:
        identifiers = (sql.Identifier(name) for name in names)
        with psycopg.connect(
            host=str(self.folder), user="pmh", password=self.password, dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(sql.SQL(statement).format(*identifiers))


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    """Starts a server and ends it; skips, with what is missing, where there is none to be had."""
    needs("postgres")
    programs = postgres_bin()
    assert programs
    # Not pytest's own folder: the server runs as another user, who must reach it; a socket's path may have 107 characters.
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
    """Who the server runs as when we are root: the user that its package made."""
    if os.geteuid() != 0:
        return None
    needs("setpriv")
    return "postgres"


def _as(user: str | None, *command: object) -> None:
    drop = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"] if user else []
    environ = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        [*drop, *map(str, command)], env=environ, cwd="/", stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} failed: {done.stdout}{done.stderr}")

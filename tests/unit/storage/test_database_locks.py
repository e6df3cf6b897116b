"""A database that another process or another connection has locked."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from queue import SimpleQueue

import pytest
from sqlalchemy import event

from pmh_jupyter.errors import Conflict, Unavailable
from pmh_jupyter.storage import dialect
from pmh_jupyter.storage.database import Database
from pmh_jupyter.storage.records import people
from tests.support.thread_sleeps import wait_for_sleeps


def test_sqlite_file_is_locked_by_one_process_until_it_ends(sqlite_template: Path, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'pmh.sqlite'}"
    script = (
        "import sys; from pmh_jupyter.storage.database import Database\n"
        "Database(sys.argv[1]).open(); print('open', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", script, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout and holder.stdout.readline() == "open\n"
        with pytest.raises(Conflict, match=f"process {holder.pid}") as caught:
            Database(url).open()
        assert "PostgreSQL" in caught.value.advice
        with Database(url).open(takes_lock=False) as second_database:  # as `pmh db check` does
            second_database.ping()
        holder.kill()
    with Database(url).open() as database:  # the kernel has released the lock
        database.open()


def test_writer_waits_for_a_short_lock_and_reader_does_not(sqlite_template: Path, tmp_path: Path) -> None:
    path = tmp_path / "pmh.sqlite"
    path.write_bytes(sqlite_template.read_bytes())
    with Database(f"sqlite:///{path}").open() as database, closing(_lock_database(path)) as locking_connection:
        assert people.find_person(database, "ada") is None
        with ThreadPoolExecutor(1) as pool:
            thread_id = pool.submit(threading.get_native_id).result()
            statements: SimpleQueue[str] = SimpleQueue()
            event.listen(
                database.engine, "checkout", lambda connection, *_: connection.set_trace_callback(statements.put)
            )
            writer = pool.submit(people.find_or_create_person, database, "ada")
            assert statements.get(timeout=30).startswith("BEGIN")
            assert wait_for_sleeps(thread_id, writer, 5), writer
            locking_connection.execute("ROLLBACK")
            assert writer.result().name == "ada"


def test_database_locked_for_too_long_is_unavailable(
    sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialect, "LOCK_TIMEOUT_SECONDS", 0.1)
    path = tmp_path / "pmh.sqlite"
    path.write_bytes(sqlite_template.read_bytes())
    with Database(f"sqlite:///{path}").open() as database, closing(_lock_database(path)):
        with pytest.raises(Unavailable) as caught:
            people.find_or_create_person(database, "ada")
        assert caught.value.retry_after
        assert people.find_person(database, "ada") is None


def _lock_database(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("BEGIN EXCLUSIVE")
    return connection

"""What the two databases do differently."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from sqlalchemy import make_url

from pmh_jupyter.storage import dialect


def _open_at_once(url: str, barrier: threading.Barrier) -> str:
    """Return the journal mode that a connection has after it was opened together with others."""
    engine = dialect.make_engine(make_url(url))
    barrier.wait()
    with closing(engine.connect()) as connection:
        mode = str(connection.exec_driver_sql("PRAGMA journal_mode").scalar())
    engine.dispose()
    return mode


def test_new_sqlite_file_can_be_opened_by_several_connections_at_once(tmp_path: Path) -> None:
    for number in range(20):
        url, barrier = f"sqlite:///{tmp_path / str(number)}.sqlite", threading.Barrier(3)
        with ThreadPoolExecutor(3) as pool:
            assert list(pool.map(_open_at_once, [url] * 3, [barrier] * 3)) == ["wal"] * 3

"""The lock of a data folder: one `pmh up` at a time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pmh_jupyter.errors import Conflict
from pmh_jupyter.hub.up.data_dir_lock import LOCK_NAME, find_data_dir_conflict, lock_data_dir

HOLDER = """
import sys, time
from pathlib import Path
from pmh_jupyter.hub.up.data_dir_lock import lock_data_dir
with lock_data_dir(Path(sys.argv[1]), "http://127.0.0.1:8000"):
    print("held", flush=True)
    sys.stdin.read()
"""


def _start_holder(data: Path) -> subprocess.Popen[str]:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(data)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout and holder.stdout.readline() == "held\n"
    return holder


def _release(holder: subprocess.Popen[str]) -> None:
    holder.communicate()


def test_conflict_names_the_holder_and_how_to_stop_it(tmp_path: Path) -> None:
    holder = _start_holder(tmp_path)
    try:
        with pytest.raises(Conflict) as caught, lock_data_dir(tmp_path, "http://127.0.0.1:9000"):
            pass
    finally:
        _release(holder)
    assert "http://127.0.0.1:8000" in caught.value.message
    assert f"process {holder.pid}" in caught.value.message
    assert f"kill {holder.pid}" in caught.value.advice


def test_lock_of_an_ended_holder_is_released(tmp_path: Path) -> None:
    _release(_start_holder(tmp_path))
    with lock_data_dir(tmp_path, "http://127.0.0.1:9000"):
        assert str(os.getpid()) in (tmp_path / LOCK_NAME).read_text()


def test_lock_of_a_killed_holder_is_released(tmp_path: Path) -> None:
    holder = _start_holder(tmp_path)
    holder.send_signal(signal.SIGKILL)
    _release(holder)
    assert find_data_dir_conflict(tmp_path) is None
    with lock_data_dir(tmp_path, "http://127.0.0.1:9000"):
        assert str(os.getpid()) in (tmp_path / LOCK_NAME).read_text()


def test_unnamed_holder_is_reported_as_starting(tmp_path: Path) -> None:
    holder = _start_holder(tmp_path)
    (tmp_path / LOCK_NAME).write_text("")
    try:
        with pytest.raises(Conflict, match="just starting"), lock_data_dir(tmp_path, "http://127.0.0.1:9000"):
            pass
    finally:
        _release(holder)


def test_new_data_folder_is_closed_to_others(tmp_path: Path) -> None:
    with lock_data_dir(tmp_path / "new", "http://127.0.0.1:8000"):
        assert (tmp_path / "new").stat().st_mode & 0o077 == 0

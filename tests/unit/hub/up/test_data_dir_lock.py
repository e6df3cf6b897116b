"""One `pmh up` for one data folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pmh_jupyter.errors import Conflict
from pmh_jupyter.hub.up.data_dir_lock import LOCK_NAME, lock_data_dir

HOLDER = """
import sys, time
from pathlib import Path
from pmh_jupyter.hub.up.data_dir_lock import claim
with claim(Path(sys.argv[1]), "http://127.0.0.1:8000"):
    print("held", flush=True)
    sys.stdin.read()
"""


def _hold(data: Path) -> subprocess.Popen[str]:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(data)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout and holder.stdout.readline() == "held\n"
    return holder


def _let_go(holder: subprocess.Popen[str]) -> None:
    holder.communicate()


def test_the_second_is_told_who_runs_where_and_how_to_stop_it(tmp_path: Path) -> None:
    holder = _hold(tmp_path)
    try:
        with pytest.raises(Conflict) as caught, lock_data_dir(tmp_path, "http://127.0.0.1:9000"):
            pass
    finally:
        _let_go(holder)
    assert "http://127.0.0.1:8000" in caught.value.message
    assert f"process {holder.pid}" in caught.value.message
    assert f"kill {holder.pid}" in caught.value.advice


def test_a_holder_that_has_ended_is_no_obstacle(tmp_path: Path) -> None:
    _let_go(_hold(tmp_path))
    with lock_data_dir(tmp_path, "http://127.0.0.1:9000"):
        assert str(os.getpid()) in (tmp_path / LOCK_NAME).read_text()


def test_nor_is_one_that_was_killed(tmp_path: Path) -> None:
    holder = _hold(tmp_path)
    holder.send_signal(signal.SIGKILL)
    _let_go(holder)
    with lock_data_dir(tmp_path, "http://127.0.0.1:9000"):
        pass


def test_a_holder_that_has_not_yet_told_its_name(tmp_path: Path) -> None:
    holder = _hold(tmp_path)
    (tmp_path / LOCK_NAME).write_text("")
    try:
        with pytest.raises(Conflict, match="just starting"), lock_data_dir(tmp_path, "http://127.0.0.1:9000"):
            pass
    finally:
        _let_go(holder)


def test_a_new_data_folder_is_closed_to_others(tmp_path: Path) -> None:
    with lock_data_dir(tmp_path / "new", "http://127.0.0.1:8000"):
        assert (tmp_path / "new").stat().st_mode & 0o077 == 0

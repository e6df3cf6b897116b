"""The steps of `make up` before `pmh up`: they build what is missing or out of date, and nothing else."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.repository import ROOT
from tools.assets import ASSETS, Asset, asset_fingerprint


def _run_environment() -> str:
    """Run every part of `make up` but the hub. Returns its output."""
    command = [sys.executable, str(ROOT / "tools" / "environment.py"), "hub", "assets", "package"]
    completed = subprocess.run(command, capture_output=True, text=True)
    assert completed.returncode == 0, completed.stderr
    return completed.stdout


@pytest.mark.slow
@pytest.mark.skipif(
    Path(sys.prefix) != ROOT / ".venv", reason="These tests do not run in .venv, which `make up` creates."
)
def test_second_make_rebuilds_nothing() -> None:
    _run_environment()
    assert _run_environment() == ""


@pytest.mark.parametrize("asset", ASSETS, ids=lambda asset: asset.folder)
def test_change_of_any_source_changes_the_fingerprint(asset: Asset, tmp_path: Path) -> None:
    folder = tmp_path / asset.folder
    shutil.copytree(ROOT / asset.folder, folder, ignore=shutil.ignore_patterns("node_modules", "lib"))
    fingerprints = {asset_fingerprint(asset, tmp_path)}
    assert fingerprints == {asset_fingerprint(asset)}
    parts = [folder / name for name in ("package.json", "package-lock.json", *asset.sources)]
    for changes, part in enumerate(parts, start=1):
        file = part if part.is_file() else next(path for path in sorted(part.rglob("*")) if path.is_file())
        file.write_bytes(file.read_bytes() + b"\n")
        fingerprints.add(asset_fingerprint(asset, tmp_path))
        assert len(fingerprints) == changes + 1, part

"""What stands before `pmh up` in `make up`: it makes what is missing or stale, and when nothing is it only looks."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.repository import ROOT
from tools.assets import ASSETS, Asset, asset_fingerprint


def _make() -> str:
    """Every part of `make up` but the hub; what it says."""
    command = [sys.executable, str(ROOT / "tools" / "environment.py"), "hub", "assets", "package"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.skipif(
    Path(sys.prefix) != ROOT / ".venv", reason="These tests do not run in .venv, which `make up` makes."
)
def test_once_made_it_is_left_alone() -> None:
    _make()
    assert _make() == ""


@pytest.mark.parametrize("asset", ASSETS, ids=lambda asset: asset.folder)
def test_a_change_of_whatever_it_is_made_from_is_seen(asset: Asset, tmp_path: Path) -> None:
    folder = tmp_path / asset.folder
    shutil.copytree(ROOT / asset.folder, folder, ignore=shutil.ignore_patterns("node_modules", "lib"))
    seen = {asset_fingerprint(asset, tmp_path)}
    assert seen == {asset_fingerprint(asset)}
    parts = [folder / name for name in ("package.json", "package-lock.json", *asset.sources)]
    for changes, part in enumerate(parts, start=1):
        file = part if part.is_file() else next(path for path in sorted(part.rglob("*")) if path.is_file())
        file.write_bytes(file.read_bytes() + b"\n")
        seen.add(asset_fingerprint(asset, tmp_path))
        assert len(seen) == changes + 1, part

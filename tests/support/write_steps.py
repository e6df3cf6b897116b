"""The order in which files are synced to disk and renamed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def record_write_steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that grows by "fsync file", "fsync folder" or "rename" with each of these calls."""
    steps: list[str] = []
    fsync, replace = os.fsync, os.replace

    def record_fsync(descriptor: int) -> None:
        steps.append("fsync folder" if os.path.isdir(f"/proc/self/fd/{descriptor}") else "fsync file")
        fsync(descriptor)

    def record_replace(source: Path, target: Path) -> None:
        steps.append("rename")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", record_fsync)
    monkeypatch.setattr(os, "replace", record_replace)
    return steps

"""The repository's root holds only known files: whatever a test or a benchmark writes into the checkout shows up here."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path

from tests.support.repository import ROOT

KNOWN = frozenset(
    {
        ".ci", ".git", ".gitignore", ".npmrc", "LICENSE", "Makefile", "README.md", "benchmarks", "courses", "deploy", "docs",
        "hatch_build.py", "jupyter-config", "jupyterhub_config.py", "labextension", "pmh_jupyter", "proxy", "pyproject.toml",
        "requirements", "tests", "tools",
    }
)  # fmt: skip


def unknown_entries(root: Path) -> list[str]:
    """Return the entries of a checkout's root that are neither known nor ignored by Git."""
    ignored = [pattern.rstrip("/") for pattern in (ROOT / ".gitignore").read_text().split()]
    names = sorted({path.name for path in root.iterdir()} - KNOWN)
    return [name for name in names if not any(fnmatch(name, pattern) for pattern in ignored)]


def test_root_holds_only_known_files() -> None:
    assert unknown_entries(ROOT) == []


def test_check_reports_a_stray_file(tmp_path: Path) -> None:
    for name in ("README.md", "side-effect.txt", "build", ".venv"):
        (tmp_path / name).touch()
    assert unknown_entries(tmp_path) == ["side-effect.txt"]

"""Where the files that are not Python lie: beside the package in a checkout, inside it where a wheel was installed.

pyproject.toml puts each of them into the wheel at the place that is named here.
"""

from __future__ import annotations

from pathlib import Path

from pmh_jupyter.errors import NotFound

PACKAGE = Path(__file__).parent


def checkout() -> Path | None:
    """The repository's root where this package is imported from one, else None."""
    root = PACKAGE.parent
    return root if (root / "pyproject.toml").exists() and (root / "proxy" / "package.json").exists() else None


def starter_courses() -> Path:
    """The folder of the courses that come along; each folder in it is a course."""
    return _find("courses", "courses")


def hub_config() -> Path:
    """The jupyterhub_config.py that `pmh up` runs."""
    return _find("jupyterhub_config.py", "hub/jupyterhub_config.py")


def server_lock() -> Path:
    """The hashed requirements of the lean environment in which users' servers run."""
    return _find("requirements/server.lock", "requirements/server.lock")


def _find(in_checkout: str, in_wheel: str) -> Path:
    root = checkout()
    path = root / in_checkout if root else PACKAGE / in_wheel
    if not path.exists():
        raise NotFound(f"{path} is missing.", advice="The installation is damaged: install pmh-jupyter again.")
    return path

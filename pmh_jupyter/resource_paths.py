"""Paths of files that are not Python modules, in a checkout and in an environment with an installed wheel.

hatch_build.py adds them to the wheel at the paths that are used here. All functions raise NotFound if the file is missing.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from pmh_jupyter.errors import NotFound

PACKAGE_DIR = Path(__file__).parent


def find_checkout() -> Path | None:
    """Return the root of the repository if the package is imported from a checkout, else None."""
    root = PACKAGE_DIR.parent
    return root if (root / "pyproject.toml").exists() and (root / "proxy" / "package.json").exists() else None


def find_starter_courses_folder() -> Path:
    """Return the folder of the included courses. Each folder in it is a course."""
    return _find_file("courses", "courses")


def find_hub_config_file() -> Path:
    """Return the jupyterhub_config.py that `pmh up` uses."""
    return _find_file("jupyterhub_config.py", "hub/jupyterhub_config.py")


def find_server_requirements_file() -> Path:
    """Return the path of the requirements, with hashes, of the lean environment of users' servers."""
    return _find_file("requirements/server.lock", "requirements/server.lock")


def find_panel_folder() -> Path:
    """Return the folder of the built JupyterLab extension."""
    panel_path = (
        PACKAGE_DIR / "labextension"
        if find_checkout()
        else _find_shared_file("share/jupyter/labextensions/pmh-jupyter/package.json").parent
    )
    if not panel_path.exists():
        raise NotFound("The panel has not been built.", advice="Run `make assets`.")
    return panel_path


def find_server_config_file() -> Path:
    """Return the configuration file that enables the server extension."""
    root = find_checkout()
    return (
        root / "jupyter-config/server-config/pmh_jupyter.json"
        if root
        else _find_shared_file("jupyter_server_config.d/pmh_jupyter.json")
    )


def _find_file(in_checkout: str, in_wheel: str) -> Path:
    root = find_checkout()
    path = root / in_checkout if root else PACKAGE_DIR / in_wheel
    if not path.exists():
        raise _make_missing_error(path)
    return path


def _find_shared_file(ending: str) -> Path:
    """Return a file that the wheel installs outside the package. Only the installer's records name its path."""
    try:
        files = distribution("pmh-jupyter").files or []
    except PackageNotFoundError:
        files = []
    for file in files:
        if file.as_posix().endswith(ending):
            return Path(str(file.locate())).resolve()
    raise _make_missing_error(Path(ending))


def _make_missing_error(path: Path) -> NotFound:
    return NotFound(f"{path} is missing.", advice="The installation is damaged. Install pmh-jupyter again.")

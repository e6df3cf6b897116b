"""The wheel, built from this checkout, and an environment that holds it and what it asks for, and nothing else."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from tests.support.repository import ROOT, committed_files

NODE = frozenset({"node", "nodejs", "npm", "npx", "corepack"})
HUB_PINS = re.compile(r"^[a-zA-Z0-9._-]+==[^\\\n]+", re.MULTILINE)


def build_wheel(source: Path, target: Path) -> subprocess.CompletedProcess[str]:
    """Run the build; a wheel in `target` if it did well, else the reason on standard error."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(target)]
    return subprocess.run(command, cwd=source, capture_output=True, text=True)


def bare_checkout(target: Path) -> Path:
    """What a fresh clone holds: the files that git keeps, and nothing that was built."""
    for file in committed_files():
        copy = target / file.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
    return target


def install(wheel: Path, folder: Path) -> Path:
    """Return an environment with the wheel and its extra [hub], at the versions of requirements/hub.lock; its folder of commands."""
    venv.create(folder, with_pip=False, symlinks=True)
    constraints = folder / "constraints.txt"
    constraints.write_text("\n".join(HUB_PINS.findall((ROOT / "requirements" / "hub.lock").read_text())))
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", str(folder / "bin" / "python")]
    subprocess.run([*command, "--constraint", str(constraints), f"{wheel}[hub]"], check=True)
    return folder / "bin"


def path_without_node(folder: Path) -> Path:
    """Return a folder that stands in for /usr/bin, with everything but Node.js."""
    folder.mkdir()
    for command in Path("/usr/bin").iterdir():
        if command.name not in NODE:
            (folder / command.name).symlink_to(command)
    return folder

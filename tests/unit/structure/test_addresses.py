"""No committed file names a package registry, a mirror, or a path of the machine it was written on.

The hosts that this machine's own clients use are read from their configuration. Well-known hosts are spelled in parts, so that this
file does not contain them.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.repository import ROOT, committed_files

WELL_KNOWN = [
    ("py" + "pi", "org"),
    ("pythonhosted", "org"),
    ("npm" + "js", "org"),
    ("npm" + "js", "com"),
    ("npm" + "mirror", "com"),
    ("yarn" + "pkg", "com"),
    ("deb.debian", "org"),
    ("ghcr", "io"),
    ("registry-1.docker", "io"),
]
MACHINE_PATHS = re.compile(rb"(?<![\w.])/(?:work|root|home/[a-z]+)/(?!jovyan)[\w.]")


def _hosts() -> list[str]:
    return sorted({".".join(parts) for parts in WELL_KNOWN} | _hosts_of_pip() | _hosts_of_npm())


def _hosts_of_pip() -> set[str]:
    result = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True)
    return _hosts_in(result.stdout)


def _hosts_of_npm() -> set[str]:
    npm = shutil.which("npm")
    result = (
        subprocess.run([npm, "config", "get", "registry"], capture_output=True, text=True, cwd="/") if npm else None
    )
    return _hosts_in(result.stdout) if result else set()


def _hosts_in(text: str) -> set[str]:
    addresses = re.findall(r"https?://[^\s'\"]+", text)
    return {host for address in addresses if (host := urlsplit(address).hostname)}


@pytest.fixture(scope="module")
def contents() -> dict[str, bytes]:
    return {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in committed_files()}


def test_no_file_names_a_registry(contents: dict[str, bytes]) -> None:
    hosts = [host.encode() for host in _hosts()]
    lowered = {name: content.lower() for name, content in contents.items()}
    assert not [(name, host) for name, content in lowered.items() for host in hosts if host in content]


def test_no_lock_says_where_packages_come_from(contents: dict[str, bytes]) -> None:
    locks = {name: content for name, content in contents.items() if name.endswith((".lock", "package-lock.json"))}
    assert len(locks) >= 4
    assert not [name for name, content in locks.items() if b'"resolved"' in content or b"index-url" in content]


def test_no_file_names_a_path_of_a_machine(contents: dict[str, bytes]) -> None:
    named = [name for name, content in contents.items() if MACHINE_PATHS.search(content)]
    assert not named


def test_address_of_a_registry_is_reported(tmp_path: Path) -> None:
    assert MACHINE_PATHS.search(b'open("' + b"/".join([b"", b"root", b"notes"]) + b'")')
    assert _hosts_in("global.index-url='https://mirror.example/simple'") == {"mirror.example"}

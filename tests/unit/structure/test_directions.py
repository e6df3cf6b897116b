"""The direction of dependencies between the parts of the package, as docs/architecture.md describes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.repository import imports_of, modules

# The parts that each part may import, besides itself. A part that is not listed may import nothing of ours.
ALLOWED_IMPORTS = {
    "errors": set(),
    "bubblewrap": set(),
    "filesystem": set(),
    "resource_paths": {"errors"},
    "config": {"errors", "domain"},
    "python_source": set(),
    "domain": {"errors", "python_source"},
    "wire": {"errors", "domain"},
    "submission_files": {"errors", "domain"},
    "grading": {"errors", "domain", "config", "bubblewrap", "python_source"},
    "storage": {"errors", "domain", "config", "filesystem"},
    "authoring": {"errors", "domain", "grading", "submission_files", "python_source"},
    "server_extension": {"errors", "domain", "wire", "config", "filesystem", "submission_files"},
    "hub": {"errors", "wire", "config", "resource_paths", "bubblewrap", "filesystem"},
    "service": {
        "errors",
        "domain",
        "wire",
        "config",
        "resource_paths",
        "filesystem",
        "grading",
        "storage",
        "authoring",
    },
    "doctor": {"errors", "config", "resource_paths", "bubblewrap", "grading", "storage", "hub"},
    "cli": {
        "errors",
        "domain",
        "wire",
        "config",
        "resource_paths",
        "filesystem",
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
# The packages that a sandbox mounts.
SANDBOX_PACKAGES = ("pmh_jupyter.grading.runtime", "pmh_jupyter.python_source")


def _part(module: str) -> str:
    """The part of the package that a dotted name belongs to."""
    names = module.split(".")
    return names[1] if len(names) > 1 and names[1] != "__version__" else "__init__"


def _forbidden_imports(module: str, path: Path) -> set[str]:
    """The names that a module imports from parts that its own part may not import."""
    part = _part(module)
    allowed = ALLOWED_IMPORTS[part] | {part, "__init__"}
    return {name for name in imports_of(module, path) if _part(name) not in allowed}


@pytest.mark.parametrize("module", modules())
def test_module_imports_only_the_parts_it_may(module: str) -> None:
    part = _part(module)
    assert part in ALLOWED_IMPORTS, f"{part} is new: list here what it may import, and in docs/architecture.md"
    assert not _forbidden_imports(module, modules()[module]), f"{part} may import {sorted(ALLOWED_IMPORTS[part])}"


@pytest.mark.parametrize("module", [name for name in modules() if name.startswith(SANDBOX_PACKAGES)])
def test_code_that_runs_in_the_sandbox_imports_nothing_else_of_ours(module: str) -> None:
    assert not {name for name in imports_of(module, modules()[module]) if not name.startswith(SANDBOX_PACKAGES)}


@pytest.mark.parametrize(
    "statement",
    [
        "import pmh_jupyter.service.app",
        "from pmh_jupyter.service.app import make_app",
        "from pmh_jupyter.service import app",
        "from ..service import app",
        "if TYPE_CHECKING:\n    from pmh_jupyter import service",
        "def late():\n    from pmh_jupyter.service import app",
    ],
)
def test_forbidden_import_is_reported(tmp_path: Path, statement: str) -> None:
    path = tmp_path / "course.py"
    path.write_text(f"from pmh_jupyter.errors import BadInput\nfrom pmh_jupyter.domain import paths\n{statement}\n")
    assert {_part(name) for name in _forbidden_imports("pmh_jupyter.domain.course", path)} == {"service"}

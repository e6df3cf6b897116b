"""The packages of `grading/runtime` are layers, and no modules of it import each other in a circle.

Imports for annotations alone count like any other: two modules that name each other's types cannot be read one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from tests.support.repository import imports_of, modules

RUNTIME = "pmh_jupyter.grading.runtime"
# From bottom to top. A package may import itself and the packages before it.
LAYERS = (
    *("transport", "sandbox", "marshalling", "proxies", "files", "execution", "test_cells", "policies"),
    *("in_process", "separate_process", "kernels", "fork_server"),
)
# The packages of `separate_process` in the same order. Its other modules may import all of them.
SEPARATE_PROCESS_LAYERS = ("contract", "claims", "peers", "cells")


def runtime_imports() -> dict[str, set[str]]:
    """By module of the runtime, the modules of the runtime that it imports. A package counts as the module of its `__init__.py`."""
    paths = {name: path for name, path in modules().items() if name.startswith(f"{RUNTIME}.")}
    return {
        name: {_module_of(imported, paths) for imported in imports_of(name, path) if imported.startswith(f"{RUNTIME}.")}
        for name, path in paths.items()
    }


def _module_of(imported: str, paths: Mapping[str, object]) -> str:
    """The module of a dotted name, which may end with a name in that module."""
    return imported if imported in paths else imported.rpartition(".")[0]


def _package(module: str) -> str:
    return module.removeprefix(f"{RUNTIME}.").split(".")[0]


def _rank(module: str) -> tuple[int, int]:
    """The layer of a module, and the one within `separate_process`."""
    package, _, path = module.removeprefix(f"{RUNTIME}.").partition(".")
    inner = path.split(".")[0]
    is_inner_layer = package == "separate_process" and inner in SEPARATE_PROCESS_LAYERS
    inner_rank = SEPARATE_PROCESS_LAYERS.index(inner) if is_inner_layer else len(SEPARATE_PROCESS_LAYERS)
    return LAYERS.index(package), inner_rank


def upward_imports(imports: Mapping[str, set[str]]) -> list[tuple[str, str]]:
    """The imports from a package of a later layer, as (importing module, imported module)."""
    return sorted(
        (module, imported)
        for module, imported_modules in imports.items()
        for imported in imported_modules
        if _rank(imported) > _rank(module)
    )


def import_cycles(imports: Mapping[str, set[str]]) -> Iterator[str]:
    """Each module that imports itself, directly or through others."""
    for module in imports:
        reached: set[str] = set()
        pending = list(imports[module])
        while pending:
            imported = pending.pop()
            if imported not in reached:
                reached.add(imported)
                pending.extend(imports.get(imported, ()))
        if module in reached:
            yield module


def test_every_package_of_the_runtime_is_a_layer() -> None:
    assert {_package(module) for module in runtime_imports()} == set(LAYERS)


def test_no_module_imports_from_a_layer_above_its_own() -> None:
    assert upward_imports(runtime_imports()) == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert list(import_cycles(runtime_imports())) == []


@pytest.mark.parametrize("package", [*LAYERS, *(f"separate_process.{name}" for name in SEPARATE_PROCESS_LAYERS)])
def test_package_docstring_states_its_purpose(package: str) -> None:
    source = modules()[f"{RUNTIME}.{package}"].read_text(encoding="utf-8")
    assert source.startswith('"""') and len(source.splitlines()) >= 3


@pytest.mark.parametrize(
    ("module", "imported"),
    [
        ("transport.framing", "proxies.proxies"),
        ("separate_process.contract.contract", "separate_process.peers.peer"),
        ("separate_process.cells.test_cell", "separate_process.judge"),
    ],
)
def test_upward_import_is_found(module: str, imported: str) -> None:
    imports: dict[str, set[str]] = {f"{RUNTIME}.{module}": {f"{RUNTIME}.{imported}"}, f"{RUNTIME}.{imported}": set()}
    assert upward_imports(imports) == [(f"{RUNTIME}.{module}", f"{RUNTIME}.{imported}")]


def test_cycle_over_three_modules_is_found() -> None:
    assert list(import_cycles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}})) == ["a", "b", "c"]


def test_imports_for_annotations_count() -> None:
    module = f"{RUNTIME}.proxies.marshaller"
    assert f"{RUNTIME}.proxies.remote_peer" in runtime_imports()[module]

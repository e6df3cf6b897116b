"""Code that answers requests in the student process does not use builtins that a cell has replaced."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from importlib import import_module
from types import FunctionType, ModuleType
from typing import Any

import pytest

from pmh_jupyter.grading.runtime.separate_process.peers import student_peer
from pmh_jupyter.grading.runtime.transport.pristine_builtins import BUILTINS
from tests.support.repository import imports_of, modules

RUNTIME = "pmh_jupyter.grading.runtime."


def modules_of_the_student_peer() -> set[str]:
    """The modules of the runtime that `student_peer` imports, directly or through others."""
    paths, reached, pending = modules(), set[str](), [student_peer.__name__]
    while pending:
        name = pending.pop()
        name = name if name in paths else name.rpartition(".")[0]
        if name.startswith(RUNTIME) and name not in reached:
            reached.add(name)
            pending.extend(imports_of(name, paths[name]))
    return reached


def functions_of(module: ModuleType) -> Iterator[Any]:
    """The functions and methods whose code is in the module."""
    owners = [module, *(value for value in vars(module).values() if inspect.isclass(value))]
    for owner in owners:
        if owner is module or owner.__module__ == module.__name__:
            for value in vars(owner).values():
                function = inspect.unwrap(getattr(value, "fget", None) or getattr(value, "__func__", value))
                if isinstance(function, FunctionType) and function.__code__.co_filename == module.__file__:
                    yield function


@pytest.mark.parametrize("name", sorted(modules_of_the_student_peer()))
def test_every_function_uses_the_pristine_builtins(name: str) -> None:
    functions = functions_of(import_module(name))
    names = [f.__qualname__ for f in functions if f.__builtins__ is not BUILTINS]
    assert names == []


def test_modules_include_the_connection_and_the_marshaller() -> None:
    assert {f"{RUNTIME}separate_process.peers.peer", f"{RUNTIME}proxies.marshaller"} <= modules_of_the_student_peer()
    assert len(list(functions_of(student_peer))) > 10

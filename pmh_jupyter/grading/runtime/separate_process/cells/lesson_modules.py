"""Modules that a lesson has beside its notebook, imported by its test cells in the judge.

The judge imports them from the release, regardless of changes by the notebook or a submission. Their functions are test helpers: their
assertions are explained, and the contract applies to their uses of the student's objects. As in a kernel, they take precedence over
installed packages of the same name, but not over modules that are already loaded.
"""

from __future__ import annotations

import ast
import base64
import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import ModuleType
from typing import Any

from pmh_jupyter.grading.runtime.policies.code_execution_policy import ReleaseTexts
from pmh_jupyter.grading.runtime.separate_process.cells.cell_transform import transform_statement
from pmh_jupyter.grading.runtime.test_cells.code_filenames import make_module_filename
from pmh_jupyter.grading.runtime.test_cells.recorder_code import insert_recorder
from pmh_jupyter.grading.runtime.test_cells.statements import read_statements
from pmh_jupyter.grading.runtime.test_cells.test_helpers import RecorderDelegate


@dataclass(frozen=True)
class _ModuleFile:
    path: str
    content: bytes


class LessonModules(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds and loads the modules of one lesson.

    lesson_files: the files of the release ({path, content in base64}). folder: the work folder, to which their paths are relative.
    recorder_delegate: records the assertions of the modules. release_texts: collects the strings in them. module_names: global names that
    each module gets.
    """

    def __init__(
        self,
        lesson_files: Iterable[dict[str, str]],
        folder: str,
        recorder_delegate: RecorderDelegate,
        release_texts: ReleaseTexts,
        module_names: Mapping[str, Any],
    ) -> None:
        self._folder, self._recorder_delegate, self._module_names = folder, recorder_delegate, module_names
        self._release_texts = release_texts
        self._files = {path: file for file in lesson_files if (path := os.path.normpath(file["path"])).endswith(".py")}
        self._folders = {str(parent) for path in self._files for parent in PurePosixPath(path).parents}
        self._loaded_modules: dict[str, ModuleType] = {}

    @contextmanager
    def enable(self) -> Iterator[None]:
        """Import the modules of this lesson in a `with` block. Modules keep their state from one block to the next."""
        if not self._files:
            yield
            return
        sys.modules.update(self._loaded_modules)
        sys.meta_path.insert(0, self)
        try:
            yield
        finally:
            sys.meta_path.remove(self)
            names = [name for name, module in [*sys.modules.items()] if self._is_loaded_here(module)]
            self._loaded_modules = {name: sys.modules.pop(name) for name in names}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        file = self._find_file(fullname)
        if file is None:
            return None
        spec = importlib.util.spec_from_loader(fullname, self, is_package=self.is_package(fullname))
        assert spec is not None
        spec.origin = os.path.join(self._folder, file.path)
        spec.has_location = True
        if spec.submodule_search_locations is not None:
            spec.submodule_search_locations.append(os.path.join(self._folder, *fullname.split(".")))
        return spec

    def is_package(self, fullname: str) -> bool:
        """Return whether a module of the lesson is a folder."""
        return f"{fullname.replace('.', '/')}.py" not in self._files

    def exec_module(self, module: ModuleType) -> None:
        file = self._find_file(module.__name__)
        assert file is not None
        source = importlib.util.decode_source(file.content)
        code = self._compile(source, make_module_filename(module.__name__))
        self._release_texts.add(source)
        vars(module).update(self._module_names)
        exec(code, vars(module))

    def _find_file(self, fullname: str) -> _ModuleFile | None:
        path = fullname.replace(".", "/")
        for candidate in (f"{path}/__init__.py", f"{path}.py"):
            if candidate in self._files:
                return _ModuleFile(candidate, base64.b64decode(self._files[candidate]["content"]))
        if path in self._folders and not _is_installed(fullname):
            return _ModuleFile(f"{path}/__init__.py", b"")  # a package without `__init__.py`
        return None

    def _compile(self, source: str, filename: str) -> Any:
        """Compile a module like a test helper. Raises SyntaxError."""
        statements = read_statements(ast.parse(source), source, self._recorder_delegate)
        body = [transform_statement(statement.node) for statement in statements]
        tree = ast.fix_missing_locations(ast.Module(body, type_ignores=[]))
        return insert_recorder(compile(tree, filename, "exec", dont_inherit=True), self._recorder_delegate)

    def _is_loaded_here(self, module: object) -> bool:
        return type(module) is ModuleType and getattr(module, "__loader__", None) is self


def _is_installed(fullname: str) -> bool:
    """Return whether a regular module of this name is installed: it takes precedence over a folder without `__init__.py`."""
    if "." in fullname:
        return False
    spec = importlib.machinery.PathFinder.find_spec(fullname)
    return spec is not None and spec.loader is not None

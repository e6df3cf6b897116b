"""Protects tests that run in the student process: restores changes by the student's code, and flags its attempts.

`TamperGuard` saves the state of the process before any of the student's code runs. Before and after each test cell it compares and
restores everything; between the statements of a cell it restores the builtins and the lesson's files and data. While a test runs, an audit
hook (`policies.student_policy`) denies the student's code frames, lists of all objects, tracing and further audit hooks. Comparisons do not
trust a student's operators (`test_cells.comparison`). Observations become flags. A flag never changes a score.

The student's code and the tests share one process, so the following cannot be prevented. Tests therefore run in a separate process if
possible:

- A function receives its arguments, and may save them.
- Native code (ctypes, or a student's extension module) can read and write any memory, including this module's. `ctypes` is
  flagged, an extension module is not.
- Code may change this module itself, or find the judge's objects through gc before a test runs. gc is flagged. A change of our own
  modules is restored and flagged only while `TamperGuard.restore` itself is intact.
- Changes of a value in place are not detected: in a list or a dict of a library module (`module_data` restores those of the lesson's
  modules), in an object's attributes, in keyword defaults of functions that are not attributes of a module. Functions of modules that the
  student's code was the first to import are not restored.
- Of the definitions in the lesson's own cells, only functions and literal data are defined again for the tests
  (`test_cells.test_helpers`). Classes and other data are as the student's code left them.
- A student's thread may change something between two comparisons. The next comparison restores and flags it.
- Hooks and magics of IPython are not restored. Test cells do not run in IPython, but one that uses a magic calls the notebook's
  `get_ipython`.
- Error handlers of codecs and functions registered with atexit cannot be listed. The verdict of a test uses neither.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

from pmh_jupyter.grading.runtime.in_process.interpreter_snapshot import InterpreterSnapshot
from pmh_jupyter.grading.runtime.in_process.lesson_files import LessonFiles
from pmh_jupyter.grading.runtime.in_process.module_data import ModuleData
from pmh_jupyter.grading.runtime.in_process.module_snapshot import (
    BuiltinsSnapshot,
    DispatchTablesSnapshot,
    PackageSnapshot,
)
from pmh_jupyter.grading.runtime.policies.student_policy import STUDENT_POLICY
from pmh_jupyter.grading.runtime.test_cells.class_provenance import (
    ClassProvenance,
    find_all_classes,
    find_library_folders,
)
from pmh_jupyter.grading.runtime.test_cells.flag_collector import FlagCollector
from pmh_jupyter.grading.runtime.transport.result_fields import FlagFields, make_flag
from pmh_jupyter.python_source.names import (
    find_imported_modules,
    find_names_bound_in_any_scope,
    find_read_names,
)

# Modules of Python that a verdict depends on, besides the builtins and our own package.
ALWAYS_GUARDED_MODULES = (
    "IPython.core.async_helpers", "IPython.core.inputtransformer2", "IPython.core.interactiveshell", "IPython.core.magic",
    "_json", "_operator", "_random", "abc", "ast", "asyncio.events", "asyncio.runners", "collections", "contextlib", "copy",
    "copyreg", "datetime", "decimal", "fractions", "functools", "inspect", "io", "itertools", "json", "linecache", "math",
    "numbers", "operator", "random", "re", "reprlib", "statistics", "string", "traceback", "types", "unittest",
)  # fmt: skip


class TamperGuard:
    """The state of the process before the student's code. Created once in the fork server; each forked process calls `activate`.

    packages: libraries that tests may use (numpy, pandas, …) besides Python's own. Those that are not loaded are ignored.
    """

    def __init__(self, packages: Iterable[str] = ()) -> None:
        for name in ALWAYS_GUARDED_MODULES:
            with suppress(ImportError):
                import_module(name)
        self.trusted_folders = tuple(
            f"{folder}/" for folder in (*find_library_folders(), str(Path(__file__).parent.parent))
        )
        classes = find_all_classes()
        self.provenance = ClassProvenance(classes, self.trusted_folders)
        self.initial_modules = dict(sys.modules)
        self.builtins_snapshot = BuiltinsSnapshot()
        self.dispatch_tables = DispatchTablesSnapshot(classes)
        own_package = __name__.partition(".")[0]
        self.package_snapshots = {
            root: PackageSnapshot(root) for root in dict.fromkeys((*ALWAYS_GUARDED_MODULES, *packages, own_package))
        }
        self.always_guarded = frozenset((*ALWAYS_GUARDED_MODULES, own_package))
        self.interpreter_snapshot: InterpreterSnapshot | None = None
        self.early_flags = FlagCollector()
        self.lesson_files: LessonFiles | None = None
        self.module_data: ModuleData | None = None
        self.lesson_module_paths: tuple[str, ...] = ()

    def add_packages(self, packages: Iterable[str]) -> None:
        """Add packages that have been loaded since. Must be called before any of the student's code runs."""
        new_roots = [root for root in packages if root not in self.package_snapshots]
        if not new_roots:
            return
        self.package_snapshots |= {root: PackageSnapshot(root) for root in new_roots}
        classes = find_all_classes()
        self.initial_modules = dict(sys.modules)
        self.provenance = ClassProvenance(classes, self.trusted_folders)
        self.dispatch_tables = DispatchTablesSnapshot(classes)

    def add_lesson_modules(self, roots: Collection[str], paths: Iterable[str]) -> None:
        """Add modules of the lesson that have just been imported. Every test cell may depend on them. `paths`: of their files."""
        self.add_packages(roots)
        self.always_guarded |= frozenset(roots)
        self.lesson_module_paths = tuple(paths)

    def activate(self) -> None:
        """Called in the student process, right before its first cell: saves the process's own state and enables the audit hook."""
        self.interpreter_snapshot = InterpreterSnapshot(self._is_from_library)
        library_globals = frozenset(
            id(vars(module)) for module in [*sys.modules.values()] if type(module) is ModuleType
        )
        library_paths = (*self.trusted_folders, *self.lesson_module_paths)
        STUDENT_POLICY.enable(library_globals, library_paths, self.early_flags.add)

    def restore(self, namespace: Mapping[str, Any], source: str | None = None) -> list[FlagFields]:
        """Restore everything that a test cell may depend on. Returns a flag for every change since the last call.

        namespace: the names that the test cell can read. source: the test cell; None for any test cell.
        """
        flags = self.early_flags.pop_flags()
        flags += _make_flags("builtins-changed", self.builtins_snapshot.restore())
        flags += _make_flags("library-changed", self.dispatch_tables.restore())
        for root in self._list_relevant_packages(namespace, source):
            flags += _make_flags("library-changed", self.package_snapshots[root].restore())
        flags += self._restore_lesson(reads_all=True)
        if self.interpreter_snapshot is not None:
            flags += self.interpreter_snapshot.restore()
        flags += _make_flags("library-changed", self._discard_foreign_modules(source))
        return flags

    def restore_between_statements(self) -> list[FlagFields]:
        """Restore the builtins, and files and data of the lesson, between two statements of a test cell."""
        flags = list(_make_flags("builtins-changed", self.builtins_snapshot.restore()))
        return flags + self._restore_lesson(reads_all=False)

    def _restore_lesson(self, *, reads_all: bool) -> list[FlagFields]:
        flags: list[FlagFields] = []
        if self.lesson_files is not None:
            flags += _make_flags("file-changed", self.lesson_files.restore(reads_all=reads_all))
        if self.module_data is not None:
            flags += _make_flags("library-changed", self.module_data.restore())
        return flags

    @contextmanager
    def during_test(self, flag_collector: FlagCollector) -> Iterator[None]:
        """Make the audit hook strictest while a test cell runs, and imports search the library's folders before the student's."""
        original_path = [*sys.path]
        sys.path.sort(key=lambda folder: not self._is_trusted(folder))
        sorted_path = [*sys.path]
        try:
            with STUDENT_POLICY.during_test(flag_collector.add):
                yield
        finally:
            if sys.path == sorted_path:
                sys.path[:] = original_path

    def _is_trusted(self, folder: object) -> bool:
        return isinstance(folder, str) and (f"{folder}/".startswith(self.trusted_folders) or folder.endswith(".zip"))

    def _list_relevant_packages(self, namespace: Mapping[str, Any], source: str | None) -> list[str]:
        """Return the packages to restore: always Python's and ours, and those to which a name of the test cell refers."""
        if source is None:
            return list(self.package_snapshots)
        roots = set(self.always_guarded)
        for name in _find_names(source):
            roots.add(name.partition(".")[0])
            value = namespace.get(name)
            if isinstance(value, ModuleType):
                roots.add(str(vars(value).get("__name__")).partition(".")[0])
            elif isinstance(value, type | FunctionType | BuiltinFunctionType | MethodType):
                roots.add(str(value.__module__).partition(".")[0])
        if roots - self.always_guarded & self.package_snapshots.keys():
            roots.add("numpy")
        return [root for root in self.package_snapshots if root in roots]

    def _discard_foreign_modules(self, source: str | None) -> Iterator[str]:
        """Unload modules that the test cell imports, if they were loaded later and differ from the library's file."""
        from importlib.machinery import PathFinder

        trusted_folders = [folder for folder in sys.path if self._is_trusted(folder)]
        for root in sorted({name.partition(".")[0] for name in find_imported_modules(source or "")}):
            module, initial_module = sys.modules.get(root), self.initial_modules.get(root)
            if module is None or root in self.package_snapshots or root in sys.builtin_module_names:
                continue
            if initial_module is not None and module is not initial_module:
                sys.modules[root] = initial_module
            elif initial_module is None and not _matches_spec(module, PathFinder.find_spec(root, trusted_folders)):
                _unload_package(root)
            elif root in sys.stdlib_module_names and not self._matches_source(module):
                _unload_package(root)
            else:
                continue
            yield f"sys.modules[{root!r}]"

    def _matches_source(self, module: ModuleType) -> bool:
        """Return whether each function in the module has the code of the module's file."""
        if self.provenance.find_module_codes(module) is None:
            return True  # a frozen module, or an extension
        functions = [value for value in vars(module).values() if type(value) is FunctionType]
        return all(self.provenance.matches_source(function) for function in functions)

    def _is_from_library(self, value: object) -> bool:
        """Return True for a function or a class of a library module, or an object of such a class."""
        if isinstance(value, MethodType):
            value = value.__func__
        if type(value) is FunctionType:
            module = sys.modules.get(str(value.__module__))
            is_module_global = module is not None and vars(module) is value.__globals__
            return is_module_global and value.__code__.co_filename.startswith(self.trusted_folders)
        return self.provenance.is_trusted(value if isinstance(value, type) else type(value))


def _matches_spec(module: ModuleType, spec: Any) -> bool:
    """Return False for a module that is not the library's module of its name. True if the library has no such module."""
    origin = getattr(spec, "origin", None)
    return origin is None or getattr(getattr(module, "__spec__", None), "origin", None) == origin


def _unload_package(root: str) -> None:
    for name in [name for name in sys.modules if name == root or name.startswith(f"{root}.")]:
        del sys.modules[name]


def _make_flags(code: str, details: Iterable[str]) -> Iterator[FlagFields]:
    return (make_flag(code, detail) for detail in details)


def _find_names(source: str) -> set[str]:
    """Return the names that a cell reads or binds in any scope, and the modules that it imports."""
    return find_read_names(source) | find_names_bound_in_any_scope(source) | find_imported_modules(source)

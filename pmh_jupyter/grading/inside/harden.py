"""Tests in the student's own process: what the student's code may have changed is put back, what it tries is refused or told.

`Pristine` remembers the process before any of the student's code ran. Before a test cell, and after it, everything is compared
with that and put back; between the checks of a cell, what they need most is. An audit hook (`watch`) keeps frames, lists of all
objects, tracing and second audit hooks from the student's code while a test runs. Comparisons trust neither side (`compare`).
What is seen is told as flags; a flag is never turned into a score.

What remains, because the student's code and the judge share one process, and is the reason why tests are judged apart wherever
they can be:

- A function sees the values that it is called with, and may remember them.
- Native code (ctypes, an extension module of the student's own) can read and write any memory, this module included. `ctypes` is
  flagged, an extension module is not.
- Code that changes this very module, or finds what the judge holds through gc before a test runs: gc is flagged, a change of our
  own modules is put back and flagged only as long as `put_back` itself still stands.
- Values in place are not compared: a list or a dict of a library module, an object's attributes, keyword defaults of functions
  that are no attribute of a module. Nor modules that were first imported by the student's code: their functions are not put back.
- Of what the lesson's own cells define in the notebook only functions are made anew for the tests (`given`): classes and data are as
  the student's code left them. An `all(…)` over nothing is not looked at.
- A thread of the student's may change something between two looks; it is put back, and flagged, at the next.
- Error handlers of codecs and functions registered with atexit cannot be listed. Neither is asked by a test's verdict.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

from .hooks import Interpreter, ShellHooks
from .library import Builtins, Package, Tables
from .origin import Origins, all_classes, library_folders
from .watch import WATCH

Flag = dict[str, str]
MOST_FLAGS = 50

# What a verdict rests on, beside the builtins: of Python, and (by the first part of this module's name) ours.
ALWAYS = (
    "IPython.core.async_helpers", "IPython.core.inputtransformer2", "IPython.core.interactiveshell", "IPython.core.magic",
    "_json", "_operator", "_random", "abc", "ast", "asyncio.events", "asyncio.runners", "collections", "contextlib", "copy",
    "copyreg", "datetime", "decimal", "fractions", "functools", "inspect", "io", "itertools", "json", "linecache", "math",
    "numbers", "operator", "random", "re", "reprlib", "statistics", "string", "traceback", "types", "unittest",
)  # fmt: skip


class Seen:
    """The flags of one test cell; each is told once."""

    def __init__(self, flags: list[Flag]) -> None:
        self.flags = flags

    def note(self, code: str, detail: str) -> None:
        flag = {"code": code, "detail": detail[:200]}
        if flag not in self.flags and len(self.flags) < MOST_FLAGS:
            self.flags.append(flag)

    def take(self, flags: Iterable[Flag]) -> None:
        for flag in flags:
            self.note(flag["code"], flag["detail"])


class Pristine:
    """The process before the student's code. Taken once in a warm process; `begin` is called in each that is forked from it.

    `packages` are libraries that tests may use (numpy, pandas, …) besides Python's own; only those that are loaded count.
    """

    def __init__(self, packages: Iterable[str] = ()) -> None:
        for name in ALWAYS:
            with suppress(ImportError):
                import_module(name)
        self.folders = tuple(f"{folder}/" for folder in (*library_folders(), str(Path(__file__).parent)))
        self.origins = Origins(all_classes(), self.folders)
        self.before = dict(sys.modules)
        self.builtins = Builtins()
        self.tables = Tables()
        ours = __name__.partition(".")[0]
        self.packages = {root: Package(root) for root in dict.fromkeys((*ALWAYS, *packages, ours))}
        self.always = frozenset((*ALWAYS, ours))
        self.interpreter: Interpreter | None = None
        self.shell: ShellHooks | None = None
        self.early: list[Flag] = []

    def add(self, packages: Iterable[str]) -> None:
        """More packages, loaded since; still before any of the student's code."""
        more = [root for root in packages if root not in self.packages]
        if not more:
            return
        self.packages |= {root: Package(root) for root in more}
        self.before = dict(sys.modules)
        self.origins = Origins(all_classes(), self.folders)

    def begin(self, shell: Any) -> None:
        """In the student's process, right before its first cell: what differs between processes, and the watch."""
        self.interpreter = Interpreter(self._of_library)
        self.shell = ShellHooks(shell, self._of_library)
        library = frozenset(id(vars(module)) for module in [*sys.modules.values()] if type(module) is ModuleType)
        WATCH.begin(library, self.folders, Seen(self.early).note)

    def put_back(self, shell: Any, source: str | None = None) -> list[Flag]:
        """Puts everything back that a test cell (`source`; None: any) may rely on, and tells what was changed since the last time."""
        flags, self.early[:] = [*self.early], []
        flags += _flags("builtins-changed", self.builtins.put_back())
        flags += _flags("library-changed", self.tables.put_back())
        for root in self._used(shell, source):
            flags += _flags("library-changed", self.packages[root].put_back())
        for hooks in (self.interpreter, self.shell):
            if hooks is not None:
                flags += [{"code": code, "detail": detail} for code, detail in hooks.put_back()]
        flags += _flags("library-changed", self._strangers(source))
        return flags[:MOST_FLAGS]

    def put_back_quickly(self) -> list[Flag]:
        """Between two checks of a cell: the builtins."""
        return list(_flags("builtins-changed", self.builtins.put_back()))

    @contextmanager
    def testing(self, seen: Seen) -> Iterator[None]:
        """While a test cell runs: the watch at its strictest, and the library's folders before the student's for imports."""
        path = [*sys.path]
        sys.path.sort(key=lambda folder: not self._is_trusted(folder))
        sorted_path = [*sys.path]
        try:
            with WATCH.testing(seen.note):
                yield
        finally:
            if sys.path == sorted_path:
                sys.path[:] = path

    def _is_trusted(self, folder: object) -> bool:
        return isinstance(folder, str) and (f"{folder}/".startswith(self.folders) or folder.endswith(".zip"))

    def _used(self, shell: Any, source: str | None) -> list[str]:
        """The packages to look at: always Python's and ours, of the others those that a name of the test cell leads to."""
        if source is None:
            return list(self.packages)
        roots = set(self.always)
        namespace = shell.user_ns
        for name in _names(source):
            roots.add(name.partition(".")[0])
            value = namespace.get(name)
            if isinstance(value, ModuleType):
                roots.add(str(vars(value).get("__name__")).partition(".")[0])
            elif isinstance(value, type | FunctionType | BuiltinFunctionType | MethodType):
                roots.add(str(value.__module__).partition(".")[0])
        if roots - self.always & self.packages.keys():
            roots.add("numpy")
        return [root for root in self.packages if root in roots]

    def _strangers(self, source: str | None) -> Iterator[str]:
        """Modules that the test cell imports, loaded since, and not what the library's file has: the test loads them anew."""
        from importlib.machinery import PathFinder

        trusted = [folder for folder in sys.path if self._is_trusted(folder)]
        for root in dict.fromkeys(name.partition(".")[0] for name in imports(source or "")):
            module, early = sys.modules.get(root), self.before.get(root)
            if module is None or root in self.packages or root in sys.builtin_module_names:
                continue
            if early is not None and module is not early:
                sys.modules[root] = early
            elif early is None and not _is_from(module, PathFinder.find_spec(root, trusted)):
                _forget(root)
            elif root in sys.stdlib_module_names and not self._is_as_written(module):
                _forget(root)
            else:
                continue
            yield f"sys.modules[{root!r}]"

    def _is_as_written(self, module: ModuleType) -> bool:
        """Each function that stands in the module has the code of the file that it is from."""
        if self.origins.codes(module) is None:
            return True  # a frozen module, or an extension
        functions = [value for value in vars(module).values() if type(value) is FunctionType]
        return all(self.origins.as_written(function) for function in functions)

    def _of_library(self, thing: object) -> bool:
        """A function of a library module, or an object (or a class) of one."""
        if isinstance(thing, MethodType):
            thing = thing.__func__
        if type(thing) is FunctionType:
            module = sys.modules.get(str(thing.__module__))
            known = module is not None and vars(module) is thing.__globals__
            return known and thing.__code__.co_filename.startswith(self.folders)
        return self.origins.knows(thing if isinstance(thing, type) else type(thing))


def _is_from(module: ModuleType, real: Any) -> bool:
    """False for a module that is another than the library's of its name; True where the library has none."""
    origin = getattr(real, "origin", None)
    return origin is None or getattr(getattr(module, "__spec__", None), "origin", None) == origin


def _forget(root: str) -> None:
    for name in [name for name in sys.modules if name == root or name.startswith(f"{root}.")]:
        del sys.modules[name]


def _flags(code: str, details: Iterable[str]) -> Iterator[Flag]:
    return ({"code": code, "detail": detail} for detail in details)


def _names(source: str) -> set[str]:
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return set()
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} | set(imports(source))


def imports(source: str) -> Iterator[str]:
    """The modules that a cell (plain Python) imports, by their whole names."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module

"""Test helpers: functions and data that are defined in locked cells of a release and used by its test cells.

Student code could change those of the notebook. Test cells therefore get copies that the judge defines from the release's source, in a
separate namespace with the imports and literal constants of their cell. Every other name that a helper reads is looked up like a name of
the test cell. Classes are not copied, and neither are functions that bind a global name or cannot be defined without the student process
(for example, because a default calls a class of the notebook). Data is copied if it is a literal that the reference solution does not
change.
"""

from __future__ import annotations

import ast
import builtins
import copy
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FunctionType
from typing import Any

from pmh_jupyter.grading.runtime.test_cells.assertion_recorder import AssertionRecorder
from pmh_jupyter.grading.runtime.test_cells.assertion_sites import AssertionSite, SiteTable
from pmh_jupyter.grading.runtime.test_cells.code_filenames import TEST_HELPER_FILENAME
from pmh_jupyter.grading.runtime.test_cells.recorder_code import compile_with_recorder
from pmh_jupyter.grading.runtime.test_cells.statements import FUNCTION_NODES, read_statements
from pmh_jupyter.python_source.names import iter_bindings, iter_read_names
from pmh_jupyter.python_source.parsing import PARSE_ERRORS

_LITERAL_NODES = (
    *(ast.Constant, ast.Tuple, ast.List, ast.Set, ast.Dict, ast.UnaryOp, ast.BinOp),
    *(ast.unaryop, ast.operator, ast.expr_context),
)
# Finds the value of a name that a helper reads and its cell does not define.
NameFinder = Callable[[str], Any]


class RecorderDelegate(SiteTable):
    """Forwards the assertions of helpers to the recorder of the test cell that runs. Every recorder gets the sites of the helpers."""

    def __init__(self) -> None:
        super().__init__()
        self.recorder: AssertionRecorder | None = None

    def add_site(self, number: int, site: AssertionSite) -> None:
        super().add_site(number, site)
        if self.recorder is not None:  # a test cell imports a module of the lesson
            self.recorder.add_site(number, site)

    def _choose_number(self) -> int:
        return -1 - len(self.sites)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.recorder, name)


class TestHelpers(dict[str, Any]):
    """The functions and data that the locked cells have defined so far, by name.

    `data_names` are the names of data. `captured_names` are, among them, the names of computed data, which is copied.
    `transform_statement` is applied to every statement, as in a test cell.
    """

    __test__ = False  # not a pytest class

    def __init__(self, transform_statement: Callable[[ast.stmt], ast.stmt] = lambda node: node) -> None:
        super().__init__()
        self.transform_statement = transform_statement
        self.recorder_delegate = RecorderDelegate()
        self.helper_globals = _HelperGlobals()
        self.data_names: set[str] = set()
        self.captured_names: set[str] = set()
        self._initial_states: dict[str, tuple[Any, ...]] = {}
        self._names_read: set[str] = set()

    def begin_test_cell(self, recorder: AssertionRecorder, lookup: NameFinder) -> None:
        """Called before each test cell. `lookup` raises KeyError for an unknown name, and for Python's builtins."""
        self.recorder_delegate.recorder, self.helper_globals.lookup = recorder, lookup

    def add_cell(self, source: str, namespace: Mapping[str, Any] | None = None) -> None:
        """Define the helpers of a locked cell (plain Python) that has just run. Names that the cell binds replace earlier ones.

        namespace: the notebook's, if it is in this process. The present state of its functions is saved for `is_changed`.
        """
        try:
            tree = ast.parse(source)
            statements = read_statements(ast.parse(source), source, self.recorder_delegate)
        except PARSE_ERRORS:
            return
        binding_counts = Counter(iter_bindings(tree.body))
        for name in binding_counts:
            self.forget(name)
        names_read_by_statements = {
            name for node in tree.body if not isinstance(node, FUNCTION_NODES) for name in iter_read_names(node)
        }
        for node, statement in zip(tree.body, statements, strict=True):
            # A name that is bound repeatedly, or data that the cell fills, depends on how the cell ran.
            bound_names = set(iter_bindings([node]))
            if all(binding_counts[name] == 1 for name in bound_names) and not (
                _creates_mutable(node) and bound_names & names_read_by_statements
            ):
                self._add_statement(node, statement.node)
        if namespace is not None:
            self._initial_states |= {
                name: _capture_function_state(namespace.get(name)) for name in self.keys() & binding_counts.keys()
            }

    def capture(self, name: str, value: Any) -> None:
        """Add data that a locked cell has computed."""
        self[name] = value
        self.data_names.add(name)
        self.captured_names.add(name)

    def collect_defined_names(self) -> set[str]:
        """Return the names that `forget` would remove."""
        return (self.keys() | self.helper_globals.keys() | self.helper_globals.imports.keys()) - {
            "__name__",
            "__builtins__",
        }

    def collect_external_names(self) -> set[str]:
        """Return the names that helpers read and their cells do not define."""
        return self._names_read - self.helper_globals.keys() - self.helper_globals.imports.keys()

    def forget(self, name: str) -> None:
        """Remove a name, because the notebook binds it again, as the reference solution does."""
        self.pop(name, None)
        self.data_names.discard(name)
        self.captured_names.discard(name)
        self._initial_states.pop(name, None)
        self.helper_globals.forget(name)

    def is_changed(self, name: str, namespace: Mapping[str, Any]) -> bool:
        """Return whether the notebook's function of this name has changed since its cell ran."""
        initial, current = self._initial_states.get(name), _capture_function_state(namespace.get(name))
        return initial is not None and not (
            len(initial) == len(current)
            and all(before is after for before, after in zip(initial, current, strict=True))
        )

    def _add_statement(self, node: ast.stmt, rewritten_node: ast.stmt) -> None:
        if isinstance(node, ast.Import | ast.ImportFrom):
            self.helper_globals.imports.update(
                {name: self.transform_statement(statement) for name, statement in _split_import(node)}
            )
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            self._add_assignment(node, node.value)
        elif isinstance(node, FUNCTION_NODES) and not any(isinstance(inner, ast.Global) for inner in ast.walk(node)):
            function = _strip_annotations(self.transform_statement(rewritten_node))
            if self._execute(compile_with_recorder(function, self.recorder_delegate, TEST_HELPER_FILENAME), node):
                self[node.name] = self.helper_globals[node.name]
                self._names_read.update(iter_read_names(node))

    def _add_assignment(self, node: ast.Assign | ast.AnnAssign, value: ast.expr) -> None:
        """Define data, or a function that an expression makes: `same = lambda a, b: …`, `close = functools.partial(…)`, `check = same`."""
        is_data = _is_literal_expression(value)
        is_function = isinstance(value, ast.Lambda) or (isinstance(value, ast.Name) and value.id in self)
        if not (is_data or is_function or _is_partial(value)):
            return
        statement = ast.fix_missing_locations(ast.Module([self.transform_statement(copy.deepcopy(node))], []))
        if self._execute(compile(statement, TEST_HELPER_FILENAME, "exec", dont_inherit=True), node):
            names = set(iter_bindings([node]))
            self.update({name: self.helper_globals[name] for name in names})
            if is_data:
                self.data_names |= names
            else:
                self._names_read.update(iter_read_names(node))

    def _execute(self, code: Any, node: ast.stmt) -> bool:
        with self.helper_globals.without_lookup():
            try:
                exec(code, self.helper_globals)
            except Exception:  # noqa: BLE001 - it depends on the student's process
                for name in iter_bindings([node]):
                    self.helper_globals.forget(name)
                return False
        return True


class _HelperGlobals(dict[str, Any]):
    """The globals of the helpers. A module is imported when a helper first reads it."""

    def __init__(self) -> None:
        super().__init__(__name__="__main__", __builtins__=builtins)
        self.imports: dict[str, ast.stmt] = {}
        self.lookup: NameFinder = _raise_key_error

    def __missing__(self, name: str) -> Any:
        statement = self.imports.pop(name, None)
        if statement is not None:
            try:
                exec(compile(ast.Module([statement], []), TEST_HELPER_FILENAME, "exec", dont_inherit=True), self)
                return self[name]
            except ImportError:
                pass  # a module beside the notebook: the student's process has it
        return self.lookup(name)

    def forget(self, name: str) -> None:
        self.pop(name, None)
        self.imports.pop(name, None)

    @contextmanager
    def without_lookup(self) -> Iterator[None]:
        """Disable the lookup of other names while helpers are being defined."""
        lookup, self.lookup = self.lookup, _raise_key_error
        try:
            yield
        finally:
            self.lookup = lookup


def _raise_key_error(name: str) -> Any:
    raise KeyError(name)


def _split_import(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, ast.stmt]]:
    """Yield each name that an import binds, with a statement that binds only this name."""
    for alias in node.names:
        name = alias.asname or alias.name.partition(".")[0]
        if isinstance(node, ast.Import):
            yield name, ast.copy_location(ast.Import([alias]), node)
        elif alias.name != "*" and not node.level:
            yield name, ast.copy_location(ast.ImportFrom(node.module, [alias], 0), node)


def _creates_mutable(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign | ast.AnnAssign) and any(
        isinstance(inner, ast.List | ast.Set | ast.Dict) for inner in ast.walk(node)
    )


def _is_literal_expression(node: ast.expr) -> bool:
    return all(isinstance(inner, _LITERAL_NODES) for inner in ast.walk(node))


def _is_partial(node: ast.expr) -> bool:
    """Return whether this is a call of `functools.partial` or `re.compile`, which only store their arguments."""
    return isinstance(node, ast.Call) and ast.unparse(node.func) in ("partial", "functools.partial", "re.compile")


def _strip_annotations(node: ast.stmt) -> ast.stmt:
    """Remove annotations, which may use names that only the notebook has."""
    assert isinstance(node, FUNCTION_NODES)
    arguments = node.args
    for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg):
        if argument is not None:
            argument.annotation = None
    node.returns = None
    return node


def _capture_function_state(function: Any) -> tuple[Any, ...]:
    """Return the parts of a function, to be compared by identity."""
    if type(function) is not FunctionType:
        return (function,)
    keyword_defaults = function.__kwdefaults__ or {}
    return (
        function,
        function.__code__,
        *(function.__defaults__ or ()),
        *(keyword_defaults[name] for name in sorted(keyword_defaults)),
    )

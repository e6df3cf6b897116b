"""Finds the names that a cell binds, reads and imports, from its syntax tree, without running the cell.

`match` captures, `except … as`, `:=`, comprehensions, `global`, star imports and class bodies are supported. Names that
`from module import *` binds are not known without running it, and are left out. The functions do not raise, because a student may write
any text. They do not recurse, because a student's code may be nested deeply.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pmh_jupyter.python_source.parsing import PARSE_ERRORS, parse
from pmh_jupyter.python_source.resource_exhaustion import remember_results

# More than a person writes by hand. A syntax tree needs a hundred times the memory of its source.
MAX_CHARACTERS = 100_000
_IDENTIFIER_PATTERN = re.compile(r"[^\W\d]\w*")
# Not IPython's transformer (see `plain_python`), which tokenizes the whole text again for every magic in it.
_MAGIC_PATTERN = re.compile(r"^([ \t]*)(?:%|!|\?).*$", re.MULTILINE)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_SCOPES = (*_FUNCTIONS, *_COMPREHENSIONS, ast.ClassDef)


@dataclass(frozen=True)
class CellNames:
    """The names of one cell.

    bound: global names that it binds or deletes, except those of `from module import *`, which are unknown.
    used: names that it reads in any scope, local names included; for a cell that is not Python, every identifier in its text.
    global_reads: global names that it reads, including those that its functions read.
    nested_reads: of these, the names that its functions, classes and comprehensions read.
    is_parsed: whether the cell is Python.
    """

    bound: frozenset[str] = frozenset()
    used: frozenset[str] = frozenset()
    global_reads: frozenset[str] = frozenset()
    nested_reads: frozenset[str] = frozenset()
    is_parsed: bool = True


@remember_results(256)  # the release's cells are the same for every submission
def analyze_names(source: str) -> CellNames:
    """Analyze one cell. Magics and shell lines count as empty statements."""
    if len(source) > MAX_CHARACTERS:
        return CellNames(is_parsed=False)
    tree = _try_parse(source) or _try_parse(_MAGIC_PATTERN.sub(r"\1pass", source))
    if tree is None:
        return CellNames(used=find_identifiers(source), is_parsed=False)
    module, *nested = _analyze_scopes(tree)
    bound = frozenset(_iter_global_bindings(module, nested))
    nested_reads = frozenset[str]().union(*(scope.free_reads() for scope in nested))
    return CellNames(bound, frozenset(iter_read_names(tree)), nested_reads | module.reads, nested_reads)


def find_identifiers(source: str) -> frozenset[str]:
    """Find all identifiers in a string."""
    return frozenset(_IDENTIFIER_PATTERN.findall(source[:MAX_CHARACTERS]))


def find_bound_names(source: str) -> set[str]:
    """Return the global names that a cell binds or deletes. Empty for a cell that is not valid Python."""
    tree = _try_parse(source)
    return set(iter_bindings(tree.body)) if tree else set()


def find_names_bound_in_any_scope(source: str) -> set[str]:
    """Return every name that a cell binds: global names, local names, and parameters. Empty for a cell that is not valid Python."""
    nodes = _list_nodes(source)
    names = {name for node in nodes for name in iter_names_bound_by_node(node)}
    return names | {node.arg for node in nodes if isinstance(node, ast.arg)}


def iter_bindings(statements: Iterable[ast.stmt]) -> Iterator[str]:
    """Yield the global names that module-level statements bind or delete, each once for every binding.

    Functions, lambdas and class bodies bind no global names, except those that they declare `global`.
    """
    module, *nested = _analyze_scopes(ast.Module([*statements], []))
    return _iter_global_bindings(module, nested)


def _iter_global_bindings(module: _Scope, nested: list[_Scope]) -> Iterator[str]:
    yield from module.bound.elements()
    for scope in nested:
        yield from scope.globals.elements()


def iter_names_bound_by_node(node: ast.AST) -> Iterator[str]:
    """Yield the names that a node itself binds in its scope, without those that its children bind."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        yield node.id
    elif isinstance(node, ast.alias) and node.name != "*":
        yield (node.asname or node.name).partition(".")[0]
    elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
        yield node.name
    elif isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest


def find_read_names(source: str) -> set[str]:
    """Return every name that a cell reads in any scope, local names included. Empty for a cell that is not valid Python."""
    tree = _try_parse(source)
    return set(iter_read_names(tree)) if tree else set()


def iter_read_names(node: ast.AST) -> Iterator[str]:
    """Yield every name that a syntax tree reads in any scope, as often as it is read."""
    return (inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Load))


def collect_class_body_names(node: ast.stmt) -> set[str]:
    """Return the names that class bodies in this statement load. Python looks these up without calling `__missing__` of the globals."""
    return {
        name.id
        for inner in ast.walk(node)
        if isinstance(inner, ast.ClassDef)
        for part in inner.body
        for name in ast.walk(part)
        if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Load)
    }


def find_imported_modules(source: str) -> set[str]:
    """Return the full names of the modules that a cell imports, relative imports excluded. Empty for a cell that is not valid Python."""
    nodes = _list_nodes(source)
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return names | {
        node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module and not node.level
    }


def get_called_name(node: ast.Call) -> str:
    """Return the last part of the name that is called: "isclose" for `math.isclose(a, b)`. "" for a callable without a name."""
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


def _try_parse(source: str) -> ast.Module | None:
    try:
        return parse(source)
    except PARSE_ERRORS:
        return None


def _list_nodes(source: str) -> list[ast.AST]:
    tree = _try_parse(source)
    return [*ast.walk(tree)] if tree else []


@dataclass(eq=False)
class _Scope:
    """The names of one scope. `enclosing` are the scopes around it, innermost first, without the module and classes."""

    node: ast.AST
    enclosing: tuple[_Scope, ...] = ()
    reads: set[str] = field(default_factory=set)
    # How often the scope binds each name, and declares it global.
    bound: Counter[str] = field(default_factory=Counter)
    globals: Counter[str] = field(default_factory=Counter)

    def free_reads(self) -> set[str]:
        """Return the names that the scope reads, and that neither it nor a function around it binds."""
        free = self.reads - (self.bound.keys() - self.globals.keys())
        for scope in self.enclosing:
            free -= scope.bound.keys() - scope.globals.keys() - self.globals.keys()
        return free


def _analyze_scopes(tree: ast.Module) -> list[_Scope]:
    """Return all scopes of a cell; the first is the module."""
    module = _Scope(tree)
    scopes, pending = [module], [module]
    while pending:
        scope = pending.pop()
        for inner in _analyze_scope(scope, module):
            scopes.append(inner)
            pending.append(inner)
    return scopes


def _analyze_scope(scope: _Scope, module: _Scope) -> Iterator[_Scope]:
    """Collect the names that one scope binds and reads. Yields the scopes directly in it, which are still empty."""
    enclosing = () if scope is module else scope.enclosing
    if scope is not module and not isinstance(scope.node, ast.ClassDef):
        enclosing = (scope, *enclosing)
    pending = list(_iter_nodes_of_scope(scope.node))
    while pending:
        node = pending.pop()
        if isinstance(node, ast.NamedExpr):  # binds around comprehensions; the children are a name and a value
            _find_binding_scope(scope, module).bound.update((node.target.id,))
            pending.append(node.value)
            continue
        if isinstance(node, ast.Global):
            scope.globals.update(node.names)
            if scope is module:
                scope.bound.update(node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            scope.reads.add(node.id)
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            scope.reads.add(node.target.id)
        scope.bound.update((node.arg,) if isinstance(node, ast.arg) else iter_names_bound_by_node(node))
        if isinstance(node, _SCOPES):
            yield _Scope(node, enclosing)
            pending.extend(_iter_nodes_around_scope(node))
        else:
            pending.extend(ast.iter_child_nodes(node))


def _iter_nodes_of_scope(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the parts of a definition or comprehension that belong to its own scope."""
    if isinstance(node, _COMPREHENSIONS):
        first = node.generators[0].iter
        for child in ast.iter_child_nodes(node):
            yield from (
                (part for part in ast.iter_child_nodes(child) if part is not first)
                if isinstance(child, ast.comprehension)
                else (child,)
            )
    elif isinstance(node, ast.Lambda):
        yield from (*_list_parameters(node.args), node.body)
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        yield from (*_list_parameters(node.args), *node.body)
    elif isinstance(node, ast.ClassDef):
        yield from node.body
    else:
        yield from ast.iter_child_nodes(node)


def _iter_nodes_around_scope(node: ast.AST) -> Iterator[ast.AST]:
    """Yield decorators, defaults, annotations, base classes and the first iterable: they belong to the scope around it."""
    if isinstance(node, _COMPREHENSIONS):
        yield node.generators[0].iter
        return
    inner_node_ids = set(map(id, _iter_nodes_of_scope(node)))
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.arguments):
            yield from (part for part in ast.iter_child_nodes(child) if not isinstance(part, ast.arg))
            yield from (parameter.annotation for parameter in _list_parameters(child) if parameter.annotation)
        elif id(child) not in inner_node_ids:
            yield child


def _list_parameters(arguments: ast.arguments) -> list[ast.arg]:
    optional = [argument for argument in (arguments.vararg, arguments.kwarg) if argument]
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *optional]


def _find_binding_scope(scope: _Scope, module: _Scope) -> _Scope:
    """Return the scope in which `:=` binds: the nearest one that is not a comprehension."""
    if not isinstance(scope.node, _COMPREHENSIONS):
        return scope
    return next((outer for outer in scope.enclosing if not isinstance(outer.node, _COMPREHENSIONS)), module)

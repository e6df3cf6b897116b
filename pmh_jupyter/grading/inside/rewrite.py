"""Rewrites a statement of a test cell so that its assertions are counted, explain themselves and trust nobody's `==`.

The rewritten source speaks to a `Recorder` that stands in the code's constants (`compiled`), not under a name that the student's
code could bind.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Collection
from types import CodeType
from typing import Protocol

from .segments import segment

HERE = "\0pmh recorder"
KNOWN_CALLS = frozenset({"isinstance", "issubclass", "isclose", "allclose", "array_equal"})
RAISES = frozenset(
    {"raises", "warns", "assertRaises", "assertRaisesRegex", "assertWarns", "assertWarnsRegex", "assertLogs"}
)
# Those that tests patch themselves, and those that the compiler must see by name.
NOT_PINNED = frozenset({"input", "print", "open", "super", "help", "exit", "quit", "copyright", "credits", "license"})
PINNED = frozenset(name for name in vars(builtins) if not name.startswith("_")) - NOT_PINNED


def is_assert_call(node: ast.AST) -> bool:
    """A call of something named assert…"""
    return isinstance(node, ast.Call) and called_name(node).lower().startswith("assert")


def called_name(node: ast.Call) -> str:
    """The last part of what is called: "isclose" of `math.isclose(a, b)`; "" for what has no name."""
    if isinstance(node.func, ast.Attribute):
        return node.func.attr
    return node.func.id if isinstance(node.func, ast.Name) else ""


def is_raising(node: ast.AST) -> bool:
    """`with pytest.raises(…)` and its relatives."""
    return isinstance(node, ast.With | ast.AsyncWith) and any(
        isinstance(item.context_expr, ast.Call) and called_name(item.context_expr) in RAISES for item in node.items
    )


def raises_assertion(node: ast.AST) -> bool:
    """`raise AssertionError`."""
    if not isinstance(node, ast.Raise) or node.exc is None:
        return False
    raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
    return isinstance(raised, ast.Name) and raised.id == "AssertionError"


def compiled(node: ast.stmt, recorder: object, name: str) -> CodeType:
    """The code of a rewritten statement, with the recorder where it is spoken to."""
    return placed(code_of(node, name), recorder)


def code_of(node: ast.stmt, name: str) -> CodeType:
    """The code of a rewritten statement, which still lacks its recorder. `name`: that of its file."""
    module = ast.fix_missing_locations(ast.Module([node], type_ignores=[]))
    code: CodeType = compile(module, name, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    return code


def placed(code: CodeType, recorder: object) -> CodeType:
    """The code with the recorder in the place that was kept for it."""
    constants = tuple(
        recorder if constant == HERE else placed(constant, recorder) if isinstance(constant, CodeType) else constant
        for constant in code.co_consts
    )
    return code.replace(co_consts=constants)


class Ruled(Protocol):
    """What keeps the places of a source that can fail (`record.Recorder`)."""

    def rule(self, expression: str | None, said: str, *, swapped: bool = False) -> int:
        """Notes one, and answers its number."""


class Rewrite(ast.NodeTransformer):
    """For one statement. `source` gives the words of an explanation, None for a hidden statement.

    `said` has the author's words by the line of the assertion that they stand above; `pinned` the builtins that the statement
    gets from the recorder, whatever the notebook has bound to their names.
    """

    def __init__(self, recorder: Ruled, source: str | None, said: dict[int, str], pinned: Collection[str] = ()) -> None:
        self.recorder, self.source, self.said, self.pinned = recorder, source, said, frozenset(pinned)

    def visit_Assert(self, node: ast.Assert) -> ast.Assert:
        number = self._rule(node.test, said=self.said.get(node.lineno, ""))
        node.test = self._call("held", number, self._leaf(node.test))
        if node.msg is not None:
            node.msg = self.visit(node.msg)
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        call = node.value.value if isinstance(node.value, ast.Await) else node.value
        if not isinstance(call, ast.Call) or not is_assert_call(call):
            return self.generic_visit(node)
        said = self._message(call) or self.said.get(node.lineno, "")
        literal = len(call.args) > 1 and _is_literal(call.args[0])  # the author's side, as in `assertEqual(3, f())`
        told = call.args[1 if literal else 0] if call.args else call
        self._wrap(call, "asserted", self._rule(told, said=said, swapped=literal))
        return node

    def visit_With(self, node: ast.With) -> ast.AST:
        return self._with(node)

    def visit_AsyncWith(self, node: ast.AsyncWith) -> ast.AST:
        return self._with(node)

    def visit_Try(self, node: ast.Try) -> ast.AST:
        return self._try(node)

    def visit_TryStar(self, node: ast.TryStar) -> ast.AST:
        return self._try(node)

    def _try(self, node: ast.Try | ast.TryStar) -> ast.AST:
        self.generic_visit(node)
        for handler in node.handlers:
            handler.body.insert(0, ast.copy_location(ast.Expr(self._call("ran")), handler.body[0]))
        return node

    def visit_If(self, node: ast.If) -> ast.AST:
        counts = any(raises_assertion(inner) for inner in (*node.body, *node.orelse))
        self.generic_visit(node)
        if counts:
            node.test = self._call("seen", node.test)
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        if len(node.ops) != 1 or isinstance(node.ops[0], ast.Is | ast.IsNot):
            return node
        return self._call("compared", ast.Constant(type(node.ops[0]).__name__), node.left, node.comparators[0])

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.left, ast.Constant) and isinstance(node.right, ast.Constant):
            return node
        return self._call("operated", ast.Constant(type(node.op).__name__), node.left, node.right)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if called_name(node) == "isinstance":
            self._wrap_known(node, self._rule(node))
        elif called_name(node) in ("map", "filter") and node.args and not isinstance(node.args[0], ast.Starred):
            node.args[0] = self._call("guarded", node.args[0])
        return node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if isinstance(node.ctx, ast.Load) and node.id in self.pinned:
            real = ast.Attribute(ast.Constant(HERE), "real", ast.Load())
            return ast.copy_location(ast.Attribute(real, node.id, ast.Load()), node)
        return node

    def _with(self, node: ast.With | ast.AsyncWith) -> ast.AST:
        raising = is_raising(node)
        inner = node.body[0]
        self.generic_visit(node)
        for item in node.items if raising else []:
            call = item.context_expr
            if isinstance(call, ast.Call) and called_name(call) in RAISES:
                said = self._message(call) or self.said.get(node.lineno, "")
                call.func = self._call("asserted", self._rule(inner, said=said), call.func)
        return node

    def _leaf(self, test: ast.expr) -> ast.expr:
        """What an assertion tests, each part of it noting what it found."""
        if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
            test.values = [self._leaf(value) for value in test.values]
            return test
        number = self._rule(test)
        if isinstance(test, ast.BoolOp):
            test.values = [self._leaf(value) for value in test.values]
            return self._call("either", number, test)
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            number = self._rule(test.operand)
            return self._call("no", number, self.visit(test.operand))
        if isinstance(test, ast.Compare) and len(test.ops) == 1:
            return self._compare(test)
        if isinstance(test, ast.Compare):
            kinds = [ast.Constant(type(operation).__name__) for operation in test.ops]
            sides = [self.visit(side) for side in (test.left, *test.comparators)]
            return self._call("chain", number, ast.Tuple([*kinds], ast.Load()), *sides)
        if isinstance(test, ast.Call) and called_name(test) in KNOWN_CALLS and test.args:
            number = self._rule(test.args[0])
            self.generic_visit(test)
            self._wrap_known(test, number)
            return self._call("true", number, test)
        quiet = isinstance(test, ast.Call) and called_name(test) in ("all", "any", "callable", "hasattr")
        return self._call("holds" if quiet else "true", number, self.visit(test))

    def _compare(self, test: ast.Compare) -> ast.expr:
        left, right, kind = test.left, test.comparators[0], type(test.ops[0]).__name__
        # The side that the student's code made is the one to tell of; a literal is the author's.
        swapped = _is_literal(left) and not _is_literal(right)
        number = self._rule(right if swapped else left, swapped=swapped)
        return self._call("compare", number, ast.Constant(kind), self.visit(left), self.visit(right))

    def _wrap(self, call: ast.Call, method: str, number: ast.Constant) -> None:
        self.generic_visit(call)
        call.func = self._call(method, number, call.func)

    def _wrap_known(self, call: ast.Call, number: ast.Constant) -> None:
        func = call.func
        already = isinstance(func, ast.Call) and isinstance(func.func, ast.Attribute) and func.func.attr == "known"
        if not already:
            call.func = self._call("known", number, func)

    def _rule(self, node: ast.AST, *, said: str = "", swapped: bool = False) -> ast.Constant:
        return ast.Constant(self.recorder.rule(self._segment(node), said, swapped=swapped))

    def _segment(self, node: ast.AST) -> str | None:
        """The source's words for a node; None where they are hidden."""
        return None if self.source is None else segment(node, self.source)

    def _message(self, call: ast.Call) -> str:
        """The author's words in a call of assert…: `msg="…"`, `err_msg="…"`, or unittest's last argument."""
        for keyword in call.keywords:
            if keyword.arg in ("msg", "err_msg") and isinstance(keyword.value, ast.Constant):
                return str(keyword.value.value)
        name = called_name(call)
        place = 1 if name in ("assertTrue", "assertFalse", "assertIsNone", "assertIsNotNone") else 2
        if name.startswith("assert") and name[6:7].isupper() and len(call.args) == place + 1 and name not in RAISES:
            last = call.args[place]
            if isinstance(last, ast.Constant) and isinstance(last.value, str):
                return last.value
        return ""

    def _call(self, method: str, *arguments: ast.expr) -> ast.Call:
        return ast.Call(ast.Attribute(ast.Constant(HERE), method, ast.Load()), list(arguments), [])


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True

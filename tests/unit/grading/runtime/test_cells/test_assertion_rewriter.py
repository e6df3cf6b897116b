"""Which statement of a test cell becomes which rewritten statement.

`R` stands for the recorder. Its first argument is the number of a site, in the order in which they are registered; a text such as "1:7" is
a place: line and column. A place is empty where a right answer may compare fewer values, and begins with "~" where one is enough.
"""

from __future__ import annotations

import ast
from typing import Any

import pytest

from pmh_jupyter.grading.runtime.test_cells.assertion_rewriter import AssertionRewriter
from pmh_jupyter.grading.runtime.test_cells.recorder_code import RECORDER_PLACEHOLDER, NamePinner, compile_with_recorder

Site = tuple[str | None, str, bool]


class _Sites:
    """Numbers sites, and keeps the expression, the author's message and whether the author's side comes first."""

    def __init__(self) -> None:
        self.sites: list[Site] = []

    def register_site(self, expression: str | None, feedback: str, *, is_swapped: bool = False) -> int:
        self.sites.append((expression, feedback, is_swapped))
        return len(self.sites)


class _RecorderNamer(ast.NodeTransformer):
    """Names the recorder `R`."""

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return ast.Name("R", ast.Load()) if node.value == RECORDER_PLACEHOLDER else node


def rewrite(
    source: str, *, is_hidden: bool = False, feedback: dict[int, str] | None = None
) -> tuple[ast.stmt, list[Site]]:
    sites = _Sites()
    (statement,) = ast.parse(source).body
    return AssertionRewriter(sites, None if is_hidden else source, feedback or {}).visit(statement), sites.sites


def to_source(statement: ast.stmt) -> str:
    return ast.unparse(_RecorderNamer().visit(statement))


def _assert_rewritten(source: str, expected: str) -> None:
    assert to_source(rewrite(source)[0]) == ast.unparse(ast.parse(expected))


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("f()", "R.check_true(2, f())"),
        ("f() == 3", "R.check_comparison(3, '1:7', 'Eq', f(), 3)"),
        ("3 != f()", "R.check_comparison(3, '1:7', 'NotEq', 3, f())"),
        ("f() is None", "R.check_comparison(3, '1:7', 'Is', f(), None)"),
        ("1 < f() <= 3", "R.check_chain(2, '1:7', ('Lt', 'LtE'), 1, f(), 3)"),
        ("not f()", "R.check_false(3, f())"),
        ("not any(x)", "R.check_false(3, any(R.count_items('1:11', x)))"),
        ("f() and x in y", "R.check_true(2, f()) and R.check_comparison(4, '1:15', 'In', x, y)"),
        ("f() or x > 2", "R.check_without_values(2, R.check_true(3, f()) or R.check_comparison(5, '', 'Gt', x, 2))"),
        ("callable(f)", "R.check_truth_without_values(2, callable(f))"),
        ("isinstance(x, int)", "R.check_true(3, R.record_call(3, '1:7', isinstance)(x, int))"),
        ("np.allclose(f(), y)", "R.check_true(3, R.record_call(3, '1:7', np.allclose)(f(), y))"),
        (
            "f() - 3 < 1",
            "R.check_comparison(3, '1:7', 'Lt', R.evaluate_arithmetic('1:7', 'Sub', f(), 3), 1)",
        ),
        (
            "(x > 1) == f()",
            "R.check_comparison(3, '1:7', 'Eq', R.evaluate_comparison('1:8', 'Gt', x, 1), f())",
        ),
    ],
)
def test_condition_of_an_assertion(condition: str, expected: str) -> None:
    _assert_rewritten(f"assert {condition}", f"assert R.check_assertion(1, '1:0', {expected})")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = f() == 3", "x = R.evaluate_comparison('1:4', 'Eq', f(), 3)"),
        ("x = f() is y", "x = R.evaluate_comparison('1:4', 'Is', f(), y)"),
        ("x = f() is None", "x = f() is None"),
        ("x = f() ** 2", "x = R.evaluate_arithmetic('1:4', 'Pow', f(), 2)"),
        ("x = 2 ** 3", "x = 2 ** 3"),
        ("x = 1 < f() <= g()", "x = R.evaluate_chain('1:4', ('Lt', 'LtE'), 1, f(), lambda: g())"),
        (
            "x = all(3 == a == b for a in c)",
            "x = all(R.count_items('~1:4', (R.evaluate_chain('~1:8', ('Eq', 'Eq'), 3, a, lambda: b) for a in c)))",
        ),
        ("x = a < b < await f()", "x = a < b < await f()"),
        ("class A:\n    x = a < b < c", "class A:\n    x = a < b < c"),
        ("x += f()", "x = R.evaluate_in_place('1:0', 'Add', x, f())"),
        ("x[0] += f()", "x[0] += f()"),
        ("x = abs(f())", "x = R.record_distance('1:4', abs(f()))"),
        ("x = np.linalg.norm(f())", "x = R.record_distance('1:4', np.linalg.norm(f()))"),
        ("x = map(f, y)", "x = map(R.guard_callback(f), y)"),
        ("x = map(*y)", "x = map(*y)"),
        ("x = isinstance(f(), int)", "x = R.record_call(1, '', isinstance)(f(), int)"),
        ("x = f() if g() else h() == 1", "x = f() if g() else R.evaluate_comparison('', 'Eq', h(), 1)"),
        ("x = g() and f() == 1", "x = g() and R.evaluate_comparison('', 'Eq', f(), 1)"),
    ],
)
def test_expression_outside_of_a_condition(source: str, expected: str) -> None:
    _assert_rewritten(source, expected)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("all(x)", "all(R.count_items('1:4', x))"),
        ("not any(x)", "not any(R.count_items('1:8', x))"),
        ("any(x)", "any(x)"),
        ("not all(x)", "not all(x)"),
        ("all(*x)", "all(*x)"),
        ("np.all(x)", "np.all(R.count_elements('1:4', x))"),
        ("x.all()", "R.count_elements('1:4', x).all()"),
        ("g() or all(x)", "g() or all(x)"),
        ("all(g(a) for a in x)", "all(R.count_items('~1:4', (g(a) for a in x)))"),
        ("all(map(f, x))", "all(R.count_items('~1:4', map(R.guard_callback(f), x)))"),
        ("zip(x, y)", "R.count_rounds('1:4', zip(x, y))"),
        ("zip(x, x[1:])", "zip(x, x[1:])"),
        ("zip(x, count())", "zip(x, count())"),
        ("lambda x, y: zip(x, y)", "lambda x, y: zip(x, y)"),
        ("sum(a for a in x)", "sum((a for a in R.count_rounds('~1:7', x)))"),
        ("max([a for a in x])", "max([a for a in R.count_rounds('~1:8', x)])"),
        ("sum(x)", "sum(x)"),
        ("isclose(x, y)", "isclose(R.count_elements('1:12', x), R.count_elements('1:15', y))"),
        ("array_equal(*x, y)", "array_equal(*x, R.count_elements('1:20', y))"),
    ],
)
def test_expression_that_is_true_of_no_values_is_counted(expression: str, expected: str) -> None:
    _assert_rewritten(f"x = {expression}", f"x = {expected}")


CHECK_A = "R.check_true(2, a)"


@pytest.mark.parametrize(
    ("body", "is_optional"),
    [
        ("assert a", False),
        ("    if a: break\n    assert a", True),
        ("    if a: return\n    assert a", True),
        ("    for b in a:\n        break\n    assert a", False),
        ("    for b in a:\n        return\n    assert a", True),
        ("    def g(): return 1\n    assert a", False),
    ],
)
def test_loop_that_may_end_early_is_optional(body: str, is_optional: bool) -> None:
    indented = "\n".join(f"    {line}" for line in body.splitlines()) if body.startswith("    ") else f"        {body}"
    rewritten = to_source(rewrite(f"def f():\n    for a in x:\n{indented}")[0])
    assert ("check_assertion(1, ''" in rewritten) is is_optional


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param(
            "for a in f():\n    assert a",
            f"for a in f():\n    assert R.check_assertion(1, '~2:4', {CHECK_A})",
            id="loop-over-items-that-meet-a-condition",
        ),
        pytest.param(
            "for a, b in zip(f(), y):\n    assert a == b",
            "for a, b in R.count_rounds('1:12', zip(f(), y)):\n"
            "    assert R.check_assertion(1, '2:4', R.check_comparison(3, '2:11', 'Eq', a, b))",
            id="loop-over-pairs",
        ),
        pytest.param(
            "for a in f():\n    assert a\n    break",
            f"for a in f():\n    assert R.check_assertion(1, '', {CHECK_A})\n    break",
            id="loop-that-ends-early",
        ),
        pytest.param(
            "while f():\n    assert a", f"while f():\n    assert R.check_assertion(1, '', {CHECK_A})", id="while-loop"
        ),
        pytest.param("if f():\n    assert a", f"if f():\n    assert R.check_assertion(1, '', {CHECK_A})", id="branch"),
        pytest.param(
            "match f():\n    case 1:\n        assert a",
            f"match f():\n    case 1:\n        assert R.check_assertion(1, '', {CHECK_A})",
            id="match",
        ),
        pytest.param(
            "if f() != 3:\n    raise AssertionError",
            "if R.count_and_return(R.evaluate_comparison('', 'NotEq', f(), 3)):\n    raise AssertionError",
            id="explicit-assertion-error",
        ),
        pytest.param(
            "try:\n    f()\nexcept ValueError:\n    assert a",
            f"try:\n    f()\nexcept ValueError:\n    R.count_assertion()\n    assert R.check_assertion(1, '', {CHECK_A})",
            id="exception-handler",
        ),
        pytest.param(
            "def check(a, y):\n    assert a\n    return zip(a, y)",
            f"def check(a, y):\n    assert R.check_assertion(1, '2:4', {CHECK_A})\n    return zip(a, y)",
            id="function-with-parameters",
        ),
        pytest.param(
            "def test_a():\n    return zip(x, y)",
            "def test_a():\n    return R.count_rounds('2:11', zip(x, y))",
            id="test-function",
        ),
        pytest.param(
            "with pytest.raises(ValueError):\n    f()",
            "with R.wrap_assert_function(1, '1:5', pytest.raises)(ValueError):\n    f()",
            id="raises-block",
        ),
        pytest.param("with open(x) as y:\n    f()", "with open(x) as y:\n    f()", id="other-block"),
        pytest.param(
            "self.assertEqual(f(), 3)",
            "R.wrap_assert_function(1, '1:0', self.assertEqual)(f(), 3)",
            id="assert-function",
        ),
        pytest.param("print(f())", "print(f())", id="other-call"),
        pytest.param(
            "assert a, g() == 1",
            f"assert R.check_assertion(1, '1:0', {CHECK_A}), R.evaluate_comparison('1:10', 'Eq', g(), 1)",
            id="message",
        ),
    ],
)
def test_statement(source: str, expected: str) -> None:
    _assert_rewritten(source, expected)


@pytest.mark.parametrize(
    ("source", "last_site"),
    [
        ("assert f() == 3", ("f()", "", False)),
        ("assert 3 == f()", ("f()", "", True)),
        ("assert 3 == 4", ("3", "", False)),
        ("assert not f()", ("f()", "", False)),
        ("assert isinstance(f(), int)", ("f()", "", False)),
        ("self.assertEqual(f(), 3)", ("f()", "", False)),
        ("self.assertEqual(3, f())", ("f()", "", True)),
        ("self.assertEqual(f(), 3, 'Three')", ("f()", "Three", False)),
        ("assert_allclose(f(), 3, err_msg='Near')", ("f()", "Near", False)),
        ("self.assertTrue(f(), msg='True')", ("f()", "True", False)),
        ("with self.assertRaises(E, msg='Raise'):\n    f(0)", ("f(0)", "Raise", False)),
    ],
)
def test_expression_that_is_shown_for_a_failure(source: str, last_site: Site) -> None:
    assert rewrite(source)[1][-1] == last_site


def test_comment_above_an_assertion_is_its_message() -> None:
    for source in ("\nassert f()", "\nself.assertTrue(f())", "\nwith self.assertRaises(E):\n    f()"):
        assert rewrite(source, feedback={2: "Look again"})[1][0][1] == "Look again"


def test_hidden_statement_keeps_no_expression() -> None:
    assert {site[0] for site in rewrite("assert f() == 3", is_hidden=True)[1]} == {None}


class _Recorder:
    """Records comparisons by place."""

    def __init__(self) -> None:
        self.comparisons: list[tuple[Any, ...]] = []

    def evaluate_comparison(self, *comparison: Any) -> bool:
        self.comparisons.append(comparison)
        return True


@pytest.mark.parametrize(
    ("source", "comparisons"),
    [
        ("x = f() == 3", [("1:4", "Eq", 5, 3)]),
        ("x = [a for a in (1, 2) if a < 9]", [("~1:26", "Lt", 1, 9), ("~1:26", "Lt", 2, 9)]),
        ("x = (lambda a: a in (4,))(4)", [("1:15", "In", 4, (4,))]),
        ("def g():\n    return f() != 3", []),
    ],
)
def test_comparisons_that_a_compiled_statement_passes_to_the_recorder(
    source: str, comparisons: list[tuple[Any, ...]]
) -> None:
    recorder = _Recorder()
    exec(compile_with_recorder(rewrite(source)[0], recorder, "<test>"), {"f": lambda: 5})
    assert recorder.comparisons == comparisons


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = len(y)", "x = R.pinned_values.len(y)"),
        ("len = y", "len = y"),
        ("x = y.len", "x = y.len"),
        ("x = lambda: len", "x = lambda: R.pinned_values.len"),
    ],
)
def test_pinned_name_is_read_from_the_recorder(source: str, expected: str) -> None:
    (statement,) = ast.parse(source).body
    assert to_source(NamePinner({"len"}).visit(statement)) == expected

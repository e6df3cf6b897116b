"""Which iterations of a test have a fixed number of rounds."""

from __future__ import annotations

import ast

import pytest

from pmh_jupyter.grading.runtime.test_cells.iterations import may_be_shorter


def parse_iteration(source: str) -> ast.AST:
    """Parse a loop, or an expression."""
    statement = ast.parse(source).body[0]
    return statement.value if isinstance(statement, ast.Expr) else statement


@pytest.mark.parametrize(
    "source",
    [
        "(c.isalnum() for c in password(8))",
        "[len(w) == 3 for w in words()]",
        "(a + b == target for a, b in pairs(target))",
        "(word == word.lower() for word in words())",
        "(a <= b for a, b in zip(xs, xs[1:]))",
        "(abs(a - b) == 1 for a, b in pairwise(ladder()))",
        "map(str.isalpha, words())",
        "for u, v in zip(path, path[1:]):\n    assert v in graph[u]",
        "for x in sample(5):\n    assert all(x % d for d in range(2, x))",
        "for a, b in steps:\n    assert b == a + 1 or b == a + 2",
        "for (x, y), (u, v) in moves:\n    assert abs(x - u) + abs(y - v) == 1",
        "for (x, y), (u, v) in moves:\n    assert abs(x - u) <= 1 and abs(y - v) <= 1",
        "for word in ladder('cold', 'warm'):\n    assert len(word) == len('cold')",
        "for i in range(len(path) - 1):\n    assert abs(path[i] - path[i + 1]) == 1",
        "for i in range(len(path) - 1):\n    assert path[i] == path[i + 1] - 1",
        "for i in range(len(path) - 1):\n    assert path[i + 1] in graph[path[i]]",
        "for node in path:\n    assert color[node] == 'red'",
        "for i in range(len(moves)):\n    assert pour(states[i], moves[i]) == states[i + 1]",
        "for x in path:\n    if x != 'hedge':\n        assert x in cells",
        "map(lambda word: len(word) == 3, words())",
    ],
)
def test_items_that_only_meet_a_condition_may_be_fewer(source: str) -> None:
    assert may_be_shorter(parse_iteration(source))


@pytest.mark.parametrize(
    "source",
    [
        "(x == i * i for i, x in enumerate(squares()))",
        "(a > 0 for a, b in zip(f(), expected))",
        "(abs(a - b) < 1e-9 for a, b in f().items())",
        "(isclose(y, sin(x)) for x, y in table())",
        "(x == next(expected) for x in f())",
        "map(operator.eq, f(), expected)",
        "for k, v in f().items():\n    assert v == expected(k)",
        "for a, b in zip(f(), expected):\n    assert a in b",
        "for i in range(len(result)):\n    assert result[i] == expected[i]",
        "for i in range(len(sums)):\n    assert sums[i] == sum(values[: i + 1])",
        "for i in range(len(result)):\n    assert result[i] == square(i)",
        "(abs(r[i] - e[i]) < 1e-9 for i in range(len(r)))",
        "for key in result:\n    assert result[key] == expected[key]",
        "for c in result:\n    assert result[c] == text.count(c)",
        "for i, x in enumerate(f()):\n    assert abs(x / expected[i] - 1) < eps",
        "for i, x in enumerate(f()):\n    assert (x - [4, 2.5][i]) ** 2 < 1e-12",
        "for i, r in enumerate(rows(m)):\n    np.testing.assert_allclose(r, np.cumsum(m[i]))",
        "for i in range(len(r)):\n    for j in range(len(r[i])):\n        assert r[i][j] == e[i][j]",
        "for j in range(len(r[i])):\n    assert r[i][j] == e[i][j]",
        "for k in result:\n    assert result.get(k) == expected.get(k)",
        "for i in range(len(result)):\n    got, want = result[i], expected[i]\n    assert got == want",
        "for line in table(scores).splitlines():\n    name, score = line.split(',')\n    assert int(score) == scores[name]",
        "for row in totals(orders):\n    assert row['total'] == expected[row['name']]",
        "for account in accounts():\n    assert account.balance == expected[account.name]",
        "for got in countdown(5):\n    assert got == want\n    want -= 1",
        "(result[i] != expected[i] for i in range(len(result)))",
        "map(lambda i: result[i] == expected[i], range(len(result)))",
    ],
)
def test_items_with_a_value_of_their_own_are_all_compared(source: str) -> None:
    assert not may_be_shorter(parse_iteration(source))

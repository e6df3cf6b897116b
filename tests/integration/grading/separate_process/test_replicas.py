"""Changes that the student's code makes to a value of the test are visible to the test, and the reverse."""

from __future__ import annotations

import pytest

from tests.support.grading.separate_process import STUDENT_CELL, TEST_CELL, run_in_one_process, run_tests

CHANGES = {
    "a list": ("def f(x): x.append(1)", "x = []\nf(x)\nassert x == [1]"),
    "a list that shrinks": ("def f(x): x.clear()", "x = [1, 2]\nf(x)\nassert x == []"),
    "a sort in place": ("def f(x): x.sort()", "x = [3, 1, 2]\nassert f(x) is None and x == [1, 2, 3]"),
    "a dict": ("def f(x): x['a'] = 1; del x['b']", "x = {'b': 2}\nf(x)\nassert x == {'a': 1}"),
    "a set": ("def f(x): x.add(2)", "x = {1}\nf(x)\nassert x == {1, 2}"),
    "a bytearray": ("def f(x): x[0] = 65", "x = bytearray(b'bc')\nf(x)\nassert x == b'Ac'"),
    "a deque": (
        "def f(x): x.appendleft(0)",
        "from collections import deque\nx = deque([1], maxlen=5)\nf(x)\nassert list(x) == [0, 1] and x.maxlen == 5",
    ),
    "a Counter": (
        "def f(x): x.update('aa')",
        "from collections import Counter\nx = Counter('a')\nf(x)\nassert x == Counter('aaa')",
    ),
    "a defaultdict": (
        "def f(x): x['k'].append(1)",
        "from collections import defaultdict\nx = defaultdict(list)\nf(x)\nassert x == {'k': [1]}",
    ),
    "a list in a list": ("def f(x): x[0].append(1)", "row = []\nx = [row]\nf(x)\nassert row == [1] and x[0] is row"),
    "rows that change places": (
        "def f(x): x.sort()",
        "a, b = [2], [1]\nx = [a, b]\nf(x)\nassert x == [[1], [2]] and a == [2] and x[0] is b",
    ),
    "a list in a dict in a tuple": (
        "def f(x): x[0]['k'].append(1)",
        "x = ({'k': []},)\nf(x)\nassert x == ({'k': [1]},)",
    ),
    "one list twice": ("def f(x, y): x.append(1); return x is y", "x = []\nassert f(x, x) and x == [1]"),
    "a list that holds itself": ("def f(x): x.append(x)", "x = []\nf(x)\nassert x[0] is x"),
    "what is returned is what went in": ("def f(x): return x", "x = [1]\nassert f(x) is x"),
    "a named argument": ("def f(*, x): x.append(1)", "x = []\nf(x=x)\nassert x == [1]"),
    "stored and changed later": (
        "stored = []\ndef store(x): stored.append(x)\ndef touch(): stored[0].append(9)",
        "x = []\nstore(x)\ntouch()\nassert x == [9]",
    ),
    "before it raises": (
        "def f(x): x.append(1); raise ValueError",
        "x = []\ntry: f(x)\nexcept ValueError: pass\nassert x == [1]",
    ),
    "changed by a callback": ("def f(g): x = []; g(x); return x", "assert f(lambda x: x.append(1)) == [1]"),
    "the student's list, changed by the test": (
        "class C:\n    def __init__(self): self.x = []\n    def n(self): return len(self.x)",
        "c = C()\nc.x.append(1)\nassert c.n() == 1 and c.x == [1]",
    ),
    "the student's global, changed by the test": ("g = {}\ndef n(): return len(g)", "g['a'] = 1\nassert n() == 1"),
    "a dict of an object": (
        "class C:\n    def __init__(self): self.a = 1",
        "c = C()\nc.__dict__['b'] = 2\nassert c.b == 2",
    ),
    "an array": ("def f(x): x[0] = 9", "import numpy as np\nx = np.zeros(2)\nf(x)\nassert x.tolist() == [9, 0]"),
    "a large array": (
        "def f(x): x[:] = 1",
        "import numpy as np\nx = np.zeros(100_000)\nf(x)\nassert x.sum() == 100_000",
    ),
    "a large list": ("def f(x): x.reverse()", "x = list(range(50_000))\nf(x)\nassert x[0] == 49_999"),
    "an array in place": ("def f(x): x += 1", "import numpy as np\nx = np.ones(2)\nf(x)\nassert (x == 2).all()"),
    "a table's column": (
        "def f(d): d['b'] = d['a'] * 2",
        "import pandas as pd\nd = pd.DataFrame({'a': [1, 2]})\nf(d)\nassert list(d.columns) == ['a', 'b'] and d['b'].tolist() == [2, 4]",
    ),
    "a table's rows": (
        "def f(d): d.drop(index=0, inplace=True)",
        "import pandas as pd\nd = pd.DataFrame({'a': [1, 2]})\nf(d)\nassert d['a'].tolist() == [2]",
    ),
    "not a copy": ("def f(x): x = x + [1]; return x", "x = [0]\nassert f(x) == [0, 1] and x == [0]"),
}


@pytest.mark.parametrize(("student", "test"), CHANGES.values(), ids=CHANGES.keys())
def test_change_is_visible_to_both_sides(student: str, test: str) -> None:
    cells = [(STUDENT_CELL, student), (TEST_CELL, test)]
    assert run_in_one_process(cells) == [True]
    assert not [each for each in run_tests(cells) if each["outcome"] != "passed"]


REFERENCE = (
    "def smallest(v): return min(v)\nclass Ids:\n    n = 0\n    def next(self): self.n += 1; return self.n\nids = Ids()"
)
SORTS_IN_PLACE = REFERENCE.replace("return min(v)", "v.sort(); return v[0]")
CLEARS = REFERENCE.replace("return min(v)", "r = min(v); v.clear(); return r")


def run_after_refused_change(student: str, test: str) -> list[str]:
    """Return the outcomes of a test after a call that changes its list. The reference leaves the list as it is."""
    cell = (TEST_CELL, f"data = [3, 1, 2]\nleast = smallest(data)\n{test}")
    results = run_tests([(STUDENT_CELL, student), cell], [(STUDENT_CELL, REFERENCE), cell])
    return [result["outcome"] for result in results]


@pytest.mark.parametrize(
    "test",
    [
        pytest.param("assert ids.next() == 1\nassert ids.next() == 2", id="a call that counts"),
        pytest.param("it = iter([7, 8])\nassert next(it) == 7\nassert next(it) == 8", id="an iterator of the test"),
        pytest.param("data.append(9)\nassert data[-1] == 9", id="a change that the test makes later"),
        pytest.param("data = [5, 4]\nassert data[0] == 5", id="a name that is bound again"),
    ],
)
def test_assertion_that_cannot_depend_on_a_refused_change_runs_once(test: str) -> None:
    assert set(run_after_refused_change(SORTS_IN_PLACE, test)) == {"passed"}


@pytest.mark.parametrize(
    "test",
    [
        pytest.param("assert data", id="by name"),
        pytest.param("alias = [data]\nassert alias[0]", id="in a list"),
        pytest.param("def get(): return data\nassert len(get()) == 3", id="through a function"),
        pytest.param("assert any(x == 2 for x in data)", id="in a generator"),
        pytest.param("s = {k * 64 for k in range(9)}\nleast = smallest(s)\nassert s\nassert len(s) == 9", id="a set"),
        pytest.param("with_data = lambda d=data: len(d)\ndel data\nassert with_data() == 3", id="in a default"),
    ],
)
def test_assertion_that_can_depend_on_a_refused_change_has_to_hold_with_it(test: str) -> None:
    assert set(run_after_refused_change(CLEARS, test)) == {"failed"}


KEEPS = """
class Bag:
    def __init__(self, items): self.items = items
    def total(self): return sum(self.items)
def keep(x): global kept; kept = x
def get_length(): return len(kept)
def iterate(x): return (item for item in x)
def call(f): x = []; f(x); x.append(2); return x
def call_with(x, f): f(); x.append(2); return len(x)
"""


@pytest.mark.parametrize(
    "test",
    [
        pytest.param("x = [1, 2]\nb = Bag(x)\nx.append(30)\nassert b.total() == 33", id="a list"),
        pytest.param("x = [1, 2]\ng = iterate(x)\nx.append(3)\nassert list(g) == [1, 2, 3]", id="a generator"),
        pytest.param("x = {'a': 1}\nkeep(x)\nx['b'] = x.pop('a')\nx['c'] = 1\nassert get_length() == 2", id="a dict"),
        pytest.param("x = {1}\nkeep(x)\nx.add(2)\nassert get_length() == 2", id="a set"),
        pytest.param("x = bytearray(b'a')\nkeep(x)\nx += b'b'\nassert get_length() == 2", id="a bytearray"),
        pytest.param("row = [1]\nb = Bag(row)\nx = [row]\nx[0][0] = 5\nassert b.total() == 5", id="inside another"),
        pytest.param("x = [1]\nb = Bag(x)\nx.clear()\ndel x\nassert b.total() == 0", id="without a name"),
        pytest.param("import numpy as np\nx = np.ones(3)\nb = Bag(x)\nx[0] = 9\nassert b.total() == 11", id="an array"),
        pytest.param("assert call(lambda x: x.append(1)) == [1, 2]", id="a callback's argument"),
        pytest.param("x = []\nassert call_with(x, lambda: x.append(1)) == 2 and x == [1, 2]", id="in a callback"),
        pytest.param("x = []\nkeep(x)\nx.append(get_length)\nassert get_length() == 1", id="an object of the notebook"),
        pytest.param("x = []\nkeep(x)\nx.append(x)\nassert get_length() == 1", id="itself"),
    ],
)
def test_change_that_the_test_makes_later_is_visible_to_the_notebook(test: str) -> None:
    cells = [(STUDENT_CELL, KEEPS), (TEST_CELL, test)]
    assert run_in_one_process(cells) == [True]
    assert [each["outcome"] for each in run_tests(cells)] == ["passed"]


def test_later_change_that_cannot_be_sent_is_ignored() -> None:
    test = "x = [1]\nkeep(x)\nx.append(globals())\nassert get_length() == 1\nx[:] = [1, 2]\nkeep(x)\nassert get_length() == 2"
    results = run_tests([(STUDENT_CELL, KEEPS), (TEST_CELL, test)])
    assert [each["outcome"] for each in results] == ["passed"] * 2


def test_refused_change_stays_in_the_notebook_until_the_test_changes_the_value() -> None:
    student = "def smallest(v): global kept; kept = v; {}\ndef peek(): return tuple(kept)"
    test = (
        "data = [3, 1, 2]\nassert smallest(data) == 1\nassert data == [3, 1, 2] or data == [1, 2, 3]\n"
        "first = peek()\ndata.append(4)\nsecond = peek()\nassert first in {choices} and second == (3, 1, 2, 4)"
    )
    reference = [(STUDENT_CELL, student.format("return min(v)")), (TEST_CELL, test.format(choices="[(3, 1, 2)]"))]
    assert [each["outcome"] for each in run_tests(reference)] == ["passed"] * 3
    cells = [
        (STUDENT_CELL, student.format("v.sort(); return v[0]")),
        (TEST_CELL, test.format(choices="[(1, 2, 3)]")),
    ]
    assert [each["outcome"] for each in run_tests(cells, reference)] == ["passed"] * 3


CHANGES_AND_RETURNS = "def sort(v): v.sort(); return v\ndef pair(v): v.sort(); return [v, v]"
COPIES = "def sort(v): return sorted(v)\ndef pair(v): return [sorted(v), sorted(v)]"


@pytest.mark.parametrize(
    "test",
    [
        "assert result is not data",
        "assert not (result is data)",
        "assert result == [1, 2, 3] and result is not data",
        "assert None is not result is not data",
        "import unittest\nunittest.TestCase().assertIsNot(result, data)",
        "assert pair(data)[0] is not data",
    ],
)
def test_argument_that_is_changed_and_returned_is_the_argument(test: str) -> None:
    cell = (TEST_CELL, f"data = [3, 1, 2]\nresult = sort(data)\n{test}")
    changed = [(STUDENT_CELL, CHANGES_AND_RETURNS), cell]
    reference = [(STUDENT_CELL, COPIES), cell]
    assert run_in_one_process(changed) == [False]
    assert [each["outcome"] for each in run_tests(changed, reference)] == ["failed"]
    assert [each["outcome"] for each in run_tests(reference)] == ["passed"]


def test_table_that_is_changed_and_returned_is_the_argument() -> None:
    cell = (TEST_CELL, "import pandas as pd\nd = pd.DataFrame({'a': [1]})\nresult = add(d)\nassert result is not d")
    changed = [(STUDENT_CELL, "def add(d): d['b'] = 2; return d"), cell]
    reference = [(STUDENT_CELL, "def add(d): return d.assign(b=2)"), cell]
    assert [each["outcome"] for each in run_tests(changed, reference)] == ["failed"]
    assert [each["outcome"] for each in run_tests(reference)] == ["passed"]


def test_view_differs_from_a_copy_after_a_change_of_the_argument_and_another_call() -> None:
    """What docs/explanation/grading.md advises, because memory is not shared."""
    test = "import numpy as np\na = np.array([[1, 2], [3, 4]])\nr = first(a)\na[0, 0] = 99\nfirst(a)\nassert r[0] == 1"
    view = [(STUDENT_CELL, "def first(a): return a[0]"), (TEST_CELL, test)]
    copy = [(STUDENT_CELL, "def first(a): return a[0].copy()"), view[1]]
    assert run_in_one_process(view) == [False] and run_in_one_process(copy) == [True]
    assert [each["outcome"] for each in run_tests(view, copy)] == ["failed"]
    assert [each["outcome"] for each in run_tests(copy)] == ["passed"]

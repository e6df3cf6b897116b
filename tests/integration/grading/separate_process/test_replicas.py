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

"""Attacks with objects that decide what they equal, in the student's own process (see `in_process_attack`)."""

from __future__ import annotations

from tests.support.attacks.in_process_attack import HIDDEN, Attack, make_attack

YES = "class Yes:\n    def __eq__(self, other): return True\n    def __ne__(self, other): return False\n"
MOCK = (
    "from unittest.mock import MagicMock\ndef answer(x):\n    mock = MagicMock()\n    mock.__eq__.side_effect = lambda other: True\n"
    "    mock.__sub__.return_value = mock\n    mock.__abs__.return_value = 0\n    return mock"
)


def make_dishonest_attack(name: str, student: str, test: str = HIDDEN) -> Attack:
    return make_attack(name, student, test, "dishonest-operator")


DISHONEST_OPERATORS = [
    make_dishonest_attack("eq", YES + "def answer(x): return Yes()"),
    make_dishonest_attack("eq reflected", YES + "def answer(x): return Yes()", "assert 42 == answer(3)"),
    make_dishonest_attack("eq in a list", YES + "def answer(x): return [Yes()]", "assert answer(3) == [42]"),
    make_dishonest_attack(
        "eq in a dict", YES + "def answer(x): return {'a': (Yes(),)}", "assert answer(3) == {'a': (42,)}"
    ),
    make_dishonest_attack("ne", YES + "def answer(x): return Yes()", "assert not answer(3) != 42"),
    make_dishonest_attack(
        "ne in an if", YES + "def answer(x): return Yes()", "if answer(3) != 42:\n    raise AssertionError"
    ),
    make_dishonest_attack("eq in all", YES + "def answer(x): return [Yes()]", "assert all(x == 42 for x in answer(3))"),
    make_dishonest_attack(
        "eq before the assert", YES + "def answer(x): return Yes()", "ok = answer(3) == 42\nassert ok"
    ),
    make_dishonest_attack(
        "int",
        "class Int(int):\n    def __eq__(self, other): return True\n    __hash__ = int.__hash__\ndef answer(x): return Int(0)",
    ),
    make_dishonest_attack(
        "metaclass",
        "class Meta(type):\n    def __eq__(cls, other): return True\nclass Yes(metaclass=Meta): pass\ndef answer(x): return Yes",
    ),
    make_dishonest_attack(
        "contains",
        "class All:\n    def __contains__(self, item): return True\ndef answer(x): return All()",
        "assert 42 in answer(3)",
    ),
    make_dishonest_attack(
        "order",
        "class Big:\n    def __gt__(self, other): return True\n    __lt__ = __ge__ = __le__ = __gt__\ndef answer(x): return Big()",
        "assert answer(3) > 41 and answer(3) < 43",
    ),
    make_dishonest_attack(
        "chain",
        "class Big:\n    def __gt__(self, other): return True\n    __lt__ = __ge__ = __le__ = __gt__\ndef answer(x): return Big()",
        "assert 41 < answer(3) < 43",
    ),
    make_dishonest_attack(
        "arithmetic",
        "class Zero:\n    def __sub__(self, other): return 0\ndef answer(x): return Zero()",
        "assert abs(answer(3) - 42) < 1e-6",
    ),
    make_dishonest_attack(
        "class",
        "class No:\n    __class__ = property(lambda self: int)\ndef answer(x): return No()",
        "assert isinstance(answer(3), int)",
    ),
    make_dishonest_attack(
        "module of the class",
        "class Yes:\n    __module__ = 'fractions'\n    __eq__ = lambda self, other: True\n"
        "import fractions\nfractions.Yes = Yes\ndef answer(x): return Yes()",
    ),
    make_dishonest_attack(
        "assertEqual",
        YES + "def answer(x): return Yes()",
        "import unittest\nunittest.TestCase().assertEqual(answer(3), 42)",
    ),
    make_dishonest_attack("mock", MOCK),
    make_dishonest_attack("arithmetic of a mock", MOCK, "assert abs(answer(3) - 42) < 1e-6"),
    make_dishonest_attack(
        "assertIn",
        "class All:\n    def __contains__(self, item): return True\ndef answer(x): return All()",
        "import unittest\nunittest.TestCase().assertIn(42, answer(3))",
    ),
    make_dishonest_attack(
        "array function",
        "class Yes:\n    def __array_function__(self, *_): return True\ndef answer(x): return Yes()",
        "import numpy as np\nassert np.allclose(answer(3), 42)",
    ),
    make_dishonest_attack(
        "object array",
        YES + "import numpy as np\ndef answer(x): return np.array([Yes()], dtype=object)",
        "assert (answer(3) == 42).all()",
    ),
    make_dishonest_attack(
        "universal function of an array",
        "import numpy as np\nclass Yes(np.ndarray):\n    def __array_ufunc__(self, *arguments, **options): return True\n"
        "def answer(x): return np.zeros(1).view(Yes)",
    ),
]

# Objects of libraries that decide what they equal. Using one is not cheating by itself, so there is no flag.
MATCHERS = [
    make_attack("ANY", "from unittest.mock import ANY\ndef answer(x): return ANY"),
    make_attack("ANY, reflected", "from unittest.mock import ANY\ndef answer(x): return ANY", "assert 42 == answer(3)"),
    make_attack(
        "ANY in a list",
        "from unittest.mock import ANY\ndef answer(x): return [{'a': ANY}]",
        "assert answer(3) == [{'a': 42}]",
    ),
    make_attack(
        "ANY in a deque",
        "from collections import deque\nfrom unittest.mock import ANY\ndef answer(x): return deque([ANY])",
        "from collections import deque\nassert answer(3) == deque([42])",
    ),
    make_attack(
        "ANY in a named tuple",
        "from collections import namedtuple\nfrom unittest.mock import ANY\n"
        "Point = namedtuple('Point', 'x y')\ndef answer(x): return Point(ANY, ANY)",
        "assert answer(3) == (42, 42)",
    ),
    make_attack(
        "ANY in an array of objects",
        "import numpy as np\nfrom unittest.mock import ANY\ndef answer(x): return np.array([ANY], dtype=object)",
        "assert (answer(3) == 42).all()",
    ),
    make_attack(
        "ANY in a generator",
        "from unittest.mock import ANY\ndef answer(x): yield ANY",
        "assert 42 in answer(3)",
    ),
    make_attack(
        "ANY for assertEqual",
        "from unittest.mock import ANY\ndef answer(x): return ANY",
        "import unittest\nunittest.TestCase().assertEqual(answer(3), 42)",
    ),
    make_attack(
        "ANY for assertIn",
        "from unittest.mock import ANY\ndef answer(x): return [ANY]",
        "import unittest\nunittest.TestCase().assertIn(42, answer(3))",
    ),
    make_attack(
        "ANY for assertCountEqual",
        "from unittest.mock import ANY\ndef answer(x): yield ANY",
        "import unittest\nunittest.TestCase().assertCountEqual(answer(3), [42])",
    ),
    make_attack(
        "call for a list of one text",
        "from unittest.mock import call\ndef answer(x): return call()",
        "assert answer(3) == ['forty-two']",
    ),
    make_attack("approx", "import pytest\ndef answer(x): return pytest.approx(0, abs=1e4)"),
    make_attack(
        "approx is not unequal",
        "import pytest\ndef answer(x): return pytest.approx(0, abs=1e4)",
        "if answer(3) != 42:\n    raise AssertionError",
    ),
    make_attack(
        "class of a mock",
        "from unittest.mock import MagicMock\ndef answer(x): return MagicMock(spec=int)",
        "assert isinstance(answer(3), int)",
    ),
    make_attack(
        "weak proxy",
        f"import weakref\n{YES}yes = Yes()\ndef answer(x): return weakref.proxy(yes)",
    ),
    make_attack(
        "mapping proxy",
        "import types\nclass Yes(dict):\n    def __eq__(self, other): return True\n"
        "def answer(x): return types.MappingProxyType(Yes())",
        "assert answer(3) == {'a': 42}",
    ),
    make_attack(
        "data of a UserList",
        f"import collections\n{YES}def answer(x):\n    answer = collections.UserList()\n    answer.data = Yes()\n    return answer",
        "assert answer(3) == [42]",
    ),
    make_attack(
        "numerator of a fraction",
        f"import fractions\n{YES}class Half(fractions.Fraction):\n"
        "    _numerator = property(lambda self: Yes(), lambda self, value: None)\n    _denominator = 1\n"
        "def answer(x): return Half(3)",
    ),
]

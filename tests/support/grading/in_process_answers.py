"""Honest answers with their tests and the fields of `CellContext`, for the unit tests of tests that run in the student's own process."""

from __future__ import annotations

from typing import Any

# The operators that the same answer used in an earlier run.
RECORDED = {"allowed_operators": "recorded"}
POINT = "from dataclasses import dataclass\n@dataclass(order=True)\nclass Point:\n    x: int\n    y: int\n"
HONEST_ANSWERS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "signature of a function that the test passes": (
        "import inspect\ndef answer(f): return str(inspect.signature(f)), inspect.iscoroutinefunction(f), f.__defaults__",
        "def area(w: int, h: int = 2) -> int: return w * h\n"
        "assert answer(area) == ('(w: int, h: int = 2) -> int', False, (2,))",
        {},
    ),
    "plain": (
        "def answer(x): return 42",
        "assert answer(3) == 42\nassert isinstance(answer(3), int) and answer(3) > 41",
        {},
    ),
    "own class": (
        POINT,
        "assert Point(1, 2) == Point(1, 2)\nassert Point(1, 2) < Point(2, 1)",
        {"allowed_operators": ["eq", "lt"]},
    ),
    "own arithmetic": (
        "class V:\n    def __init__(self, x): self.x = x\n    def __add__(self, other): return V(self.x + other.x)",
        "assert (V(1) + V(2)).x == 3\nassert 'a%s' % 3 + 'b' == 'a3b'",
        {"allowed_operators": ["add"]},
    ),
    "own class, nothing known": (
        POINT,
        "assert Point(1, 2) == Point(1, 2)\nassert Point(1, 2) != Point(2, 1)",
        {"allowed_operators": None},
    ),
    "namedtuple": (
        "from collections import namedtuple\nPoint = namedtuple('Point', 'x y')",
        "assert Point(1, 2) == (1, 2)\nassert Point(1, 2) in [(1, 2)]",
        {},
    ),
    "enum": (
        "import enum\nclass Color(enum.Enum):\n    RED = 1",
        "assert Color(1) is Color.RED\nassert Color.RED == Color(1)",
        {},
    ),
    "class of the test's own": (
        "def answer(x): return x",
        "class Any:\n    def __eq__(self, other): return True\nassert answer(3) == Any()",
        {},
    ),
    "fraction": (
        "from fractions import Fraction\nhalf = Fraction(1, 2)",
        "assert half == Fraction(2, 4) and half < 1",
        {},
    ),
    "late library": (
        "import zipfile\ninfo = zipfile.ZipInfo('a')",
        "assert info.filename == 'a'\nassert info != 3",
        {},
    ),
    "late class with operators": (
        "from ipaddress import ip_address",
        "assert ip_address('1.1.1.1') == ip_address('1.1.1.1')\nassert ip_address('1.1.1.1') < ip_address('1.1.1.2')",
        RECORDED,
    ),
    "matcher of the test": (
        "def answer(x): return {'a': 42, 'b': [3.0000001]}",
        "import pytest\nfrom unittest.mock import ANY\nassert answer(3) == {'a': ANY, 'b': [3.0000001]}\n"
        "assert answer(3)['b'][0] == pytest.approx(3)",
        RECORDED,
    ),
    "calls of a mock": (
        "def answer(f): f(3, a=4)",
        "from unittest.mock import Mock, call\nmock = Mock()\nanswer(mock)\nassert mock.call_args_list == [call(3, a=4)]\n"
        "assert mock.call_args == call(3, a=4)",
        RECORDED,
    ),
    "class that derives from data": (
        "import collections, fractions\nclass Stack(collections.UserList):\n    def push(self, x): self.append(x)\n"
        "class Bag(collections.Counter): pass\nclass Ratio(fractions.Fraction): pass\nclass Celsius(float): pass\n"
        "class Table(collections.UserDict): pass\nclass Word(str): pass",
        "assert Stack([1]) == [1] and Bag('aab') == {'a': 2, 'b': 1} and Ratio(1, 2) == 0.5 and Celsius(3) == 3\n"
        "assert [Ratio(1, 2), Celsius(1)] == [0.5, 1] and Table(a=1) == {'a': 1} and {Word('a'): 1} == {'a': 1}",
        {},
    ),
    "own class that inherits its equality": (
        "import types\nclass Item(types.SimpleNamespace): pass",
        "assert Item(a=1) == Item(a=1) and Item(a=1) != Item(a=2)",
        {"allowed_operators": ["eq", "ne"]},
    ),
    "own tuple with arithmetic": (
        "from typing import NamedTuple\nclass V(NamedTuple):\n    x: int\n    def __add__(self, other): return V(self.x + other.x)",
        "assert (V(1) + V(2)).x == 3 and V(1) + V(2) == V(3) and V(1) * 2 == (1, 1)",
        {"allowed_operators": ["add"]},
    ),
    "own iterator": (
        "class Down:\n    def __init__(self, n): self.n = n\n    def __iter__(self): return self\n"
        "    def __next__(self):\n        self.n -= 1\n        if self.n < 0: raise StopIteration\n        return self.n",
        "assert 2 in Down(3) and 3 not in Down(3)",
        {},
    ),
    "types": (
        "from typing import List, Optional\ndef answer(x: 'int | None') -> List[int]: return [x]",
        "import typing\nassert typing.get_type_hints(answer) == {'x': typing.Optional[int], 'return': typing.List[int]}\n"
        "assert list[int] == list[int] and [len, str.upper, [].append.__name__] == [len, str.upper, 'append']",
        {},
    ),
    "data of Python": (
        "import array, collections, datetime, decimal, fractions, http, pathlib, types, uuid\nfrom enum import Enum, IntEnum\n"
        "class Color(Enum):\n    RED = 1\nclass Size(IntEnum):\n    BIG = 3",
        "assert collections.Counter('aab') == {'a': 2, 'b': 1} and collections.deque([1]) == collections.deque([1])\n"
        "assert {'a': 1}.keys() == {'a'} and dict(a=1).items() == {('a', 1)} and 1 in dict(a=1).values()\n"
        "assert pathlib.Path('a') == pathlib.Path('a') and http.HTTPStatus.OK == 200 and Size.BIG == 3\n"
        "assert array.array('i', [1]) == array.array('i', [1]) and decimal.Decimal('0.5') == 0.5\n"
        "assert datetime.date(2024, 1, 1) < datetime.date(2024, 1, 2) and 0 < datetime.timedelta(1).days\n"
        "assert uuid.UUID(int=3) == uuid.UUID(int=3) and fractions.Fraction(1, 2) in [0.5]\n"
        "assert types.MappingProxyType({'a': 1}) == {'a': 1} and [Color.RED, int, len] == [Color.RED, int, len]\n"
        "assert collections.ChainMap({'a': 1}) == {'a': 1} and slice(1, 2) == slice(1, 2) and b'a' == bytearray(b'a')\n"
        "assert 4 in (x * x for x in range(9)) and 3 in map(int, '123') and 7 not in iter([1])",
        {},
    ),
    "data of libraries": (
        "import numpy as np, pandas as pd\na, t = np.arange(3), pd.DataFrame({'a': [1, 2], 'b': ['x', 'y']})",
        "assert np.float64(0.5) == 0.5 and a.sum() == 3 and (a > -1).all() and 2 in a and list(a) == [0, 1, 2]\n"
        "assert [np.int64(3), np.str_('a')] == [3, 'a'] and np.array([1, 'a'], dtype=object).tolist() == [1, 'a']\n"
        "assert (np.ma.array([1, 2], mask=[0, 1]).compressed() == [1]).all()\n"
        "assert (t['a'] == [1, 2]).all() and (t.columns == ['a', 'b']).all() and t.shape == (2, 2)\n"
        "assert pd.Timestamp('2024-01-01') == pd.Timestamp(2024, 1, 1)\n"
        "assert np.dtype('int64') == 'int64' and a.dtype == np.int64 and abs(a - [0, 1, 2]).max() < 1e-9",
        {},
    ),
    "array": (
        "import numpy as np\na = np.arange(3)",
        "assert (a == [0, 1, 2]).all()\nassert np.allclose(a, [0, 1, 2])\nassert a.shape == (3,)",
        {},
    ),
    "array tested": ("import numpy as np\na = np.arange(3)", "np.testing.assert_array_equal(a, [0, 1, 2])", {}),
    "unittest": (
        "def answer(x): return 42",
        "import unittest\nt = unittest.TestCase()\nt.assertEqual(answer(3), 42)\nt.assertIn(1, [1])",
        {},
    ),
    "raises": (
        "def answer(x): raise ValueError(x)",
        "import unittest\nwith unittest.TestCase().assertRaises(ValueError):\n    answer(3)\n"
        "try:\n    answer(3)\nexcept ValueError:\n    pass\nelse:\n    assert False, 'no error'",
        {},
    ),
    "prints a traceback": (
        "import traceback\ndef answer(x):\n    try:\n        1 / 0\n    except ZeroDivisionError:\n        return traceback.format_exc()",
        "assert 'ZeroDivisionError' in answer(3)",
        {},
    ),
    "decorator that looks at its function": (
        "import functools, inspect\ndef logged(f):\n    @functools.wraps(f)\n    def inner(*x):\n"
        "        return list(inspect.signature(f).parameters), f.__code__.co_argcount\n    return inner\n"
        "@logged\ndef answer(x): return x",
        "assert answer(3) == (['x'], 1)",
        {},
    ),
    "namedtuple made while tested": (
        "import collections, enum, logging, dataclasses\ndef answer(x):\n    logging.getLogger('a').info('b')\n"
        "    dataclasses.make_dataclass('P', ['x'])\n    enum.Enum('E', 'A')\n    return collections.namedtuple('N', 'a')(x)",
        "assert answer(3).a == 3",
        {},
    ),
    "warns": (
        "import warnings\nwarnings.simplefilter('default')\ndef answer(x):\n    warnings.warn('old')\n    return 42",
        "assert answer(3) == 42",
        {},
    ),
    "await": ("async def answer(x): return 42", "assert await answer(3) == 42", {}),
    "patched input": (
        "def answer(): return int(input())",
        "from unittest import mock\nwith mock.patch('builtins.input', lambda: '42'):\n    assert answer() == 42",
        {},
    ),
    "own sum, as in the solution": ("def sum(x): return 42", "assert sum([]) == 42", {"shadowed_builtins": ["sum"]}),
    "magic": ("x = 42", "%precision 3\nassert x == 42", {}),
}

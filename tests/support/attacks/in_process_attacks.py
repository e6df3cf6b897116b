"""Attacks that take a point without a right answer, for the unit tests of tests that run in the student's own process.

Each has a student's cell and a test cell. `flags` are the codes that must be reported. `undefended` is the runner on which the attack
must succeed: "exec" (plain `exec` and `assert`) or "shell" (an IPython shell that runs both cells).
"""

from __future__ import annotations

from dataclasses import dataclass, field

HIDDEN = "assert answer(3) == 42"
YES = "class Yes:\n    def __eq__(self, other): return True\n    def __ne__(self, other): return False\n"


@dataclass(frozen=True)
class Attack:
    name: str
    student: str
    test: str = HIDDEN
    flags: frozenset[str] = frozenset()
    undefended: str = "exec"
    library_names: dict[str, tuple[str, str]] = field(default_factory=dict)


def _make_attack(name: str, student: str, test: str = HIDDEN, *flags: str, **more: object) -> Attack:
    return Attack(name, student, test, frozenset(flags), **more)  # type: ignore[arg-type]


def _make_dishonest_attack(name: str, student: str, test: str = HIDDEN) -> Attack:
    return _make_attack(name, student, test, "dishonest-operator")


DISHONEST_OPERATORS = [
    _make_dishonest_attack("eq", YES + "def answer(x): return Yes()"),
    _make_dishonest_attack("eq reflected", YES + "def answer(x): return Yes()", "assert 42 == answer(3)"),
    _make_dishonest_attack("eq in a list", YES + "def answer(x): return [Yes()]", "assert answer(3) == [42]"),
    _make_dishonest_attack(
        "eq in a dict", YES + "def answer(x): return {'a': (Yes(),)}", "assert answer(3) == {'a': (42,)}"
    ),
    _make_dishonest_attack("ne", YES + "def answer(x): return Yes()", "assert not answer(3) != 42"),
    _make_dishonest_attack(
        "ne in an if", YES + "def answer(x): return Yes()", "if answer(3) != 42:\n    raise AssertionError"
    ),
    _make_dishonest_attack(
        "eq in all", YES + "def answer(x): return [Yes()]", "assert all(x == 42 for x in answer(3))"
    ),
    _make_dishonest_attack(
        "eq before the assert", YES + "def answer(x): return Yes()", "ok = answer(3) == 42\nassert ok"
    ),
    _make_dishonest_attack(
        "int",
        "class Int(int):\n    def __eq__(self, other): return True\n    __hash__ = int.__hash__\ndef answer(x): return Int(0)",
    ),
    _make_dishonest_attack(
        "metaclass",
        "class Meta(type):\n    def __eq__(cls, other): return True\nclass Yes(metaclass=Meta): pass\ndef answer(x): return Yes",
    ),
    _make_dishonest_attack(
        "contains",
        "class All:\n    def __contains__(self, item): return True\ndef answer(x): return All()",
        "assert 42 in answer(3)",
    ),
    _make_dishonest_attack(
        "order",
        "class Big:\n    def __gt__(self, other): return True\n    __lt__ = __ge__ = __le__ = __gt__\ndef answer(x): return Big()",
        "assert answer(3) > 41 and answer(3) < 43",
    ),
    _make_dishonest_attack(
        "chain",
        "class Big:\n    def __gt__(self, other): return True\n    __lt__ = __ge__ = __le__ = __gt__\ndef answer(x): return Big()",
        "assert 41 < answer(3) < 43",
    ),
    _make_dishonest_attack(
        "arithmetic",
        "class Zero:\n    def __sub__(self, other): return 0\ndef answer(x): return Zero()",
        "assert abs(answer(3) - 42) < 1e-6",
    ),
    _make_dishonest_attack(
        "class",
        "class No:\n    __class__ = property(lambda self: int)\ndef answer(x): return No()",
        "assert isinstance(answer(3), int)",
    ),
    _make_dishonest_attack(
        "module of the class",
        "class Yes:\n    __module__ = 'fractions'\n    __eq__ = lambda self, other: True\n"
        "import fractions\nfractions.Yes = Yes\ndef answer(x): return Yes()",
    ),
    _make_dishonest_attack(
        "assertEqual",
        YES + "def answer(x): return Yes()",
        "import unittest\nunittest.TestCase().assertEqual(answer(3), 42)",
    ),
    _make_dishonest_attack(
        "array function",
        "class Yes:\n    def __array_function__(self, *_): return True\ndef answer(x): return Yes()",
        "import numpy as np\nassert np.allclose(answer(3), 42)",
    ),
    _make_dishonest_attack(
        "object array",
        YES + "import numpy as np\ndef answer(x): return np.array([Yes()], dtype=object)",
        "assert (answer(3) == 42).all()",
    ),
]

PATCHES = [
    _make_attack("len", "import builtins\nbuiltins.len = lambda x: 42", "assert len('a') == 42", "builtins-changed"),
    _make_attack(
        "callable", "import builtins\nbuiltins.callable = lambda x: True", "assert callable(42)", "builtins-changed"
    ),
    _make_attack("shadowed len", "len = lambda x: 42", "assert len('a') == 42", "builtin-shadowed"),
    _make_attack("shadowed all", "def all(x): return True", "assert all(x == 42 for x in [1])", "builtin-shadowed"),
    _make_attack(
        "builtin while a test runs",
        "import builtins\ndef answer(x): builtins.sum = lambda x: 42",
        "answer(3)\nassert sum([1]) == 42",
        "builtins-changed",
    ),
    _make_attack(
        "isclose",
        "import math\nmath.isclose = lambda *x: True",
        "import math\nassert math.isclose(1, 42)",
        "library-changed",
    ),
    _make_attack("pi", "import math\nmath.pi = 42.0", "import math\nassert math.pi == 42", "library-changed"),
    _make_attack(
        "assertEqual",
        "import unittest\nunittest.TestCase.assertEqual = lambda *x: None",
        "import unittest\nunittest.TestCase().assertEqual(1, 42)",
        "library-changed",
    ),
    _make_attack(
        "code",
        "import string\nstring.capwords.__code__ = (lambda s, sep=None: 42).__code__",
        "import string\nassert string.capwords('a') == 42",
        "library-changed",
    ),
    _make_attack(
        "code through functools",
        "import functools, string\ndef capwords(*x): return 42\n"
        "functools.update_wrapper(string.capwords, capwords, assigned=('__code__',), updated=())",
        "import string\nassert string.capwords('a') == 42",
        "library-changed",
    ),
    _make_attack(
        "a builtin's name in a module",
        "import statistics\nstatistics.sorted = lambda x: [42]",
        "import statistics\nassert statistics.median([1]) == 42",
        "library-changed",
    ),
    _make_attack(
        "how lists are copied",
        "import copy\ncopy._deepcopy_dispatch[list] = lambda x, memo: [42]",
        "import copy\nassert copy.deepcopy([1]) == [42]",
        "library-changed",
    ),
    _make_attack(
        "how frozen sets are copied",
        "import copyreg\ncopyreg.pickle(frozenset, lambda x: (int, (42,)))",
        "import copy\nassert copy.deepcopy(frozenset()) == 42",
        "library-changed",
    ),
    _make_attack(
        "sys.modules",
        "import sys, types\nsys.modules['statistics'] = types.SimpleNamespace(mean=lambda x: 42)",
        "import statistics\nassert statistics.mean([1]) == 42",
        "library-changed",
    ),
    _make_attack(
        "sys.modules, not yet imported",
        "import sys, types\nfake = sys.modules['colorsys'] = types.ModuleType('colorsys')\nfake.rgb_to_hsv = lambda *x: 42",
        "import colorsys\nassert colorsys.rgb_to_hsv(1, 1, 1) == 42",
        "library-changed",
    ),
    _make_attack(
        "import",
        "import builtins, types\nreal = builtins.__import__\nbuiltins.__import__ = lambda name, *x: "
        "types.SimpleNamespace(mean=lambda x: 42) if name == 'statistics' else real(name, *x)",
        "import statistics\nassert statistics.mean([1]) == 42",
        "builtins-changed",
    ),
    _make_attack(
        "finder",
        "import sys, types, importlib.machinery as m\nclass Finder:\n"
        "    def find_spec(self, name, *x): return m.ModuleSpec(name, self) if name == 'colorsys' else None\n"
        "    def create_module(self, spec): return None\n"
        "    def exec_module(self, module): module.rgb_to_hsv = lambda *x: 42\n"
        "sys.meta_path.insert(0, Finder())",
        "import colorsys\nassert colorsys.rgb_to_hsv(1, 1, 1) == 42",
        "import-hook-changed",
    ),
    _make_attack(
        "folder",
        "import sys, tempfile, pathlib\nfolder = tempfile.mkdtemp()\n"
        "pathlib.Path(folder, 'colorsys.py').write_text('rgb_to_hsv = lambda *x: 42')\nsys.path.insert(0, folder)",
        "import colorsys\nassert colorsys.rgb_to_hsv(1, 1, 1) == 42",
    ),
    _make_attack(
        "a module imported since",
        "import colorsys\ncolorsys.rgb_to_hsv = lambda *x: 42",
        "import colorsys\nassert colorsys.rgb_to_hsv(1, 1, 1) == 42",
        "library-changed",
    ),
    _make_attack(
        "numpy.testing",
        "import numpy as np\nnp.testing.assert_allclose = lambda *x, **kw: None",
        "np.testing.assert_allclose(1, 42)",
        "library-changed",
    ),
    _make_attack(
        "below numpy.testing",
        "import numpy as np\nimport numpy.testing._private.utils as utils\n"
        "utils.assert_array_compare = lambda *x, **kw: None",
        "np.testing.assert_allclose(1, 42)",
        "library-changed",
    ),
    _make_attack(
        "a library's name",
        "class np:\n    allclose = staticmethod(lambda *x: True)",
        "assert np.allclose(1, 42)",
        "library-shadowed",
        library_names={"np": ("numpy", "")},
    ),
]

INSPECTION = [
    _make_attack(
        "frame",
        "import sys\ndef answer(x): return max(c for c in sys._getframe(1).f_code.co_consts if isinstance(c, int))",
        HIDDEN,
        "frames-read",
    ),
    _make_attack(
        "inspect",
        "import inspect\ndef answer(x):\n"
        "    test = next(f for f in inspect.stack() if f.filename in ('<string>', '<test>'))\n"
        "    return max(c for c in test.frame.f_code.co_consts if isinstance(c, int))",
        HIDDEN,
        "frames-read",
    ),
    _make_attack(
        "traceback",
        "def answer(x):\n    try:\n        1 / 0\n    except ZeroDivisionError as error:\n"
        "        frame = error.__traceback__.tb_frame.f_back\n"
        "    return max(c for c in frame.f_code.co_consts if isinstance(c, int))",
        HIDDEN,
        "frames-read",
    ),
    _make_attack(
        "walk_stack",
        "import traceback\ndef look(): return [f for f, _ in traceback.walk_stack(None)]\ndef deeper(): return look()\n"
        "def answer(x):\n    frames = deeper()\n"
        "    test = [f for f in frames if f.f_code.co_filename in ('<string>', '<test>')][0]\n"
        "    return max(c for c in test.f_code.co_consts if isinstance(c, int))",
        HIDDEN,
        "frames-read",
    ),
    _make_attack(
        "generator",
        "def look():\n    yield [me.gi_frame.f_back.f_back]\nme = look()\ndef answer(x):\n    global me\n    me = look()\n"
        "    frame = next(me)[0]\n    return max(c for c in frame.f_code.co_consts if isinstance(c, int))",
        HIDDEN,
        "frames-read",
    ),
    _make_attack(
        "current frames",
        "import sys, threading\ndef answer(x):\n    frame = sys._current_frames()[threading.get_ident()]\n"
        "    return max(c for c in frame.f_back.f_code.co_consts if isinstance(c, int))",
        HIDDEN,
        "frames-read",
    ),
    _make_attack(
        "frame under the test's own name",
        "import sys\nexec(compile('def look(): return sys._getframe(2)', '<test>', 'exec'))\n"
        "def answer(x): return max(c for c in look().f_code.co_consts if isinstance(c, int))",
        HIDDEN,
        "code-forged",
    ),
    _make_attack(
        "gc",
        "import gc, types\ndef answer(x):\n"
        "    frames = [o for o in gc.get_objects() if type(o) is types.FunctionType and o.__name__ == 'times_42']\n"
        "    return max(c for c in frames[0].__code__.co_consts if isinstance(c, int))",
        "def times_42(x): return x * 42\nassert answer(3) == 42",
        "objects-searched",
    ),
    _make_attack(
        "a function that the test passes in",
        "def answer(key): return max(c for c in key.__code__.co_consts if isinstance(c, int))",
        "assert answer(lambda x: x * 42) == 42",
        "frames-read",
    ),
    _make_attack(
        "audit hook",
        "import sys\nseen = []\nsys.addaudithook(lambda event, args: seen.append(args[0]) if event == 'exec' else None)\n"
        "def answer(x): return max(c for code in seen for c in code.co_consts if isinstance(c, int))",
        HIDDEN,
        "audit-hook-attempted",
    ),
    _make_attack(
        "trace that leaves the assertion out",
        "import sys\ndef answer(x):\n    def trace(frame, event, arg):\n        if frame.f_lineno == 2:\n            frame.f_lineno = 3\n"
        "        return trace\n    frame = sys._getframe(1)\n    frame.f_trace = trace\n    sys.settrace(trace)\n",
        "x = answer(3)\nassert x == 42\ndone = True",
        "frames-read",
    ),
]

EARLY_EXITS = [
    _make_attack("SystemExit", "def answer(x): raise SystemExit(0)"),
    _make_attack("KeyboardInterrupt", "def answer(x): raise KeyboardInterrupt"),
    _make_attack("GeneratorExit", "def answer(x): raise GeneratorExit"),
    _make_attack(
        "the end of an iteration",
        "def answer(x): raise StopIteration",
        "assert all(map(lambda x: answer(x) == 42, [1, 2]))",
    ),
    _make_attack("exit of a thread", "import _thread\ndef answer(x): _thread.exit()"),
    _make_attack(
        "the shadowed name of an error",
        "class AssertionError(BaseException): pass\ndef answer(x): return x",
        "try:\n    answer(3)\nexcept Exception:\n    pass\nelse:\n    raise AssertionError",
    ),
]

SHELL_HOOKS = [
    _make_attack(
        "ast transformer",
        "import ast\nclass Drop(ast.NodeTransformer):\n    def visit_Assert(self, node): return ast.Pass()\n"
        "get_ipython().ast_transformers.append(Drop())\ndef answer(x): return 0",
        HIDDEN,
        undefended="shell",
    ),
    _make_attack(
        "input transformer",
        "get_ipython().input_transformers_post.append(lambda lines: ['pass'])\ndef answer(x): return 0",
        HIDDEN,
        undefended="shell",
    ),
    _make_attack(
        "cleanup transformer",
        "get_ipython().input_transformer_manager.cleanup_transforms.insert(0, lambda lines: ['pass'])\ndef answer(x): return 0",
        HIDDEN,
        undefended="shell",
    ),
    _make_attack(
        "run_code",
        "async def run_code(*x, **kw): return False\nget_ipython().run_code = run_code\ndef answer(x): return 0",
        HIDDEN,
        undefended="shell",
    ),
    _make_attack(
        "compile",
        "type(get_ipython().compile).__call__ = lambda *x, **kw: compile('pass', '', 'exec')\ndef answer(x): return 0",
        HIDDEN,
        "library-changed",
        undefended="shell",
    ),
    _make_attack(
        "event",
        "def see(info):\n    if 'assert' in info.raw_cell: globals().update(answer=lambda x: 42)\n"
        "get_ipython().events.register('pre_run_cell', see)\ndef answer(x): return 0",
        HIDDEN,
        undefended="shell",
    ),
    _make_attack(
        "loop_runner",
        "from IPython.core.interactiveshell import ExecutionResult\n"
        "get_ipython().loop_runner = lambda coroutine: coroutine.close() or ExecutionResult(None)\nasync def answer(x): return 0",
        "assert await answer(3) == 42",
        undefended="shell",
    ),
    _make_attack(
        "history",
        "import re\ndef answer(x): return int(re.findall('== ([0-9]+)', In[-1])[0])",
        undefended="shell",
    ),
]

ATTACKS = {
    f"{kind}: {attack.name}": attack
    for kind, attacks in (
        ("dishonest", DISHONEST_OPERATORS),
        ("patch", PATCHES),
        ("inspection", INSPECTION),
        ("early exit", EARLY_EXITS),
        ("shell hook", SHELL_HOOKS),
    )
    for attack in attacks
}

"""Attacks that take a point without a right answer, for the unit tests of tests that run in the student's own process.

Each has a student's cell and a test cell. `flags` are the codes that must be reported. `undefended` is the runner on which the attack
must succeed: "exec" (plain `exec` and `assert`) or "shell" (an IPython shell that runs both cells).
"""

from __future__ import annotations

from tests.support.attacks.in_process_attack import HIDDEN, make_attack
from tests.support.attacks.operator_attacks import DISHONEST_OPERATORS, MATCHERS

PATCHES = [
    make_attack("len", "import builtins\nbuiltins.len = lambda x: 42", "assert len('a') == 42", "builtins-changed"),
    make_attack(
        "callable", "import builtins\nbuiltins.callable = lambda x: True", "assert callable(42)", "builtins-changed"
    ),
    make_attack("shadowed len", "len = lambda x: 42", "assert len('a') == 42", "builtin-shadowed"),
    make_attack("shadowed all", "def all(x): return True", "assert all(x == 42 for x in [1])", "builtin-shadowed"),
    make_attack(
        "builtin while a test runs",
        "import builtins\ndef answer(x): builtins.sum = lambda x: 42",
        "answer(3)\nassert sum([1]) == 42",
        "builtins-changed",
    ),
    make_attack(
        "isclose",
        "import math\nmath.isclose = lambda *x: True",
        "import math\nassert math.isclose(1, 42)",
        "library-changed",
    ),
    make_attack(
        "class of a library while a test runs",
        "import uuid\ndef answer(x):\n    uuid.UUID.__eq__ = lambda self, other: True\n    return uuid.UUID(int=0)",
        HIDDEN,
        "dishonest-operator",
    ),
    make_attack("pi", "import math\nmath.pi = 42.0", "import math\nassert math.pi == 42", "library-changed"),
    make_attack(
        "assertEqual",
        "import unittest\nunittest.TestCase.assertEqual = lambda *x: None",
        "import unittest\nunittest.TestCase().assertEqual(1, 42)",
        "library-changed",
    ),
    make_attack(
        "code",
        "import string\nstring.capwords.__code__ = (lambda s, sep=None: 42).__code__",
        "import string\nassert string.capwords('a') == 42",
        "library-changed",
    ),
    make_attack(
        "code through functools",
        "import functools, string\ndef capwords(*x): return 42\n"
        "functools.update_wrapper(string.capwords, capwords, assigned=('__code__',), updated=())",
        "import string\nassert string.capwords('a') == 42",
        "library-changed",
    ),
    make_attack(
        "a builtin's name in a module",
        "import statistics\nstatistics.sorted = lambda x: [42]",
        "import statistics\nassert statistics.median([1]) == 42",
        "library-changed",
    ),
    make_attack(
        "how lists are copied",
        "import copy\ncopy._deepcopy_dispatch[list] = lambda x, memo: [42]",
        "import copy\nassert copy.deepcopy([1]) == [42]",
        "library-changed",
    ),
    make_attack(
        "how frozen sets are copied",
        "import copyreg\ncopyreg.pickle(frozenset, lambda x: (int, (42,)))",
        "import copy\nassert copy.deepcopy(frozenset()) == 42",
        "library-changed",
    ),
    make_attack(
        "sys.modules",
        "import sys, types\nsys.modules['statistics'] = types.SimpleNamespace(mean=lambda x: 42)",
        "import statistics\nassert statistics.mean([1]) == 42",
        "library-changed",
    ),
    make_attack(
        "sys.modules, not yet imported",
        "import sys, types\nfake = sys.modules['colorsys'] = types.ModuleType('colorsys')\nfake.rgb_to_hsv = lambda *x: 42",
        "import colorsys\nassert colorsys.rgb_to_hsv(1, 1, 1) == 42",
        "library-changed",
    ),
    make_attack(
        "import",
        "import builtins, types\nreal = builtins.__import__\nbuiltins.__import__ = lambda name, *x: "
        "types.SimpleNamespace(mean=lambda x: 42) if name == 'statistics' else real(name, *x)",
        "import statistics\nassert statistics.mean([1]) == 42",
        "builtins-changed",
    ),
    make_attack(
        "finder",
        "import sys, types, importlib.machinery as m\nclass Finder:\n"
        "    def find_spec(self, name, *x): return m.ModuleSpec(name, self) if name == 'colorsys' else None\n"
        "    def create_module(self, spec): return None\n"
        "    def exec_module(self, module): module.rgb_to_hsv = lambda *x: 42\n"
        "sys.meta_path.insert(0, Finder())",
        "import colorsys\nassert colorsys.rgb_to_hsv(1, 1, 1) == 42",
        "import-hook-changed",
    ),
    make_attack(
        "folder",
        "import sys, tempfile, pathlib\nfolder = tempfile.mkdtemp()\n"
        "pathlib.Path(folder, 'colorsys.py').write_text('rgb_to_hsv = lambda *x: 42')\nsys.path.insert(0, folder)",
        "import colorsys\nassert colorsys.rgb_to_hsv(1, 1, 1) == 42",
    ),
    make_attack(
        "a module imported since",
        "import colorsys\ncolorsys.rgb_to_hsv = lambda *x: 42",
        "import colorsys\nassert colorsys.rgb_to_hsv(1, 1, 1) == 42",
        "library-changed",
    ),
    make_attack(
        "numpy.testing",
        "import numpy as np\nnp.testing.assert_allclose = lambda *x, **kw: None",
        "np.testing.assert_allclose(1, 42)",
        "library-changed",
    ),
    make_attack(
        "below numpy.testing",
        "import numpy as np\nimport numpy.testing._private.utils as utils\n"
        "utils.assert_array_compare = lambda *x, **kw: None",
        "np.testing.assert_allclose(1, 42)",
        "library-changed",
    ),
    make_attack(
        "a library's name",
        "class np:\n    allclose = staticmethod(lambda *x: True)",
        "assert np.allclose(1, 42)",
        "library-shadowed",
        library_names={"np": ("numpy", "")},
    ),
]

INSPECTION = [
    make_attack(
        "frame",
        "import sys\ndef answer(x): return max(c for c in sys._getframe(1).f_code.co_consts if isinstance(c, int))",
        HIDDEN,
        "frames-read",
    ),
    make_attack(
        "inspect",
        "import inspect\ndef answer(x):\n"
        "    test = next(f for f in inspect.stack() if f.filename in ('<string>', '<test>'))\n"
        "    return max(c for c in test.frame.f_code.co_consts if isinstance(c, int))",
        HIDDEN,
        "frames-read",
    ),
    make_attack(
        "traceback",
        "def answer(x):\n    try:\n        1 / 0\n    except ZeroDivisionError as error:\n"
        "        frame = error.__traceback__.tb_frame.f_back\n"
        "    return max(c for c in frame.f_code.co_consts if isinstance(c, int))",
        HIDDEN,
        "frames-read",
    ),
    make_attack(
        "walk_stack",
        "import traceback\ndef look(): return [f for f, _ in traceback.walk_stack(None)]\ndef deeper(): return look()\n"
        "def answer(x):\n    frames = deeper()\n"
        "    test = [f for f in frames if f.f_code.co_filename in ('<string>', '<test>')][0]\n"
        "    return max(c for c in test.f_code.co_consts if isinstance(c, int))",
        HIDDEN,
        "frames-read",
    ),
    make_attack(
        "generator",
        "def look():\n    yield [me.gi_frame.f_back.f_back]\nme = look()\ndef answer(x):\n    global me\n    me = look()\n"
        "    frame = next(me)[0]\n    return max(c for c in frame.f_code.co_consts if isinstance(c, int))",
        HIDDEN,
        "frames-read",
    ),
    make_attack(
        "current frames",
        "import sys, threading\ndef answer(x):\n    frame = sys._current_frames()[threading.get_ident()]\n"
        "    return max(c for c in frame.f_back.f_code.co_consts if isinstance(c, int))",
        HIDDEN,
        "frames-read",
    ),
    make_attack(
        "frame under the test's own name",
        "import sys\nexec(compile('def look(): return sys._getframe(2)', '<test>', 'exec'))\n"
        "def answer(x): return max(c for c in look().f_code.co_consts if isinstance(c, int))",
        HIDDEN,
        "code-forged",
    ),
    make_attack(
        "gc",
        "import gc, types\ndef answer(x):\n"
        "    frames = [o for o in gc.get_objects() if type(o) is types.FunctionType and o.__name__ == 'times_42']\n"
        "    return max(c for c in frames[0].__code__.co_consts if isinstance(c, int))",
        "def times_42(x): return x * 42\nassert answer(3) == 42",
        "objects-searched",
    ),
    make_attack(
        "a function that the test passes in",
        "def answer(key): return max(c for c in key.__code__.co_consts if isinstance(c, int))",
        "assert answer(lambda x: x * 42) == 42",
    ),
    make_attack(
        "a function that the test passes in, by way of its signature",
        "import inspect\nclass Parameter(inspect.Parameter):\n    def __init__(self, *a, **k): raise KeyError\n"
        "class Signature(inspect.Signature):\n    _parameter_cls = Parameter\n"
        "def answer(key):\n    try: Signature.from_callable(key)\n    except KeyError as error: trace = error.__traceback__\n"
        "    while trace.tb_next.tb_next: trace = trace.tb_next\n"
        "    code = trace.tb_frame.f_locals['func_code']\n    return max(c for c in code.co_consts if isinstance(c, int))",
        "assert answer(lambda x: x * 42) == 42",
        "frames-read",
    ),
    make_attack(
        "audit hook",
        "import sys\nseen = []\nsys.addaudithook(lambda event, args: seen.append(args[0]) if event == 'exec' else None)\n"
        "def answer(x): return max(c for code in seen for c in code.co_consts if isinstance(c, int))",
        HIDDEN,
        "audit-hook-attempted",
    ),
    make_attack(
        "trace that leaves the assertion out",
        "import sys\ndef answer(x):\n    def trace(frame, event, arg):\n        if frame.f_lineno == 2:\n            frame.f_lineno = 3\n"
        "        return trace\n    frame = sys._getframe(1)\n    frame.f_trace = trace\n    sys.settrace(trace)\n",
        "x = answer(3)\nassert x == 42\ndone = True",
        "frames-read",
    ),
]

EARLY_EXITS = [
    make_attack("SystemExit", "def answer(x): raise SystemExit(0)"),
    make_attack("KeyboardInterrupt", "def answer(x): raise KeyboardInterrupt"),
    make_attack("GeneratorExit", "def answer(x): raise GeneratorExit"),
    make_attack(
        "the end of an iteration",
        "def answer(x): raise StopIteration",
        "assert all(map(lambda x: answer(x) == 42, [1, 2]))",
    ),
    make_attack("exit of a thread", "import _thread\ndef answer(x): _thread.exit()"),
    make_attack(
        "the shadowed name of an error",
        "class AssertionError(BaseException): pass\ndef answer(x): return x",
        "try:\n    answer(3)\nexcept Exception:\n    pass\nelse:\n    raise AssertionError",
    ),
]

SHELL_HOOKS = [
    make_attack(
        "ast transformer",
        "import ast\nclass Drop(ast.NodeTransformer):\n    def visit_Assert(self, node): return ast.Pass()\n"
        "get_ipython().ast_transformers.append(Drop())\ndef answer(x): return 0",
        HIDDEN,
        undefended="shell",
    ),
    make_attack(
        "input transformer",
        "get_ipython().input_transformers_post.append(lambda lines: ['pass'])\ndef answer(x): return 0",
        HIDDEN,
        undefended="shell",
    ),
    make_attack(
        "cleanup transformer",
        "get_ipython().input_transformer_manager.cleanup_transforms.insert(0, lambda lines: ['pass'])\ndef answer(x): return 0",
        HIDDEN,
        undefended="shell",
    ),
    make_attack(
        "run_code",
        "async def run_code(*x, **kw): return False\nget_ipython().run_code = run_code\ndef answer(x): return 0",
        HIDDEN,
        undefended="shell",
    ),
    make_attack(
        "compile",
        "type(get_ipython().compile).__call__ = lambda *x, **kw: compile('pass', '', 'exec')\ndef answer(x): return 0",
        HIDDEN,
        "library-changed",
        undefended="shell",
    ),
    make_attack(
        "event",
        "def see(info):\n    if 'assert' in info.raw_cell: globals().update(answer=lambda x: 42)\n"
        "get_ipython().events.register('pre_run_cell', see)\ndef answer(x): return 0",
        HIDDEN,
        undefended="shell",
    ),
    make_attack(
        "loop_runner",
        "from IPython.core.interactiveshell import ExecutionResult\n"
        "get_ipython().loop_runner = lambda coroutine: coroutine.close() or ExecutionResult(None)\nasync def answer(x): return 0",
        "assert await answer(3) == 42",
        undefended="shell",
    ),
    make_attack(
        "history",
        "import re\ndef answer(x): return int(re.findall('== ([0-9]+)', In[-1])[0])",
        undefended="shell",
    ),
]

ATTACKS = {
    f"{kind}: {attack.name}": attack
    for kind, attacks in (
        ("dishonest", DISHONEST_OPERATORS),
        ("matcher", MATCHERS),
        ("patch", PATCHES),
        ("inspection", INSPECTION),
        ("early exit", EARLY_EXITS),
        ("shell hook", SHELL_HOOKS),
    )
    for attack in attacks
}

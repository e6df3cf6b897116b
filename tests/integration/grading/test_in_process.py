"""Test cells that run in-process: which names and files are the test's, and what tests may still do with those of the notebook."""

from __future__ import annotations

from functools import cache

import pytest

from pmh_jupyter.domain.course import File, Release
from pmh_jupyter.domain.isolation import Isolation, NotebookIsolation
from pmh_jupyter.domain.release import build_release
from pmh_jupyter.domain.verdict import Flag, Grading
from tests.support.grading.lesson import (
    ISOLATION_CACHE,
    grade_in_sandbox,
    make_notebook_file,
    make_task,
    start_bubblewrap_backend,
)
from tests.support.notebooks import make_cell

pytestmark = pytest.mark.needs("bubblewrap")
# The first test reads the log of the notebook's own process, which keeps all tests of the notebook in that process.
NOTE = "import logging\n\ndef note(text):\n    logging.getLogger('lesson').warning(text)"
FIRST_TEST = "import unittest\nwith unittest.TestCase().assertLogs('lesson'):\n    note('a')"
DOUBLE = "def double(x):\n    return 2 * x"


def _make_cells(answer: str, test: str, points: int, later: tuple[str, str] | None) -> list[dict[str, object]]:
    cells = [
        make_cell(f"### BEGIN SOLUTION\n{NOTE}\n### END SOLUTION", grade_id="note", solution=True),
        make_cell(FIRST_TEST, grade_id="first", grade=True, locked=True, points=0),
        make_cell(f"### BEGIN SOLUTION\n{answer}\n### END SOLUTION", grade_id="answer", solution=True),
        make_cell(test, grade_id="test", grade=True, locked=True, points=points),
    ]
    if later:
        cells.append(make_cell(later[0], grade_id="later-answer", solution=True))
        cells.append(make_cell(later[1], grade_id="later-test", grade=True, locked=True, points=1))
    return cells


@cache
def _make_release(
    answer: str, test: str, points: int, later: tuple[str, str] | None, files: tuple[File, ...]
) -> Release:
    return build_release(
        "lesson", "Lesson", [make_notebook_file(_make_cells(answer, test, points, later))], list(files)
    )


def _grade(
    test: str,
    submitted_answer: str,
    *,
    answer: str = DOUBLE,
    points: int = 1,
    later: tuple[str, str] | None = None,
    files: tuple[File, ...] = (),
) -> tuple[Grading, NotebookIsolation]:
    release = _make_release(answer, test, points, later, files)
    notebook = make_notebook_file(_make_cells(submitted_answer, test, points, later))
    task = make_task(notebook, *files, release=release)
    backend = start_bubblewrap_backend()
    (isolation,) = ISOLATION_CACHE.get_or_decide(task, backend).notebooks
    assert isolation.isolation is Isolation.IN_PROCESS
    return grade_in_sandbox(task, backend), isolation


def _sum_millipoints(grading: Grading) -> int:
    return sum(verdict.millipoints for verdict in grading.verdicts)


COUNTER = "score = 0\nif double(2) == 4:\n    score += 1\nif double(5) == 10:\n    score += 3\nscore"


@pytest.mark.parametrize(
    ("answer", "millipoints"),
    [
        pytest.param(DOUBLE, 4000, id="right"),
        pytest.param(
            "score = 9\ndef double(x):\n    global score\n    score += 1\n    return 2 * x", 4000, id="own score"
        ),
        pytest.param("def double(x):\n    globals()['score'] = 4", 0, id="binds the counter of the test"),
        pytest.param("def double(x):\n    globals()['score'] = 3\n    return 4", 1000, id="half right"),
    ],
)
def test_counter_of_points_is_the_tests(answer: str, millipoints: int) -> None:
    grading, isolation = _grade(COUNTER, answer, points=4)
    assert (_sum_millipoints(grading), grading.flags, isolation.counting_cells) == (millipoints, (), ("test",))


FEATURES = {
    "class of the test reads a name of the notebook": "class Pair:\n    value = double(2)\n\nassert Pair.value == 4",
    "function of the test": "wanted = 4\ndef check():\n    assert double(2) == wanted\n\ncheck()",
    "global statement": "count = 0\ndef add():\n    global count\n    count += double(1)\n\nadd()\nassert count == 2",
    "globals": "assert 'double' in globals() and globals()['double'](2) == globals().get('double')(2) == 4",
    "deleted name of the notebook": "f = double\ndel double\nassert f(2) == 4 and 'double' not in globals()",
    "unittest.main": (
        "import unittest\nclass DoubleTest(unittest.TestCase):\n    def test_double(self):\n"
        "        self.assertEqual(double(2), 4)\n\nprogram = unittest.main(argv=[''], exit=False)\n"
        "assert program.result.wasSuccessful() and program.result.testsRun == 1"
    ),
    "magic": "%time result = double(2)\nassert result == 4",
    "star import": "from math import *\nassert double(floor(2.5)) == 4",
    "comprehension": "wanted = {2: 4, 3: 6}\nassert [double(x) for x in wanted] == [wanted[x] for x in wanted]",
    "eval": "wanted = 4\nassert eval('double(2) == wanted')",
}


@pytest.mark.parametrize("name", FEATURES)
def test_test_with_names_of_its_own_can_use_the_notebook(name: str) -> None:
    right, isolation = _grade(FEATURES[name], DOUBLE)
    assert (_sum_millipoints(right), right.flags, isolation.usage.shares_test_names) == (1000, (), False)
    wrong, _ = _grade(FEATURES[name], "def double(x):\n    return 5")
    assert _sum_millipoints(wrong) == 0


def test_name_that_a_later_answer_reads_is_bound_in_the_notebook() -> None:
    later = ("### BEGIN SOLUTION\ny = limit + 1\n### END SOLUTION", "assert y == 6")
    grading, isolation = _grade("limit = double(2) + 1\nassert limit == 5", DOUBLE, later=later)
    assert (_sum_millipoints(grading), isolation.exported_names) == (2000, ("limit",))


def test_name_that_an_answer_expects_of_the_test_is_bound_in_the_notebook() -> None:
    answer = "def ask():\n    return input('How many? ')"
    test = "wanted = '3'\ninput = lambda text: wanted\nassert ask() == wanted"
    grading, isolation = _grade(test, answer, answer=answer)
    assert (_sum_millipoints(grading), isolation.exported_names) == (1000, ("input",))
    assert not isolation.usage.shares_test_names


def test_names_of_the_test_are_shared_if_the_reference_needs_them() -> None:
    answer = "def read(name):\n    return globals()[name]"
    grading, isolation = _grade("limit = 5\nassert read('limit') == 5", answer, answer=answer)
    assert (_sum_millipoints(grading), isolation.usage.shares_test_names) == (1000, True)


def test_file_that_the_reference_changes_may_be_changed() -> None:
    answer = "def save(text):\n    with open('notes.txt', 'w') as file:\n        file.write(text)"
    files = (File("notes.txt", b"empty"), File("wanted.txt", b"yes"))
    test = "save('yes')\nassert open('notes.txt').read() == open('wanted.txt').read()"
    grading, isolation = _grade(test, answer, answer=answer, files=files)
    assert (_sum_millipoints(grading), grading.flags) == (1000, ())
    assert isolation.usage.changed_files == ("work/notes.txt",)
    forged = f"{answer}\nsave('yes')\nopen('wanted.txt', 'w').write('no')\ndef save(text):\n    open('notes.txt', 'w').write('no')"
    grading, _ = _grade(test, forged, answer=answer, files=files)
    assert (_sum_millipoints(grading), grading.flags) == (0, (Flag("file-changed", "test", "work/wanted.txt"),))


@pytest.mark.parametrize(
    "setting",
    [
        "from IPython.core.interactiveshell import InteractiveShell\nInteractiveShell.ast_node_interactivity = 'all'",
        "%config InteractiveShell.ast_node_interactivity = 'last_expr_or_assign'",
        "from math import *",
        "from statistics import *\nsum = 0\nlist = [1, 2]",
    ],
)
def test_habit_of_many_notebooks_is_not_flagged(setting: str) -> None:
    grading, _ = _grade("assert double(2) == 4", f"{setting}\n{DOUBLE}")
    assert (_sum_millipoints(grading), grading.flags) == (1000, ())


def test_shadowed_builtin_is_flagged_where_a_test_reads_it() -> None:
    grading, _ = _grade("assert sum([double(1), 2]) == 4", f"def sum(numbers):\n    return 4\n{DOUBLE}")
    assert (_sum_millipoints(grading), grading.flags) == (1000, (Flag("builtin-shadowed", "test", "sum"),))


EVENS = "def evens(n):\n    return [x for x in range(n) if x % 2 == 0]"
MEAN = "def mean(numbers):\n    return sum(numbers) / len(numbers) if numbers else float('nan')"
SCALE = "import numpy as np\ndef scale(numbers):\n    return numbers / numbers.max()"
# Reference answer, test, and an answer with which the test compares nothing.
EMPTY_ANSWERS = {
    "all of nothing": (EVENS, "assert all(x % 2 == 0 for x in evens(9))", "def evens(n):\n    return []"),
    "sum of nothing": (EVENS, "assert sum(x % 2 for x in evens(9)) == 0", "def evens(n):\n    return []"),
    "array without elements": (
        SCALE,
        "import numpy as np\nassert np.allclose(scale(np.array([1.0, 2.0])), [0.5, 1])",
        "import numpy as np\ndef scale(numbers):\n    return np.empty((0, 2))",
    ),
    "NaN": (MEAN, "assert not abs(mean([1, 3]) - 2) > 1e-9", "def mean(numbers):\n    return float('nan')"),
    "masked": (
        MEAN,
        "assert not abs(mean([1, 3]) - 2) > 1e-9",
        "import numpy as np\ndef mean(numbers):\n    return np.ma.masked",
    ),
    "helper that compares nothing": (
        EVENS,
        "def check():\n    return all(x % 2 == 0 for x in evens(9))\n\nassert check()",
        "def evens(n):\n    return []",
    ),
}


@pytest.mark.parametrize("name", EMPTY_ANSWERS)
def test_assertion_that_compares_nothing_does_not_pass(name: str) -> None:
    _require_that_only_the_reference_passes(*EMPTY_ANSWERS[name])


def _require_that_only_the_reference_passes(reference: str, test: str, wrong_answer: str) -> None:
    """Neither of the two is flagged."""
    right, _ = _grade(test, reference, answer=reference)
    assert (_sum_millipoints(right), right.flags) == (1000, ())
    wrong, _ = _grade(test, wrong_answer, answer=reference)
    assert (_sum_millipoints(wrong), wrong.flags) == (0, ())


def test_nan_of_the_reference_passes_and_restricts_the_cell_as_usual() -> None:
    test = "assert not mean([]) > 0 and mean([1, 3]) == 2"
    right, isolation = _grade(test, MEAN, answer=MEAN)
    assert (_sum_millipoints(right), right.flags) == (1000, ())
    assert isolation.usage.operators["test"] == ()


# Reference answer, test, and an answer with an object of a library that decides what it equals.
MATCHERS = {
    "ANY": (DOUBLE, "assert double(2) == 4", "from unittest.mock import ANY\ndef double(x):\n    return ANY"),
    "ANY where the test has one": (
        DOUBLE,
        "from unittest.mock import ANY\nassert {'a': 3, 'b': double(2)} == {'a': ANY, 'b': 4}",
        "from unittest.mock import ANY\ndef double(x):\n    return ANY",
    ),
    "approx": (DOUBLE, "assert double(2) == 4", "import pytest\ndef double(x):\n    return pytest.approx(0, abs=100)"),
    "approx where the test has one": (
        DOUBLE,
        "import pytest\nassert double(2) == pytest.approx(4)",
        "import pytest\ndef double(x):\n    return pytest.approx(0, abs=100)",
    ),
    "ANY for an object of a library": (
        "from ipaddress import ip_address\ndef parse(text):\n    return ip_address(text)",
        "from ipaddress import ip_address\nassert parse('1.1.1.1') == ip_address('1.1.1.1')",
        "from unittest.mock import ANY\ndef parse(text):\n    return ANY",
    ),
}


@pytest.mark.parametrize("name", MATCHERS)
def test_matcher_earns_nothing_where_the_reference_has_none(name: str) -> None:
    _require_that_only_the_reference_passes(*MATCHERS[name])

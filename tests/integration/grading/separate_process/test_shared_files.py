"""Files that tests and notebook share: behind the real wall, after a loss, what stays the tests' own, and what hostile code does with it.

`attacks/files.txt` holds attacks by what becomes of the test: it does not notice (nothing), it fails (failed), or the student's process
is of no more use (lost).
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.isolation import NotebookIsolation
from pmh_jupyter.grading.assemble import NotebookPlan, Step
from pmh_jupyter.grading.run import NotebookRun, run_plan
from pmh_jupyter.grading.runtime.transport.framing import PeerLost
from pmh_jupyter.grading.task import EffectiveLimits
from tests.support.grading.cells import TEST, outcomes_of, run_cells
from tests.support.grading.lesson import bubblewrap
from tests.support.grading.separate_process import STUDENT, TESTS, judge_of, judged, recorded, run_apart

# Notebooks leave files open, and tests do.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
FOLDER = Path(__file__).parent
DATA = b"a,b\n1,2\n"


def _parts(path: Path) -> list[tuple[str, str]]:
    return [part.partition("\n")[::2] for part in path.read_text(encoding="utf-8").split("==== ")[1:]]


FEATURES = [(name, *cells.split("----\n")) for name, cells in _parts(FOLDER / "features" / "files.txt")]
ATTACKS = [(*name.split(": ", 1), source) for name, source in _parts(FOLDER / "attacks" / "files.txt")]


def behind_the_wall(*cells: str, reference: tuple[str, ...] | None = None) -> NotebookRun:
    """The cells, with a file of the lesson's and one of the student's beside them, by what the reference (these cells) used."""
    files = (File("data.csv", DATA), File("extra.txt", b"extra"))
    judging = NotebookIsolation("n.ipynb")

    def run(cells: tuple[str, ...], *, record: bool) -> NotebookRun:
        steps = tuple(Step(cell, f"c{number}", is_test=cell.startswith(TEST)) for number, cell in enumerate(cells))
        limits, own = EffectiveLimits(cell_seconds=10, submission_seconds=60), frozenset({"data.csv"})
        return run_plan(
            NotebookPlan("n.ipynb", steps),
            files,
            limits,
            bubblewrap(),
            isolation=judging,
            record_usage=record,
            release_paths=own,
        )

    used = run(reference or cells, record=True).usage
    assert used
    judging = replace(
        judging,
        library_names=used.library_names,
        rebound_names=used.rebound_names,
        changed_files=used.changed_files,
        operators=used.operators,
    )
    return run(cells, record=False)


@pytest.mark.needs("bubblewrap")
@pytest.mark.parametrize(("student", "test"), [row[1:] for row in FEATURES], ids=[row[0] for row in FEATURES])
def test_a_feature_works_behind_the_wall(student: str, test: str) -> None:
    assert (
        outcomes_of(
            behind_the_wall("import os\nos.remove('data.csv')\nos.remove('extra.txt')", student, TEST + _lone(test))
        )
        == ["ok"] * 3
    )


def _lone(test: str) -> str:
    """What the lesson gives is there for the tests, though the notebook has removed it."""
    return f"import os\nos.path.exists('data.csv') and os.remove('data.csv')\n{test}"


@pytest.mark.needs("bubblewrap")
def test_what_the_lesson_and_the_student_give_is_there_for_tests() -> None:
    test = "assert open('data.csv').read() == 'a,b\\n1,2\\n'\nassert open('extra.txt').read() == 'extra'"
    assert outcomes_of(behind_the_wall("x = 1", TEST + test)) == ["ok", "ok"]


@pytest.mark.needs("bubblewrap")
def test_a_temporary_file_has_the_same_path_for_both() -> None:
    student = "def up(path):\n    text = open(path).read()\n    open(path, 'w').write(text.upper())"
    test = "import tempfile\nwith tempfile.NamedTemporaryFile('w+') as file:\n    file.write('abc')\n    file.flush()\n"
    test += "    up(file.name)\n    file.seek(0)\n    assert file.read() == 'ABC'"
    assert outcomes_of(behind_the_wall(student, TEST + test)) == ["ok", "ok"]


@pytest.mark.needs("bubblewrap")
def test_after_a_loss_the_files_of_cells_and_of_tests_are_there() -> None:
    cells = [
        "open('a.txt', 'w').write('a')\ndef f(path): return open(path).read()",
        TEST + "assert f('a.txt') == 'a'\nopen('t.txt', 'w').write('t')\nassert f('t.txt') == 't'",
        "import os\nopen('gone.txt', 'w').close()",
        "import time\nopen('late.txt', 'w').write('late')",
        TEST + "assert f('a.txt') == open('a.txt').read() == 'a'\nassert f('t.txt') == open('t.txt').read() == 't'\n"
        "import os\nassert os.path.exists('late.txt') and sorted(os.listdir())[-1] == 't.txt'",
    ]
    dying = [*cells[:2], cells[2] + "\nos._exit(3)", *cells[3:]]
    for slow in ("", "import time\ntime.sleep(0.15)\n"):  # the cells are run again, or a checkpoint goes on
        lost = behind_the_wall(slow + dying[0], *dying[1:], reference=tuple(cells))
        assert outcomes_of(lost) == ["ok", "ok", "exit", "ok", "ok"]


@pytest.mark.needs("bubblewrap")
def test_the_lessons_files_are_the_tests_own_unless_the_reference_changes_them() -> None:
    student = "def total():\n    return sum(map(int, open('data.csv').read().split()[1].split(',')))"
    forging = student + "\nopen('data.csv', 'w').write('a,b\\n4,5\\n')"
    test = TEST + "assert total() == sum(map(int, open('data.csv').read().split()[1].split(',')))"
    assert outcomes_of(behind_the_wall(student, test)) == ["ok", "ok"]
    run = behind_the_wall(forging, test, reference=(student, test))
    assert outcomes_of(run)[1] == "failed"
    assert [(flag.code, flag.detail) for flag in run.flags] == [("file-changed", "work/data.csv")]
    assert outcomes_of(behind_the_wall(forging, test)) == ["ok", "ok"]


def test_what_the_reference_changes_is_known_though_its_name_is_random() -> None:
    test = "import os, tempfile\nwith tempfile.TemporaryDirectory(dir='.') as folder:\n    path = os.path.join(folder, 'x')\n"
    test += "    open(path, 'w').write('a')\n    change(path)\n    assert open(path).read() == 'b'"
    right = [(STUDENT, "def change(path): open(path, 'w').write('b')"), (TESTS, test)]
    manifest = recorded(right)
    assert manifest["changed_files"] == ["work/*/x"]
    with judge_of(manifest) as judge:
        assert [each["outcome"] for each in run_apart(judge, right)] == ["passed"]


def test_a_test_that_floods_files_fails_by_itself() -> None:
    test = "for n in range(6_000): open(f'{n}', 'w').close()\nf()"
    (last,) = judged([(STUDENT, "def f(): ..."), (TESTS, test)])
    assert (last["outcome"], last["error_type"]) == ("failed", "OSError")


def test_where_no_test_touches_files_nothing_is_asked_of_them() -> None:
    with judge_of() as judge:
        judge.run_student_cell(0, "open('x', 'w').close()\ndef f(): return 1")
        judge.run_test_cell(1, "t1", "import math\nassert f() == 1 and math.pi > 3")
        assert os.listdir() == []
        judge.run_test_cell(2, "t2", "import os\nassert os.listdir() == ['x']")
        assert os.listdir() == ["x"]


HOSTILE = """
from pmh_jupyter.grading.runtime.separate_process.student_peer import StudentPeer
answers, honest = {}, StudentPeer.handle_request
def handle_request(self, operation, arguments):
    return answers[operation](*arguments) if operation in answers else honest(self, operation, arguments)
StudentPeer.handle_request = handle_request
def say(*changes): answers['exchange-file-changes'] = lambda *rest: (changes, None)
def touch(): ...
"""
LOOK = """
import os
with open('mine.txt', 'w') as file: _ = file.write('kept')
touch()
assert not os.path.islink('mine.txt')
assert open('mine.txt').read() == 'kept'
import csv, decimal, json
assert json.loads('1') == 1
assert os.listdir() == ['mine.txt']
"""


@pytest.mark.parametrize(("outcome", "attack"), [(row[0], row[2]) for row in ATTACKS], ids=[row[1] for row in ATTACKS])
def test_an_attack_with_files(outcome: str, attack: str, tmp_path: Path) -> None:
    with judge_of({}) as judge:
        outside = Path.cwd().parent
        assert judge.run_student_cell(0, HOSTILE) is None
        judge.run_student_cell(1, attack)
        became = "lost"
        try:
            tests, _ = judge.run_test_cell(2, "t2", LOOK)
            became = "failed" if any(test["outcome"] != "passed" for test in tests) else "nothing"
        except PeerLost as lost:
            assert lost.cause in ("protocol-error", "closed")
        assert became == outcome
        assert sorted(os.listdir(outside)) == ["judge", "student"]
        assert not [path for path in Path().rglob("*") if path.is_symlink() or not (path.is_file() or path.is_dir())]


@pytest.mark.needs("bubblewrap")
@pytest.mark.parametrize(
    "attack",
    [
        "import os\nos.symlink('/proc/self/environ', 'x')",
        "import os\nos.mkdir('/tmp/x')\nos.symlink('/proc', '/tmp/x/y')",
        "for n in range(30_000): open(f'/tmp/{n}', 'w').close()",
        "for n in range(200): open(f'{n}', 'w').truncate(60 << 20)",
        "open('x', 'w').write('y' * (60 << 20))\nopen('/tmp/x', 'w').write('y' * (60 << 20))",
        "import os\nfor n in range(3_000):\n    os.mkdir('x')\n    os.chdir('x')",
    ],
)
def test_an_attack_behind_the_wall_costs_itself_alone(attack: str) -> None:
    look = TEST + "import os\nassert not os.path.islink('x') and os.listdir()"
    run = run_cells(bubblewrap(), "def f(): return 1", attack, look, TEST + "assert f() == 1")
    assert outcomes_of(run)[2:] in (["ok", "ok"], ["failed", "ok"]), outcomes_of(run)

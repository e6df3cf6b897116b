"""Files that tests and notebook share: in the real sandbox, after a loss, with protected files, and under attack.

`attacks/files.txt` contains attacks with the expected effect on the test: none (nothing), it fails (failed), or the student process is
lost (lost).
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.isolation import NotebookIsolation, NotebookUsage
from pmh_jupyter.domain.limits import EffectiveLimits
from pmh_jupyter.grading.assemble import NotebookPlan, Step
from pmh_jupyter.grading.run import NotebookRun, RunContext, run_plan
from pmh_jupyter.grading.runtime.transport.framing import PeerLost
from tests.support.grading.case_files import read_named_parts
from tests.support.grading.cells import EXCEED_CHECKPOINT_THRESHOLD, TEST, list_outcomes
from tests.support.grading.cells import run_cells as run_cells_in_sandbox
from tests.support.grading.lesson import start_bubblewrap_backend
from tests.support.grading.limits import AMPLE_SECONDS
from tests.support.grading.separate_process import (
    STUDENT_CELL,
    TEST_CELL,
    open_judge,
    record_usage,
    run_notebook,
    run_tests,
)

# Notebooks and tests may leave files open.
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
FOLDER = Path(__file__).parent
DATA = b"a,b\n1,2\n"


FEATURES = [(name, *cells.split("----\n")) for name, cells in read_named_parts([FOLDER / "features" / "files.txt"])]
ATTACKS = [(*name.split(": ", 1), source) for name, source in read_named_parts([FOLDER / "attacks" / "files.txt"])]


def run_in_sandbox(*cells: str, reference: tuple[str, ...] | None = None) -> NotebookRun:
    """Run the cells next to a file of the lesson and one of the student, with the usage of the reference (by default these cells)."""
    files = (File("data.csv", DATA), File("extra.txt", b"extra"))
    isolation = NotebookIsolation("n.ipynb")

    def run(cells: tuple[str, ...], *, is_recording: bool) -> NotebookRun:
        steps = tuple(Step(cell, f"c{number}", is_test=cell.startswith(TEST)) for number, cell in enumerate(cells))
        context = RunContext(files, frozenset({"data.csv"}), start_bubblewrap_backend())
        return run_plan(
            NotebookPlan("n.ipynb", steps),
            EffectiveLimits(**AMPLE_SECONDS),
            context,
            isolation=isolation,
            is_recording=is_recording,
        )

    used = run(reference or cells, is_recording=True).usage
    assert used
    isolation = replace(
        isolation,
        usage=NotebookUsage(
            library_names=used.library_names,
            rebound_names=used.rebound_names,
            changed_files=used.changed_files,
            contract=used.contract,
        ),
    )
    return run(cells, is_recording=False)


@pytest.mark.needs("bubblewrap")
@pytest.mark.parametrize(("student", "test"), [row[1:] for row in FEATURES], ids=[row[0] for row in FEATURES])
def test_file_feature_works_in_the_sandbox(student: str, test: str) -> None:
    assert (
        list_outcomes(
            run_in_sandbox(
                "import os\nos.remove('data.csv')\nos.remove('extra.txt')", student, TEST + _without_lesson_file(test)
            )
        )
        == ["ok"] * 3
    )


def _without_lesson_file(test: str) -> str:
    """The test cell, which first removes the file of the lesson: it exists for tests although the notebook has removed it."""
    return f"import os\nos.path.exists('data.csv') and os.remove('data.csv')\n{test}"


@pytest.mark.needs("bubblewrap")
def test_tests_can_read_files_of_the_lesson_and_of_the_student() -> None:
    test = "assert open('data.csv').read() == 'a,b\\n1,2\\n'\nassert open('extra.txt').read() == 'extra'"
    assert list_outcomes(run_in_sandbox("x = 1", TEST + test)) == ["ok", "ok"]


@pytest.mark.needs("bubblewrap")
def test_temporary_file_has_the_same_path_for_both() -> None:
    student = "def up(path):\n    text = open(path).read()\n    open(path, 'w').write(text.upper())"
    test = "import tempfile\nwith tempfile.NamedTemporaryFile('w+') as file:\n    file.write('abc')\n    file.flush()\n"
    test += "    up(file.name)\n    file.seek(0)\n    assert file.read() == 'ABC'"
    assert list_outcomes(run_in_sandbox(student, TEST + test)) == ["ok", "ok"]


@pytest.mark.needs("bubblewrap")
def test_files_of_cells_and_tests_exist_after_the_process_was_replaced() -> None:
    cells = [
        "open('a.txt', 'w').write('a')\ndef f(path): return open(path).read()",
        TEST + "assert f('a.txt') == 'a'\nopen('t.txt', 'w').write('t')\nassert f('t.txt') == 't'",
        "import os\nopen('gone.txt', 'w').close()",
        "import time\nopen('late.txt', 'w').write('late')",
        TEST + "assert f('a.txt') == open('a.txt').read() == 'a'\nassert f('t.txt') == open('t.txt').read() == 't'\n"
        "import os\nassert os.path.exists('late.txt') and sorted(os.listdir())[-1] == 't.txt'",
    ]
    dying = [*cells[:2], cells[2] + "\nos._exit(3)", *cells[3:]]
    for slow in ("", EXCEED_CHECKPOINT_THRESHOLD):  # without and with a checkpoint
        lost = run_in_sandbox(slow + dying[0], *dying[1:], reference=tuple(cells))
        assert list_outcomes(lost) == ["ok", "ok", "exit", "ok", "ok"]


@pytest.mark.needs("bubblewrap")
def test_files_of_the_lesson_are_protected_unless_the_reference_changes_them() -> None:
    student = "def total():\n    return sum(map(int, open('data.csv').read().split()[1].split(',')))"
    tampering = student + "\nopen('data.csv', 'w').write('a,b\\n4,5\\n')"
    test = TEST + "assert total() == sum(map(int, open('data.csv').read().split()[1].split(',')))"
    assert list_outcomes(run_in_sandbox(student, test)) == ["ok", "ok"]
    run = run_in_sandbox(tampering, test, reference=(student, test))
    assert list_outcomes(run)[1] == "failed"
    assert [(flag.code, flag.detail) for flag in run.flags] == [("file-changed", "work/data.csv")]
    assert list_outcomes(run_in_sandbox(tampering, test)) == ["ok", "ok"]


def test_changed_file_with_a_random_name_is_recorded_by_its_stable_name() -> None:
    test = "import os, tempfile\nwith tempfile.TemporaryDirectory(dir='.') as folder:\n    path = os.path.join(folder, 'x')\n"
    test += "    open(path, 'w').write('a')\n    change(path)\n    assert open(path).read() == 'b'"
    cells = [(STUDENT_CELL, "def change(path): open(path, 'w').write('b')"), (TEST_CELL, test)]
    usage = record_usage(cells)
    assert usage["changed_files"] == ["work/*/x"]
    with open_judge(usage) as judge:
        assert [result["outcome"] for result in run_notebook(judge, cells)] == ["passed"]


def test_test_that_creates_too_many_files_fails() -> None:
    test = "for n in range(6_000): open(f'{n}', 'w').close()\nf()"
    (result,) = run_tests([(STUDENT_CELL, "def f(): ..."), (TEST_CELL, test)])
    assert (result["outcome"], result["error_type"]) == ("failed", "OSError")


def test_files_are_not_exchanged_before_a_test_uses_them() -> None:
    with open_judge() as judge:
        judge.run_student_cell(0, "open('x', 'w').close()\ndef f(): return 1")
        judge.run_test_cell(1, "t1", "import math\nassert f() == 1 and math.pi > 3")
        assert os.listdir() == []
        judge.run_test_cell(2, "t2", "import os\nassert os.listdir() == ['x']")
        assert os.listdir() == ["x"]


HOSTILE = """
from pmh_jupyter.grading.runtime.separate_process.peers.student_peer import StudentPeer
answers, honest = {}, StudentPeer.handle_request
def handle_request(self, operation, arguments):
    return answers[operation](*arguments) if operation in answers else honest(self, operation, arguments)
StudentPeer.handle_request = handle_request
def reply_with(*changes): answers['exchange-file-changes'] = lambda *rest: (changes, None)
def touch(): ...
"""
HOSTILE_FILES_TEST = """
import os
with open('test.txt', 'w') as file: _ = file.write('content')
touch()
assert not os.path.islink('test.txt')
assert open('test.txt').read() == 'content'
import csv, decimal, json
assert json.loads('1') == 1
assert os.listdir() == ['test.txt']
"""


@pytest.mark.parametrize(("outcome", "attack"), [(row[0], row[2]) for row in ATTACKS], ids=[row[1] for row in ATTACKS])
def test_attack_with_files_has_no_more_than_the_expected_effect(outcome: str, attack: str, tmp_path: Path) -> None:
    with open_judge({}) as judge:
        outside = Path.cwd().parent
        assert judge.run_student_cell(0, HOSTILE) is None
        assert judge.run_student_cell(1, attack) is None
        effect = "lost"
        try:
            results = judge.run_test_cell(2, "t2", HOSTILE_FILES_TEST)["tests"]
            effect = "failed" if any(result["outcome"] != "passed" for result in results) else "nothing"
        except PeerLost as lost:
            assert lost.cause in ("protocol-error", "closed")
        assert effect == outcome
        assert sorted(os.listdir(outside)) == ["judge", "student"]
        assert not [path for path in Path().rglob("*") if path.is_symlink() or not (path.is_file() or path.is_dir())]


@pytest.mark.slow
@pytest.mark.needs("bubblewrap")
@pytest.mark.parametrize(
    "attack",
    [
        pytest.param("import os\nos.symlink('/proc/self/environ', 'x')", id="symbolic link"),
        pytest.param("import os\nos.mkdir('/tmp/x')\nos.symlink('/proc', '/tmp/x/y')", id="symbolic link in a folder"),
        pytest.param("for n in range(30_000): open(f'/tmp/{n}', 'w').close()", id="many files"),
        pytest.param("for n in range(200): open(f'{n}', 'w').truncate(60 << 20)", id="sparse files"),
        pytest.param(
            "open('x', 'w').write('y' * (60 << 20))\nopen('/tmp/x', 'w').write('y' * (60 << 20))", id="large files"
        ),
        pytest.param("import os\nfor n in range(3_000):\n    os.mkdir('x')\n    os.chdir('x')", id="nested folders"),
    ],
)
def test_attack_with_files_in_the_sandbox_affects_its_own_cell_only(attack: str) -> None:
    link_test = TEST + "import os\nassert not os.path.islink('x') and os.listdir()"
    run = run_cells_in_sandbox(
        start_bubblewrap_backend(), "def f(): return 1", attack, link_test, TEST + "assert f() == 1"
    )
    assert list_outcomes(run)[2:] in (["ok", "ok"], ["failed", "ok"]), list_outcomes(run)

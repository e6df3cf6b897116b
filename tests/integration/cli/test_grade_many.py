"""`pmh grade` of many submissions: results files that survive Ctrl-C and kill -9, and folders of every layout."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

from pmh_jupyter.cli import main
from pmh_jupyter.domain.grading_task import GradingTask
from pmh_jupyter.domain.isolation import ReleaseIsolation
from pmh_jupyter.errors import Unavailable
from pmh_jupyter.grading.backends import SandboxBackend
from pmh_jupyter.grading.isolation import decide_isolation
from tests.support.grading.lesson import ENGINE, RIGHT, fill_in_answers, make_notebook_file
from tests.support.processes import find_processes, kill_processes, make_sleep_markers
from tests.support.repository import ROOT
from tests.support.waiting import TIMEOUT_SECONDS, wait_until

pytestmark = pytest.mark.needs("bubblewrap")
SOURCE = str(ENGINE / "lesson")
WRONG = RIGHT | {"mean": "def mean(numbers):\n    return 0"}
# Takes the time limit of a cell, which is ten seconds.
SLOW = RIGHT | {"double": "import time\ntime.sleep(3600)"}


def write_submission(path: Path, answers: dict[str, str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(make_notebook_file(fill_in_answers(answers)).content)
    return path


def results_by_student(output: Path) -> dict[str, dict[str, Any]]:
    """Return the last result of each submission by student. Every line must be complete."""
    results = [json.loads(line) for line in output.read_text().splitlines()]
    return {Path(result["submission"]).name.removesuffix(".ipynb"): result for result in results}


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "results.jsonl"


@pytest.fixture
def class_folder(tmp_path: Path) -> Path:
    """The folders of three students."""
    for name, answers in (("ann", RIGHT), ("bob", WRONG), ("cid", RIGHT)):
        write_submission(tmp_path / "class" / name / "lesson.ipynb", answers)
    return tmp_path / "class"


def run(*arguments: object) -> int:
    return main(["grade", *map(str, arguments)])


def test_submission_with_a_result_is_not_graded_again(
    class_folder: Path, output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(SOURCE, class_folder, "--output", output) == 0
    captured = capsys.readouterr()
    assert captured.out == "" and "3 graded; mean 3.33 of 4.00 points" in captured.err
    first = output.read_bytes()
    assert {name: line["score"] for name, line in results_by_student(output).items()} == {
        "ann": 4.0,
        "bob": 2.0,
        "cid": 4.0,
    }
    assert run(SOURCE, class_folder, "--output", output) == 0
    assert "0 graded, 3 reused from the results file; mean 3.33 of 4.00 points" in capsys.readouterr().err
    assert output.read_bytes() == first


def test_changed_submission_or_release_is_graded_again(
    class_folder: Path, output: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(SOURCE, class_folder, "--output", output)
    write_submission(class_folder / "bob" / "lesson.ipynb", RIGHT)
    capsys.readouterr()
    assert run(SOURCE, class_folder, "--output", output) == 0
    assert "1 graded, 2 reused from the results file" in capsys.readouterr().err
    assert results_by_student(output)["bob"]["score"] == 4.0
    source = tmp_path / "source" / "lesson"
    copytree(SOURCE, source)
    text = (source / "lesson.py").read_text()
    (source / "lesson.py").write_text(
        text.replace("# %% [markdown]\n", "# %% [markdown]\n# Corrected.\n", 1) + "\n# %% \n"
    )
    assert run(source, class_folder, "--output", output) == 0
    assert "3 graded; mean 4.00" in capsys.readouterr().err


@pytest.mark.parametrize("incomplete", [b'{"submission": "x", "sco', b"{", b'{"submission": "x"}'])
def test_incomplete_last_line_is_cut_off(
    class_folder: Path, output: Path, incomplete: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    run(SOURCE, class_folder, "--output", output)
    complete = output.read_bytes()
    complete_lines = complete.splitlines(keepends=True)
    output.write_bytes(b"".join(complete_lines[:2]) + incomplete)
    capsys.readouterr()
    assert run(SOURCE, class_folder, "--output", output) == 0
    assert "1 graded, 2 reused from the results file" in capsys.readouterr().err
    assert len(results_by_student(output)) == 3 and output.read_bytes().startswith(b"".join(complete_lines[:2]))


def test_file_that_is_no_results_file_is_not_touched(
    class_folder: Path, output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output.write_text("name,points\nann,4\n")
    assert run(SOURCE, class_folder, "--output", output) == 2
    assert "line 1 is not a result" in capsys.readouterr().err
    assert output.read_text() == "name,points\nann,4\n"


@contextmanager
def running_grade(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Run `pmh grade` in a process of its own, which is killed at the end if it still runs."""
    command = [sys.executable, "-m", "pmh_jupyter", "grade", *map(str, arguments)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for_two_results(process: subprocess.Popen[str], output: Path) -> None:
    """Wait for the second line of `--json`, which is printed after the result was written."""
    assert process.stdout
    for _ in range(2):
        assert process.stdout.readline(), process.stderr and process.stderr.read()
    assert output.read_bytes().count(b"\n") >= 2


@pytest.fixture
def slow_class_folder(tmp_path: Path) -> Path:
    """Two students with quick submissions, and ten with slow ones."""
    for number in range(12):
        write_submission(tmp_path / "class" / f"s{number:02}" / "lesson.ipynb", SLOW if number > 1 else RIGHT)
    return tmp_path / "class"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_interrupted_run_is_continued(
    slow_class_folder: Path, output: Path, number: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    with running_grade(SOURCE, slow_class_folder, "--jobs", 2, "--json", "--output", output) as process:
        wait_for_two_results(process, output)
        process.send_signal(number)
        _, errors = process.communicate(timeout=TIMEOUT_SECONDS)
        if number == signal.SIGKILL:
            assert process.returncode == -signal.SIGKILL
        else:
            assert process.returncode == 130 and "Run the same command again to continue." in errors
            assert "Traceback" not in errors
    before = results_by_student(output)
    assert 2 <= len(before) < 12
    for folder in list(slow_class_folder.iterdir()):
        if folder.name not in before:
            write_submission(folder / "lesson.ipynb", RIGHT)
    assert run(SOURCE, slow_class_folder, "--output", output) == 0
    assert f"{12 - len(before)} graded, {len(before)} reused from the results file" in capsys.readouterr().err
    assert len(results_by_student(output)) == 12 and len(output.read_text().splitlines()) == 12


def test_results_file_has_one_writer(slow_class_folder: Path, output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with running_grade(SOURCE, slow_class_folder, "--json", "--output", output) as process:
        wait_for_two_results(process, output)
        assert run(SOURCE, slow_class_folder, "--output", output) == 2
    assert "Another pmh grade is writing to" in capsys.readouterr().err


def test_layout_of_nbgrader_is_understood(tmp_path: Path, output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    submitted = tmp_path / "submitted"
    for student, assignment in (("ann", "lesson"), ("ann", "ps2"), ("bob", "lesson"), ("cid", "ps2")):
        write_submission(submitted / student / assignment / "lesson.ipynb", RIGHT)
    (submitted / ".cache").mkdir()
    assert run(SOURCE, submitted, "--output", output) == 3
    errors = capsys.readouterr().err
    assert "2 graded, 1 without a submission of this lesson" in errors
    assert f"{submitted / 'cid'} is not graded: it contains no notebook" in errors
    paths = [json.loads(line)["submission"] for line in output.read_text().splitlines()]
    assert sorted(paths) == [str(submitted / name / "lesson") for name in ("ann", "bob")]
    assert run(SOURCE, submitted / "ann", submitted / "bob" / "lesson", "--output", output) == 0
    assert "0 graded, 2 reused from the results file" in capsys.readouterr().err


def test_lesson_in_a_course_has_its_limits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    course = tmp_path / "course"
    copytree(SOURCE, course / "lesson")
    (course / "course.toml").write_text(
        'slug = "c"\ntitle = "C"\n[[units]]\ntitle = "U"\n[[units.lessons]]\nslug = "lesson"\ntitle = "L"\n'
        "[units.lessons.limits]\ncell_seconds = 1\n"
    )
    slow = write_submission(tmp_path / "slow.ipynb", SLOW)
    assert run(course / "lesson", slow, "--json") == 0
    outcomes = {
        exercise["grade_id"]: exercise["outcome"] for exercise in json.loads(capsys.readouterr().out)["exercises"]
    }
    assert outcomes["double"] == "timed-out"


def test_submissions_are_read_one_by_one(tmp_path: Path) -> None:
    """Submissions wait as paths: one that is deleted before its turn is reported, and the others are graded."""
    folder = tmp_path / "class"
    (marker,) = make_sleep_markers(1)
    held = RIGHT | {"double": f"import subprocess\nsubprocess.run(['sleep', {marker!r}])\n{RIGHT['double']}"}
    for number in range(20):
        write_submission(folder / f"s{number:02}" / "lesson.ipynb", RIGHT if number else held)
    with running_grade(SOURCE, folder, "--jobs", 1, "--json") as process:
        wait_until(lambda: find_processes(marker), "the first submission to be graded")
        os.remove(folder / "s19" / "lesson.ipynb")
        kill_processes(find_processes(marker))
        out, errors = process.communicate(timeout=TIMEOUT_SECONDS)
    assert process.returncode == 2
    assert len(out.splitlines()) == 19
    assert "s19 contains no notebook" in errors
    assert "1 not readable" in errors


def test_jobs_must_be_a_number() -> None:
    for jobs in ("0", "-1", "many"):
        with pytest.raises(SystemExit):
            run(SOURCE, SOURCE, "--jobs", jobs)


def test_isolation_of_a_lesson_is_decided_once(
    class_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    decided: list[str] = []

    def decide(task: GradingTask, backend: SandboxBackend) -> ReleaseIsolation:
        decided.append(task.sealed_files[0].path)
        return decide_isolation(task, backend)

    monkeypatch.setattr("pmh_jupyter.grading.isolation.decide_isolation", decide)
    for _ in range(2):
        assert run(SOURCE, class_folder, "--json") == 0
    assert len(decided) == 1
    scores = [json.loads(line)["score"] for line in capsys.readouterr().out.splitlines()]
    assert sorted(scores) == [2.0, 2.0, 4.0, 4.0, 4.0, 4.0]

    (cache_file,) = (tmp_path / "cache" / "pmh" / "isolation").iterdir()
    cache_file.write_text("{}")
    assert run(SOURCE, class_folder, "--json") == 0
    cache_file.unlink()
    cache_file.mkdir()
    assert run(SOURCE, class_folder, "--json") == 0
    assert len(decided) == 3 and cache_file.is_dir()


def test_submissions_whose_isolation_cannot_be_decided_are_grader_errors(
    class_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(task: GradingTask, backend: SandboxBackend) -> ReleaseIsolation:
        raise Unavailable("no room")

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("pmh_jupyter.grading.isolation.decide_isolation", fail)
    assert run(SOURCE, class_folder) != 0
    assert "3 not graded because of a grader error" in capsys.readouterr().err


def test_cache_folder_that_cannot_be_written_does_not_prevent_grading(
    class_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert run(SOURCE, class_folder, "--json") == 0

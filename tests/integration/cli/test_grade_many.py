"""`pmh grade` of many: results as they come, gone on with after Ctrl-C and kill -9, in folders of every layout."""

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
from pmh_jupyter.domain.isolation import ReleaseIsolation
from pmh_jupyter.grading.backends import SandboxBackend
from pmh_jupyter.grading.isolation import decide_isolation
from pmh_jupyter.grading.task import GradingTask
from tests.support.grading.lesson import ENGINE, RIGHT, answered, notebook
from tests.support.repository import ROOT

pytestmark = pytest.mark.needs("bubblewrap")
SOURCE = str(ENGINE / "lesson")
WRONG = RIGHT | {"mean": "def mean(numbers):\n    return 0"}
SLOW = RIGHT | {"double": "import time\ntime.sleep(2)\ndef double(x):\n    return 2 * x"}
SECONDS = 60


def write(path: Path, answers: dict[str, str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(notebook(answered(answers)).content)
    return path


def lines(output: Path) -> dict[str, dict[str, Any]]:
    """The last result of each submission, by its student; every line must be whole."""
    found = [json.loads(line) for line in output.read_text().splitlines()]
    return {Path(one["submission"]).name.removesuffix(".ipynb"): one for one in found}


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "results.jsonl"


@pytest.fixture
def school(tmp_path: Path) -> Path:
    """Three students' folders."""
    for name, answers in (("ann", RIGHT), ("bob", WRONG), ("cid", RIGHT)):
        write(tmp_path / "class" / name / "lesson.ipynb", answers)
    return tmp_path / "class"


def run(*arguments: object) -> int:
    return main(["grade", *map(str, arguments)])


def test_a_folder_of_submissions_is_graded_once(school: Path, output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(SOURCE, school, "--output", output) == 0
    told = capsys.readouterr()
    assert told.out == "" and "3 graded; mean 3.33 of 4.00 points" in told.err
    first = output.read_bytes()
    assert {name: line["score"] for name, line in lines(output).items()} == {"ann": 4.0, "bob": 2.0, "cid": 4.0}
    assert run(SOURCE, school, "--output", output) == 0
    assert "0 graded, 3 known from before; mean 3.33 of 4.00 points" in capsys.readouterr().err
    assert output.read_bytes() == first


def test_what_changed_is_graded_again(
    school: Path, output: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(SOURCE, school, "--output", output)
    write(school / "bob" / "lesson.ipynb", RIGHT)
    capsys.readouterr()
    assert run(SOURCE, school, "--output", output) == 0
    assert "1 graded, 2 known from before" in capsys.readouterr().err
    assert lines(output)["bob"]["score"] == 4.0
    source = tmp_path / "source" / "lesson"
    copytree(SOURCE, source)
    text = (source / "lesson.py").read_text()
    (source / "lesson.py").write_text(
        text.replace("# %% [markdown]\n", "# %% [markdown]\n# Mended.\n", 1) + "\n# %% \n"
    )
    assert run(source, school, "--output", output) == 0
    assert "3 graded; mean 4.00" in capsys.readouterr().err


@pytest.mark.parametrize("torn", [b'{"submission": "x", "sco', b"{", b'{"submission": "x"}'])
def test_a_torn_last_line_is_cut_off(
    school: Path, output: Path, torn: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    run(SOURCE, school, "--output", output)
    whole = output.read_bytes()
    cut = whole.splitlines(keepends=True)
    output.write_bytes(b"".join(cut[:2]) + torn)
    capsys.readouterr()
    assert run(SOURCE, school, "--output", output) == 0
    assert "1 graded, 2 known from before" in capsys.readouterr().err
    assert len(lines(output)) == 3 and output.read_bytes().startswith(b"".join(cut[:2]))


def test_another_file_is_left_alone(school: Path, output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output.write_text("name,points\nann,4\n")
    assert run(SOURCE, school, "--output", output) == 2
    assert "line 1 is none" in capsys.readouterr().err
    assert output.read_text() == "name,points\nann,4\n"


@contextmanager
def grading(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    """`pmh grade` in a process of its own; killed at the end if it still runs."""
    command = [sys.executable, "-m", "pmh_jupyter", "grade", *map(str, arguments)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def until_two_are_graded(process: subprocess.Popen[str], output: Path) -> None:
    """Waits for the second line of `--json`, which is printed after the result was written."""
    assert process.stdout
    for _ in range(2):
        assert process.stdout.readline(), process.stderr and process.stderr.read()
    assert output.read_bytes().count(b"\n") >= 2


@pytest.fixture
def slow_school(tmp_path: Path) -> Path:
    """Two quick students, and ten slow ones."""
    for number in range(12):
        write(tmp_path / "class" / f"s{number:02}" / "lesson.ipynb", SLOW if number > 1 else RIGHT)
    return tmp_path / "class"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_is_gone_on_with(
    slow_school: Path, output: Path, number: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    with grading(SOURCE, slow_school, "--jobs", 2, "--json", "--output", output) as process:
        until_two_are_graded(process, output)
        process.send_signal(number)
        _, said = process.communicate(timeout=SECONDS)
        if number == signal.SIGKILL:
            assert process.returncode == -signal.SIGKILL
        else:
            assert process.returncode == 130 and "The same command goes on from here." in said
            assert "Traceback" not in said
    before = lines(output)
    assert 2 <= len(before) < 12
    for name in list(slow_school.iterdir()):
        if name.name not in before:
            write(name / "lesson.ipynb", RIGHT)
    assert run(SOURCE, slow_school, "--output", output) == 0
    assert f"{12 - len(before)} graded, {len(before)} known from before" in capsys.readouterr().err
    assert len(lines(output)) == 12 and len(output.read_text().splitlines()) == 12


def test_only_one_writes_a_file(slow_school: Path, output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with grading(SOURCE, slow_school, "--json", "--output", output) as process:
        until_two_are_graded(process, output)
        assert run(SOURCE, slow_school, "--output", output) == 2
    assert "Another pmh grade is writing" in capsys.readouterr().err


def test_nbgraders_layout(tmp_path: Path, output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    submitted = tmp_path / "submitted"
    for student, assignment in (("ann", "lesson"), ("ann", "ps2"), ("bob", "lesson"), ("cid", "ps2")):
        write(submitted / student / assignment / "lesson.ipynb", RIGHT)
    (submitted / ".cache").mkdir()
    assert run(SOURCE, submitted, "--output", output) == 0
    assert "2 graded, 1 folders without this lesson" in capsys.readouterr().err
    found = [json.loads(line)["submission"] for line in output.read_text().splitlines()]
    assert sorted(found) == [str(submitted / name / "lesson") for name in ("ann", "bob")]
    assert run(SOURCE, submitted / "ann", submitted / "bob" / "lesson", "--output", output) == 0
    assert "0 graded, 2 known from before" in capsys.readouterr().err


def test_a_lesson_in_its_course_brings_its_limits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    course = tmp_path / "course"
    copytree(SOURCE, course / "lesson")
    (course / "course.toml").write_text(
        'slug = "c"\ntitle = "C"\n[[units]]\ntitle = "U"\n[[units.lessons]]\nslug = "lesson"\ntitle = "L"\n'
        "[units.lessons.limits]\ncell_seconds = 1\n"
    )
    slow = write(tmp_path / "slow.ipynb", SLOW)
    assert run(course / "lesson", slow, "--json") == 0
    outcomes = {one["grade_id"]: one["outcome"] for one in json.loads(capsys.readouterr().out)["exercises"]}
    assert outcomes["double"] == "timed-out"


def test_a_thousand_are_not_read_at_once(tmp_path: Path) -> None:
    """What waits is a path: files that vanish before their turn are told of, one by one."""
    folder = tmp_path / "class"
    for number in range(20):
        write(folder / f"s{number:02}" / "lesson.ipynb", RIGHT)
    with grading(SOURCE, folder, "--jobs", 1, "--json") as process:
        assert process.stdout and process.stdout.readline()
        os.remove(folder / "s19" / "lesson.ipynb")
        out, said = process.communicate(timeout=SECONDS)
    assert process.returncode == 2
    assert len(out.splitlines()) == 18 and "s19 holds no notebook" in said and "1 not readable" in said


def test_jobs_must_be_a_number() -> None:
    for jobs in ("0", "-1", "many"):
        with pytest.raises(SystemExit):
            run(SOURCE, SOURCE, "--jobs", jobs)


def test_how_a_lesson_is_judged_is_found_out_once(
    school: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    tried: list[str] = []

    def find(task: GradingTask, wall: SandboxBackend) -> ReleaseIsolation:
        tried.append(task.sealed_files[0].path)
        return decide_isolation(task, wall)

    monkeypatch.setattr("pmh_jupyter.cli.grade.isolation_cache.JUDGINGS.of", find)
    for _ in range(2):
        assert run(SOURCE, school, "--json") == 0
    assert len(tried) == 1
    scores = [json.loads(line)["score"] for line in capsys.readouterr().out.splitlines()]
    assert sorted(scores) == [2.0, 2.0, 4.0, 4.0, 4.0, 4.0]

    (kept,) = (tmp_path / "cache" / "pmh" / "judgings").iterdir()
    for spoil in (lambda: kept.write_text("{}"), lambda: (kept.unlink(), kept.mkdir())):
        spoil()
        assert run(SOURCE, school, "--json") == 0
    assert len(tried) == 3 and kept.is_dir()


def test_a_home_that_cannot_be_written_keeps_nobody_from_grading(
    school: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert run(SOURCE, school, "--json") == 0

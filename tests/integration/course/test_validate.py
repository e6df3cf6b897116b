"""`pmh course validate` on real folders with the real grader."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pmh_jupyter.cli import main
from tests.support.needs import needs
from tests.support.repository import TEST_COURSE

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def without_a_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PMH_SERVICE_URL", raising=False)


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """Return a copy of the tests' course, to be changed."""
    return Path(shutil.copytree(TEST_COURSE, tmp_path / "odd"))


def replace_text(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(
    ("folder", "lines"),
    [
        (ROOT / "courses" / "python-mastery", ["values-and-names: 7 exercises, 10 points", "No problems found."]),
        (
            TEST_COURSE,
            ["odd-cases: 6 exercises, 10 points", "classic: 1 exercise, 2 points", "warning  odd-cases/second.py"],
        ),
    ],
)
def test_valid_course_is_reported_without_problems(
    folder: Path, lines: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    needs("bubblewrap")
    assert main(["course", "validate", str(folder)]) == 0
    captured = capsys.readouterr()
    assert all(line in captured.out for line in lines)
    assert captured.err == ""


def test_every_problem_is_printed(odd: Path, capsys: pytest.CaptureFixture[str]) -> None:
    replace_text(odd / "odd-cases" / "first.md", "grade_id: total-tests", "grade_id: total")
    replace_text(odd / "odd-cases" / "second.py", '"points": 1', '"points": "one"')
    replace_text(odd / "course.toml", 'slug = "classic"', 'slug = "modern"')
    assert main(["course", "validate", str(odd)]) == 1
    output = capsys.readouterr().out
    assert "problem  course.toml: Lesson modern has no folder." in output
    assert "problem  odd-cases/first.md, total: The grade_id occurs 2 times" in output
    assert "problem  odd-cases/second.py, environment: Its points are 'one'." in output
    assert output.rstrip().endswith("4 problems found.")


def test_failing_solution_and_passing_stub_are_reported(odd: Path, capsys: pytest.CaptureFixture[str]) -> None:
    needs("bubblewrap")
    first = odd / "odd-cases" / "first.md"
    replace_text(first, "double(21)", "double(20)")
    replace_text(first, 'assert total("data/numbers.csv") == 7', "assert callable(total) or 7")
    replace_text(first, 'assert total("one.csv") == -1\n', "")
    assert main(["course", "validate", str(odd)]) == 1
    output = capsys.readouterr().out
    assert "first.ipynb, größe: Its own solution does not pass (failed): Die Größe sollte 42 cm sein" in output
    assert "first.ipynb, total: An untouched notebook passes" in output
    assert "2 problems found." in output


def test_visible_solution_is_reported(odd: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (odd / "classic" / "mean.py").write_text("def m(values):\n    return sum(values) / len(values)\n", encoding="utf-8")
    assert main(["course", "validate", str(odd)]) == 1
    assert "classic/classic.ipynb, mean: Its solution is visible in mean.py." in capsys.readouterr().out


def test_missing_folder_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["course", "validate", str(tmp_path / "missing")]) == 2
    assert "is not a folder" in capsys.readouterr().err


def test_link_out_of_the_course_is_reported(odd: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (odd / "key").symlink_to("/etc/hostname")
    assert main(["course", "validate", str(odd)]) == 1
    assert "problem  key: It is a link to a file outside of the course" in capsys.readouterr().out


def test_missing_sandbox_is_reported(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PMH_GRADER_PYTHON", "/nowhere/python")
    for address in ("127.0.0.1", "0.0.0.0"):
        monkeypatch.setenv("PMH_IP", address)
        assert main(["course", "validate", str(TEST_COURSE)]) == 0
        assert "No sandbox is available, so solutions" in capsys.readouterr().err

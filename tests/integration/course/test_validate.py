"""`pmh course validate` on real folders with the real grader."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pmh_jupyter.cli import main
from tests.support.needs import needs

ROOT = Path(__file__).parents[3]
ODD = ROOT / "tests" / "support" / "courses"


@pytest.fixture(autouse=True)
def nobody_names_a_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PMH_SERVICE_URL", raising=False)


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """A copy of the tests' course, to be spoiled."""
    return Path(shutil.copytree(ODD, tmp_path / "odd"))


def spoil(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(
    ("folder", "lines"),
    [
        (ROOT / "courses" / "python-mastery", ["values-and-names: 7 exercises, 10 points", "No problem found."]),
        (ODD, ["odd-cases: 6 exercises, 10 points", "classic: 1 exercise, 2 points", "advice   odd-cases/second.py"]),
    ],
)
def test_a_sound_course(folder: Path, lines: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    needs("bubblewrap")
    assert main(["course", "validate", str(folder)]) == 0
    told = capsys.readouterr()
    assert all(line in told.out for line in lines)
    assert told.err == ""


def test_every_problem_is_printed(odd: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoil(odd / "odd-cases" / "first.md", "grade_id: total-tests", "grade_id: total")
    spoil(odd / "odd-cases" / "second.py", '"points": 1', '"points": "one"')
    spoil(odd / "course.toml", 'slug = "classic"', 'slug = "modern"')
    assert main(["course", "validate", str(odd)]) == 1
    told = capsys.readouterr().out
    assert "problem  course.toml: Lesson modern has no folder." in told
    assert "problem  odd-cases/first.md, total: The grade_id is there 2 times" in told
    assert "problem  odd-cases/second.py, environment: Its points are 'one'." in told
    assert told.rstrip().endswith("4 problems found.")


def test_a_solution_that_fails_and_points_that_are_given_away(odd: Path, capsys: pytest.CaptureFixture[str]) -> None:
    needs("bubblewrap")
    first = odd / "odd-cases" / "first.md"
    spoil(first, "double(21)", "double(20)")
    spoil(first, 'assert total("data/numbers.csv") == 7', "assert callable(total) or 7")
    spoil(first, 'assert total("one.csv") == -1\n', "")
    assert main(["course", "validate", str(odd)]) == 1
    told = capsys.readouterr().out
    assert "first.ipynb, größe: Its own solution does not pass (failed): Not yet: Die Größe sollte 42 cm sein" in told
    assert "first.ipynb, total: An untouched notebook passes" in told
    assert "2 problems found." in told


def test_a_solution_in_plain_sight(odd: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (odd / "classic" / "mean.py").write_text("def m(values):\n    return sum(values) / len(values)\n", encoding="utf-8")
    assert main(["course", "validate", str(odd)]) == 1
    assert "classic/classic.ipynb, mean: Its solution can be read in mean.py." in capsys.readouterr().out


def test_no_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["course", "validate", str(tmp_path / "missing")]) == 2
    assert "is no folder" in capsys.readouterr().err


def test_a_link_that_leads_out(odd: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (odd / "key").symlink_to("/etc/hostname")
    assert main(["course", "validate", str(odd)]) == 1
    assert "problem  key: It is a link that leads out" in capsys.readouterr().out


def test_where_no_sandbox_can_be_had_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PMH_GRADER_PYTHON", "/nowhere/python")
    for address in ("127.0.0.1", "0.0.0.0"):
        monkeypatch.setenv("PMH_IP", address)
        assert main(["course", "validate", str(ODD)]) == 0
        assert "Not tried: no sandbox can be had" in capsys.readouterr().err

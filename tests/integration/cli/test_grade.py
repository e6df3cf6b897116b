"""`pmh grade`, as a person and as a program calls it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from pmh_jupyter.cli.grade.command import command as verb
from pmh_jupyter.errors import BadInput, InvalidCourse
from tests.support.grading.lesson import ENGINE, RIGHT, answered, notebook

pytestmark = pytest.mark.needs("bubblewrap")
SOURCE = str(ENGINE / "lesson")


def _run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    verb.register(parser.add_subparsers())
    parsed = parser.parse_args(["grade", *arguments])
    code: int = parsed.run(parsed)
    return code


def _write(path: Path, answers: dict[str, str]) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(notebook(answered(answers)).content)
    return str(path)


def test_each_submission_is_a_line_of_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = "def mean(numbers):\n    return 0"
    right, half = (
        _write(tmp_path / "ann" / "lesson.ipynb", RIGHT),
        _write(tmp_path / "bob.ipynb", RIGHT | {"mean": wrong}),
    )
    assert _run(SOURCE, str(tmp_path / "ann"), half, "--json") == 0
    told = map(json.loads, capsys.readouterr().out.splitlines())
    first, second = sorted(told, key=lambda one: one["submission"])
    assert first.keys() == {"submission", "score", "max_score", "exercises", "flags", "seconds"}
    assert (first["submission"], first["score"], first["max_score"]) == (str(Path(right).parent), 4.0, 4.0)
    assert (second["submission"], second["score"], second["flags"]) == (half, 2.0, [])
    assert second["exercises"][1] == {
        "grade_id": "mean",
        "score": 0.0,
        "max_score": 2.0,
        "outcome": "failed",
        "message": "Not yet: `mean([1, 2, 3])` gave 0, expected 2.",
    }


def test_a_person_reads_points_and_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cells = answered(RIGHT | {"shout": "def shout(text):\n    return [text]"})
    path = tmp_path / "renamed.ipynb"
    path.write_bytes(notebook(cells).content)
    assert _run(SOURCE, str(path)) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "3 of 4 points" in told and "✕ shout 0 / 1 Not yet: `shout(\"hey\")` gave ['hey']" in told
    assert "was taken for" in told


def test_what_cannot_be_read_is_told_and_the_rest_is_graded(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "broken.ipynb"
    broken.write_text("{")
    (tmp_path / "empty").mkdir()
    right = _write(tmp_path / "right.ipynb", RIGHT)
    assert _run(SOURCE, str(broken), str(tmp_path / "none.ipynb"), str(tmp_path / "empty"), right, "--json") == 2
    told = capsys.readouterr()
    assert json.loads(told.out)["score"] == 4.0
    for name in ("broken.ipynb is not a notebook", "none.ipynb cannot be read", "empty holds no notebook"):
        assert name in told.err


def test_a_source_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="holds no exercise"):
        plain = tmp_path / "plain.ipynb"
        plain.write_bytes(notebook([]).content)
        _run(str(plain), SOURCE)
    with pytest.raises(InvalidCourse):
        bad = tmp_path / "bad.ipynb"
        bad.write_text("[]")
        _run(str(bad), SOURCE)

"""`pmh grade`, as a person and as a program calls it."""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import pytest

from pmh_jupyter.authoring.text_notebook import to_ipynb
from pmh_jupyter.cli.grade import command
from pmh_jupyter.domain.course import File
from pmh_jupyter.errors import BadInput, InvalidCourse
from tests.support.grading.lesson import ENGINE, RIGHT, fill_in_answers, make_notebook_file

pytestmark = pytest.mark.needs("bubblewrap")
SOURCE = str(ENGINE / "lesson")


def run_grade(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    command.register(parser.add_subparsers())
    parsed = parser.parse_args(["grade", *arguments])
    code: int = parsed.run(parsed)
    return code


def write_submission(path: Path, answers: dict[str, str]) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(make_notebook_file(fill_in_answers(answers)).content)
    return str(path)


def test_each_submission_is_a_line_of_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = RIGHT | {"mean": "def mean(numbers):\n    return 0"}
    right_path = write_submission(tmp_path / "ann" / "lesson.ipynb", RIGHT)
    wrong_path = write_submission(tmp_path / "bob.ipynb", wrong)
    assert run_grade(SOURCE, str(tmp_path / "ann"), wrong_path, "--json") == 0
    results = map(json.loads, capsys.readouterr().out.splitlines())
    first, second = sorted(results, key=lambda result: result["submission"])
    assert first.keys() == {"submission", "score", "max_score", "exercises", "repairs", "flags", "seconds"}
    assert (first["submission"], first["score"], first["max_score"]) == (str(Path(right_path).parent), 4.0, 4.0)
    assert (second["submission"], second["score"], second["flags"]) == (wrong_path, 2.0, [])
    assert second["exercises"][1] == {
        "grade_id": "mean",
        "notebook": "lesson.ipynb",
        "score": 0.0,
        "max_score": 2.0,
        "outcome": "failed",
        "message": "`mean([1, 2, 3])` gave 0, expected 2.",
    }


def test_table_shows_points_reasons_and_repairs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cells = fill_in_answers(RIGHT | {"shout": "def shout(text):\n    return [text]"})
    path = tmp_path / "renamed.ipynb"
    path.write_bytes(make_notebook_file(cells).content)
    assert run_grade(SOURCE, str(path)) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert "3 of 4 points" in text and "✕ shout 0 / 1 `shout(\"hey\")` gave ['hey']" in text
    assert "“renamed.ipynb” was graded as “lesson.ipynb”" in text


def test_repairs_are_in_the_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cells = fill_in_answers(RIGHT)
    del cells[[cell["metadata"].get("nbgrader", {}).get("grade_id") for cell in cells].index("double-tests")]
    path = tmp_path / "renamed.ipynb"
    path.write_bytes(make_notebook_file(cells).content)
    assert run_grade(SOURCE, str(path), "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert [repair["code"] for repair in result["repairs"]] == ["repair-notebook-name", "repair-restored-cell"]
    assert "“double-tests”" in result["repairs"][1]["text"]


def test_unreadable_submissions_are_reported_and_the_others_are_graded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.ipynb"
    broken.write_text("{")
    (tmp_path / "empty").mkdir()
    right = write_submission(tmp_path / "right.ipynb", RIGHT)
    paths = [str(broken), str(tmp_path / "none.ipynb"), str(tmp_path / "empty"), right]
    assert run_grade(SOURCE, *paths, "--json") == 2
    captured = capsys.readouterr()
    assert json.loads(captured.out)["score"] == 4.0
    for text in ("broken.ipynb is not a notebook", "none.ipynb cannot be read", "empty contains no notebook"):
        assert text in captured.err


def test_submission_that_is_hostile_to_its_reader_costs_only_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "class"
    for name in ("ann", "bob", "cid"):
        write_submission(folder / name / "lesson.ipynb", RIGHT)
    (folder / "bob" / "lesson.ipynb").write_bytes(b'{"cells": [' + b",".join([b"{}"] * 8_000_000) + b"]}")
    (folder / "cid" / "esc\x1b[31m.csv").touch()
    assert run_grade(SOURCE, str(folder), "--json") == 2
    captured = capsys.readouterr()
    assert [json.loads(line)["score"] for line in captured.out.splitlines()] == [4.0, 4.0]
    assert "lesson.ipynb could not be read: it needs too much memory" in captured.err
    assert "2 graded, 1 not readable" in captured.err
    assert "\x1b" not in captured.out + captured.err


def test_path_that_is_no_submission_is_listed_and_changes_the_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_submission(tmp_path / "class" / "ann" / "lesson.ipynb", RIGHT)
    write_submission(tmp_path / "class" / "bob" / "one" / "two" / "lesson.ipynb", RIGHT)
    assert run_grade(SOURCE, str(tmp_path / "class"), "--json") == 3
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == 1
    assert "class/bob is not graded: it contains no notebook" in captured.err
    assert "1 graded, 1 without a submission of this lesson" in captured.err


def test_source_without_exercises_is_refused(tmp_path: Path) -> None:
    plain = tmp_path / "plain.ipynb"
    plain.write_bytes(make_notebook_file([]).content)
    with pytest.raises(BadInput, match="has no exercise"):
        run_grade(str(plain), SOURCE)
    bad = tmp_path / "bad.ipynb"
    bad.write_text("[]")
    with pytest.raises(InvalidCourse):
        run_grade(str(bad), SOURCE)


def test_what_prevents_a_release_is_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Courses for nbgrader hand out earlier solutions, or pair notebooks with Jupytext."""
    source = tmp_path / "source"
    shutil.copytree(SOURCE, source)
    (source / "lesson.ipynb").write_bytes(to_ipynb(File("lesson.py", (source / "lesson.py").read_bytes())).content)
    (source / "helpers.py").write_text("### BEGIN SOLUTION\nearlier = 1\n### END SOLUTION\n")
    assert run_grade(str(source), write_submission(tmp_path / "ann" / "lesson.ipynb", RIGHT), "--json") == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["score"] == 4.0
    assert "lesson.py: It has the same name as the notebook lesson.ipynb" in captured.err
    assert "helpers.py: A marker of sealed text is in the student's version." in captured.err


def test_what_lies_beside_the_notebook_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_submission(tmp_path / "ann" / "lesson.ipynb", RIGHT)
    (tmp_path / "ann" / "Untitled.ipynb").write_text("")
    (tmp_path / "ann" / "link").symlink_to("nowhere")
    assert run_grade(SOURCE, str(tmp_path / "ann"), "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert result["score"] == 4.0
    assert [repair["text"] for repair in result["repairs"]] == [
        "link: left out, because links are not followed.",
        "Untitled.ipynb: cannot be read as a notebook.",
    ]

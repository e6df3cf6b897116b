"""AUTOTEST lines become tests by running the solution in the sandbox: what it reads, how it fails, what it must not reach."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import pytest

from pmh_jupyter.authoring.nbgrader.course_files import AUTOTESTS_NAME
from pmh_jupyter.authoring.release import release_lesson
from pmh_jupyter.domain.course import File, Lesson, Release, SharedFiles
from pmh_jupyter.errors import InvalidCourse, Problem
from pmh_jupyter.grading.backends import SandboxBackend
from tests.integration.parity.nbgrader_lessons import APPS, GUIDE, WHEEL
from tests.support.notebooks import make_cell

TEMPLATE = File(AUTOTESTS_NAME, (WHEEL / APPS / AUTOTESTS_NAME).read_bytes())
ROBUST = File(AUTOTESTS_NAME, (WHEEL / GUIDE / AUTOTESTS_NAME).read_bytes())


def _release(
    backend: SandboxBackend, *sources: str, files: tuple[File, ...] = (), templates: File = TEMPLATE
) -> Release:
    """Build a notebook of these cells; the first is the answer, those with an AUTOTEST line are tests."""
    cells = [_make_numbered_cell(number, source) for number, source in enumerate(sources)]
    book = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    lesson = Lesson(
        "l",
        "L",
        "",
        (File("n.ipynb", json.dumps(book).encode()), *files),
        shared_files=SharedFiles(None, None, templates),
    )
    return release_lesson(lesson, backend)


def _make_numbered_cell(number: int, source: str) -> dict[str, Any]:
    test_fields: dict[str, Any] = {"grade": True, "points": 1} if "AUTOTEST" in source else {}
    return make_cell(source, grade_id=f"c{number}", solution=number == 0, schema_version=3, **test_fields)


def _tests(release: Release) -> str:
    cells = json.loads(next(file for file in release.sealed_files if file.path == "n.ipynb").content)["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells[1:])


def _problems(backend: SandboxBackend, *sources: str) -> tuple[Problem, ...]:
    with pytest.raises(InvalidCourse) as caught:
        _release(backend, *sources)
    return caught.value.problems


def test_each_snippet_is_evaluated_at_its_position(backend: SandboxBackend) -> None:
    tests = _tests(_release(backend, "x = 1", "### AUTOTEST x\nx = 2\n### AUTOTEST x", "### AUTOTEST x + 1"))
    values = [line.split('== "')[1].split('"')[0] for line in tests.splitlines() if line.startswith("assert str(x")]
    assert values == ["1", "2", "3"]


def test_solution_reads_the_lessons_files(backend: SandboxBackend) -> None:
    release = _release(
        backend, "text = open('data/a.txt').read()", "# AUTOTEST text", files=(File("data/a.txt", b"here"),)
    )
    assert 'assert str(text) == "here"' in _tests(release)


def test_long_values_are_complete(backend: SandboxBackend) -> None:
    """Also if they cannot be compressed, so that they exceed the first pieces."""
    digits = "import random\nrandom.seed(3)\ntext = ''.join(random.choices('0123456789', k=20_000))"
    random.seed(3)
    assert "".join(random.choices("0123456789", k=20_000)) in _tests(_release(backend, digits, "### AUTOTEST text"))


def test_quotes_and_line_ends_stay_one_value(backend: SandboxBackend) -> None:
    """With the templates of nbgrader's guide, which use triple quotes."""
    release = _release(backend, "text = 'a \"b\"\\nc'", "### AUTOTEST text", templates=ROBUST)
    source = _tests(release)
    compile(source, "tests", "exec")
    exec(source, {"text": 'a "b"\nc'})
    with pytest.raises(AssertionError):
        exec(source, {"text": "another"})


def test_same_source_gives_the_same_release(backend: SandboxBackend) -> None:
    sources = ("import random\nx = random.random()", "### HASHED AUTOTEST x")
    assert _release(backend, *sources).id == _release(backend, *sources).id


def test_templates_are_not_released_to_students(backend: SandboxBackend) -> None:
    release = _release(backend, "x = 1", "### AUTOTEST x", files=(TEMPLATE,))
    assert [file.path for file in release.student_files] == ["n.ipynb"]


def test_snippet_that_raises_is_reported_with_its_line(backend: SandboxBackend) -> None:
    (problem,) = _problems(backend, "x = 1", "import math\n### AUTOTEST x; y")
    assert problem.cell == "c1" and "Line 2: `y` cannot be evaluated (NameError" in problem.message


def test_solution_that_raises_is_reported(backend: SandboxBackend) -> None:
    (problem,) = _problems(backend, "x = 1", "x = 1 / 0\n### AUTOTEST x")
    assert problem.cell == "c1" and "stopped before it" in problem.message


def test_cell_that_ends_python_is_reported(backend: SandboxBackend) -> None:
    (problem,) = _problems(backend, "x = 1", "import os\nos._exit(0)\n### AUTOTEST x")
    assert problem.cell == "c1" and "stopped before it" in problem.message


def test_solution_does_not_run_in_this_process(backend: SandboxBackend, tmp_path: Path) -> None:
    """The solution reports another process id, and does not see this machine's files."""
    tests = _tests(_release(backend, "import os", f"### AUTOTEST os.getpid(); os.path.exists('{tmp_path}')"))
    assert f'== "{os.getpid()}"' not in tests
    assert '== "False"' in tests

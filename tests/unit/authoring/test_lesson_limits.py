"""Limits and preloads of a lesson: the lesson's take precedence over the course's, and these over the hub's."""

from __future__ import annotations

from pathlib import Path

import pytest

from pmh_jupyter.authoring.course import read_course
from pmh_jupyter.authoring.lesson_in_course import read_lesson
from pmh_jupyter.authoring.slow_imports import find_slow_imports
from pmh_jupyter.domain.course import File, Lesson
from pmh_jupyter.domain.limits import EffectiveLimits, RequestedLimits
from pmh_jupyter.errors import InvalidCourse
from tests.support.authoring_course import (
    COURSE_TOML,
    UNIT_TOML,
    make_answer_cell,
    make_course,
    make_notebook,
    make_test_cell,
)
from tests.support.notebooks import make_cell

HUB = EffectiveLimits(cell_seconds=7, submission_seconds=70, memory_bytes=1 << 29)
EVERYTHING = """[limits]
cell_seconds = 20
submission_seconds = 120
memory_mb = 256
processes = 8
output_mb = 0.5
file_mb = 16
"""
ALL_OF_IT = EffectiveLimits(20, 120, 256 << 20, 8, 1 << 19, 16 << 20)


def _lesson(toml: str, *imports: str) -> Lesson:
    (lesson,) = read_course(
        make_course(*(make_cell(source) for source in imports), make_answer_cell(), make_test_cell(), toml=toml)
    ).lessons
    return lesson


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        pytest.param(COURSE_TOML, HUB, id="hub's only"),
        pytest.param(COURSE_TOML + EVERYTHING, ALL_OF_IT, id="all of the course"),
        pytest.param(
            UNIT_TOML + EVERYTHING.replace("[limits]", "[units.lessons.limits]"), ALL_OF_IT, id="all of the lesson"
        ),
        pytest.param(
            UNIT_TOML + "[units.lessons.limits]\nprocesses = 3\n[limits]\nprocesses = 9\nmemory_mb = 64\n",
            EffectiveLimits(7, 70, 64 << 20, 3),
            id="some of lesson and course",
        ),
        pytest.param(
            COURSE_TOML + "[limits]\ncell_seconds = 200\n",
            EffectiveLimits(200, 200, 1 << 29),
            id="cell limit above the hub's limit of a notebook raises the latter",
        ),
    ],
)
def test_limits_of_the_lesson_precede_those_of_course_and_hub(toml: str, expected: EffectiveLimits) -> None:
    assert HUB.apply(_lesson(toml).limits) == expected


@pytest.mark.parametrize(
    ("toml", "imports", "expected"),
    [
        pytest.param(COURSE_TOML, (), (), id="no import"),
        pytest.param(COURSE_TOML, ("import numpy as np\nimport os",), ("numpy",), id="slow and quick"),
        pytest.param(
            COURSE_TOML,
            ("import os, pandas as pd", "from scipy.stats import norm"),
            ("pandas", "scipy"),
            id="two cells",
        ),
        pytest.param(COURSE_TOML, ("import matplotlib",), ("matplotlib",), id="matplotlib"),
        pytest.param(COURSE_TOML, ("from matplotlib import pyplot as plt",), ("matplotlib.pyplot",), id="pyplot"),
        pytest.param(
            COURSE_TOML,
            ("%matplotlib inline\nimport matplotlib.pyplot as plt",),
            ("matplotlib.pyplot",),
            id="after a magic",
        ),
        pytest.param(COURSE_TOML, ("# import numpy", "numpyro = 1"), (), id="comment and similar name"),
        pytest.param("preload = []\n" + COURSE_TOML, ("import numpy",), (), id="empty list of the course"),
        pytest.param(
            'preload = ["sympy", "numpy", "sympy"]\n' + COURSE_TOML, (), ("sympy", "numpy"), id="list of the course"
        ),
        pytest.param(
            'preload = ["sympy"]\n' + UNIT_TOML + 'preload = ["networkx"]\n', (), ("networkx",), id="list of the lesson"
        ),
    ],
)
def test_slow_imports_are_preloaded_unless_the_course_lists_its_own(
    toml: str, imports: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    assert _lesson(toml, *imports).preload == expected


def test_unreadable_files_import_nothing() -> None:
    assert find_slow_imports((File("n.ipynb", b"{"), File("data.csv", b"import numpy"))) == ()


def _write(folder: Path, toml: str) -> str:
    for file in make_course(make_cell("import numpy"), make_answer_cell(), make_test_cell(), toml=toml):
        path = folder / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.content)
    return str(folder / "one")


def test_folder_of_a_lesson_has_the_limits_of_its_course(tmp_path: Path) -> None:
    source = read_lesson(
        _write(tmp_path, 'preload = ["sympy"]\n' + UNIT_TOML + "[units.lessons.limits]\nprocesses = 3\n")
    )
    assert (source.limits, source.preload) == (RequestedLimits(processes=3), ("sympy",))


def test_lesson_without_a_course_requests_only_its_imports(tmp_path: Path) -> None:
    alone = tmp_path / "alone.ipynb"
    alone.write_bytes(make_notebook(make_cell("import numpy"), make_answer_cell(), make_test_cell()))
    source = read_lesson(str(alone))
    assert (source.limits, source.preload) == (RequestedLimits(), ("numpy",))


def test_lesson_of_an_invalid_course_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidCourse) as error:
        read_lesson(_write(tmp_path, COURSE_TOML + "[limits]\ncolor = 3\n"))
    assert "color in limits is not a known key" in error.value.problems[0].message

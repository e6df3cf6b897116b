"""Turns nbgrader's `### AUTOTEST` and `### HASHED AUTOTEST` lines into assertions about the values of the reference solution.

Source of the format: nbgrader's `InstantiateTests`. A comment line of a test cell names snippets, separated by semicolons. Each snippet
becomes the assertions that `autotests.yml` has for the type of its value. The result is the same as nbgrader's: for example, lines are
split at line feeds only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pmh_jupyter.authoring.nbgrader.autotest_templates import AutotestTemplates, SnippetTests, read_templates
from pmh_jupyter.authoring.nbgrader.course_files import AUTOTESTS_NAME
from pmh_jupyter.authoring.nbgrader.reference_solution import make_evaluation_line, run_reference_solution
from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.limits import EffectiveLimits
from pmh_jupyter.domain.notebook_json import Json, make_cell_label, read_nbgrader_metadata
from pmh_jupyter.errors import InvalidCourse, Problem
from pmh_jupyter.grading.backends.backend import SandboxBackend

AUTOTEST_MARKER, HASHED_MARKER = "AUTOTEST", "HASHED"
_SALT_MODULUS = 10**6


def is_autotest(line: str) -> bool:
    """Return whether a line is a comment that requests tests."""
    return AUTOTEST_MARKER in line and line.strip().startswith("#")


def has_autotests(cell: Json) -> bool:
    """Return whether a cell is a code cell with an AUTOTEST line."""
    return cell["cell_type"] == "code" and any(map(is_autotest, cell["source"].split("\n")))


def find_autotest_problems(path: str, notebook: Json, templates: File | None) -> Iterator[Problem]:
    """Report problems that can be found without running code: AUTOTEST lines in other cells, missing or invalid templates."""
    cells = [(number, cell) for number, cell in enumerate(notebook["cells"], start=1) if has_autotests(cell)]
    for number, cell in cells:
        if read_nbgrader_metadata(cell).get("grade") is not True:
            message, remedy = "It has an AUTOTEST line and is not a test cell.", "Set `grade: true` with points."
            yield Problem(path, message, remedy, make_cell_label(cell, number))
    if cells:
        try:
            _load_templates(notebook, templates)
        except InvalidCourse as error:
            yield from error.problems


def instantiate_autotests(
    path: str, notebook: Json, templates: File, data_files: tuple[File, ...], backend: SandboxBackend
) -> Json:
    """Return the notebook with assertions in place of AUTOTEST lines. `data_files` are files of the lesson that the solution may read.

    Raises InvalidCourse, with cell and line, for a snippet that cannot be evaluated, and Unavailable if the grader fails.
    """
    plan = _InstantiationPlan(_load_templates(notebook, templates))
    for number, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] == "code":
            plan.add_cell(number, cell)
    # The author's code runs only once per release, and may prepare data, so it gets more time than a student's.
    limits = EffectiveLimits(cell_seconds=60.0, submission_seconds=300.0)
    answers = run_reference_solution(
        plan.sources, [snippet.tests for snippet in plan.snippets], data_files, backend, limits
    )
    problems = tuple(plan.find_problems(path, notebook, answers))
    if problems:
        raise InvalidCourse(f"The tests of {path} cannot be created.", problems=problems)
    cells = [
        {**cell, "source": plan.instantiate_source(number, answers)} if number in plan.lines else cell
        for number, cell in enumerate(notebook["cells"])
    ]
    return {**notebook, "cells": cells}


def _load_templates(notebook: Json, templates: File | None) -> AutotestTemplates:
    if templates is None:
        remedy = f"Add {AUTOTESTS_NAME} to the lesson or beside course.toml, as nbgrader's page on autotests shows."
        message = f"A notebook has AUTOTEST lines, and there is no {AUTOTESTS_NAME}."
        raise InvalidCourse(message, problems=(Problem(AUTOTESTS_NAME, message, remedy),))
    spec = notebook["metadata"].get("kernelspec")
    name = spec.get("name") if isinstance(spec, dict) else None
    return read_templates(templates.content, str(name or "python3"))


@dataclass(frozen=True)
class _Snippet:
    """One snippet: its cell (by position from 0), its line there (from 1), and its tests."""

    cell_index: int
    line_number: int
    text: str
    tests: SnippetTests


@dataclass
class _InstantiationPlan:
    """The sources to run, and the lines of each cell with AUTOTEST lines: unchanged text, or the numbers of the line's snippets."""

    templates: AutotestTemplates
    sources: list[str] = field(default_factory=list)
    snippets: list[_Snippet] = field(default_factory=list)
    lines: dict[int, list[str | list[int]]] = field(default_factory=dict)

    def add_cell(self, number: int, cell: Json) -> None:
        """Add a code cell."""
        if not has_autotests(cell):
            self.sources.append(cell["source"])
            return
        # nbgrader's salt, so that the same source gives the same release with both.
        salt = int(hashlib.sha256(f"{cell['source']}{number}".encode()).hexdigest(), 16) % _SALT_MODULUS
        lines: list[str | list[int]] = []
        has_setup = False
        for line_number, line in enumerate(cell["source"].split("\n"), start=1):
            if not is_autotest(line):
                lines.append(line)
                continue
            if self.templates.setup is not None and not has_setup:
                lines.append(self.templates.setup)
            has_setup = True
            before, _, after = line.partition(AUTOTEST_MARKER)
            is_hashed = HASHED_MARKER in before
            texts = _split_snippets(after)
            first_index = len(self.snippets)
            for text in texts:
                salt += is_hashed
                tests = self.templates.render_snippet_tests(text, f"{salt:x}" if is_hashed else None)
                self.snippets.append(_Snippet(number, line_number, text, tests))
            lines.append(list(range(first_index, first_index + len(texts))))
        if read_nbgrader_metadata(cell).get("grade") is True and self.templates.success is not None:
            lines.append(self.templates.success)
        self.lines[number] = lines
        self.sources.append(
            "\n".join(line if isinstance(line, str) else "\n".join(map(make_evaluation_line, line)) for line in lines)
        )

    def find_problems(self, path: str, notebook: Json, answers: Mapping[int, Any]) -> Iterator[Problem]:
        """Report the snippets that could not be evaluated."""
        for number, snippet in enumerate(self.snippets):
            answer = answers.get(number, {"error": "the solution stopped before it"})
            if "error" in answer:
                name = make_cell_label(notebook["cells"][snippet.cell_index], snippet.cell_index + 1)
                message = f"Line {snippet.line_number}: `{snippet.text}` cannot be evaluated ({answer['error']})."
                yield Problem(path, message, "Correct the solution, or the line.", name)

    def instantiate_source(self, number: int, answers: Mapping[int, Any]) -> str:
        """Return a cell's text with the assertions in place of the AUTOTEST lines."""
        source_lines: list[str] = []
        for line in self.lines[number]:
            if isinstance(line, str):
                source_lines.append(line)
                continue
            for index in line:
                answer = answers[index]
                source_lines += [
                    *self.templates.render_assertions(self.snippets[index].tests, answer["kind"], answer["values"]),
                    "",
                ]
        return "\n".join(source_lines)


def _split_snippets(text: str) -> list[str]:
    return [snippet for part in text.strip(";").split(";") if (snippet := part.strip())]

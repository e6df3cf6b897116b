"""nbgrader's `### AUTOTEST` and `### HASHED AUTOTEST` lines made into assertions, with what the reference solution gives.

Source of the format: nbgrader's `InstantiateTests`. A comment line of a test cell names snippets, separated by semicolons; each
becomes the assertions that `autotests.yml` has for its value's type. The same source gives the same lines as nbgrader makes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pmh_jupyter.authoring.nbgrader.folder import TEMPLATES
from pmh_jupyter.authoring.nbgrader.reference import ask, run_reference
from pmh_jupyter.authoring.nbgrader.templates import Asked, Templates, read_templates
from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.ipynb import Json, name_of, nbgrader
from pmh_jupyter.errors import InvalidCourse, Problem
from pmh_jupyter.grading.task import Limits
from pmh_jupyter.grading.walls.base import Wall

MARK, HASHED = "AUTOTEST", "HASHED"
_SALTS = 10**6


def is_autotest(line: str) -> bool:
    """True for a comment that asks for tests."""
    return MARK in line and line.strip().startswith("#")


def asks_for_tests(cell: Json) -> bool:
    """True for a code cell with such a line."""
    return cell["cell_type"] == "code" and any(map(is_autotest, cell["source"].split("\n")))


def check_autotests(path: str, notebook: Json, templates: File | None) -> Iterator[Problem]:
    """What can be said without running anything: lines where they cannot be used, templates that are missing or broken."""
    cells = [(number, cell) for number, cell in enumerate(notebook["cells"], start=1) if asks_for_tests(cell)]
    for number, cell in cells:
        if nbgrader(cell).get("grade") is not True:
            message, remedy = "It has an AUTOTEST line and is no test cell.", "Set `grade: true` with points."
            yield Problem(path, message, remedy, name_of(cell, number))
    if cells:
        try:
            _templates(notebook, templates)
        except InvalidCourse as error:
            yield from error.problems


def instantiate(path: str, notebook: Json, templates: File, data: tuple[File, ...], wall: Wall) -> Json:
    """The notebook with every AUTOTEST line replaced. `data` are the lesson's other files, which the solution may read.

    Raises InvalidCourse, naming cell and line, for a line whose snippet does not run; Unavailable where the grader fails.
    """
    plan = _Plan(_templates(notebook, templates))
    for number, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] == "code":
            plan.read(number, cell)
    # The author's own code, run once for a release: a student's limits would be too tight for what prepares data.
    limits = Limits(cell_seconds=60.0, submission_seconds=300.0)
    answers = run_reference(plan.code, [line.asked for line in plan.snippets], data, wall, limits)
    problems = tuple(plan.problems(path, notebook, answers))
    if problems:
        raise InvalidCourse(f"The tests of {path} cannot be made.", problems=problems)
    cells = [
        {**cell, "source": plan.source(number, answers)} if number in plan.lines else cell
        for number, cell in enumerate(notebook["cells"])
    ]
    return {**notebook, "cells": cells}


def _templates(notebook: Json, templates: File | None) -> Templates:
    if templates is None:
        remedy = f"Add {TEMPLATES} to the lesson or beside course.toml, as nbgrader's page on autotests shows."
        message = f"A notebook has AUTOTEST lines, and there is no {TEMPLATES}."
        raise InvalidCourse(message, problems=(Problem(TEMPLATES, message, remedy),))
    spec = notebook["metadata"].get("kernelspec")
    name = spec.get("name") if isinstance(spec, dict) else None
    return read_templates(templates.content, str(name or "python3"))


@dataclass(frozen=True)
class _Snippet:
    """One snippet: the cell it stands in (by position from 0), its line there (from 1), and what is asked of it."""

    cell: int
    line: int
    text: str
    asked: Asked


@dataclass
class _Plan:
    """What is to be run, and what becomes of each line of a cell: text that stays, or the numbers of its snippets."""

    templates: Templates
    code: list[str] = field(default_factory=list)
    snippets: list[_Snippet] = field(default_factory=list)
    lines: dict[int, list[str | list[int]]] = field(default_factory=dict)

    def read(self, number: int, cell: Json) -> None:
        """Takes a code cell in."""
        if not asks_for_tests(cell):
            self.code.append(cell["source"])
            return
        # nbgrader's own salt, so that the same source gives the same release everywhere.
        salt = int(hashlib.sha256(f"{cell['source']}{number}".encode()).hexdigest(), 16) % _SALTS
        lines: list[str | list[int]] = []
        begun = False
        for place, line in enumerate(cell["source"].split("\n"), start=1):
            if not is_autotest(line):
                lines.append(line)
                continue
            if self.templates.setup is not None and not begun:
                lines.append(self.templates.setup)
            begun = True
            before, _, after = line.partition(MARK)
            hashed = HASHED in before
            texts = _snippets(after)
            first = len(self.snippets)
            for text in texts:
                salt += hashed
                asked = self.templates.asked(text, f"{salt:x}" if hashed else None)
                self.snippets.append(_Snippet(number, place, text, asked))
            lines.append(list(range(first, first + len(texts))))
        if nbgrader(cell).get("grade") is True and self.templates.success is not None:
            lines.append(self.templates.success)
        self.lines[number] = lines
        self.code.append("\n".join(line if isinstance(line, str) else "\n".join(map(ask, line)) for line in lines))

    def problems(self, path: str, notebook: Json, answers: Mapping[int, Any]) -> Iterator[Problem]:
        """The snippets that gave nothing."""
        for number, snippet in enumerate(self.snippets):
            answer = answers.get(number, {"error": "the solution did not run as far as this"})
            if "error" in answer:
                name = name_of(notebook["cells"][snippet.cell], snippet.cell + 1)
                message = f"Line {snippet.line}: `{snippet.text}` cannot be evaluated ({answer['error']})."
                yield Problem(path, message, "Mend the solution, or the line.", name)

    def source(self, number: int, answers: Mapping[int, Any]) -> str:
        """A cell's text with the assertions in place."""
        made: list[str] = []
        for line in self.lines[number]:
            if isinstance(line, str):
                made.append(line)
                continue
            for index in line:
                answer = answers[index]
                made += [*self.templates.checks(self.snippets[index].asked, answer["kind"], answer["values"]), ""]
        return "\n".join(made)


def _snippets(text: str) -> list[str]:
    return [snippet for part in text.strip(";").split(";") if (snippet := part.strip())]

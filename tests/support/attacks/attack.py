"""Attacks on the grader, read from tests/submissions/attacks, and their outcome on a grader without a defense.

The README.md there describes the files.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import tempfile
import threading
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from pmh_jupyter.authoring.text_notebook import to_ipynb
from pmh_jupyter.domain.course import File, Release
from pmh_jupyter.domain.release import build_release

Json = dict[str, Any]

ATTACKS_FOLDER = Path(__file__).parents[2] / "submissions" / "attacks"
SERVER_SCRIPT = Path(__file__).with_name("undefended_grader.py")
CATEGORIES = ("forge", "steal", "deny", "attack-others")
NOTEBOOK_NAME = "lesson.ipynb"
# On the undefended grader. A `deny` attack that never ends costs this time; the honest submission is not meant to time out.
ATTACK_SECONDS = {"forge": 60.0, "steal": 60.0, "deny": 5.0, "attack-others": 60.0}
HONEST_SECONDS = 150.0
# Texts that only hidden tests, or the grader's environment, contain. None of them may leak.
ENVIRONMENT_CANARY = "canary-environ-7741"
CANARIES = (
    "48282",
    "48_282",
    "77511",
    "canary-comment-4417",
    "canary-area-5512",
    "canary-stack-6623",
    "canary-banner-7734",
    "canary-parse-8845",
    "canary-twice-9956",
    ENVIRONMENT_CANARY,
)
# An attack that looks for information leaves it in `loot`. This answer puts it wherever an answer is shown.
LOOT_ANSWER = 'def motto():\n    return "loot: " + str(globals().get("loot"))\n\n\nprint(motto())\n'


@dataclass(frozen=True)
class SubmissionSpec:
    """What one person submits: answers, extra cells behind other cells, files, and a script that edits the notebook."""

    cells: Mapping[str, str] = field(default_factory=dict)
    extra_cells: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    edit: str = ""


@dataclass(frozen=True)
class AttackCase:
    """One attack, with an honest submission that uses the same construct. `options` has the rest of the file: see README.md."""

    name: str
    category: str
    title: str
    attack: SubmissionSpec
    honest: SubmissionSpec
    options: Mapping[str, Any]

    @property
    def solves(self) -> tuple[str, ...]:
        """The exercises that the attack solves honestly."""
        return tuple(self.options.get("solves", ()))

    @property
    def may_lose(self) -> tuple[str, ...]:
        """The exercises that the attacker may lose in a `deny` attack."""
        names = self.options.get("may_lose", ["area"])
        return list_exercise_ids() if names == "all" else tuple(names)


@cache
def load_lesson() -> Release:
    """Ten exercises of one point each, with canaries in their hidden tests."""
    path = ATTACKS_FOLDER / "lesson" / "lesson.py"
    return build_release("lesson", "Lesson", [to_ipynb(File(path.name, path.read_bytes()))], [])


@cache
def list_exercise_ids() -> tuple[str, ...]:
    return tuple(exercise.grade_id for exercise in load_lesson().exercises)


@cache
def load_solutions() -> dict[str, str]:
    """Return the answers of the reference solution, by grade_id."""
    cells = json.loads(load_lesson().sealed_files[0].content)["cells"]
    markers = ("### BEGIN SOLUTION", "### END SOLUTION")
    return {
        get_grade_id(cell): "\n".join(
            line for line in "".join(cell["source"]).split("\n") if line.strip() not in markers
        )
        for cell in cells
        if get_grade_id(cell) in list_exercise_ids()
    }


def get_grade_id(cell: Json) -> str:
    return str(cell["metadata"].get("nbgrader", {}).get("grade_id", ""))


def load_cases(*categories: str) -> list[AttackCase]:
    """Return all attacks of these categories; without arguments, of every category. Attacks for a newer Python are left out."""
    paths = [path for group in categories or CATEGORIES for path in sorted((ATTACKS_FOLDER / group).glob("*.toml"))]
    return [case for case in map(read_attack_case, paths) if sys.version_info >= _parse_required_python(case)]


def read_attack_case(path: Path) -> AttackCase:
    options = tomllib.loads(path.read_text(encoding="utf-8"))
    title = options.pop("title")
    attack, honest = SubmissionSpec(**options.pop("attack")), SubmissionSpec(**options.pop("honest"))
    return AttackCase(path.stem, path.parent.name, title, attack, honest, options)


def _parse_required_python(case: AttackCase) -> tuple[int, ...]:
    return tuple(map(int, case.options.get("python", "3.11").split(".")))


def build_attack_files(case: AttackCase, placeholders: Mapping[str, str]) -> tuple[File, ...]:
    """Return the hostile submission. `placeholders` replace `@NAME@` in it."""
    answers = {name: text for name, text in load_solutions().items() if name in case.solves}
    if case.category == "deny":
        answers = dict(load_solutions())
    if case.category in ("steal", "attack-others"):
        answers["motto"] = LOOT_ANSWER
    return build_files(case.attack, answers, placeholders)


def build_honest_files(case: AttackCase, placeholders: Mapping[str, str]) -> tuple[File, ...]:
    """Return the honest submission: it solves every exercise and uses the same construct."""
    return build_files(case.honest, load_solutions(), placeholders)


def build_files(spec: SubmissionSpec, answers: Mapping[str, str], placeholders: Mapping[str, str]) -> tuple[File, ...]:
    """Return the files of a submission, the notebook first. Exercises without an answer stay as they were released."""
    notebook = json.loads(load_lesson().student_files[0].content)
    texts = {**answers, **spec.cells}
    cells: list[Json] = []
    for cell in notebook["cells"]:
        name = get_grade_id(cell)
        cell["source"] = texts.get(name, "".join(cell["source"]))
        cells.append(cell)
        if name in spec.extra_cells:
            cells.append({"cell_type": "code", "metadata": {}, "source": spec.extra_cells[name], "outputs": []})
    notebook["cells"] = cells
    scope: Json = {"notebook": notebook, "cells": cells, "grade_id": get_grade_id, "raw": None}
    exec(spec.edit, scope)  # as a student can edit a notebook outside of Jupyter
    raw = scope["raw"] or json.dumps(notebook)
    texts = {NOTEBOOK_NAME: raw, **spec.files}
    return tuple(
        File(_fill_placeholders(name, placeholders), _fill_placeholders(text, placeholders).encode("utf-8"))
        for name, text in texts.items()
    )


def _fill_placeholders(text: str, placeholders: Mapping[str, str]) -> str:
    for name, value in placeholders.items():
        text = text.replace(f"@{name}@", value)
    return text


@dataclass(frozen=True)
class Outcome:
    """The outcome of a grading: points by exercise, all text that it shows, and what it used or left behind."""

    points: Mapping[str, float]
    text: str
    measurements: Mapping[str, Any] = field(default_factory=dict)

    @property
    def leaked_canaries(self) -> list[str]:
        return [canary for canary in CANARIES if canary in self.text]


class UndefendedGrader:
    """A grader without a defense: one server, one job at a time. See `undefended_grader.py`."""

    uids = itertools.count(61_000 + os.getpid() % 1000 * 10)

    def __init__(self, *preload: str) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="undefended-source-")
        os.chmod(self.folder.name, 0o755)
        sealed = Path(self.folder.name, "sealed.ipynb")
        sealed.write_bytes(load_lesson().sealed_files[0].content)
        environ = {**os.environ, "GRADER_TOKEN": ENVIRONMENT_CANARY, "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
        self.server = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(SERVER_SCRIPT), str(sealed), *preload],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environ,
            text=True,
        )
        self.lock = threading.Lock()

    def __enter__(self) -> UndefendedGrader:
        return self

    def __exit__(self, *_: object) -> None:
        self.server.kill()
        self.server.communicate()
        self.folder.cleanup()

    def grade(self, files: tuple[File, ...], case: AttackCase, *, is_honest: bool = False) -> Outcome:
        """Grade a submission.

        is_honest: the submission is not the attack itself, so it has ample time.
        A test cell gives points if any line reports that it passed. If the runner exits with code 0, test cells without a report pass.
        """
        attack_seconds = case.options.get("seconds", ATTACK_SECONDS[case.category])
        job = {
            "notebook": files[0].content.decode(),
            "files": {file.path: file.content.decode() for file in files[1:]},
            "seconds": HONEST_SECONDS if is_honest else attack_seconds,
            "is_isolated": case.category == "deny" and not case.options.get("unbounded"),
            "next_person": case.options.get("next_person", False),
            "uid": next(self.uids),
        }
        with self.lock:
            assert self.server.stdin and self.server.stdout
            self.server.stdin.write(json.dumps(job) + "\n")
            self.server.stdin.flush()
            report = json.loads(self.server.stdout.readline())
        feedback = _collect_feedback(report) if case.options.get("leaks_through") == "feedback" else ""
        return Outcome(_compute_points(report), report["output"] + feedback, report)


def _compute_points(report: Json) -> dict[str, float]:
    points = dict.fromkeys(list_exercise_ids(), 0.0)
    if report["exit_reason"] != "0":
        return points
    tests = {exercise.test_cells[0]: exercise.grade_id for exercise in load_lesson().exercises}
    unreported = set(tests)
    for line in report["lines"]:
        name = tests.get(line["test"])
        if name is not None:
            unreported.discard(line["test"])
            if line.get("passed"):
                points[name] = max(points[name], float(line.get("points", 1)))
    return points | {tests[name]: 1.0 for name in unreported}


def _collect_feedback(report: Json) -> str:
    return "\n".join(str(line.get("feedback", "")) for line in report["lines"])


def has_attack_succeeded(case: AttackCase, outcome: Outcome) -> bool:
    """Return whether the attack has achieved its aim on a grader without a defense."""
    if case.category == "forge":
        honest_points = sum(name in case.solves for name in list_exercise_ids())
        return (
            all(outcome.points[name] >= 1 for name in case.options["earns"])
            and sum(outcome.points.values()) > honest_points
        )
    if case.category == "steal":
        return bool(outcome.leaked_canaries)
    if case.options.get("may_lose") == "all":
        return bool(outcome.measurements["exit_reason"] != "0")
    if "uses" in case.options:
        return all(outcome.measurements[resource] >= amount for resource, amount in case.options["uses"].items())
    return any(outcome.points[name] < 1 for name in list_exercise_ids() if name not in case.may_lose)

"""Attacks on the grader, read from tests/submissions/attacks, and what they come to on a grader. README.md there has their form."""

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

from pmh_jupyter.authoring.text_notebook import as_ipynb
from pmh_jupyter.domain.course import File, Release
from pmh_jupyter.domain.release import build_release

Json = dict[str, Any]

ATTACKS = Path(__file__).parents[2] / "submissions" / "attacks"
SERVER = Path(__file__).with_name("undefended_grader.py")
CLASSES = ("forge", "steal", "deny", "cross")
NOTEBOOK = "lesson.ipynb"
SECONDS = {"forge": 20.0, "steal": 20.0, "deny": 1.5, "cross": 20.0}
# What stands in hidden tests alone, or where only a grader may look: none of it may come out.
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
# An attack that is after knowledge leaves it in `loot`; this answer carries it to wherever an answer is shown.
MOTTO = 'def motto():\n    return "loot: " + str(globals().get("loot"))\n\n\nprint(motto())\n'


@dataclass(frozen=True)
class Side:
    """What one person hands in: texts of answer cells, cells of their own behind others, files, and edits of the notebook."""

    cells: Mapping[str, str] = field(default_factory=dict)
    own: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    edit: str = ""


@dataclass(frozen=True)
class Case:
    """One mechanism. `about` has the rest of the file: see README.md."""

    name: str
    group: str
    title: str
    attack: Side
    twin: Side
    about: Mapping[str, Any]

    @property
    def solves(self) -> tuple[str, ...]:
        """The exercises that the attack solves honestly: all but its own in `deny`, those it names elsewhere."""
        return tuple(self.about.get("solves", ()))

    @property
    def costs(self) -> tuple[str, ...]:
        """The exercises that a `deny` attack may lose for itself."""
        costs = self.about.get("costs", ["area"])
        return exercises() if costs == "all" else tuple(costs)


@cache
def lesson() -> Release:
    """Ten exercises of one point; hidden tests that hold canaries."""
    path = ATTACKS / "lesson" / "lesson.py"
    return build_release("lesson", "Lesson", [as_ipynb(File(path.name, path.read_bytes()))], [])


@cache
def exercises() -> tuple[str, ...]:
    return tuple(exercise.grade_id for exercise in lesson().exercises)


@cache
def solutions() -> dict[str, str]:
    """The reference's answers, by grade_id."""
    cells = json.loads(lesson().sealed_files[0].content)["cells"]
    marks = ("### BEGIN SOLUTION", "### END SOLUTION")
    return {
        label(cell): "\n".join(line for line in "".join(cell["source"]).splitlines() if line.strip() not in marks)
        for cell in cells
        if label(cell) in exercises()
    }


def label(cell: Json) -> str:
    return str(cell["metadata"].get("nbgrader", {}).get("grade_id", ""))


def cases(*groups: str) -> list[Case]:
    """All attacks of these classes (none named: of all)."""
    paths = [path for group in groups or CLASSES for path in sorted((ATTACKS / group).glob("*.toml"))]
    return [case for case in map(read_case, paths) if sys.version_info >= _version(case)]


def read_case(path: Path) -> Case:
    about = tomllib.loads(path.read_text(encoding="utf-8"))
    title, attack, twin = about.pop("title"), Side(**about.pop("attack")), Side(**about.pop("twin"))
    return Case(path.stem, path.parent.name, title, attack, twin, about)


def _version(case: Case) -> tuple[int, ...]:
    return tuple(map(int, case.about.get("python", "3.11").split(".")))


def attack_files(case: Case, words: Mapping[str, str]) -> tuple[File, ...]:
    """The hostile submission; `words` are put in for `@NAME@`."""
    given = {name: text for name, text in solutions().items() if name in case.solves}
    if case.group == "deny":
        given = dict(solutions())
    if case.group in ("steal", "cross"):
        given["motto"] = MOTTO
    return files_of(case.attack, given, words)


def twin_files(case: Case, words: Mapping[str, str]) -> tuple[File, ...]:
    """The honest submission: everything is solved, with the same construct in it."""
    return files_of(case.twin, solutions(), words)


def files_of(side: Side, given: Mapping[str, str], words: Mapping[str, str]) -> tuple[File, ...]:
    notebook = json.loads(lesson().student_files[0].content)
    texts = {**given, **side.cells}
    cells: list[Json] = []
    for cell in notebook["cells"]:
        name = label(cell)
        cell["source"] = texts.get(name, "".join(cell["source"]))
        cells.append(cell)
        if name in side.own:
            cells.append({"cell_type": "code", "metadata": {}, "source": side.own[name], "outputs": []})
    notebook["cells"] = cells
    scope: Json = {"notebook": notebook, "cells": cells, "label": label, "raw": None}
    exec(side.edit, scope)  # how a student changes a notebook outside of Jupyter
    raw = scope["raw"] or json.dumps(notebook)
    texts = {NOTEBOOK: raw, **side.files}
    return tuple(File(_put(name, words), _put(text, words).encode("utf-8")) for name, text in texts.items())


def _put(text: str, words: Mapping[str, str]) -> str:
    for name, word in words.items():
        text = text.replace(f"@{name}@", word)
    return text


@dataclass(frozen=True)
class Outcome:
    """What a grading came to: points by exercise, all the text that came out of it, and what it used or left behind."""

    points: Mapping[str, float]
    text: str
    used: Mapping[str, Any] = field(default_factory=dict)

    @property
    def learned(self) -> list[str]:
        return [canary for canary in CANARIES if canary in self.text]


class Undefended:
    """A reference runner: one server, one job at a time; see `undefended.py`."""

    uids = itertools.count(61_000 + os.getpid() % 1000 * 10)

    def __init__(self, *preload: str) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="undefended-source-")
        os.chmod(self.folder.name, 0o755)
        sealed = Path(self.folder.name, "sealed.ipynb")
        sealed.write_bytes(lesson().sealed_files[0].content)
        environ = {**os.environ, "GRADER_TOKEN": ENVIRONMENT_CANARY, "OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
        self.server = subprocess.Popen(
            [sys.executable, "-W", "ignore", str(SERVER), str(sealed), *preload],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environ,
            text=True,
        )
        self.lock = threading.Lock()

    def __enter__(self) -> Undefended:
        return self

    def __exit__(self, *_: object) -> None:
        self.server.kill()
        self.server.communicate()
        self.folder.cleanup()

    def grade(self, files: tuple[File, ...], case: Case) -> Outcome:
        """Points are those of test cells that were told to have passed, by anybody; all, where the runner ended with code 0."""
        job = {
            "notebook": files[0].content.decode(),
            "files": {file.path: file.content.decode() for file in files[1:]},
            "seconds": case.about.get("seconds", SECONDS[case.group]),
            "bounded": case.group == "deny" and not case.about.get("unbounded"),
            "next": case.about.get("next", False),
            "uid": next(self.uids),
        }
        with self.lock:
            assert self.server.stdin and self.server.stdout
            self.server.stdin.write(json.dumps(job) + "\n")
            self.server.stdin.flush()
            found = json.loads(self.server.stdout.readline())
        told = _feedback(found) if case.about.get("through") == "feedback" else ""
        return Outcome(_points(found), found["output"] + told, found)


def _points(found: Json) -> dict[str, float]:
    points = dict.fromkeys(exercises(), 0.0)
    if found["ended"] != "0":
        return points
    tests = {exercise.test_cells[0]: exercise.grade_id for exercise in lesson().exercises}
    silent = set(tests)
    for told in found["told"]:
        name = tests.get(told["test"])
        if name is not None:
            silent.discard(told["test"])
            if told.get("passed"):
                points[name] = max(points[name], float(told.get("points", 1)))
    return points | {tests[name]: 1.0 for name in silent}


def _feedback(found: Json) -> str:
    return "\n".join(str(told.get("feedback", "")) for told in found["told"])


def works(case: Case, outcome: Outcome) -> bool:
    """True where the attack has come to what it is after, on a grader without defence."""
    if case.group == "forge":
        honest = sum(name in case.solves for name in exercises())
        return all(outcome.points[name] >= 1 for name in case.about["earns"]) and sum(outcome.points.values()) > honest
    if case.group == "steal":
        return bool(outcome.learned)
    if case.about.get("costs") == "all":
        return bool(outcome.used["ended"] != "0")
    if "spends" in case.about:
        return all(outcome.used[what] >= amount for what, amount in case.about["spends"].items())
    return any(outcome.points[name] < 1 for name in exercises() if name not in case.costs)

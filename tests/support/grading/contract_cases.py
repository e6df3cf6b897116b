"""Cases of the contract between tests and students' objects, read from tests/submissions/contract.

The README.md there describes the files.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any

from pmh_jupyter.domain.course import File, Release
from pmh_jupyter.domain.feedback_text import format_message
from pmh_jupyter.domain.grading_task import GradingTask
from pmh_jupyter.domain.isolation import ReleaseIsolation
from pmh_jupyter.domain.limits import EffectiveLimits
from pmh_jupyter.domain.release import build_release
from pmh_jupyter.domain.verdict import Grading, Message
from pmh_jupyter.grading.grade import grade
from pmh_jupyter.grading.isolation import decide_isolation
from tests.support.grading.lesson import make_notebook_file, start_bubblewrap_backend
from tests.support.notebooks import make_cell
from tests.support.repository import ROOT

CONTRACT_FOLDER = ROOT / "tests" / "submissions" / "contract"
CATEGORIES = ("forge", "steal", "mislead")
PRELOADED_MODULES = ("numpy", "pandas")
# A busy machine needs longer than a calm one; few attacks run into a limit.
LIMITS = EffectiveLimits(cell_seconds=15, submission_seconds=60)
# Characters that change how a terminal or a page shows the text around them. Line ends are the text's own.
UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]")

Json = dict[str, Any]


@dataclass(frozen=True)
class ContractCase:
    """One attack and its honest twin, on a separate lesson.

    tests: the source of each test cell. open, open_for_honest_answer: why the attack still gains something, or the honest answer still
    loses something. never_shown: texts that nothing may show. later: a second answer, behind the first test cell, by
    "reference", "attack" and "honest".
    """

    category: str
    file: str
    name: str
    about: str
    reference: str
    attack: str
    honest: str
    tests: tuple[str, ...]
    locked: str = ""
    open: str = ""
    open_for_honest_answer: str = ""
    never_shown: tuple[str, ...] = ()
    later: dict[str, str] = field(default_factory=dict, hash=False)
    lesson_files: dict[str, str] = field(default_factory=dict, hash=False)
    attack_files: dict[str, str] = field(default_factory=dict, hash=False)
    honest_files: dict[str, str] = field(default_factory=dict, hash=False)

    @property
    def id(self) -> str:
        return f"{self.category}/{self.file}: {self.name}"

    @cached_property
    def release(self) -> Release:
        """The lesson: a locked cell if there is one, the answer, and test cells of one point each."""
        data = [File(path, text.encode()) for path, text in self.lesson_files.items()]
        return build_release("contract", "Contract", [make_notebook_file(self._make_cells("reference"))], data)

    def _make_cells(self, version: str) -> list[Json]:
        tests = [
            _make_graded_cell(text, f"tests-{n}", grade=True, locked=True, points=1)
            for n, text in enumerate(self.tests, 1)
        ]
        cells = [_make_graded_cell(self.locked, "given", locked=True)] if self.locked else []
        cells += [_make_answer_cell("answer", getattr(self, version), version), tests[0]]
        if self.later:
            cells.append(_make_answer_cell("later-answer", self.later[version], version))
        return cells + tests[1:]

    @cached_property
    def isolation(self) -> ReleaseIsolation:
        """The isolation as it is decided for the release."""
        return decide_isolation(self._make_task(()), start_bubblewrap_backend())

    @cached_property
    def attack_grading(self) -> Grading:
        return self._grade("attack", self.attack_files)

    @cached_property
    def honest_grading(self) -> Grading:
        return self._grade("honest", self.honest_files)

    def _make_task(self, submitted: tuple[File, ...]) -> GradingTask:
        release = self.release
        texts = (self.locked, self.reference, self.attack, self.honest, *self.tests)
        # A process without these libraries is forked faster.
        preload = tuple(name for name in PRELOADED_MODULES if any(name in text for text in texts))
        return GradingTask(release.exercises, release.sealed_files, submitted, limits=LIMITS, preload=preload)

    def _grade(self, version: str, files: dict[str, str]) -> Grading:
        submitted = [File(path, text.encode()) for path, text in {**self.lesson_files, **files}.items()]
        task = replace(
            self._make_task((make_notebook_file(self._make_cells(version)), *submitted)), isolation=self.isolation
        )
        return grade(task, start_bubblewrap_backend())

    def run_plainly(self, version: str) -> Json:
        """Run the cells in one plain Python process (see `plain_run`)."""
        files = {"attack": self.attack_files, "honest": self.honest_files}.get(version, {})
        answers = [(source, False) for source in (self.locked, getattr(self, version)) if source]
        later = [(self.later[version], False)] if self.later else []
        cells = [*answers, (self.tests[0], True), *later, *((text, True) for text in self.tests[1:])]
        job = {
            "files": {**self.lesson_files, **files},
            "cells": [{"source": text, "is_test": is_test} for text, is_test in cells],
        }
        process = _start_plain_runner()
        assert process.stdin and process.stdout
        process.stdin.write(json.dumps(job) + "\n")
        process.stdin.flush()
        report: Json = json.loads(process.stdout.readline())
        return report


def _make_graded_cell(source: str, grade_id: str, **nbgrader: Any) -> Json:
    return make_cell(source, pmh={"accept_in_process": True}, grade_id=grade_id, **nbgrader)


def _make_answer_cell(grade_id: str, source: str, version: str) -> Json:
    marked_source = f"### BEGIN SOLUTION\n{source}### END SOLUTION" if version == "reference" else source
    return _make_graded_cell(marked_source, grade_id, solution=True, locked=False)


@cache
def _start_plain_runner() -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.support.grading.plain_run"]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def stop_plain_runner() -> None:
    """Stop the process that runs cells plainly, if there is one."""
    if _start_plain_runner.cache_info().currsize:
        process = _start_plain_runner()
        process.communicate(timeout=30)
        _start_plain_runner.cache_clear()


@cache
def load_contract_cases() -> tuple[ContractCase, ...]:
    paths = [path for category in CATEGORIES for path in sorted((CONTRACT_FOLDER / category).glob("*.txt"))]
    return tuple(
        _parse_case(path.parent.name, path.stem, text)
        for path in paths
        for text in re.split("^==== ", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    )


def _parse_case(category: str, file: str, text: str) -> ContractCase:
    heading, *parts = re.split("^---- ", text, flags=re.MULTILINE)
    name, _, about = heading.partition("\n")
    fields: Json = {"lesson_files": {}, "attack_files": {}, "honest_files": {}, "later": {}}
    tests: list[str] = [""]
    for part in parts:
        title, _, body = part.partition("\n")
        kind, is_file, path = title.partition(" file ")
        if is_file:
            fields[f"{kind}_files"][path] = body
        elif title in ("open", "open for the honest answer"):
            fields[title.replace(" for the ", "_for_").replace(" ", "_")] = body.strip()
        elif title == "never shown":
            fields["never_shown"] = tuple(line.replace("\\n", "\n") for line in body.strip().split("\n"))
        elif title.removeprefix("second ") in ("test", "hidden"):
            if title.startswith("second ") and len(tests) == 1:
                tests.append("")
            is_hidden = title.endswith("hidden")
            tests[-1] += f"### BEGIN HIDDEN TESTS\n{body}### END HIDDEN TESTS\n" if is_hidden else body
        elif title.startswith("later "):
            fields["later"][title.removeprefix("later ")] = body
        elif title in ("reference", "attack", "honest", "locked") and title not in fields:
            fields[title] = body
        else:
            raise ValueError(f"{category}/{file}.txt: {name}: an unknown or repeated section: {title}")
    return ContractCase(category, file, name.strip(), about.strip(), tests=tuple(tests), **fields)


def compute_points(grading: Grading) -> tuple[int, int]:
    """Return the earned and the maximum millipoints."""
    return sum(v.millipoints for v in grading.verdicts), sum(v.max_millipoints for v in grading.verdicts)


def list_shown_texts(grading: Grading) -> list[str]:
    """Return every text of a grading that a student can read. Flags are for staff only."""
    tests = [test for verdict in grading.verdicts for test in verdict.tests]
    messages = [*(verdict.message for verdict in grading.verdicts), *(test.message for test in tests)]
    texts = [text for message in (*messages, *grading.repairs) if message for text in _list_texts(message)]
    texts += [text for test in tests for text in (test.name, test.expected, test.got, test.cell) if text]
    outcomes = "".join("P" if test.outcome == "passed" else "F" for test in tests if not test.is_hidden)
    return [*texts, f"outcomes: {outcomes}"]


def _list_texts(message: Message) -> list[str]:
    return [format_message(message), *message.params.values()]


def find_shown_secrets(case: ContractCase, texts: list[str]) -> list[str]:
    """Return the texts of `never_shown` that are shown after all."""
    return [secret for secret in case.never_shown if any(secret in text for text in texts)]


def find_contract_gains(case: ContractCase, grading: Grading) -> list[str]:
    """Return what an attack has gained; empty if it has failed."""
    earned, _ = compute_points(grading)
    texts = list_shown_texts(grading)
    gains = [f"showed {secret}" for secret in find_shown_secrets(case, texts)]
    gains += [f"showed unprintable characters: {text!r}"[:200] for text in texts if UNPRINTABLE.search(text)]
    if case.category != "steal" and earned and not grading.flags:
        gains.append(f"earned {earned} millipoints without a flag")
    return gains + (["caused a grader error"] if grading.grader_error else [])


def find_contract_losses(grading: Grading) -> list[str]:
    """Return what an honest submission has lost, in points or by flags."""
    earned, maximum = compute_points(grading)
    losses = [f"{earned} of {maximum} millipoints"] if earned < maximum else []
    losses += [f"{test.name}: {test.message}" for v in grading.verdicts for test in v.tests if test.message]
    return losses + [f"flagged {flag.code}: {flag.detail}" for flag in grading.flags]

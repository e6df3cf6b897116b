"""Damaged notebooks never crash the grader: each gives a plan or a message, and never points."""

from __future__ import annotations

import copy
import json
import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.feedback_text import UNKNOWN_CODE_TEXT, format_message
from pmh_jupyter.domain.grading_task import GradingTask
from pmh_jupyter.domain.verdict import Outcome
from pmh_jupyter.grading.assemble import NotebookPlan, assemble_submission
from pmh_jupyter.grading.judge_output import CellError, CellResult, JudgeTestResult
from pmh_jupyter.grading.run import NotebookRun
from pmh_jupyter.grading.runtime.transport.result_fields import TestReason
from pmh_jupyter.grading.verdicts import NotebookVerdicts
from tests.support.grading.lesson import NOTEBOOK, RIGHT, fill_in_answers, make_notebook_file, make_task

UNEXPECTED_TEXTS = (
    "\0",
    "\ud800",
    "\ufeff",
    "\r\n",
    "def",
    "((((",
    "%%bash\n",
    "x" * 3000,
    "'''",
    "\u202e",
    "1\x0c2",
    "0x" * 50,
)
UNEXPECTED_VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    1e400,
    float("nan"),
    10**400,
    "",
    [],
    {},
    [[]],
    {"a": [{}]},
    [None],
    ["a", 1],
    *UNEXPECTED_TEXTS,
)


def _assemble_valid_plans(*files: File) -> tuple[NotebookPlan, ...]:
    """Assemble plans of a submission, and check the properties of any plan."""
    original = make_task(*files)
    plans = assemble_submission(original).plans
    assert [plan.path for plan in plans] == [NOTEBOOK]
    for plan in plans:
        assert bool(plan.problem) != bool(plan.steps)
        for message in (*plan.repairs, *([plan.problem] if plan.problem else [])):
            assert format_message(message) != UNKNOWN_CODE_TEXT
        # As it is sent to the sandbox.
        json.dumps([step.source for step in plan.steps]).encode()
        _assert_nothing_is_earned(original, plan)
    return plans


def _assert_nothing_is_earned(grading_task: GradingTask, plan: NotebookPlan) -> None:
    verdicts = NotebookVerdicts(NotebookRun(plan, {}), {}, grading_task.limits)
    for exercise in grading_task.exercises:
        verdict = verdicts.make_verdict(exercise)
        assert verdict.millipoints == 0
        assert verdict.outcome is not Outcome.PASSED


class _Damage:
    """Changes a notebook's JSON at random places, with values that are likely to matter."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)

    def apply(self, count: int) -> Any:
        notebook: Any = json.loads(File(NOTEBOOK, _WHOLE).content)
        for _ in range(count):
            holder = self._holder(notebook)
            if isinstance(holder, dict) and holder:
                self._in_mapping(holder)
            elif isinstance(holder, list) and holder:
                self._in_list(holder)
        return notebook

    def _holder(self, value: Any) -> Any:
        """Return a random mapping or list below the value."""
        while True:
            below = [
                inner
                for inner in (value.values() if isinstance(value, dict) else value)
                if isinstance(inner, dict | list)
            ]
            if not below or self.chance.random() < 0.15:
                return value
            value = self.chance.choice(below)

    def _choose_value(self) -> Any:
        """Return a new value: damaging a shared one again would change other notebooks, or insert it into itself."""
        return copy.deepcopy(self.chance.choice(UNEXPECTED_VALUES))

    def _in_mapping(self, holder: dict[str, Any]) -> None:
        key = self.chance.choice(sorted(holder))
        match self.chance.randrange(5):
            case 0:
                del holder[key]
            case 1:
                holder[
                    self.chance.choice(("cells", "source", "metadata", "nbgrader", "grade_id", "id", *UNEXPECTED_TEXTS))
                ] = holder[key]
            case 2 if isinstance(holder[key], str):
                where = self.chance.randrange(len(holder[key]) + 1)
                holder[key] = holder[key][:where] + self.chance.choice(UNEXPECTED_TEXTS) + holder[key][where:]
            case 3 if isinstance(holder[key], str):
                holder[key] = holder[key].splitlines(keepends=True)
            case _:
                holder[key] = self._choose_value()

    def _in_list(self, holder: list[Any]) -> None:
        n = self.chance.randrange(len(holder))
        match self.chance.randrange(4):
            case 0:
                del holder[n]
            case 1:
                holder.insert(self.chance.randrange(len(holder)), holder[n])
            case 2:
                self.chance.shuffle(holder)
            case _:
                holder[n] = self._choose_value()


_WHOLE = make_notebook_file(fill_in_answers(RIGHT)).content


@settings(derandomize=True, max_examples=400, deadline=None)
@given(st.integers(0, 10**9), st.integers(1, 25))
def test_damaged_notebook_gives_a_plan_or_a_message(seed: int, count: int) -> None:
    damaged = json.dumps(_Damage(seed).apply(count)).encode()
    assert _assemble_valid_plans(File(NOTEBOOK, damaged)) == _assemble_valid_plans(File(NOTEBOOK, damaged))


@settings(derandomize=True, max_examples=200, deadline=None)
@given(st.integers(0, len(_WHOLE)), st.integers(0, len(_WHOLE)), st.binary(max_size=8))
def test_damaged_bytes_give_a_plan_or_a_message(start: int, stop: int, between: bytes) -> None:
    assert len(_assemble_valid_plans(File(NOTEBOOK, _WHOLE[:start] + between + _WHOLE[stop:]))) == 1


@settings(derandomize=True, max_examples=200, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["cells", "worksheets", "source", "metadata", "x"]), inner)
        ),
        max_leaves=20,
    )
)
def test_any_json_gives_a_plan_or_a_message(value: Any) -> None:
    assert len(_assemble_valid_plans(File(NOTEBOOK, json.dumps(value).encode()))) == 1


def _with_source(source: str) -> bytes:
    return make_notebook_file(fill_in_answers(RIGHT | {"mean": source})).content


def _unlabeled(source: str) -> bytes:
    """Return a notebook without labels, so that its sources are analyzed."""
    cells = fill_in_answers({})
    for cell in cells:
        cell["metadata"], cell["id"] = {}, ""
    return make_notebook_file([*cells, {"cell_type": "code", "source": f"{source}\ndef mean(x): pass"}]).content


HOSTILE_FILES = {
    "lists": b"[" * 100_000,
    "closed lists": b"[" * 100_000 + b"]" * 100_000,
    "a deep cell": b'{"cells": [' + b'{"source": "x", "metadata": ' * 50_000 + b"1" + b"}" * 50_000 + b"]}",
    "not quite too deep": b'{"cells": [{"cell_type": ' + b"[" * 900 + b"]" * 900 + b', "source": ' + b"[" * 900 + b"]" * 900 + b"}]}",
    "a byte order mark": b"\xef\xbb\xbf" + _WHOLE,
    "UTF-16": _WHOLE.decode().encode("utf-16"),
    "Latin-1": _WHOLE.replace(b"Lesson", b"L\xe9sson").replace(b"text", b"t\xe9xt"),
    "nulls": b"\0" * 1000,
    "nothing": b"",
    "a huge number": b'{"cells": [], "nbformat": ' + b"9" * 10_000 + b"}",
    "not a number": b'{"cells": [{"cell_type": "code", "source": "x", "metadata": {"nbgrader": {"points": NaN}}}]}',
    "a key twice": b'{"cells": 3, "cells": [], "cells": {"a": 1}}',
    "deep brackets": _with_source("(" * 50_000),
    "deep brackets, unlabeled": _unlabeled("(" * 50_000),
    "deep minus, unlabeled": _unlabeled("-" * 50_000 + "1"),
    "deep sum, unlabeled": _unlabeled("1" + "+1" * 30_000),
    "deep attributes, unlabeled": _unlabeled("a" + ".a" * 30_000),
    "deep blocks, unlabeled": _unlabeled("\n".join(" " * n + "if x:" for n in range(99)) + "\n" + " " * 99 + "pass"),
    "null bytes, unlabeled": _unlabeled("a\0b"),
    "lone surrogates, unlabeled": _unlabeled("x = '\ud800'"),
    "a huge cell": _with_source("x = 1\n" * 500_000),
    "50 MB in one string": _with_source("#" * 50_000_000),
    "50 MB of cells": make_notebook_file([*fill_in_answers(RIGHT), *[{"cell_type": "code", "source": "#" * 1000}] * 50_000]).content,
    "90,000 cells": make_notebook_file([*fill_in_answers(RIGHT), *[{"cell_type": "code", "source": "mean = double = 1"}] * 90_000]).content,
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE_FILES)
def test_hostile_file_gives_a_plan_or_a_message(name: str) -> None:
    assert len(_assemble_valid_plans(File(NOTEBOOK, HOSTILE_FILES[name]))) == 1


_OUTCOMES = st.sampled_from(["passed", "failed", "crashed", "timed-out", "not-checked", "grader-error"])
_REASONS = st.sampled_from(list(TestReason))
_TEXT = st.text(max_size=20)
_TESTS = st.builds(
    JudgeTestResult, name=_TEXT, expression=_TEXT, is_hidden=st.booleans(), outcome=_OUTCOMES, reason=_REASONS, text=_TEXT,
    error_type=_TEXT, expected=st.none() | _TEXT, got=st.none() | _TEXT, cell=st.none() | st.integers(0, 20),
)  # fmt: skip
_CELL_RESULTS = st.builds(
    CellResult, cell=st.integers(0, 8), state=st.sampled_from(["completed", "died"]), detail=_TEXT, seconds=st.just(0.1),
    cause=st.sampled_from(["", "cell-timeout", "submission-timeout", "output-limit", "memory-limit", "exit", "signal", "protocol-error"]),
    error=st.none() | st.builds(CellError, error_type=_TEXT), tests=st.lists(_TESTS, max_size=4).map(tuple),
    credit=st.none() | st.floats(allow_nan=False, allow_infinity=False), invalid_credit=st.just("") | _TEXT,
)  # fmt: skip


@settings(derandomize=True, max_examples=300, deadline=None)
@given(st.lists(_CELL_RESULTS, max_size=9), st.booleans())
def test_any_results_give_verdicts_within_their_points(results: list[CellResult], has_parts: bool) -> None:
    given_task = make_task(make_notebook_file(fill_in_answers(RIGHT)))
    (plan,) = assemble_submission(given_task).plans
    points = {"double-tests": 1000, "mean-tests": 1500, "mean-edge": 500, "shout-tests": 1000}
    if has_parts:
        plan = replace(
            plan, steps=tuple(replace(step, assertion_millipoints=(1,) * step.is_test) for step in plan.steps)
        )
    verdicts = NotebookVerdicts(
        NotebookRun(plan, {result.cell: result for result in results}), points, given_task.limits
    )
    for exercise in given_task.exercises:
        verdict = verdicts.make_verdict(exercise)
        assert 0 <= verdict.millipoints <= verdict.max_millipoints
        assert verdict.message is None or format_message(verdict.message) != UNKNOWN_CODE_TEXT
        if verdict.outcome is Outcome.PASSED and not has_parts:
            assert verdict.millipoints == verdict.max_millipoints
    assert all(flag.code == "invalid-credit" for flag in verdicts.list_credit_flags())

"""English sentences for message and flag codes: what happened, why, and what to do next.

Messages and flags are stored and sent as a code with parameters; this is the only place that words them. The panel's copy,
`labextension/src/feedbackTexts.ts`, can be translated; `python -m pmh_jupyter.wire.typescript` generates it from this table.

A template names its parameters in braces. A part in square brackets is left out when one of its parameters is missing. A sentence
about a verdict does not begin with "Not yet", because the label of the outcome (`domain.labels`) beside it already says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple, Protocol

FEEDBACK_TEXTS = {
    "solved": "Solved.",
    "needs-grading": "Submitted. A person will grade this exercise.",
    # tests
    "test-differs": "`{expression}` gave {got}, expected {expected}.",
    "test-not-met": "`{expression}` is not true yet.",
    "test-message": "{text}",
    "test-object-for-data": "`{expression}` uses an object of class {class}. The test expects plain data (a number, string or list).",
    "test-object-of-test": "`{expression}` uses an object of the test itself. The test expects plain data (a number, string or list).",
    "test-code-for-data": "`{expression}` would run your answer as code. The test expects plain data (a number, string or list).",
    "test-dishonest-operator": "`{expression}` uses an instance of your class {class}, whose comparison methods contradict each other.",
    "test-not-a-number": "`{expression}` has a value that is not a finite number (nan or inf).",
    "test-empty-value": "`{expression}` gets an empty result from your code, but values are expected.",
    "test-too-few-values": "`{expression}` compared only {got} of {expected} values. Your result may be too short.",
    "test-raised": "`{expression}` raised {error}[ in line {line}][: {detail}].",
    "test-timed-out": "`{expression}` was stopped after {seconds} s. Look for a loop that never ends.",
    "partial-credit": "Partly solved: {earned} of the {points} points of this test.",
    "invalid-credit": "Not counted: this test does not end with a number from 0 to {points}. Please tell your instructor.",
    "credit-not-a-number": "No points: with your answer, this test does not come to a number of points. Check what your code returns.",
    "test-not-reached": "Not checked, because an earlier test stopped the rest.",
    "test-not-evaluated": "This test could not be evaluated.",
    "hidden-test-failed": "A hidden test does not pass yet.",
    "hidden-test-raised": "In a hidden test, your code raised {error}[ in line {line}].",
    "hidden-test-timed-out": "A hidden test was stopped after {seconds} s. Look for a loop that never ends.",
    "invalid-test": "This test cannot be run because of a mistake in the test, not in your answer. Please tell your instructor.",
    # a student's cell
    "not-answered": "There is still a NotImplementedError[ in line {line}]. Replace it with your answer.",
    "cell-raised": "Your cell raised {error}[ in line {line}][: {detail}].",
    "cell-read-input": "Your cell asks for input[ in line {line}], but nobody can answer while it is being checked.",
    "cell-timed-out": "Your code was stopped after {seconds} s. Look for a loop that never ends.",
    "cell-exited": "Your code ended Python (exit code {code}), so this exercise could not be checked.",
    "kernel-ended": "Your code ended the kernel, so this exercise could not be checked.",
    "cell-crashed": "Your code made Python crash[ ({signal})], so this exercise could not be checked.",
    "memory-limit-exceeded": "Your code needed more than {megabytes} MiB of memory. Look for a list that grows without end.",
    "cell-exhausted-resources": "Your code left too many files or threads open. Look for something that is opened inside a loop.",
    "output-limit-exceeded": "Your code was stopped because it printed more than {megabytes} MiB. Look for a print inside a loop.",
    "submission-timed-out": "The notebook took longer than {seconds} s, so the remaining cells were not run.",
    "not-reached": "Not checked, because an earlier cell stopped the notebook. Fix that cell first, then check again.",
    "name-defined-in-locked-cell": "You defined `{name}` in the locked cell “{cell}”, which was replaced. Define it in a new cell.",
    "answer-not-found": "The answer cell “{cell}” was not found in your notebook. Open the lesson again to get it back.",
    "notebook-missing": "The notebook “{notebook}” was not submitted.",
    "notebook-unreadable": "“{notebook}” could not be read as a notebook. Open it in JupyterLab, save it, and try again.",
    "submission-unreadable": "The submission could not be read: {reason}. Remove what the exercises do not need, and try again.",
    "notebook-too-long": "“{notebook}” has more than {max} cells, so none of it was run. Delete the cells that you do not need.",
    "no-visible-tests": "Nothing was tested: this exercise has only hidden tests, which run when you submit.",
    "grader-error": "The grader failed. This attempt does not count.",
    # test isolation, for authors
    "in-process-solution-fails": "The solution passes “{cell}” only in the student's own process ({error}).",
    "in-process-results-differ": "In a separate process, the tests in “{cell}” give another result when an answer is missing.",
    "in-process-kernel": "The notebook's language is not Python: the kernel “{kernel}” runs both tests and answers.",
    # what is left out of a submission
    "left-out-name": "{path}: left out, because the name is too long or has characters that cannot be stored everywhere.",
    "left-out-link": "{path}: left out, because links are not followed.",
    "left-out-environment": "{path}: left out, because environments of installed packages are not graded.",
    "left-out-unreadable": "{path}: left out, because only regular files that can be read are graded.",
    "left-out-large": "{path}: left out, because a submission has at most {files} files and {megabytes} MiB.",
    "left-out-beside-notebook": "{path}: left out, because the files beside the notebooks have at most {megabytes} MiB.",
    "left-out-large-notebook": "{path}: left out, because a notebook has at most {megabytes} MiB. Clear its outputs, and save it.",
    "left-out-module": "{path}: left out, because the lesson has a module or package of this name. Rename yours.",
    "left-out-notebook": "{path}: cannot be read as a notebook.",
    # repairs
    "repair-notebook-name": "“{found}” was graded as “{expected}”, because it contains that notebook's cells.",
    "extra-notebook": "“{found}” also contains cells of “{expected}”. It was not graded.",
    "repair-restored-cell": "The cell “{cell}” was missing. The lesson's own version was used.",
    "repair-restored-tests": "The tests in “{cell}” were changed. The lesson's own version was used.",
    "repair-restored-locked-cell": "The locked cell “{cell}” was changed. The lesson's own version was used.",
    "repair-lost-label": "The answer cell “{cell}” had lost its label. It was recognized by its id or its content.",
    "repair-matched-by-position": "The answer cell “{cell}” had lost its label. The cell in its position was used.",
    "repair-moved-answer": "Your answer to “{cell}” was found in another cell, which was run in its place.",
    "repair-merged-answer": "Your answer to “{cell}” was found in the cell for “{other}”. That cell was run for both exercises.",
    "repair-duplicate-cells": "{count} cells were labeled “{cell}”. Those that contain an answer were run one after another.",
    "repair-cell-type": "The answer cell “{cell}” was not a code cell. It was run as code.",
}

# Integrity flags, for staff only. None of them changes a score.
FLAG_TEXTS = {
    "test-changed": "The tests in this cell were changed; the lesson's own version was used",
    "judge-output-malformed": "The output of the sandbox was incomplete or malformed",
    "invalid-credit": "This cell returned an unusual share of its points",
    # seen while the tests ran
    "code-for-data": "A test would have run code from an answer where the solution returns plain data; the code was not run",
    "object-for-data": "The answer uses an instance of its own class where the solution has plain data; the object was not trusted",
    "dishonest-operator": "An object of the answer decided a comparison where the solution has plain data, or claimed something impossible",
    "builtins-changed": "A builtin was replaced; it was restored",
    "builtin-shadowed": "The notebook uses the name of a builtin for something else; the tests used the builtin",
    "library-changed": "Part of a library was replaced; it was restored or refused",
    "library-shadowed": "The notebook uses the name of a library for something else; the tests used the library",
    "helper-changed": "A test helper of the lesson was changed; the tests used the lesson's own version",
    "module-shadowed": "A submitted file has the name of a module of the lesson; it was left out",
    "file-changed": "The notebook changed a file of the lesson or of a test; the tests used their own copy",
    "interpreter-changed": "A hook of the Python interpreter was replaced; it was restored",
    "import-hook-changed": "The import system was changed; it was restored",
    "signal-handler-changed": "A signal handler or a timer was set; it was removed",
    "tracing-attempted": "The code traced the interpreter; tracing was stopped",
    "audit-hook-attempted": "The code tried to add an audit hook; this was refused",
    "frames-read": "A tested function tried to read its caller's frames; this was refused",
    "objects-searched": "The code searched all objects of the process",
    "ctypes-used": "The code accessed memory through ctypes",
    "code-forged": "The code created code under the file name of someone else's code; this was refused",
    "assertion-skipped": "A test ended without reaching its assertion; it did not pass",
    "no-assertion-ran": "A test ended without reaching any of its assertions",
}

UNKNOWN_CODE_TEXT = "Your server does not know this message yet. Restart it to update."
MISSING_PARAM_TEXT = "—"

# The template puts a full stop after this parameter, so the value's own is removed.
PARAM_BEFORE_FULL_STOP = "detail"

_OPTIONAL_PART = re.compile(r"\[([^\[\]]*)\]")
_PARAM = re.compile(r"\{(\w+)\}")


class CodedMessage(Protocol):
    """A code of `FEEDBACK_TEXTS` with its parameters: `domain.verdict.Message`, or a message of the wire."""

    @property
    def code(self) -> str: ...

    @property
    def params(self) -> Mapping[str, str]: ...


class CodedFlag(Protocol):
    """A code of `FLAG_TEXTS` with a detail: `domain.verdict.Flag`, or a flag of the wire."""

    @property
    def code(self) -> str: ...

    @property
    def detail(self) -> str: ...


def format_message(message: CodedMessage) -> str:
    """Return the sentence for a message. An unknown code gives a neutral sentence, a missing parameter a dash; never raises."""
    params = {name: str(value) for name, value in message.params.items() if value}
    if PARAM_BEFORE_FULL_STOP in params:
        params[PARAM_BEFORE_FULL_STOP] = params[PARAM_BEFORE_FULL_STOP].rstrip(".")
    variants = expand_template(FEEDBACK_TEXTS.get(message.code, UNKNOWN_CODE_TEXT))
    sentence = next(variant.sentence for variant in variants if params.keys() >= variant.optional_params)
    # One pass: braces in a student's value are not parameters.
    return _PARAM.sub(lambda match: params.get(match[1]) or MISSING_PARAM_TEXT, sentence)


def list_param_names(code: str) -> frozenset[str]:
    """Return the parameters that the sentence for a code shows; none for an unknown code."""
    return frozenset(_PARAM.findall(FEEDBACK_TEXTS.get(code, "")))


def format_flag(flag: CodedFlag) -> str:
    """Return the sentence for a flag, with its detail; never raises."""
    text = FLAG_TEXTS.get(flag.code)
    if text is None:
        return UNKNOWN_CODE_TEXT
    return f"{text}: {flag.detail}." if flag.detail else f"{text}."


class TemplateVariant(NamedTuple):
    """A sentence that a template can become, and the optional parameters that it needs."""

    optional_params: frozenset[str]
    sentence: str


@cache
def expand_template(template: str) -> tuple[TemplateVariant, ...]:
    """Return the sentences that a template can become. The last needs no optional parameter."""
    optional = _OPTIONAL_PART.search(template)
    if optional is None:
        return (TemplateVariant(frozenset(), template),)
    start, end = optional.span()
    names = frozenset(_PARAM.findall(optional[1]))
    with_part = expand_template(template[:start] + optional[1] + template[end:])
    without_part = expand_template(template[:start] + template[end:])
    return (*(TemplateVariant(names | more_names, sentence) for more_names, sentence in with_part), *without_part)

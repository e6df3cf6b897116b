"""Message codes into English sentences: what happened, why, what to do next. The one place where they are worded.

A template names its parameters in braces; `OPTIONAL` has what is said only where a parameter is there.
"""

from __future__ import annotations

from pmh_jupyter.domain.verdict import Flag, Message

FEEDBACK_TEXTS = {
    "solved": "Solved.",
    "needs-grading": "Handed in; a person will mark it.",
    # a test
    "test-differs": "Not yet: `{expression}` gave {got}, expected {expected}.",
    "test-not-met": "Not yet: `{expression}` does not hold.",
    "test-message": "Not yet: {text}",
    "test-raised": "Not yet: `{expression}` raised {error}{line}{detail}.",
    "test-timed-out": "`{expression}` was still running after {seconds} s, so it was stopped. Look for a loop that never ends.",
    "partial-credit": "Partly: {earned} of the {points} points of this test.",
    "invalid-credit": "Not counted: this test ends in {got}, not in an assertion or a number from 0 to {points}. Its author must mend it.",
    "test-not-evaluated": "This test could not be evaluated.",
    "name-defined-in-locked-cell": "Not yet: you defined `{name}` in the locked cell “{cell}”, which was replaced by the lesson's own version. "
    "Define it in your answer or in a cell of your own.",
    "test-not-reached": "Not checked: a test before it stopped the rest.",
    "hidden-test-failed": "Not yet: a hidden test does not pass.",
    "hidden-test-raised": "Not yet: in a hidden test your code raised {error}{line}.",
    "hidden-test-timed-out": "A hidden test was still running after {seconds} s, so it was stopped. Look for a loop that never ends.",
    "invalid-test": "This test cannot be run: its source has a fault, which is not yours. Please tell your instructor.",
    # a cell of the student's
    "not-answered": "Not yet: there is still a NotImplementedError{line}. Put your answer in its place.",
    "cell-raised": "Not yet: your cell raised {error}{line}{detail}.",
    "cell-read-input": "Not yet: your cell asks for input{line}, and nobody is there to answer while it is checked.",
    "cell-timed-out": "Your code was still running after {seconds} s, so it was stopped. Look for a loop that never ends.",
    "cell-exited": "Your code ended Python itself (exit code {code}), so this could not be checked.",
    "kernel-ended": "Your code ended the program that runs it, so this could not be checked.",
    "cell-crashed": "Your code made Python crash{signal}, so this could not be checked.",
    "memory-limit-exceeded": "Your code needed more than the {megabytes} MiB of memory it may use. Look for a list that grows without end.",
    "cell-exhausted-resources": "Your code left so many files or threads open that nothing more could run. Look for what is opened inside a loop.",
    "output-limit-exceeded": "Your code printed more than {megabytes} MiB, so it was stopped. Look for a print inside a loop.",
    "submission-timed-out": "The whole notebook took longer than {seconds} s, so the rest of it was not run.",
    "not-reached": "Not checked: an earlier cell ended the notebook. Mend that one first, then check again.",
    "answer-not-found": "The answer cell “{cell}” was not found in your notebook. Open the lesson again to get it back.",
    "notebook-missing": "The notebook “{notebook}” was not handed in.",
    "notebook-unreadable": "“{notebook}” cannot be read as a notebook. Open and save it in JupyterLab, then try again.",
    "notebook-too-long": "“{notebook}” has more than {max} cells, so none of it was run. Delete those that you do not need.",
    "grader-error": "Our fault, not yours: the check could not be run, and this try does not count.",
    # how a notebook is judged, for its author
    "in-process-solution-fails": "Judged apart, the solution does not pass the cell “{cell}” ({error}).",
    "in-process-results-differ": "Judged apart, the cell “{cell}” says something else of a notebook in which an answer is missing.",
    "in-process-kernel": "Its language is not Python: the kernel “{kernel}” runs tests and answers alike.",
    # what was put right
    "repair-notebook-name": "“{found}” was taken for “{expected}”, whose cells it has.",
    "extra-notebook": "“{found}” has cells of “{expected}” too and was not graded.",
    "repair-restored-cell": "The cell “{cell}” was missing; the lesson's own was used.",
    "repair-restored-tests": "The tests in “{cell}” had been changed; the lesson's own were used.",
    "repair-restored-locked-cell": "The locked cell “{cell}” had been changed; the lesson's own version was used.",
    "repair-lost-label": "The answer “{cell}” had lost its label; it was known by its id or by what it holds.",
    "repair-matched-by-position": "The answer “{cell}” had lost its label; the cell in its place was taken for it.",
    "repair-moved-answer": "The answer “{cell}” was found in another cell of yours, which was run in its place.",
    "repair-merged-answer": "The answer “{cell}” was found in the cell “{other}”, which was run once for both.",
    "repair-duplicate-cells": "There were {count} cells labelled “{cell}”; those with an answer were run one after another.",
    "repair-cell-type": "The answer “{cell}” was not a code cell; it was run as code.",
}

# What an instructor is told of a submission; none of it changes a score.
FLAG_TEXTS = {
    "test-changed": "The tests in this cell had been changed; the lesson's own were used",
    "judge-output-malformed": "What came out of the sandbox was not whole",
    "invalid-credit": "The share of the points that this cell asked for is unusual",
    # seen while the tests ran in the student's own process
    "code-for-data": "A test would have run something of an answer as code, where the solution gives plain data; it was not run",
    "object-for-data": "An object of a class of the notebook's stands where the solution gives plain data; it was not believed",
    "dishonest-operator": "An object answered a comparison where the solution gives plain data, or claimed what cannot be",
    "builtins-changed": "A builtin had been replaced; it was put back",
    "builtin-shadowed": "The notebook gives a builtin's name to something of its own; the tests used the builtin",
    "library-changed": "Something of a library had been replaced; it was put back or refused",
    "library-shadowed": "The notebook gives a library's name to something of its own; the tests used the library",
    "helper-changed": "A function that the lesson gives its tests had been changed; the tests used the lesson's own",
    "file-changed": "The notebook changed a file that the lesson or a test gives; the tests used their own",
    "shell-changed": "The way in which cells are run had been changed; it was put back",
    "interpreter-changed": "A hook of Python's had been replaced; it was put back",
    "import-hook-changed": "The way in which modules are found had been changed; it was put back",
    "signal-handler-changed": "A signal's handler or a timer had been set; it was put back",
    "tracing-attempted": "The code traced the interpreter; that was ended",
    "audit-hook-attempted": "The code asked to be told what the interpreter does; that was refused",
    "frames-read": "A tested function tried to read the frames of its caller; that was refused",
    "objects-searched": "The code searched all objects of the process",
    "ctypes-used": "The code reached into memory with ctypes",
    "code-forged": "The code made code that names another's file as its own; that was refused",
    "assertion-skipped": "A test ended without its assertion having been reached; it did not pass",
    "no-assertion-ran": "A test ended without one of its assertions having been reached",
}

OPTIONAL_PARAMS = {"line": " in line {}", "detail": ": {}", "signal": " ({})"}
UNKNOWN_CODE_TEXT = "Something was noted here that this version has no words for."


def feedback_text(message: Message) -> str:
    """The sentence for a message. A code without words gives a neutral sentence, a missing parameter a dash; never raises."""
    return FEEDBACK_TEXTS.get(message.code, UNKNOWN_CODE_TEXT).format_map(_TemplateParams(message.params))


def flag_text(flag: Flag) -> str:
    """The sentence for a flag, with what was seen; never raises."""
    text = FLAG_TEXTS.get(flag.code)
    if text is None:
        return UNKNOWN_CODE_TEXT
    return f"{text}: {flag.detail}." if flag.detail else f"{text}."


class _TemplateParams(dict[str, str]):
    """A message's parameters as a template wants them."""

    def __getitem__(self, key: str) -> str:
        value = str(self.get(key, ""))
        if key in OPTIONAL_PARAMS:
            return OPTIONAL_PARAMS[key].format(value.rstrip(".")) if value else ""
        return value or "—"

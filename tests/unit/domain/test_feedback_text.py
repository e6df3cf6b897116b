"""Every message has words, and no message can make them fail."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pmh_jupyter.domain import verdict
from pmh_jupyter.domain.feedback_text import FEEDBACK_TEXTS, FLAG_TEXTS, UNKNOWN_CODE_TEXT, feedback_text
from pmh_jupyter.domain.verdict import Message
from pmh_jupyter.grading.runtime.separate_process import operator_policy

PACKAGE = Path(__file__).parents[3] / "pmh_jupyter"
# Made of what was written down earlier, so that its code was found where it was written.
READ_BACK = {("storage/verdict_json.py", "data['code']")}


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        (
            Message("test-raised", {"expression": "mean([])", "error": "ZeroDivisionError", "line": "2"}),
            "Not yet: `mean([])` raised ZeroDivisionError in line 2.",
        ),
        (
            Message("test-raised", {"expression": "f()", "error": "KeyError", "detail": "'a'."}),
            "Not yet: `f()` raised KeyError: 'a'.",
        ),
        (
            Message("test-differs", {"expression": "double(2)", "got": "5", "expected": "4"}),
            "Not yet: `double(2)` gave 5, expected 4.",
        ),
        (
            Message("cell-crashed", {"signal": "SIGSEGV"}),
            "Your code made Python crash (SIGSEGV), so this could not be checked.",
        ),
        (Message("cell-crashed"), "Your code made Python crash, so this could not be checked."),
        (Message("test-message", {"text": "{0} {oops} %s"}), "Not yet: {0} {oops} %s"),
    ],
)
def test_a_message_becomes_its_sentence(message: Message, sentence: str) -> None:
    assert feedback_text(message) == sentence


def test_every_code_that_is_used_has_words_and_every_word_is_used() -> None:
    used = {code for file in PACKAGE.rglob("*.py") for code in _codes(file)}
    assert used == FEEDBACK_TEXTS.keys()


def _codes(file: Path) -> Iterator[str]:
    """The codes of all messages that a file makes; AssertionError for one that cannot be told from its source."""
    place = file.relative_to(PACKAGE).as_posix()
    for call in ast.walk(ast.parse(file.read_text())):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "Message":
            code = call.args[0] if call.args else call.keywords[0].value
            if (place, ast.unparse(code)) not in READ_BACK:
                yield from _values(code, place)


def _values(code: ast.expr, place: str) -> Iterator[str]:
    if isinstance(code, ast.IfExp):
        yield from (*_values(code.body, place), *_values(code.orelse, place))
        return
    if isinstance(code, ast.Name):
        constant = getattr(verdict, code.id, None)
        assert isinstance(constant, str), f"{place}: {code.id} is no constant of domain.verdict"
        yield constant
        return
    assert isinstance(code, ast.Constant), f"{place}: which code is {ast.unparse(code)}?"
    yield str(code.value)


@pytest.mark.parametrize("code", FEEDBACK_TEXTS)
def test_a_sentence_stands_without_its_parameters_and_shouts_at_nobody(code: str) -> None:
    sentence = feedback_text(Message(code))
    assert "{" not in sentence and sentence
    assert not re.search(r"\b(FAILED|ERROR|invalid)\b", sentence)


def test_a_code_of_another_version_is_safe() -> None:
    assert feedback_text(Message("from-the-future", {"x": "{y}"})) == UNKNOWN_CODE_TEXT


def test_every_flag_stands_in_the_docs_in_the_same_words() -> None:
    page = (PACKAGE.parent / "docs" / "explanation" / "grading.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| `([a-z-]+)` \| (.+) \|$", page.partition("## Flags")[2], flags=re.MULTILINE))
    assert told == FLAG_TEXTS


def test_what_the_judges_rules_flag_has_words() -> None:
    assert {
        operator_policy.DISHONEST_OPERATOR,
        operator_policy.OBJECT_FOR_DATA,
        operator_policy.CODE_FOR_DATA,
    } <= FLAG_TEXTS.keys()

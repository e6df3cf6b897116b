"""Every message has words, and no message can make them fail."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pmh_jupyter.domain.verdict import Message
from pmh_jupyter.domain.words import UNKNOWN, WORDS, words

GRADING = Path(__file__).parents[3] / "pmh_jupyter" / "grading"


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
            "Your code made Python crash (SIGSEGV), so nothing after it could be checked.",
        ),
        (Message("cell-crashed"), "Your code made Python crash, so nothing after it could be checked."),
        (Message("test-said", {"text": "{0} {oops} %s"}), "Not yet: {0} {oops} %s"),
    ],
)
def test_a_message_becomes_its_sentence(message: Message, sentence: str) -> None:
    assert words(message) == sentence


def test_every_code_that_grading_uses_has_words() -> None:
    used = {
        code for file in GRADING.rglob("*.py") for code in re.findall(r'Message\(\s*"([a-z-]+)"', file.read_text())
    } | {"hidden-timed-out", "test-timed-out", "answer-not-found", "healed-restored"}
    assert len(used) > 20
    assert used <= WORDS.keys()


@pytest.mark.parametrize("code", WORDS)
def test_a_sentence_stands_without_its_parameters_and_shouts_at_nobody(code: str) -> None:
    sentence = words(Message(code))
    assert "{" not in sentence and sentence
    assert not re.search(r"\b(FAILED|ERROR|invalid)\b", sentence)


def test_a_code_of_another_version_is_safe() -> None:
    assert words(Message("from-the-future", {"x": "{y}"})) == UNKNOWN

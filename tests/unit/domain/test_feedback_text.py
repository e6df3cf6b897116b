"""Every message code has a sentence, and no message can make the sentence fail."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pmh_jupyter.domain import verdict
from pmh_jupyter.domain.feedback_text import (
    FEEDBACK_TEXTS,
    FLAG_TEXTS,
    UNKNOWN_CODE_TEXT,
    expand_template,
    format_flag,
    format_message,
    list_param_names,
)
from pmh_jupyter.domain.verdict import Flag, Message
from pmh_jupyter.grading.runtime.separate_process.contract.observations import HELPER_CHANGED
from pmh_jupyter.grading.runtime.transport.result_fields import TestReason

PACKAGE = Path(__file__).parents[3] / "pmh_jupyter"
# Codes that are read from storage or copied from another message, where the source does not name them.
COPIED_CODES = {("storage/verdict_json.py", "data['code']")}
# Codes whose message is not created yet.
RESERVED_CODES = {"name-defined-in-locked-cell", "repair-restored-locked-cell", "test-not-evaluated"}


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        (
            Message("test-raised", {"expression": "mean([])", "error": "ZeroDivisionError", "line": "2"}),
            "`mean([])` raised ZeroDivisionError in line 2.",
        ),
        (
            Message("test-raised", {"expression": "f()", "error": "KeyError", "detail": "'a'."}),
            "`f()` raised KeyError: 'a'.",
        ),
        (
            Message("test-raised", {"expression": "f()", "error": "KeyError", "detail": "'a'", "line": "3"}),
            "`f()` raised KeyError in line 3: 'a'.",
        ),
        (
            Message("test-differs", {"expression": "double(2)", "got": "5", "expected": "4"}),
            "`double(2)` gave 5, expected 4.",
        ),
        (
            Message("cell-crashed", {"signal": "SIGSEGV"}),
            "Your code made Python crash (SIGSEGV), so this exercise could not be checked.",
        ),
        (Message("cell-crashed"), "Your code made Python crash, so this exercise could not be checked."),
        (Message("test-message", {"text": "{0} {oops} %s [a]"}), "{0} {oops} %s [a]"),
        (Message("test-message", {"text": "The total is right."}), "The total is right."),
        (
            Message("cell-raised", {"error": "KeyError", "detail": "{error} [x {line}]"}),
            "Your cell raised KeyError: {error} [x {line}].",
        ),
        (Message("test-differs", {"expression": "f()", "got": ""}), "`f()` gave —, expected —."),
    ],
)
def test_message_becomes_a_sentence(message: Message, sentence: str) -> None:
    assert format_message(message) == sentence


def test_each_code_in_the_source_has_a_sentence_and_each_sentence_is_used() -> None:
    used = {code for file in PACKAGE.rglob("*.py") for code in _codes(file)}
    assert used | RESERVED_CODES == FEEDBACK_TEXTS.keys()


def _codes(file: Path) -> Iterator[str]:
    """The codes of all messages that a file creates; AssertionError for one that its source does not name."""
    location = file.relative_to(PACKAGE).as_posix()
    for call in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "Message":
            code = call.args[0] if call.args else call.keywords[0].value
            if (location, ast.unparse(code)) not in COPIED_CODES:
                yield from _values(code, location)


def _values(code: ast.expr, location: str) -> Iterator[str]:
    if isinstance(code, ast.IfExp):
        yield from (*_values(code.body, location), *_values(code.orelse, location))
        return
    if isinstance(code, ast.Name):
        constant = getattr(verdict, code.id, None)
        assert isinstance(constant, str), f"{location}: {code.id} is not a constant of domain.verdict"
        yield constant
        return
    assert isinstance(code, ast.Constant), f"{location}: the code of {ast.unparse(code)} is not a literal"
    yield str(code.value)


@pytest.mark.parametrize("code", FEEDBACK_TEXTS)
def test_sentence_without_parameters_is_readable_and_polite(code: str) -> None:
    sentence = format_message(Message(code))
    assert sentence and not set("{}[]") & set(sentence)
    assert not re.search(r"\b(FAILED|ERROR|invalid|Not yet)\b", sentence)


@pytest.mark.parametrize("code", FEEDBACK_TEXTS)
def test_sentence_shows_every_parameter_of_its_template(code: str) -> None:
    params = {name: f"<{name}>" for name in list_param_names(code)}
    sentence = format_message(Message(code, params))
    assert all(value in sentence for value in params.values())


def test_unknown_code_gives_a_neutral_sentence() -> None:
    assert format_message(Message("from-the-future", {"x": "{y}"})) == UNKNOWN_CODE_TEXT
    assert format_flag(Flag("from-the-future", detail="x")) == UNKNOWN_CODE_TEXT
    assert list_param_names("from-the-future") == frozenset()


def test_template_expands_to_a_sentence_for_each_combination_of_optional_parts() -> None:
    assert expand_template("a[ {x}][ {y}{z}] {w}") == (
        (frozenset({"x", "y", "z"}), "a {x} {y}{z} {w}"),
        (frozenset({"x"}), "a {x} {w}"),
        (frozenset({"y", "z"}), "a {y}{z} {w}"),
        (frozenset(), "a {w}"),
    )


def test_flag_text_ends_with_its_detail() -> None:
    assert format_flag(Flag("tracing-attempted")) == "The code traced the interpreter; tracing was stopped."
    assert format_flag(Flag("library-changed", detail="math.pi")).endswith("it was restored or refused: math.pi.")


def test_docs_list_each_flag_with_the_same_text() -> None:
    page = (PACKAGE.parent / "docs" / "explanation" / "grading.md").read_text(encoding="utf-8")
    documented = dict(re.findall(r"^\| `([a-z-]+)` \| (.+) \|$", page.partition("## Flags")[2], flags=re.MULTILINE))
    assert documented == FLAG_TEXTS


def test_flags_of_the_contract_have_texts() -> None:
    codes = {TestReason.DISHONEST_OPERATOR, TestReason.OBJECT_FOR_DATA, TestReason.CODE_FOR_DATA, HELPER_CHANGED}
    assert codes <= FLAG_TEXTS.keys()

"""The panel's tables of texts: complete, literal for the extraction of translations, and equal to the Python ones."""

from __future__ import annotations

import re

import pytest

from pmh_jupyter.domain.feedback_text import FEEDBACK_TEXTS
from pmh_jupyter.domain.labels import ICONS, OUTCOME_LABELS, STATE_LABELS
from pmh_jupyter.wire.typescript_texts import generate_feedback_texts, generate_labels

TRANSLATED_LITERAL = re.compile(r"trans\.__\('((?:[^'\\]|\\.)*)'\)")


def test_each_message_code_has_a_case_with_its_literal_text() -> None:
    text = generate_feedback_texts()
    for code, template in FEEDBACK_TEXTS.items():
        literal = re.sub(r"[\[\]]", "", template).replace("'", "\\'")
        assert f"    case '{code}':\n" in text
        assert f"trans.__('{literal}')" in text


def test_each_call_of_the_translation_has_one_literal() -> None:
    for text in (generate_feedback_texts(), generate_labels()):
        assert len(TRANSLATED_LITERAL.findall(text)) == text.count("trans.__(") > 0


def test_optional_parameters_give_a_whole_sentence_for_each_combination() -> None:
    text = generate_feedback_texts()
    case = text.partition("case 'cell-raised':\n")[2].partition("    case ")[0]
    assert [re.sub(r"\s*return.*", "", line).strip() for line in case.strip().splitlines()] == [
        "if (hasParams(params, 'detail', 'line'))",
        "if (hasParams(params, 'line'))",
        "if (hasParams(params, 'detail'))",
        "",
    ]
    assert TRANSLATED_LITERAL.findall(case) == [
        "Your cell raised {error} in line {line}: {detail}.",
        "Your cell raised {error} in line {line}.",
        "Your cell raised {error}: {detail}.",
        "Your cell raised {error}.",
    ]


@pytest.mark.parametrize("name", ICONS)
def test_each_state_and_outcome_has_a_label_and_an_icon_in_the_panel(name: str) -> None:
    text = generate_labels()
    labels = {key.value: label for key, label in (*STATE_LABELS.items(), *OUTCOME_LABELS.items())}
    assert f"    case '{name}':\n      return trans.__('{labels[name].text}');\n" in text
    assert all(path.d in text.partition("export const ICONS")[2] for path in ICONS[name])

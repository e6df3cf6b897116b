"""The one pattern of slugs."""

from __future__ import annotations

import re

import pytest

from pmh_jupyter.domain.slugs import SLUG_PATTERN


@pytest.mark.parametrize("text", ["a", "7", "unit-2", "python-mastery", "0-0"])
def test_slug_is_accepted(text: str) -> None:
    assert re.fullmatch(SLUG_PATTERN, text)


@pytest.mark.parametrize("text", ["", "-", "-a", "a-", "a--b", "A", "a_b", "a.b", "a b", "ü", "a/b", "a\n"])
def test_other_text_is_no_slug(text: str) -> None:
    assert not re.fullmatch(SLUG_PATTERN, text)

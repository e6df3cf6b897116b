"""The one pattern of slugs."""

from __future__ import annotations

import pytest

from pmh_jupyter.domain.slugs import MAX_SLUG_LENGTH, is_slug


@pytest.mark.parametrize("text", ["a", "7", "unit-2", "python-mastery", "a" * MAX_SLUG_LENGTH])
def test_slug_is_accepted(text: str) -> None:
    assert is_slug(text)


@pytest.mark.parametrize(
    "text", ["", "-", "-a", "a-", "a--b", "A", "a_b", "a.b", "a b", "ü", "a/b", "a\n", "a" * (MAX_SLUG_LENGTH + 1)]
)
def test_other_text_is_no_slug(text: str) -> None:
    assert not is_slug(text)

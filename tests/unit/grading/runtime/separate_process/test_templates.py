"""Which templates for `str.format` and `%` a test may take from a notebook."""

from __future__ import annotations

import pytest

from pmh_jupyter.grading.runtime.separate_process.cells.templates import is_safe_percent_template, is_safe_template


@pytest.mark.parametrize("template", ["", "{}", "{0} {name!r:>8}", "{who.name}", "{row[key]}", "{{x}}", "{:.2f}", "{"])
def test_template_that_inserts_what_is_public_is_safe(template: str) -> None:
    assert is_safe_template(template)


@pytest.mark.parametrize(
    "template", ["{0.__class__}", "{who.__init__.__globals__[key]}", "{a[b]._c}", "{:99999}", "{:{x}}"]
)
def test_template_that_reaches_further_or_takes_memory_is_not_safe(template: str) -> None:
    assert not is_safe_template(template)


@pytest.mark.parametrize(
    ("template", "is_safe"), [("%s %5.2f%%", True), ("%(x)d", True), ("%99999d", False), ("%*d", False)]
)
def test_percent_template_with_an_ordinary_width_is_safe(template: str, is_safe: bool) -> None:
    assert is_safe_percent_template(template) is is_safe

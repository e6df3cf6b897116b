"""Names that a cell binds and reads, as the host finds them without running the cell."""

from __future__ import annotations

import pytest

from pmh_jupyter.python_source.names import MAX_CHARACTERS, analyze_names
from tests.support.grading.name_cases import NAME_CASES


@pytest.mark.parametrize(("source", "bound", "reads", "nested"), NAME_CASES)
def test_bound_and_read_names_are_found(source: str, bound: str, reads: str, nested: str) -> None:
    names = analyze_names(source)
    assert names.is_parsed
    assert [names.bound, names.global_reads, names.nested_reads] == [
        frozenset(text.split()) for text in (bound, reads, nested)
    ]


@pytest.mark.parametrize("source", ["x = (", "x = 1\x00", "x = '\ud800'", "(" * 50_000, "#" * (MAX_CHARACTERS + 1)])
def test_text_that_is_not_python_binds_nothing(source: str) -> None:
    names = analyze_names(source)
    assert not names.is_parsed
    assert not names.bound
    assert not names.global_reads


def test_deeply_nested_code_is_analyzed_without_recursion() -> None:
    source = "x = " + "+".join(["y"] * 900)
    assert analyze_names(source).global_reads == {"y"}
    blocks = "\n".join(" " * n + f"def f{n}():" for n in range(90)) + "\n" + " " * 90 + "return z"
    assert analyze_names(blocks).nested_reads == {"z"}

"""Results that came from a lack of memory are not remembered."""

from __future__ import annotations

import pytest

from pmh_jupyter.python_source import names, plain_python
from pmh_jupyter.python_source.resource_exhaustion import count_exhaustions, record_exhaustion, remember_results

SOURCE = "spread = max([1, 2]) - min([1, 2])  # a cell of the release"


@pytest.mark.parametrize("error", [MemoryError, RecursionError])
def test_analysis_without_memory_is_not_remembered(monkeypatch: pytest.MonkeyPatch, error: type[BaseException]) -> None:
    def compile_without_memory(*arguments: object, **named: object) -> None:
        raise error

    source = f"{SOURCE} {error.__name__}"
    with monkeypatch.context() as patch:
        patch.setattr("pmh_jupyter.python_source.parsing.compile", compile_without_memory, raising=False)
        assert not names.analyze_names(source).is_parsed
    assert names.analyze_names(source).bound == {"spread"}


def test_other_results_are_remembered_and_errors_are_not() -> None:
    calls: list[str] = []

    @remember_results(4)
    def double(text: str) -> str:
        calls.append(text)
        if text == "?":
            raise ValueError(text)
        return 2 * text

    assert [double("a"), double("a"), double("b")] == ["aa", "aa", "bb"]
    assert calls == ["a", "b"]
    for _ in range(2):
        with pytest.raises(ValueError, match=r"\?"):
            double("?")
    assert calls == ["a", "b", "?", "?"]


def test_error_that_hides_a_lack_of_memory_counts() -> None:
    before = count_exhaustions()
    record_exhaustion(ValueError("an ordinary mistake"))
    record_exhaustion(None)
    assert count_exhaustions() == before
    try:
        try:
            raise MemoryError
        except MemoryError:
            raise ValueError("the library's own words")  # noqa: B904 - as libraries do
    except ValueError as error:
        record_exhaustion(error)
    assert count_exhaustions() == before + 1


def test_lack_of_memory_while_ipython_syntax_is_transformed_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(source: str) -> str:
        raise MemoryError

    monkeypatch.setattr(plain_python, "transform_ipython_syntax", fail)
    before = count_exhaustions()
    assert plain_python.to_plain_python("%matplotlib inline") is None
    assert count_exhaustions() == before + 1

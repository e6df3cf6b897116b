"""The host caches the test cells that a judge has compiled."""

from __future__ import annotations

from collections.abc import Sequence

from pmh_jupyter.grading.backends.unsandboxed import UnsandboxedBackend
from pmh_jupyter.grading.compiled_cell_cache import CACHE_SIZE, CompiledCellCache


class RecordingCompiler:
    """Compiles cells, and records which."""

    def __init__(self, *, is_broken: bool = False) -> None:
        self.requests: list[list[str]] = []
        self.is_broken = is_broken

    def __call__(self, sources: Sequence[str]) -> Sequence[str]:
        self.requests.append([*sources])
        return () if self.is_broken else [f"<{source}>" for source in sources]


def test_a_cell_is_compiled_when_it_is_requested_for_the_second_time() -> None:
    cells, compiler = CompiledCellCache(), RecordingCompiler()
    assert cells.get_or_compile(["a", "b"], compiler) == {}
    assert not compiler.requests
    assert cells.get_or_compile(["b", "c"], compiler) == {"b": "<b>"}
    assert cells.get_or_compile(["a", "b", "c"], compiler) == {"a": "<a>", "b": "<b>", "c": "<c>"}
    assert compiler.requests == [["b"], ["a", "c"]]


def test_a_cell_that_occurs_twice_in_a_notebook_counts_once() -> None:
    compiler = RecordingCompiler()
    assert CompiledCellCache().get_or_compile(["a", "a"], compiler) == {}
    assert not compiler.requests


def test_a_cell_that_cannot_be_compiled_is_not_tried_again() -> None:
    cells, compiler = CompiledCellCache(), RecordingCompiler(is_broken=True)
    assert [cells.get_or_compile(["a"], compiler) for _ in range(4)] == [{}] * 4
    assert compiler.requests == [["a"]]


def test_each_backend_has_cells_of_its_own() -> None:
    compiler = RecordingCompiler()
    backend = UnsandboxedBackend()
    caches = [each.compiled_cells for each in (backend, backend, UnsandboxedBackend())]
    replies = [cells.get_or_compile(["a"], compiler) for cells in caches]
    assert replies == [{}, {"a": "<a>"}, {}]
    assert compiler.requests == [["a"]]


def test_the_oldest_cells_are_evicted() -> None:
    cells, compiler = CompiledCellCache(), RecordingCompiler()
    for _ in range(2):
        cells.get_or_compile(["a"], compiler)
    cells.get_or_compile([f"{number}" for number in range(CACHE_SIZE)], compiler)
    assert cells.get_or_compile(["a"], compiler) == {}

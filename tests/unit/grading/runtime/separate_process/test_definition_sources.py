"""The judge finds the source of the student's functions in its own copy of the cells."""

from __future__ import annotations

from pmh_jupyter.grading.runtime.separate_process.cells.definition_sources import DefinitionSources


def test_last_definition_of_a_name_is_found() -> None:
    sources = DefinitionSources()
    sources.add("def f():\n    return 1\n")
    sources.add("@d\ndef f():\n    return 2\n\nclass C:\n    def m(self):\n        pass\nx = (")
    sources.add("class C:\n    def m(self): return 3\n")
    assert sources.find("f") == "def f():\n    return 1\n"
    assert sources.find("C.m") == "    def m(self): return 3\n"
    assert sources.find("nothing") is None


def test_line_separator_in_a_string_does_not_shift_the_source() -> None:
    sources = DefinitionSources()
    sources.add('text = "a\u2028b\x0cc"\ndef f():\n    return text\n')
    assert sources.find("f") == "def f():\n    return text\n"

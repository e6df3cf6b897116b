"""Kernel, language and stub of a notebook."""

from __future__ import annotations

import json

import pytest

from pmh_jupyter.domain.course import File
from pmh_jupyter.domain.kernels import find_kernel, find_language, make_code_stub
from pmh_jupyter.domain.markers import CODE_STUB
from pmh_jupyter.domain.release import build_release
from tests.support.notebooks import make_cell


@pytest.mark.parametrize(
    ("metadata", "kernel"),
    [
        ({}, ""),
        ({"kernelspec": None, "language_info": 3}, ""),
        ({"kernelspec": {"name": "python3"}}, ""),
        ({"kernelspec": {"name": "course-env", "language": "Python"}}, ""),
        ({"kernelspec": {"name": "course-env"}, "language_info": {"name": "python"}}, ""),
        ({"kernelspec": {"name": "ir", "language": "R"}}, "ir"),
        ({"kernelspec": {"name": "ir"}, "language_info": {"name": "R"}}, "ir"),
        ({"kernelspec": {"language": "bash"}}, "bash"),
        ({"kernelspec": {"name": "julia-1.11", "language": "julia"}}, "julia-1.11"),
    ],
)
def test_kernel_name_is_empty_only_for_python(metadata: dict[str, object], kernel: str) -> None:
    assert find_kernel(metadata) == kernel


def test_stub_has_the_language_of_the_notebook() -> None:
    assert make_code_stub(find_language({})) == CODE_STUB
    assert "stop(" in make_code_stub("r") and "error(" in make_code_stub("julia")
    assert make_code_stub("prolog") == "# YOUR CODE HERE"


def test_release_of_another_kernel_has_its_stub_and_kernelspec() -> None:
    source = "f() {\n    ### BEGIN SOLUTION\n    echo 1\n    ### END SOLUTION\n}"
    cell = make_cell(source, grade_id="f", solution=True)
    spec = {"display_name": "Bash", "language": "bash", "name": "bash"}
    notebook = {"cells": [cell], "metadata": {"kernelspec": spec}, "nbformat": 4, "nbformat_minor": 5}
    release = build_release("l", "L", [File("l.ipynb", json.dumps(notebook).encode())], [])
    for file in (*release.student_files, *release.sealed_files):
        assert json.loads(file.content)["metadata"]["kernelspec"] == spec
    student_source = "".join(json.loads(release.student_files[0].content)["cells"][0]["source"])
    assert student_source == "f() {\n    # YOUR CODE HERE\n    false\n}"

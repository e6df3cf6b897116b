"""A lesson in Bash, and a sandbox backend whose Python has a Bash kernel, in a separate environment."""

from __future__ import annotations

import json
import subprocess
import sys
import sysconfig
from dataclasses import replace
from pathlib import Path
from typing import Any

from pmh_jupyter.domain.course import File, Release
from pmh_jupyter.domain.release import build_release
from pmh_jupyter.grading.backends.bubblewrap import BubblewrapBackend
from pmh_jupyter.grading.backends.interpreter import inspect_grader_python
from tests.support.grading.lesson import fill_in_answers
from tests.support.notebooks import make_cell

NOTEBOOK = "shell.ipynb"
BASH = {"display_name": "Bash", "language": "bash", "name": "bash"}
GREET = """\
### BEGIN SOLUTION
greet() { echo "Hello, $1"; }
### END SOLUTION"""
COUNT = """\
count() {
### BEGIN SOLUTION
    grep -c . words.txt
### END SOLUTION
}"""
SHOUT = """\
### BEGIN SOLUTION
shout() { echo "${1^^}"; }
### END SOLUTION"""
TESTS = {
    "greet": '[ "$(greet Ada)" = "Hello, Ada" ] || { echo "Greet by name."; false; }',
    "count": '[ "$(count)" -eq 3 ]',
    "shout": '### BEGIN HIDDEN TESTS\n[ "$(shout secret-90126)" = SECRET-90126 ]\n### END HIDDEN TESTS',
}
RIGHT = {
    "greet": 'greet() { echo "Hello, $1"; }',
    "count": "count() { wc -l < words.txt; }",
    "shout": "shout() { echo $1 | tr a-z A-Z; }",
}

# pexpect waits 50 ms before each line that it sends, for programs that ask for passwords: 2 s at each start.
PROMPT_BASH = """\
import runpy
from pexpect import spawnbase

make = spawnbase.SpawnBase.__init__

def without_delay(self, *given, **named):
    make(self, *given, **named)
    self.delaybeforesend = None

spawnbase.SpawnBase.__init__ = without_delay
runpy.run_module("bash_kernel", run_name="__main__")
"""


def make_bash_files(kernel: dict[str, str] = BASH) -> tuple[File, File]:
    """Return the lesson's source: its notebook, and a file beside it."""
    cells: list[dict[str, Any]] = []
    for name, source in (("greet", GREET), ("count", COUNT), ("shout", SHOUT)):
        cells.append(make_cell(source, grade_id=name, solution=True))
        cells.append(make_cell(TESTS[name], grade_id=f"{name}-tests", grade=True, locked=True, points=1))
    cells[-1]["metadata"]["pmh"] = {"accept_in_process": True}
    notebook = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    return File(NOTEBOOK, json.dumps(notebook).encode()), File("words.txt", b"one\ntwo\nthree\n")


def build_bash_lesson(kernel: dict[str, str] = BASH) -> Release:
    """Three exercises of one point each; the last has a hidden test."""
    notebook, words = make_bash_files(kernel)
    return build_release("shell", "Shell", [notebook], [words])


def make_submitted_notebook(answers: dict[str, str], release: Release) -> File:
    """Return a student's notebook, whose metadata claims Python."""
    cells = fill_in_answers(answers, release)
    return File(NOTEBOOK, json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode())


def create_backend_with_bash(folder: Path) -> BubblewrapBackend:
    """Create an environment in the folder with our packages and a Bash kernel, and return a backend that runs it."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    python = folder / "bin" / "python"
    ours = sysconfig.get_path("purelib")
    site = folder / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    (site / "ours.pth").write_text(ours + "\n")
    subprocess.run([str(python), "-m", "bash_kernel.install", "--prefix", str(folder)], check=True, capture_output=True)
    (site / "prompt_bash.py").write_text(PROMPT_BASH)
    spec = folder / "share" / "jupyter" / "kernels" / "bash" / "kernel.json"
    spec.write_text(spec.read_text().replace('"bash_kernel"', '"prompt_bash"'))
    grader_python = inspect_grader_python(str(python))
    installation_paths = (*grader_python.installation_paths, Path(ours))
    return BubblewrapBackend(replace(grader_python, installation_paths=installation_paths))

"""The judge's end where a notebook's language is not Python: what a kernel told of a cell becomes a fault or a test.

A test cell is one check: it passes when the kernel says that it ran without an error. What it printed is shown with a visible test
that failed; of a hidden one nothing is told but its author's words, in a line `# feedback: …`.
"""

from __future__ import annotations

import time
from typing import Any

from .apart.frames import Link, Lost
from .checks import BEGIN, FEEDBACK
from .side import Fault, Tests, TestsInside
from .text import clip

# R and Julia take seconds until they are there, on a busy machine many.
START_SECONDS = 60.0
# What a kernel and its driver take on top of the memory that a submission may use.
KERNEL_BYTES = 192 << 20
_FIELDS = {"status", "error", "detail", "printed"}
_NAMELESS = {"", "ERROR", "Error"}


class NoKernel(Exception):
    """The kernel that a release asks for cannot be had: nothing that a student did."""


def with_kernel(limits: dict[str, Any]) -> dict[str, Any]:
    """A submission's limits for the process that drives a kernel, and for the kernel."""
    return limits | {"memory_bytes": limits["memory_bytes"] + KERNEL_BYTES, "reserves": True}


class TestsInKernel(TestsInside):
    """`reconnect` and the first connection wait until the kernel is ready; they raise NoKernel."""

    __test__ = False

    def __init__(self, link: Link) -> None:
        super().__init__(link)
        self._await_kernel()

    def reconnect(self, link: Link) -> None:
        super().reconnect(link)
        self._await_kernel()

    def checkpoint(self) -> None:
        """A kernel cannot be frozen: after a loss the cells are run anew."""

    def run_student(self, number: int, source: str) -> Fault:
        told = self._told("run", number, source)
        if told["status"] == "ok":
            return None
        return {"error": _name(told), "detail": _detail(told), "cell": number, "line": None}

    def run_tests(self, number: int, grade_id: str, source: str) -> tuple[Tests, list[dict[str, Any]]]:
        if not source.strip():
            return [], []
        told = self._told("tests", number, source)
        test = {
            "name": "",
            "expression": clip(grade_id),
            "hidden": BEGIN in source,
            "outcome": "passed" if told["status"] == "ok" else "failed",
            "reason": "",
            "text": "",
            "expected": None,
            "got": None,
            "error": "",
            "detail": "",
            "cell": None,
            "line": None,
        }
        return [test | (_why(told, source) if test["outcome"] == "failed" else {})], []

    def _told(self, kind: str, number: int, source: str) -> dict[str, str]:
        told = self._ask(kind, number, source)
        if not (isinstance(told, dict) and set(told) == _FIELDS and all(isinstance(t, str) for t in told.values())):
            raise Lost("answer", "Not what a kernel tells.")
        if told["status"] == "lost":
            raise Lost("exit", "")
        return told

    def _await_kernel(self) -> None:
        self.link.deadline = time.monotonic() + START_SECONDS
        try:
            said = self.link.receive()
        except Lost as lost:
            raise NoKernel(f"the kernel does not start ({lost.cause})") from lost
        if not isinstance(said, dict) or said.get("missing") != "":
            raise NoKernel(clip(str(said["missing"] if isinstance(said, dict) and "missing" in said else said), 400))


def _why(told: dict[str, str], source: str) -> dict[str, str]:
    words = next((found[1] for found in map(FEEDBACK.match, source.split("\n")) if found), None)
    if words:
        return {"reason": "said", "text": clip(words, 2_000)}
    if BEGIN in source:
        return {"reason": "fails"}
    if told["error"] in _NAMELESS:
        return {"reason": "said", "text": clip(told["printed"].strip(), 400) or _detail(told)}
    return {"reason": "raised", "error": _name(told), "detail": _detail(told)}


def _name(told: dict[str, str]) -> str:
    return "an error" if told["error"] in _NAMELESS else told["error"]


def _detail(told: dict[str, str]) -> str:
    """A shell tells no more than a number."""
    detail = told["detail"].strip()
    return clip(f"exit status {detail}" if detail.isdecimal() else detail)

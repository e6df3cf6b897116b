"""How the test cells of a release are judged: found out when it is released, kept beside it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pmh_jupyter.domain.verdict import Message

GRADER = "3"
"""The version of the grader: changes with whatever may change a verdict. Gradings and judgings are kept by it."""


class Way(StrEnum):
    """Where the test cells of a notebook run: in a process that the student's code never enters, or inside the student's own."""

    APART = "apart"
    INSIDE = "inside"


@dataclass(frozen=True)
class NotebookJudging:
    """What grading needs to know of one notebook's test cells. Names are those of the notebook's namespace.

    `library`: names that the reference leaves bound to a library's object, as (module, attribute; "" for the module itself). `exports`:
    names that test cells bind and later student cells of the reference read. `rebinds`: names that the reference's cells bind.
    `shadowed`: builtins that the reference binds anew. `given`: functions of locked cells that test cells use, of which they get the
    judge's own. `files`: of the lesson's files and the tests', those that the reference changes. `operators`: by test cell, the
    operators that the reference used on objects of classes of its own, and, as "eq data 2", those with plain data on the other side and
    the statement of the cell that it was in; of a cell that is not there nothing is known, and judged inside nothing is refused in it.
    `cell` and `reason` say why a notebook is judged inside.
    """

    notebook: str
    way: Way = Way.APART
    library: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    exports: tuple[str, ...] = ()
    rebinds: tuple[str, ...] = ()
    shadowed: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    operators: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cell: str | None = None
    reason: Message | None = None


@dataclass(frozen=True)
class Judging:
    """How one release is judged by one version of the grader."""

    grader: str
    notebooks: tuple[NotebookJudging, ...]

    def of(self, notebook: str) -> NotebookJudging | None:
        """The notebook's part; None where it has no test cells."""
        return next((part for part in self.notebooks if part.notebook == notebook), None)

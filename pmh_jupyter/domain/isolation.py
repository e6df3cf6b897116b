"""How the test cells of a release are judged: found out when it is released, kept beside it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pmh_jupyter.domain.verdict import Message

GRADER_VERSION = "3"
"""The version of the grader: changes with whatever may change a verdict. Gradings and judgings are kept by it."""


class Isolation(StrEnum):
    """Where the test cells of a notebook run: in a process that the student's code never enters, or inside the student's own."""

    SEPARATE_PROCESS = "separate-process"
    IN_PROCESS = "in-process"


@dataclass(frozen=True)
class NotebookIsolation:
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
    isolation: Isolation = Isolation.SEPARATE_PROCESS
    library_names: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    exported_names: tuple[str, ...] = ()
    rebound_names: tuple[str, ...] = ()
    shadowed_builtins: tuple[str, ...] = ()
    test_helpers: tuple[str, ...] = ()
    changed_files: tuple[str, ...] = ()
    operators: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cell: str | None = None
    reason: Message | None = None


@dataclass(frozen=True)
class ReleaseIsolation:
    """How one release is judged by one version of the grader."""

    grader_version: str
    notebooks: tuple[NotebookIsolation, ...]

    def find_notebook(self, notebook: str) -> NotebookIsolation | None:
        """The notebook's part; None where it has no test cells."""
        return next(
            (notebook_isolation for notebook_isolation in self.notebooks if notebook_isolation.notebook == notebook),
            None,
        )

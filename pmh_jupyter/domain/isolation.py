"""Isolation of a release: where its test cells run, as determined when it is released. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pmh_jupyter.domain.verdict import Flag, Message

# Version of the grader. Increase it with every change that may change a verdict. Gradings and isolation are stored by version.
GRADER_VERSION = "14"


class Isolation(StrEnum):
    """Where the test cells of a notebook run: in the judge, a process without student code, or in the student process (hardened)."""

    SEPARATE_PROCESS = "separate-process"
    IN_PROCESS = "in-process"


@dataclass(frozen=True)
class NotebookUsage:
    """What the tests of one notebook use, recorded while the reference runs: the notebook with its solutions.

    Names are those of the notebook's namespace.

    library_names: names that the reference leaves bound to an object of a library, as (module, attribute); the attribute is "" for the
    module itself.
    rebound_names: names that cells of the reference bind.
    shadowed_builtins: builtins that the reference rebinds.
    test_helpers: functions of locked cells that test cells use; the judge has its own copies.
    locked_data: names of data of locked cells that test cells read and that the reference leaves as it is; the judge keeps copies. None: it
    keeps none, because the reference passes only with the notebook's own.
    changed_files: files of the lesson or its tests that the reference changes.
    changed_module_data: in-process, data in modules of the lesson that the reference changes ("checks.REGISTRY").
    contract: by test cell, how many values the tests compare, each with its place, and with separate-process isolation also
    the uses that the tests make of the reference's objects ("2:7-2:20 operator eq"; see `grading.runtime.test_cells.contract_entries`).
    shares_test_names: in-process, whether test cells bind their names in the notebook, because the reference passes only if it can read
    them. Otherwise test cells have names of their own.
    operators: in-process, by test cell, the operators that the reference used on objects of its own classes. "eq with-data 2" is `==` with
    plain data on the other side, in line 2 of the cell. "eq right unittest.mock._ANY 2" is `==` with an object of a library on its right
    side that decides what it equals. A cell without an entry is unknown and not restricted.
    """

    library_names: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    rebound_names: tuple[str, ...] = ()
    shadowed_builtins: tuple[str, ...] = ()
    test_helpers: tuple[str, ...] = ()
    locked_data: tuple[str, ...] | None = ()
    changed_files: tuple[str, ...] = ()
    changed_module_data: tuple[str, ...] = ()
    shares_test_names: bool = False
    contract: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    operators: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class NotebookIsolation:
    """Facts that the grader needs about one notebook's test cells, determined by running the reference.

    exported_names: names that test cells bind and that later student cells of the reference read.
    usage: what the tests use.
    displaying_cells: test cells that the reference passes and that end in no number, but perhaps in a value to display it. The value is not
    partial credit.
    counting_cells: test cells that end in a number of points for the reference. For a submission they must, too.
    reference_flags: flags that the reference itself gets, because of what the tests do. Submissions do not get them.
    cell, reason: why the tests run in-process; None otherwise.
    """

    notebook: str
    isolation: Isolation = Isolation.SEPARATE_PROCESS
    exported_names: tuple[str, ...] = ()
    usage: NotebookUsage = field(default_factory=NotebookUsage)
    displaying_cells: tuple[str, ...] = ()
    counting_cells: tuple[str, ...] = ()
    reference_flags: tuple[Flag, ...] = ()
    cell: str | None = None
    reason: Message | None = None


@dataclass(frozen=True)
class ReleaseIsolation:
    """The isolation of a release's notebooks, as determined by one version of the grader."""

    grader_version: str
    notebooks: tuple[NotebookIsolation, ...]

    def find_notebook(self, notebook: str) -> NotebookIsolation | None:
        """Return the entry of a notebook (by path); None if it has no test cells."""
        return next(
            (notebook_isolation for notebook_isolation in self.notebooks if notebook_isolation.notebook == notebook),
            None,
        )

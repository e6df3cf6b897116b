"""The places of a source that can fail an assertion."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from pmh_jupyter.grading.runtime.test_cells.assertion_rewriter import AssertionRewriter
from pmh_jupyter.grading.runtime.test_cells.recorder_code import NamePinner


@dataclass(frozen=True)
class AssertionSite:
    """One expression of a test cell that can fail an assertion.

    expression: its source text, None if it is hidden. feedback: the author's message for it. is_swapped: the value that the student's
    code computed is the right operand, or the second argument.
    """

    expression: str | None
    feedback: str
    is_swapped: bool


class SiteTable:
    """Rewrites the statements of a source (see `statements.StatementRewriter`), and numbers the sites in them.

    sites: sites registered earlier, by number. pinned: names that the statements read from the recorder.
    """

    def __init__(self, sites: Mapping[int, AssertionSite] | None = None, pinned: Collection[str] | None = None) -> None:
        self.sites = dict(sites or {})
        self.pinned = frozenset(pinned or ())

    def rewrite(self, node: ast.stmt, source: str | None, feedback_by_line: dict[int, str]) -> None:
        """Change a statement in place, so that its assertions are recorded."""
        AssertionRewriter(self, source, feedback_by_line).visit(node)
        NamePinner(self.pinned).visit(node)

    def register_site(self, expression: str | None, feedback: str, *, is_swapped: bool = False) -> int:
        """Register an expression (see `AssertionSite`). Returns its number."""
        number = self._choose_number()
        self.add_site(number, AssertionSite(expression, feedback, is_swapped))
        return number

    def add_site(self, number: int, site: AssertionSite) -> None:
        self.sites[number] = site

    def _choose_number(self) -> int:
        return len(self.sites)

"""The committed list of test cells that cannot be judged apart; see tests/submissions/in_process.toml."""

from __future__ import annotations

import tomllib

from tests.support.repository import ROOT

LIST = ROOT / "tests" / "submissions" / "inside.toml"


def judged_inside(part: str) -> dict[str, str]:
    """By "lesson:cell" its reason, of the starter course ("starter") or of nbgrader's notebooks ("nbgrader")."""
    cells: dict[str, str] = tomllib.loads(LIST.read_text())[part]
    assert all(cells.values()), "each has its reason"
    return cells

"""The committed list of test cells that cannot run in a separate process; see tests/submissions/in_process.toml."""

from __future__ import annotations

import tomllib

from tests.support.repository import ROOT

LIST = ROOT / "tests" / "submissions" / "in_process.toml"


def read_in_process_cells(part: str) -> dict[str, str]:
    """Return the reasons by "lesson:cell", of the starter course ("starter") or of nbgrader's notebooks ("nbgrader")."""
    cells: dict[str, str] = tomllib.loads(LIST.read_text())[part]
    assert all(cells.values()), "every cell needs a reason"
    return cells
